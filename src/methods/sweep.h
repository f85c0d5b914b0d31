/* sweep.h - gradients at many variants of the input, in batches, summed up by the caller. */
#ifndef CX_METHODS_SWEEP_H
#define CX_METHODS_SWEEP_H

#include "methods/scorer.h"

/* What to do with the gradient at variant i; both are of one input, in the model's order of axes.
 */
typedef void cx_take(void *arg, int64_t i, const float *gradient, int64_t n);

/* The goal is chosen by the input as it is. *n_done of the n variants were done, fewer where the
 * user stopped it. `rule` may be NULL. */
int cx_sweep(cx_question *q, int64_t n, cx_vary *vary, cx_take *take, void *arg,
             const cx_rule *rule, int64_t *n_done, cvs_error *err);

#endif
