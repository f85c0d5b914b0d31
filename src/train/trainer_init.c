/* trainer_init.c - what of a model is trained, and by which of its numbers. */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "graph/place.h"
#include "train/trainer.h"

/* --- the loss's place --- */

/* Back over layers that change nothing, which may come after the last activation. */
static int last_that_computes(const cvs_model *m, int node)
{
    while (m->nodes[node].n_inputs == 1 &&
           cx_layer_stays_identity(&m->layers[m->nodes[node].layer]))
        node = m->nodes[node].inputs[0];
    return node;
}

int cx_trainer_find_target(cx_trainer *t, cvs_error *err)
{
    const cvs_model *m = &t->variant.model;
    cx_activation a;
    if (m->n_inputs != 1 || m->n_outputs != 1)
        return cx_fail(err, CVS_E_UNSUPPORTED,
                       "a model of %d inputs and %d outputs cannot be trained yet, one of each can",
                       m->n_inputs, m->n_outputs);
    t->output = m->outputs[0];
    const cx_shape *y = &m->nodes[t->output].shape;
    if (y->ndim != 2 || y->d[1] == CX_FREE) {
        char text[CX_SHAPE_TEXT];
        return cx_fail(err, CVS_E_UNSUPPORTED, "an output of shape %s, (None, n) is wanted",
                       cx_shape_text(text, y));
    }
    const int node = last_that_computes(m, t->output);
    const int ends = cx_layer_ends_with(&a, &m->layers[m->nodes[node].layer]);
    const char *wanted = cx_loss_activation(t->loss.kind);
    const int fits = ends && wanted && cx_streq(cx_activation_name(&a), wanted);
    if (fits && t->loss.from_logits)
        return cx_fail(err, CVS_E_ARG, "the model ends with %s: what it gives is no logit", wanted);
    t->spot = (cx_spot){t->output, 0};
    if (fits) {
        t->spot = cx_spot_plain(m, (cx_spot){node, 1});
        t->loss.from_logits = 1;
    }
    return cx_loss_check(&t->loss, y->d[1], t->n_classes, err);
}

/* --- what is frozen --- */

static int freeze_layers(cvs_model *m, const char *name)
{
    int found = 0;
    for (int i = 0; i < m->n_nodes; i++) {
        cx_layer *l = &m->layers[m->nodes[i].layer];
        int hit = cx_streq(l->name, name) || cx_streq(m->nodes[i].name, name);
        for (int p = m->nodes[i].module; p > 0; p = m->modules[p].parent)
            hit |= cx_streq(m->modules[p].name, name);
        if (hit) l->trainable = 0;
        found |= hit;
    }
    return found;
}

int cx_trainer_freeze(cx_trainer *t, const char *const *names, int n, cvs_error *err)
{
    cvs_model *m = &t->variant.model;
    for (int i = 0; i < n; i++)
        if (!freeze_layers(m, names[i])) {
            int rc = cx_model_find_node(m, names[i], err);
            return rc < 0 ? rc : cx_fail(err, CVS_E_ARG, "no layer is called \"%s\"", names[i]);
        }
    return 0;
}

/* --- parameters --- */

static int is_called(const cvs_model *m, int layer)
{
    for (int i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].layer == layer) return 1;
    return 0;
}

static int is_parameter(const cvs_model *m, int layer, int weight)
{
    const cx_layer *l = &m->layers[layer];
    return l->trainable && !l->w[weight].spec.frozen && is_called(m, layer);
}

static size_t count_of(const cx_weight *w)
{
    return (size_t)cx_shape_count(&w->spec.shape);
}

static int check_layers(const cvs_model *m, cvs_error *err)
{
    for (int i = 0; i < m->n_layers; i++) {
        const cx_layer *l = &m->layers[i];
        if (!l->untrainable || !is_called(m, i)) continue;
        int rc = cx_fail(err, CVS_E_UNSUPPORTED, "%s cannot be had in training", l->untrainable);
        if (l->kind->is_identity)
            cx_hint(err,
                    "take the layer out of the model, and change pictures before they come in");
        return cx_where(err, rc, "layer \"%s\"", l->name);
    }
    return 0;
}

static int make_arrays(cx_trainer *t, int n, size_t size, cvs_error *err)
{
    cx_arena *arena = t->variant.model.arena;
    const size_t all = (size_t)t->variant.model.n_layers * CX_MAX_WEIGHTS;
    const size_t room = (size_t)n + 1;
    t->parameters = cx_arena_array(arena, room, sizeof *t->parameters);
    t->penalties = cx_arena_array(arena, room, sizeof *t->penalties);
    t->layer_of = cx_arena_array(arena, room, sizeof *t->layer_of);
    t->spread = cx_arena_array(arena, (size_t)t->variant.model.n_layers, sizeof *t->spread);
    t->dw = cx_arena_array(arena, all, sizeof *t->dw);
    t->moving = cx_arena_array(arena, all, sizeof *t->moving);
    if (!t->parameters || !t->penalties || !t->layer_of || !t->spread || !t->dw || !t->moving)
        return cx_no_memory(err, all * sizeof *t->dw);
    for (int i = 0; i < t->variant.model.n_layers; i++) t->spread[i].squares = NAN;
    return cx_block_init(&t->derivatives, size, err);
}

static void add_parameter(cx_trainer *t, int layer, int weight, float **at)
{
    const cx_layer *l = &t->variant.model.layers[layer];
    const cx_weight_rule rule = cx_weight_rule_of(l, weight);
    const int i = t->n_parameters++;
    t->parameters[i] =
        (cx_parameter){t->variant.w[layer][weight], *at, (int64_t)count_of(&l->w[weight])};
    t->penalties[i] = (cx_penalty){rule.l1, rule.l2};
    t->layer_of[i] = layer;
    t->dw[(size_t)layer * CX_MAX_WEIGHTS + (size_t)weight] = *at;
    *at += cx_place_size(count_of(&l->w[weight])) / sizeof **at;
}

int cx_trainer_find_parameters(cx_trainer *t, cvs_error *err)
{
    const cvs_model *m = &t->variant.model;
    size_t size = 0;
    int n = 0, rc;
    TRY(check_layers(m, err));
    for (int i = 0; i < m->n_layers; i++)
        for (int k = 0; k < m->layers[i].n_weights; k++) {
            if (!is_parameter(m, i, k)) continue;
            size += cx_place_size(count_of(&m->layers[i].w[k]));
            n++;
        }
    if (n == 0) TRY(cx_fail(err, CVS_E_ARG, "no layer of the model has weights to be trained"));
    TRY(make_arrays(t, n, size, err));
    float *at = t->derivatives.data;
    for (int i = 0; i < m->n_layers; i++)
        for (int k = 0; k < m->layers[i].n_weights; k++) {
            t->moving[(size_t)i * CX_MAX_WEIGHTS + (size_t)k] = t->variant.w[i][k];
            if (is_parameter(m, i, k)) add_parameter(t, i, k, &at);
        }
out:
    return rc;
}
