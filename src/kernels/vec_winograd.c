/* vec_winograd.c - the transforms of Winograd's F(4 × 4, 3 × 3) after Lavin and Gray (2016): with
 * the points 0, a, -a, b, -b and infinity,
 *
 *     y = At ((G g Gt) * (Bt d B)) A,
 *
 * d a 6 × 6 patch of the input, g the 3 × 3 kernel, y 4 × 4 pixels of the output, * number by
 * number: 36 products where the sum itself has 144. Vectors lie along the channels.
 *
 * a = 11/16 and b = 3/2 lose less to rounding than the usual 1 and 2, by a factor of five in the
 * worst case, and their powers are exact in float.
 *
 * Every multiplication is written as a multiply-add, which leaves the compiler none to fuse in one
 * of the variants of a tile and not in the other: they give the same bytes. */
#include <math.h>

#include "kernels/vector.h"

enum { IN = CX_WINOGRAD_IN, OUT = CX_WINOGRAD_OUT };

#define A  (11.0f / 16)
#define B  (3.0f / 2)
#define A2 (A * A)
#define B2 (B * B)

INLINE vec times(vec sum, float by, vec v)
{
    return multiply_add(sum, spread(by), v);
}

/* G of three numbers. */
INLINE void weights_line(const vec g[3], vec u[IN])
{
    const float near = (float)(0.5 / (double)(A2 * (A2 - B2)));
    const float far = (float)(0.5 / (double)(B2 * (B2 - A2)));
    const vec none = spread(0);
    const vec near_ends = times(times(none, near, g[0]), near * A2, g[2]);
    const vec far_ends = times(times(none, far, g[0]), far * B2, g[2]);
    u[0] = times(none, 1 / (A2 * B2), g[0]);
    u[1] = times(near_ends, near * A, g[1]);
    u[2] = times(near_ends, -near * A, g[1]);
    u[3] = times(far_ends, far * B, g[1]);
    u[4] = times(far_ends, -far * B, g[1]);
    u[5] = g[2];
}

void CX_NAME(winograd_weights)(const float *g, float *u, int64_t step)
{
    for (int lane = 0; lane < CX_MAX_LANES; lane += CX_VL, g += CX_VL, u += CX_VL) {
        vec half[3][IN]; /* columns of G g */
#pragma GCC unroll 3
        for (int j = 0; j < 3; j++) {
            const vec column[3] = {load(g + j * CX_MAX_LANES), load(g + (3 + j) * CX_MAX_LANES),
                                   load(g + (6 + j) * CX_MAX_LANES)};
            weights_line(column, half[j]);
        }
#pragma GCC unroll 6
        for (int i = 0; i < IN; i++) {
            const vec row[3] = {half[0][i], half[1][i], half[2][i]};
            vec out[IN];
            weights_line(row, out);
#pragma GCC unroll 6
            for (int j = 0; j < IN; j++) store(u + (i * IN + j) * step, out[j]);
        }
    }
}

/* Bt of six numbers. */
INLINE void input_line(const vec d[IN], vec v[IN])
{
    const vec even = times(d[4], -B2, d[2]), odd = times(d[3], -B2, d[1]);
    const vec far_even = times(d[4], -A2, d[2]), far_odd = times(d[3], -A2, d[1]);
    v[0] = times(times(d[4], -(A2 + B2), d[2]), A2 * B2, d[0]);
    v[1] = times(even, A, odd);
    v[2] = times(even, -A, odd);
    v[3] = times(far_even, B, far_odd);
    v[4] = times(far_even, -B, far_odd);
    v[5] = times(times(d[5], -(A2 + B2), d[3]), A2 * B2, d[1]);
}

/* Some channels of a patch; `whole` where all of it lies inside the input. */
INLINE void input_channels(const cx_winograd_in *t, int64_t c, const int64_t lanes, const int whole)
{
    vec half[IN][IN]; /* columns of Bt d */
#pragma GCC unroll 6
    for (int j = 0; j < IN; j++) {
        vec column[IN];
#pragma GCC unroll 6
        for (int i = 0; i < IN; i++) {
            const int inside =
                whole || (i >= t->from[0] && i < t->to[0] && j >= t->from[1] && j < t->to[1]);
            const int64_t at = (i - t->from[0]) * t->row + (j - t->from[1]) * t->cell + c;
            column[i] = inside ? load_lanes(t->x + at, lanes) : spread(0);
        }
        input_line(column, half[j]);
    }
#pragma GCC unroll 6
    for (int i = 0; i < IN; i++) {
        vec row[IN], out[IN];
#pragma GCC unroll 6
        for (int j = 0; j < IN; j++) row[j] = half[j][i];
        input_line(row, out);
#pragma GCC unroll 6
        for (int j = 0; j < IN; j++) store(t->v + (i * IN + j) * t->step + c, out[j]);
    }
}

INLINE void input(const cx_winograd_in *t, const int whole)
{
    int64_t c = 0;
    for (; c + CX_VL <= t->channels; c += CX_VL) input_channels(t, c, CX_VL, whole);
    if (c < t->channels) input_channels(t, c, t->channels - c, whole);
}

void CX_NAME(winograd_in)(const cx_winograd_in *t)
{
    if (t->from[0] == 0 && t->to[0] == IN && t->from[1] == 0 && t->to[1] == IN)
        input(t, 1);
    else
        input(t, 0);
}

/* At of six numbers. */
INLINE void output_line(const vec m[IN], vec y[OUT])
{
    const vec none = spread(0), even = m[1] + m[2], odd = m[1] - m[2];
    const vec far_even = m[3] + m[4], far_odd = m[3] - m[4];
    y[0] = m[0] + even + far_even;
    y[1] = times(times(none, A, odd), B, far_odd);
    y[2] = times(times(none, A2, even), B2, far_even);
    y[3] = times(times(m[5], A2 * A, odd), B2 * B, far_odd);
}

/* The pixel of a pooling by 2 × 2 that these rows give, in the order of vec_pool.c. Cells that are
 * not in the output do not count. */
INLINE vec pool(const vec upper[OUT], const vec lower[OUT], int col, int has_right, int has_lower)
{
    vec v = larger(spread(-INFINITY), upper[col]);
    if (has_right) v = larger(v, upper[col + 1]);
    if (has_lower) v = larger(v, lower[col]);
    if (has_lower && has_right) v = larger(v, lower[col + 1]);
    return v;
}

/* Two rows of a tile, from the rows of At m. */
INLINE void output_rows(const cx_winograd_out *t, int64_t c, const int64_t lanes, int row,
                        vec half[IN][OUT], const int whole, const int pooled)
{
    const cx_epilogue *e = t->epilogue;
    const vec bias = e->bias ? load_lanes(e->bias + c, lanes) : spread(0);
    const vec scale = e->scale ? load_lanes(e->scale + c, lanes) : spread(1);
    const vec shift = e->scale ? load_lanes(e->shift + c, lanes) : spread(0);
    vec y[2][OUT];
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
        vec m[IN];
#pragma GCC unroll 6
        for (int j = 0; j < IN; j++) m[j] = half[j][row + i];
        output_line(m, y[i]);
#pragma GCC unroll 4
        for (int j = 0; j < OUT; j++) {
            y[i][j] += bias;
            if (e->scale) y[i][j] = multiply_add(shift, y[i][j], scale);
            y[i][j] = clamp(y[i][j], e->low, e->high);
            if (t->y && (whole || (row + i < t->rows && j < t->cols)))
                store_lanes(t->y + (row + i) * t->y_row + j * t->y_cell + c, y[i][j], lanes);
        }
    }
    if (!pooled) return;
#pragma GCC unroll 2
    for (int j = 0; j < OUT / 2; j++) {
        const int right = whole || 2 * j + 1 < t->cols, below = whole || row + 1 < t->rows;
        if (whole || (row / 2 < t->pooled_rows && j < t->pooled_cols))
            store_lanes(t->pooled + row / 2 * t->pooled_row + j * t->y_cell + c,
                        pool(y[0], y[1], 2 * j, right, below), lanes);
    }
}

INLINE void output_channels(const cx_winograd_out *t, int64_t c, const int64_t lanes,
                            const int whole, const int pooled)
{
    vec half[IN][OUT]; /* columns of At m */
#pragma GCC unroll 6
    for (int j = 0; j < IN; j++) {
        vec m[IN];
#pragma GCC unroll 6
        for (int i = 0; i < IN; i++) m[i] = load(t->m + (i * IN + j) * t->step + c);
        output_line(m, half[j]);
    }
    output_rows(t, c, lanes, 0, half, whole, pooled);
    output_rows(t, c, lanes, 2, half, whole, pooled);
}

INLINE void output(const cx_winograd_out *t, const int whole, const int pooled)
{
    int64_t c = 0;
    for (; c + CX_VL <= t->channels; c += CX_VL) output_channels(t, c, CX_VL, whole, pooled);
    if (c < t->channels) output_channels(t, c, t->channels - c, whole, pooled);
}

void CX_NAME(winograd_out)(const cx_winograd_out *t)
{
    const int whole = t->rows == OUT && t->cols == OUT;
    if (whole && t->pooled)
        output(t, 1, 1);
    else if (whole)
        output(t, 1, 0);
    else if (t->pooled)
        output(t, 0, 1);
    else
        output(t, 0, 0);
}
