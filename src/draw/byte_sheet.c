/* byte_sheet.c - numbers as gray pictures of bytes. */
#include "draw/byte_sheet.h"

#include <math.h>

#include "image/image.h"

uint8_t cx_byte_of(double v, double low, double high)
{
    if (!isfinite(v)) return CX_NO_NUMBER;
    if (!(high > low)) return 0;
    return (uint8_t)lround((fmin(high, fmax(low, v)) - low) * CX_LEVELS_OF_BYTE / (high - low));
}

static void find_ranges(cx_byte_sheet *s, const float *x, int64_t stride)
{
    for (int c = 0; c < s->channels; c++) {
        float low = INFINITY, high = -INFINITY;
        for (int64_t i = 0; i < s->height * s->width; i++) {
            const float v = x[i * stride + c];
            if (!isfinite(v)) continue;
            low = fminf(low, v);
            high = fmaxf(high, v);
        }
        s->low[c] = low <= high ? low : 0;
        s->high[c] = low <= high ? high : 0;
    }
}

static void join_ranges(cx_byte_sheet *s)
{
    float low = s->low[0], high = s->high[0];
    for (int c = 1; c < s->channels; c++) {
        low = fminf(low, s->low[c]);
        high = fmaxf(high, s->high[c]);
    }
    for (int c = 0; c < s->channels; c++) {
        s->low[c] = low;
        s->high[c] = high;
    }
}

static void fill(cx_byte_sheet *s, const float *x, int64_t stride)
{
    for (int c = 0; c < s->channels; c++) {
        uint8_t *at = (uint8_t *)s->bytes.data + c / s->columns * s->height * s->sheet_width +
                      c % s->columns * s->width;
        for (int64_t r = 0; r < s->height; r++)
            for (int64_t q = 0; q < s->width; q++)
                at[r * s->sheet_width + q] = cx_byte_of((double)x[(r * s->width + q) * stride + c],
                                                        (double)s->low[c], (double)s->high[c]);
    }
}

int cx_byte_sheet_init(cx_byte_sheet *out, const float *x, int64_t height, int64_t width,
                       int64_t stride, int channels, int is_common, cvs_error *err)
{
    cx_byte_sheet *s = out;
    int64_t size;
    int rc = 0;
    *s = (cx_byte_sheet){.height = height, .width = width, .channels = channels};
    s->columns = (int)ceil(sqrt((double)channels * (double)height / (double)width));
    if (s->columns > channels) s->columns = channels;
    s->sheet_width = s->columns * width;
    if (cx_mul_count(&size, (channels + s->columns - 1) / s->columns, height) ||
        cx_mul_count(&size, size, s->sheet_width))
        TRY(cx_no_memory(err, SIZE_MAX));
    s->sheet_height = size / s->sheet_width;
    TRY(cx_block_init(&s->ranges, 2 * (size_t)channels * sizeof *s->low, err));
    TRY(cx_block_init(&s->bytes, (size_t)size, err));
    s->low = s->ranges.data;
    s->high = s->low + channels;
    find_ranges(s, x, stride);
    if (is_common) join_ranges(s);
    fill(s, x, stride);
out:
    if (rc < 0) cx_byte_sheet_deinit(s);
    return rc;
}

void cx_byte_sheet_deinit(cx_byte_sheet *s)
{
    cx_block_deinit(&s->ranges);
    cx_block_deinit(&s->bytes);
    *s = (cx_byte_sheet){0};
}

int cx_gray_png(cx_bytes *out, const uint8_t *gray, int64_t height, int64_t width, cvs_error *err)
{
    *out = (cx_bytes){0};
    if (height > INT32_MAX || width > INT32_MAX)
        return cx_fail(err, CVS_E_UNSUPPORTED, "a picture of %lld × %lld pixels is too large",
                       (long long)width, (long long)height);
    const cx_png png = {.width = (int)width, .height = (int)height, .channels = 1, .data = gray};
    return cx_png_encode(out, &png, err);
}

int cx_byte_sheet_png(cx_bytes *out, const cx_byte_sheet *s, cvs_error *err)
{
    return cx_gray_png(out, s->bytes.data, s->sheet_height, s->sheet_width, err);
}

int64_t cx_reduced(int64_t n, int k)
{
    return (n + k - 1) / k;
}

int cx_reduce(float **out, const float *x, int64_t h, int64_t w, int64_t c, int k, cvs_error *err)
{
    const int64_t rows = cx_reduced(h, k), cols = cx_reduced(w, k);
    int64_t n;
    *out = NULL;
    if (cx_mul_count(&n, rows * cols, c)) return cx_no_memory(err, SIZE_MAX);
    float *y = *out = cx_calloc((size_t)n, sizeof *y);
    if (!y) return cx_no_memory(err, (size_t)n * sizeof *y);
    for (int64_t r = 0; r < h; r++)
        for (int64_t q = 0; q < w; q++)
            for (int64_t i = 0; i < c; i++)
                y[(r / k * cols + q / k) * c + i] += x[(r * w + q) * c + i];
    for (int64_t r = 0; r < rows; r++)
        for (int64_t q = 0; q < cols; q++) {
            const int64_t high = r == rows - 1 ? h - r * k : k,
                          wide = q == cols - 1 ? w - q * k : k;
            for (int64_t i = 0; i < c; i++) y[(r * cols + q) * c + i] /= (float)(high * wide);
        }
    return 0;
}
