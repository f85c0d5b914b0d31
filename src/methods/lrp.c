/* lrp.c - layer-wise relevance propagation (Bach et al. 2015) by the composite EpsilonPlusFlat
 * (Montavon et al. 2019): the score is handed back from layer to layer, each number getting its
 * share.
 *
 *   dense layers and sums   R_i = a_i sum_j w_ij R_j / z_j                      (epsilon)
 *   convolutions            the same of what is positive, a+ w+ + a- w- alone   (z+)
 *   the first ones          R_j in equal parts to all that it reads             (flat)
 *
 * All three are a layer's own forward and backward computation with other weights. A
 * BatchNormalization behind a linear layer is counted to its weights; activations hand on as they
 * get, and a maximum to its winner. */
#include <math.h>
#include <string.h>

#include "methods/method.h"

#define EPSILON 1e-6f /* beside z_j, which may be 0 */

typedef enum rule { EPSILON_RULE, PLUS_RULE, FLAT_RULE, HAND_ON, WINNER, NO_RULE } rule;

typedef struct relevance {
    const cx_question *q;
    const cx_gradient *g;
    rule *rules;  /* by node */
    int *norm_of; /* by node: the BatchNormalization that is counted to its layer, or -1 */
} relevance;

/* --- which rule --- */

static int is_linear_with_weights(const cx_layer *l)
{
    return l->kind->is_conv || (l->kind->is_affine && l->kind->family == CX_CONNECTING);
}

/* A node with one reader, and that one's index; else -1. */
static int only_reader(const cvs_model *m, int node)
{
    int reader = -1;
    for (int i = node + 1; i < m->n_nodes; i++)
        for (int k = 0; k < m->nodes[i].n_inputs; k++) {
            if (m->nodes[i].inputs[k] != node) continue;
            if (reader >= 0) return -1;
            reader = i;
        }
    return reader;
}

static rule rule_of(const cx_layer *l)
{
    if (is_linear_with_weights(l)) return l->kind->is_conv ? PLUS_RULE : EPSILON_RULE;
    if (l->kind->as_activation || l->kind->is_identity || l->kind->family == CX_ACTIVATING)
        return HAND_ON;
    if (l->kind->is_affine) return EPSILON_RULE;
    return l->kind->is_pool ? WINNER : NO_RULE;
}

/* 1 where no layer with weights stands between the node and the input. */
static void mark_first(const cvs_model *m, rule *rules, uint8_t *behind)
{
    for (int i = 0; i < m->n_nodes; i++) {
        for (int k = 0; k < m->nodes[i].n_inputs; k++) behind[i] |= behind[m->nodes[i].inputs[k]];
        if (!is_linear_with_weights(&m->layers[m->nodes[i].layer])) continue;
        if (!behind[i]) rules[i] = FLAT_RULE;
        behind[i] = 1;
    }
}

static int choose_rules(relevance *r, cvs_error *err)
{
    const cvs_model *m = r->q->model;
    const size_t n = (size_t)m->n_nodes;
    uint8_t *behind = cx_calloc(n, 1);
    int rc = 0;
    r->rules = cx_calloc(n, sizeof *r->rules);
    r->norm_of = cx_calloc(n, sizeof *r->norm_of);
    if (!behind || !r->rules || !r->norm_of) TRY(cx_no_memory(err, n * sizeof *r->rules));
    for (int i = 0; i < m->n_nodes; i++) {
        r->rules[i] = rule_of(&m->layers[m->nodes[i].layer]);
        r->norm_of[i] = -1;
    }
    mark_first(m, r->rules, behind);
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_layer *l = &m->layers[m->nodes[i].layer];
        const int reader = only_reader(m, i);
        cx_activation a;
        if (reader < 0 || !is_linear_with_weights(l) || l->kind->is_transposed ||
            cx_layer_ends_with(&a, l) || !m->layers[m->nodes[reader].layer].kind->is_scale_shift)
            continue;
        r->norm_of[i] = reader;
        r->rules[reader] = HAND_ON;
    }
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_step *s = &r->g->steps[i];
        if (!s->wanted || !s->deep || r->rules[i] != NO_RULE) continue;
        rc = cx_fail(err, CVS_E_UNSUPPORTED, "layer \"%s\": LRP has no rule for layers of class %s",
                     m->nodes[i].name, m->layers[m->nodes[i].layer].kind->class_name);
        break;
    }
out:
    cx_free(behind);
    return rc;
}

/* --- a layer with other weights --- */

/* A copy of a layer whose numbers may be changed. */
typedef struct changed {
    cx_layer l;
    cx_arena *arena;
    float *w[CX_MAX_WEIGHTS];
    int bias; /* which weight is it; -1: none */
} changed;

static int is_bias(const cx_layer *l, int w)
{
    return strcmp(l->w[w].spec.name, "bias") == 0;
}

/* The weights, and those of the BatchNormalization behind it: a factor and a summand for each of
 * its outputs. Keras' kernels have the outputs on their last axes, so an index into them is a
 * remainder. */
static void fold(changed *c, const cx_affine *norm)
{
    const int last = c->bias >= 0 ? c->bias - 1 : c->l.n_weights - 1;
    const int64_t n = cx_shape_count(&c->l.w[last].spec.shape);
    for (int64_t i = 0; i < n; i++) c->w[last][i] *= norm->scale[i % norm->n];
    for (int64_t i = 0; c->bias >= 0 && i < norm->n; i++)
        c->w[c->bias][i] = c->w[c->bias][i] * norm->scale[i] + norm->shift[i];
}

static int copy_layer(changed *c, const cx_layer *l, const cx_affine *norm, cvs_error *err)
{
    *c = (changed){.l = *l, .bias = -1};
    c->arena = cx_arena_new();
    if (!c->arena) return cx_no_memory(err, sizeof *c);
    for (int i = 0; i < l->n_weights; i++) {
        const size_t n = (size_t)cx_shape_count(&l->w[i].spec.shape);
        c->w[i] = cx_arena_array(c->arena, n, sizeof(float));
        if (!c->w[i]) return cx_no_memory(err, n * sizeof(float));
        memcpy(c->w[i], l->w[i].data, n * sizeof(float));
        c->l.w[i].data = c->w[i];
        if (is_bias(l, i)) c->bias = i;
    }
    if (norm) fold(c, norm);
    return 0;
}

/* Keep what is above 0 or below it, or make all of it 1. */
typedef enum part { ABOVE, BELOW, ONES } part;

static float part_of(float v, part which)
{
    return which == ONES ? 1 : (v > 0) == (which == ABOVE) ? v : 0;
}

static void take_part(changed *c, const changed *from, part which, int with_bias)
{
    for (int i = 0; i < c->l.n_weights; i++)
        for (int64_t k = 0, n = cx_shape_count(&c->l.w[i].spec.shape); k < n; k++)
            c->w[i][k] = i == c->bias ? (with_bias ? part_of(from->w[i][k], ABOVE) : 0)
                                      : part_of(from->w[i][k], which);
}

/* --- the rules --- */

/* Room for one step of the walk back. */
typedef struct room {
    cx_tensor x, z, more, d; /* of the input; the outputs; the same; the input */
    cx_block work;
} room;

static int make_room(room *r, const cx_layer *l, const cx_backward_call *c, cvs_error *err)
{
    const cx_shape *in = &c->x[0]->shape, *out = &c->dy->shape;
    cx_shape shapes[CX_MAX_INPUTS];
    int rc;
    *r = (room){0};
    for (int i = 0; i < c->n_x; i++) shapes[i] = c->x[i]->shape;
    const size_t forward = cx_layer_workspace(l, shapes, c->n_x, out);
    const size_t back = cx_layer_backward_workspace(l, shapes, c->n_x, out);
    TRY(cx_tensor_init(&r->x, in, err));
    TRY(cx_tensor_init(&r->d, in, err));
    TRY(cx_tensor_init(&r->z, out, err));
    TRY(cx_tensor_init(&r->more, out, err));
    TRY(cx_block_init(&r->work, forward > back ? forward : back, err));
out:
    return rc;
}

static void free_room(room *r)
{
    cx_tensor_deinit(&r->x);
    cx_tensor_deinit(&r->z);
    cx_tensor_deinit(&r->more);
    cx_tensor_deinit(&r->d);
    cx_block_deinit(&r->work);
}

static int forward(changed *c, const cx_tensor *const *x, int n_x, cx_tensor *y, room *r,
                   cvs_error *err)
{
    const cx_call call = {
        .n_x = n_x, .x = x, .y = y, .workspace = r->work.data, .exact = 1, .linear = 1};
    int rc = c->l.kind->prepare ? c->l.kind->prepare(&c->l, c->arena, err) : 0;
    if (rc == 0) cx_layer_forward(&c->l, &call);
    return rc;
}

static void backward(const changed *c, const cx_backward_call *b, const cx_tensor *const *x,
                     const cx_tensor *s, cx_tensor *const *dx, room *r)
{
    const cx_backward_call call = {
        .n_x = b->n_x, .x = x, .y = b->y, .dy = s, .dx = dx, .workspace = r->work.data, .exact = 1};
    cx_layer_backward(&c->l, &call);
}

/* s = R / z, kept away from 0 by a little of z's own sign. */
static void divide(const cx_tensor *relevance_out, cx_tensor *z)
{
    float *v = z->data;
    for (int64_t i = 0, n = cx_shape_count(&z->shape); i < n; i++)
        v[i] = relevance_out->data[i] / (v[i] + (v[i] >= 0 ? EPSILON : -EPSILON));
}

static void multiply(cx_tensor *d, const cx_tensor *x)
{
    cx_binary_forward(CX_MULTIPLY, cx_shape_count(&d->shape), d->data, x->data, d->data);
}

static int by_epsilon(changed *c, const cx_backward_call *b, room *r, cvs_error *err)
{
    int rc;
    TRY(forward(c, b->x, b->n_x, &r->z, r, err));
    divide(b->dy, &r->z);
    backward(c, b, b->x, &r->z, b->dx, r);
    for (int i = 0; i < b->n_x; i++)
        if (b->dx[i]) multiply(b->dx[i], b->x[i]);
out:
    return rc;
}

/* What is positive: inputs above 0 by weights above 0, and below by below. */
static int by_plus(changed *c, const changed *whole, const cx_backward_call *b, room *r,
                   cvs_error *err)
{
    const int64_t n = cx_shape_count(&b->x[0]->shape), n_out = cx_shape_count(&r->z.shape);
    const cx_tensor *x = &r->x;
    cx_tensor *d = &r->d;
    int rc = 0;
    for (int side = ABOVE; side <= BELOW; side++) {
        cx_tensor *z = side == ABOVE ? &r->z : &r->more;
        take_part(c, whole, (part)side, side == ABOVE);
        for (int64_t i = 0; i < n; i++) r->x.data[i] = part_of(b->x[0]->data[i], (part)side);
        TRY(forward(c, &x, 1, z, r, err));
    }
    cx_binary_forward(CX_ADD, n_out, r->z.data, r->more.data, r->z.data);
    divide(b->dy, &r->z);
    memset(b->dx[0]->data, 0, (size_t)n * sizeof(float));
    for (int side = ABOVE; side <= BELOW; side++) {
        take_part(c, whole, (part)side, 0);
        for (int64_t i = 0; i < n; i++) r->x.data[i] = part_of(b->x[0]->data[i], (part)side);
        if (c->l.kind->prepare) TRY(c->l.kind->prepare(&c->l, c->arena, err));
        backward(c, b, &x, &r->z, &d, r);
        multiply(d, x);
        cx_binary_forward(CX_ADD, n, d->data, b->dx[0]->data, b->dx[0]->data);
    }
out:
    return rc;
}

static int by_flat(changed *c, const changed *whole, const cx_backward_call *b, room *r,
                   cvs_error *err)
{
    const cx_tensor *x = &r->x;
    int rc;
    take_part(c, whole, ONES, 0);
    for (int64_t i = 0, n = cx_shape_count(&r->x.shape); i < n; i++) r->x.data[i] = 1;
    TRY(forward(c, &x, 1, &r->z, r, err));
    divide(b->dy, &r->z);
    backward(c, b, &x, &r->z, b->dx, r);
out:
    return rc;
}

static int through_layer(void *arg, int node, const cx_backward_call *b, cvs_error *err)
{
    const relevance *r = arg;
    const cvs_model *m = r->q->model;
    const cx_layer *l = &m->layers[m->nodes[node].layer];
    const int norm = r->norm_of[node];
    const cx_affine *affine = norm >= 0 ? m->layers[m->nodes[norm].layer].state : NULL;
    changed whole = {0}, other = {0};
    room space = {0};
    int rc;
    if (r->rules[node] == WINNER) return 0;
    if (r->rules[node] == HAND_ON) {
        memcpy(b->dx[0]->data, b->dy->data, (size_t)cx_shape_count(&b->dy->shape) * sizeof(float));
        return 1;
    }
    TRY(copy_layer(&whole, l, affine, err));
    TRY(make_room(&space, l, b, err));
    if (r->rules[node] != EPSILON_RULE) TRY(copy_layer(&other, l, NULL, err));
    if (r->rules[node] == EPSILON_RULE)
        TRY(by_epsilon(&whole, b, &space, err));
    else if (r->rules[node] == PLUS_RULE)
        TRY(by_plus(&other, &whole, b, &space, err));
    else
        TRY(by_flat(&other, &whole, b, &space, err));
    rc = 1;
out:
    free_room(&space);
    cx_arena_free(whole.arena);
    cx_arena_free(other.arena);
    return rc;
}

static int through_activation(void *arg, int node, const cx_activation *a, const float *x,
                              const cx_tensor *y, const float *dy, float *dx, cvs_error *err)
{
    (void)arg;
    (void)node;
    (void)a;
    (void)x;
    (void)err;
    if (dx != dy) memcpy(dx, dy, (size_t)cx_shape_count(&y->shape) * sizeof *dx);
    return 1;
}

/* --- the whole --- */

static int explain(cx_question *q, cvs_error *err)
{
    const cx_spot from = cx_question_source(q);
    cx_gradient *g = NULL;
    relevance r = {.q = q};
    const cx_rule rules = {&r, through_layer, through_activation};
    double total = 0;
    int rc;
    TRY(cx_question_gradient(&g, q, &from, 1, 1, err));
    r.g = g;
    TRY(choose_rules(&r, err));
    TRY(cx_question_forward(q, g, err));
    /* What is handed back is the score itself. */
    const cx_tensor *value = cx_gradient_value(g, 0);
    cx_tensor *seed = cx_gradient_seed(g, 0);
    multiply(seed, value);
    TRY(cx_gradient_backward(g, &rules, err));
    const cx_tensor *d = cx_gradient_result(g, 0);
    for (int64_t i = 0, n = cx_shape_count(&d->shape); i < n; i++) total += (double)d->data[i];
    if (q->e->score != 0) q->e->residual = fabs(total - q->e->score) / fabs(q->e->score);
    TRY(cx_answer_fill(q, d, 0, err));
out:
    cx_free(r.rules);
    cx_free(r.norm_of);
    cx_gradient_free(g);
    return rc;
}

const cx_method cx_method_lrp = {
    .about = {.name = "lrp",
              .title = "LRP, EpsilonPlusFlat",
              .cite =
                  "Bach et al. 2015, On Pixel-Wise Explanations, PLOS ONE 10(7); Montavon et al. "
                  "2019, Layer-Wise Relevance Propagation: An Overview",
              .needs = "convolutions, dense layers, sums and poolings",
              .cost = "1 pass forward, 4 back",
              .is_pixels = 1,
              .is_signed = 1},
    .automatic = CVS_TARGET_LOGIT,
    .explain = explain,
};
