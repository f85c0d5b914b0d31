/* keras_zip.h - Keras 3's .keras files. */
#ifndef CX_FORMATS_KERAS_ZIP_H
#define CX_FORMATS_KERAS_ZIP_H

#include "formats/description.h"

/* Load the model in the zip file that is open as `fd`; `other`, which may be NULL, describes it
 * instead of its own config.json. */
int cx_keras_zip_load(cvs_model **out, int fd, const cx_description *other, cvs_error *err);

#endif
