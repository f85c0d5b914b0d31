/* outline.h - a model as its author wrote it: calls of layers and of nested models, level by level.
 * The nodes of a model are those of all levels in one list. */
#ifndef CX_GRAPH_OUTLINE_H
#define CX_GRAPH_OUTLINE_H

#include "graph/model.h"

enum { CX_WHOLE = -1 }; /* as the call of a nested model: the model itself */

/* A call on one level. */
typedef struct cx_outline_call {
    int node;      /* of a layer's call, else -1 */
    int call;      /* of a nested model, in the model's calls, else -1 */
    int number;    /* its layer or model was called so often before, on this level */
    const int *in; /* nodes */
    int n_in;
} cx_outline_call;

typedef struct cx_outline {
    cx_outline_call *calls; /* in an order of computation */
    int n_calls;
    /* By node: the call of this level that gives it, -1 where none does, and which of that call's
     * outputs it is. */
    int *giver, *output;
} cx_outline;

/* The level inside a call of a nested model. All lives in `arena`. */
int cx_outline_make(cx_outline *out, const cvs_model *m, int call, cx_arena *arena, cvs_error *err);

#endif
