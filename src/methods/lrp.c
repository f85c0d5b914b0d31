/* lrp.c - layer-wise relevance propagation (Bach et al. 2015): the score is handed back from layer
 * to layer, each number getting its share by the rule of its layer. A BatchNormalization behind a
 * linear layer is counted to its weights; activations hand on as they get, a maximum to its winner,
 * and of a product with a gate all goes to the signal (Arras et al. 2017). */
#include <math.h>
#include <string.h>

#include "methods/lrp_choice.h"
#include "methods/method.h"

typedef struct relevance {
    const cvs_model *m;
    cx_lrp_choice choice;
} relevance;

static size_t bytes_of(const cx_tensor *t)
{
    return (size_t)cx_shape_count(&t->shape) * sizeof *t->data;
}

/* Whether what a node gives lies between 0 and 1 by an activation that makes gates. */
static int is_gate(const cvs_model *m, int node)
{
    cx_activation a;
    for (;;) {
        const cx_layer *l = &m->layers[m->nodes[node].layer];
        if (cx_layer_ends_with(&a, l))
            return a.kind == CX_ACT_SIGMOID || a.kind == CX_ACT_HARD_SIGMOID ||
                   a.kind == CX_ACT_SOFTMAX;
        if (!cx_layer_is_identity(l) || m->nodes[node].n_inputs != 1) return 0;
        node = m->nodes[node].inputs[0];
    }
}

/* To all inputs that are no gates in equal parts; where all are, to all. */
static void through_product(const relevance *r, int node, const cx_backward_call *c)
{
    const cx_node *n = &r->m->nodes[node];
    int signals = 0;
    for (int i = 0; i < c->n_x; i++) signals += !is_gate(r->m, n->inputs[i]);
    const int all = signals == 0;
    cx_tensor part = *c->dy;
    for (int i = 0; i < c->n_x; i++) {
        if (!c->dx[i]) continue;
        if (!all && is_gate(r->m, n->inputs[i])) {
            memset(c->dx[i]->data, 0, bytes_of(c->dx[i]));
            continue;
        }
        cx_shape from = cx_shape_lifted(&c->dx[i]->shape, part.shape.ndim);
        cx_broadcast_backward(part.data, &from, &part.shape, c->dx[i]->data);
        const float share = 1 / (float)(all ? c->n_x : signals);
        for (int64_t k = 0; k < cx_shape_count(&c->dx[i]->shape); k++) c->dx[i]->data[k] *= share;
    }
}

static int through_layer(void *arg, int node, const cx_backward_call *b, cvs_error *err)
{
    const relevance *r = arg;
    const cvs_model *m = r->m;
    const cx_lrp_rule *rule = &r->choice.rules[node];
    const int norm = r->choice.norm_of[node];
    if (rule->kind == CX_LRP_WINNER) return 0;
    if (rule->kind == CX_LRP_GATE) {
        through_product(r, node, b);
        return 1;
    }
    if (rule->kind == CX_LRP_PASS) {
        memcpy(b->dx[0]->data, b->dy->data, bytes_of(b->dy));
        return 1;
    }
    const cx_affine *affine = norm >= 0 ? m->layers[m->nodes[norm].layer].state : NULL;
    int rc = cx_lrp_apply(rule, &m->layers[m->nodes[node].layer], affine, b, err);
    return rc < 0 ? rc : 1;
}

static int through_activation(void *arg, int node, const cx_activation *a, const float *x,
                              const cx_tensor *y, const float *dy, float *dx, cvs_error *err)
{
    (void)arg;
    (void)node;
    (void)a;
    (void)x;
    (void)err;
    if (dx != dy) memcpy(dx, dy, bytes_of(y));
    return 1;
}

static void range_of(const cx_tensor *t, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (int64_t i = 0, n = cx_shape_count(&t->shape); i < n; i++) {
        *low = fmin(*low, (double)t->data[i]);
        *high = fmax(*high, (double)t->data[i]);
    }
}

/* What did not arrive, and whose rules these are. */
static void account(cx_question *q, const cx_tensor *d, const cx_lrp_choice *choice)
{
    const double much = 0.1;
    double total = 0;
    for (int64_t i = 0, n = cx_shape_count(&d->shape); i < n; i++) total += (double)d->data[i];
    if (q->e->score != 0) q->e->residual = fabs(total - q->e->score) / fabs(q->e->score);
    if (!choice->is_default) cx_answer_note(q, "rules: %s", q->o->rules);
    if (q->e->residual > much)
        cx_answer_note(q,
                       "of the score %.4g the pixels got %.4g: biases keep the rest, or rules that "
                       "do not preserve it",
                       q->e->score, total);
}

static int explain(cx_question *q, cvs_error *err)
{
    const cx_spot from = cx_question_source(q);
    cx_gradient *g = NULL;
    relevance r = {.m = q->model};
    const cx_rule rules = {&r, through_layer, through_activation};
    double low, high;
    int rc;
    range_of(&q->x[q->input], &low, &high);
    TRY(cx_question_gradient(&g, q, &from, 1, 1, err));
    TRY(cx_lrp_choose(&r.choice, q->model, g, q->o->rules, low, high, err));
    TRY(cx_question_forward(q, g, err));
    /* What is handed back is the score itself. */
    const cx_tensor *value = cx_gradient_value(g, 0);
    cx_tensor *seed = cx_gradient_seed(g, 0);
    cx_binary_forward(CX_MULTIPLY, cx_shape_count(&seed->shape), seed->data, value->data,
                      seed->data);
    TRY(cx_gradient_backward(g, &rules, err));
    account(q, cx_gradient_result(g, 0), &r.choice);
    TRY(cx_answer_fill(q, cx_gradient_result(g, 0), 0, err));
out:
    cx_lrp_choice_deinit(&r.choice);
    cx_gradient_free(g);
    return rc;
}

const cx_method cx_method_lrp = {
    .about = {.name = "lrp",
              .title = "LRP",
              .cite =
                  "Bach et al. 2015, On Pixel-Wise Explanations, PLOS ONE 10(7); Montavon et al. "
                  "2019, Layer-Wise Relevance Propagation: An Overview",
              .needs = "convolutions, dense layers, sums, products and poolings; --rules",
              .cost = "1 pass forward, 4 back",
              .is_pixels = 1,
              .is_signed = 1},
    .automatic = CVS_TARGET_LOGIT,
    .explain = explain,
};
