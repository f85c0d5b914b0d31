/* config.h - Keras' description of a model, JSON, turned into a graph. */
#ifndef CX_FORMATS_CONFIG_H
#define CX_FORMATS_CONFIG_H

#include "graph/model.h"

/* The major number of a version like "2.2.4-tf"; files of Keras 1 may have none at all. */
int cx_keras_major(const char *version);

/* Build the model that `root` describes: {"class_name", "config"} of a Sequential or Functional
 * model, nested models included. Weights are still missing, and it is not finished.
 *
 * @param keras_version  of the file; NULL where it does not say */
int cx_config_build(cvs_model **out, const cx_json *root, const char *keras_version,
                    cvs_error *err);

#endif
