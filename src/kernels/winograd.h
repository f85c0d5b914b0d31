/* winograd.h - 3 × 3 convolutions by Winograd's F(4 × 4, 3 × 3), which has a quarter of the
 * products and loses about two bits to rounding: results are within 1e-5 of the largest of them. A
 * number that is not finite spoils all of the tiles of 4 × 4 pixels that see it. */
#ifndef CX_KERNELS_WINOGRAD_H
#define CX_KERNELS_WINOGRAD_H

#include "kernels/set.h"

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

/* The gradient of the weights by F(3 × 3, 4 × 4), added to dw; within 1e-5 of its largest number.
 * Whether it is faster; its choice may look at the batch, which is summed over. */
int cx_winograd_weights_pays(const cx_conv *c);
size_t cx_winograd_backward_workspace(const cx_conv *c);
void cx_winograd_backward_weights(const cx_conv *c, const float *x, const float *dy, float *dw,
                                  void *workspace);

/* --- tiles of the output, for both --- */

int64_t cx_winograd_tiles(const cx_window *w); /* of the batch */
typedef struct cx_winograd_place {
    int64_t image, row, col; /* of its first pixel */
} cx_winograd_place;
cx_winograd_place cx_winograd_tile(const cx_window *w, int64_t tile);
/* The patch of x that a tile reads; the caller says where to. */
cx_winograd_in cx_winograd_patch(const cx_conv *c, const float *x, int64_t tile);

#endif
