/* vec_winograd.h - the points of Winograd's algorithm here, see vec_winograd.c: 0, a, -a, b, -b and
 * infinity. */
#ifndef CX_KERNELS_VEC_WINOGRAD_H
#define CX_KERNELS_VEC_WINOGRAD_H

#include "kernels/vector.h"

enum { IN = CX_WINOGRAD_IN, OUT = CX_WINOGRAD_OUT, CELLS = IN + 1 - OUT };

#define A  (11.0f / 16)
#define B  (3.0f / 2)
#define A2 (A * A)
#define B2 (B * B)

/* What makes the transform of the factor that is not a patch of the input the other's inverse. */
#define NEAR ((float)(0.5 / (double)(A2 * (A2 - B2))))
#define FAR  ((float)(0.5 / (double)(B2 * (B2 - A2))))

INLINE vec times(vec sum, float by, vec v)
{
    return multiply_add(sum, spread(by), v);
}

#endif
