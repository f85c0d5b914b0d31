/* vec_winograd_weights.c - the transforms of Winograd's F(3 × 3, 4 × 4): the gradient of 3 × 3
 * weights is the correlation of a patch of the input with the 4 × 4 derivatives of the tile that it
 * makes,
 *
 *     dw = At ((G dy Gt) * (Bt d B)) A,
 *
 * with the points and the Bt of vec_winograd.c, so 36 products again where the sum has 144. The
 * products of all tiles are added before At is applied, once. */
#include "kernels/vec_winograd.h"

/* G of four numbers. */
INLINE void derivatives_line(const vec g[OUT], vec u[IN])
{
    const vec none = spread(0);
    const vec even = times(times(none, NEAR, g[0]), NEAR * A2, g[2]);
    const vec odd = times(times(none, NEAR * A, g[1]), NEAR * A2 * A, g[3]);
    const vec far_even = times(times(none, FAR, g[0]), FAR * B2, g[2]);
    const vec far_odd = times(times(none, FAR * B, g[1]), FAR * B2 * B, g[3]);
    u[0] = times(none, 1 / (A2 * B2), g[0]);
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = far_even + far_odd;
    u[4] = far_even - far_odd;
    u[5] = g[3];
}

/* A vector of channels of a tile; as in vec_winograd.c there is one piece of straight code. */
INLINE void tile_vector(const float *dy, int64_t row, int64_t cell, float *d, int64_t step)
{
    vec half[OUT][IN]; /* columns of G dy */
#pragma GCC unroll 4
    for (int j = 0; j < OUT; j++) {
        vec column[OUT];
#pragma GCC unroll 4
        for (int i = 0; i < OUT; i++) column[i] = load(dy + i * row + j * cell);
        derivatives_line(column, half[j]);
    }
#pragma GCC unroll 6
    for (int i = 0; i < IN; i++) {
        vec line[OUT], out[IN];
#pragma GCC unroll 4
        for (int j = 0; j < OUT; j++) line[j] = half[j][i];
        derivatives_line(line, out);
#pragma GCC unroll 6
        for (int j = 0; j < IN; j++) store(d + (i * IN + j) * step, out[j]);
    }
}

void CX_NAME(winograd_derivatives)(const cx_winograd_derivatives *t)
{
    int64_t c = 0;
    if (t->rows == OUT && t->cols == OUT)
        for (; c + CX_VL <= t->channels; c += CX_VL)
            tile_vector(t->dy + c, t->row, t->cell, t->d + c, t->step);
    for (; c < t->channels; c += CX_VL) {
        const int64_t lanes = t->channels - c < CX_VL ? t->channels - c : CX_VL;
        float tile[OUT * OUT * CX_VL] = {0};
        for (int i = 0; i < t->rows; i++)
            for (int j = 0; j < t->cols; j++)
                store(tile + (i * OUT + j) * CX_VL,
                      load_lanes(t->dy + i * t->row + j * t->cell + c, lanes));
        tile_vector(tile, OUT * CX_VL, CX_VL, t->d + c, t->step);
    }
}

/* At of six numbers. */
INLINE void gradient_line(const vec m[IN], vec y[CELLS])
{
    const vec none = spread(0), even = m[1] + m[2], odd = m[1] - m[2];
    const vec far_even = m[3] + m[4], far_odd = m[3] - m[4];
    y[0] = m[0] + even + far_even;
    y[1] = times(times(none, A, odd), B, far_odd);
    y[2] = times(times(m[5], A2, even), B2, far_even);
}

void CX_NAME(winograd_gradient)(const float *m, int64_t step, float *dw, int64_t cell, int64_t n)
{
    for (int64_t c = 0; c < n; c += CX_VL) {
        const int64_t lanes = n - c < CX_VL ? n - c : CX_VL;
        vec half[IN][CELLS]; /* columns of At m */
#pragma GCC unroll 6
        for (int j = 0; j < IN; j++) {
            vec column[IN];
#pragma GCC unroll 6
            for (int i = 0; i < IN; i++) column[i] = load(m + (i * IN + j) * step + c);
            gradient_line(column, half[j]);
        }
#pragma GCC unroll 3
        for (int i = 0; i < CELLS; i++) {
            vec line[IN], out[CELLS];
#pragma GCC unroll 6
            for (int j = 0; j < IN; j++) line[j] = half[j][i];
            gradient_line(line, out);
#pragma GCC unroll 3
            for (int j = 0; j < CELLS; j++) {
                float *to = dw + (i * CELLS + j) * cell + c;
                store_lanes(to, load_lanes(to, lanes) + out[j], lanes);
            }
        }
    }
}
