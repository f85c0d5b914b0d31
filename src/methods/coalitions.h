/* coalitions.h - the score of an input some of whose regions are hidden, for many choices of them:
 * what LIME and KernelSHAP have in common. */
#ifndef CX_METHODS_COALITIONS_H
#define CX_METHODS_COALITIONS_H

#include "methods/scorer.h"
#include "methods/superpixels.h"

typedef struct cx_coalitions {
    cx_picture p;
    cx_superpixels s;
    float *hidden;     /* the input with all regions hidden */
    int64_t n;         /* choices … */
    int64_t n_scored;  /* … of which so many have a score */
    unsigned char *on; /* n rows of s.n: which regions are seen; the caller fills them in, … */
    double *weight;    /* … how much each choice counts, … */
    double *worth;     /* … and what each region is worth; there is room for one number more */
    double *score;
} cx_coalitions;

/* For as many choices as --steps or else `usual`, but `least` at least. A hidden region takes the
 * baseline, or where none was asked for the mean of each of its channels. To be ended in any case.
 */
int cx_coalitions_init(cx_coalitions *out, cx_question *q, int64_t usual, int64_t least,
                       cvs_error *err);
void cx_coalitions_deinit(cx_coalitions *c);

/* Score the choices from the first on, until the user stops it. */
int cx_coalitions_score(cx_coalitions *c, cx_question *q, cvs_error *err);

/* The answer: each pixel of a region is worth what the region is; and how much of the weighted
 * variance of the scores `base` + the sum of worth over what is seen explains. */
int cx_coalitions_answer(const cx_coalitions *c, cx_question *q, double base, cvs_error *err);

#endif
