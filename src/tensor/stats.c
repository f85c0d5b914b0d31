/* stats.c - statistics of interleaved channels, in two passes: mean, then spread around it. */
#include "tensor/stats.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/sanitizer.h"

/* The loops below for the vectors that the processor has, chosen when the program starts. A
 * channel's sums are made in the same order by all of them, and without fused steps, so the bytes
 * are the same. clang's thread sanitizer is not there yet when they are chosen. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && !CX_HEAVY_SANITIZER
#define FOR_ALL_VECTORS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_ALL_VECTORS
#endif

/* LANES channels at a time fill vector registers and a cache line; a tile of ROWS positions keeps
 * the second pass of few channels in cache and the counts in 32 bits. */
enum { LANES = 16, ROWS = 256 };

typedef struct lanes {
    double sum[LANES], squares[LANES]; /* of the finite values: x, and (x - mean)^2 */
    float low[LANES], high[LANES];
    int64_t positive[LANES], n_nan[LANES], n_finite[LANES];
} lanes;

/* Up to ROWS positions of LANES channels. */
typedef struct tile {
    const float *x;
    int64_t stride;
    int rows;
} tile;

/* The tile of position p and channels c …; where fewer than LANES are left, a copy padded by
 * zeros, so that there is one loop of a constant width. */
static tile tile_at(float padded[ROWS * LANES], const float *x, int64_t p, int64_t positions,
                    int64_t c, int64_t channels)
{
    tile t = {x + p * channels + c, channels, positions - p < ROWS ? (int)(positions - p) : ROWS};
    int64_t n = channels - c;
    if (n >= LANES) return t;
    memset(padded, 0, (size_t)t.rows * LANES * sizeof *padded);
    for (int64_t r = 0; r < t.rows; r++)
        for (int64_t i = 0; i < n; i++) padded[r * LANES + i] = t.x[r * channels + i];
    return (tile){padded, LANES, t.rows};
}

static int is_finite(float v)
{
    return fabsf(v) <= FLT_MAX;
}

FOR_ALL_VECTORS static void add_values(lanes *l, const tile *t)
{
    double sum[LANES];
    float low[LANES], high[LANES];
    int32_t positive[LANES] = {0}, n_nan[LANES] = {0}, n_finite[LANES] = {0};
    const float *x = t->x;
    memcpy(sum, l->sum, sizeof sum);
    memcpy(low, l->low, sizeof low);
    memcpy(high, l->high, sizeof high);
    for (int r = 0; r < t->rows; r++, x += t->stride)
        for (int c = 0; c < LANES; c++) {
            float v = x[c];
            int finite = is_finite(v), lowest = finite & (v < low[c]),
                highest = finite & (v > high[c]);
            n_nan[c] += v != v;
            n_finite[c] += finite;
            positive[c] += finite & (v > 0);
            sum[c] += (double)(finite ? v : 0);
            low[c] = lowest ? v : low[c];
            high[c] = highest ? v : high[c];
        }
    for (int c = 0; c < LANES; c++) {
        l->positive[c] += positive[c];
        l->n_nan[c] += n_nan[c];
        l->n_finite[c] += n_finite[c];
    }
    memcpy(l->sum, sum, sizeof sum);
    memcpy(l->low, low, sizeof low);
    memcpy(l->high, high, sizeof high);
}

FOR_ALL_VECTORS static void add_squares(lanes *out, const double mean[LANES], const tile *t)
{
    double squares[LANES], m[LANES];
    const float *x = t->x;
    memcpy(squares, out->squares, sizeof squares);
    memcpy(m, mean, sizeof m);
    for (int r = 0; r < t->rows; r++, x += t->stride)
        for (int c = 0; c < LANES; c++) {
            double d = is_finite(x[c]) ? (double)x[c] - m[c] : 0;
            squares[c] += d * d;
        }
    memcpy(out->squares, squares, sizeof squares);
}

static int is_dead(const cvs_stats *s)
{
    return s->count > 0 && s->n_nan + s->n_inf == 0 && s->max <= 0 && s->min == s->max;
}

void cx_stats_channels(cvs_stats *out, const float *x, int64_t positions, int64_t channels)
{
    float padded[ROWS * LANES];
    for (int64_t first = 0; first < channels; first += LANES) {
        lanes l = {0};
        double mean[LANES];
        for (int c = 0; c < LANES; c++) l.low[c] = INFINITY, l.high[c] = -INFINITY;
        for (int64_t p = 0; p < positions; p += ROWS) {
            tile t = tile_at(padded, x, p, positions, first, channels);
            add_values(&l, &t);
        }
        for (int c = 0; c < LANES; c++) {
            int64_t n = l.n_finite[c];
            mean[c] = n ? l.sum[c] / (double)n : 0;
        }
        for (int64_t p = 0; p < positions; p += ROWS) {
            tile t = tile_at(padded, x, p, positions, first, channels);
            add_squares(&l, mean, &t);
        }
        for (int c = 0; c < LANES && first + c < channels; c++) {
            cvs_stats *s = &out[first + c];
            int64_t n = l.n_finite[c];
            *s = (cvs_stats){.count = n, .n_nan = l.n_nan[c]};
            s->n_inf = positions - n - s->n_nan;
            if (n == 0) continue;
            s->min = (double)l.low[c];
            s->max = (double)l.high[c];
            s->mean = mean[c];
            s->std = sqrt(l.squares[c] / (double)n);
            s->sparsity = 1 - (double)l.positive[c] / (double)n;
            s->dead = is_dead(s);
        }
    }
}

void cx_stats_pool(cvs_stats *out, const cvs_stats *parts, int64_t n)
{
    cvs_stats all = {.min = INFINITY, .max = -INFINITY};
    double sum = 0, not_positive = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        const cvs_stats *s = &parts[i];
        all.count += s->count;
        all.n_nan += s->n_nan;
        all.n_inf += s->n_inf;
        if (s->count == 0) continue;
        if (s->min < all.min) all.min = s->min;
        if (s->max > all.max) all.max = s->max;
        sum += s->mean * (double)s->count;
        not_positive += s->sparsity * (double)s->count;
    }
    if (all.count == 0) {
        all.min = all.max = 0;
        *out = all;
        return;
    }
    all.mean = sum / (double)all.count;
    for (int64_t i = 0; i < n; i++) { /* within the part, and of its mean around the whole's */
        double d = parts[i].mean - all.mean;
        squares += (double)parts[i].count * (parts[i].std * parts[i].std + d * d);
    }
    all.std = sqrt(squares / (double)all.count);
    all.sparsity = not_positive / (double)all.count;
    all.dead = is_dead(&all);
    *out = all;
}
