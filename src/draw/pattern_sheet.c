/* pattern_sheet.c - pictures in rows. */
#include "draw/pattern_sheet.h"

#include <math.h>
#include <stdio.h>

#include "draw/words.h"

enum {
    MARGIN = 24,
    GAP = 8,
    STRIP = 16,
    BASE = 4, /* from the strip's lower edge to the baseline */
    GOOD_WIDTH = 1240,
    LEAST_WIDTH = 620,
    LEAST_TILE = 96, /* smaller pictures are enlarged by a whole number */
    MOST_TILE = 256, /* larger ones are made smaller */
    BOOK_SIDE = 8,
    BOOK_GAP = 5,
};

/* How a picture becomes a tile. */
typedef struct tile {
    int width, height;
    int grow;      /* pixels of a value */
    double shrink; /* values of a pixel, 1 at least */
} tile;

static tile tile_of(const cx_pattern_sheet *s)
{
    const int64_t side = s->height > s->width ? s->height : s->width;
    tile t = {.grow = 1, .shrink = 1};
    if (side < LEAST_TILE) t.grow = (int)((LEAST_TILE + side - 1) / side);
    if (side > MOST_TILE) t.shrink = (double)side / MOST_TILE;
    t.width = (int)fmax(1, (double)s->width * t.grow / t.shrink);
    t.height = (int)fmax(1, (double)s->height * t.grow / t.shrink);
    return t;
}

static const float *picture(const cx_pattern_sheet *s, int i)
{
    return s->shown + (int64_t)i * s->height * s->width * s->channels;
}

static uint8_t byte_of(double v)
{
    return v > 0 ? v < 1 ? (uint8_t)(v * 255 + 0.5) : 255 : 0;
}

/* The mean of the values that a pixel stands for. */
static double value_at(const cx_pattern_sheet *s, const float *x, const tile *t, int row,
                       int column, int64_t channel)
{
    const int64_t y0 = (int64_t)(row * t->shrink / t->grow),
                  x0 = (int64_t)(column * t->shrink / t->grow);
    int64_t y1 = (int64_t)((row + 1) * t->shrink / t->grow),
            x1 = (int64_t)((column + 1) * t->shrink / t->grow);
    double sum = 0;
    if (y1 <= y0) y1 = y0 + 1;
    if (x1 <= x0) x1 = x0 + 1;
    for (int64_t y = y0; y < y1; y++)
        for (int64_t k = x0; k < x1; k++)
            sum += (double)x[(y * s->width + k) * s->channels + channel];
    return sum / (double)((y1 - y0) * (x1 - x0));
}

static void draw_picture(cx_canvas *canvas, const cx_pattern_sheet *s, int i, const tile *t,
                         int left, int top)
{
    const float *x = picture(s, i);
    for (int row = 0; row < t->height; row++) {
        uint8_t *to = canvas->data + 3 * ((int64_t)(top + row) * canvas->width + left);
        for (int column = 0; column < t->width; column++)
            for (int c = 0; c < 3; c++)
                *to++ = byte_of(value_at(s, x, t, row, column, s->channels < 3 ? 0 : c));
    }
}

static void draw_label(cx_canvas *canvas, cx_font *font, const cx_pattern_sheet *s, int i, int x,
                       int y, int width)
{
    char number[32];
    cx_pen pen = {.canvas = canvas, .font = font, .left = x, .width = width, .x = x};
    pen.y = y - BASE;
    pen.size = CX_SMALL_SIZE;
    pen.ink = CX_TITLE_INK;
    const char *said = s->words && s->words[i] ? s->words[i] : "";
    const int words = cx_font_width(font, CX_SMALL_SIZE, said);
    if (!s->names) snprintf(number, sizeof number, "%lld", (long long)s->numbers[i]);
    cx_pen_put_within(&pen, s->names ? s->names[i] : number, s->names ? width - words - 8 : width);
    if (!*said) return;
    const int at = x + width - words;
    pen.ink = CX_SMALL_INK;
    if (at > pen.x + 4) {
        pen.x = at;
        cx_pen_put(&pen, said);
    }
}

static int check(const cx_pattern_sheet *s, cvs_error *err)
{
    if (s->n > 0 && s->height > 0 && s->width > 0 && s->channels > 0) return 0;
    return cx_fail(err, CVS_E_ARG, "no patterns to draw");
}

int cx_pattern_sheet_draw(cx_bytes *png, cx_easel *easel, const cx_pattern_sheet *s, cvs_error *err)
{
    const cx_heading words = {s->title, s->subtitle, s->note};
    int rc;
    *png = (cx_bytes){0};
    TRY(check(s, err));
    if (!easel->font) TRY(cx_font_new(&easel->font, err));
    const tile t = tile_of(s);
    const int pitch = t.width + GAP, fit = (GOOD_WIDTH + GAP) / pitch;
    const int columns = fit < 1 ? 1 : fit < s->n ? fit : s->n;
    const int rows = (s->n + columns - 1) / columns;
    const int wide = columns * pitch - GAP, width = wide > LEAST_WIDTH ? wide : LEAST_WIDTH;
    const int top = MARGIN + cx_heading_draw(NULL, easel->font, &words, 0, 0, width) + GAP;
    const int64_t below = top + (int64_t)rows * (t.height + STRIP + GAP);
    TRY(cx_canvas_renew(&easel->canvas, width + 2 * MARGIN, below + CX_LINE + MARGIN, 3, 255, err));
    cx_canvas_colours(&easel->canvas, CX_MAP_VIRIDIS);
    cx_heading_draw(&easel->canvas, easel->font, &words, MARGIN, MARGIN, width);
    for (int i = 0; i < s->n; i++) {
        const int x = MARGIN + i % columns * pitch;
        const int y = top + i / columns * (t.height + STRIP + GAP) + STRIP;
        draw_label(&easel->canvas, easel->font, s, i, x, y, t.width);
        draw_picture(&easel->canvas, s, i, &t, x, y);
    }
    cx_pen pen = {.canvas = &easel->canvas, .font = easel->font, .left = MARGIN, .width = width};
    pen.x = MARGIN;
    pen.y = (int)below + CX_LINE;
    cx_pen_lines(&pen, CX_SMALL_SIZE, CX_SMALL_INK, s->caption);
    TRY(cx_font_ok(easel->font, err));
    rc = cx_canvas_png(png, &easel->canvas, s->title, err);
out:
    return rc;
}

int cx_pattern_draw(cx_bytes *png, cx_easel *easel, const cx_pattern_sheet *s, int i,
                    cvs_error *err)
{
    const tile t = {(int)s->width, (int)s->height, 1, 1};
    int rc;
    *png = (cx_bytes){0};
    TRY(check(s, err));
    TRY(cx_canvas_renew(&easel->canvas, s->width, s->height, 3, 0, err));
    draw_picture(&easel->canvas, s, i, &t, 0, 0);
    rc = cx_canvas_png(png, &easel->canvas, s->title, err);
out:
    return rc;
}

/* --- the books' grids --- */

/* What uint8 keeps of a value: it cuts off, it does not round. */
static int cut(float v)
{
    return (int)(v * 255);
}

int cx_pattern_book_draw(cx_bytes *png, cx_easel *easel, const cx_pattern_sheet *s,
                         int first_edition, cvs_error *err)
{
    const int64_t h = s->height, w = s->width, size = h * w * s->channels;
    const int n = s->n < CX_BOOK_PATTERNS ? s->n : CX_BOOK_PATTERNS;
    int rc, most = 1;
    *png = (cx_bytes){0};
    TRY(check(s, err));
    TRY(cx_canvas_renew(&easel->canvas, BOOK_SIDE * w + (BOOK_SIDE - 1) * BOOK_GAP,
                        BOOK_SIDE * h + (BOOK_SIDE - 1) * BOOK_GAP, 3, 0, err));
    for (int64_t k = 0; k < n * size && !first_edition; k++)
        most = cut(s->shown[k]) > most ? cut(s->shown[k]) : most;
    if (first_edition) most = 255;
    for (int i = 0; i < n; i++) {
        const int row = first_edition ? i % BOOK_SIDE : i / BOOK_SIDE;
        const int column = first_edition ? i / BOOK_SIDE : i % BOOK_SIDE;
        const float *x = picture(s, i);
        for (int64_t y = 0; y < h; y++) {
            const int64_t line = row * (h + BOOK_GAP) + y, left = column * (w + BOOK_GAP);
            uint8_t *to = easel->canvas.data + 3 * (line * easel->canvas.width + left);
            for (int64_t k = 0; k < w; k++)
                for (int c = 0; c < 3; c++)
                    *to++ =
                        (uint8_t)(cut(x[(y * w + k) * s->channels + (s->channels < 3 ? 0 : c)]) *
                                  255 / most);
        }
    }
    rc = cx_canvas_png(png, &easel->canvas, s->title, err);
out:
    return rc;
}
