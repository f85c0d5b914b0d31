/* objective.h - what a picture is to excite, in words: channel(conv2d_4, 17) - 0.5 * channel(...).
 *
 * docs/patterns.md is the language's manual. A # where a channel's number stands is the number that
 * each picture of a batch has for itself. */
#ifndef CX_PATTERNS_OBJECTIVE_H
#define CX_PATTERNS_OBJECTIVE_H

#include "graph/gradient.h"

typedef struct cx_objective cx_objective;

/* CVS_E_ARG tells the place in the text. `linear`: what an activation has shut is looked at before
 * it, where it has a slope too. */
int cx_objective_new(cx_objective **out, const cvs_model *m, const char *text, int linear,
                     cvs_error *err);
void cx_objective_free(cx_objective *o);

/* Where it looks; these are the targets of the gradient below, in their order. */
const cx_spot *cx_objective_spots(const cx_objective *o, int *n);

/* 1: it compares with another picture, which is to be shown first: `run` has been computed for it
 * and keeps the spots. */
int cx_objective_wants_reference(const cx_objective *o);
int cx_objective_refer(cx_objective *o, const cvs_run *run, cvs_error *err);

/* The values for the pictures of a computed batch, and with `g` also its seeds, the derivatives.
 * channels[i] is what # stands for. CVS_E_ARG names a channel or place that does not exist.
 * Pictures of one `group` in a row are versions that diversity() compares; 1: each is by itself. */
int cx_objective_measure(const cx_objective *o, const cvs_run *run, cx_gradient *g,
                         const int64_t *channels, int n, int group, double *values, cvs_error *err);

#endif
