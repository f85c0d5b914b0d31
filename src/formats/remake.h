/* remake.h - a model built anew from a changed description, with the weights that it had. */
#ifndef CX_FORMATS_REMAKE_H
#define CX_FORMATS_REMAKE_H

#include "base/json.h"
#include "graph/model.h"

/* The model that the description says, which has `n` layers; the i-th has the weights of layer
 * from[i] of `m`, or new ones drawn by the seed where that is -1. CVS_E_UNSUPPORTED where they do
 * not fit: the change was more than it should be. */
int cx_remake(cvs_model **out, const cvs_model *m, const cx_json *description, const int *from,
              int n, uint64_t seed, cvs_error *err);

#endif
