/* weights.h - the numbers of a Keras HDF5 file, put into a model. */
#ifndef CX_FORMATS_WEIGHTS_H
#define CX_FORMATS_WEIGHTS_H

#include "formats/hdf5.h"
#include "graph/model.h"

/* Fill the weights of a model that was built from the file's configuration. Shapes are compared
 * before memory is asked for. */
int cx_weights_load(cvs_model *m, cx_h5 *h5, cvs_error *err);

#endif
