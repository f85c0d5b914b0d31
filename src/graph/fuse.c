/* fuse.c - which layers are computed in one call: a convolution with the normalisation, the
 * activation and the pooling after it, so that numbers which nobody else reads are never stored. */
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

/* A normalisation or an activation that reads what the call gives so far. */
static int add_next(cvs_run *run, int node)
{
    cx_together *t = &run->slots[node].together;
    if (!passes_by(run, t->out)) return 0;
    const int next = run->slots[t->out].first_reader;
    const cx_layer *l = &run->model->layers[run->model->nodes[next].layer];
    cx_activation a;
    cx_after after = t->after;
    if (run->model->nodes[next].n_inputs != 1 || run->slots[next].keeps_linear) return 0;
    /* In training it has the moments of the batch, which are not known yet. */
    const int is_fixed = !run->training || !l->trainable || !l->kind->trains;
    const cx_affine *norm = is_fixed ? cx_layer_as_affine(l, &run->slots[t->out].shape) : NULL;
    if (norm && !after.norm && !after.activation) {
        after.norm = norm;
    } else if (!after.activation && l->kind->as_activation && l->kind->as_activation(l, &a)) {
        after.activation = &a;
    } else {
        return 0;
    }
    if (!takes(run, node, &after)) return 0;
    if (after.activation) t->activation = a;
    t->after = after;
    if (after.activation) t->after.activation = &t->activation;
    run->slots[t->out].absent = 1;
    run->slots[next].maker = node;
    t->out = next;
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
