/* chart.h - a model as a flow chart: what its boxes say and where they lie. */
#ifndef CX_REPORT_CHART_H
#define CX_REPORT_CHART_H

#include "draw/flow.h"
#include "draw/font.h"
#include "graph/model.h"

enum {
    CX_CHART_CLASS = 12, /* sizes of text, pixels an em */
    CX_CHART_NAME = 11,
    CX_CHART_SMALL = 10,
    CX_CHART_PAD = 10,    /* from a box's side to its text */
    CX_CHART_BOX = 56,    /* height of a layer's box */
    CX_CHART_HEAD = 42,   /* and of the head of a nested model's frame */
    CX_CHART_INSIDE = 18, /* from a frame's side to what it holds */
};

typedef struct cx_chart cx_chart;

/* A box. */
typedef struct cx_chart_item {
    int node; /* of a layer's call, else -1 */
    int call; /* of a nested model, in the model's calls, else -1; with neither it is a point on the
                 edge of a frame */
    cx_chart *inside;          /* what a nested model's frame holds … */
    double inside_dx;          /* … so far from the frame's left */
    int64_t params, trainable; /* of a nested model */
} cx_chart_item;

/* One level: the whole model, or a call of a nested one. */
struct cx_chart {
    cx_flow flow;
    cx_chart_item *items; /* as many as the flow has boxes */
};

/* Numbers of a shape but the batch: "148 × 148 × 32". */
enum { CX_CHART_SHAPE = 160 };
void cx_chart_shape(char out[CX_CHART_SHAPE], const cx_shape *shape);

/* How wide bold text is at most, in pixels. */
int cx_chart_bold(cx_font *font, int size, const char *text);

/* Lay out a model and all models in it. Lives in `arena`. */
int cx_chart_make(cx_chart **out, const cvs_model *m, cx_font *font, cx_arena *arena,
                  cvs_error *err);

#endif
