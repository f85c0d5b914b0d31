/* vec_plane.c - depthwise convolution by 3 × 3 in steps of 1 or 2: the way of nearly all of
 * them.
 *
 * A strip is one vector of channels × some pixels of a row, and goes down the image: the sums of
 * the rows that see a row of the input, three or two, are in registers, and so are the nine
 * weights, so that each number of the input is loaded once for all that see it. (Its channels lie
 * far apart in memory, often by a power of two, and would not stay in the first cache until the
 * next row.) The order of a sum is that of vec_depthwise.c: bias, then the cells, row by row. */
#include "kernels/vector.h"

#if CX_MANY_REGISTERS /* sums of 7 pixels take 21 of them, weights 9 */

enum {
    KERNEL = 3,
    STRIP = 7,
    SAME_SET = 2048 / sizeof(float), /* half a way of the first cache, or half of that */
    GROUP = 64,                      /* channels in the buffer */
};

typedef struct strip {
    int left, right; /* whether the cells before the first pixel and after the last are inside */
    const float *x;  /* the first cell inside, in the first row that counts */
    float *y;
    int64_t y_row, y_cell; /* floats from one to the next */
} strip;

/* One row of the input, to `n` rows of the output: for the first of them it is row `tap` of the
 * kernel. What is `below` it, bytes away, is asked for meanwhile: no prefetcher of a processor sees
 * that the next cells of a strip are a row away. */
INLINE void add_row(vec sum[][STRIP], const int n, const int tap, const vec weight[KERNEL][KERNEL],
                    const float *x, int64_t cell, uintptr_t below, const strip *s, const int pixels,
                    const int step)
{
    const int last = (pixels - 1) * step + 2;
#pragma GCC unroll 15
    for (int c = 0; c <= last; c++) {
        if ((c == 0 && !s->left) || (c == last && !s->right)) continue;
        const vec v = held(load(x));
        __builtin_prefetch((const void *)((uintptr_t)x + below), 0, 3);
        x += cell;
#pragma GCC unroll 3
        for (int r = 0; r < n; r++)
#pragma GCC unroll 3
            for (int k = 0; k < KERNEL; k++) {
                const int i = (c - k) / step;
                if (c >= k && (c - k) % step == 0 && i < pixels)
                    sum[r][i] = multiply_add(sum[r][i], weight[tap - r * step][k], v);
            }
    }
}

INLINE void finish(const cx_epilogue *e, int64_t channel, const vec sum[STRIP], float *y,
                   int64_t y_cell, const int pixels)
{
    vec v[STRIP];
#pragma GCC unroll 7
    for (int i = 0; i < pixels; i++) v[i] = sum[i];
    if (e->scale) {
        const vec scale = load(e->scale + channel), shift = load(e->shift + channel);
#pragma GCC unroll 7
        for (int i = 0; i < pixels; i++) v[i] = multiply_add(shift, v[i], scale);
    }
#pragma GCC unroll 7
    for (int i = 0; i < pixels; i++, y += y_cell) store(y, clamp(v[i], e->low, e->high));
}

INLINE void go_down(const cx_plane *p, int64_t channel, const strip *s, const int pixels,
                    const int step)
{
    const int seen = step == 1 ? KERNEL : 2; /* rows of the output that see one of the input */
    const int64_t x_row = p->in[1] * p->channels;
    const uintptr_t below = (uintptr_t)x_row * sizeof(float);
    const vec bias = p->epilogue->bias ? load(p->epilogue->bias + channel) : spread(0);
    const float *x = s->x + channel;
    float *y = s->y;
    vec weights[KERNEL][KERNEL], sum[KERNEL][STRIP];
    const vec(*weight)[KERNEL] = (const vec(*)[KERNEL])weights;
#pragma GCC unroll 9
    for (int k = 0; k < KERNEL * KERNEL; k++)
        weights[k / KERNEL][k % KERNEL] = held(load(p->w + k * p->channels + channel));
#pragma GCC unroll 21
    for (int i = 0; i < seen * pixels; i++) sum[i / pixels][i % pixels] = bias;
    const int64_t first = p->from * step - p->pad[0], rows = (p->to - p->from - 1) * step + KERNEL;
    for (int64_t row = 0; row < rows; row++) {
        const int begins = row % step == 0, inside = first + row >= 0 && first + row < p->in[0];
        if (begins) {
#pragma GCC unroll 21
            for (int i = 0; i < (seen - 1) * pixels; i++)
                sum[i / pixels][i % pixels] = sum[i / pixels + 1][i % pixels];
#pragma GCC unroll 7
            for (int i = 0; i < pixels; i++) sum[seen - 1][i] = bias;
        }
        if (inside && begins)
            add_row(sum, seen, KERNEL - 1, weight, x, p->channels, below, s, pixels, step);
        else if (inside)
            add_row(sum + 1, 1, 1, weight, x, p->channels, below, s, pixels, step);
        if (inside) x += x_row;
        if (!begins || row < KERNEL - 1) continue;
        finish(p->epilogue, channel, sum[0], y, s->y_cell, pixels);
        y += s->y_row;
    }
}

#define GO_DOWN(n)                                                                     \
    static void go_down_##n(const cx_plane *p, int64_t channel, const strip *s)        \
    {                                                                                  \
        go_down(p, channel, s, n, 1);                                                  \
    }                                                                                  \
    static void go_down_##n##_by_2(const cx_plane *p, int64_t channel, const strip *s) \
    {                                                                                  \
        go_down(p, channel, s, n, 2);                                                  \
    }
GO_DOWN(1)
GO_DOWN(2)
GO_DOWN(3)
GO_DOWN(4)
GO_DOWN(5)
GO_DOWN(6)
GO_DOWN(7)

typedef void way_down(const cx_plane *p, int64_t channel, const strip *s);

/* By the step and the width of the strip. */
static way_down *const ways_down[][STRIP] = {
    {go_down_1, go_down_2, go_down_3, go_down_4, go_down_5, go_down_6, go_down_7},
    {go_down_1_by_2, go_down_2_by_2, go_down_3_by_2, go_down_4_by_2, go_down_5_by_2, go_down_6_by_2,
     go_down_7_by_2},
};

/* All channels of a strip. Where they are no multiple of the vector, the last vector overlaps the
 * one before it and computes the same numbers again. */
static void run_strip(const cx_plane *p, strip s, int64_t pixels)
{
    const int64_t last = p->channels - CX_VL; /* where the last vector begins */
    float *y = s.y;
    for (int64_t c = 0; c < p->channels; c += CX_VL) {
        const int64_t channel = c < last ? c : last;
        s.y = y + channel;
        ways_down[p->step - 1][pixels - 1](p, channel, &s);
    }
}

/* The same by way of the buffer; channels are a multiple of it. */
static void run_strip_in_groups(const cx_plane *p, strip s, int64_t pixels)
{
    float buffer[CX_PLANE_ROWS * STRIP * GROUP] __attribute__((aligned(64)));
    const int64_t y_row = s.y_row;
    float *y = s.y;
    s.y_cell = GROUP;
    s.y_row = pixels * GROUP;
    for (int64_t first = 0; first < p->channels; first += GROUP, y += GROUP) {
        for (int64_t c = 0; c < GROUP; c += CX_VL) {
            s.y = buffer + c;
            ways_down[p->step - 1][pixels - 1](p, first + c, &s);
        }
        const float *from = buffer;
        for (int64_t row = 0; row < p->to - p->from; row++)
            for (int64_t i = 0; i < pixels; i++, from += GROUP)
                memcpy(y + row * y_row + i * p->channels, from, GROUP * sizeof *from);
    }
}

/* Strips of nearly equal width. */
void CX_NAME(depthwise_plane)(const cx_plane *p)
{
    const int64_t first = p->from * p->step - p->pad[0], top = first > 0 ? first : 0;
    int64_t n = (p->out_width + STRIP - 1) / STRIP;
    for (int64_t from = 0, to; from < p->out_width; from = to, n--) {
        to = from + (p->out_width - from + n - 1) / n;
        const int64_t left = from * p->step - p->pad[1];
        strip s = {.left = left >= 0,
                   .right = (to - 1) * p->step - p->pad[1] + 2 < p->in[1],
                   .y = p->y + from * p->channels,
                   .y_row = p->out_width * p->channels,
                   .y_cell = p->channels};
        s.x = p->x + (top * p->in[1] + (s.left ? left : 0)) * p->channels;
        if (p->channels % SAME_SET)
            run_strip(p, s, to - from);
        else
            run_strip_in_groups(p, s, to - from);
    }
}

#endif
