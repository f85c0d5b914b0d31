/* api.c - convscope.h, where it is not a floor's own function: argument checks, then calls down. */
#include <stdio.h>
#include <string.h>

#include "build_facts.h" /* made by the build */

#include "base/mem.h"
#include "base/threads.h"
#include "formats/head.h"
#include "formats/lean.h"
#include "formats/load.h"
#include "formats/save.h"
#include "graph/run.h"
#include "methods/map.h"
#include "train/fit.h"

const char *cvs_version(void)
{
    return CX_VERSION;
}

void cvs_build_info(char *buf, size_t size)
{
    if (size == 0) return;
    snprintf(buf, size, "compiler: %s\nlibraries: %s\nkernels: %s\nthreads: %d\n", __VERSION__,
             CX_LIBRARIES, cx_kernels_name(), cx_threads());
}

int cvs_set_threads(int n, cvs_error *err)
{
    return cx_threads_set(n, err);
}

void cvs_free(void *p)
{
    cx_free(p);
}

int cvs_model_load(cvs_model **out, const char *path, const cvs_load_options *options,
                   cvs_error *err)
{
    return cx_load_model(out, path, options, err);
}

int cvs_model_save(const cvs_model *m, const char *path, cvs_error *err)
{
    return cx_save_model(m, NULL, path, err);
}

int cvs_model_new_head(cvs_model **out, const cvs_model *m, int n_classes, uint64_t seed,
                       cvs_error *err)
{
    return cx_head_new(out, m, n_classes, seed, err);
}

int cvs_model_lean(cvs_model **out, const cvs_model *m, cvs_error *err)
{
    return cx_lean_new(out, m, err);
}

int cvs_training_save(const cvs_training *t, const char *path, cvs_error *err)
{
    char *config;
    int rc = cx_fit_config(&config, cx_training_fit(t), err);
    if (rc == 0) rc = cx_save_model(cvs_training_model(t), &(cx_save_options){config}, path, err);
    cx_free(config);
    return rc;
}

int cvs_model_create(cvs_model **out, const char *json, size_t len, uint64_t seed, cvs_error *err)
{
    return cx_load_new(out, json, len, seed, err);
}

const char *cvs_model_name(const cvs_model *m)
{
    return m->name;
}

int cvs_model_layer_count(const cvs_model *m)
{
    return m->n_nodes;
}

int cvs_model_layer(cvs_layer *out, const cvs_model *m, int index, cvs_error *err)
{
    memset(out, 0, sizeof *out);
    if (index < 0 || index >= m->n_nodes)
        return cx_fail(err, CVS_E_ARG, "the model has no layer %d", index);
    const cx_node *node = &m->nodes[index];
    const cx_layer *l = &m->layers[node->layer];
    out->name = node->name;
    out->class_name = l->class_name;
    out->ndim = node->shape.ndim;
    out->channel_axis = cx_node_channel_axis(m, index);
    memcpy(out->shape, node->shape.d, sizeof out->shape);
    out->params = cx_layer_params(l);
    out->trainable_params = cx_layer_trainable_params(l);
    out->is_input = node->n_inputs == 0;
    out->is_unknown = l->kind->is_unknown;
    return 0;
}

int cvs_model_find(const cvs_model *m, const char *name, cvs_error *err)
{
    return cx_model_find_node(m, name, err);
}

int cvs_model_input_count(const cvs_model *m)
{
    return m->n_inputs;
}

int cvs_model_input(const cvs_model *m, int i)
{
    return i >= 0 && i < m->n_inputs ? m->inputs[i] : -1;
}

int cvs_model_output_count(const cvs_model *m)
{
    return m->n_outputs;
}

int cvs_model_output(const cvs_model *m, int i)
{
    return i >= 0 && i < m->n_outputs ? m->outputs[i] : -1;
}

int cvs_run_stats(cvs_stats *whole, cvs_stats **channels, int64_t *n, const cvs_run *run, int layer,
                  int slot, cvs_error *err)
{
    cx_map map;
    if (channels) *channels = NULL;
    if (n) *n = 0;
    int rc = cx_map_of(&map, run, layer, slot, err);
    if (rc == 0) rc = cx_map_measure(&map, err);
    if (rc == 0 && whole) *whole = map.whole;
    if (rc == 0 && n) *n = map.stack.channels;
    if (rc == 0 && channels) {
        *channels = map.each;
        map.each = NULL;
    }
    cx_map_deinit(&map);
    return rc;
}
