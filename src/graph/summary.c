/* summary.c - what model.summary() tells about a model. */
#include "graph/summary.h"

#include <string.h>

#include "base/json.h"
#include "graph/outline.h"

/* What is gathered before the rows are written. */
typedef struct gatherer {
    const cvs_model *m;
    cx_arena *arena;
    cvs_error *err;
    int *layer_row, *module_row; /* which row shows a layer, a nested model; -1 */
} gatherer;

static int level_of(const cvs_model *m, int module)
{
    int level = 0;
    for (; module > 0; module = m->modules[module].parent) level++;
    return level;
}

/* --- rows --- */

/* Keras does not list the input of a Sequential. */
static int is_hidden(const cvs_model *m, const cx_entry *entry, const char *is_input)
{
    return m->modules[entry->module].sequential && entry->layer >= 0 &&
           (entry->input || is_input[entry->layer]);
}

/* The entries of a nested model follow its own, so they stand as Keras expands them. */
static int list_rows(cx_summary *s, gatherer *g, int expand)
{
    const cvs_model *m = g->m;
    char *is_input = cx_arena_alloc(g->arena, (size_t)m->n_layers + 1);
    if (!is_input) return cx_no_memory(g->err, (size_t)m->n_layers);
    for (int i = 0; i < m->n_inputs; i++) is_input[m->nodes[m->inputs[i]].layer] = 1;
    for (int e = 0; e < m->n_entries; e++) {
        const cx_entry *entry = &m->entries[e];
        if ((entry->module != 0 && !expand) || is_hidden(m, entry, is_input)) continue;
        cx_row *row = &s->rows[s->n_rows];
        row->level = level_of(m, entry->module);
        if (entry->layer >= 0) {
            const cx_layer *l = &m->layers[entry->layer];
            row->name = l->name;
            row->class_name = l->class_name;
            row->is_input = entry->input || is_input[entry->layer];
            if (entry->input) {
                row->shapes = cx_arena_array(g->arena, 1, sizeof *row->shapes);
                if (!row->shapes) return cx_no_memory(g->err, sizeof *row->shapes);
                row->shapes[row->n_shapes++] = *entry->input;
            }
            g->layer_row[entry->layer] = s->n_rows;
        } else {
            row->name = m->modules[entry->nested].name;
            row->class_name = m->modules[entry->nested].class_name;
            g->module_row[entry->nested] = s->n_rows;
        }
        s->n_rows++;
    }
    return 0;
}

/* A layer's numbers count in its row and in those of the models around it. */
static void count_params(cx_summary *s, const gatherer *g)
{
    for (int e = 0; e < g->m->n_entries; e++) {
        const cx_entry *entry = &g->m->entries[e];
        if (entry->layer < 0) continue;
        int64_t params = cx_layer_params(&g->m->layers[entry->layer]);
        int64_t trainable = cx_layer_trainable_params(&g->m->layers[entry->layer]);
        s->params += params;
        s->trainable += trainable;
        int row = g->layer_row[entry->layer];
        for (int module = entry->module;; module = g->m->modules[module].parent) {
            if (row >= 0) {
                s->rows[row].params += params;
                s->rows[row].trainable += trainable;
            }
            if (module <= 0) break;
            row = g->module_row[module];
        }
    }
}

/* --- shapes --- */

/* A call whose outputs are those nodes. */
static int add_shapes(cx_row *row, const gatherer *g, const int *nodes, int n)
{
    int first = row->n_shapes == 0;
    if (first) {
        row->shapes = cx_arena_array(g->arena, (size_t)n, sizeof *row->shapes);
        if (!row->shapes) return cx_no_memory(g->err, (size_t)n * sizeof *row->shapes);
        row->n_shapes = n;
    }
    for (int i = 0; i < n; i++) {
        const cx_shape *shape = &g->m->nodes[nodes[i]].shape;
        if (!first && !cx_shape_equal(&row->shapes[i], shape)) row->varies = 1;
        row->shapes[i] = *shape;
    }
    return 0;
}

static int find_shapes(cx_summary *s, const gatherer *g)
{
    int rc = 0;
    for (int i = 0; i < g->m->n_nodes && rc == 0; i++) {
        int row = g->layer_row[g->m->nodes[i].layer];
        if (row >= 0) rc = add_shapes(&s->rows[row], g, &i, 1);
    }
    for (int c = 0; c < g->m->n_calls && rc == 0; c++) {
        const cx_module_call *call = &g->m->calls[c];
        int row = g->module_row[call->module];
        if (row >= 0) rc = add_shapes(&s->rows[row], g, call->out, call->n_out);
    }
    return rc;
}

void cx_row_shapes(cx_str *out, const cx_row *row)
{
    char text[CX_SHAPE_TEXT];
    if (row->n_shapes != 1) cx_str_add(out, "[");
    for (int i = 0; i < row->n_shapes; i++)
        cx_str_addf(out, "%s%s", i ? ", " : "", cx_node_shape_text(text, &row->shapes[i]));
    if (row->n_shapes != 1) cx_str_add(out, "]");
}

/* --- connections --- */

static int row_of(const cx_outline_call *call, const gatherer *g)
{
    if (call->call >= 0) return g->module_row[g->m->calls[call->call].module];
    return g->layer_row[g->m->nodes[call->node].layer];
}

static const char *name_of(const cx_outline_call *call, const cvs_model *m)
{
    if (call->call >= 0) return m->modules[m->calls[call->call].module].name;
    return m->layers[m->nodes[call->node].layer].name;
}

static int connect(cx_summary *s, const gatherer *g, const cx_outline *o)
{
    for (int i = 0; i < o->n_calls; i++) {
        int row = row_of(&o->calls[i], g);
        if (row >= 0) s->rows[row].n_from += o->calls[i].n_in;
    }
    for (int i = 0; i < s->n_rows; i++) {
        cx_row *row = &s->rows[i];
        row->from = cx_arena_array(g->arena, (size_t)row->n_from, sizeof *row->from);
        if (!row->from) return cx_no_memory(g->err, (size_t)row->n_from * sizeof *row->from);
        row->n_from = 0;
    }
    for (int i = 0; i < o->n_calls; i++) {
        int row = row_of(&o->calls[i], g);
        for (int k = 0; row >= 0 && k < o->calls[i].n_in; k++) {
            int node = o->calls[i].in[k];
            if (o->giver[node] < 0) continue;
            const cx_outline_call *from = &o->calls[o->giver[node]];
            s->rows[row].from[s->rows[row].n_from++] = (cx_connection){
                name_of(from, g->m), from->number, o->output[node], from->call >= 0};
        }
    }
    return 0;
}

/* Keras' test for a plain chain: one call after the other, each on one tensor, and none of them of
 * a layer that was called before. */
static int is_chain(const cvs_model *m, const cx_outline *o)
{
    if (m->modules[0].sequential) return 1;
    for (int i = 0; i < o->n_calls; i++) {
        const cx_outline_call *call = &o->calls[i];
        if (call->number > 0 || call->n_in != (i > 0)) return 0;
        if (i > 0 && o->giver[call->in[0]] != i - 1) return 0;
    }
    return 1;
}

/* --- the whole --- */

static int fill(cx_summary *s, gatherer *g, int expand)
{
    const cvs_model *m = g->m;
    cx_outline outline;
    int rc;
    for (int i = 0; i < m->n_layers; i++) g->layer_row[i] = -1;
    for (int i = 0; i < m->n_modules; i++) g->module_row[i] = -1;
    TRY(list_rows(s, g, expand));
    count_params(s, g);
    TRY(find_shapes(s, g));
    TRY(cx_outline_make(&outline, m, CX_WHOLE, g->arena, g->err));
    TRY(connect(s, g, &outline));
    s->chain = is_chain(m, &outline);
out:
    return rc;
}

int cx_summary_init(cx_summary *out, const cvs_model *m, int expand, cvs_error *err)
{
    int rc;
    *out = (cx_summary){.model = m, .arena = cx_arena_new()};
    if (!out->arena) return cx_no_memory(err, sizeof *out);
    gatherer g = {.m = m, .arena = out->arena, .err = err};
    g.layer_row = cx_arena_array(g.arena, (size_t)m->n_layers + 1, sizeof *g.layer_row);
    g.module_row = cx_arena_array(g.arena, (size_t)m->n_modules + 1, sizeof *g.module_row);
    out->rows = cx_arena_array(g.arena, (size_t)m->n_entries, sizeof *out->rows);
    if (g.layer_row && g.module_row && out->rows)
        rc = fill(out, &g, expand);
    else
        rc = cx_no_memory(err, (size_t)m->n_entries * sizeof *out->rows);
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
        cx_json_put(o, "class", cx_json_of_string(l->class_name));
        cx_json_put(o, "shape",
                    node->shape.ndim ? cx_json_of_ints(node->shape.d, node->shape.ndim)
                                     : cx_json_of_string(NULL));
        if (l->kind->is_unknown) cx_json_put(o, "supported", cx_json_of_bool(0));
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

int cvs_model_summary(char **out, const cvs_model *m, const cvs_summary_options *options,
                      cvs_error *err)
{
    const cvs_summary_options defaults = {0};
    const cvs_summary_options *o = options ? options : &defaults;
    cx_summary s;
    cx_str text = {0};
    *out = NULL;
    if (o->width != 0 && (o->width < 40 || o->width > 1000))
        return cx_fail(err, CVS_E_ARG, "a width of %d, 40 to 1000 columns are possible", o->width);
    int rc = cx_summary_init(&s, m, o->expand, err);
    if (rc < 0) return rc;
    if (o->style == CVS_SUMMARY_JSON) {
        rc = summary_json(out, &s, err);
    } else {
        if (o->style == CVS_SUMMARY_KERAS3)
            cx_summary_keras3(&text, &s, o->width);
        else
            cx_summary_keras2(&text, &s, o->width);
        rc = cx_str_take(out, &text, err);
    }
    cx_summary_deinit(&s);
    return rc;
}
