/* scorer.h - the goal's value for many variants of the input, or of what a layer gives for it:
 * batch by batch, in the memory that is allowed. */
#ifndef CX_METHODS_SCORER_H
#define CX_METHODS_SCORER_H

#include "methods/method.h"

typedef struct cx_scorer {
    cvs_run *base; /* of the input as it is, computed */
    cvs_run *run;  /* of a batch of variants */
    int batch, node;
    int64_t item;          /* floats of a variant */
    const float *original; /* the one that is no variant, in the model's own order of axes */
} cx_scorer;

/* Scores for variants of what `node` gives: a layer, whose tail alone is computed, or the input
 * (-1). `n` is how many there will be. Chooses the goal's class if that is still to be done. */
int cx_scorer_init(cx_scorer *s, cx_question *q, int node, int64_t n, cvs_error *err);
void cx_scorer_deinit(cx_scorer *s);

/* Make variant `i` from the original, a copy of which is in `item`. Called by several threads. */
typedef void cx_vary(void *arg, int64_t i, float *item);

/* The values of `n` variants; *n_done of them are there, fewer than n where the user stopped it. */
int cx_scorer_run(cx_scorer *s, cx_question *q, int64_t n, cx_vary *vary, void *arg, double *values,
                  int64_t *n_done, cvs_error *err);

#endif
