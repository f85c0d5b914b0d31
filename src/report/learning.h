/* learning.h - how training went, epoch by epoch, as curves. */
#ifndef CX_REPORT_LEARNING_H
#define CX_REPORT_LEARNING_H

#include "base/str.h"
#include "draw/curves.h"

typedef enum cx_series { CX_TRAINED, CX_VALIDATED, CX_SERIES } cx_series;

/* One chart: accuracy or loss. */
typedef struct cx_learning_chart {
    const char *title;
    double *raw[CX_SERIES], *smooth[CX_SERIES]; /* n numbers each */
} cx_learning_chart;

enum { CX_LEARNING_CHARTS = 2, CX_LEARNING_CURVES = 2 * CX_SERIES };

typedef struct cx_learning {
    int n;     /* epochs */
    double *x; /* 1, 2 … */
    int has_validation;
    double best; /* number of the best epoch; NAN: there is none */
    char best_name[48];
    cx_learning_chart chart[CX_LEARNING_CHARTS];
} cx_learning;

int cx_learning_init(cx_learning *out, const cvs_training *t, cvs_error *err);
void cx_learning_deinit(cx_learning *l); /* all zero is legal */

/* The chart's curves, of which there are *n, on top first; points are joined by none. */
void cx_learning_curves(cx_curve out[CX_LEARNING_CURVES], int *n, const cx_learning *l, int chart);

/* Draw the charts side by side, each of width × height pixels. */
int cx_learning_png(cx_bytes *out, const cx_learning *l, int width, int height, cvs_error *err);

/* --- learning_svg.c --- */

/* The same as an SVG. */
void cx_learning_svg(cx_str *out, const cx_learning *l);

#endif
