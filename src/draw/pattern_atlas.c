/* pattern_atlas.c - a band a layer, from the picture's side of the network to the answer's. */
#include "draw/pattern_atlas.h"

#include <stdio.h>
#include <string.h>

#include "draw/words.h"

enum {
    MARGIN = 24,
    GAP = 8,
    NAMES = 176, /* width of the column of names */
    STRIP = 15,
    BASE = 4,
    TILES = CX_ATLAS_TILES * (CX_ATLAS_SIDE + GAP) - GAP,
    BAND = STRIP + CX_ATLAS_SIDE + GAP,
};

int cx_atlas_band_add(cx_atlas_band *band, const cx_pattern *p, int64_t number, cvs_error *err)
{
    if (band->n == CX_ATLAS_TILES) return cx_fail(err, CVS_E_ARG, "the band is full");
    const int rc = cx_pattern_tile_draw(p, CX_ATLAS_SIDE, CX_ATLAS_SIDE, band->tiles[band->n],
                                        3 * CX_ATLAS_SIDE, err);
    if (rc == 0) band->numbers[band->n++] = number;
    return rc;
}

static void draw_band(cx_canvas *canvas, cx_font *font, const cx_atlas_band *b, int top)
{
    cx_pen pen = {.canvas = canvas, .font = font, .left = MARGIN, .width = NAMES - GAP};
    pen.x = MARGIN;
    pen.y = top + STRIP + 12;
    pen.size = CX_TEXT_SIZE;
    pen.ink = CX_TITLE_INK;
    cx_pen_put_within(&pen, b->name, NAMES - GAP);
    cx_pen_new_line(&pen);
    pen.size = CX_SMALL_SIZE;
    pen.ink = CX_SMALL_INK;
    cx_pen_paragraph(&pen, b->words);
    for (int i = 0; i < b->n; i++) {
        const int x = MARGIN + NAMES + i * (CX_ATLAS_SIDE + GAP);
        char number[32];
        snprintf(number, sizeof number, "%lld", (long long)b->numbers[i]);
        pen = (cx_pen){.canvas = canvas, .font = font, .left = x, .width = CX_ATLAS_SIDE, .x = x};
        pen.y = top + STRIP - BASE;
        pen.size = CX_SMALL_SIZE;
        pen.ink = CX_SMALL_INK;
        cx_pen_put(&pen, number);
        for (int row = 0; row < CX_ATLAS_SIDE; row++)
            memcpy(canvas->data + 3 * ((int64_t)(top + STRIP + row) * canvas->width + x),
                   b->tiles[i] + row * 3 * CX_ATLAS_SIDE, 3 * CX_ATLAS_SIDE);
    }
}

int cx_atlas_draw(cx_bytes *png, cx_easel *easel, const char *title, const char *subtitle,
                  const char *caption, const cx_atlas_band *bands, int n, cvs_error *err)
{
    const cx_heading words = {title, subtitle, NULL};
    const int width = NAMES + TILES;
    cx_canvas *canvas = &easel->canvas;
    int rc;
    *png = (cx_bytes){0};
    if (!easel->font) TRY(cx_font_new(&easel->font, err));
    const int top = MARGIN + cx_heading_draw(NULL, easel->font, &words, 0, 0, width) + GAP;
    const int64_t below = top + (int64_t)n * BAND;
    TRY(cx_canvas_renew(canvas, width + 2 * MARGIN, below + CX_LINE + MARGIN, 3, 255, err));
    cx_canvas_colours(canvas, CX_MAP_VIRIDIS);
    cx_heading_draw(canvas, easel->font, &words, MARGIN, MARGIN, width);
    for (int i = 0; i < n; i++) draw_band(canvas, easel->font, &bands[i], top + i * BAND);
    cx_pen pen = {.canvas = canvas, .font = easel->font, .left = MARGIN, .width = width};
    pen.x = MARGIN;
    pen.y = (int)below + CX_LINE;
    cx_pen_lines(&pen, CX_SMALL_SIZE, CX_SMALL_INK, caption);
    TRY(cx_font_ok(easel->font, err));
    rc = cx_canvas_png(png, canvas, title, err);
out:
    return rc;
}
