/* gradient_plan.c - what the way back visits, what is kept for it, and where derivatives lie: as
 * the way goes from the last node to the first, so do the lifetimes of their memory. */
#include <math.h>
#include <string.h>

#include "graph/gradient.h"
#include "graph/place.h"

static int has_weights(const cx_gradient *g, int layer)
{
    for (int w = 0; g->dw && w < CX_MAX_WEIGHTS; w++)
        if (g->dw[layer * CX_MAX_WEIGHTS + w]) return 1;
    return 0;
}

/* From the sources up, and from the targets down. */
static void mark_nodes(cx_gradient *g)
{
    const cvs_model *m = g->run->model;
    for (int i = 0; i < g->n_from; i++) {
        cx_step *s = &g->steps[g->from[i].node];
        s->active = 1;
        if (g->from[i].linear)
            s->kept_linear = 1;
        else
            s->kept = 1;
    }
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_node *node = &m->nodes[i];
        cx_step *s = &g->steps[i];
        cx_activation a;
        s->fused = cx_node_has_fused(&a, m, i);
        s->deep = node->n_inputs > 0 && has_weights(g, node->layer);
        for (int k = 0; k < node->n_inputs; k++) s->deep |= g->steps[node->inputs[k]].active;
        s->active |= s->deep;
    }
    for (int i = 0; i < g->n_to; i++) {
        /* What is before a node's activation does not depend on what comes out of it. */
        cx_step *s = &g->steps[g->to[i].node];
        s->wanted |= g->to[i].linear ? s->deep || s->kept_linear : s->active;
    }
    for (int i = m->n_nodes - 1; i >= 0; i--) {
        const cx_node *node = &m->nodes[i];
        for (int k = 0; g->steps[i].wanted && k < node->n_inputs; k++) {
            cx_step *in = &g->steps[node->inputs[k]];
            in->wanted |= in->active;
            in->fed |= in->active;
        }
    }
}

/* A pooling's way back can leave out what the relu before it would: the derivative of the relu is
 * then made without being read and written once more. */
static void find_rectified(cx_gradient *g)
{
    const cvs_model *m = g->run->model;
    for (int i = 0; i < g->n_to; i++) g->steps[g->to[i].node].readers += !g->to[i].linear;
    for (int i = 0; i < m->n_nodes; i++)
        for (int k = 0; g->steps[i].wanted && k < m->nodes[i].n_inputs; k++) {
            g->steps[m->nodes[i].inputs[k]].readers++;
            g->steps[m->nodes[i].inputs[k]].reader = i;
        }
    for (int i = 0; i < m->n_nodes; i++) {
        cx_step *s = &g->steps[i];
        cx_activation a;
        if (!s->wanted || !s->fused || s->kept || s->kept_linear || s->readers != 1) continue;
        (void)cx_node_has_fused(&a, m, i);
        if (a.kind != CX_ACT_RELU || a.slope != 0 || a.threshold != 0 || isfinite(a.limit))
            continue;
        s->rectified = m->layers[m->nodes[s->reader].layer].kind->rectifies;
    }
}

/* A layer's derivative reads what it was given and what it gave. */
static void keep_activations(cx_gradient *g, int keep_arguments)
{
    const cvs_model *m = g->run->model;
    for (int i = 0; i < g->n_to; i++) {
        cx_run_keep(g->run, g->to[i].node);
        if (g->to[i].linear) cx_run_keep_linear(g->run, g->to[i].node);
    }
    for (int i = 0; i < g->n_from; i++) {
        cx_run_keep(g->run, g->from[i].node);
        if (g->from[i].linear) cx_run_keep_linear(g->run, g->from[i].node);
    }
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_node *node = &m->nodes[i];
        const cx_step *s = &g->steps[i];
        cx_activation a;
        if (!s->wanted || (!s->deep && !s->kept_linear)) continue;
        cx_run_keep(g->run, i);
        for (int k = 0; s->deep && k < node->n_inputs; k++) cx_run_keep(g->run, node->inputs[k]);
        if (cx_node_has_fused(&a, m, i) && (keep_arguments || !cx_activation_from_output(&a)))
            cx_run_keep_linear(g->run, i);
    }
}

int cx_gradient_mark(cx_gradient *g, int keep_arguments, cvs_error *err)
{
    const cvs_model *m = g->run->model;
    int any = g->dw != NULL;
    mark_nodes(g);
    find_rectified(g);
    for (int i = 0; i < g->n_from; i++) any |= g->steps[g->from[i].node].wanted;
    if (!any)
        return cx_fail(err, CVS_E_ARG, "%s does not depend on layer \"%s\"",
                       m->nodes[g->to[0].node].name,
                       g->n_from ? m->nodes[g->from[0].node].name : "");
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_layer *l = &m->layers[m->nodes[i].layer];
        if (!g->steps[i].wanted || !g->steps[i].deep || cx_layer_has_backward(l)) continue;
        int rc = cx_fail(err, CVS_E_UNSUPPORTED, "layers of class %s have no derivative",
                         l->kind->class_name);
        return cx_where(err, rc, "layer \"%s\"", m->nodes[i].name);
    }
    keep_activations(g, keep_arguments);
    return 0;
}

/* --- places --- */

/* The plan is made twice: to know the size of the memory, then to put tensors into it. */
typedef struct planner {
    cx_gradient *g;
    cx_places places;
    char *memory; /* NULL the first time */
    size_t scratch, workspace;
    int *first; /* of each node: the step, counted from the end, when its dy is first written */
} planner;

static void view(const planner *p, cx_tensor *t, const cx_shape *shape, size_t offset)
{
    if (p->memory) *t = cx_tensor_view((float *)(void *)(p->memory + offset), shape);
}

static size_t size_of(const planner *p, int node)
{
    return cx_place_size((size_t)cx_shape_count(&p->g->run->slots[node].shape));
}

/* A place for what node `i` is told by those that read it, from step `now` on. */
static void place_dy(planner *p, int i, int now)
{
    const int n = p->g->run->model->n_nodes;
    cx_step *s = &p->g->steps[i];
    const int shared = !s->kept && s->kept_linear; /* dz has the place then, and stays */
    const size_t at = cx_place(&p->places, size_of(p, i), now, s->kept || shared ? n : n - 1 - i);
    view(p, &s->dy, &p->g->run->slots[i].shape, at);
    s->dz = s->dy;
}

/* The node's own step: where it puts the derivatives of its inputs. */
static void place_step(planner *p, int i)
{
    cx_gradient *g = p->g;
    const cvs_model *m = g->run->model;
    const int n = m->n_nodes, now = n - 1 - i;
    const cx_node *node = &m->nodes[i];
    cx_step *s = &g->steps[i];
    size_t scratch = 0;
    if (!s->fed) place_dy(p, i, now);
    if (s->fused && s->kept && (s->deep || s->kept_linear)) {
        const size_t at = cx_place(&p->places, size_of(p, i), now, s->kept_linear ? n : now);
        view(p, &s->dz, &g->run->slots[i].shape, at);
    }
    for (int k = 0; s->deep && k < node->n_inputs; k++) {
        const int in = node->inputs[k];
        if (!g->steps[in].active) continue;
        s->adds[k] = p->first[in] >= 0;
        if (s->adds[k]) {
            view(p, s->dx[k], &g->run->slots[in].shape, p->places.end + scratch);
            scratch += size_of(p, in);
        } else {
            p->first[in] = now;
            place_dy(p, in, now);
            *s->dx[k] = g->steps[in].dy;
        }
    }
    if (scratch > p->scratch) p->scratch = scratch;
}

static void measure_workspace(planner *p, int i)
{
    const cvs_run *run = p->g->run;
    const cx_node *node = &run->model->nodes[i];
    cx_shape in[CX_MAX_INPUTS];
    for (int k = 0; k < node->n_inputs; k++) in[k] = run->slots[node->inputs[k]].shape;
    const cx_layer *l = &run->model->layers[node->layer];
    size_t size = cx_layer_backward_workspace(l, in, node->n_inputs, &run->slots[i].shape);
    if (size > p->workspace) p->workspace = size;
    if (run->training) size = cx_layer_training_workspace(l, in);
    if (size > p->workspace) p->workspace = size;
}

static void place_all(planner *p)
{
    cx_gradient *g = p->g;
    const cvs_model *m = g->run->model;
    const size_t end = p->places.end;
    p->places.n = 0;
    for (int i = 0; i < m->n_nodes; i++) p->first[i] = -1;
    for (int i = m->n_nodes - 1; i >= 0; i--) {
        cx_step *s = &g->steps[i];
        if (s->wanted) {
            place_step(p, i);
            if (!p->memory && s->deep) measure_workspace(p, i);
        } else if (s->kept || s->kept_linear) {
            place_dy(p, i, m->n_nodes - 1 - i);
        }
    }
    if (p->memory) p->places.end = end;
}

static int make_arrays(cx_gradient *g, cvs_error *err)
{
    const cvs_model *m = g->run->model;
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_node *node = &m->nodes[i];
        const size_t n = (size_t)node->n_inputs;
        cx_step *s = &g->steps[i];
        if (!s->wanted || !s->deep || s->dx) continue; /* perhaps from an earlier plan */
        s->dx = cx_arena_array(g->arena, n, sizeof *s->dx);
        s->adds = cx_arena_alloc(g->arena, n);
        cx_tensor *tensors = cx_arena_array(g->arena, n, sizeof *tensors);
        if (!s->dx || !s->adds || !tensors) return cx_no_memory(err, n * sizeof *tensors);
        for (int k = 0; k < node->n_inputs; k++)
            if (g->steps[node->inputs[k]].active) s->dx[k] = &tensors[k];
    }
    return 0;
}

int cx_gradient_plan(cx_gradient *g, cvs_error *err)
{
    const cvs_run *run = g->run;
    const size_t nodes = (size_t)run->model->n_nodes;
    planner p = {.g = g};
    size_t seeds = 0, size;
    int rc = 0;
    p.places.live = cx_calloc(2 * nodes, sizeof *p.places.live);
    p.first = cx_calloc(nodes, sizeof *p.first);
    if (!p.places.live || !p.first) TRY(cx_no_memory(err, nodes * sizeof *p.places.live));
    TRY(make_arrays(g, err));
    place_all(&p);
    for (int i = 0; i < g->n_to; i++) seeds += size_of(&p, g->to[i].node);
    size = p.places.end + p.scratch + seeds + p.workspace;
    TRY(cx_check_memory(size, "activations", err));
    if (g->memory.size < size) {
        cx_block_deinit(&g->memory);
        TRY(cx_block_init(&g->memory, size, err));
    }
    p.memory = g->memory.data;
    place_all(&p);
    seeds = p.places.end + p.scratch;
    for (int i = 0; i < g->n_to; i++) {
        view(&p, &g->seeds[i], &run->slots[g->to[i].node].shape, seeds);
        seeds += size_of(&p, g->to[i].node);
    }
    g->workspace = p.memory + seeds;
    g->plan = run->plan;
out:
    cx_free(p.places.live);
    cx_free(p.first);
    return rc;
}
