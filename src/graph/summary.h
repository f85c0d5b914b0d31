/* summary.h - the rows of a model's summary, and the ways to write them. */
#ifndef CX_GRAPH_SUMMARY_H
#define CX_GRAPH_SUMMARY_H

#include "base/str.h"
#include "graph/model.h"

/* A tensor that a row takes, "conv2d[0][0]" in Keras' words. */
typedef struct cx_connection {
    const char *name;
    int call, tensor;
    int nested; /* 1: it is an output of a nested model */
} cx_connection;

/* One row: a layer or a nested model as a whole. */
typedef struct cx_row {
    const char *name, *class_name;
    int level; /* how many nested models it stands in */
    int is_input;
    cx_shape *shapes; /* of the outputs of its last call */
    int n_shapes;
    int varies; /* 1: its calls have outputs of other shapes */
    int64_t params, trainable;
    cx_connection *from; /* of all its calls; on level 0 only, as in Keras */
    int n_from;
} cx_row;

typedef struct cx_summary {
    const cvs_model *model;
    cx_arena *arena; /* of everything below */
    cx_row *rows;
    int n_rows;
    int chain; /* 1: every call takes the one before: Keras leaves out "Connected to" */
    int64_t params, trainable;
} cx_summary;

/* `expand`: with the rows of nested models below their own, as Keras' expand_nested. */
int cx_summary_init(cx_summary *out, const cvs_model *m, int expand, cvs_error *err);
void cx_summary_deinit(cx_summary *s);

/* Shapes as Keras writes them: "(None, 1)", those of several outputs as a list. */
void cx_row_shapes(cx_str *out, const cx_row *row);

/* Write it as Keras 2 (to 2.6) prints and as Keras 3 draws it. `width` is Keras' line_length, 0 for
 * its default. */
void cx_summary_keras2(cx_str *out, const cx_summary *s, int width);
void cx_summary_keras3(cx_str *out, const cx_summary *s, int width);

#endif
