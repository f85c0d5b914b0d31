/* vec_pool.c - largest and mean values, vectors along the channels. As in vec_depthwise.c the last
 * vector may overlap the one before it. */
#include <math.h>

#include "kernels/vector.h"

/* One vector of one pixel; the counts are constants for the windows that most networks have. */
INLINE vec pool(const cx_run *run, const float *x, const int64_t slices, const int64_t rows,
                const int64_t cols, const int mean)
{
    vec v = spread(mean ? 0 : -INFINITY);
    for (int64_t slice = 0; slice < slices; slice++)
        for (int64_t row = 0; row < rows; row++) {
            const float *in = x + slice * run->x_tap[CX_DEPTH] + row * run->x_tap[CX_HEIGHT];
            for (int64_t col = 0; col < cols; col++) {
                const vec next = load(in + col * run->x_tap[CX_WIDTH]);
                v = mean ? v + next : larger(v, next);
            }
        }
    return v;
}

INLINE void pool_windows(const cx_channel_run *r, const int64_t slices, const int64_t rows,
                         const int64_t cols, const int mean)
{
    const cx_run *run = &r->run;
    const int64_t cells = slices * rows * cols;
    const float count = cells ? (float)cells : 1;
    const int64_t last = r->channels - CX_VL; /* where the last vector begins */
    for (int64_t p = 0; p < run->n; p++) {
        const float *x = run->x + p * run->x_pixel;
        float *y = run->y + p * run->y_pixel;
        for (int64_t c = 0; c < r->channels; c += CX_VL) {
            const int64_t channel = c < last ? c : last;
            const vec v = pool(run, x + channel, slices, rows, cols, mean);
            store(y + channel, mean ? v / count : v);
        }
    }
}

INLINE void pool_run(const cx_channel_run *r, const int mean)
{
    const int64_t *taps = r->run.taps;
    if (taps[CX_DEPTH] == 1 && taps[CX_HEIGHT] == 2 && taps[CX_WIDTH] == 2)
        pool_windows(r, 1, 2, 2, mean);
    else
        pool_windows(r, taps[CX_DEPTH], taps[CX_HEIGHT], taps[CX_WIDTH], mean);
}

void CX_NAME(max_pool)(const cx_channel_run *r)
{
    pool_run(r, 0);
}

void CX_NAME(average_pool)(const cx_channel_run *r)
{
    pool_run(r, 1);
}

/* What one window gives to its cells inside a part, for n channels from channel c on. */
INLINE void give(const cx_window_back *b, int64_t c, const int64_t n, const int mean)
{
    const int64_t cells = b->taps[CX_DEPTH] * b->taps[CX_HEIGHT] * b->taps[CX_WIDTH];
    vec dy = load_lanes(b->dy + c, n);
    const vec y = mean ? dy : load_lanes(b->y + c, n), part = dy / (float)cells, zero = {0};
    if (b->rectify) dy = pick(y > zero, dy, zero);
    ivec open = {0}; /* where no cell was the largest so far */
    open = ~open;
    for (int64_t slice = 0; slice < b->taps[CX_DEPTH]; slice++)
        for (int64_t row = 0; row < b->taps[CX_HEIGHT]; row++) {
            int64_t at = slice * b->tap[CX_DEPTH] + row * b->tap[CX_HEIGHT];
            for (int64_t col = 0; col < b->taps[CX_WIDTH]; col++, at += b->tap[CX_WIDTH]) {
                vec share = part;
                if (!mean) {
                    const vec x = load_lanes(b->x + at + c, n);
                    const ivec hit = ((x == y) | (x != x)) & open;
                    open &= ~hit;
                    share = (vec)(hit & (ivec)dy);
                }
                if (at < b->from || at >= b->to) continue;
                float *dx = b->dx + at + c;
                store_lanes(dx, load_lanes(dx, n) + share, n);
            }
        }
}

INLINE void give_all(const cx_window_back *b, const int mean)
{
    int64_t c = 0;
    for (; c + CX_VL <= b->channels; c += CX_VL) give(b, c, CX_VL, mean);
    if (c < b->channels) give(b, c, b->channels - c, mean);
}

void CX_NAME(max_pool_back)(const cx_window_back *b)
{
    give_all(b, 0);
}

void CX_NAME(average_pool_back)(const cx_window_back *b)
{
    give_all(b, 1);
}

/* One window of so many cells, which nobody else writes. */
INLINE void fill(const cx_tiles_back *b, const int64_t slices, const int64_t rows,
                 const int64_t cols, int64_t pixel, int64_t c, const int64_t n)
{
    const vec y = load_lanes(b->y + pixel * b->channels + c, n), zero = {0};
    const vec all = load_lanes(b->dy + pixel * b->channels + c, n);
    const vec dy = b->rectify ? pick(y > zero, all, zero) : all;
    const int64_t first = pixel * b->x_pixel + c;
    ivec open = {0}; /* where no cell was the largest so far */
    open = ~open;
    for (int64_t slice = 0; slice < slices; slice++)
        for (int64_t row = 0; row < rows; row++)
            for (int64_t col = 0; col < cols; col++) {
                const int64_t at = first + slice * b->tap[CX_DEPTH] + row * b->tap[CX_HEIGHT] +
                                   col * b->tap[CX_WIDTH];
                const vec x = load_lanes(b->x + at, n);
                const ivec hit = ((x == y) | (x != x)) & open;
                open &= ~hit;
                store_lanes(b->dx + at, (vec)(hit & (ivec)dy), n);
            }
}

INLINE void fill_all(const cx_tiles_back *b, const int64_t slices, const int64_t rows,
                     const int64_t cols)
{
    for (int64_t p = 0; p < b->n; p++) {
        int64_t c = 0;
        for (; c + CX_VL <= b->channels; c += CX_VL) fill(b, slices, rows, cols, p, c, CX_VL);
        if (c < b->channels) fill(b, slices, rows, cols, p, c, b->channels - c);
    }
}

void CX_NAME(max_pool_back_tiles)(const cx_tiles_back *b)
{
    const int64_t *taps = b->taps;
    if (taps[CX_DEPTH] == 1 && taps[CX_HEIGHT] == 2 && taps[CX_WIDTH] == 2)
        fill_all(b, 1, 2, 2);
    else
        fill_all(b, taps[CX_DEPTH], taps[CX_HEIGHT], taps[CX_WIDTH]);
}

/* Four vectors at a time, so that an addition need not wait for the one before. */
INLINE void columns(int64_t positions, int64_t stride, int64_t n, const float *x, float *y,
                    const int sum)
{
    const vec start = spread(sum ? 0 : -INFINITY);
    int64_t c = 0;
    for (; c + 4 * CX_VL <= n; c += 4 * CX_VL) {
        vec v[4] = {start, start, start, start};
        for (int64_t p = 0; p < positions; p++) {
#pragma GCC unroll 4
            for (int k = 0; k < 4; k++) {
                const vec next = load(x + p * stride + c + k * CX_VL);
                v[k] = sum ? v[k] + next : larger(v[k], next);
            }
        }
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) store(y + c + k * CX_VL, v[k]);
    }
    for (; c < n; c += CX_VL) {
        const int64_t lanes = n - c < CX_VL ? n - c : CX_VL;
        vec v = start;
        for (int64_t p = 0; p < positions; p++) {
            const float *from = x + p * stride + c;
            const vec next = lanes == CX_VL ? load(from) : load_part(from, lanes);
            v = sum ? v + next : larger(v, next);
        }
        store_part(y + c, v, lanes);
    }
}

void CX_NAME(column_sum)(int64_t positions, int64_t stride, int64_t n, const float *x, float *y)
{
    columns(positions, stride, n, x, y, 1);
}

void CX_NAME(column_max)(int64_t positions, int64_t stride, int64_t n, const float *x, float *y)
{
    columns(positions, stride, n, x, y, 0);
}

void CX_NAME(column_dot)(int64_t positions, int64_t stride, int64_t n, const float *a,
                         const float *b, float *y)
{
    for (int64_t c = 0; c < n; c += CX_VL) {
        const int64_t lanes = n - c < CX_VL ? n - c : CX_VL;
        vec sum = {0};
        for (int64_t at = c; at < c + positions * stride; at += stride)
            sum = multiply_add(sum, load_lanes(a + at, lanes), load_lanes(b + at, lanes));
        store_part(y + c, sum, lanes);
    }
}
