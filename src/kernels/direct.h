/* direct.h - convolution as plain sums of products; a dense layer on many rows is one too. */
#ifndef CX_KERNELS_DIRECT_H
#define CX_KERNELS_DIRECT_H

#include "kernels/set.h"

/* A convolution that is ready to be computed. */
typedef struct cx_direct {
    const cx_conv *c;
    const float *x, *w;
    const cx_epilogue *e;
    float *y;
    float *packed; /* weights, see pack_last */
    const cx_set *set;
    int64_t taps, depth, width; /* kernel cells, channels of a group: in and out */
    int64_t range;              /* channels that are summed by themselves; 0: there is one sum */
    int64_t blocks;             /* tiles of output channels a group */
    int64_t rows, row_step, pixel_step, block_step; /* what a task takes … */
    int64_t row_parts, pixel_parts, block_parts;    /* … and how many of them */
} cx_direct;

size_t cx_direct_workspace(const cx_conv *c);
void cx_direct_forward(const cx_conv *c, const float *x, const float *w, const cx_epilogue *e,
                       float *y, void *workspace);
/* The same in parts, by any threads: get ready, which gives 0 where there is nothing to do, and
 * compute all outputs of `c`, which has other sizes, from x to y. */
int cx_direct_begin(cx_direct *d, const cx_conv *c, const float *x, const float *w,
                    const cx_epilogue *e, float *y, void *workspace);
void cx_direct_part(const cx_direct *d, const cx_conv *c, const float *x, float *y);
/* With a pooling after it, see cx_conv_pooled_forward. */
size_t cx_direct_pooled_workspace(const cx_conv *c);
void cx_direct_pooled(const cx_conv *c, const float *x, const float *w, const cx_epilogue *e,
                      float *y, const cx_pooled *pooled, void *workspace);
/* Adds to dw. */
size_t cx_direct_backward_weights_workspace(const cx_conv *c);
void cx_direct_backward_weights(const cx_conv *c, const float *x, const float *dy, float *dw,
                                void *workspace);
/* A dense layer as a convolution whose kernel has one cell. */
cx_conv cx_dense_as_conv(int64_t rows, int64_t in, int64_t out);
/* So many inputs of a dense layer make a sum of their own, and these sums are added in order, the
 * first with the bias; a matter of `in` alone, so that an input's numbers are the same bytes in any
 * batch. A kernel of one cell keeps to it. */
int64_t cx_dense_range(int64_t in);

#endif
