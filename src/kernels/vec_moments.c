/* vec_moments.c - sums about a mean, and the way back through mean and variance. */
#include "kernels/vector.h"

/* Rows are read in fours, whose sums do not wait for each other. */
INLINE void centred(const int64_t lanes, int64_t positions, int64_t stride, const float *x,
                    const float *mean, const float *b, float *y)
{
    const vec middle = load_lanes(mean, lanes);
    vec sum[4] = {{0}, {0}, {0}, {0}};
    int64_t p = 0;
    for (; p + 4 <= positions; p += 4)
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) {
            const int64_t at = (p + k) * stride;
            const vec off = load_lanes(x + at, lanes) - middle;
            sum[k] = multiply_add(sum[k], off, b ? load_lanes(b + at, lanes) : off);
        }
    for (; p < positions; p++) {
        const vec off = load_lanes(x + p * stride, lanes) - middle;
        sum[0] = multiply_add(sum[0], off, b ? load_lanes(b + p * stride, lanes) : off);
    }
    store_lanes(y, (sum[0] + sum[1]) + (sum[2] + sum[3]), lanes);
}

void CX_NAME(column_centred)(int64_t positions, int64_t stride, int64_t n, const float *x,
                             const float *mean, const float *b, float *y)
{
    int64_t c = 0;
    for (; c + CX_VL <= n; c += CX_VL)
        centred(CX_VL, positions, stride, x + c, mean + c, b ? b + c : NULL, y + c);
    if (c < n) centred(n - c, positions, stride, x + c, mean + c, b ? b + c : NULL, y + c);
}

INLINE void back_lanes(const int64_t n, const cx_moments_row *m, int64_t c, const float *x,
                       const float *dy, float *dx)
{
    const vec off = load_lanes(x + c, n) - load_lanes(m->mean + c, n);
    const vec rest = multiply_add(load_lanes(m->shift + c, n), load_lanes(m->b + c, n), off);
    store_lanes(dx + c, multiply_add(rest, load_lanes(m->a + c, n), load_lanes(dy + c, n)), n);
}

void CX_NAME(moments_back)(const cx_moments_row *m, int64_t rows, const float *x, const float *dy,
                           float *dx)
{
    const int64_t channels = m->channels;
    for (int64_t r = 0; r < rows; r++, x += channels, dy += channels, dx += channels) {
        int64_t c = 0;
        for (; c + CX_VL <= channels; c += CX_VL) back_lanes(CX_VL, m, c, x, dy, dx);
        if (c < channels) back_lanes(channels - c, m, c, x, dy, dx);
    }
}
