/* font.h - glyphs of DejaVu Sans, which is built into the library. */
#ifndef CX_DRAW_FONT_H
#define CX_DRAW_FONT_H

#include <stdint.h>

#include "base/error.h"

/* A font and the glyphs it drew last. One picture or one thread has one of its own. */
typedef struct cx_font cx_font;

int cx_font_new(cx_font **out, cvs_error *err);
void cx_font_free(cx_font *font);

/* A glyph in pixels. The bitmap's top left corner lies at `left`, `top` from the pen on the
 * baseline; top counts upwards. Coverage is 0 … 255, row by row. */
typedef struct cx_glyph {
    int advance, left, top, width, height;
    const uint8_t *coverage;
} cx_glyph;

/* The glyph of the first character of *text in `size` pixels an em, and *text moved past it. What
 * is not UTF-8 or not in the font is a box. Borrowed until the next call. Where memory runs out
 * glyphs are empty; who uses them asks cx_font_ok at the end. */
const cx_glyph *cx_font_next(cx_font *font, int size, const char **text);
int cx_font_ok(const cx_font *font, cvs_error *err);

/* Pixels that text takes along the baseline. */
int cx_font_width(cx_font *font, int size, const char *text);

#endif
