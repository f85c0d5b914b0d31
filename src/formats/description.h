/* description.h - the JSON that describes a model, wherever it is kept. */
#ifndef CX_FORMATS_DESCRIPTION_H
#define CX_FORMATS_DESCRIPTION_H

#include "base/json.h"
#include "graph/model.h"

typedef struct cx_description {
    cx_json *root;
    const cx_json *model;      /* {"class_name", "config"}, in root */
    const char *keras_version; /* in root, or of static life; NULL where nothing says it */
    const cx_json *manifest;   /* TensorFlow.js' list of weights, NULL in any other JSON */
} cx_description;

/* Read what model.to_json() gave, or a model.json of TensorFlow.js, or the config.json of a .keras
 * file. */
int cx_description_parse(cx_description *out, const char *text, size_t len, cvs_error *err);
/* The same from an open file of that size, or from a file by name, with which errors begin. */
int cx_description_read(cx_description *out, int fd, int64_t size, cvs_error *err);
int cx_description_open(cx_description *out, const char *path, cvs_error *err);
void cx_description_deinit(cx_description *d);

/* Build the model, without weights. */
int cx_description_build(cvs_model **out, const cx_description *d, cvs_error *err);

#endif
