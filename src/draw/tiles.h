/* tiles.h - the values of a layer, drawn where its layout says. */
#ifndef CX_DRAW_TILES_H
#define CX_DRAW_TILES_H

#include "draw/canvas.h"
#include "draw/layout.h"
#include "draw/scale.h"

/* Draw all channels with their numbers; the layout's corner is put at x, y. */
int cx_tiles_draw(cx_canvas *canvas, cx_font *font, const cx_sheet *s, const cx_scale *scale,
                  const cx_layout *layout, int x, int y, cvs_error *err);

#endif
