/* forward.c - the pass: step after step, and in spans picture after picture. */
#include <stdatomic.h>

#include "base/threads.h"
#include "graph/run.h"

/* One call; in two halves where what is between them is wanted. */
static void compute(const cx_layer *l, cx_slot *slot, const cx_call *call)
{
    cx_activation a;
    cx_call half = *call;
    if (!slot->keeps_linear) {
        cx_layer_forward(l, call);
        return;
    }
    half.y = &slot->linear;
    half.linear = 1;
    cx_layer_forward(l, &half);
    (void)cx_layer_ends_with(&a, l);
    cx_activate(&a, &slot->linear, slot->y.data);
}

static int is_together(const cx_slot *slot, int node)
{
    return slot->together.out != node || slot->together.pooled >= 0;
}

/* A step for the whole batch. */
static void run_step(cvs_run *run, int s)
{
    const int i = run->steps[s];
    const cx_node *node = &run->model->nodes[i];
    cx_slot *slot = &run->slots[i];
    const cx_training training = cx_run_training(run, i);
    cx_call call = {.n_x = node->n_inputs,
                    .x = slot->x,
                    .y = &run->slots[slot->together.out].y,
                    .workspace = (char *)run->memory.data + run->workspace_offset,
                    .transformed = run->transformed[s],
                    .exact = run->exact,
                    .after = is_together(slot, i) ? &slot->together.after : NULL,
                    .training = run->training ? &training : NULL};
    compute(&run->model->layers[node->layer], slot, &call);
}

/* --- a span --- */

typedef struct span {
    const cvs_run *run;
    int from, to;    /* steps */
    atomic_int next; /* picture */
} span;

/* What a node gives for one picture. */
static cx_tensor view(const cvs_run *run, int node, int picture, char *lane)
{
    const cx_slot *slot = &run->slots[node], *owner = &run->slots[slot->alias];
    cx_shape shape = slot->shape;
    shape.d[0] = 1;
    if (slot->absent) return cx_tensor_view(NULL, &shape);
    if (owner->in_lane) return cx_tensor_view((float *)(void *)(lane + owner->offset), &shape);
    return cx_tensor_view(slot->y.data + picture * cx_shape_count(&shape), &shape);
}

static void run_picture(const span *p, int s, int picture, char *lane)
{
    const cvs_run *run = p->run;
    const int i = run->steps[s];
    const cx_node *node = &run->model->nodes[i];
    const cx_together *t = &run->slots[i].together;
    cx_tensor x[CX_SPAN_INPUTS], pooled, y = view(run, t->out, picture, lane);
    const cx_tensor *inputs[CX_SPAN_INPUTS];
    cx_after after = t->after;
    cx_window pool = t->pool;
    for (int k = 0; k < node->n_inputs; k++) {
        x[k] = view(run, node->inputs[k], picture, lane);
        inputs[k] = &x[k];
    }
    if (t->pooled >= 0) {
        pooled = view(run, t->pooled, picture, lane);
        after.pooled = &pooled;
        pool.batch = 1;
        after.pool = &pool;
    }
    const cx_call call = {.n_x = node->n_inputs,
                          .x = inputs,
                          .y = &y,
                          .workspace = lane + run->lane_workspace,
                          .transformed = run->transformed[s],
                          .exact = run->exact,
                          .after = is_together(&run->slots[i], i) ? &after : NULL};
    cx_layer_forward(&run->model->layers[node->layer], &call);
}

/* Takes pictures until there are no more: so memory belongs to a lane, however many threads come.
 */
static void run_lane(void *arg, int i, int worker)
{
    (void)worker;
    span *p = arg;
    char *lane = (char *)p->run->memory.data + p->run->workspace_offset;
    lane += (size_t)i * p->run->lane_size;
    int picture;
    while ((picture = atomic_fetch_add(&p->next, 1)) < p->run->batch)
        for (int s = p->from; s < p->to; s++) run_picture(p, s, picture, lane);
}

int cx_run_steps(cvs_run *run, cvs_error *err)
{
    int rc = 0;
    /* Asked for in each pass: weights may have changed since the last one. */
    for (int s = 0; s < run->n_steps; s++)
        TRY(cx_run_transformed(&run->transformed[s], run, run->steps[s], 0, err));
    for (int s = 0; s < run->n_steps;) {
        if (run->spans[s] > 0) {
            span p = {.run = run, .from = s, .to = s + run->spans[s]};
            cx_parallel(run->lanes, run_lane, &p);
            s = p.to;
        } else {
            run_step(run, s++);
        }
        if (run->watch) run->watch->computed(run->watch->arg, run->steps[s - 1]);
    }
out:
    return rc;
}
