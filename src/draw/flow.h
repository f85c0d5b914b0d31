/* flow.h - a flow chart from top to bottom: where its boxes lie and how its lines run. Geometry
 * alone, in pixels. */
#ifndef CX_DRAW_FLOW_H
#define CX_DRAW_FLOW_H

#include "base/error.h"
#include "base/mem.h"

typedef enum cx_flow_pin {
    CX_FLOW_FREE,
    CX_FLOW_FIRST, /* on the upper edge of the chart; without height */
    CX_FLOW_LAST,  /* on the lower edge */
} cx_flow_pin;

typedef struct cx_flow_box {
    double width, height;
    cx_flow_pin pin;
    double x, y; /* found: the top left corner */
} cx_flow_box;

/* What goes from one box into another: out of the lower side, into the upper one, so far from its
 * left; negative: where it suits. */
typedef struct cx_flow_edge {
    int from, to; /* boxes, from < to */
    double leave, enter;
} cx_flow_edge;

enum { CX_FLOW_TURN = 6 }; /* radius of the corners of a line that turns */

/* A piece of a line: from (x0, y0) down to bend0, over to x1 at bend1, and down to y1. Edges that
 * leave a box at one place share their way as far as they can. */
typedef struct cx_flow_piece {
    int from, to; /* boxes at its ends, -1 where the line goes on */
    double x0, y0, bend0, x1, bend1, y1;
    int wraps; /* 1: from the foot of a column to the head of the next one: from bend0 to the
                  right, up at `aside`, and to the right again at bend1 */
    double aside;
} cx_flow_piece;

typedef struct cx_flow {
    cx_flow_box *boxes;
    int n_boxes;
    const cx_flow_edge *edges;
    int n_edges;
    /* found; the chart's upper left corner is 0, 0 */
    cx_flow_piece *pieces;
    int n_pieces, n_columns;
    double width, height;
} cx_flow;

/* Arrange the boxes: each below all that go into it, lines with few crossings, and a chart that
 * would be very tall in columns side by side. What is found lives in `arena`. CVS_E_UNSUPPORTED
 * where that would be a picture that nobody can read. */
int cx_flow_arrange(cx_flow *flow, cx_arena *arena, cvs_error *err);

#endif
