/* trust.h - measures of how far an explanation can be believed. One stands in one file, metric_*.c,
 * and has one line in metrics.def. */
#ifndef CX_METHODS_TRUST_H
#define CX_METHODS_TRUST_H

#include "methods/picture.h"
#include "methods/scorer.h"

/* An explanation that is measured. */
typedef struct cx_subject {
    cx_question q; /* for the class's probability … */
    cvs_explain_options probability;
    cvs_explanation said; /* … and what is known of it */
    const cvs_run *run;
    int slot;
    cvs_explain_options how; /* to ask again, for the same class and without progress */
    const cvs_trust_options *o;
    cvs_trust *t;      /* the answer */
    cx_scorer scorer;  /* of variants of the input */
    cx_picture p;      /* the input */
    int64_t n;         /* its pixels */
    const float *x;    /* its numbers */
    const float *none; /* what stands for nothing; NULL: zeros */
    float *map;        /* what is drawn, one number a pixel */
    int is_signed;     /* 1: numbers of it below 0 speak against */
    int64_t *order;    /* pixels, from what speaks for the class most to what does least */
    float range;       /* of x: its largest number less its least */
} cx_subject;

typedef struct cx_metric {
    cvs_metric about;
    int (*measure)(cx_subject *s, double *value, cvs_error *err);
} cx_metric;

/* The score of variants of the input; cx_vary as for cx_scorer_run. */
int cx_subject_score(cx_subject *s, int64_t n, cx_vary *vary, void *arg, double *scores,
                     cvs_error *err);

/* What stands for nothing in channel c of a pixel. */
float cx_subject_none(const cx_subject *s, int64_t pixel, int64_t c);

/* What the map says of a pixel, from 0 to 1: evidence for the class alone. */
void cx_subject_mask(const cx_subject *s, float *out);

/* Ask the method again: about another model of the same layers, or NULL, and another input, or
 * NULL; explanation of the same class. */
int cx_subject_ask(cvs_explanation **out, const cx_subject *s, const cvs_model *m, const float *x,
                   cvs_error *err);

/* --- shown.c --- */

/* The numbers that a picture of an explanation shows, one a place: of several channels their sum
 * where signs matter, else the largest size; of a map without positive evidence what is negative.
 * The caller's to cx_free(). */
int cx_explanation_places(float **out, int *is_signed, const cvs_explanation *e, cvs_error *err);

/* --- agreement.c --- */

/* Spearman's rank correlation of the sizes of n numbers; ties have their mean rank. 0 where either
 * are all the same. */
int cx_rank_correlation(double *out, const float *a, const float *b, int64_t n, cvs_error *err);

/* Structural similarity (Wang et al. 2004) of two maps, each brought to 0 … 1: the mean over
 * windows of 7 × 7, or less where a map is smaller. */
double cx_structural_similarity(const float *a, const float *b, int64_t h, int64_t w);

#endif
