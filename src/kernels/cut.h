/* cut.h - the arithmetic of cutting work into parts. */
#ifndef CX_KERNELS_CUT_H
#define CX_KERNELS_CUT_H

#include "kernels/set.h"

static inline int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Parts of `step` each that n are, the last one perhaps smaller. */
static inline int64_t parts_of(int64_t n, int64_t step)
{
    return (n + step - 1) / step;
}

/* So many channels, up to a multiple of the longest vector. */
static inline int64_t whole_vectors(int64_t channels)
{
    return parts_of(channels, CX_MAX_LANES) * CX_MAX_LANES;
}

#endif
