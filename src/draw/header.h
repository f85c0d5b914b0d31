/* header.h - the words of a sheet: what the layer is, what the colours mean, the small print. */
#ifndef CX_DRAW_HEADER_H
#define CX_DRAW_HEADER_H

#include "draw/canvas.h"
#include "draw/layout.h"
#include "draw/scale.h"

/* Draw the words above the tiles into a column of `width` pixels whose corner is x, y, or only
 * measure them where canvas is NULL; gives their height. */
int cx_header_draw(cx_canvas *canvas, cx_font *font, const cx_sheet *s, const cx_scale *scale,
                   int x, int y, int width);

/* The same for the small print below. */
int cx_footer_draw(cx_canvas *canvas, cx_font *font, const cx_sheet *s, const cx_scale *scale,
                   const cx_layout *layout, int x, int y, int width);

#endif
