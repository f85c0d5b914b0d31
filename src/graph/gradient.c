/* gradient.c - the way back: made, walked, asked. */
#include "graph/tail.h"

#include <string.h>

cx_spot cx_spot_plain(const cvs_model *m, cx_spot spot)
{
    cx_activation a;
    while (spot.linear && m->nodes[spot.node].n_inputs == 1) {
        const cx_layer *l = &m->layers[m->nodes[spot.node].layer];
        const int only = l->kind->as_activation && cx_layer_ends_with(&a, l);
        if (!only && !cx_layer_is_identity(l)) break;
        spot.node = m->nodes[spot.node].inputs[0];
        if (only) spot.linear = 0;
    }
    if (spot.linear) spot.linear = cx_node_has_fused(&a, m, spot.node);
    return spot;
}

static int init(cx_gradient *g, const cvs_model *m, const cx_gradient_options *o, cvs_error *err)
{
    int rc;
    g->n_to = o->n_to;
    g->n_from = o->n_from;
    g->dw = o->dw;
    g->arena = cx_arena_new();
    if (!g->arena) return cx_no_memory(err, sizeof *g);
    g->to = cx_arena_array(g->arena, (size_t)o->n_to, sizeof *g->to);
    g->from = cx_arena_array(g->arena, (size_t)o->n_from, sizeof *g->from);
    g->seeds = cx_arena_array(g->arena, (size_t)o->n_to, sizeof *g->seeds);
    g->steps = cx_arena_array(g->arena, (size_t)m->n_nodes, sizeof *g->steps);
    if (!g->to || !g->from || !g->seeds || !g->steps)
        return cx_no_memory(err, (size_t)m->n_nodes * sizeof *g->steps);
    for (int i = 0; i < o->n_to; i++) g->to[i] = cx_spot_plain(m, o->to[i]);
    for (int i = 0; i < o->n_from; i++) g->from[i] = cx_spot_plain(m, o->from[i]);
    TRY(cx_run_new(&g->run, m, o->batch, o->exact, err));
    for (int i = 0; o->shapes && i < m->n_inputs; i++) cx_run_stretch(g->run, i, &o->shapes[i]);
    if (o->training) cx_run_train(g->run, o->moving);
    if (o->dw) TRY(cx_run_own_transforms(g->run, err));
    if (o->keep >= 0) cx_run_keep(g->run, o->keep);
    TRY(cx_gradient_mark(g, o->keep_arguments, err));
    if (o->base) {
        TRY(cx_tail_begin(g->run, o->base, 0, o->from[0].node, &g->to[0], err));
    } else {
        TRY(cx_run_plan(g->run, err));
    }
out:
    return rc;
}

int cx_gradient_new(cx_gradient **out, const cvs_model *m, const cx_gradient_options *o,
                    cvs_error *err)
{
    *out = NULL;
    cx_gradient *g = cx_calloc(1, sizeof *g);
    if (!g) return cx_no_memory(err, sizeof *g);
    int rc = init(g, m, o, err);
    if (rc < 0)
        cx_gradient_free(g);
    else
        *out = g;
    return rc;
}

void cx_gradient_free(cx_gradient *g)
{
    if (!g) return;
    cx_block_deinit(&g->memory);
    cvs_run_free(g->run);
    cx_arena_free(g->arena);
    cx_free(g);
}

static size_t bytes_of(const cx_tensor *t)
{
    return (size_t)cx_shape_count(&t->shape) * sizeof(float);
}

int cx_gradient_forward(cx_gradient *g, cvs_error *err)
{
    int rc;
    TRY(cvs_run_forward(g->run, err));
    if (g->plan != g->run->plan) TRY(cx_gradient_plan(g, err));
    for (int i = 0; i < g->n_to; i++) memset(g->seeds[i].data, 0, bytes_of(&g->seeds[i]));
out:
    return rc;
}

const cx_tensor *cx_spot_value(const cvs_run *run, const cx_spot *spot)
{
    const cx_slot *slot = &run->slots[spot->node];
    return spot->linear ? &slot->linear : &slot->y;
}

const cx_tensor *cx_gradient_value(const cx_gradient *g, int i)
{
    return cx_spot_value(g->run, &g->to[i]);
}

cx_tensor *cx_gradient_seed(cx_gradient *g, int i)
{
    return &g->seeds[i];
}

const cx_tensor *cx_gradient_source(const cx_gradient *g, int i)
{
    return cx_spot_value(g->run, &g->from[i]);
}

const cx_tensor *cx_gradient_result(const cx_gradient *g, int i)
{
    const cx_step *s = &g->steps[g->from[i].node];
    return g->from[i].linear ? &s->dz : &s->dy;
}

/* --- one step --- */

static void add(const cx_tensor *t, cx_tensor *sum)
{
    cx_binary_forward(CX_ADD, cx_shape_count(&t->shape), t->data, sum->data, sum->data);
}

/* Put the seeds of a node where derivatives of the same spot are; `filled` says whether there are
 * any yet. */
static int add_seeds(cx_gradient *g, int node, int linear, int filled, cx_tensor *to)
{
    for (int i = 0; i < g->n_to; i++) {
        if (g->to[i].node != node || g->to[i].linear != linear) continue;
        if (filled)
            add(&g->seeds[i], to);
        else
            memcpy(to->data, g->seeds[i].data, bytes_of(to));
        filled = 1;
    }
    return filled;
}

/* Through the activation that the node's layer ends with: dz from dy, then what begins at it. */
static int undo_activation(cx_gradient *g, int node, int filled, const cx_rule *rule,
                           cvs_error *err)
{
    cx_step *s = &g->steps[node];
    const cx_slot *slot = &g->run->slots[node];
    const float *x = slot->keeps_linear ? slot->linear.data : NULL;
    const int is_done = s->rectified && !rule; /* by who filled it */
    cx_activation a;
    int rc = 0;
    (void)cx_node_has_fused(&a, g->run->model, node);
    if (filled && rule && rule->activation)
        TRY(rule->activation(rule->arg, node, &a, x, &slot->y, s->dy.data, s->dz.data, err));
    if (filled && !is_done && rc == 0)
        cx_activate_backward(&a, x, &slot->y, s->dy.data, s->dz.data);
    add_seeds(g, node, 1, filled, &s->dz);
    rc = 0;
out:
    return rc;
}

/* The layer itself, without its activation. */
static int step_back(cx_gradient *g, int node, const cx_rule *rule, cvs_error *err)
{
    const cx_node *n = &g->run->model->nodes[node];
    const cx_layer *l = &g->run->model->layers[n->layer];
    const cx_slot *slot = &g->run->slots[node];
    cx_step *s = &g->steps[node];
    const cx_training training = cx_run_training(g->run, node);
    cx_backward_call call = {.n_x = n->n_inputs,
                             .x = slot->x,
                             .y = &slot->y,
                             .dy = &s->dz,
                             .dx = s->dx,
                             .dw = g->dw ? g->dw + (size_t)n->layer * CX_MAX_WEIGHTS : NULL,
                             .workspace = g->workspace,
                             .exact = g->run->exact,
                             .training = g->run->training ? &training : NULL,
                             .rectify =
                                 !rule && n->n_inputs == 1 && g->steps[n->inputs[0]].rectified};
    cx_activation a;
    int rc = 0;
    if (rule && rule->activation && l->kind->as_activation && l->kind->as_activation(l, &a))
        TRY(rule->activation(rule->arg, node, &a, call.x[0]->data, call.y, call.dy->data,
                             call.dx[0]->data, err));
    else if (rule && rule->layer)
        TRY(rule->layer(rule->arg, node, &call, err));
    if (rc == 0) {
        if (s->dx[0]) TRY(cx_run_transformed(&call.transformed, g->run, node, 1, err));
        cx_layer_backward(l, &call);
    }
    for (int k = 0; k < n->n_inputs; k++)
        if (s->dx[k] && s->adds[k]) add(s->dx[k], &g->steps[n->inputs[k]].dy);
    rc = 0;
out:
    return rc;
}

int cx_gradient_backward(cx_gradient *g, const cx_rule *rule, cvs_error *err)
{
    int rc = 0;
    if (!g->run->done || g->plan != g->run->plan)
        return cx_fail(err, CVS_E_ARG, "the run has not been computed yet");
    for (int i = g->run->model->n_nodes - 1; i >= 0; i--) {
        cx_step *s = &g->steps[i];
        if (!s->wanted) {
            if (s->kept || s->kept_linear) memset(s->dy.data, 0, bytes_of(&s->dy));
            continue;
        }
        const int filled = add_seeds(g, i, 0, s->fed, &s->dy);
        if (s->kept && !filled) memset(s->dy.data, 0, bytes_of(&s->dy));
        if (s->fused && (s->deep || s->kept_linear)) TRY(undo_activation(g, i, filled, rule, err));
        if (s->deep) TRY(step_back(g, i, rule, err));
    }
out:
    return rc;
}
