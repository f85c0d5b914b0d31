/* book.c - Deep Learning with Python, 1st edition (5.4.1) and 2nd (9.4.1); Deep Learning with R,
 * 1st edition (5.4.1) and 2nd (9.4.1): their pictures of intermediate activations, dot for dot. The
 * Python books drop what is left of the channels after whole rows of 16, and so does R's first. All
 * would show nothing for less than 16 channels: then one row with those that there are is drawn. */
#include "draw/book.h"

#include <math.h>
#include <string.h>

enum { PER_ROW = 16 };

static void grid(const cx_sheet *s, int64_t *rows, int64_t *columns)
{
    *columns = s->channels < PER_ROW ? s->channels : PER_ROW;
    *rows = s->channels / *columns;
}

/* --- Python --- */

/* To unsigned bytes as NumPy casts on x86: the fraction is cut off, NaN is 0. */
static uint8_t to_byte(float v)
{
    if (!(v > 0)) return 0;
    return v < 255 ? (uint8_t)v : 255;
}

/* 64 z + 128 with z = (a - mean) / std of the population. In float32 as in the book, but with sums
 * in double: NumPy's pairwise float32 sums come as near as makes no odds. A channel without
 * deviation is 0 / 0. */
static void standardize(float *a, int64_t n)
{
    double sum = 0, square = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)a[i];
    const float mean = (float)(sum / (double)n);
    sum = 0;
    for (int64_t i = 0; i < n; i++) {
        a[i] -= mean;
        sum += (double)a[i];
    }
    const double rest = sum / (double)n;
    for (int64_t i = 0; i < n; i++) square += ((double)a[i] - rest) * ((double)a[i] - rest);
    const float std = (float)sqrt(square / (double)n);
    for (int64_t i = 0; i < n; i++) {
        a[i] /= std;
        a[i] *= 64;
        a[i] += 128;
    }
}

static double channel_sum(const float *a, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)a[i];
    return sum;
}

/* imshow() stretches the finished canvas from its own least to its own largest value over viridis:
 * the same byte may get another colour in another layer. */
static void stretch(cx_canvas *canvas)
{
    size_t n = (size_t)canvas->width * (size_t)canvas->height;
    uint8_t *p = canvas->data, lo = p[0], hi = p[0], colour[256] = {0};
    for (size_t i = 1; i < n; i++) {
        if (p[i] < lo) lo = p[i];
        if (p[i] > hi) hi = p[i];
    }
    for (int v = lo; v <= hi && hi > lo; v++)
        colour[v] = (uint8_t)cx_colormap_index((double)(v - lo) / (hi - lo), CX_MAP_SIZE);
    for (size_t i = 0; i < n; i++) p[i] = colour[p[i]];
    cx_colormap_fill(canvas->palette, CX_MAP_SIZE, CX_MAP_VIRIDIS);
    canvas->n_colours = CX_MAP_SIZE;
}

/* The first edition sets tiles side by side. The second leaves a pixel of 0 between them and keeps
 * a channel that sums to 0 as it is. */
static int draw_python(cx_canvas *out, const cx_sheet *s, int second, cvs_error *err)
{
    const int64_t h = s->height, w = s->width, gap = second;
    int64_t rows, columns;
    cx_block memory = {0};
    int rc;

    grid(s, &rows, &columns);
    TRY(cx_canvas_renew(out, (w + gap) * columns - gap, (h + gap) * rows - gap, 1, 0, err));
    TRY(cx_block_init(&memory, (size_t)(h * w) * sizeof(float), err));
    float *a = memory.data;
    for (int64_t c = 0; c < rows * columns; c++) {
        for (int64_t i = 0; i < h * w; i++) a[i] = s->data[i * s->channels + c];
        if (!second || channel_sum(a, h * w) != 0) standardize(a, h * w);
        uint8_t *to = out->data + c / columns * (h + gap) * out->width + c % columns * (w + gap);
        for (int64_t y = 0; y < h; y++, to += out->width)
            for (int64_t x = 0; x < w; x++) to[x] = to_byte(a[y * w + x]);
    }
    stretch(out);
out:
    cx_block_deinit(&memory);
    return rc;
}

/* --- R --- */

/* A channel as R's image(z, asp = 1) sees it. */
typedef struct r_channel {
    const float *first;    /* value 0, 0 */
    int64_t height, width; /* values lie `step` apart */
    int64_t step;
    double lo, hi; /* zlim: the finite values' range, widened when it is empty */
    double sum;
} r_channel;

void cx_book_widen(double *low, double *high)
{
    if (*low != *high) return;
    double half = *low == 0 ? 1 : 0.4 * fabs(*low);
    *high = *low + half;
    *low -= half;
}

/* The least and what is just above a break belong below it by R's two small numbers. */
int cx_book_bin(double v, double low, double high, int n)
{
    if (!isfinite(v)) return -1;
    return (int)floor((n - 1e-5) * ((v - low) / (high - low)) + 1e-7);
}

static r_channel r_measure(const cx_sheet *s, int64_t c)
{
    r_channel r = {s->data + c, s->height, s->width, s->channels, INFINITY, -INFINITY, 0};
    for (int64_t i = 0; i < s->height * s->width; i++) {
        double v = (double)r.first[i * r.step];
        r.sum += v;
        if (!isfinite(v)) continue;
        if (v < r.lo) r.lo = v;
        if (v > r.hi) r.hi = v;
    }
    cx_book_widen(&r.lo, &r.hi);
    return r;
}

/* How far an axis of n values reaches: image() puts their middles at 0 … 1, so that asp = 1 makes
 * any map nearly square, whatever its shape. */
static double r_reach(int64_t n)
{
    return (double)n / (double)(n - 1);
}

/* The value of n over `length` dots that lies `place` dots from the first. */
static int64_t r_value_at(double place, double length, int64_t n)
{
    int64_t i = (int64_t)(place / length * (double)n);
    return i < n ? i : n - 1;
}

/* Draw into the square plot region of `side` pixels at x, y. A dot belongs to the value that its
 * middle lies in. */
static void r_image(cx_canvas *out, const r_channel *r, double x, double y, double side,
                    const uint8_t *colours, int n)
{
    double width = side, height = side;
    if (r->width > 1 && r->height > 1) {
        double across = r_reach(r->width), down = r_reach(r->height);
        double unit = side / fmax(across, down);
        width = unit * across;
        height = unit * down;
    }
    x += (side - width) / 2;
    y += (side - height) / 2;
    for (int i = (int)ceil(y - 0.5); i + 0.5 < y + height; i++)
        for (int j = (int)ceil(x - 0.5); j + 0.5 < x + width; j++) {
            int64_t row = r_value_at(i + 0.5 - y, height, r->height);
            int64_t column = r_value_at(j + 0.5 - x, width, r->width);
            double v = (double)r->first[(row * r->width + column) * r->step];
            int c = cx_book_bin(v, r->lo, r->hi, n);
            uint8_t *dot = out->data + 3 * ((int64_t)i * out->width + j);
            if (c >= 0) memcpy(dot, colours + (ptrdiff_t)3 * c, 3);
        }
}

/* par(mfrow, mai = 0.02 inch) on a png() of 72 dots an inch, 58 a cell: the plot region of a cell
 * begins 1.44 dots from its edges. Dots that it covers only in part are blended with the paper by
 * some of R's devices and not by others; here a dot is in or out by its middle, so the margin is
 * one dot. */
static int draw_r1(cx_canvas *out, const cx_sheet *s, cvs_error *err)
{
    enum { CELL = 58, COLOURS = 12 };
    uint8_t colours[3 * COLOURS];
    const double margin = 0.02 * 72;
    int64_t rows, columns;
    grid(s, &rows, &columns);
    int rc = cx_canvas_renew(out, CELL * columns, CELL * rows, 3, 255, err);
    if (rc < 0) return rc;
    cx_terrain_colors(colours, COLOURS);
    for (int64_t c = 0; c < rows * columns; c++) {
        r_channel r = r_measure(s, c);
        r_image(out, &r, (double)(CELL * (c % columns)) + margin,
                (double)(CELL * (c / columns)) + margin, CELL - 2 * margin, colours, COLOURS);
    }
    return 0;
}

void cx_book_mfrow(int64_t *rows, int64_t *columns, int64_t n)
{
    *rows = (int64_t)ceil(sqrt((double)n / 1.75));
    *columns = (n + *rows - 1) / *rows;
    /* Empty places go by a column first, then by a row, as long as one can. */
    for (;;)
        if (*rows * (*columns - 1) >= n)
            --*columns;
        else if ((*rows - 1) * *columns >= n)
            --*rows;
        else
            return;
}

static void fill_gray(cx_canvas *out, int64_t x, int64_t y, int64_t side)
{
    const int gray = 190; /* R's "gray" */
    for (int64_t i = y; i < y + side; i++)
        memset(out->data + 3 * (i * out->width + x), gray, (size_t)(3 * side));
}

/* 256 colours, and plain gray for a channel that sums to 0. The book draws on whatever device is
 * open; here a cell has a dot for each value of a square map, and the margin of a tenth of a line
 * is one dot. */
static int draw_r2(cx_canvas *out, const cx_sheet *s, cvs_error *err)
{
    enum { COLOURS = 256, MARGIN = 1 };
    const int64_t side = s->height > s->width ? s->height : s->width, cell = side + 2 * MARGIN;
    uint8_t colours[3 * COLOURS];
    int64_t rows, columns;
    cx_book_mfrow(&rows, &columns, s->channels);
    int rc = cx_canvas_renew(out, cell * columns, cell * rows, 3, 255, err);
    if (rc < 0) return rc;
    cx_terrain_colors(colours, COLOURS);
    for (int64_t c = 0; c < s->channels; c++) {
        int64_t x = c % columns * cell + MARGIN, y = c / columns * cell + MARGIN;
        r_channel r = r_measure(s, c);
        if (r.sum == 0)
            fill_gray(out, x, y, side);
        else
            r_image(out, &r, (double)x, (double)y, (double)side, colours, COLOURS);
    }
    return 0;
}

int cx_book_draw(cx_canvas *out, const cx_sheet *s, cvs_style style, cvs_error *err)
{
    switch (style) {
    case CVS_STYLE_PY1:
        return draw_python(out, s, 0, err);
    case CVS_STYLE_PY2:
        return draw_python(out, s, 1, err);
    case CVS_STYLE_R1:
        return draw_r1(out, s, err);
    case CVS_STYLE_R2:
        return draw_r2(out, s, err);
    case CVS_STYLE_DEFAULT:
        break;
    }
    *out = (cx_canvas){0};
    return cx_fail(err, CVS_E_ARG, "%d is no style of a sheet", (int)style);
}
