/* answer_models.c - the program, its models, and a model's layers. */
#include <string.h>

#include "report/graph_svg.h"
#include "report/page.h"
#include "serve/answers.h"
#include "serve/http.h"
#include "serve/scores.h"

/* --- the program --- */

static void add_words(cx_json_writer *w, const char *key, const char *(*word)(int i))
{
    cx_json_open(w, key, '[');
    for (int i = 0; word(i); i++) cx_json_add_string(w, NULL, word(i));
    cx_json_close(w, ']');
}

static void add_methods(cx_json_writer *w)
{
    const cvs_method *m;
    cx_json_open(w, "methods", '[');
    for (int i = 0; (m = cvs_method_at(i)); i++) {
        cx_json_open(w, NULL, '{');
        cx_json_add_string(w, "name", m->name);
        cx_json_add_string(w, "title", m->title);
        cx_json_add_string(w, "cite", m->cite);
        cx_json_add_string(w, "needs", m->needs);
        cx_json_add_string(w, "cost", m->cost);
        cx_json_add_bool(w, "slow", m->is_slow);
        cx_json_add_bool(w, "pixels", m->is_pixels);
        cx_json_add_bool(w, "signed", m->is_signed);
        cx_json_add_bool(w, "shows_size", m->shows_size);
        cx_json_close(w, '}');
    }
    cx_json_close(w, ']');
}

static void add_recipes(cx_json_writer *w)
{
    const cvs_recipe *r;
    cx_json_open(w, "recipes", '[');
    for (int i = 0; (r = cvs_recipe_at(i)); i++) {
        cx_json_open(w, NULL, '{');
        cx_json_add_string(w, "name", r->name);
        cx_json_add_string(w, "title", r->title);
        cx_json_add_string(w, "cite", r->cite);
        cx_json_add_int(w, "steps", r->steps);
        cx_json_close(w, '}');
    }
    cx_json_close(w, ']');
}

int cx_answer_about(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    const cvs_image_options *image = cx_viewer_image(ask->viewer);
    cx_json_writer w = {0};
    cx_json_open(&w, NULL, '{');
    cx_json_add_string(&w, "program", "convscope");
    cx_json_add_string(&w, "version", CX_VERSION);
    cx_json_add_int(&w, "interface", 1);
    cx_json_open(&w, "limits", '{');
    cx_json_add_int(&w, "upload_bytes", CX_HTTP_MOST_BODY);
    cx_json_add_int(&w, "streams", CX_HTTP_MOST_STREAMS);
    cx_json_close(&w, '}');
    cx_json_add_string(&w, "preprocess", cvs_preprocess_name((int)image->preprocess));
    cx_json_add_string(&w, "resize", cvs_resize_name((int)image->resize));
    add_words(&w, "preprocess_modes", cvs_preprocess_name);
    add_words(&w, "resize_modes", cvs_resize_name);
    add_methods(&w);
    add_recipes(&w);
    cx_json_open(&w, "colours", '{');
    cx_page_add_colours(&w, "viridis", CX_MAP_VIRIDIS);
    cx_page_add_colours(&w, "magma", CX_MAP_MAGMA);
    cx_page_add_colours(&w, "diverging", CX_MAP_DIVERGING);
    cx_json_close(&w, '}');
    cx_json_close(&w, '}');
    return cx_reply_writer(out, &w, err);
}

/* --- models --- */

static int64_t parameters(const cvs_model *m)
{
    int64_t sum = 0;
    for (int i = 0; i < m->n_layers; i++) sum += cx_layer_params(&m->layers[i]);
    return sum;
}

static void add_model(cx_json_writer *w, const cx_view_model *model)
{
    cx_json_add_string(w, "id", model->id);
    cx_json_add_string(w, "file", model->file);
    cx_json_add_string(w, "name", model->m->name);
    cx_json_add_int(w, "parameters", parameters(model->m));
}

int cx_answer_models(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    cx_json_writer w = {0};
    cx_json_open(&w, NULL, '{');
    cx_json_open(&w, "models", '[');
    for (int i = 0; i < cx_viewer_model_count(ask->viewer); i++) {
        cx_json_open(&w, NULL, '{');
        add_model(&w, cx_viewer_model_at(ask->viewer, i));
        cx_json_close(&w, '}');
    }
    cx_json_close(&w, ']');
    cx_json_close(&w, '}');
    return cx_reply_writer(out, &w, err);
}

/* --- a model --- */

static void add_shape(cx_json_writer *w, const char *key, const cx_shape *shape)
{
    if (shape->ndim)
        cx_json_add_ints(w, key, shape->d, shape->ndim);
    else
        cx_json_add_string(w, key, NULL); /* nobody can tell */
}

/* Of a layer that slides a window over its one input. */
static void add_window(cx_json_writer *w, const cvs_model *m, const cx_node *node)
{
    const cx_layer *l = &m->layers[node->layer];
    const int rank = l->kind->rank;
    cx_reads reads;
    if (l->kind->is_unknown || node->n_inputs != 1 || rank < 1 || rank > CX_SPACE) return;
    const cx_shape *in = &m->nodes[node->inputs[0]].shape;
    if (!in->ndim || !cx_layer_reads(&reads, l, in, 0, NULL)) return;
    const cx_window *window = &reads.window;
    int is_valid = 1;
    cx_json_add_ints(w, "kernel", window->kernel + CX_SPACE - rank, rank);
    cx_json_add_ints(w, "strides", window->stride + CX_SPACE - rank, rank);
    cx_json_add_ints(w, "dilation", window->dilation + CX_SPACE - rank, rank);
    for (int a = CX_SPACE - rank; a < CX_SPACE; a++) {
        const int64_t span = (window->kernel[a] - 1) * window->dilation[a] + 1;
        const int64_t from = in->d[1 + l->channels_first + a - (CX_SPACE - rank)];
        const int64_t to = node->shape.d[1 + l->channels_first + a - (CX_SPACE - rank)];
        if (from > 0 && to > 0 && to != (from - span) / window->stride[a] + 1) is_valid = 0;
        if (window->pad[a] > 0) is_valid = 0;
    }
    cx_json_add_string(w, "padding", is_valid ? "valid" : "same");
}

static void add_layer(cx_json_writer *w, const cvs_model *m, int index)
{
    const cx_node *node = &m->nodes[index];
    const cx_layer *l = &m->layers[node->layer];
    cx_activation activation;
    cx_json_open(w, NULL, '{');
    cx_json_add_int(w, "index", index);
    cx_json_add_string(w, "name", node->name);
    cx_json_add_string(w, "class", l->class_name);
    add_shape(w, "output_shape", &node->shape);
    cx_json_add_int(w, "parameters", cx_layer_params(l));
    cx_json_add_int(w, "channel_axis", cx_node_channel_axis(m, index));
    cx_json_add_bool(w, "is_map", node->shape.ndim == 4);
    cx_json_add_bool(w, "is_supported", !l->kind->is_unknown);
    cx_json_open(w, "from", '[');
    for (int i = 0; i < node->n_inputs; i++)
        cx_json_add_string(w, NULL, m->nodes[node->inputs[i]].name);
    cx_json_close(w, ']');
    if (cx_layer_ends_with(&activation, l))
        cx_json_add_string(w, "activation", cx_activation_name(&activation));
    else
        cx_json_add_string(w, "activation", NULL);
    add_window(w, m, node);
    cx_json_close(w, '}');
}

static void add_ends(cx_json_writer *w, const char *key, const cvs_model *m, const int *nodes,
                     int n)
{
    cx_json_open(w, key, '[');
    for (int i = 0; i < n; i++) {
        cx_json_open(w, NULL, '{');
        cx_json_add_string(w, "layer", m->nodes[nodes[i]].name);
        add_shape(w, "shape", &m->nodes[nodes[i]].shape);
        cx_json_close(w, '}');
    }
    cx_json_close(w, ']');
}

static void add_classes(cx_json_writer *w, const cx_view_model *model)
{
    cx_json_add_int(w, "n_classes", cx_scores_classes(model->m));
    if (!model->classes) {
        cx_json_add_string(w, "classes", NULL);
        return;
    }
    cx_json_open(w, "classes", '[');
    for (int i = 0; i < cvs_classes_count(model->classes); i++)
        cx_json_add_string(w, NULL, cvs_classes_name(model->classes, i));
    cx_json_close(w, ']');
}

int cx_answer_model(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    const cx_view_model *model;
    const cvs_image_options *image = cx_viewer_image(ask->viewer);
    cvs_preprocess mode = image->preprocess;
    cx_json_writer w = {0};
    int rc;
    TRY(cx_ask_model(&model, out, ask, err));
    const cvs_model *m = model->m;
    if (mode == CVS_PREPROCESS_AUTO) mode = cvs_model_preprocess(m, 0, NULL);
    cx_json_open(&w, NULL, '{');
    add_model(&w, model);
    cx_json_add_string(&w, "class", m->class_name);
    cx_json_add_string(&w, "keras_version", m->keras_version);
    cx_json_add_string(&w, "preprocess", cvs_preprocess_name((int)mode));
    cx_json_add_string(&w, "refusal", m->refusal.code ? m->refusal.what : NULL);
    add_ends(&w, "inputs", m, m->inputs, m->n_inputs);
    add_ends(&w, "outputs", m, m->outputs, m->n_outputs);
    add_classes(&w, model);
    cx_json_open(&w, "layers", '[');
    for (int i = 0; i < m->n_nodes; i++) add_layer(&w, m, i);
    cx_json_close(&w, ']');
    cx_json_close(&w, '}');
    rc = cx_reply_writer(out, &w, err);
out:
    return rc;
}

int cx_answer_graph(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    const cx_view_model *model;
    cx_str svg = {0};
    int rc;
    TRY(cx_ask_model(&model, out, ask, err));
    TRY(cx_graph_svg(&svg, model->m, NULL, err));
    const size_t size = svg.len;
    TRY(cx_str_take(&out->data, &svg, err));
    out->size = size;
    out->type = "image/svg+xml";
out:
    cx_str_deinit(&svg);
    return rc;
}
