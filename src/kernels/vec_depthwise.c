/* vec_depthwise.c - depthwise convolution, vectors along the channels.
 *
 * A tile is one vector of channels × some pixels of a row: the weights of a kernel cell are loaded
 * once for all of them. Of kernels three cells wide, those of a row stay in registers and each
 * input is loaded once for all the pixels that see it; else it stays in the first cache. The order
 * of a sum is the same: bias, then the cells. Where the channels are no multiple of the vector, the
 * last vector overlaps the one before it and computes the same numbers again. */
#include "kernels/vector.h"

enum { PIXELS = 8 };

enum { ANY, DENSE_3, STRIDED_3 }; /* 3 cells wide and no dilation, in steps of 1 or 2 */

/* A row of a kernel three cells wide: column c is cell c - p * step of pixel p. */
INLINE void add_row_of_3(vec sum[PIXELS], const float *in, int64_t x_cell, const float *by,
                         int64_t w_cell, const int pixels, const int step)
{
    const vec weight[3] = {load(by), load(by + w_cell), load(by + 2 * w_cell)};
#pragma GCC unroll 17
    for (int c = 0; c < (pixels - 1) * step + 3; c++, in += x_cell) {
        const vec v = held(load(in));
#pragma GCC unroll 8
        for (int p = 0; p < pixels; p++)
            if (c >= p * step && c < p * step + 3)
                sum[p] = multiply_add(sum[p], weight[c - p * step], v);
    }
}

INLINE void tile(const cx_channel_run *r, int64_t channel, const float *x, float *y,
                 const int pixels, const int kind)
{
    const cx_run *run = &r->run;
    const int64_t x_pixel = run->x_pixel;
    const float *bias = r->epilogue->bias;
    vec sum[PIXELS];
#pragma GCC unroll 8
    for (int p = 0; p < pixels; p++) sum[p] = bias ? load(bias + channel) : spread(0);

    for (int64_t slice = 0; slice < run->taps[CX_DEPTH]; slice++)
        for (int64_t row = 0; row < run->taps[CX_HEIGHT]; row++) {
            const float *in = x + slice * run->x_tap[CX_DEPTH] + row * run->x_tap[CX_HEIGHT];
            const float *by =
                run->w + channel + slice * run->w_tap[CX_DEPTH] + row * run->w_tap[CX_HEIGHT];
            if (kind != ANY) {
                add_row_of_3(sum, in, run->x_tap[CX_WIDTH], by, run->w_tap[CX_WIDTH], pixels,
                             kind == DENSE_3 ? 1 : 2);
                continue;
            }
            for (int64_t col = 0; col < run->taps[CX_WIDTH]; col++) {
                const vec weight = load(by);
#pragma GCC unroll 8
                for (int p = 0; p < pixels; p++)
                    sum[p] = multiply_add(sum[p], weight, load(in + p * x_pixel));
                in += run->x_tap[CX_WIDTH];
                by += run->w_tap[CX_WIDTH];
            }
        }

    if (r->epilogue->scale) {
        const vec scale = load(r->epilogue->scale + channel);
        const vec shift = load(r->epilogue->shift + channel);
#pragma GCC unroll 8
        for (int p = 0; p < pixels; p++) sum[p] = multiply_add(shift, sum[p], scale);
    }
#pragma GCC unroll 8
    for (int p = 0; p < pixels; p++, y += run->y_pixel)
        store(y, clamp(sum[p], r->epilogue->low, r->epilogue->high));
}

INLINE void tile_of(const cx_channel_run *r, int64_t channel, const float *x, float *y, int pixels,
                    const int kind)
{
    switch (pixels) {
#define TILE(n)                          \
    case n:                              \
        tile(r, channel, x, y, n, kind); \
        break
        TILE(1);
        TILE(2);
        TILE(3);
        TILE(4);
        TILE(5);
        TILE(6);
        TILE(7);
    default:
        tile(r, channel, x, y, PIXELS, kind);
        break;
    }
}

INLINE void tiles(const cx_channel_run *r, const int kind)
{
    const int64_t last = r->channels - CX_VL; /* where the last vector begins */
    for (int64_t p = 0; p < r->run.n; p += PIXELS) {
        const int pixels = (int)(r->run.n - p < PIXELS ? r->run.n - p : PIXELS);
        const float *x = r->run.x + p * r->run.x_pixel;
        float *y = r->run.y + p * r->run.y_pixel;
        for (int64_t c = 0; c < r->channels; c += CX_VL) {
            const int64_t channel = c < last ? c : last;
            tile_of(r, channel, x + channel, y + channel, pixels, kind);
        }
    }
}

void CX_NAME(depthwise)(const cx_channel_run *r)
{
    const cx_run *run = &r->run;
    if (run->taps[CX_WIDTH] == 3 && run->x_pixel == run->x_tap[CX_WIDTH])
        tiles(r, DENSE_3);
    else if (run->taps[CX_WIDTH] == 3 && run->x_pixel == 2 * run->x_tap[CX_WIDTH])
        tiles(r, STRIDED_3);
    else
        tiles(r, ANY);
}
