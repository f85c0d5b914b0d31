/* fuse.c - which layers are computed in one call: a convolution with the normalisation, the
 * activation and the pooling after it, a depthwise one with the convolution by one cell that
 * follows, so that numbers which nobody else reads are never stored. */
#include "graph/run.h"

static int computed(const cvs_run *run, int node)
{
    return run->slots[node].needed && !run->slots[node].given && run->model->nodes[node].n_inputs;
}

static void count_readers(cvs_run *run)
{
    const cvs_model *m = run->model;
    for (int i = 0; i < m->n_nodes; i++) {
        cx_slot *slot = &run->slots[i];
        slot->readers = slot->absent = 0;
        slot->maker = i;
        slot->together = (cx_together){.out = i, .pooled = -1};
    }
    for (int i = m->n_nodes - 1; i >= 0; i--)
        for (int k = 0; computed(run, i) && k < m->nodes[i].n_inputs; k++) {
            run->slots[m->nodes[i].inputs[k]].readers++;
            run->slots[m->nodes[i].inputs[k]].first_reader = i;
        }
}

/* Whether nobody but the next node wants to see the numbers of this one. */
static int passes_by(const cvs_run *run, int node)
{
    const cx_slot *slot = &run->slots[node];
    return !slot->kept && !slot->keeps_linear && slot->readers == 1;
}

static int takes(const cvs_run *run, int node, const cx_after *after)
{
    const cx_node *n = &run->model->nodes[node];
    return cx_layer_takes(&run->model->layers[n->layer], &run->slots[n->inputs[0]].shape,
                          run->exact, after);
}

/* What the call does after its own numbers lies beside it. */
static void link_after(cx_together *t)
{
    if (t->after.activation) t->after.activation = &t->activation;
    if (t->then.activation) t->then.activation = &t->last;
    if (t->after.pointwise) t->after.then = &t->then;
}

/* Add what a layer does to what the call gives so far; 0 where it is another computation. */
static int add_layer(const cvs_run *run, cx_together *t, const cx_layer *l)
{
    const cx_shape *in = &run->slots[t->out].shape;
    cx_after *after = t->after.pointwise ? &t->then : &t->after;
    cx_activation *activation = t->after.pointwise ? &t->last : &t->activation;
    cx_pointwise pointwise;
    /* In training it has the moments of the batch, which are not known yet. */
    const int is_fixed = !run->training || !l->trainable || !l->kind->trains;
    const cx_affine *norm = is_fixed ? cx_layer_as_affine(l, in) : NULL;
    if (norm && !after->norm && !after->activation)
        after->norm = norm;
    else if (!after->activation && l->kind->as_activation && l->kind->as_activation(l, activation))
        after->activation = activation;
    else if (!t->after.pointwise && cx_layer_as_pointwise(&pointwise, l, in))
        t->after.pointwise = l;
    else
        return 0;
    link_after(t);
    return 1;
}

/* A normalisation, an activation or a convolution that reads what the call gives so far. */
static int add_next(cvs_run *run, int node)
{
    cx_together *t = &run->slots[node].together, more = *t;
    if (!passes_by(run, t->out)) return 0;
    const int next = run->slots[t->out].first_reader;
    const cx_layer *l = &run->model->layers[run->model->nodes[next].layer];
    if (run->model->nodes[next].n_inputs != 1 || run->slots[next].keeps_linear) return 0;
    link_after(&more);
    if (!add_layer(run, &more, l) || !takes(run, node, &more.after)) return 0;
    run->slots[t->out].absent = 1;
    run->slots[next].maker = node;
    more.out = next;
    *t = more;
    link_after(t);
    return 1;
}

/* The pooling may be one of several readers. */
static void add_pooling(cvs_run *run, int node)
{
    cx_together *t = &run->slots[node].together;
    const cx_slot *out = &run->slots[t->out];
    cx_after after = t->after;
    if (out->keeps_linear || out->readers < 1) return;
    const int next = out->first_reader;
    if (!cx_layer_as_pooling(&t->pool, &run->model->layers[run->model->nodes[next].layer],
                             &out->shape))
        return;
    after.pool = &t->pool;
    if (!takes(run, node, &after)) return;
    t->after = after;
    t->pooled = next;
    run->slots[next].maker = node;
    run->slots[t->out].absent = passes_by(run, t->out);
}

/* More bytes than these, handed out, are not in the caches any more when somebody looks. */
enum { KEPT_NEAR = 1 << 24 };

static int64_t bytes_handed_out(const cvs_run *run)
{
    int64_t sum = 0;
    for (int i = 0; i < run->n_taps; i++)
        sum += cx_shape_count(&run->slots[run->taps[i]].shape) * (int64_t)sizeof(float);
    return sum;
}

void cx_run_fuse(cvs_run *run)
{
    const int is_much = bytes_handed_out(run) > KEPT_NEAR;
    const cvs_model *m = run->model;
    count_readers(run);
    for (int i = 0; i < m->n_nodes; i++) {
        cx_slot *slot = &run->slots[i];
        if (!computed(run, i) || slot->maker != i || m->nodes[i].n_inputs != 1) continue;
        if (slot->keeps_linear) continue;
        while (add_next(run, i)) {
        }
        add_pooling(run, i);
        cx_together *t = &slot->together;
        t->after.streams = is_much && t->pooled >= 0 && run->slots[t->out].readers == 1;
        if (slot->together.pooled >= 0)
            slot->together.after.pooled = &run->slots[slot->together.pooled].y;
    }
}
