/* sheet.c - a layer's channels on one page. */
#include "draw/sheet.h"

#include "draw/book.h"
#include "draw/header.h"
#include "draw/layout.h"
#include "draw/scale.h"
#include "draw/tiles.h"

enum {
    MARGIN = 24,
    LEAST_WIDTH = 620, /* between the margins: the words want room above one small tile, too */
    AFTER_HEADER = 16,
    BEFORE_FOOTER = 16,
};

static int check(const cx_sheet *s, cvs_error *err)
{
    int64_t n;
    if (s->height >= 1 && s->width >= 1 && s->channels >= 1 &&
        !cx_mul_count(&n, s->height, s->width) && !cx_mul_count(&n, n, s->channels))
        return 0;
    return cx_fail(err, CVS_E_ARG, "nothing to draw: %lld channels of %lld × %lld values",
                   (long long)s->channels, (long long)s->height, (long long)s->width);
}

static int draw_page(cx_canvas *page, cx_font *font, const cx_sheet *s, cvs_error *err)
{
    cx_scale scale;
    cx_layout layout;
    int rc;

    cx_scale_choose(&scale, s);
    cx_layout_plan(&layout, s->height, s->width, s->channels);
    int64_t wide = layout.width > LEAST_WIDTH ? layout.width : LEAST_WIDTH;
    int width = wide < INT32_MAX / 2 ? (int)wide : INT32_MAX / 2; /* too large: init says so */
    int header = cx_header_draw(NULL, font, s, &scale, 0, 0, width);
    int footer = cx_footer_draw(NULL, font, s, &scale, &layout, 0, 0, width);
    int64_t tiles = MARGIN + header + AFTER_HEADER;
    int64_t below = tiles + layout.height + BEFORE_FOOTER;

    TRY(cx_canvas_renew(page, wide + 2 * MARGIN, below + footer + MARGIN, 1, CX_WHITE, err));
    cx_canvas_colours(page, scale.is_signed ? CX_MAP_DIVERGING : CX_MAP_VIRIDIS);
    cx_header_draw(page, font, s, &scale, MARGIN, MARGIN, width);
    TRY(cx_tiles_draw(page, font, s, &scale, &layout, MARGIN, (int)tiles, err));
    cx_footer_draw(page, font, s, &scale, &layout, MARGIN, (int)below, width);
    rc = cx_font_ok(font, err);
out:
    return rc;
}

void cx_easel_deinit(cx_easel *easel)
{
    cx_font_free(easel->font);
    cx_canvas_deinit(&easel->canvas);
    easel->font = NULL;
}

int cx_sheet_paint(cx_easel *easel, const cx_sheet *s, cvs_style style, cvs_error *err)
{
    int rc;
    TRY(check(s, err));
    if (style != CVS_STYLE_DEFAULT) return cx_book_draw(&easel->canvas, s, style, err);
    if (!easel->font) TRY(cx_font_new(&easel->font, err));
    rc = draw_page(&easel->canvas, easel->font, s, err);
out:
    return rc;
}

int cx_sheet_draw(cx_bytes *png, cx_easel *easel, const cx_sheet *s, cvs_style style,
                  cvs_error *err)
{
    *png = (cx_bytes){0};
    int rc = cx_sheet_paint(easel, s, style, err);
    return rc < 0 ? rc : cx_canvas_png(png, &easel->canvas, s->name, err);
}
