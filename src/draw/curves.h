/* curves.h - a chart of named lines. */
#ifndef CX_DRAW_CURVES_H
#define CX_DRAW_CURVES_H

#include "draw/sheet.h"

/* A line through n points from left to right; it is broken where x or y is not finite. */
typedef struct cx_curve {
    const char *name; /* for the legend */
    const double *x, *y;
    int n;
    int has_points;  /* 1: every point is marked */
    int has_no_line; /* 1: and that is all */
    int colour;      /* 1, 2 …: that of the curve in this place; 0: of its own */
} cx_curve;

/* What is drawn. All is borrowed; texts may be NULL. */
typedef struct cx_curves {
    const char *title, *subtitle, *caption;
    const char *x_name, *y_name;
    const cx_curve *curves;
    int n;
    double low, high;  /* what the upright axis shows; both 0: what the curves need */
    int width, height; /* of the whole picture; 0: 800 × 500 */
    int has_mark;      /* 1: an upright line at `mark`, with `mark_name` (NULL: none) beside it */
    double mark;
    const char *mark_name;
} cx_curves;

/* Red, green, blue of the curve in a place from 0. Static. */
const uint8_t *cx_curves_colour(int place);

/* Draw as PNG, the caller's to cx_bytes_deinit(). */
int cx_curves_draw(cx_bytes *png, cx_easel *easel, const cx_curves *c, cvs_error *err);

/* Up to four charts side by side. */
int cx_curves_draw_row(cx_bytes *png, const cx_curves *charts, int n, const char *title,
                       cvs_error *err);

/* The same as the easel's pixels. `plot` (NULL is allowed) gets x, y, width, height of the field
 * between the axes, and `range` the values at its left, right, lower and upper edge. */
int cx_curves_paint(cx_easel *easel, const cx_curves *c, int plot[4], double range[4],
                    cvs_error *err);

/* Round steps: the distance of ticks, 1, 2 or 5 times a power of ten, of which at most `most` + 1
 * lie in low … high. */
double cx_curves_step(double low, double high, int most);

#endif
