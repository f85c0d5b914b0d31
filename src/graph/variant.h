/* variant.h - a model with weights of its own, which may be changed: all else it shares with the
 * one that it was made from, which has to outlive it. */
#ifndef CX_GRAPH_VARIANT_H
#define CX_GRAPH_VARIANT_H

#include "graph/model.h"

typedef struct cx_variant {
    cvs_model model;             /* to be run and explained like any other; not to be freed */
    float *(*w)[CX_MAX_WEIGHTS]; /* the numbers of each weight of each layer, as they were */
} cx_variant;

int cx_variant_init(cx_variant *out, const cvs_model *m, cvs_error *err);
void cx_variant_deinit(cx_variant *v);

/* After weights were changed, and before the model is run again. */
int cx_variant_prepare(cx_variant *v, cvs_error *err);

#endif
