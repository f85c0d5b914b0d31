/* load.h - a model from a file of any kind that is known. */
#ifndef CX_FORMATS_LOAD_H
#define CX_FORMATS_LOAD_H

#include "graph/model.h"

/* Load a model; what the file is, its bytes say, not its name. `options` may be NULL. Errors begin
 * with the path of the file at fault. */
int cx_load_model(cvs_model **out, const char *path, const cvs_load_options *options,
                  cvs_error *err);

/* A new model: what the text describes, as model.to_json() writes it, with weights drawn as its
 * initializers say. */
int cx_load_new(cvs_model **out, const char *json, size_t len, uint64_t seed, cvs_error *err);

#endif
