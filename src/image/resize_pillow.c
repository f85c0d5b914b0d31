/* resize_pillow.c - Pillow's BILINEAR and BICUBIC: a window whose width grows with the reduction,
 * in 22-bit fixed point, first along the rows, then along the columns, with 8 bits kept in between.
 */
#include "image/resize.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

enum { PRECISION = 32 - 8 - 2 }; /* bits after the point: 8 for a pixel, 2 of room for overshoot */

/* What a source pixel weighs at a distance, and the distance from which on it weighs nothing. */
typedef struct filter {
    double (*weight)(double far);
    int reach;
} filter;

static double triangle(double far)
{
    return far < 1 ? 1 - far : 0;
}

/* Keys' cubic with a = -0.5. */
static double cubic(double far)
{
    if (far < 1) return (1.5 * far - 2.5) * far * far + 1;
    return far < 2 ? (((far - 5) * far + 8) * far - 4) * -0.5 : 0;
}

static const filter bilinear = {triangle, 1}, bicubic = {cubic, 2};

/* For each of `n` results: the first source pixel, how many, and their weights. */
typedef struct window {
    int first, count;
} window;

typedef struct axis {
    int n, most; /* most: weights that a result can have */
    window *windows;
    int32_t *weights; /* n rows of `most` */
} axis;

static void axis_deinit(axis *a)
{
    cx_free(a->windows);
    cx_free(a->weights);
}

/* Weights of result o in double precision, as a sum of 1, then in fixed point. */
static window weigh(int32_t *weights, double *exact, int o, double scale, int n_source,
                    const filter *f)
{
    double wide = scale > 1 ? scale : 1, reach = f->reach * wide;
    double centre = (o + 0.5) * scale, sum = 0;
    int first = (int)(centre - reach + 0.5), end = (int)(centre + reach + 0.5);
    if (first < 0) first = 0;
    if (end > n_source) end = n_source;
    double step = 1 / wide;
    for (int i = 0; i < end - first; i++) {
        exact[i] = f->weight(fabs((i + first - centre + 0.5) * step));
        sum += exact[i];
    }
    for (int i = 0; i < end - first; i++) {
        double w = sum != 0 ? exact[i] / sum : exact[i];
        weights[i] = (int32_t)((w < 0 ? -0.5 : 0.5) + w * (1 << PRECISION));
    }
    return (window){first, end - first};
}

static int axis_init(axis *out, int n, int n_source, const filter *f, cvs_error *err)
{
    double scale = (double)n_source / n;
    int most = (int)ceil(f->reach * (scale > 1 ? scale : 1)) * 2 + 1;
    *out = (axis){.n = n, .most = most};
    size_t n_weights = (size_t)n * (size_t)most;
    double *exact = cx_realloc_array(NULL, (size_t)most, sizeof *exact);
    out->windows = cx_calloc((size_t)n, sizeof *out->windows);
    out->weights = cx_calloc(n_weights, sizeof *out->weights);
    if (!exact || !out->windows || !out->weights) {
        cx_free(exact);
        return cx_no_memory(err, n_weights * sizeof *out->weights);
    }
    for (int o = 0; o < n; o++)
        out->windows[o] =
            weigh(out->weights + (size_t)o * (size_t)most, exact, o, scale, n_source, f);
    cx_free(exact);
    return 0;
}

/* A triangle's weights sum to about 1 and can only pass the top; a cubic's overshoot both ways. */
static uint8_t to_pixel(int32_t sum)
{
    int32_t v = sum >> PRECISION;
    return (uint8_t)(v > 255 ? 255 : v < 0 ? 0 : v);
}

/* One row, for a number of channels that the compiler knows. */
static inline __attribute__((always_inline)) void along_row(uint8_t *to, const uint8_t *from,
                                                            const axis *a, size_t channels)
{
    for (int o = 0; o < a->n; o++, to += channels) {
        const int32_t *weights = a->weights + (size_t)o * (size_t)a->most;
        const uint8_t *p = from + (size_t)a->windows[o].first * channels;
        int32_t sum[4];
        for (size_t c = 0; c < channels; c++) sum[c] = 1 << (PRECISION - 1);
        for (int i = 0; i < a->windows[o].count; i++, p += channels)
            for (size_t c = 0; c < channels; c++) sum[c] += p[c] * weights[i];
        for (size_t c = 0; c < channels; c++) to[c] = to_pixel(sum[c]);
    }
}

static int resize_rows(cx_image *out, const cx_image *image, int width, const filter *f,
                       cvs_error *err)
{
    axis a;
    int rc = axis_init(&a, width, image->width, f, err);
    if (rc == 0) rc = cx_image_init(out, width, image->height, image->channels, err);
    for (int y = 0; rc == 0 && y < image->height; y++) {
        const uint8_t *from =
            image->data + (size_t)y * (size_t)image->width * (size_t)image->channels;
        uint8_t *to = out->data + (size_t)y * (size_t)width * (size_t)image->channels;
        switch (image->channels) {
        case 1:
            along_row(to, from, &a, 1);
            break;
        case 2:
            along_row(to, from, &a, 2);
            break;
        case 3:
            along_row(to, from, &a, 3);
            break;
        default:
            along_row(to, from, &a, 4);
            break;
        }
    }
    axis_deinit(&a);
    return rc;
}

static int resize_columns(cx_image *out, const cx_image *image, int height, const filter *f,
                          cvs_error *err)
{
    axis a;
    size_t row = (size_t)image->width * (size_t)image->channels;
    int32_t *sums = cx_realloc_array(NULL, row, sizeof *sums);
    int rc = axis_init(&a, height, image->height, f, err);
    if (rc == 0 && !sums) rc = cx_no_memory(err, row * sizeof *sums);
    if (rc == 0) rc = cx_image_init(out, image->width, height, image->channels, err);
    for (int y = 0; rc == 0 && y < height; y++) {
        const int32_t *weights = a.weights + (size_t)y * (size_t)a.most;
        for (size_t i = 0; i < row; i++) sums[i] = 1 << (PRECISION - 1);
        for (int k = 0; k < a.windows[y].count; k++) {
            const uint8_t *from = image->data + (size_t)(a.windows[y].first + k) * row;
            for (size_t i = 0; i < row; i++) sums[i] += from[i] * weights[k];
        }
        uint8_t *to = out->data + (size_t)y * row;
        for (size_t i = 0; i < row; i++) to[i] = to_pixel(sums[i]);
    }
    cx_free(sums);
    axis_deinit(&a);
    return rc;
}

/* --- alpha --- */

/* Colours are weighed by their alpha, or transparent pixels would bleed: Pillow multiplies before
 * (rounding) and divides after (cutting off). */
static void multiply_alpha(cx_image *image)
{
    size_t n = (size_t)image->channels;
    uint8_t *end = image->data + (size_t)image->width * (size_t)image->height * n;
    for (uint8_t *p = image->data; p < end; p += n)
        for (size_t c = 0; c < n - 1; c++) {
            int t = p[c] * p[n - 1] + 128;
            p[c] = (uint8_t)(((t >> 8) + t) >> 8);
        }
}

static void divide_alpha(cx_image *image)
{
    size_t n = (size_t)image->channels;
    uint8_t *end = image->data + (size_t)image->width * (size_t)image->height * n;
    for (uint8_t *p = image->data; p < end; p += n)
        for (size_t c = 0; c < n - 1 && p[n - 1] > 0; c++) {
            int v = 255 * p[c] / p[n - 1];
            p[c] = (uint8_t)(v > 255 ? 255 : v);
        }
}

/* An axis whose size stays is not touched. */
static int resize_both(cx_image *out, const cx_image *image, int width, int height, const filter *f,
                       cvs_error *err)
{
    cx_image narrow = {0};
    int rc;
    if (image->height == height) return resize_rows(out, image, width, f, err);
    if (image->width == width) return resize_columns(out, image, height, f, err);
    TRY(resize_rows(&narrow, image, width, f, err));
    rc = resize_columns(out, &narrow, height, f, err);
out:
    cx_image_deinit(&narrow);
    return rc;
}

static int resize(cx_image *out, const cx_image *image, int width, int height, const filter *f,
                  cvs_error *err)
{
    cx_image multiplied = {0};
    int has_alpha = image->channels % 2 == 0, rc;
    *out = (cx_image){0};
    if (has_alpha) {
        TRY(cx_image_init(&multiplied, image->width, image->height, image->channels, err));
        memcpy(multiplied.data, image->data,
               (size_t)image->width * (size_t)image->height * (size_t)image->channels);
        multiply_alpha(&multiplied);
        image = &multiplied;
    }
    TRY(resize_both(out, image, width, height, f, err));
    if (has_alpha) divide_alpha(out);
out:
    cx_image_deinit(&multiplied);
    return rc;
}

int cx_resize_pillow(cx_image *out, const cx_image *image, int width, int height, cvs_error *err)
{
    return resize(out, image, width, height, &bilinear, err);
}

int cx_resize_pillow_bicubic(cx_image *out, const cx_image *image, int width, int height,
                             cvs_error *err)
{
    return resize(out, image, width, height, &bicubic, err);
}
