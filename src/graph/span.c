/* span.c - steps that are computed picture after picture. Where each of them waits for the whole
 * batch, what one writes has left the caches before the next reads it; a picture's numbers stay
 * there. And each thread has a picture of its own, so none waits for another between the steps.
 *
 * What only the steps of a span read has a place in the lane of whoever computes the picture: it
 * is as small as one picture's. */
#include "base/threads.h"
#include "graph/run.h"

enum {
    LEAST_STEPS = 2, /* one alone has nobody to hand its numbers to */
    HEAVY = 16,      /* times as many bytes of weights as of a picture's numbers are better read
                        once for all pictures */
    MOST_IDLE = 4,   /* a fourth of the threads' time may go for nothing in the last round */
};

static const cx_layer *layer_of(const cvs_run *run, int step)
{
    return &run->model->layers[run->model->nodes[run->steps[step]].layer];
}

static size_t bytes_of(const cx_slot *slot)
{
    return slot->absent ? 0 : (size_t)cx_shape_count(&slot->shape) * sizeof(float);
}

static int is_batch(const cvs_run *run, int node)
{
    const cx_shape *s = &run->slots[node].shape;
    return s->ndim > 1 && s->d[0] == run->batch;
}

/* Whether what a layer gives for a picture comes from its numbers alone: of kinds that know their
 * axes the first is the batch; others could be told to work along it. */
static int is_by_picture(const cx_layer *l, const cx_shape *in)
{
    cx_activation a;
    return l->kind->has_data_format || l->kind->family == CX_MERGING ||
           (l->kind->as_activation && l->kind->as_activation(l, &a)) ||
           cx_layer_as_affine(l, in) != NULL;
}

static size_t bytes_of_weights(const cx_layer *l)
{
    size_t n = 0;
    for (int i = 0; i < l->n_weights; i++)
        n += (size_t)cx_shape_count(&l->w[i].spec.shape) * sizeof(float);
    return n;
}

/* Of all layers that the call computes. */
static size_t weights_of(const cvs_run *run, int step)
{
    const cx_layer *l = layer_of(run, step);
    const cx_layer *pointwise = run->slots[run->steps[step]].together.after.pointwise;
    const int from = run->model->nodes[run->steps[step]].inputs[0];
    if (run->transformed[step]) return cx_layer_transformed_size(l, &run->slots[from].shape, 0);
    return bytes_of_weights(l) + (pointwise ? bytes_of_weights(pointwise) : 0);
}

static int fits(const cvs_run *run, int step)
{
    const int i = run->steps[step];
    const cx_node *node = &run->model->nodes[i];
    const cx_together *t = &run->slots[i].together;
    if (node->n_inputs > CX_SPAN_INPUTS || run->slots[i].keeps_linear) return 0;
    if (!is_by_picture(layer_of(run, step), &run->slots[node->inputs[0]].shape)) return 0;
    size_t bytes = bytes_of(&run->slots[t->out]);
    if (t->pooled >= 0) bytes += bytes_of(&run->slots[t->pooled]);
    for (int k = 0; k < node->n_inputs; k++) {
        if (!is_batch(run, node->inputs[k])) return 0;
        bytes += bytes_of(&run->slots[node->inputs[k]]);
    }
    if (!is_batch(run, t->out) || (t->pooled >= 0 && !is_batch(run, t->pooled))) return 0;
    return weights_of(run, step) <= HEAVY * (bytes / (size_t)run->batch);
}

/* Threads would wait for the last pictures. */
static int shares_well(int batch)
{
    const int threads = cx_threads(), rounds = (batch + threads - 1) / threads;
    return (int64_t)rounds * threads * (MOST_IDLE - 1) <= (int64_t)batch * MOST_IDLE;
}

/* Nobody outside reads these. */
static void give_lane(cx_slot *slot, int end)
{
    slot->in_lane = slot->last_use < end;
}

/* What other steps gave is read until the last picture is done. */
static void keep_inputs(cvs_run *run, int from, int to, int end)
{
    for (int s = from; s < to; s++) {
        const cx_node *node = &run->model->nodes[run->steps[s]];
        for (int k = 0; k < node->n_inputs; k++) {
            cx_slot *in = &run->slots[run->slots[node->inputs[k]].alias];
            if (!in->in_lane && in->last_use < end) in->last_use = end - 1;
        }
    }
}

void cx_run_cut(cvs_run *run)
{
    const int can = run->batch > 1 && !run->training && !run->own && shares_well(run->batch);
    for (int i = 0; i < run->model->n_nodes; i++) run->slots[i].in_lane = 0;
    for (int from = 0, to; from < run->n_steps; from = to) {
        run->spans[from] = 0;
        for (to = from; can && to < run->n_steps && fits(run, to);) run->spans[to++] = 0;
        if (to == from) to++;
        if (to - from < LEAST_STEPS) continue;
        const int end = to < run->n_steps ? run->steps[to] : run->model->n_nodes;
        run->spans[from] = to - from;
        for (int s = from; s < to; s++) {
            const cx_together *t = &run->slots[run->steps[s]].together;
            give_lane(&run->slots[t->out], end);
            if (t->pooled >= 0) give_lane(&run->slots[t->pooled], end);
        }
        keep_inputs(run, from, to, end);
    }
}
