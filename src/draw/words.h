/* words.h - lines of text and colour bars on a picture. */
#ifndef CX_DRAW_WORDS_H
#define CX_DRAW_WORDS_H

#include "draw/canvas.h"

enum {
    CX_TITLE_SIZE = 22, /* of text, pixels an em */
    CX_CLASS_SIZE = 15,
    CX_TEXT_SIZE = 13,
    CX_SMALL_SIZE = 11,
    CX_TITLE_INK = 0, /* grays */
    CX_TEXT_INK = 6,
    CX_SMALL_INK = 14,
    CX_LINE = 20, /* from line to line */
    CX_BAR_HEIGHT = 14,
    CX_BAR_BLOCK = 34, /* height of a bar and its numbers */
};

/* Where words are put: a column and the pen in it. */
typedef struct cx_pen {
    cx_canvas *canvas; /* NULL: only measure */
    cx_font *font;
    int left, width;
    int x, y; /* the baseline */
    int size, ink;
} cx_pen;

void cx_pen_put(cx_pen *p, const char *text);

/* The same, cut off with an ellipsis where it is longer than `room`. */
void cx_pen_put_within(cx_pen *p, const char *text, int room);

/* Put an item of a list: after a dot where it is not a line's first, on a new line where it does
 * not fit. */
void cx_pen_item(cx_pen *p, const char *text);

/* Put text of any length, broken into lines between words. */
void cx_pen_paragraph(cx_pen *p, const char *text);

void cx_pen_new_line(cx_pen *p);

/* The same on lines of their own, in a size and an ink; nothing for NULL or "". */
void cx_pen_lines(cx_pen *p, int size, int ink, const char *text);

/* The words above a picture: its title, what it is of, a diagnosis; any may be NULL. Draw them into
 * a column of `width` pixels whose corner is x, y, or only measure them where canvas is NULL; gives
 * their height. */
typedef struct cx_heading {
    const char *title, *subtitle, *note;
} cx_heading;
int cx_heading_draw(cx_canvas *canvas, cx_font *font, const cx_heading *h, int x, int y, int width);

/* Values that are no numbers have a colour of their own: the line that says so, where there are
 * any. */
void cx_pen_not_drawn(cx_pen *p, int64_t n_nan, int64_t n_inf);

/* What stands below a bar at a share 0 … 1 of its width. */
typedef struct cx_tick {
    double at;
    const char *text;
} cx_tick;

/* Draw the levels of the canvas from left to right, framed, and the ticks below. */
void cx_bar_draw(cx_pen *p, int x, int y, int width, const cx_tick *ticks, int n);

#endif
