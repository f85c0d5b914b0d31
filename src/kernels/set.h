/* set.h - what is compiled once for each instruction set, as a table of functions. Drivers (conv.c,
 * pool.c, …) cut the work and share it out, these functions do it. */
#ifndef CX_KERNELS_SET_H
#define CX_KERNELS_SET_H

#include "kernels/grid.h"

enum { CX_MAX_LANES = 16, CX_MAX_VECTORS = 4, CX_FEW_CHANNELS = 4 };

/* A run of pixels times some output channels, over some of the input channels. */
typedef struct cx_conv_run {
    cx_run run;
    int64_t depth;     /* input channels */
    int64_t x_channel; /* floats of x from one to the next */
    int64_t w_channel; /* floats of w from one input channel to the next */
    int vectors;       /* output channels: vectors of them, at most set->vectors */
    int64_t lanes;     /* channels of the last vector; a row of w holds all of it even so */
    int first, last;   /* first: begin with the bias, else with y; last: clamp */
    int add;           /* add what is stored to y: with first and without a bias */
    const float *bias; /* of these output channels, or NULL */
    const float *scale, *shift; /* the same, with last */
    float low, high;
    const float *ahead; /* as w, of the call after this one: it is brought near meanwhile; NULL */
} cx_conv_run;

/* Two rows of them, and the largest of each 2 × 2: whole sums of an even number of pixels. */
typedef struct cx_conv_pair {
    cx_conv_run r;            /* of the first row; its y may be NULL: not wanted */
    int64_t x_below, y_below; /* floats from a pixel to the one below it */
    float *pooled;            /* of the first 2 × 2; from one to the next as from pixel to pixel */
    int past;                 /* 1: y goes past the caches, and is a multiple of the vector */
} cx_conv_pair;

/* A run of pixels where every channel is by itself; at least a vector of channels. */
typedef struct cx_channel_run {
    cx_run run;
    int64_t channels;
    const cx_epilogue *epilogue; /* of a depthwise convolution */
} cx_channel_run;

/* At most so many rows of one image under windows of 3 × 3, each channel by itself.
 * At most one row or column of windows at each side has cells outside. At least a vector of
 * channels. */
enum { CX_PLANE_ROWS = 16 };

typedef struct cx_plane {
    const float *x, *w;       /* of the image; the kernel */
    float *y;                 /* of row `from` */
    int64_t in[2], out_width; /* rows and columns */
    int64_t pad[2];           /* 0 or 1 */
    int64_t from, to;         /* rows of the output: to - 1 is the last */
    int64_t channels;
    int step; /* 1 or 2, of rows and columns */
    const cx_epilogue *epilogue;
} cx_plane;

/* One window and what its pixel of dy gives to its cells. Only cells of a part of dx are written:
 * those `from` … `to` - 1 floats from the first. */
typedef struct cx_window_back {
    const float *x, *y; /* the first cell inside and the pixel, of a largest value only */
    const float *dy;
    float *dx;                                       /* as x */
    int64_t channels, taps[CX_SPACE], tap[CX_SPACE]; /* cells inside, and floats from one to next */
    int64_t from, to;
    int rectify; /* 1: nothing is given where y is not above 0 */
} cx_window_back;

/* A row of windows that lie side by side and cover all of their cells, of a largest value. */
typedef struct cx_tiles_back {
    const float *x, *y, *dy; /* of the first */
    float *dx;
    int64_t n, channels, taps[CX_SPACE], tap[CX_SPACE], x_pixel;
    int rectify;
} cx_tiles_back;

/* What each channel's derivative is made with on the way back through its moments. */
typedef struct cx_moments_row {
    int64_t channels;
    const float *mean, *a, *b, *shift;
} cx_moments_row;

/* A tile of Winograd's algorithm and the patch of the input that it reads. */
enum { CX_WINOGRAD_IN = 6, CX_WINOGRAD_OUT = 4, CX_WINOGRAD_PRODUCTS = 36 };

typedef struct cx_winograd_in {
    const float *x;     /* the first cell of the patch that is inside the input … */
    int from[2], to[2]; /* … and which rows and columns of the patch are: from … to - 1 */
    int64_t row, cell;  /* floats from one to the next */
    int64_t channels;
    float *v; /* the first of 36 arrays, `step` floats apart, of whole vectors */
    int64_t step;
} cx_winograd_in;

typedef struct cx_winograd_out {
    const float *m; /* as v of the input */
    int64_t step;
    int64_t channels;
    const cx_epilogue *epilogue; /* its arrays begin at the first channel */
    float *y;                    /* NULL: not wanted */
    int64_t y_row, y_cell;
    int past;       /* 1: y goes past the caches; it begins at a multiple of a vector */
    int rows, cols; /* of the tile, inside the output */
    float *pooled;  /* of 2 × 2 pixels each; NULL: not wanted */
    int64_t pooled_row;
    int pooled_rows, pooled_cols;
} cx_winograd_out;

/* Derivatives of a tile's outputs, for the gradient of the weights. */
typedef struct cx_winograd_derivatives {
    const float *dy;   /* the tile's first */
    int64_t row, cell; /* floats from one to the next */
    int rows, cols;    /* of the tile, inside the output */
    int64_t channels;
    float *d; /* as v of the input */
    int64_t step;
} cx_winograd_derivatives;

typedef struct cx_set {
    const char *name;
    int lanes;   /* floats in a vector */
    int vectors; /* output channels that a tile of the convolution takes, in vectors */

    void (*conv)(const cx_conv_run *r);
    void (*conv_pair)(const cx_conv_pair *p); /* NULL where there are too few registers */
    /* The same as conv for `lanes` output channels, at most CX_FEW_CHANNELS, of which each has
     * weights by itself, w_channel floats from one to the next, and their input channels on end.
     * Whole sums.
     */
    void (*conv_few)(const cx_conv_run *r);
    /* The transforms of CX_MAX_LANES channels of 3 × 3 weights, g[cell][channel] to 36 arrays
     * `step` floats apart; of a patch of the input; and back, to a tile of the output. */
    void (*winograd_weights)(const float *g, float *u, int64_t step);
    void (*winograd_in)(const cx_winograd_in *t);
    void (*winograd_out)(const cx_winograd_out *t);
    /* The same of the gradient of the weights: of a tile of derivatives; and back, from 36 arrays
     * of n output channels to the 3 × 3 cells of dw, `cell` floats apart, which are added to. */
    void (*winograd_derivatives)(const cx_winograd_derivatives *t);
    void (*winograd_gradient)(const float *m, int64_t step, float *dw, int64_t cell, int64_t n);
    void (*fence)(void); /* what went past the caches is there for other threads */
    void (*depthwise)(const cx_channel_run *r);
    void (*depthwise_plane)(const cx_plane *p); /* NULL where there are too few registers */
    void (*max_pool)(const cx_channel_run *r);
    void (*average_pool)(const cx_channel_run *r);
    void (*max_pool_back)(const cx_window_back *b);
    void (*average_pool_back)(const cx_window_back *b);
    void (*max_pool_back_tiles)(const cx_tiles_back *b); /* fills dx */

    /* y[o] += sum over k of x[index[k]] w[index[k]][o], o in 0 … out - 1. */
    void (*dense_row)(int n, const int *index, const float *x, const float *w, int64_t out,
                      float *y);
    /* y[r][i] = sum over o of x[r][o] w[i][o] for n rows of w; y has y_row floats a row. */
    void (*dots)(int64_t rows, int64_t out, const float *x, int64_t n, const float *w, float *y,
                 int64_t y_row);
    /* y[c] = sum or largest of x[p * stride + c] over p; n channels. */
    void (*column_sum)(int64_t positions, int64_t stride, int64_t n, const float *x, float *y);
    void (*column_max)(int64_t positions, int64_t stride, int64_t n, const float *x, float *y);
    /* y[c] = sum of a[p * stride + c] b[p * stride + c] over p. */
    void (*column_dot)(int64_t positions, int64_t stride, int64_t n, const float *a, const float *b,
                       float *y);
    /* y[c] = sum of (x - mean[c]) b over p; b NULL: of (x - mean[c])^2. */
    void (*column_centred)(int64_t positions, int64_t stride, int64_t n, const float *x,
                           const float *mean, const float *b, float *y);
    /* dx = a[c] dy + b[c] (x - mean[c]) + shift[c]. */
    void (*moments_back)(const cx_moments_row *m, int64_t rows, const float *x, const float *dy,
                         float *dx);

    void (*affine)(int64_t rows, int64_t channels, const float *x, const float *scale,
                   const float *shift, float *y);
    void (*binary)(cx_binary_op op, int64_t n, const float *a, const float *b, float *y);
    void (*binary_back)(cx_binary_op op, int64_t n, const float *a, const float *b, const float *dy,
                        float *da, float *db);
    /* Gives 0, with nothing done, for the functions that activation.c does in double. */
    int (*activation)(const cx_activation *a, int64_t n, const float *x, float *y);
    /* `at` is y where cx_activation_from_output says so, else x. */
    void (*activation_back)(const cx_activation *a, int64_t n, const float *at, const float *y,
                            const float *dy, float *dx);
    int (*update)(const cx_update *u, int64_t n, float *w, float *g, float *const *slot);
} cx_set;

/* Whether every pixel of y, of so many channels, is a multiple of the longest vector. */
int cx_is_whole(const float *y, int64_t channels);

/* The set in use. */
const cx_set *cx_set_now(void);
/* The widest set up to that one whose vector is not over n channels; the narrowest if all are. */
const cx_set *cx_set_for(int64_t n);

#endif
