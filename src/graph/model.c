/* model.c - building a network and asking what is in it. */
#include "graph/model.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* Grow an array of the model by one zeroed entry; its address, or NULL. Capacity doubles at powers
 * of two, so it need not be stored. */
static void *grow(void **array, int *n, size_t size)
{
    if ((*n & (*n - 1)) == 0) {
        void *larger = cx_realloc_array(*array, *n ? (size_t)*n * 2 : 1, size);
        if (!larger) return NULL;
        *array = larger;
    }
    void *entry = (char *)*array + (size_t)*n * size;
    memset(entry, 0, size);
    (*n)++;
    return entry;
}
#define GROW(array, n) grow((void **)&(array), &(n), sizeof *(array))

int cx_model_new(cvs_model **out, const char *name, const char *class_name,
                 const char *keras_version, cvs_error *err)
{
    int rc = 0, root;
    cvs_model *m = cx_calloc(1, sizeof *m);
    *out = NULL;
    if (!m || !(m->arena = cx_arena_new()) ||
        !(m->keras_version = cx_arena_strdup(m->arena, keras_version))) {
        rc = cx_no_memory(err, sizeof *m);
        goto out;
    }
    TRY(cx_model_add_module(&root, m, -1, name, class_name, err));
    m->name = m->modules[0].name;
    m->class_name = m->modules[0].class_name;
    *out = m;
    m = NULL;
out:
    cvs_model_free(m);
    return rc;
}

void cvs_model_free(cvs_model *m)
{
    if (!m) return;
    cx_block_deinit(&m->weights);
    cx_mapping_deinit(&m->file);
    cx_transforms_free(m->transforms);
    cx_free(m->layers);
    cx_free(m->modules);
    cx_free(m->entries);
    cx_free(m->calls);
    cx_free(m->nodes);
    cx_free(m->inputs);
    cx_free(m->outputs);
    cx_arena_free(m->arena);
    cx_free(m);
}

static int add_entry(cvs_model *m, int module, int layer, int nested, cvs_error *err)
{
    cx_entry *entry = GROW(m->entries, m->n_entries);
    if (!entry) return cx_no_memory(err, sizeof *entry);
    *entry = (cx_entry){.module = module, .layer = layer, .nested = nested};
    if (layer >= 0) m->layers[layer].entry = m->n_entries - 1;
    return 0;
}

int cx_model_add_module(int *out, cvs_model *m, int parent, const char *name,
                        const char *class_name, cvs_error *err)
{
    int depth = 0;
    for (int p = parent; p >= 0; p = m->modules[p].parent) depth++;
    if (depth >= CX_MAX_NESTING || m->n_modules >= CX_MAX_NODES)
        return cx_fail(err, CVS_E_FORMAT, "models are nested deeper than %d levels",
                       CX_MAX_NESTING);
    cx_module *module = GROW(m->modules, m->n_modules);
    if (!module) return cx_no_memory(err, sizeof *module);
    *module = (cx_module){.name = cx_arena_strdup(m->arena, name),
                          .class_name = cx_arena_strdup(m->arena, class_name),
                          .parent = parent,
                          .sequential = cx_streq(class_name, "Sequential")};
    if (!module->name || !module->class_name) return cx_no_memory(err, strlen(name));
    *out = m->n_modules - 1;
    return parent < 0 ? 0 : add_entry(m, parent, -1, *out, err);
}

int cx_model_add_layer(int *out, cvs_model *m, int module, const char *class_name, const char *name,
                       const cx_json *config, const cx_config_context *context, cvs_error *err)
{
    const cx_layer_kind *kind = cx_layer_kind_find(class_name);
    *out = -1;
    if (kind)
        return cx_model_add_layer_of(out, m, module, kind, kind->class_name, name, config, context,
                                     err);
    int rc = cx_fail(err, CVS_E_UNSUPPORTED, "layers of class %s are not supported", class_name);
    return cx_where(err, rc, "layer \"%s\"", name);
}

int cx_model_add_layer_of(int *out, cvs_model *m, int module, const cx_layer_kind *kind,
                          const char *class_name, const char *name, const cx_json *config,
                          const cx_config_context *context, cvs_error *err)
{
    if (m->n_layers >= CX_MAX_NODES)
        return cx_fail(err, CVS_E_FORMAT, "more than %d layers", CX_MAX_NODES);
    cx_layer *l = GROW(m->layers, m->n_layers);
    if (!l) return cx_no_memory(err, sizeof *l);
    *out = m->n_layers - 1;
    const char *copy = cx_arena_strdup(m->arena, name);
    const char *shown = cx_arena_strdup(m->arena, class_name);
    if (!copy || !shown) return cx_no_memory(err, strlen(name));
    int rc = cx_layer_init_of(l, kind, copy, config, context, m->arena, err);
    l->class_name = shown;
    if (rc == 0) return add_entry(m, module, *out, -1, err);
    *out = -1;
    m->n_layers--;
    return cx_where(err, rc, "layer \"%s\"", name);
}

/* "outer/inner#1": the names of the nested models around a layer, its own, the number of its
 * earlier calls. */
static const char *node_name(cvs_model *m, int layer, int module, cvs_error *err)
{
    cx_str s = {0};
    char *copy = NULL;
    int path[CX_MAX_NESTING + 1], depth = 0;
    const int calls = m->entries[m->layers[layer].entry].calls;
    for (int p = module; p > 0; p = m->modules[p].parent) path[depth++] = p;
    while (depth > 0) cx_str_addf(&s, "%s/", m->modules[path[--depth]].name);
    cx_str_add(&s, m->layers[layer].name);
    if (calls > 0) cx_str_addf(&s, "#%d", calls);
    if (!s.failed) copy = cx_arena_strdup(m->arena, s.data);
    if (!copy) cx_no_memory(err, s.len);
    cx_str_deinit(&s);
    return copy;
}

/* What the layer wants to have stored, the first time; later calls must want the same. */
static int fix_weights(cx_layer *l, const cx_shape *in, int n_in, cvs_error *err)
{
    cx_weight_spec specs[CX_MAX_WEIGHTS];
    int n = cx_layer_weights(l, in, n_in, specs, err);
    if (n < 0) return n;
    for (int i = 0; i < n; i++) {
        if (!cx_shape_is_known(&specs[i].shape))
            return cx_fail(
                err, CVS_E_FORMAT,
                "the shape of its weight %s depends on a size that the model leaves free",
                specs[i].name);
        if (l->n_weights >= 0 &&
            (l->n_weights != n || !cx_shape_equal(&l->w[i].spec.shape, &specs[i].shape)))
            return cx_fail(err, CVS_E_FORMAT, "it is called on inputs that want different weights");
    }
    if (l->n_weights >= 0) return 0;
    for (int i = 0; i < n; i++) l->w[i].spec = specs[i];
    l->n_weights = n;
    return 0;
}

static int new_node(cx_node **out, cvs_model *m, int layer, int n_inputs, cvs_error *err)
{
    if (m->n_nodes >= CX_MAX_NODES)
        return cx_fail(err, CVS_E_FORMAT, "more than %d layer calls", CX_MAX_NODES);
    cx_entry *entry = &m->entries[m->layers[layer].entry];
    const int module = entry->module;
    const char *name = node_name(m, layer, module, err);
    int *inputs = cx_arena_array(m->arena, (size_t)n_inputs + 1, sizeof *inputs);
    cx_node *node = name && inputs ? GROW(m->nodes, m->n_nodes) : NULL;
    if (!node) return cx_no_memory(err, sizeof *node);
    *node = (cx_node){
        .name = name, .layer = layer, .module = module, .n_inputs = n_inputs, .inputs = inputs};
    entry->calls++;
    *out = node;
    return 0;
}

static int infer(cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    int rc = cx_layer_infer(l, in, n_in, out, err);
    if (rc < 0) return rc;
    if (cx_shape_is_known(out) && cx_shape_count(out) < 0)
        return cx_fail(err, CVS_E_FORMAT, "its output is too large");
    return fix_weights(l, in, n_in, err);
}

/* The shape of a node; none where that takes the shape of a layer that cannot be computed. What the
 * file states of such a layer may be wrong, so that nothing after it fails. */
static int find_shape(cvs_model *m, cx_node *node, const cx_shape *in, cvs_error *err)
{
    cx_layer *l = &m->layers[node->layer];
    cvs_error why = {0};
    int is_known = !l->kind->is_unknown;
    node->is_guessed = l->kind->is_unknown;
    for (int i = 0; i < node->n_inputs; i++) {
        node->is_guessed |= m->nodes[node->inputs[i]].is_guessed;
        is_known &= in[i].ndim > 0;
    }
    int rc = is_known ? infer(l, in, node->n_inputs, &node->shape, &why) : 0;
    if (rc == 0) return 0;
    if (rc != CVS_E_UNSUPPORTED && !node->is_guessed) {
        if (err) *err = why;
        return cx_where(err, rc, "layer \"%s\"", node->name);
    }
    if (!node->is_guessed) {
        cx_where(&why, rc, "layer \"%s\"", node->name);
        cx_model_refuse(m, 0, &why);
    }
    node->shape = (cx_shape){0};
    node->is_guessed = 1;
    return 0;
}

int cx_model_add_node(int *out, cvs_model *m, int layer, const int *inputs, int n_inputs,
                      cvs_error *err)
{
    cx_layer *l = &m->layers[layer];
    cx_node *node = NULL;
    if (n_inputs == 0 && l->kind->is_unknown) return cx_model_can_run(m, err);
    if (n_inputs < 1 || n_inputs > CX_MAX_INPUTS) {
        int rc =
            cx_fail(err, CVS_E_FORMAT, "%d inputs, 1 to %d are possible", n_inputs, CX_MAX_INPUTS);
        return cx_where(err, rc, "layer \"%s\"", l->name);
    }
    int rc = new_node(&node, m, layer, n_inputs, err);
    if (rc < 0) return rc;
    cx_shape in[CX_MAX_INPUTS];
    for (int i = 0; i < n_inputs; i++) {
        ((int *)(uintptr_t)node->inputs)[i] = inputs[i];
        in[i] = m->nodes[inputs[i]].shape;
    }
    *out = m->n_nodes - 1;
    return find_shape(m, node, in, err);
}

int cx_model_add_input(int *out, cvs_model *m, int module, const char *name, const cx_shape *shape,
                       cvs_error *err)
{
    const cx_config_context context = {0};
    cx_node *node;
    int layer = -1;
    int rc = cx_model_add_layer(&layer, m, module, "InputLayer", name, NULL, &context, err);
    if (rc == 0) rc = new_node(&node, m, layer, 0, err);
    if (rc < 0) return rc;
    node->shape = *shape;
    node->shape.d[0] = CX_FREE; /* a batch size in a file is not binding */
    m->layers[layer].n_weights = 0;
    int *place = GROW(m->inputs, m->n_inputs);
    if (!place) return cx_no_memory(err, sizeof *place);
    *out = *place = m->n_nodes - 1;
    return 0;
}

int cx_model_add_inner_input(cvs_model *m, int module, const char *name, const cx_shape *shape,
                             cvs_error *err)
{
    const cx_config_context context = {0};
    cx_shape *copy = cx_arena_alloc(m->arena, sizeof *copy);
    int layer = -1;
    if (!copy) return cx_no_memory(err, sizeof *copy);
    int rc = cx_model_add_layer(&layer, m, module, "InputLayer", name, NULL, &context, err);
    if (rc < 0) return rc;
    *copy = *shape;
    copy->d[0] = CX_FREE;
    m->layers[layer].n_weights = 0;
    m->entries[m->n_entries - 1].input = copy;
    return 0;
}

static const int *copy_nodes(cvs_model *m, const int *nodes, int n)
{
    int *copy = cx_arena_array(m->arena, (size_t)n + 1, sizeof *copy);
    if (copy && n > 0) memcpy(copy, nodes, (size_t)n * sizeof *copy);
    return copy;
}

int cx_model_add_call(cvs_model *m, const cx_module_call *call, cvs_error *err)
{
    if (call->first == m->n_nodes) return 0;
    const int *in = copy_nodes(m, call->in, call->n_in);
    const int *out = copy_nodes(m, call->out, call->n_out);
    cx_module_call *place = in && out ? GROW(m->calls, m->n_calls) : NULL;
    if (!place) return cx_no_memory(err, sizeof *place);
    *place = *call;
    place->in = in;
    place->out = out;
    place->last = m->n_nodes;
    return 0;
}

int cx_model_set_outputs(cvs_model *m, const int *nodes, int n, cvs_error *err)
{
    for (int i = 0; i < n; i++) {
        int *place = GROW(m->outputs, m->n_outputs);
        if (!place) return cx_no_memory(err, sizeof *place);
        *place = nodes[i];
    }
    return 0;
}

int cx_model_finish(cvs_model *m, cvs_error *err)
{
    if (m->n_inputs < 1 || m->n_outputs < 1)
        return cx_fail(err, CVS_E_FORMAT, "the model has no %s",
                       m->n_inputs < 1 ? "input" : "output");
    for (int i = 0; i < m->n_layers; i++) {
        cx_layer *l = &m->layers[i];
        if (l->n_weights < 0) { /* never called: it has none to speak of */
            l->n_weights = 0;
            continue;
        }
        if (!l->kind->prepare) continue;
        int rc = l->kind->prepare(l, m->arena, err);
        if (rc < 0) return cx_where(err, rc, "layer \"%s\"", l->name);
    }
    m->closed = 1;
    return cx_transforms_new(&m->transforms, m->n_layers, err);
}

/* --- asking --- */

/* Whether `name` is the last part, or the last parts, of a node's name. */
static int ends_with_part(const char *full, const char *name)
{
    size_t nf = strlen(full), n = strlen(name);
    return nf > n && full[nf - n - 1] == '/' && strcmp(full + nf - n, name) == 0;
}

int cx_model_is_inside(const cvs_model *m, int module, int outer)
{
    while (module > outer) module = m->modules[module].parent;
    return module == outer;
}

int cx_model_module_output(const cvs_model *m, int module)
{
    for (int i = m->n_outputs - 1; i >= 0; i--)
        if (cx_model_is_inside(m, m->nodes[m->outputs[i]].module, module)) return m->outputs[i];
    for (int i = m->n_nodes - 1; i >= 0; i--) {
        const cx_node *node = &m->nodes[i];
        if (cx_model_is_inside(m, node->module, module)) continue;
        for (int k = node->n_inputs - 1; k >= 0; k--)
            if (cx_model_is_inside(m, m->nodes[node->inputs[k]].module, module))
                return node->inputs[k];
    }
    return -1;
}

/* Whether `name` is the path of a module: the names of the nested models around it and its own. */
static int is_module_path(const cvs_model *m, int module, const char *name)
{
    size_t end = strlen(name);
    for (int p = module; p > 0; p = m->modules[p].parent) {
        size_t n = strlen(m->modules[p].name);
        if (n > end || memcmp(name + end - n, m->modules[p].name, n) != 0) return 0;
        end -= n;
        if (m->modules[p].parent <= 0) return end == 0;
        if (end == 0 || name[--end] != '/') return 0;
    }
    return 0;
}

static int name_not_found(const cvs_model *m, const char *name, cvs_error *err)
{
    const char **names = cx_calloc((size_t)m->n_nodes, sizeof *names);
    cx_fail(err, CVS_E_ARG, "the model has no layer \"%s\"", name);
    for (int i = 0; names && i < m->n_nodes; i++) names[i] = m->nodes[i].name;
    if (names) cx_hint_nearest(err, name, names, m->n_nodes);
    cx_free(names);
    return CVS_E_ARG;
}

int cx_model_find_node(const cvs_model *m, const char *name, cvs_error *err)
{
    int found = -1;
    for (int i = 0; i < m->n_nodes; i++)
        if (strcmp(m->nodes[i].name, name) == 0) return i;
    for (int i = 1; i < m->n_modules; i++)
        if (is_module_path(m, i, name)) return cx_model_module_output(m, i);
    for (int i = 0; i < m->n_nodes; i++) {
        if (!ends_with_part(m->nodes[i].name, name)) continue;
        if (found >= 0)
            return cx_fail(err, CVS_E_ARG, "the model has several layers \"%s\": %s and %s", name,
                           m->nodes[found].name, m->nodes[i].name);
        found = i;
    }
    return found >= 0 ? found : name_not_found(m, name, err);
}

int cvs_model_find_input(const cvs_model *m, const char *name, cvs_error *err)
{
    cx_str all = {0};
    for (int i = 0; i < m->n_inputs; i++) {
        if (strcmp(m->nodes[m->inputs[i]].name, name) == 0) {
            cx_str_deinit(&all);
            return i;
        }
        cx_str_addf(&all, "%s%s", i ? ", " : "", m->nodes[m->inputs[i]].name);
    }
    int rc = cx_fail(err, CVS_E_ARG, "the model has no input \"%s\"", name);
    if (all.data) cx_hint(err, "it has %s", all.data);
    cx_str_deinit(&all);
    return rc;
}

const char *cvs_model_output_activation(const cvs_model *m, int i)
{
    cx_activation a = {.kind = CX_ACT_LINEAR};
    int node = i >= 0 && i < m->n_outputs ? m->outputs[i] : -1;
    while (node >= 0 && m->nodes[node].n_inputs == 1) {
        const cx_layer *l = &m->layers[m->nodes[node].layer];
        if (cx_layer_ends_with(&a, l) || !cx_layer_is_identity(l)) break;
        node = m->nodes[node].inputs[0];
    }
    return cx_activation_name(&a);
}

/* An input of the model has the order of axes that the first layer on it which has one wants. */
static int is_wanted_first(const cvs_model *m, int node)
{
    for (int i = node + 1; i < m->n_nodes; i++) {
        const cx_layer *l = &m->layers[m->nodes[i].layer];
        int takes = 0;
        for (int k = 0; k < m->nodes[i].n_inputs; k++) takes |= m->nodes[i].inputs[k] == node;
        if (!takes) continue;
        if (l->kind->has_data_format || l->kind->moves_axes) return l->channels_first;
        node = i;
    }
    return 0;
}

int cx_node_channel_axis(const cvs_model *m, int node)
{
    const int ndim = m->nodes[node].shape.ndim;
    int at = node;
    while (m->nodes[at].n_inputs > 0) {
        const cx_layer *l = &m->layers[m->nodes[at].layer];
        int from = -1;
        if (l->kind->has_data_format) return l->channels_first && ndim > 2 ? 1 : ndim - 1;
        /* What works number by number leaves the axes as they are. */
        for (int k = 0; !l->kind->moves_axes && from < 0 && k < m->nodes[at].n_inputs; k++)
            if (m->nodes[m->nodes[at].inputs[k]].shape.ndim == ndim) from = m->nodes[at].inputs[k];
        if (from < 0) return ndim - 1;
        at = from;
    }
    return ndim > 2 && is_wanted_first(m, at) ? 1 : ndim - 1;
}

char *cx_node_shape_text(char buf[CX_SHAPE_TEXT], const cx_shape *shape)
{
    if (shape->ndim > 0) return cx_shape_text(buf, shape);
    snprintf(buf, CX_SHAPE_TEXT, "?");
    return buf;
}

int64_t cx_layer_params(const cx_layer *l)
{
    int64_t n = l->n_stored;
    for (int i = 0; i < l->n_weights; i++) n += cx_shape_count(&l->w[i].spec.shape);
    return n;
}

int64_t cx_layer_trainable_params(const cx_layer *l)
{
    int64_t n = l->trainable ? l->n_stored : 0;
    for (int i = 0; i < l->n_weights; i++)
        if (l->trainable && !l->w[i].spec.frozen) n += cx_shape_count(&l->w[i].spec.shape);
    return n;
}
