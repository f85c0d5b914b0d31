/* vec_conv.c - the micro-kernel of convolution and dense layers.
 *
 * A tile of `vectors` × `pixels` sums stays in registers over the whole loop on kernel cells and
 * input channels. Each step loads the weights of one input channel (a vector of output channels
 * each, as they lie in Keras' order), spreads one input number of each pixel over a vector, and
 * does vectors * pixels multiply-adds: 24 for 4 + 6 loads in the tile of 32 registers (24 sums, 4
 * weights, 1 input), 12 for 2 + 6 in the tile of 16 registers. Eight sums at least are needed to
 * hide the 4 cycles of a multiply-add at two a cycle.
 *
 * Many pixels share the weights of a call, so these are in the second cache but for the first tile,
 * which would wait for every line of them. So the first tiles of a call bring those of the next.
 *
 * The order of a sum is bias, then cells, then channels, whatever the tile. */
#include <math.h>

#include "kernels/vector.h"

enum { VECTORS = CX_MANY_REGISTERS ? 4 : 2, MOST_PIXELS = 12, LINE = 16, SHORT = 64 };

/* A vector of a tile: the last one may have fewer channels. */
INLINE vec load_some(const float *p, int64_t lanes)
{
    return lanes == CX_VL ? load(p) : load_part(p, lanes);
}

INLINE void store_some(float *p, vec v, int64_t lanes)
{
    if (lanes == CX_VL)
        store(p, v);
    else
        store_part(p, v, lanes);
}

/* The lines that a tile will be stored to: short sums are done before they have come. */
INLINE void ask_for(const float *y, int64_t y_pixel, const int vectors, const int pixels)
{
#pragma GCC unroll 12
    for (int p = 0; p < pixels; p++, y += y_pixel)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) __builtin_prefetch(y + v * CX_VL, 1, 3);
}

/* The products of a tile, `cols` pixels and the others from `x_below` floats after the first on,
 * and a line of `ahead` a step: an address, since it may go past the weights. The counts are
 * constants where it is called, so that `sum` lives in registers. */
INLINE void add_products(const cx_conv_run *r, const float *x, int64_t x_below, uintptr_t ahead,
                         const int vectors, const int pixels, const int cols,
                         vec sum[VECTORS][MOST_PIXELS])
{
    const cx_run *run = &r->run;
    const int64_t x_pixel = run->x_pixel;
    const int64_t depth = r->depth, x_channel = r->x_channel, w_channel = r->w_channel;
    for (int64_t slice = 0; slice < run->taps[CX_DEPTH]; slice++)
        for (int64_t row = 0; row < run->taps[CX_HEIGHT]; row++)
            for (int64_t col = 0; col < run->taps[CX_WIDTH]; col++) {
                const float *in = x + slice * run->x_tap[CX_DEPTH] + row * run->x_tap[CX_HEIGHT] +
                                  col * run->x_tap[CX_WIDTH];
                const float *below = in + x_below;
                const float *by = run->w + slice * run->w_tap[CX_DEPTH] +
                                  row * run->w_tap[CX_HEIGHT] + col * run->w_tap[CX_WIDTH];
                for (int64_t c = 0; c < depth; c++) {
                    __builtin_prefetch((const void *)ahead, 0, 2);
                    ahead += (uintptr_t)w_channel * sizeof(float);
                    vec weight[VECTORS];
#pragma GCC unroll 4
                    for (int v = 0; v < vectors; v++) weight[v] = load(by + v * CX_VL);
#pragma GCC unroll 12
                    for (int p = 0; p < pixels; p++) {
                        vec input = spread((p < cols ? in : below)[p % cols * x_pixel]);
#pragma GCC unroll 4
                        for (int v = 0; v < vectors; v++)
                            sum[v][p] = multiply_add(sum[v][p], weight[v], input);
                    }
                    in += x_channel;
                    below += x_channel;
                    by += w_channel;
                }
            }
}

/* A vector of channels of all pixels: scaled, clamped. */
INLINE void end_sums(const cx_conv_run *r, const int v, int64_t lanes, const int pixels, vec *sum)
{
    if (r->scale) {
        const vec scale = load_some(r->scale + v * CX_VL, lanes);
        const vec shift = load_some(r->shift + v * CX_VL, lanes);
#pragma GCC unroll 12
        for (int p = 0; p < pixels; p++) sum[p] = multiply_add(shift, sum[p], scale);
    }
#pragma GCC unroll 12
    for (int p = 0; p < pixels; p++) sum[p] = clamp(sum[p], r->low, r->high);
}

INLINE void tile(const cx_conv_run *r, const float *x, float *y, uintptr_t ahead, const int vectors,
                 const int pixels)
{
    const int64_t y_pixel = r->run.y_pixel;
    vec sum[VECTORS][MOST_PIXELS];

#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
        const int64_t lanes = v == vectors - 1 ? r->lanes : CX_VL;
        vec bias = r->bias ? load_some(r->bias + v * CX_VL, lanes) : spread(0);
#pragma GCC unroll 12
        for (int p = 0; p < pixels; p++)
            sum[v][p] = r->first ? bias : load_some(y + p * y_pixel + v * CX_VL, lanes);
    }
    if (r->depth <= SHORT) ask_for(y, y_pixel, vectors, pixels);
    /* Two bases: offsets of all pixels of a long tile would not find registers. */
    const int half = pixels > 6 ? (pixels + 1) / 2 : pixels;
    add_products(r, x, half * r->run.x_pixel, ahead, vectors, pixels, half, sum);

#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
        const int64_t lanes = v == vectors - 1 ? r->lanes : CX_VL;
        float *to = y + v * CX_VL;
        if (r->add) {
#pragma GCC unroll 12
            for (int p = 0; p < pixels; p++) sum[v][p] += load_some(to + p * y_pixel, lanes);
        }
        if (r->last) end_sums(r, v, lanes, pixels, sum[v]);
#pragma GCC unroll 12
        for (int p = 0; p < pixels; p++) store_some(to + p * y_pixel, sum[v][p], lanes);
    }
}

#define TILE(vectors, pixels)                  \
    case pixels:                               \
        tile(r, x, y, ahead, vectors, pixels); \
        break;
#define TILES_TO_6(vectors) \
    TILE(vectors, 1)        \
    TILE(vectors, 2) TILE(vectors, 3) TILE(vectors, 4) TILE(vectors, 5) TILE(vectors, 6)
#define TILES_TO_8(vectors) TILES_TO_6(vectors) TILE(vectors, 7) TILE(vectors, 8)
#define TILES_TO_12(vectors) \
    TILES_TO_8(vectors) TILE(vectors, 9) TILE(vectors, 10) TILE(vectors, 11) TILE(vectors, 12)

static void tile_of_1(const cx_conv_run *r, const float *x, float *y, uintptr_t ahead,
                      int64_t pixels)
{
    switch (pixels) {
        TILES_TO_12(1)
    }
}

#if CX_MANY_REGISTERS
static void tile_of_2(const cx_conv_run *r, const float *x, float *y, uintptr_t ahead,
                      int64_t pixels)
{
    switch (pixels) {
        TILES_TO_12(2)
    }
}

static void tile_of_3(const cx_conv_run *r, const float *x, float *y, uintptr_t ahead,
                      int64_t pixels)
{
    switch (pixels) {
        TILES_TO_8(3)
    }
}

static void tile_of_4(const cx_conv_run *r, const float *x, float *y, uintptr_t ahead,
                      int64_t pixels)
{
    switch (pixels) {
        TILES_TO_6(4)
    }
}
#else
static void tile_of_2(const cx_conv_run *r, const float *x, float *y, uintptr_t ahead,
                      int64_t pixels)
{
    switch (pixels) {
        TILES_TO_6(2)
    }
}
#endif

/* By the number of vectors: the widest tile that the registers hold. */
static const struct {
    int64_t pixels;
    void (*run)(const cx_conv_run *r, const float *x, float *y, uintptr_t ahead, int64_t pixels);
} tiles[] = {
    {0, NULL},       {12, tile_of_1},
#if CX_MANY_REGISTERS
    {12, tile_of_2}, {8, tile_of_3},  {6, tile_of_4},
#else
    {6, tile_of_2},
#endif
};

/* Tiles of nearly equal width: 15 pixels go 5 + 5 + 5, not 6 + 6 + 3. */
void CX_NAME(conv)(const cx_conv_run *r)
{
    const int64_t widest = tiles[r->vectors].pixels;
    const float *x = r->run.x;
    float *y = r->run.y;
    int64_t left = r->run.n, line = 0;
    for (int64_t n = (left + widest - 1) / widest; n > 0; n--) {
        const int64_t pixels = (left + n - 1) / n;
        const int brings = r->ahead && line < r->vectors * CX_VL;
        const float *ahead = brings ? r->ahead + line : r->run.w;
        tiles[r->vectors].run(r, x, y, (uintptr_t)ahead, pixels);
        line += LINE;
        x += pixels * r->run.x_pixel;
        y += pixels * r->run.y_pixel;
        left -= pixels;
    }
}

#if CX_MANY_REGISTERS
/* --- two rows, and the largest of each 2 × 2 of their numbers, before they leave the registers ---
 */

INLINE void store_rows(const cx_conv_pair *p, const vec *sum, float *y, int64_t lanes,
                       const int cols)
{
#pragma GCC unroll 12
    for (int i = 0; i < 2 * cols; i++) {
        float *to = y + i % cols * p->r.run.y_pixel + i / cols * p->y_below;
        if (p->past)
            store_past(to, sum[i]);
        else
            store_some(to, sum[i], lanes);
    }
}

/* In the order of vec_pool.c. */
INLINE void store_largest(const cx_conv_pair *p, const vec *sum, float *pooled, int64_t lanes,
                          const int cols)
{
#pragma GCC unroll 3
    for (int i = 0; i < cols / 2; i++) {
        vec v = larger(spread(-INFINITY), sum[2 * i]);
        v = larger(v, sum[2 * i + 1]);
        v = larger(v, sum[cols + 2 * i]);
        v = larger(v, sum[cols + 2 * i + 1]);
        store_some(pooled + i * p->r.run.y_pixel, v, lanes);
    }
}

/* The pixels of both rows from column `col` on. */
INLINE void pair_tile(const cx_conv_pair *p, int64_t col, const int vectors, const int cols)
{
    const cx_conv_run *r = &p->r;
    const int64_t at = col * r->run.y_pixel;
    vec sum[VECTORS][MOST_PIXELS];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
        const int64_t lanes = v == vectors - 1 ? r->lanes : CX_VL;
        vec bias = r->bias ? load_some(r->bias + v * CX_VL, lanes) : spread(0);
#pragma GCC unroll 12
        for (int i = 0; i < 2 * cols; i++) sum[v][i] = bias;
    }
    add_products(r, r->run.x + col * r->run.x_pixel, p->x_below, (uintptr_t)r->run.w, vectors,
                 2 * cols, cols, sum);
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
        const int64_t lanes = v == vectors - 1 ? r->lanes : CX_VL;
        end_sums(r, v, lanes, 2 * cols, sum[v]);
        if (r->run.y) store_rows(p, sum[v], r->run.y + at + v * CX_VL, lanes, cols);
        store_largest(p, sum[v], p->pooled + at / 2 + v * CX_VL, lanes, cols);
    }
}

#define PAIR(vectors, cols)               \
    case cols:                            \
        pair_tile(p, col, vectors, cols); \
        break;

static void pair_of_1(const cx_conv_pair *p, int64_t col, int64_t cols)
{
    switch (cols) {
        PAIR(1, 2) PAIR(1, 4) PAIR(1, 6)
    }
}

static void pair_of_2(const cx_conv_pair *p, int64_t col, int64_t cols)
{
    switch (cols) {
        PAIR(2, 2) PAIR(2, 4) PAIR(2, 6)
    }
}

/* Two vectors at a time: then a tile has both rows of three windows. */
static cx_conv_pair part_of(const cx_conv_pair *p, int v)
{
    const int64_t channel = v * CX_VL;
    cx_conv_pair part = *p;
    if (v + 2 < p->r.vectors) part.r.lanes = CX_VL;
    part.r.vectors = p->r.vectors - v < 2 ? 1 : 2;
    part.r.run.w += channel;
    part.pooled += channel;
    if (part.r.run.y) part.r.run.y += channel;
    if (part.r.bias) part.r.bias += channel;
    if (part.r.scale) part.r.scale += channel;
    if (part.r.shift) part.r.shift += channel;
    return part;
}

void CX_NAME(conv_pair)(const cx_conv_pair *p)
{
    const int64_t widest = MOST_PIXELS / 2;
    for (int v = 0; v < p->r.vectors; v += 2) {
        const cx_conv_pair part = part_of(p, v);
        for (int64_t col = 0; col < p->r.run.n; col += widest) {
            const int64_t left = p->r.run.n - col;
            (part.r.vectors == 2 ? pair_of_2 : pair_of_1)(&part, col,
                                                          left < widest ? left : widest);
        }
    }
}
#endif
