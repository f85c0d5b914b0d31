/* recipe.h - the ways to climb, as rows of a table: what grows, by which steps, held in check by
 * what, and how it is shown. */
#ifndef CX_PATTERNS_RECIPE_H
#define CX_PATTERNS_RECIPE_H

#include "patterns/view.h"

#include "convscope.h"

/* What the numbers are that grow. */
typedef enum cx_paint {
    CX_PAINT_INPUT,  /* the model's input itself */
    CX_PAINT_KERNEL, /* nothing grows: the weights themselves are shown */
    CX_PAINT_PIXELS, /* a picture whose values are 0 … `top` */
    CX_PAINT_WAVES,  /* amplitudes of waves of decorrelated colours, squashed to 0 … 1 */
    CX_PAINT_PHASES, /* the same with fixed sizes: only where the waves' crests lie */
} cx_paint;

typedef enum cx_rule_of_step {
    CX_STEP_PLAIN, /* rate times the gradient, normalised as below */
    CX_STEP_ADAM,
    CX_STEP_RMSPROP,
} cx_rule_of_step;

/* What the gradient by the picture is divided by, the books' ways. */
typedef enum cx_gradient_norm {
    CX_NORM_NONE,
    CX_NORM_RMS,   /* sqrt(mean(g²)) + 1e-5 */
    CX_NORM_L2,    /* sqrt(max(sum(g²), 1e-12)) */
    CX_NORM_PIXEL, /* each pixel's colours: max(|g|, 1e-7) */
} cx_gradient_norm;

/* How numbers of the model's input become a picture: (x - mean) / (deviation + epsilon) * gain +
 * middle, cut off at 0 and 1, without `crop` pixels at each side. gain 0: they are one already. */
typedef struct cx_develop {
    double epsilon, gain, middle;
    int crop;
} cx_develop;

typedef struct cx_recipe {
    cvs_recipe about;
    const char *objective; /* of a channel: a function of objective.h */
    cx_paint paint;
    cx_rule_of_step step;
    cx_gradient_norm norm;
    double low, high; /* the start, evenly; of waves `high` is the deviation */
    double top;
    int side;                  /* pixels, where the model does not say */
    int fits;                  /* 1: no larger than what a unit sees, unless told */
    double decay;              /* of waves */
    int linear;                /* 1: what is shut is looked at before its activation */
    int finishes;              /* 1: ends early once nothing grows any more */
    double settle;             /* the last share of the steps, in which views are straight */
    double jitter, zoom, turn; /* pixels, share, degrees: at most, both ways */
    cx_border border;
    int drifts;             /* 1: the picture itself is moved, not its view */
    double variation, size; /* weights of the regularisers */
    cx_develop develop;
} cx_recipe;

const cx_recipe *cx_recipe_find(const char *name, cvs_error *err);

#endif
