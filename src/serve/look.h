/* look.h - what a question about one layer, and mostly one picture, begins with. */
#ifndef CX_SERVE_LOOK_H
#define CX_SERVE_LOOK_H

#include "methods/map.h"
#include "serve/answers.h"

/* All zero before. */
typedef struct cx_look {
    const cx_view_model *model;
    int node;
    cvs_run *run; /* in which the picture has been computed; NULL until cx_look_compute() */
    cx_map map;   /* what the layer gave, not measured */
} cx_look;

/* The model and the layer of the route. */
int cx_look_begin(cx_look *look, cx_reply *reply, const cx_ask *ask, cvs_error *err);
/* The picture computed, and the layer's map; with `deep` also what the layer read is kept. */
int cx_look_compute(cx_look *look, int deep, cx_reply *reply, const cx_ask *ask, cvs_error *err);
/* Frees what there is, and gives the run back. */
void cx_look_end(cx_look *look, const cx_ask *ask);

/* The key "channel" and its like, 0 … n - 1; without it `otherwise`, or with -2 an error. */
int cx_look_index(int64_t *out, const cx_ask *ask, const char *key, int64_t otherwise, int64_t n,
                  cvs_error *err);

/* A failure where the model cannot be computed, or has several inputs: a picture goes to one. */
int cx_look_can_ask(const cvs_model *m, cvs_error *err);

/* "class": its number, null where it is -1. */
void cx_look_add_class(cx_json_writer *w, int64_t class_index);

/* How many channels the layer has; INT32_MAX where that depends on the input. */
int64_t cx_look_channels(const cvs_model *m, int node);

/* An answer that is a copy of these bytes; `type` is static. */
int cx_reply_copy(cx_reply *out, const char *type, const cx_bytes *bytes, cvs_error *err);

/* Layers with commas between them, as taps are written; to be deinited in any case. */
int cx_look_taps(cx_str *out, const cvs_model *m, int node, int deep, cvs_error *err);

#endif
