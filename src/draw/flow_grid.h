/* flow_grid.h - what the steps of arranging a flow chart share: cells in ranks.
 *
 * The way is Sugiyama's: every box gets a rank, every line that passes a rank a cell in it, cells
 * an order in their rank that crosses few lines, and then their places. */
#ifndef CX_DRAW_FLOW_GRID_H
#define CX_DRAW_FLOW_GRID_H

#include "draw/flow.h"

enum {
    CX_FLOW_GAP = 26,  /* least height between two ranks */
    CX_FLOW_LANE = 10, /* between lines side by side */
};

/* A box, or a point where a line passes through a rank. */
typedef struct cx_cell {
    int box; /* -1 for a point */
    int rank;
    int place;       /* in the rank, from the left */
    double width, x; /* x is the middle */
} cx_cell;

/* From a cell to one of the next rank. */
typedef struct cx_link {
    int from, to;
    double leave, enter; /* as the edge's, where the end is a box; else negative */
} cx_link;

/* Links by the cell at one of their ends: those of cell c are list[start[c]] … [start[c + 1]]. */
typedef struct cx_ends {
    int *start, *list;
} cx_ends;

typedef struct cx_flow_grid {
    cx_arena *arena;
    cx_flow *flow;
    cx_cell *cells;
    cx_link *links;
    int n_cells, n_links;
    cx_ends up, down; /* links into and out of each cell */
    int n_ranks;
    int *start, *order; /* the cells of rank r are order[start[r]] … [start[r + 1]] */
    int *column;        /* of each rank */
    int n_columns;
    double *height; /* of each rank */
} cx_flow_grid;

/* Give every box a rank, cut the ranks into columns, make cells and links. */
int cx_flow_rank(cx_flow_grid *g, cvs_error *err);
/* Order the cells of each rank. */
int cx_flow_order(cx_flow_grid *g, cvs_error *err);
/* Place the cells of each column across, from any left edge. */
int cx_flow_align(cx_flow_grid *g, cvs_error *err);
/* Where an end of a link lies from the middle of its cell, `place` being its leave or enter. */
double cx_flow_offset(const cx_cell *c, double place);
/* Find all other coordinates. */
int cx_flow_place(cx_flow_grid *g, cvs_error *err);

#endif
