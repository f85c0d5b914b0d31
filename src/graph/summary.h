/* summary.h - the rows of a model's summary, and the ways to write them. */
#ifndef CX_GRAPH_SUMMARY_H
#define CX_GRAPH_SUMMARY_H

#include "base/str.h"
#include "graph/model.h"

/* One row: a layer of the outermost model, or a nested model as a whole. */
typedef struct cx_row {
    const char *name, *class_name;
    cx_shape shape;
    int is_input;
    int64_t params, trainable;
    const char **from; /* "conv2d[0][0]" for every tensor that its calls take */
    int n_from;
} cx_row;

typedef struct cx_summary {
    const cvs_model *model;
    cx_arena *arena; /* of everything below */
    cx_row *rows;
    int n_rows;
    int chain; /* 1: every row takes the one before: Keras leaves out "Connected to" */
    int64_t params, trainable;
} cx_summary;

int cx_summary_init(cx_summary *out, const cvs_model *m, cvs_error *err);
void cx_summary_deinit(cx_summary *s);

/* Write it as Keras 2 (to 2.6) prints and as Keras 3 draws it. `width` is Keras' line_length, 0 for
 * its default. */
void cx_summary_keras2(cx_str *out, const cx_summary *s, int width);
void cx_summary_keras3(cx_str *out, const cx_summary *s, int width);

#endif
