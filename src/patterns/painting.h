/* painting.h - from the numbers that grow to a picture and on to a model's input, and the
 * derivatives back. */
#ifndef CX_PATTERNS_PAINTING_H
#define CX_PATTERNS_PAINTING_H

#include "patterns/fourier.h"
#include "patterns/recipe.h"
#include "tensor/tensor.h"

enum {
    CX_COLOURS_MIXED = 4,     /* channels whose preprocessing may mix them */
    CX_PATTERN_CHANNELS = 64, /* of an input, at most */
};

/* How pixels 0 … 255 become a model's input: x = m v + shift, channel by channel where there are
 * many. */
typedef struct cx_units {
    int channels, mixes;
    float m[CX_COLOURS_MIXED][CX_COLOURS_MIXED], gain, shift[CX_COLOURS_MIXED];
} cx_units;

int cx_units_init(cx_units *out, int channels, cvs_preprocess mode, cvs_error *err);
/* One pixel there, and derivatives back. */
void cx_units_apply(const cx_units *u, const float *v, float *x);
void cx_units_back(const cx_units *u, const float *dx, float *dv);

/* What all pictures of one climb have in common; never changes while it goes on. */
typedef struct cx_painting {
    const cx_recipe *recipe;
    cx_units units;
    cx_fourier waves;
    int64_t inner_height, inner_width; /* of the pictures that are wanted … */
    int margin;                      /* … and how much more there is at each side, so that a view
                                        askew sees no edge */
    int64_t height, width, channels; /* of the picture */
    int64_t out_height, out_width;   /* of the model's input */
    int64_t cell, channel;           /* floats of the input from one to the next */
    int64_t n;                       /* numbers that grow */
    size_t room;                     /* floats of scratch */
} cx_painting;

/* For pictures of height × width. */
int cx_painting_init(cx_painting *out, const cx_recipe *recipe, int64_t height, int64_t width,
                     int channels, cvs_preprocess mode, cvs_error *err);
/* How far views of pictures of that side are moved at most: small ones less. */
double cx_painting_jitter(const cx_recipe *r, int64_t side);
void cx_painting_deinit(cx_painting *p);

/* The numbers to begin with. */
void cx_painting_start(const cx_painting *p, uint64_t stream, float *numbers);

/* The picture: rows, columns, channels, 0 … top, or the model's input itself. */
void cx_painting_draw(const cx_painting *p, const float *numbers, float *picture, float *room);
void cx_painting_draw_back(const cx_painting *p, const float *numbers, const float *picture,
                           const float *dpicture, float *dnumbers, float *room);

/* The model's input from the picture as it is seen by `view`. Scratch as above. */
void cx_painting_show(const cx_painting *p, const cx_view *view, const float *picture, float *input,
                      float *room);
void cx_painting_show_back(const cx_painting *p, const cx_view *view, const float *dinput,
                           float *dpicture, float *room);

/* A picture to be looked at, 0 … 1, from one of the above, without `crop` pixels at each side; the
 * second tells the recipe's own margin. */
void cx_painting_develop(const cx_painting *p, const float *picture, int crop, float *shown);
int cx_painting_crop(const cx_painting *p);

/* The model's input from such a picture, were it a file of bytes, at its full size and straight. */
void cx_painting_photograph(const cx_painting *p, const float *shown, float *input, float *room);

#endif
