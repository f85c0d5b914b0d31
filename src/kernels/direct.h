/* direct.h - convolution as plain sums of products; a dense layer on many rows is one too. */
#ifndef CX_KERNELS_DIRECT_H
#define CX_KERNELS_DIRECT_H

#include "kernels/grid.h"

size_t cx_direct_workspace(const cx_conv *c);
void cx_direct_forward(const cx_conv *c, const float *x, const float *w, const cx_epilogue *e,
                       float *y, void *workspace);
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
