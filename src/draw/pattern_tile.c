/* pattern_tile.c - one pattern as a tile of a sheet. */
#include "draw/pattern_tile.h"

#include <math.h>

#include "base/mem.h"
#include "kernels/kernels.h"

static int64_t longer(const cx_pattern *p)
{
    return p->height > p->width ? p->height : p->width;
}

void cx_pattern_tile_size(const cx_pattern *p, int side, int most, int *width, int *height)
{
    const int64_t long_side = longer(p);
    double scale = long_side > most ? (double)most / (double)long_side : 1;
    if (long_side < side) scale = (double)side / (double)long_side;
    if (long_side < side && p->is_pixelated) scale = ceil(scale);
    *width = (int)fmax(1, round((double)p->width * scale));
    *height = (int)fmax(1, round((double)p->height * scale));
}

static uint8_t byte_of(double v)
{
    return v > 0 ? v < 1 ? (uint8_t)(v * 255 + 0.5) : 255 : 0;
}

/* Pixels of one that is not enlarged or in squares: the mean of the values that each stands for. */
static void draw_means(const cx_pattern *p, int width, int height, uint8_t *to, int64_t stride)
{
    for (int row = 0; row < height; row++)
        for (int column = 0; column < width; column++)
            for (int c = 0; c < 3; c++) {
                const int64_t y0 = row * p->height / height, x0 = column * p->width / width;
                int64_t y1 = (row + 1) * p->height / height, x1 = (column + 1) * p->width / width;
                const int64_t channel = p->channels < 3 ? 0 : c;
                double sum = 0;
                y1 = y1 > y0 ? y1 : y0 + 1;
                x1 = x1 > x0 ? x1 : x0 + 1;
                for (int64_t y = y0; y < y1; y++)
                    for (int64_t x = x0; x < x1; x++)
                        sum += (double)p->shown[(y * p->width + x) * p->channels + channel];
                to[row * stride + 3 * column + c] = byte_of(sum / (double)((y1 - y0) * (x1 - x0)));
            }
}

int cx_pattern_tile_draw(const cx_pattern *p, int width, int height, uint8_t *to, int64_t stride,
                         cvs_error *err)
{
    if (p->is_pixelated || width <= p->width || height <= p->height) {
        draw_means(p, width, height, to, stride);
        return 0;
    }
    const cx_resize r = {.batch = 1,
                         .channels = p->channels,
                         .in = {p->height, p->width},
                         .out = {height, width},
                         .size = {p->height, p->width},
                         .how = CX_BICUBIC};
    const size_t n = (size_t)width * (size_t)height * (size_t)p->channels;
    float *large = cx_calloc(n, sizeof *large);
    if (!large) return cx_no_memory(err, n * sizeof *large);
    cx_resize_forward(&r, p->shown, large);
    const cx_pattern enlarged = {large, height, width, p->channels, 0};
    draw_means(&enlarged, width, height, to, stride);
    cx_free(large);
    return 0;
}
