/* few.h - convolution into so few channels that vectors of them would be empty for the most part: a
 * gradient with respect to a picture, the last layer of a network that paints. */
#ifndef CX_KERNELS_FEW_H
#define CX_KERNELS_FEW_H

#include "kernels/kernels.h"

/* Whether it can, which is where it pays. */
int cx_few_pays(const cx_conv *c);
size_t cx_few_workspace(const cx_conv *c);
void cx_few_forward(const cx_conv *c, const float *x, const float *w, const cx_epilogue *e,
                    float *y, void *workspace);

#endif
