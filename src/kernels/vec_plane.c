/* vec_plane.c - depthwise convolution by 3 × 3 in steps of 1: the way of nearly all of them.
 *
 * A strip is one vector of channels × some pixels of a row, and goes down the image: the sums of
 * the three rows that see a row of the input are in registers, and so are the nine weights, so that
 * each number of the input is loaded once for nine multiply-adds. (Its channels lie far apart in
 * memory, often by a power of two, and would not stay in the first cache until the next row.) The
 * order of a sum is that of vec_depthwise.c: bias, then the cells, row by row. */
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

/* One row of the input, to the rows of the output that it is the last, the second and the first of.
 */
INLINE void add_row(vec sum[KERNEL][STRIP], const vec weight[KERNEL][KERNEL], const float *x,
                    int64_t cell, const strip *s, const int pixels)
{
#pragma GCC unroll 9
    for (int c = 0; c < pixels + 2; c++) {
        if ((c == 0 && !s->left) || (c == pixels + 1 && !s->right)) continue;
        const vec v = held(load(x));
        x += cell;
#pragma GCC unroll 3
        for (int r = 0; r < KERNEL; r++)
#pragma GCC unroll 3
            for (int k = 0; k < KERNEL; k++)
                if (c - k >= 0 && c - k < pixels)
                    sum[r][c - k] = multiply_add(sum[r][c - k], weight[KERNEL - 1 - r][k], v);
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

INLINE void go_down(const cx_plane *p, int64_t channel, const strip *s, const int pixels)
{
    const int64_t x_row = p->in[1] * p->channels;
    const vec bias = p->epilogue->bias ? load(p->epilogue->bias + channel) : spread(0);
    const float *x = s->x + channel;
    float *y = s->y;
    vec weight[KERNEL][KERNEL], sum[KERNEL][STRIP];
#pragma GCC unroll 9
    for (int k = 0; k < KERNEL * KERNEL; k++)
        weight[k / KERNEL][k % KERNEL] = held(load(p->w + k * p->channels + channel));
#pragma GCC unroll 7
    for (int i = 0; i < pixels; i++) sum[1][i] = sum[2][i] = bias;
    const int64_t first = p->from - p->pad[0], end = p->to - p->pad[0] + 2;
    for (int64_t row = first; row < end; row++) {
#pragma GCC unroll 7
        for (int i = 0; i < pixels; i++) {
            sum[0][i] = sum[1][i];
            sum[1][i] = sum[2][i];
            sum[2][i] = bias;
        }
        if (row >= 0 && row < p->in[0]) {
            add_row(sum, (const vec(*)[KERNEL])weight, x, p->channels, s, pixels);
            x += x_row;
        }
        if (row < first + 2) continue;
        finish(p->epilogue, channel, sum[0], y, s->y_cell, pixels);
        y += s->y_row;
    }
}

#define GO_DOWN(n)                                                              \
    static void go_down_##n(const cx_plane *p, int64_t channel, const strip *s) \
    {                                                                           \
        go_down(p, channel, s, n);                                              \
    }
GO_DOWN(1)
GO_DOWN(2)
GO_DOWN(3)
GO_DOWN(4)
GO_DOWN(5)
GO_DOWN(6)
GO_DOWN(7)

static void (*const by_width[])(const cx_plane *p, int64_t channel, const strip *s) = {
    NULL, go_down_1, go_down_2, go_down_3, go_down_4, go_down_5, go_down_6, go_down_7,
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
        by_width[pixels](p, channel, &s);
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
            by_width[pixels](p, first + c, &s);
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
    const int64_t top = p->from > p->pad[0] ? p->from - p->pad[0] : 0;
    int64_t n = (p->out_width + STRIP - 1) / STRIP;
    for (int64_t from = 0, to; from < p->out_width; from = to, n--) {
        to = from + (p->out_width - from + n - 1) / n;
        strip s = {.left = from >= p->pad[1],
                   .right = to - p->pad[1] + 1 < p->in[1],
                   .y = p->y + from * p->channels,
                   .y_row = p->out_width * p->channels,
                   .y_cell = p->channels};
        s.x = p->x + (top * p->in[1] + (s.left ? from - p->pad[1] : 0)) * p->channels;
        if (p->channels % SAME_SET)
            run_strip(p, s, to - from);
        else
            run_strip_in_groups(p, s, to - from);
    }
}

#endif
