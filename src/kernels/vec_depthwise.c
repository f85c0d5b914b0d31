/* vec_depthwise.c - depthwise convolution, vectors along the channels.
 *
 * A tile is one vector of channels × some pixels of a row: the weights of a kernel cell are loaded
 * once for all of them, and an input that several pixels see stays in the first cache. Where the
 * channels are no multiple of the vector, the last vector overlaps the one before it and computes
 * the same numbers again. */
#include "kernels/vector.h"

enum { PIXELS = 8 };

INLINE void tile(const cx_channel_run *r, int64_t channel, const float *x, float *y,
                 const int pixels)
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
    for (int p = 0; p < pixels; p++)
        store(y + p * run->y_pixel, clamp(sum[p], r->epilogue->low, r->epilogue->high));
}

static void tile_of(const cx_channel_run *r, int64_t channel, const float *x, float *y, int pixels)
{
    switch (pixels) {
    case 1:
        tile(r, channel, x, y, 1);
        break;
    case 2:
        tile(r, channel, x, y, 2);
        break;
    case 3:
        tile(r, channel, x, y, 3);
        break;
    case 4:
        tile(r, channel, x, y, 4);
        break;
    case 5:
        tile(r, channel, x, y, 5);
        break;
    case 6:
        tile(r, channel, x, y, 6);
        break;
    case 7:
        tile(r, channel, x, y, 7);
        break;
    default:
        tile(r, channel, x, y, PIXELS);
        break;
    }
}

void CX_NAME(depthwise)(const cx_channel_run *r)
{
    const int64_t last = r->channels - CX_VL; /* where the last vector begins */
    for (int64_t p = 0; p < r->run.n; p += PIXELS) {
        const int pixels = (int)(r->run.n - p < PIXELS ? r->run.n - p : PIXELS);
        const float *x = r->run.x + p * r->run.x_pixel;
        float *y = r->run.y + p * r->run.y_pixel;
        for (int64_t c = 0; c < r->channels; c += CX_VL) {
            const int64_t channel = c < last ? c : last;
            tile_of(r, channel, x + channel, y + channel, pixels);
        }
    }
}
