/* least_squares.h - the weighted sum that comes nearest to what was measured. */
#ifndef CX_METHODS_LEAST_SQUARES_H
#define CX_METHODS_LEAST_SQUARES_H

#include "convscope.h"

/* The normal equations as they grow, of n unknowns. */
typedef struct cx_least_squares {
    int n;
    double *a, *b; /* n × n, of which the lower half is used, and n; owned */
} cx_least_squares;

int cx_least_squares_init(cx_least_squares *out, int n, cvs_error *err);
void cx_least_squares_deinit(cx_least_squares *s);

/* One measurement: the sum of row[i] times unknown i should be y; `weight` says how much so. */
void cx_least_squares_add(cx_least_squares *s, const double *row, double y, double weight);

/* The unknowns for which the weighted sum of squared misses, plus `ridge` times the unknowns' own
 * squares but for the last `free` of them, is least. What nothing was measured of becomes 0. The
 * equations are used up. */
void cx_least_squares_solve(cx_least_squares *s, double ridge, int free, double *out);

#endif
