/* heat_book.c - the books' overlays: Deep Learning with Python, 1st edition (5.4.3), 2nd and 3rd
 * (9.4.3 and 10.4; keras.io's Grad-CAM is the same), Deep Learning with R, 1st (5.4.3) and 2nd
 * edition (9.4.3). Python's maps are 0 … 1; numbers outside, which NumPy would wrap round, are cut
 * to it, and NaN is 0. */
#include <math.h>
#include <string.h>

#include "draw/book.h"
#include "draw/heat_field.h"
#include "image/resize.h"
#include "kernels/kernels.h"

static const double python_share = 0.4; /* of the heat, beside all of the photograph */

/* np.uint8(255 * v): the fraction is cut off. */
static int python_level(float v)
{
    v *= 255;
    return v > 0 ? v < 255 ? (int)v : 255 : 0;
}

static uint8_t *pixels(const cx_image *image, int64_t i)
{
    return image->data + 3 * i;
}

/* --- Python, 1st edition --- */

/* cv2.resize() of the map, then OpenCV's JET; cv2.imwrite() rounds and saturates, so that a bright
 * photograph loses its lights. The place of a colour can differ from OpenCV's by one level where
 * its float32 weights round the other way. */
static int draw_py1(cx_canvas *out, const cx_heat_map *map, const cx_image *rgb, cvs_error *err)
{
    const cx_resize r = {.batch = 1,
                         .channels = 1,
                         .in = {map->height, map->width},
                         .out = {rgb->height, rgb->width},
                         .size = {map->height, map->width},
                         .how = CX_BILINEAR};
    const int64_t n = (int64_t)rgb->width * rgb->height;
    uint8_t jet[3 * CX_MAP_SIZE];
    cx_block memory = {0};
    int rc = cx_block_init(&memory, (size_t)n * sizeof(float), err);
    if (rc < 0) return rc;
    const float *v = memory.data;
    cx_resize_forward(&r, map->data, memory.data);
    cx_opencv_jet(jet);
    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) {
            double sum = jet[3 * python_level(v[i]) + c] * python_share + pixels(rgb, i)[c];
            out->data[3 * i + c] = (uint8_t)(sum < 255 ? lrint(sum) : 255);
        }
    cx_block_deinit(&memory);
    return 0;
}

/* --- Python, 2nd and 3rd edition --- */

/* array_to_img() moves the least number to 0 and the largest to 255, whatever they were, and cuts
 * the fraction off: in float32. */
typedef struct stretch {
    float low, high; /* high: above low */
} stretch;

static void stretch_over(stretch *s, float v)
{
    if (v < s->low) s->low = v;
    if (v > s->high) s->high = v;
}

static uint8_t stretched(const stretch *s, float v)
{
    const float range = s->high - s->low;
    v -= s->low;
    if (range != 0) v /= range;
    return (uint8_t)(v * 255);
}

/* The map's cells in jet, as an image. */
static int jet_image(cx_image *out, const cx_heat_map *map, cvs_error *err)
{
    const int64_t n = map->height * map->width;
    float jet[CX_MAP_SIZE][3];
    stretch s = {INFINITY, -INFINITY};
    int rc = cx_image_init(out, (int)map->width, (int)map->height, 3, err);
    if (rc < 0) return rc;
    for (int i = 0; i < CX_MAP_SIZE; i++) {
        double colour[3];
        cx_jet(colour, i / (double)(CX_MAP_SIZE - 1));
        for (int c = 0; c < 3; c++) jet[i][c] = (float)colour[c];
    }
    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) stretch_over(&s, jet[python_level(map->data[i])][c]);
    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < 3; c++)
            pixels(out, i)[c] = stretched(&s, jet[python_level(map->data[i])][c]);
    return 0;
}

/* Coloured first, then resized by Pillow, whose default is bicubic since Pillow 7 (2020; nearest
 * before). The last stretch darkens or brightens the photograph. */
static int draw_py2(cx_canvas *out, const cx_heat_map *map, const cx_image *rgb, cvs_error *err)
{
    const int64_t n = 3 * (int64_t)rgb->width * rgb->height;
    const float share = (float)python_share;
    cx_image small = {0}, heat = {0};
    stretch s = {INFINITY, -INFINITY};
    int rc;
    TRY(jet_image(&small, map, err));
    TRY(cx_resize_pillow_bicubic(&heat, &small, rgb->width, rgb->height, err));
    for (int64_t i = 0; i < n; i++) stretch_over(&s, (float)heat.data[i] * share + rgb->data[i]);
    for (int64_t i = 0; i < n; i++)
        out->data[i] = stretched(&s, (float)heat.data[i] * share + rgb->data[i]);
out:
    cx_image_deinit(&heat);
    cx_image_deinit(&small);
    return rc;
}

/* --- R --- */

typedef struct range {
    double low, high; /* of the finite numbers */
} range;

static range range_of(const cx_heat_map *map)
{
    range r = {INFINITY, -INFINITY};
    for (int64_t i = 0; i < map->height * map->width; i++) {
        const double v = (double)map->data[i];
        if (!isfinite(v)) continue;
        r.low = fmin(r.low, v);
        r.high = fmax(r.high, v);
    }
    return r;
}

/* ImageMagick's Quadratic filter, a B-spline of second order. */
static double spline(double x)
{
    x = fabs(x);
    if (x < 0.5) return 0.75 - x * x;
    return x < 1.5 ? 0.5 * (x - 1.5) * (x - 1.5) : 0;
}

/* What pixel o of `size` is of n cells, which lie `step` floats apart and have four numbers each.
 */
static void mix_cells(double out[4], const float *cells, int64_t n, int64_t step, int64_t o,
                      int64_t size)
{
    const double factor = (double)n / (double)size, reach = fmax(factor, 1);
    const double centre = ((double)o + 0.5) * factor;
    const int64_t first = (int64_t)fmax(centre - 1.5 * reach + 0.5, 0);
    const int64_t end = (int64_t)fmin(centre + 1.5 * reach + 0.5, (double)n);
    double sum = 0;
    for (int c = 0; c < 4; c++) out[c] = 0;
    for (int64_t i = first; i < end; i++) {
        const double weight = spline(((double)i + 0.5 - centre) / reach);
        for (int c = 0; c < 4; c++) out[c] += weight * (double)cells[i * step + c];
        sum += weight;
    }
    for (int c = 0; c < 4; c++) out[c] /= sum;
}

/* Cells in the 20 colours of viridis(20), the lower the more transparent, as red, green, blue times
 * alpha, and alpha. The book draws them by image() on a png() of 14 dots for the 14 cells of VGG16;
 * here any map has a dot for each cell, and a colour all its bits at any alpha. */
static void color_cells(float *out, const cx_heat_map *map)
{
    enum { COLOURS = 20 };
    static const uint32_t viridis[COLOURS] = {
        0x440154, 0x481568, 0x482677, 0x453781, 0x3f4788, 0x39558c, 0x32648e,
        0x2d718e, 0x287d8e, 0x238a8d, 0x1f968b, 0x20a386, 0x29af7f, 0x3cbc75,
        0x56c667, 0x74d055, 0x94d840, 0xb8de29, 0xdce318, 0xfde725,
    };
    range r = range_of(map);
    cx_book_widen(&r.low, &r.high);
    for (int64_t i = 0; i < map->height * map->width; i++, out += 4) {
        const int bin = cx_book_bin((double)map->data[i], r.low, r.high, COLOURS);
        memset(out, 0, 4 * sizeof *out);
        if (bin < 0) continue;
        out[3] = floorf((float)bin * 255 / (COLOURS - 1)) / 255;
        for (int c = 0; c < 3; c++) out[c] = (float)(viridis[bin] >> (16 - 8 * c) & 255) * out[3];
    }
}

/* image_composite(heat, photo, "blend", "20"): a fifth of the photograph and four fifths of the
 * heat, whose transparency stays; plotted, the rest of a dot is white. */
static int draw_r1(cx_canvas *out, const cx_heat_map *map, const cx_image *rgb, cvs_error *err)
{
    const double photo = 0.2, heat = 1 - photo;
    const int64_t h = map->height, w = map->width, width = rgb->width, height = rgb->height;
    cx_block memory = {0};
    double dot[4];
    int rc = cx_block_init(&memory, (size_t)(h * (w + width)) * 4 * sizeof(float), err);
    if (rc < 0) return rc;
    float *cells = memory.data, *rows = cells + 4 * h * w; /* h rows of `width` */
    color_cells(cells, map);
    for (int64_t i = 0; i < h; i++)
        for (int64_t x = 0; x < width; x++) {
            mix_cells(dot, cells + 4 * i * w, w, 4, x, width);
            for (int c = 0; c < 4; c++) rows[4 * (i * width + x) + c] = (float)dot[c];
        }
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++) {
            const int64_t i = y * width + x;
            mix_cells(dot, rows + 4 * x, h, 4 * width, y, height);
            for (int c = 0; c < 3; c++) {
                double v = photo * pixels(rgb, i)[c] + heat * (dot[c] + 255 * (1 - dot[3]));
                out->data[3 * i + c] = (uint8_t)(v + 0.5);
            }
        }
    cx_block_deinit(&memory);
    return 0;
}

/* cut(map, 256): which of 256 intervals, closed above, between the least number and the largest;
 * where they are the same, R takes a thousandth on either side, so that it lies in the middle. */
static int cut_of(double v, const range *r)
{
    enum { N = CX_MAP_SIZE };
    if (r->low == r->high) return N / 2 - 1;
    const double bin = ceil((v - r->low) / (r->high - r->low) * N) - 1;
    return bin < 0 ? 0 : (int)bin;
}

/* Cells with sharp edges in 256 Spectral colours, all of the same opacity; what is not finite is
 * left out. */
static int draw_r2(cx_canvas *out, const cx_heat_map *map, const cx_image *rgb)
{
    const double opacity = 0.4;
    const range r = range_of(map);
    uint8_t spectral[3 * CX_MAP_SIZE];
    cx_spectral_colors(spectral, CX_MAP_SIZE);
    for (int64_t y = 0; y < rgb->height; y++)
        for (int64_t x = 0; x < rgb->width; x++) {
            const int64_t i = y * rgb->width + x;
            const int64_t cell = (2 * y + 1) * map->height / (2 * rgb->height) * map->width +
                                 (2 * x + 1) * map->width / (2 * rgb->width);
            const double v = (double)map->data[cell];
            memcpy(out->data + 3 * i, pixels(rgb, i), 3);
            if (!isfinite(v)) continue;
            const uint8_t *ink = spectral + 3 * (CX_MAP_SIZE - 1 - cut_of(v, &r));
            for (int c = 0; c < 3; c++)
                out->data[3 * i + c] =
                    (uint8_t)((1 - opacity) * pixels(rgb, i)[c] + opacity * ink[c] + 0.5);
        }
    return 0;
}

static int draw(cx_canvas *out, const cx_heat_map *map, const cx_image *rgb, cvs_style style,
                cvs_error *err)
{
    switch (style) {
    case CVS_STYLE_PY1:
        return draw_py1(out, map, rgb, err);
    case CVS_STYLE_PY2:
        return draw_py2(out, map, rgb, err);
    case CVS_STYLE_R1:
        return draw_r1(out, map, rgb, err);
    case CVS_STYLE_R2:
        return draw_r2(out, map, rgb);
    case CVS_STYLE_DEFAULT:
        break;
    }
    return cx_fail(err, CVS_E_ARG, "%d is no style of a book's overlay", (int)style);
}

int cx_heat_book(cx_canvas *out, const cx_heat_map *map, const cx_image *photo, cvs_style style,
                 cvs_error *err)
{
    cx_image rgb = {0};
    int rc;
    TRY(cx_heat_check(map, err));
    if (map->height > CX_IMAGE_MAX_SIDE || map->width > CX_IMAGE_MAX_SIDE)
        TRY(cx_fail(err, CVS_E_UNSUPPORTED, "a map of %lld × %lld is too large for an overlay",
                    (long long)map->height, (long long)map->width));
    if (photo->channels != 3) {
        TRY(cx_image_convert(&rgb, photo, 3, err));
        photo = &rgb;
    }
    TRY(cx_canvas_renew(out, photo->width, photo->height, 3, 255, err));
    rc = draw(out, map, photo, style, err);
out:
    cx_image_deinit(&rgb);
    return rc;
}
