/* lean.h - a model without what acts in training only. */
#ifndef CX_FORMATS_LEAN_H
#define CX_FORMATS_LEAN_H

#include "graph/model.h"

/* The same model without its layers that drop or add noise in training, so without those that do
 * nothing when it is used. They are taken out of Sequential models, nested ones too;
 * CVS_E_UNSUPPORTED names one that stands in another. */
int cx_lean_new(cvs_model **out, const cvs_model *m, cvs_error *err);

#endif
