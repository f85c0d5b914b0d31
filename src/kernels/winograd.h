/* winograd.h - 3 × 3 convolutions by Winograd's F(4 × 4, 3 × 3), which has a quarter of the
 * products and loses about two bits to rounding: results are within 1e-5 of the largest of them. A
 * number that is not finite spoils all of the tiles of 4 × 4 pixels that see it. */
#ifndef CX_KERNELS_WINOGRAD_H
#define CX_KERNELS_WINOGRAD_H

#include "kernels/kernels.h"

/* Whether the algorithm can do this convolution, and whether it is faster. The second does not look
 * at the batch, so that a picture gives the same bytes alone as among others. */
int cx_winograd_fits(const cx_conv *c);
int cx_winograd_pays(const cx_conv *c);
/* The convolution that takes the derivatives of one in steps of 1 back to its input. */
cx_conv cx_winograd_back(const cx_conv *c);

/* The weights in the form that the algorithm multiplies with, for any size of input: bytes, and how
 * they are made of w. With `back` w is the kernel of a convolution, and made are the weights of the
 * one that takes its derivatives back: its in_channels are c->out_channels. */
size_t cx_winograd_weights_size(const cx_conv *c);
void cx_winograd_weights(const cx_conv *c, const float *w, int back, float *transformed);

/* c->transformed is read instead of w. `pooled` may be NULL; see cx_conv_pooled_forward. */
size_t cx_winograd_workspace(const cx_conv *c);
void cx_winograd_forward(const cx_conv *c, const float *x, const cx_epilogue *e, float *y,
                         const cx_pooled *pooled, void *workspace);

#endif
