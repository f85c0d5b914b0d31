/* tfjs.h - layers models of TensorFlow.js. */
#ifndef CX_FORMATS_TFJS_H
#define CX_FORMATS_TFJS_H

#include "formats/description.h"

/* Load the model that `own`, the JSON of the file `path`, describes, with the weights in the files
 * beside it that its manifest names; `other`, which may be NULL, describes the model instead. */
int cx_tfjs_load(cvs_model **out, const char *path, const cx_description *own,
                 const cx_description *other, cvs_error *err);

#endif
