/* layers.c - which layers a class activation map is made from. */
#include <stdio.h>
#include <string.h>

#include "methods/method.h"

/* Nodes that the goal depends on. */
static void mark_before(uint8_t *before, const cvs_model *m, int goal)
{
    before[goal] = 1;
    for (int i = goal; i >= 0; i--)
        for (int k = 0; before[i] && k < m->nodes[i].n_inputs; k++)
            before[m->nodes[i].inputs[k]] = 1;
}

/* Places between batch and channels. */
static int64_t places(const cvs_model *m, const cvs_run *run, int node)
{
    const cx_shape *s = &run->slots[node].shape;
    const int first = cx_node_channel_axis(m, node) == 1;
    return s->ndim > 2 ? cx_shape_count_range(s, 1 + first, s->ndim - 1 + first) : 1;
}

/* Layers that add nothing to what they are given, but may hide where it was. */
static int only_hands_on(const cx_layer *l)
{
    return l->kind->is_pool || l->kind->is_identity || l->kind->family == CX_RESHAPING;
}

/* The last node with more than one place before the answer; then back over pooling and the like to
 * the layer whose map that was. A map of classes is itself the last one: what it was made from is
 * meant. */
static int choose(const cx_question *q, const cvs_run *run, const uint8_t *before)
{
    const cvs_model *m = q->model;
    int node = q->goal.spot.node;
    while (node >= 0 && (!before[node] || places(m, run, node) < 2)) node--;
    if (node == q->goal.spot.node && m->nodes[node].n_inputs > 0) node = m->nodes[node].inputs[0];
    while (node >= 0 && m->nodes[node].n_inputs == 1 &&
           only_hands_on(&m->layers[m->nodes[node].layer]) &&
           m->nodes[m->nodes[node].inputs[0]].n_inputs > 0)
        node = m->nodes[node].inputs[0];
    return node >= 0 && m->nodes[node].n_inputs > 0 ? node : -1;
}

/* Before the first of q->layers, the last layer of each finer scale: one of twice as many places at
 * least that does more than hand on. */
static void choose_scales(cx_question *q, const cvs_run *run, const uint8_t *before)
{
    const cvs_model *m = q->model;
    int64_t last = places(m, run, q->layers[0]);
    for (int node = q->layers[0] - 1; node >= 0 && q->n_layers < q->method->scales; node--) {
        const int64_t n = before[node] ? places(m, run, node) : 0;
        if (n < 2 * last || m->nodes[node].n_inputs < 1 ||
            only_hands_on(&m->layers[m->nodes[node].layer]))
            continue;
        q->layers[q->n_layers++] = node;
        last = n;
    }
}

static int choose_layer(cx_question *q, const cvs_run *run, cvs_error *err)
{
    const cvs_model *m = q->model;
    uint8_t *before = cx_calloc((size_t)m->n_nodes, 1);
    if (!before) return cx_no_memory(err, (size_t)m->n_nodes);
    mark_before(before, m, q->goal.spot.node);
    const int node = choose(q, run, before);
    if (node >= 0) q->layers[q->n_layers++] = node;
    if (node >= 0) choose_scales(q, run, before);
    cx_free(before);
    if (node < 0) {
        int rc = cx_fail(err, CVS_E_UNSUPPORTED, "the model has no layer with a map: %s needs one",
                         q->method->about.title);
        cx_hint(err, "methods that attribute to pixels need none, gradient for instance");
        return rc;
    }
    const cx_shape *s = &run->slots[node].shape;
    char text[CX_SHAPE_TEXT];
    if (q->n_layers > 1)
        snprintf(q->e->why_layer, sizeof q->e->why_layer,
                 "of %s %d, the last of each scale, back from the network's last map",
                 q->method->about.name, q->n_layers);
    else
        snprintf(q->e->why_layer, sizeof q->e->why_layer,
                 "%s %s: the last map before the network's answer becomes a vector",
                 m->nodes[node].name, cx_shape_text(text, s));
    return 0;
}

static int add_named(cx_question *q, const char *name, size_t n, cvs_error *err)
{
    char word[256];
    if (n == 0 || n >= sizeof word)
        return cx_fail(err, CVS_E_ARG, "a layer name of %zu letters in \"%s\"", n, q->o->layers);
    memcpy(word, name, n);
    word[n] = 0;
    if (q->n_layers == CX_MAX_LAYERS)
        return cx_fail(err, CVS_E_ARG, "more than %d layers", CX_MAX_LAYERS);
    int node = cx_model_find_node(q->model, word, err);
    if (node < 0) return node;
    q->layers[q->n_layers++] = node;
    return 0;
}

int cx_question_layers(cx_question *q, const cvs_run *run, cvs_error *err)
{
    const char *list = q->o->layers;
    int rc = 0;
    if (!list) {
        TRY(choose_layer(q, run, err));
    } else {
        for (const char *at = list; at; at = strchr(at, ',')) {
            at += at != list;
            TRY(add_named(q, at, strcspn(at, ","), err));
        }
        snprintf(q->e->why_layer, sizeof q->e->why_layer, "as asked");
    }
    for (int i = 0; i < q->n_layers; i++) {
        const size_t at = strlen(q->e->layer);
        snprintf(q->e->layer + at, sizeof q->e->layer - at, "%s%s", i ? "," : "",
                 q->model->nodes[q->layers[i]].name);
    }
out:
    return rc;
}
