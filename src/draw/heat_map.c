/* heat_map.c - a map's numbers: one a place, their scale, their places between pixels. */
#include <math.h>
#include <stdlib.h>

#include "draw/heat_field.h"
#include "kernels/kernels.h"

/* --- scales --- */

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

int cx_heat_robust_limit(double *out, const float *x, int64_t n, cvs_error *err)
{
    const double kept = 0.98;
    size_t finite = 0, i = 0;
    double whole = 0, sum = 0;
    float *sizes = cx_realloc_array(NULL, n > 0 ? (size_t)n : 1, sizeof *sizes);
    *out = 0;
    if (!sizes) return cx_no_memory(err, (size_t)n * sizeof *sizes);
    for (int64_t k = 0; k < n; k++)
        if (isfinite(x[k])) sizes[finite++] = fabsf(x[k]);
    qsort(sizes, finite, sizeof *sizes, by_value);
    for (size_t k = 0; k < finite; k++) whole += (double)sizes[k];
    for (; i < finite; i++) {
        sum += (double)sizes[i];
        if (sum >= kept * whole) break;
    }
    if (i < finite) *out = (double)sizes[i];
    cx_free(sizes);
    return 0;
}

double cx_heat_limit(const cx_heat_map *map)
{
    double largest = 0;
    if (map->limit > 0) return map->limit;
    for (int64_t i = 0; i < map->height * map->width; i++) {
        double v = (double)map->data[i], size = map->is_signed ? fabs(v) : v;
        if (isfinite(v) && size > largest) largest = size;
    }
    return largest;
}

cx_heat_facts cx_heat_measure(const cx_heat_map *map)
{
    cx_heat_facts f = {.low = INFINITY, .high = -INFINITY, .limit = cx_heat_limit(map)};
    for (int64_t i = 0; i < map->height * map->width; i++) {
        double v = (double)map->data[i];
        f.n_nan += isnan(v) != 0;
        f.n_inf += isinf(v) != 0;
        if (!isfinite(v)) continue;
        f.n_finite++;
        f.low = fmin(f.low, v);
        f.high = fmax(f.high, v);
    }
    if (f.high > f.limit) f.cuts |= CX_CUT_ABOVE;
    if (f.low < -f.limit) f.cuts |= CX_CUT_BELOW;
    return f;
}

int cx_heat_check(const cx_heat_map *map, cvs_error *err)
{
    int64_t n;
    if (map->data && map->height >= 1 && map->width >= 1 &&
        !cx_mul_count(&n, map->height, map->width) && isfinite(map->limit) && map->limit >= 0)
        return 0;
    return cx_fail(err, CVS_E_ARG, "no map to draw: %lld × %lld values up to %g",
                   (long long)map->height, (long long)map->width, map->limit);
}

/* --- sizes --- */

/* The mean of what is finite in a block of the map, and 1; 0 and 0 where nothing is. */
static void put_mean(float out[2], const cx_heat_map *map, const int64_t from[2],
                     const int64_t to[2])
{
    double sum = 0;
    int64_t n = 0;
    for (int64_t i = from[0]; i < to[0]; i++)
        for (int64_t j = from[1]; j < to[1]; j++) {
            float v = map->data[i * map->width + j];
            if (!isfinite(v)) continue;
            sum += (double)v;
            n++;
        }
    out[0] = n ? (float)(sum / (double)n) : 0;
    out[1] = n ? 1 : 0;
}

/* A pair for each of size[0] × size[1] blocks of equal size: a value and whether there is one. */
static void gather(float *pairs, const cx_heat_map *map, const int64_t size[2])
{
    for (int64_t i = 0; i < size[0]; i++)
        for (int64_t j = 0; j < size[1]; j++, pairs += 2) {
            const int64_t from[2] = {i * map->height / size[0], j * map->width / size[1]};
            const int64_t to[2] = {(i + 1) * map->height / size[0], (j + 1) * map->width / size[1]};
            put_mean(pairs, map, from, to);
        }
}

/* Cells of one axis after averaging: two or more a pixel become one. */
static int64_t cells(int64_t n, int64_t pixels)
{
    return n >= 2 * pixels ? n / (n / pixels) : n;
}

int cx_heat_resize(float *out, const cx_heat_map *map, int64_t width, int64_t height, int has_cells,
                   cvs_error *err)
{
    const cx_resize r = {
        .batch = 1,
        .channels = 2,
        .in = {cells(map->height, height), cells(map->width, width)},
        .out = {height, width},
        .size = {cells(map->height, height), cells(map->width, width)},
        .how = has_cells ? CX_NEAREST : CX_BILINEAR,
    };
    cx_block from = {0}, to = {0};
    int rc;
    TRY(cx_block_init(&from, (size_t)(r.in[0] * r.in[1]) * 2 * sizeof *out, err));
    TRY(cx_block_init(&to, (size_t)(height * width) * 2 * sizeof *out, err));
    gather(from.data, map, r.in);
    cx_resize_forward(&r, from.data, to.data);
    const float *pair = to.data;
    for (int64_t i = 0; i < height * width; i++, pair += 2)
        out[i] = pair[1] >= 0.5f ? pair[0] / pair[1] : NAN; /* those that are there count alone */
out:
    cx_block_deinit(&to);
    cx_block_deinit(&from);
    return rc;
}
