/* reach.h - the part of a model's input that one unit of a layer depends on. Found by trying, so
 * that paddings, branches and layers of any kind count as they are: a largest value passes on one
 * of its pixels only, hence several trials. */
#ifndef CX_GRAPH_REACH_H
#define CX_GRAPH_REACH_H

#include "graph/gradient.h"

/* How many pixels a unit in the middle of a spot's map sees, the longer side; at most that of the
 * shape, which is the input's, the batch first. */
int cx_reach(int64_t *out, const cvs_model *m, const cx_spot *spot, const cx_shape *shape,
             cvs_error *err);

/* Rows or columns of the input, first … last, that those of a map see: the one in the middle, and
 * how much further each next one. */
typedef struct cx_sight_axis {
    int64_t middle;      /* of the map */
    int64_t first, last; /* what it sees; at an end of the input it may see more than there is */
    int64_t step;        /* 0: all see the same */
    int64_t size;        /* of the input */
} cx_sight_axis;

typedef struct cx_sight {
    cx_sight_axis rows, columns;
} cx_sight;

/* What is seen by a node whose output is a map, for an input of that shape. */
int cx_sight_find(cx_sight *out, const cvs_model *m, int node, const cx_shape *shape,
                  cvs_error *err);

/* What row or column `i` of the map sees: first … last, within the input. */
void cx_sight_range(const cx_sight_axis *a, int64_t i, int64_t *first, int64_t *last);

/* The same of a run whose input is a picture, by the windows on the way alone, as below: 1, or 0
 * where these do not tell. It costs nothing. */
int cx_sight_known(cx_sight *out, const cvs_run *run, int node, cvs_error *err);

/* What row and column of a node's map see, by the windows on the way alone: first row, first
 * column, last row, last column of the input that the run has. Gives 1, or 0 where a layer on the
 * way is of another kind, so that only trying tells. */
int cx_sees(int64_t box[4], const cvs_run *run, int node, int64_t row, int64_t column,
            cvs_error *err);

#endif
