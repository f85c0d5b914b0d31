/* dream.h - the parts of a dream: its photograph, its layers, its recipe. */
#ifndef CX_PATTERNS_DREAM_H
#define CX_PATTERNS_DREAM_H

#include "patterns/climb.h"

enum { CX_DREAM_LAYERS = 64 };

typedef struct cx_dream_layer {
    char name[256];
    double weight;
} cx_dream_layer;

typedef struct cx_dream_layers {
    cx_dream_layer item[CX_DREAM_LAYERS];
    int n;
    int weighed; /* 1: a weight was given */
} cx_dream_layers;

/* --- photo.c --- */

/* Rows and columns that the file has. */
void cx_photo_size(const cvs_input *input, const cx_sizes *s, int64_t *height, int64_t *width);

/* Its pixels at that size; to be cx_photo_deinit() in any case. */
int cx_photo_open(cx_photo *out, const cvs_input *input, const cx_sizes *s, cvs_preprocess mode,
                  int64_t height, int64_t width, cvs_error *err);
void cx_photo_deinit(cx_photo *photo);

/* --- dream_layers.c --- */

/* From "NAME[:WEIGHT],…"; from NULL what suits the kind of dream. */
int cx_dream_layers_choose(cx_dream_layers *out, const cvs_model *m, cvs_dream_kind kind,
                           const char *text, cvs_error *err);

#endif
