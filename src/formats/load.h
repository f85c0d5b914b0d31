/* load.h - a model from a file of any kind that is known. */
#ifndef CX_FORMATS_LOAD_H
#define CX_FORMATS_LOAD_H

#include "graph/model.h"

/* Load a whole model; what the file is, its bytes say, not its name. Errors begin with the path. */
int cx_load_model(cvs_model **out, const char *path, cvs_error *err);

#endif
