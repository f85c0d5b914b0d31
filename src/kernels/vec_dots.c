/* vec_dots.c - sums that a vector goes along: products of rows with rows, what a dense layer's
 * input gets back, and convolutions into few channels. A tile is rows of x × rows of w, so that
 * each number loaded is used several times. */
#include "kernels/vector.h"

enum { X_ROWS = CX_MANY_REGISTERS ? 6 : 4, W_ROWS = CX_MANY_REGISTERS ? 4 : 2 };

#define FOUR_FROM(n) (n) % CX_VL, ((n) + 1) % CX_VL, ((n) + 2) % CX_VL, ((n) + 3) % CX_VL
#if CX_VL == 16
#define LANES_FROM(n) FOUR_FROM(n), FOUR_FROM((n) + 4), FOUR_FROM((n) + 8), FOUR_FROM((n) + 12)
#elif CX_VL == 8
#define LANES_FROM(n) FOUR_FROM(n), FOUR_FROM((n) + 4)
#else
#define LANES_FROM(n) FOUR_FROM(n)
#endif
#define TURNED(v, n) __builtin_shufflevector(v, v, LANES_FROM(n))

/* The sum of all lanes: half of them on the other half, and so on. */
INLINE float total(vec v)
{
#if CX_VL >= 16
    v += TURNED(v, 8);
#endif
#if CX_VL >= 8
    v += TURNED(v, 4);
#endif
    v += TURNED(v, 2);
    v += TURNED(v, 1);
    return v[0];
}

/* One step of all sums: `lanes` numbers of each row. The counts are constants where it is called,
 * so that `sum` lives in registers. */
INLINE void step(int64_t out, const float *x, const float *w, vec sum[X_ROWS][W_ROWS],
                 const int x_rows, const int w_rows, int64_t lanes)
{
    vec by[W_ROWS];
#pragma GCC unroll 4
    for (int i = 0; i < w_rows; i++) by[i] = load_lanes(w + i * out, lanes);
#pragma GCC unroll 6
    for (int r = 0; r < x_rows; r++) {
        const vec v = load_lanes(x + r * out, lanes);
#pragma GCC unroll 4
        for (int i = 0; i < w_rows; i++) sum[r][i] = multiply_add(sum[r][i], by[i], v);
    }
}

INLINE void tile(int64_t out, const float *x, const float *w, float *y, int64_t y_row,
                 const int x_rows, const int w_rows)
{
    vec sum[X_ROWS][W_ROWS];
#pragma GCC unroll 6
    for (int r = 0; r < x_rows; r++) {
#pragma GCC unroll 4
        for (int i = 0; i < w_rows; i++) sum[r][i] = spread(0);
    }
    int64_t o = 0;
    for (; o + CX_VL <= out; o += CX_VL) step(out, x + o, w + o, sum, x_rows, w_rows, CX_VL);
    if (o < out) step(out, x + o, w + o, sum, x_rows, w_rows, out - o);
#pragma GCC unroll 6
    for (int r = 0; r < x_rows; r++) {
#pragma GCC unroll 4
        for (int i = 0; i < w_rows; i++) y[r * y_row + i] = total(sum[r][i]);
    }
}

INLINE void tile_of(int64_t rows, int64_t out, const float *x, const float *w, float *y,
                    int64_t y_row, const int w_rows)
{
    switch (rows) {
    case 1:
        tile(out, x, w, y, y_row, 1, w_rows);
        break;
    case 2:
        tile(out, x, w, y, y_row, 2, w_rows);
        break;
    case 3:
        tile(out, x, w, y, y_row, 3, w_rows);
        break;
#if CX_MANY_REGISTERS
    case 4:
        tile(out, x, w, y, y_row, 4, w_rows);
        break;
    case 5:
        tile(out, x, w, y, y_row, 5, w_rows);
        break;
#endif
    default:
        tile(out, x, w, y, y_row, X_ROWS, w_rows);
        break;
    }
}

/* Rows of w outside: they are read from memory once. */
void CX_NAME(dots)(int64_t rows, int64_t out, const float *x, int64_t n, const float *w, float *y,
                   int64_t y_row)
{
    for (int64_t i = 0; i < n;) {
        const int64_t w_rows = n - i < W_ROWS ? 1 : W_ROWS;
        for (int64_t r = 0; r < rows; r += X_ROWS) {
            const int64_t x_rows = rows - r < X_ROWS ? rows - r : X_ROWS;
            float *to = y + r * y_row + i;
            if (w_rows == 1)
                tile_of(x_rows, out, x + r * out, w + i * out, to, y_row, 1);
            else
                tile_of(x_rows, out, x + r * out, w + i * out, to, y_row, W_ROWS);
        }
        i += w_rows;
    }
}

/* --- convolution into few channels --- */

enum { PIXELS = CX_MANY_REGISTERS ? 6 : 3, OUTPUTS = CX_FEW_CHANNELS };

/* As `step`, of pixels `x_pixel` apart and output channels `w_channel` apart. */
INLINE void cells_step(const cx_conv_run *r, const float *x, const float *w,
                       vec sum[PIXELS][OUTPUTS], const int pixels, const int outputs, int64_t lanes)
{
    vec by[OUTPUTS];
#pragma GCC unroll 4
    for (int o = 0; o < outputs; o++) by[o] = load_lanes(w + o * r->w_channel, lanes);
#pragma GCC unroll 6
    for (int p = 0; p < pixels; p++) {
        const vec v = held(load_lanes(x + p * r->run.x_pixel, lanes));
#pragma GCC unroll 4
        for (int o = 0; o < outputs; o++) sum[p][o] = multiply_add(sum[p][o], by[o], v);
    }
}

typedef float four __attribute__((vector_size(16)));
typedef int32_t four_ints __attribute__((vector_size(16)));

/* As `total` of each, but what is left of them is folded side by side. */
INLINE four totals(vec a, vec b, vec c, vec d)
{
#if CX_VL == 16
#define HALF(n)    n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7
#define QUARTER(n) n, n + 1, n + 2, n + 3, n + 8, n + 9, n + 10, n + 11
    const vec ab = __builtin_shufflevector(a, b, HALF(0), HALF(16)) +
                   __builtin_shufflevector(a, b, HALF(8), HALF(24));
    const vec cd = __builtin_shufflevector(c, d, HALF(0), HALF(16)) +
                   __builtin_shufflevector(c, d, HALF(8), HALF(24));
    vec all = __builtin_shufflevector(ab, cd, QUARTER(0), QUARTER(16)) +
              __builtin_shufflevector(ab, cd, QUARTER(4), QUARTER(20));
    all += TURNED(all, 2);
    all += TURNED(all, 1);
    return __builtin_shufflevector(all, all, 0, 4, 8, 12);
#else
    return (four){total(a), total(b), total(c), total(d)};
#endif
}

/* What becomes of sums before they are stored. */
typedef struct ending {
    four bias, scale, shift, low, high;
} ending;

static ending ending_of(const cx_conv_run *r)
{
    ending e = {.low = r->low - (four){0}, .high = r->high - (four){0}};
    const size_t size = (size_t)r->lanes * sizeof(float);
    if (r->bias) memcpy(&e.bias, r->bias, size);
    if (r->scale) {
        memcpy(&e.scale, r->scale, size);
        memcpy(&e.shift, r->shift, size);
    }
    return e;
}

/* A NaN stays. */
INLINE four finish(const cx_conv_run *r, const ending *e, four sum)
{
    sum += e->bias;
    if (r->scale) sum = sum * e->scale + e->shift;
    const four_ints below = sum<e->low, above = sum> e->high;
    return (four)((below & (four_ints)e->low) | (above & (four_ints)e->high) |
                  (~(below | above) & (four_ints)sum));
}

INLINE void few_tile(const cx_conv_run *r, const ending *e, const float *x, float *y,
                     const int pixels, const int outputs)
{
    const cx_run *run = &r->run;
    vec sum[PIXELS][OUTPUTS];
#pragma GCC unroll 6
    for (int p = 0; p < pixels; p++) {
#pragma GCC unroll 4
        for (int o = 0; o < outputs; o++) sum[p][o] = spread(0);
    }
    for (int64_t slice = 0; slice < run->taps[CX_DEPTH]; slice++)
        for (int64_t row = 0; row < run->taps[CX_HEIGHT]; row++)
            for (int64_t col = 0; col < run->taps[CX_WIDTH]; col++) {
                const float *in = x + slice * run->x_tap[CX_DEPTH] + row * run->x_tap[CX_HEIGHT] +
                                  col * run->x_tap[CX_WIDTH];
                const float *by = run->w + slice * run->w_tap[CX_DEPTH] +
                                  row * run->w_tap[CX_HEIGHT] + col * run->w_tap[CX_WIDTH];
                int64_t c = 0;
                for (; c + CX_VL <= r->depth; c += CX_VL)
                    cells_step(r, in + c, by + c, sum, pixels, outputs, CX_VL);
                if (c < r->depth) cells_step(r, in + c, by + c, sum, pixels, outputs, r->depth - c);
            }
#pragma GCC unroll 6
    for (int p = 0; p < pixels; p++) {
        vec *v = sum[p];
        for (int o = outputs; o < OUTPUTS; o++) v[o] = spread(0);
        const four made = finish(r, e, totals(v[0], v[1], v[2], v[3]));
        memcpy(y + p * run->y_pixel, &made, (size_t)outputs * sizeof *y);
    }
}

INLINE void few_tiles(const cx_conv_run *r, const int outputs)
{
    const ending e = ending_of(r);
    int64_t p = 0;
    for (; p + PIXELS <= r->run.n; p += PIXELS)
        few_tile(r, &e, r->run.x + p * r->run.x_pixel, r->run.y + p * r->run.y_pixel, PIXELS,
                 outputs);
    for (; p < r->run.n; p++)
        few_tile(r, &e, r->run.x + p * r->run.x_pixel, r->run.y + p * r->run.y_pixel, 1, outputs);
}

void CX_NAME(conv_few)(const cx_conv_run *r)
{
    switch (r->lanes) {
    case 1:
        few_tiles(r, 1);
        break;
    case 2:
        few_tiles(r, 2);
        break;
    case 3:
        few_tiles(r, 3);
        break;
    default:
        few_tiles(r, OUTPUTS);
        break;
    }
}
