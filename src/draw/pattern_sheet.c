/* pattern_sheet.c - pictures in rows. */
#include "draw/pattern_sheet.h"

#include <stdio.h>

#include "draw/pattern_tile.h"
#include "draw/words.h"

enum {
    MARGIN = 24,
    GAP = 8,
    STRIP = 16,
    BASE = 4, /* from the strip's lower edge to the baseline */
    GOOD_WIDTH = 1240,
    LEAST_WIDTH = 620,
    LEAST_TILE = 128,
    MOST_TILE = 256,
    BOOK_SIDE = 8,
    BOOK_GAP = 5,
};

static cx_pattern pattern_of(const cx_pattern_sheet *s, int i)
{
    return (cx_pattern){s->shown + (int64_t)i * s->height * s->width * s->channels, s->height,
                        s->width, s->channels, s->is_pixelated};
}

static void draw_label(cx_canvas *canvas, cx_font *font, const cx_pattern_sheet *s, int i, int x,
                       int y, int width)
{
    char number[32];
    cx_pen pen = {.canvas = canvas, .font = font, .left = x, .width = width, .x = x};
    pen.y = y - BASE;
    pen.size = CX_SMALL_SIZE;
    pen.ink = CX_TITLE_INK;
    snprintf(number, sizeof number, "%lld", (long long)s->numbers[i]);
    cx_pen_put(&pen, number);
    if (!s->words || !s->words[i]) return;
    const int words = cx_font_width(font, CX_SMALL_SIZE, s->words[i]);
    const int at = x + width - words;
    pen.ink = CX_SMALL_INK;
    if (at > pen.x + 4) {
        pen.x = at;
        cx_pen_put(&pen, s->words[i]);
    }
}

static void draw_below(cx_canvas *canvas, cx_font *font, const char *words, int x, int y)
{
    cx_pen pen = {.canvas = canvas, .font = font, .left = x, .x = x, .y = y + STRIP - BASE};
    pen.size = CX_SMALL_SIZE;
    pen.ink = CX_SMALL_INK;
    cx_pen_put(&pen, words);
}

static int check(const cx_pattern_sheet *s, cvs_error *err)
{
    if (s->n > 0 && s->height > 0 && s->width > 0 && s->channels > 0) return 0;
    return cx_fail(err, CVS_E_ARG, "no patterns to draw");
}

int cx_pattern_sheet_paint(cx_easel *easel, const cx_pattern_sheet *s, cvs_error *err)
{
    const cx_heading words = {s->title, s->subtitle, s->note};
    int rc, tile_width, tile_height;
    TRY(check(s, err));
    if (!easel->font) TRY(cx_font_new(&easel->font, err));
    const cx_pattern any = pattern_of(s, 0);
    cx_pattern_tile_size(&any, LEAST_TILE, MOST_TILE, &tile_width, &tile_height);
    const int pitch = tile_width + GAP, fit = (GOOD_WIDTH + GAP) / pitch;
    const int columns = fit < 1 ? 1 : fit < s->n ? fit : s->n;
    const int rows = (s->n + columns - 1) / columns;
    const int wide = columns * pitch - GAP, width = wide > LEAST_WIDTH ? wide : LEAST_WIDTH;
    const int top = MARGIN + cx_heading_draw(NULL, easel->font, &words, 0, 0, width) + GAP;
    const int line = tile_height + STRIP + GAP + (s->below ? STRIP : 0);
    const int64_t below = top + (int64_t)rows * line;
    cx_canvas *canvas = &easel->canvas;
    TRY(cx_canvas_renew(canvas, width + 2 * MARGIN, below + CX_LINE + MARGIN, 3, 255, err));
    cx_canvas_colours(canvas, CX_MAP_VIRIDIS);
    cx_heading_draw(canvas, easel->font, &words, MARGIN, MARGIN, width);
    for (int i = 0; i < s->n; i++) {
        const int x = MARGIN + i % columns * pitch;
        const int y = top + i / columns * line + STRIP;
        const int64_t stride = 3 * (int64_t)canvas->width;
        const cx_pattern p = pattern_of(s, i);
        draw_label(canvas, easel->font, s, i, x, y, tile_width);
        if (s->below && s->below[i])
            draw_below(canvas, easel->font, s->below[i], x, y + tile_height);
        TRY(cx_pattern_tile_draw(&p, tile_width, tile_height, canvas->data + y * stride + 3 * x,
                                 stride, err));
    }
    cx_pen pen = {.canvas = canvas, .font = easel->font, .left = MARGIN, .width = width};
    pen.x = MARGIN;
    pen.y = (int)below + CX_LINE;
    cx_pen_lines(&pen, CX_SMALL_SIZE, CX_SMALL_INK, s->caption);
    rc = cx_font_ok(easel->font, err);
out:
    return rc;
}

int cx_pattern_sheet_draw(cx_bytes *png, cx_easel *easel, const cx_pattern_sheet *s, cvs_error *err)
{
    int rc;
    *png = (cx_bytes){0};
    TRY(cx_pattern_sheet_paint(easel, s, err));
    rc = cx_canvas_png(png, &easel->canvas, s->title, err);
out:
    return rc;
}

int cx_pattern_draw(cx_bytes *png, cx_easel *easel, const cx_pattern_sheet *s, int i,
                    cvs_error *err)
{
    int rc;
    *png = (cx_bytes){0};
    TRY(check(s, err));
    TRY(cx_canvas_renew(&easel->canvas, s->width, s->height, 3, 0, err));
    const cx_pattern p = pattern_of(s, i);
    TRY(cx_pattern_tile_draw(&p, (int)s->width, (int)s->height, easel->canvas.data, 3 * s->width,
                             err));
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
        const float *x = pattern_of(s, i).shown;
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
