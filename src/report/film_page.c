/* film_page.c - a frame, drawn: all frames of a film have their things in the same places. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "draw/heat.h"
#include "draw/scale.h"
#include "draw/words.h"
#include "report/film.h"

enum {
    WIDTH = 1280,
    MARGIN = 24,
    HEAD = 88,   /* height of the title's lines */
    PHOTO = 168, /* side of a photograph */
    STRIP = 18,  /* height of a line of words above pictures */
    PROBE = STRIP + PHOTO + 26,
    BLOCKS = MARGIN + 2 * (PHOTO + 12) + 8, /* where the layers' channels begin */
    BLOCK = (WIDTH - MARGIN - BLOCKS) / CX_FILM_LAYERS,
    COLUMNS = 3, /* of channels */
    TILE = 66,
    PITCH_X = TILE + 4,
    PITCH_Y = TILE + 18,
    KERNEL = 40,
    KERNEL_COLUMNS = 8,
    KERNELS = 32, /* at most */
    TABLE = MARGIN + KERNEL_COLUMNS * (KERNEL + 4) + 28,
    ROW = 24,
    LEAST_ROWS = 8,  /* room for the kernels */
    HISTOGRAM = 140, /* width of one */
};

/* Columns of the table, from its left. */
enum {
    AT_BINS = 160,
    AT_DEVIATION = 314,
    AT_LARGEST = 390,
    AT_SPREAD = 466,
    AT_GRADIENT = 620,
    AT_DEAD = 700,
};

typedef struct page {
    cvs_film *film;
    const cx_film_look *look;
    cx_canvas *canvas;
    cx_font *font;
} page;

static void words(const page *p, int x, int y, int size, int ink, int room, const char *text)
{
    cx_pen pen = {.canvas = p->canvas, .font = p->font, .left = x, .x = x, .y = y, .size = size};
    pen.ink = ink;
    cx_pen_put_within(&pen, text, room);
}

static uint8_t *pixel(const page *p, int x, int y)
{
    return p->canvas->data + 3 * ((ptrdiff_t)y * p->canvas->width + x);
}

/* --- photographs --- */

/* A part of a picture, in side × side pixels. */
static int put_picture(const page *p, const cx_image *from, const int part[4], int x, int y,
                       cvs_error *err)
{
    cx_image cut = {0};
    cx_tensor small = {0};
    int rc;
    TRY(cx_image_init(&cut, part[2], part[3], from->channels, err));
    const size_t row = (size_t)part[2] * (size_t)from->channels;
    for (int i = 0; i < part[3]; i++)
        memcpy(cut.data + (size_t)i * row,
               from->data + ((ptrdiff_t)(part[1] + i) * from->width + part[0]) * from->channels,
               row);
    cx_image rgb = {0};
    rc = cx_image_convert(&rgb, &cut, 3, err);
    if (rc == 0) rc = cx_image_resize(&small, &rgb, PHOTO, PHOTO, CVS_RESIZE_ANTIALIAS, err);
    cx_image_deinit(&rgb);
    if (rc < 0) goto out;
    for (int i = 0; i < PHOTO; i++)
        for (int k = 0; k < 3 * PHOTO; k++)
            pixel(p, x, y + i)[k] =
                (uint8_t)lroundf(fminf(fmaxf(small.data[i * 3 * PHOTO + k], 0), 255));
out:
    cx_tensor_deinit(&small);
    cx_image_deinit(&cut);
    return rc;
}

static void name_class(char out[96], const page *p, const cvs_explanation *e)
{
    const cvs_classes *classes = p->film->o.classes;
    const char *name = classes ? cvs_classes_name(classes, (int)e->class_index) : NULL;
    char number[32];
    snprintf(number, sizeof number, "class %lld", (long long)e->class_index);
    snprintf(out, 96, isnan(e->probability) ? "%.60s" : "%.60s %.2f", name ? name : number,
             e->probability);
}

static int draw_heat(const page *p, int i, int x, int y, cvs_error *err)
{
    const cvs_explanation *e = p->look->probe[i].heat;
    const cx_image *photo = &p->film->photos[i];
    cx_heat heat = {.photo = photo};
    char text[96];
    int place[4], rc;
    if (!e) {
        words(p, x, y - 5, CX_TEXT_SIZE, CX_TEXT_INK, PHOTO, "no heatmap");
        cx_pen pen = {.canvas = p->canvas, .font = p->font, .left = x, .width = PHOTO, .x = x};
        pen.y = y + 16;
        pen.size = CX_SMALL_SIZE;
        pen.ink = CX_SMALL_INK;
        cx_pen_paragraph(&pen, p->look->probe[i].why_not);
        return 0;
    }
    heat.map = (cx_heat_map){e->data, e->height, e->width, e->is_signed, 0};
    name_class(text, p, e);
    words(p, x, y - 5, CX_TEXT_SIZE, CX_TITLE_INK, PHOTO, text);
    TRY(cx_heat_paint(&p->film->heat, &heat, CX_HEAT_OVERLAY, place, err));
    const cx_canvas *c = &p->film->heat.canvas;
    const cx_image drawn = {
        .width = c->width, .height = c->height, .channels = c->channels, .data = c->data};
    TRY(put_picture(p, &drawn, place, x, y, err));
    words(p, x, y + PHOTO + 14, CX_SMALL_SIZE, CX_SMALL_INK, PHOTO, "Grad-CAM: evidence for it");
out:
    return rc;
}

/* --- channels --- */

/* The mean of the map's cells that lie in a pixel of the tile. */
static double cell_of(const cx_stack *s, int64_t channel, int x, int y)
{
    const int64_t x0 = x * s->width / TILE, y0 = y * s->height / TILE;
    int64_t x1 = (x + 1) * s->width / TILE, y1 = (y + 1) * s->height / TILE;
    double sum = 0;
    if (x1 <= x0) x1 = x0 + 1;
    if (y1 <= y0) y1 = y0 + 1;
    for (int64_t i = y0; i < y1; i++)
        for (int64_t k = x0; k < x1; k++)
            sum += (double)s->data[(i * s->width + k) * s->channels + channel];
    return sum / (double)((x1 - x0) * (y1 - y0));
}

/* Colours go from the least to the largest number of the layer. */
static void draw_channel(const page *p, const cx_map *m, int64_t channel, int x, int y)
{
    const double low = m->whole.min, range = m->whole.max - low;
    char number[32];
    snprintf(number, sizeof number, "%lld%s", (long long)channel,
             m->each[channel].dead ? " dead" : "");
    words(p, x, y - 4, CX_SMALL_SIZE, CX_TEXT_INK, TILE, number);
    for (int i = 0; i < TILE; i++)
        for (int k = 0; k < TILE; k++) {
            const double v = cell_of(&m->stack, channel, k, i);
            const double share = range > 0 && isfinite(v) ? (v - low) / range : 0;
            const int level = (int)fmin(fmax(share * CX_LEVELS, 0), CX_LEVELS - 1);
            memcpy(pixel(p, x + k, y + i), p->canvas->palette + (ptrdiff_t)3 * level, 3);
        }
}

static int draw_probe(const page *p, int i, int y, cvs_error *err)
{
    const cx_image *photo = &p->film->photos[i];
    const cx_film_look *l = p->look;
    const int whole[4] = {0, 0, photo->width, photo->height}, top = y + STRIP;
    char text[CX_NUMBER_TEXT + 300], low[CX_NUMBER_TEXT], high[CX_NUMBER_TEXT];
    int rc;
    words(p, MARGIN, top - 5, CX_TEXT_SIZE, CX_TEXT_INK, PHOTO, p->film->names[i]);
    TRY(put_picture(p, photo, whole, MARGIN, top, err));
    TRY(draw_heat(p, i, MARGIN + PHOTO + 12, top, err));
    for (int k = 0; k < l->n_layers; k++) {
        const cx_film_maps *m = &l->probe[i].maps[k];
        const int x = BLOCKS + k * BLOCK;
        snprintf(text, sizeof text, "%.200s", l->layers[k]);
        words(p, x, top - 5, CX_TEXT_SIZE, CX_TEXT_INK, BLOCK - 8, text);
        for (int c = 0; c < m->n; c++)
            draw_channel(p, &m->map, m->strongest[c], x + c % COLUMNS * PITCH_X,
                         top + 14 + c / COLUMNS * PITCH_Y);
        snprintf(text, sizeof text, "%s … %s", cx_number_text(low, m->map.whole.min),
                 cx_number_text(high, m->map.whole.max));
        words(p, x, top + PHOTO + 14, CX_SMALL_SIZE, CX_SMALL_INK, BLOCK - 8, text);
    }
out:
    return rc;
}

/* --- weights --- */

/* Gray in the middle is 0; each kernel has its own scale. */
static void draw_kernel(const page *p, int64_t which, int x, int y)
{
    const cx_film_look *l = p->look;
    const int64_t height = l->kernel[0], width = l->kernel[1], depth = l->kernel[2],
                  count = l->kernel[3];
    double largest = 0;
    for (int64_t i = 0; i < height * width * depth; i++)
        largest = fmax(largest, fabs((double)l->kernels[i * count + which]));
    for (int i = 0; i < KERNEL; i++)
        for (int k = 0; k < KERNEL; k++) {
            const int64_t at = (i * height / KERNEL * width + k * width / KERNEL) * depth;
            for (int c = 0; c < 3; c++) {
                const int64_t from = at + (depth == 3 ? c : 0);
                const double v = (double)l->kernels[from * count + which];
                const double share = largest > 0 && isfinite(v) ? v / largest : 0;
                pixel(p, x + k, y + i)[c] = (uint8_t)lround(127.5 + 127.5 * share);
            }
        }
}

static void draw_kernels(const page *p, int y)
{
    const cx_film_look *l = p->look;
    char text[320];
    if (!l->kernels) return;
    const int64_t n = l->kernel[3] < KERNELS ? l->kernel[3] : KERNELS;
    snprintf(text, sizeof text, "Kernels of %.200s%s", l->kernel_name,
             l->kernel[2] == 3 ? "" : ", of its first input channel");
    words(p, MARGIN, y + 13, CX_CLASS_SIZE, CX_TITLE_INK, TABLE - 2 * MARGIN, text);
    for (int i = 0; i < n; i++)
        draw_kernel(p, i, MARGIN + i % KERNEL_COLUMNS * (KERNEL + 4),
                    y + STRIP + 8 + i / KERNEL_COLUMNS * (KERNEL + 4));
}

/* Heights go by the square root: a network's weights are mostly small, and so are derivatives. */
static void draw_bins(const page *p, const int64_t bins[CX_FILM_BINS], int x, int bottom)
{
    int64_t most = 1;
    for (int i = 0; i < CX_FILM_BINS; i++) most = bins[i] > most ? bins[i] : most;
    for (int i = 0; i < CX_FILM_BINS; i++) {
        const int height = (int)lround((ROW - 5) * sqrt((double)bins[i] / (double)most));
        cx_canvas_fill(p->canvas, x + i * HISTOGRAM / CX_FILM_BINS, bottom - height,
                       HISTOGRAM / CX_FILM_BINS - 1, height, (uint8_t)(CX_LEVELS / 3));
    }
    cx_canvas_fill(p->canvas, x, bottom, HISTOGRAM, 1, CX_GRAY(20));
}

static void number(const page *p, int x, int y, double v)
{
    char text[CX_NUMBER_TEXT];
    if (isfinite(v))
        words(p, x, y, CX_TEXT_SIZE, CX_TEXT_INK, 90, cx_number_text(text, v));
    else
        words(p, x, y, CX_TEXT_SIZE, CX_SMALL_INK, 90, "–");
}

static void draw_dead(const page *p, const cx_film_row *r, int x, int y)
{
    enum { BAR = 90 };
    char text[64];
    if (r->channels < 1) return;
    cx_canvas_fill(p->canvas, x, y - 10, BAR, 10, CX_GRAY(27));
    cx_canvas_fill(p->canvas, x, y - 10, (int)(BAR * r->dead / r->channels), 10, CX_GRAY(8));
    snprintf(text, sizeof text, "%lld of %lld", (long long)r->dead, (long long)r->channels);
    words(p, x + BAR + 8, y, CX_TEXT_SIZE, CX_TEXT_INK, 90, text);
}

static void draw_table(const page *p, int y)
{
    static const struct {
        int at;
        const char *text;
    } heads[] = {{0, "Layer"},
                 {AT_BINS, "its weights"},
                 {AT_DEVIATION, "deviation"},
                 {AT_LARGEST, "largest"},
                 {AT_SPREAD, "its derivatives"},
                 {AT_GRADIENT, "length"},
                 {AT_DEAD, "dead channels"}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        if ((heads[i].at != AT_GRADIENT && heads[i].at != AT_SPREAD) || p->look->is_training)
            words(p, TABLE + heads[i].at, y + 13, i ? CX_TEXT_SIZE : CX_CLASS_SIZE,
                  i ? CX_SMALL_INK : CX_TITLE_INK, 170, heads[i].text);
    for (int i = 0; i < p->look->n_rows; i++) {
        const cx_film_row *r = &p->look->rows[i];
        const int line = y + STRIP + (i + 1) * ROW;
        words(p, TABLE, line, CX_TEXT_SIZE, CX_TEXT_INK, AT_BINS - 12, r->name);
        draw_bins(p, r->bins, TABLE + AT_BINS, line);
        number(p, TABLE + AT_DEVIATION, line, r->deviation);
        number(p, TABLE + AT_LARGEST, line, r->largest);
        if (p->look->is_training) {
            draw_bins(p, r->gradient_bins, TABLE + AT_SPREAD, line);
            number(p, TABLE + AT_GRADIENT, line, r->gradient);
        }
        draw_dead(p, r, TABLE + AT_DEAD, line);
    }
}

int cx_film_page(cvs_film *f, const cx_film_look *l, const char *title, const char *subtitle,
                 cvs_error *err)
{
    const int rows = l->n_rows > LEAST_ROWS ? l->n_rows : LEAST_ROWS;
    const int weights = HEAD + f->n * PROBE;
    const int height = weights + STRIP + (rows + 1) * ROW + MARGIN;
    page p = {f, l, &f->page.canvas, NULL};
    int rc;
    if (!f->page.font) TRY(cx_font_new(&f->page.font, err));
    p.font = f->page.font;
    TRY(cx_canvas_renew(p.canvas, WIDTH, height, 3, 255, err));
    cx_canvas_colours(p.canvas, CX_MAP_VIRIDIS);
    words(&p, MARGIN, 42, CX_TITLE_SIZE, CX_TITLE_INK, WIDTH - 2 * MARGIN, title);
    if (subtitle) words(&p, MARGIN, 64, CX_TEXT_SIZE, CX_TEXT_INK, WIDTH - 2 * MARGIN, subtitle);
    words(&p, BLOCKS, 64, CX_SMALL_SIZE, CX_SMALL_INK, WIDTH - MARGIN - BLOCKS,
          "right: the six strongest channels of layers from the first to the last, below them the "
          "range of all channels' numbers");
    for (int i = 0; i < f->n; i++) TRY(draw_probe(&p, i, HEAD + i * PROBE, err));
    draw_kernels(&p, weights);
    draw_table(&p, weights);
    rc = cx_font_ok(p.font, err);
out:
    return rc;
}
