/* heat.c - the page of one map: title, picture, colour bar, small print. */
#include "draw/heat.h"

#include <math.h>
#include <stdio.h>

#include "draw/heat_field.h"
#include "draw/scale.h"

enum {
    MARGIN = 24,
    LEAST_WIDTH = 420, /* between the margins: the words want room beside a small picture */
    LEAST_SIDE = 320,  /* that tiny photographs are enlarged to */
    MOST_SIDE = 1024,
    LINE_SIDE = 32, /* thickness of a map of one row or column without a photograph */
    BAR_WIDTH = 280,
    GAP = 12,
    FACT_TEXT = 160,
};

/* --- words --- */

/* A picture without colours is not left without a word. */
static const char *why_empty(const cx_heat *h, const cx_heat_facts *f)
{
    if (f->limit > 0) return NULL;
    if (f->n_finite == 0) return "the map has no finite value";
    return h->map.is_signed || f->low == 0 ? "the map is 0 everywhere"
                                           : "the map has no value above 0";
}

static int header(cx_canvas *canvas, cx_font *font, const cx_heat *h, const cx_heat_facts *f,
                  int width)
{
    const cx_heading words = {h->title, h->subtitle,
                              h->note && *h->note ? h->note : why_empty(h, f)};
    return MARGIN + cx_heading_draw(canvas, font, &words, MARGIN, MARGIN, width) + GAP;
}

static int footer(cx_canvas *canvas, cx_font *font, const cx_heat *h, const cx_heat_facts *f,
                  cx_heat_kind kind, int y, int width)
{
    char text[FACT_TEXT], a[CX_NUMBER_TEXT], b[CX_NUMBER_TEXT];
    cx_pen p = {.canvas = canvas, .font = font, .left = MARGIN, .width = width, .x = MARGIN};
    if (f->limit > 0) {
        int bar = width < BAR_WIDTH ? width : BAR_WIDTH;
        cx_heat_bar(&p, MARGIN + 1, y, bar, f, h->map.is_signed, NULL);
        y += CX_BAR_BLOCK + 4;
    }
    p.x = MARGIN;
    p.y = y + CX_TEXT_SIZE;
    p.size = CX_TEXT_SIZE;
    p.ink = CX_TEXT_INK;
    cx_pen_not_drawn(&p, f->n_nan, f->n_inf);
    p.size = CX_SMALL_SIZE;
    p.ink = CX_SMALL_INK;
    snprintf(text, sizeof text, "map of %lld × %lld", (long long)h->map.height,
             (long long)h->map.width);
    cx_pen_item(&p, text);
    if (f->n_finite > 0) {
        snprintf(text, sizeof text, "values %s … %s", cx_number_text(a, f->low),
                 cx_number_text(b, f->high));
        cx_pen_item(&p, text);
    }
    if (kind == CX_HEAT_OVERLAY) cx_pen_item(&p, "where the map is 0 the photograph is unchanged");
    if (h->contour > 0 && f->limit > 0) {
        snprintf(text, sizeof text, "line at %s", cx_number_text(a, h->contour * f->limit));
        cx_pen_item(&p, text);
    }
    cx_pen_new_line(&p);
    cx_pen_lines(&p, CX_SMALL_SIZE, CX_SMALL_INK, h->caption);
    return p.y - CX_LINE + 4 + 4 + MARGIN;
}

/* --- the picture --- */

/* A picture to be covered where there is no photograph, in the shape of the map. */
static int blank(cx_image *out, const cx_heat_map *map, cvs_error *err)
{
    int width, height;
    cx_heat_fit(&width, &height, map->width, map->height, MOST_SIDE / 2, MOST_SIDE);
    if (width < LINE_SIDE) width = LINE_SIDE;
    if (height < LINE_SIDE) height = LINE_SIDE;
    return cx_image_init(out, width, height, 3, err);
}

static int prepare(cx_image *photo, cx_block *field, const cx_heat *h, cvs_error *err)
{
    int width, height, rc;
    if (h->photo) {
        cx_heat_fit(&width, &height, h->photo->width, h->photo->height, LEAST_SIDE, MOST_SIDE);
        TRY(cx_heat_photo(photo, h->photo, width, height, err));
    } else {
        TRY(blank(photo, &h->map, err));
    }
    const size_t pixels = (size_t)photo->width * (size_t)photo->height;
    TRY(cx_block_init(field, pixels * sizeof(float), err));
    rc = cx_heat_resize(field->data, &h->map, photo->width, photo->height,
                        h->has_cells || !h->photo, err);
out:
    return rc;
}

static int draw_page(cx_easel *easel, const cx_heat *h, cx_heat_kind kind, const cx_image *photo,
                     const float *field, int place[4], cvs_error *err)
{
    cx_canvas *page = &easel->canvas;
    const cx_heat_facts f = cx_heat_measure(&h->map);
    const int width = photo->width > LEAST_WIDTH ? photo->width : LEAST_WIDTH;
    const int top = header(NULL, easel->font, h, &f, width) + 1;
    const int below = top + photo->height + GAP + 2;
    const int height = footer(NULL, easel->font, h, &f, kind, below, width);
    cx_heat_inks inks;
    int rc;

    TRY(cx_canvas_renew(page, (int64_t)width + 2 * MARGIN, height, 3, 255, err));
    cx_heat_inks_choose(&inks, h->map.is_signed, kind);
    cx_heat_palette(page, &inks);
    header(page, easel->font, h, &f, width);
    cx_heat_tile_draw(page,
                      &(cx_heat_tile){.photo = photo,
                                      .field = field,
                                      .inks = &inks,
                                      .limit = f.limit,
                                      .contour = h->contour,
                                      .is_signed = h->map.is_signed},
                      MARGIN + 1, top);
    footer(page, easel->font, h, &f, kind, below, width);
    if (place)
        place[0] = MARGIN + 1, place[1] = top, place[2] = photo->width, place[3] = photo->height;
    rc = cx_font_ok(easel->font, err);
out:
    return rc;
}

int cx_heat_paint(cx_easel *easel, const cx_heat *heat, cx_heat_kind kind, int place[4],
                  cvs_error *err)
{
    cx_image photo = {0};
    cx_block field = {0};
    int rc;
    TRY(cx_heat_check(&heat->map, err));
    if (kind == CX_HEAT_OVERLAY && !heat->photo)
        TRY(cx_fail(err, CVS_E_ARG, "an overlay wants a photograph"));
    if (!easel->font) TRY(cx_font_new(&easel->font, err));
    TRY(prepare(&photo, &field, heat, err));
    rc = draw_page(easel, heat, kind, &photo, field.data, place, err);
out:
    cx_block_deinit(&field);
    cx_image_deinit(&photo);
    return rc;
}

int cx_heat_draw(cx_bytes *png, cx_easel *easel, const cx_heat *heat, cx_heat_kind kind,
                 cvs_error *err)
{
    *png = (cx_bytes){0};
    int rc = cx_heat_paint(easel, heat, kind, NULL, err);
    return rc < 0 ? rc : cx_canvas_png(png, &easel->canvas, heat->title ? heat->title : "", err);
}
