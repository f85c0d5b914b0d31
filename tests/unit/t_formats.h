/* t_formats.h - the test data's model files, and configurations as text. */
#ifndef T_FORMATS_H
#define T_FORMATS_H

#include "test.h"

#include "base/str.h"
#include "formats/config.h"
#include "formats/load.h"

static inline char *data_path(char path[1024], const char *name)
{
    snprintf(path, 1024, "%s/formats/%s", getenv("CONVSCOPE_TEST_DATA"), name);
    return path;
}

/* Weights with the file that describes them; NULL: a whole model. */
static inline cvs_model *load_with(const char *name, const char *architecture)
{
    char path[1024], json[1024];
    const cvs_load_options options = {architecture ? data_path(json, architecture) : NULL};
    cvs_error err;
    cvs_model *m;
    OK(cx_load_model(&m, data_path(path, name), &options, &err));
    return m;
}

static inline cvs_model *load(const char *name)
{
    return load_with(name, NULL);
}

/* Number i of a weight of the layer that a node calls. */
static inline double number(const cvs_model *m, const char *node, int weight, int i)
{
    cvs_error err;
    int n = cx_model_find_node(m, node, &err);
    assert_true(n >= 0);
    const cx_layer *l = &m->layers[m->nodes[n].layer];
    assert_true(weight < l->n_weights);
    return (double)l->w[weight].data[i];
}

/* Build from JSON in which ' stands for ". */
static inline int build(cvs_model **out, const char *json, const char *version, cvs_error *err)
{
    cx_str s = {0};
    cx_json *root = NULL;
    cx_str_add(&s, json);
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] == '\'') s.data[i] = '"';
    *out = NULL;
    int rc = cx_str_ok(&s, err);
    if (rc == 0) rc = cx_json_parse(&root, s.data, s.len, err);
    if (rc == 0) rc = cx_config_build(out, root, version, err);
    cx_json_free(root);
    cx_str_deinit(&s);
    return rc;
}

#endif
