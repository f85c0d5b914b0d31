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

#include "kernels/vec_winograd.h"

/* G of three numbers. */
INLINE void weights_line(const vec g[3], vec u[IN])
{
    const vec none = spread(0);
    const vec near_ends = times(times(none, NEAR, g[0]), NEAR * A2, g[2]);
    const vec far_ends = times(times(none, FAR, g[0]), FAR * B2, g[2]);
    u[0] = times(none, 1 / (A2 * B2), g[0]);
    u[1] = times(near_ends, NEAR * A, g[1]);
    u[2] = times(near_ends, -NEAR * A, g[1]);
    u[3] = times(far_ends, FAR * B, g[1]);
    u[4] = times(far_ends, -FAR * B, g[1]);
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

/* A vector of channels of a patch. Here and below no cell is left out, so that there is one piece
 * of straight code: patches and tiles that are not whole go through one in memory. */
INLINE void input_vector(const float *x, int64_t row, int64_t cell, float *v, int64_t step)
{
    vec half[IN][IN]; /* columns of Bt d */
#pragma GCC unroll 6
    for (int j = 0; j < IN; j++) {
        vec column[IN];
#pragma GCC unroll 6
        for (int i = 0; i < IN; i++) column[i] = load(x + i * row + j * cell);
        input_line(column, half[j]);
    }
#pragma GCC unroll 6
    for (int i = 0; i < IN; i++) {
        vec line[IN], out[IN];
#pragma GCC unroll 6
        for (int j = 0; j < IN; j++) line[j] = half[j][i];
        input_line(line, out);
#pragma GCC unroll 6
        for (int j = 0; j < IN; j++) store(v + (i * IN + j) * step, out[j]);
    }
}

/* The cells inside, zeros around them. */
static void copy_patch(const cx_winograd_in *t, int64_t c, int64_t lanes, float *patch)
{
    memset(patch, 0, IN * IN * CX_VL * sizeof *patch);
    for (int i = t->from[0]; i < t->to[0]; i++)
        for (int j = t->from[1]; j < t->to[1]; j++) {
            const float *x = t->x + (i - t->from[0]) * t->row + (j - t->from[1]) * t->cell + c;
            store(patch + (i * IN + j) * CX_VL, load_lanes(x, lanes));
        }
}

void CX_NAME(winograd_in)(const cx_winograd_in *t)
{
    const int whole = t->from[0] == 0 && t->to[0] == IN && t->from[1] == 0 && t->to[1] == IN;
    int64_t c = 0;
    for (; whole && c + CX_VL <= t->channels; c += CX_VL)
        input_vector(t->x + c, t->row, t->cell, t->v + c, t->step);
    for (; c < t->channels; c += CX_VL) {
        float patch[IN * IN * CX_VL];
        copy_patch(t, c, t->channels - c < CX_VL ? t->channels - c : CX_VL, patch);
        input_vector(patch, IN * CX_VL, CX_VL, t->v + c, t->step);
    }
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

/* What an epilogue has for some channels. */
typedef struct ending {
    vec bias, scale, shift;
    float low, high;
    int scales;
} ending;

INLINE ending ending_of(const cx_epilogue *e, int64_t c, int64_t lanes)
{
    ending s = {.low = e->low, .high = e->high, .scales = e->scale != NULL};
    s.bias = e->bias ? load_lanes(e->bias + c, lanes) : spread(0);
    s.scale = e->scale ? load_lanes(e->scale + c, lanes) : spread(1);
    s.shift = e->scale ? load_lanes(e->shift + c, lanes) : spread(0);
    return s;
}

/* A vector of channels of a tile. */
INLINE void output_vector(const float *m, int64_t step, const ending *e, vec y[OUT][OUT])
{
    vec half[IN][OUT]; /* columns of At m */
#pragma GCC unroll 6
    for (int j = 0; j < IN; j++) {
        vec column[IN];
#pragma GCC unroll 6
        for (int i = 0; i < IN; i++) column[i] = load(m + (i * IN + j) * step);
        output_line(column, half[j]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < OUT; i++) {
        vec line[IN];
#pragma GCC unroll 6
        for (int j = 0; j < IN; j++) line[j] = half[j][i];
        output_line(line, y[i]);
#pragma GCC unroll 4
        for (int j = 0; j < OUT; j++) {
            y[i][j] += e->bias;
            if (e->scales) y[i][j] = multiply_add(e->shift, y[i][j], e->scale);
            y[i][j] = clamp(y[i][j], e->low, e->high);
        }
    }
}

/* Pixels of a pooling are taken in the order of vec_pool.c. */
INLINE void whole_tile(const cx_winograd_out *t, int64_t c)
{
    const ending e = ending_of(t->epilogue, c, CX_VL);
    vec y[OUT][OUT];
    output_vector(t->m + c, t->step, &e, y);
    if (t->y) {
#pragma GCC unroll 4
        for (int i = 0; i < OUT; i++) {
#pragma GCC unroll 4
            for (int j = 0; j < OUT; j++) {
                float *to = t->y + i * t->y_row + j * t->y_cell + c;
                if (t->past)
                    store_past(to, y[i][j]);
                else
                    store(to, y[i][j]);
            }
        }
    }
    if (!t->pooled) return;
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
#pragma GCC unroll 2
        for (int j = 0; j < 2; j++) {
            vec v = larger(spread(-INFINITY), y[2 * i][2 * j]);
            v = larger(v, y[2 * i][2 * j + 1]);
            v = larger(v, y[2 * i + 1][2 * j]);
            v = larger(v, y[2 * i + 1][2 * j + 1]);
            store(t->pooled + i * t->pooled_row + j * t->y_cell + c, v);
        }
    }
}

/* Cells that are not in the output do not count. */
static void part_of_tile(const cx_winograd_out *t, int64_t c, int64_t lanes)
{
    const ending e = ending_of(t->epilogue, c, lanes);
    vec y[OUT][OUT];
    output_vector(t->m + c, t->step, &e, y);
    for (int i = 0; t->y && i < t->rows; i++)
        for (int j = 0; j < t->cols; j++)
            store_lanes(t->y + i * t->y_row + j * t->y_cell + c, y[i][j], lanes);
    for (int i = 0; t->pooled && i < t->pooled_rows; i++)
        for (int j = 0; j < t->pooled_cols; j++) {
            vec v = spread(-INFINITY);
            for (int k = 2 * i; k < 2 * i + 2 && k < t->rows; k++)
                for (int l = 2 * j; l < 2 * j + 2 && l < t->cols; l++) v = larger(v, y[k][l]);
            store_lanes(t->pooled + i * t->pooled_row + j * t->y_cell + c, v, lanes);
        }
}

void CX_NAME(winograd_out)(const cx_winograd_out *t)
{
    const int whole = t->rows == OUT && t->cols == OUT;
    int64_t c = 0;
    for (; whole && c + CX_VL <= t->channels; c += CX_VL) whole_tile(t, c);
    for (; c < t->channels; c += CX_VL)
        part_of_tile(t, c, t->channels - c < CX_VL ? t->channels - c : CX_VL);
}
