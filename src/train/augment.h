/* augment.h - pictures varied at random, as the books do it: by Keras' ImageDataGenerator, or by
 * its layers RandomFlip, RandomRotation and RandomZoom. */
#ifndef CX_TRAIN_AUGMENT_H
#define CX_TRAIN_AUGMENT_H

#include <stdint.h>

/* Where a varied picture looks beyond the border. */
typedef enum cx_fill {
    CX_FILL_NEAREST,  /* aaaa|abcd|dddd */
    CX_FILL_REFLECT,  /* dcba|abcd|dcba */
    CX_FILL_WRAP,     /* bcda|bcda|bcda as scipy has it: the last cell is the first of the next */
    CX_FILL_CONSTANT, /* fill_value, from the centre of the last pixel on */
} cx_fill;

/* How much a picture may be varied. All zero is not at all. */
typedef struct cx_augment {
    double rotation;                    /* -r … r degrees */
    double width_shift;                 /* -s … s: a share of the side where s < 1, else pixels */
    double height_shift;                /* the same, of the rows */
    double shear;                       /* -s … s degrees */
    double zoom;                        /* 1 - z … 1 + z: less than 1 enlarges */
    int zoom_alike;                     /* 1: both axes by the same; 0: each by its own */
    int horizontal_flip, vertical_flip; /* 1: every other picture */
    cx_fill fill;
    double fill_value;
    int in_steps; /* 1: flip, rotate, zoom, each from the pixels of the one before, as layers do;
                     0: one transform of all, then flip, as ImageDataGenerator */
} cx_augment;

/* Of the first edition: rotation_range 40, shifts, shear_range and zoom_range 0.2 (the shear is in
 * degrees, so next to none), horizontal_flip. */
extern const cx_augment cx_augment_generator;
/* Of the second: RandomFlip("horizontal"), RandomRotation(0.1), RandomZoom(0.2). */
extern const cx_augment cx_augment_layers;

/* What was drawn for one picture. */
typedef struct cx_variation {
    double theta;  /* radians */
    double tx, ty; /* pixels to the right and down, that the window onto the picture moves */
    double shear;  /* radians */
    double zx, zy;
    int flip_x, flip_y;
} cx_variation;

/* Draw for a picture of that size. It depends on its number, the epoch and the seed alone. */
void cx_augment_draw(cx_variation *out, const cx_augment *a, int height, int width, uint64_t seed,
                     int64_t epoch, int64_t sample);

/* Fill y with x, varied: height × width × channels numbers each. `scratch` is as large as these; it
 * is wanted where a->in_steps, else it may be NULL. */
void cx_augment_apply(float *y, const float *x, int height, int width, int channels,
                      const cx_augment *a, const cx_variation *v, float *scratch);

#endif
