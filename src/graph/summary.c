/* summary.c - what model.summary() tells about a model. */
#include "graph/summary.h"

#include <string.h>

#include "base/json.h"

/* The entry of the outermost model that a node belongs to: its layer, or the nested model around
 * it. */
static int owner(const cvs_model *m, int node)
{
    int module = m->nodes[node].module, nested = -1;
    for (; module > 0; module = m->modules[module].parent) nested = module;
    for (int e = 0; e < m->n_entries; e++) {
        const cx_entry *entry = &m->entries[e];
        if (entry->module != 0) continue;
        if (nested > 0 ? entry->nested == nested : entry->layer == m->nodes[node].layer) return e;
    }
    return -1;
}

static int call_number(const cvs_model *m, int node)
{
    int n = 0;
    for (int i = 0; i < node; i++) n += m->nodes[i].layer == m->nodes[node].layer;
    return n;
}

static const char *entry_name(const cvs_model *m, int e)
{
    const cx_entry *entry = &m->entries[e];
    return entry->layer >= 0 ? m->layers[entry->layer].name : m->modules[entry->nested].name;
}

static void count_params(cx_row *row, const cvs_model *m, const cx_entry *entry)
{
    for (int e = 0; e < m->n_entries; e++) {
        const cx_entry *other = &m->entries[e];
        int counts = entry->layer >= 0 ? other == entry
                                       : other->layer >= 0 && cx_model_is_inside(m, other->module, entry->nested);
        if (!counts) continue;
        row->params += cx_layer_params(&m->layers[other->layer]);
        row->trainable += cx_layer_trainable_params(&m->layers[other->layer]);
    }
}

static int add_connection(cx_row *row, cx_arena *arena, const cvs_model *m, int from, int from_entry,
                          cvs_error *err)
{
    cx_str s = {0};
    const char **grown = cx_arena_array(arena, (size_t)row->n_from + 1, sizeof *grown);
    cx_str_addf(&s, "%s[%d][0]", entry_name(m, from_entry), call_number(m, from));
    char *text = s.failed ? NULL : cx_arena_strdup(arena, s.data);
    cx_str_deinit(&s);
    if (!grown || !text) return cx_no_memory(err, sizeof *grown);
    if (row->n_from) memcpy(grown, row->from, (size_t)row->n_from * sizeof *grown);
    grown[row->n_from++] = text;
    row->from = grown;
    return 0;
}

/* What the calls of an entry take from other entries. `owners` holds the owner of every node. */
static int connect(cx_row *row, cx_arena *arena, const cvs_model *m, int e, const int *owners,
                   cvs_error *err)
{
    int rc = 0;
    for (int i = 0; i < m->n_nodes && rc == 0; i++)
        for (int k = 0; owners[i] == e && k < m->nodes[i].n_inputs && rc == 0; k++) {
            int from = m->nodes[i].inputs[k];
            if (owners[from] != e || m->entries[e].layer >= 0)
                rc = add_connection(row, arena, m, from, owners[from], err);
        }
    return rc;
}

static int fill_row(cx_row *row, cx_summary *s, int e, const int *owners, cvs_error *err)
{
    const cvs_model *m = s->model;
    const cx_entry *entry = &m->entries[e];
    row->name = entry_name(m, e);
    row->class_name = entry->layer >= 0 ? m->layers[entry->layer].kind->class_name
                                        : m->modules[entry->nested].class_name;
    int node = entry->layer >= 0 ? 0 : cx_model_module_output(m, entry->nested);
    while (entry->layer >= 0 && node < m->n_nodes && owners[node] != e) node++;
    if (node >= 0 && node < m->n_nodes) {
        row->shape = m->nodes[node].shape;
        row->is_input = m->nodes[node].n_inputs == 0;
    }
    count_params(row, m, entry);
    s->params += row->params;
    s->trainable += row->trainable;
    return connect(row, s->arena, m, e, owners, err);
}

/* Keras' test for a plain chain: nobody takes two tensors or is called twice, and no tensor is
 * taken twice. */
static int is_chain(const cx_summary *s)
{
    if (s->model->modules[0].sequential) return 1;
    if (s->model->n_inputs != 1) return 0;
    for (int i = 0; i < s->n_rows; i++) {
        if (s->rows[i].n_from > 1) return 0;
        for (int k = 0; k < i; k++)
            if (s->rows[i].n_from == 1 && s->rows[k].n_from == 1 &&
                strcmp(s->rows[i].from[0], s->rows[k].from[0]) == 0)
                return 0;
    }
    return 1;
}

int cx_summary_init(cx_summary *out, const cvs_model *m, cvs_error *err)
{
    int rc = 0;
    *out = (cx_summary){.model = m, .arena = cx_arena_new()};
    int *owners = NULL;
    if (!out->arena) return cx_no_memory(err, sizeof *out);
    owners = cx_arena_array(out->arena, (size_t)m->n_nodes, sizeof *owners);
    out->rows = cx_arena_array(out->arena, (size_t)m->n_entries, sizeof *out->rows);
    if (!owners || !out->rows) {
        rc = cx_no_memory(err, (size_t)m->n_entries * sizeof *out->rows);
        goto out;
    }
    for (int i = 0; i < m->n_nodes; i++) owners[i] = owner(m, i);
    for (int e = 0; e < m->n_entries; e++) {
        if (m->entries[e].module != 0) continue;
        cx_row *row = &out->rows[out->n_rows];
        TRY(fill_row(row, out, e, owners, err));
        /* Keras does not list the input of a Sequential. */
        if (row->is_input && m->modules[0].sequential)
            *row = (cx_row){0};
        else
            out->n_rows++;
    }
    out->chain = is_chain(out);
out:
    if (rc < 0) cx_summary_deinit(out);
    return rc;
}

void cx_summary_deinit(cx_summary *s)
{
    cx_arena_free(s->arena);
    *s = (cx_summary){0};
}

static cx_json *node_names(const cvs_model *m, const int *nodes, int n)
{
    cx_json *array = cx_json_array();
    for (int i = 0; i < n; i++) cx_json_push(array, cx_json_of_string(m->nodes[nodes[i]].name));
    return array;
}

static cx_json *weights_json(const cx_layer *l)
{
    cx_json *array = cx_json_array();
    for (int i = 0; i < l->n_weights; i++) {
        const cx_weight_spec *spec = &l->w[i].spec;
        cx_json *o = cx_json_object();
        cx_json_put(o, "name", cx_json_of_string(spec->name));
        cx_json_put(o, "shape", cx_json_of_ints(spec->shape.d, spec->shape.ndim));
        cx_json_put(o, "trainable", cx_json_of_bool(l->trainable && !spec->frozen));
        cx_json_push(array, o);
    }
    return array;
}

/* Every layer call, those in nested models too. */
static int summary_json(char **out, const cx_summary *s, cvs_error *err)
{
    const cvs_model *m = s->model;
    cx_json *root = cx_json_object(), *layers = cx_json_array();
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_node *node = &m->nodes[i];
        const cx_layer *l = &m->layers[node->layer];
        cx_json *o = cx_json_object();
        cx_json_put(o, "name", cx_json_of_string(node->name));
        cx_json_put(o, "class", cx_json_of_string(l->kind->class_name));
        cx_json_put(o, "shape", cx_json_of_ints(node->shape.d, node->shape.ndim));
        cx_json_put(o, "params", cx_json_of_int(cx_layer_params(l)));
        cx_json_put(o, "trainable_params", cx_json_of_int(cx_layer_trainable_params(l)));
        cx_json_put(o, "from", node_names(m, node->inputs, node->n_inputs));
        cx_json_put(o, "weights", weights_json(l));
        cx_json_push(layers, o);
    }
    cx_json_put(root, "model", cx_json_of_string(m->name));
    cx_json_put(root, "class", cx_json_of_string(m->class_name));
    cx_json_put(root, "keras_version", cx_json_of_string(m->keras_version));
    cx_json_put(root, "inputs", node_names(m, m->inputs, m->n_inputs));
    cx_json_put(root, "outputs", node_names(m, m->outputs, m->n_outputs));
    cx_json_put(root, "total_params", cx_json_of_int(s->params));
    cx_json_put(root, "trainable_params", cx_json_of_int(s->trainable));
    cx_json_put(root, "non_trainable_params", cx_json_of_int(s->params - s->trainable));
    cx_json_put(root, "layers", layers);
    return cx_json_print(out, root, err);
}

int cvs_model_summary(char **out, const cvs_model *m, cvs_summary_style style, int width,
                      cvs_error *err)
{
    cx_summary s;
    cx_str text = {0};
    *out = NULL;
    if (width != 0 && (width < 40 || width > 1000))
        return cx_fail(err, CVS_E_ARG, "a width of %d, 40 to 1000 columns are possible", width);
    int rc = cx_summary_init(&s, m, err);
    if (rc < 0) return rc;
    if (style == CVS_SUMMARY_JSON) {
        rc = summary_json(out, &s, err);
    } else {
        if (style == CVS_SUMMARY_KERAS3)
            cx_summary_keras3(&text, &s, width);
        else
            cx_summary_keras2(&text, &s, width);
        rc = cx_str_take(out, &text, err);
    }
    cx_summary_deinit(&s);
    return rc;
}
