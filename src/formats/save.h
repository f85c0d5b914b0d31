/* save.h - a model written to a file, with the weights that it has now.
 *
 * The configuration is the one that the model was built from: it holds what no computation needs,
 * initializers say. */
#ifndef CX_FORMATS_SAVE_H
#define CX_FORMATS_SAVE_H

#include "graph/model.h"

/* All zero is the default; a pointer to it may be NULL. */
typedef struct cx_save_options {
    const char *training_config; /* JSON of what Keras' compile() was told, for .h5; NULL: none */
} cx_save_options;

/* Write a model as the ending of `path` says: .h5 and .hdf5, .keras, or .json for TensorFlow.js.
 * The file appears whole or not at all. CVS_E_UNSUPPORTED where the model has layers of unknown
 * classes, or the form has no place for what it is. Errors begin with the path. */
int cx_save_model(const cvs_model *m, const cx_save_options *o, const char *path, cvs_error *err);

/* As Keras 2 and 3 write a whole model in HDF5. */
int cx_save_h5(const cvs_model *m, const cx_save_options *o, const char *path, cvs_error *err);

/* As Keras 3 writes a whole model: a zip of config.json, metadata.json and model.weights.h5. */
int cx_save_keras(const cvs_model *m, const cx_save_options *o, const char *path, cvs_error *err);

/* As TensorFlow.js writes a layers model: the JSON `path`, and beside it the weights, a file of
 * that name with .weights.bin for .json. */
int cx_save_tfjs(const cvs_model *m, const cx_save_options *o, const char *path, cvs_error *err);

/* --- shared by these --- */

/* A failure where a model cannot be saved in any form. */
int cx_save_check(const cvs_model *m, cvs_error *err);

/* The model's description with the flags of now that say what training changes: a trainer may have
 * frozen layers, and Keras orders weights by them. The caller's to cx_json_free. */
int cx_save_description(cx_json **out, const cvs_model *m, cvs_error *err);

/* The part of a name after the models in `module` and those around it: the nested models from
 * there to a layer, the layer and its weight, with slashes; "" for `module` itself. In the arena;
 * NULL: no memory. */
const char *cx_save_weight_name(const cvs_model *m, int module, const cx_layer *l, int weight,
                                cx_arena *arena);

#endif
