/* head.h - a model that knows what another does, but for the classes. */
#ifndef CX_FORMATS_HEAD_H
#define CX_FORMATS_HEAD_H

#include "graph/model.h"

/* The same model with a new last layer, which has to be a Dense of the model itself, for so many
 * classes: one sigmoid for 2, else a softmax. All other weights are copied. */
int cx_head_new(cvs_model **out, const cvs_model *m, int n_classes, uint64_t seed, cvs_error *err);

#endif
