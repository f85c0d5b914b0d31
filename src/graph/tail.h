/* tail.h - a run that begins in the middle of a network, so that a change to what one layer gives
 * costs no more than the layers after it. */
#ifndef CX_GRAPH_TAIL_H
#define CX_GRAPH_TAIL_H

#include "graph/gradient.h"

/* Make a run that has not been planned keep what a tail from `node` to `to` reads of it. */
int cx_tail_keep(cvs_run *base, int node, const cx_spot *to, cvs_error *err);

/* Make a run that has not been planned begin at `node`, as below, and plan it. */
int cx_tail_begin(cvs_run *run, const cvs_run *base, int from, int node, const cx_spot *to,
                  cvs_error *err);

/* A run of `batch` inputs that begins at `node`, whose output is to be put into
 * slots[node].y; everything else that it reads is copied from slot `from` of the run `base`, which
 * has been computed and was made with cx_tail_keep. It keeps `to`. */
int cx_tail_new(cvs_run **out, const cvs_run *base, int from, int node, const cx_spot *to,
                int batch, cvs_error *err);

#endif
