/* transforms.h - weights of layers in the form that fast convolutions multiply with: made when a
 * run first wants them, and kept for all runs of a model. */
#ifndef CX_GRAPH_TRANSFORMS_H
#define CX_GRAPH_TRANSFORMS_H

#include "layers/layer.h"

typedef struct cx_transforms cx_transforms;

int cx_transforms_new(cx_transforms **out, int n_layers, cvs_error *err);
void cx_transforms_free(cx_transforms *t); /* NULL is allowed */

/* Those of the layer with that index; `back`: for its backward. NULL where it wants none for inputs
 * of this shape. Threads may ask at once. */
int cx_transforms_get(const float **out, cx_transforms *t, const cx_layer *l, int index,
                      const cx_shape *in, int back, cvs_error *err);

/* The weights of layers were changed: all is made again when it is next asked for, in the memory
 * that it has. Not while others use it. */
void cx_transforms_renew(cx_transforms *t);

#endif
