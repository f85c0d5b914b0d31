/* curves_row.c - charts side by side. */
#include <string.h>

#include "draw/curves.h"

int cx_curves_draw_row(cx_bytes *png, const cx_curves *charts, int n, const char *title,
                       cvs_error *err)
{
    enum { MOST = 4 };
    cx_easel easels[MOST] = {0};
    cx_canvas page = {0};
    int width = 0, height = 0, rc;
    *png = (cx_bytes){0};
    if (n < 1 || n > MOST) return cx_fail(err, CVS_E_ARG, "a row of %d charts", n);
    for (int i = 0; i < n; i++) {
        TRY(cx_curves_paint(&easels[i], &charts[i], NULL, NULL, err));
        width += easels[i].canvas.width;
        if (easels[i].canvas.height > height) height = easels[i].canvas.height;
    }
    TRY(cx_canvas_init(&page, width, height, 3, 255, err));
    for (int i = 0, x = 0; i < n; x += easels[i++].canvas.width) {
        const cx_canvas *c = &easels[i].canvas;
        for (int y = 0; y < c->height; y++)
            memcpy(page.data + 3 * ((ptrdiff_t)y * width + x),
                   c->data + (ptrdiff_t)3 * y * c->width, (size_t)c->width * 3);
    }
    TRY(cx_canvas_png(png, &page, title, err));
out:
    cx_canvas_deinit(&page);
    for (int i = 0; i < MOST; i++) cx_easel_deinit(&easels[i]);
    return rc;
}
