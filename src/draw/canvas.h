/* canvas.h - a picture of palette colours: levels of a colour map, grays and one accent. One of
 * red, green, blue is drawn on in the same colours, and its palette may change on the way. */
#ifndef CX_DRAW_CANVAS_H
#define CX_DRAW_CANVAS_H

#include "base/file.h"
#include "base/mem.h"
#include "draw/colormap.h"
#include "draw/font.h"
#include "image/image.h"

/* What the bytes of a sheet mean. The levels are odd in number so that zero has one of its own in a
 * diverging map. Text is drawn on grays alone: mixing two grays gives a gray. */
enum {
    CX_LEVELS = 217,
    CX_GRAYS = 32,
    CX_BLACK = CX_LEVELS,
    CX_WHITE = CX_BLACK + CX_GRAYS - 1,
    CX_ACCENT, /* what is no number */
    CX_COLOURS,
};
#define CX_GRAY(n) (CX_BLACK + (n)) /* n: 0 black … 31 white */

typedef struct cx_canvas {
    int width, height;
    int channels; /* 1: bytes of the palette; 3: red, green, blue */
    uint8_t *data;
    cx_block block;
    cx_png_scratch scratch;
    uint8_t palette[3 * 256];
    int n_colours;
} cx_canvas;

/* A canvas full of `value` bytes. The product of the sides is limited. */
int cx_canvas_init(cx_canvas *out, int64_t width, int64_t height, int channels, uint8_t value,
                   cvs_error *err);

/* The same in a canvas that there is, in its memory where that suffices. */
int cx_canvas_renew(cx_canvas *canvas, int64_t width, int64_t height, int channels, uint8_t value,
                    cvs_error *err);
void cx_canvas_deinit(cx_canvas *canvas);

/* Set the palette of a sheet. */
void cx_canvas_colours(cx_canvas *canvas, cx_colormap map);

/* Fill, and draw the outline of, a rectangle in a palette colour; what lies outside the canvas is
 * left out. */
void cx_canvas_fill(cx_canvas *canvas, int x, int y, int width, int height, uint8_t colour);
void cx_canvas_frame(cx_canvas *canvas, int x, int y, int width, int height, uint8_t colour);

/* Mix a pixel with a gray, where it is one itself, or on red, green, blue with any palette colour,
 * by a share of 255. Pixels outside the canvas are left out. */
void cx_canvas_blend(cx_canvas *canvas, int x, int y, uint8_t colour, int share);

/* Draw text, its baseline at y, in a gray. */
void cx_canvas_text(cx_canvas *canvas, cx_font *font, int size, int x, int y, uint8_t gray,
                    const char *text);

/* Write as PNG, with a title. */
int cx_canvas_png(cx_bytes *out, cx_canvas *canvas, const char *title, cvs_error *err);

#endif
