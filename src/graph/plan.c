/* plan.c - which nodes a run computes and where their outputs lie. */
#include <string.h>
#include <unistd.h>

#include "base/threads.h"
#include "graph/place.h"
#include "graph/run.h"

/* The shape that the run has for a node that is an input of the model. */
static cx_shape input_shape(const cvs_run *run, int node)
{
    int i = 0;
    while (run->model->inputs[i] != node) i++;
    return run->inputs[i];
}

/* Whether a layer's weights are those that it would want for these inputs. */
static int check_weights(const cx_layer *l, const cx_shape *in, int n_in, cvs_error *err)
{
    cx_weight_spec want[CX_MAX_WEIGHTS];
    int n = cx_layer_weights(l, in, n_in, want, err);
    if (n < 0) return n;
    for (int i = 0; i < n && i < l->n_weights; i++)
        if (!cx_shape_equal(&want[i].shape, &l->w[i].spec.shape))
            return cx_fail(err, CVS_E_UNSUPPORTED, "it takes one size of picture only");
    return 0;
}

/* Shapes of all needed nodes for the shapes of the inputs. */
static int infer_shapes(cvs_run *run, cvs_error *err)
{
    const cvs_model *m = run->model;
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_node *node = &m->nodes[i];
        cx_slot *slot = &run->slots[i];
        const cx_layer *l = &m->layers[node->layer];
        if (!slot->needed || slot->given) continue;
        if (node->n_inputs == 0) {
            slot->shape = input_shape(run, i);
            continue;
        }
        cx_shape in[CX_MAX_INPUTS];
        for (int k = 0; k < node->n_inputs; k++) in[k] = run->slots[node->inputs[k]].shape;
        int rc = cx_layer_infer(l, in, node->n_inputs, &slot->shape, err);
        if (rc == 0 && run->stretched) rc = check_weights(l, in, node->n_inputs, err);
        if (rc == 0 && cx_shape_count(&slot->shape) < 0)
            rc = cx_fail(err, CVS_E_NOMEM, "its output is too large");
        if (rc < 0) return cx_where(err, rc, "layer \"%s\"", node->name);
    }
    return 0;
}

static int computed(const cvs_run *run, int node)
{
    return run->slots[node].needed && !run->slots[node].given;
}

/* Mark what is kept and all that it depends on. */
static void mark_needed(cvs_run *run)
{
    const cvs_model *m = run->model;
    for (int i = 0; i < m->n_nodes; i++)
        run->slots[i].needed = run->slots[i].kept | run->slots[i].given;
    for (int i = m->n_nodes - 1; i >= 0; i--)
        for (int k = 0; computed(run, i) && k < m->nodes[i].n_inputs; k++)
            run->slots[m->nodes[i].inputs[k]].needed = 1;
}

static int inputs_known(const cvs_run *run)
{
    const cvs_model *m = run->model;
    for (int i = 0; i < m->n_inputs; i++)
        if (run->slots[m->inputs[i]].needed && !cx_shape_is_known(&run->inputs[i])) return 0;
    return 1;
}

/* Who shares whose memory, and until when each is read. An input that a caller fills before the
 * pass, and whatever is handed out after it, lives as long as the run. */
static void find_lifetimes(cvs_run *run)
{
    const cvs_model *m = run->model;
    run->n_steps = 0;
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_node *node = &m->nodes[i];
        cx_slot *slot = &run->slots[i];
        if (!slot->needed) continue;
        const cx_layer *l = &m->layers[node->layer];
        const int identity = node->n_inputs == 1 && !slot->given &&
                             (run->training ? cx_layer_stays_identity(l) : cx_layer_is_identity(l));
        slot->alias = identity ? run->slots[node->inputs[0]].alias : i;
        slot->last_use = i;
        if (node->n_inputs > 0 && !slot->given && !identity && slot->maker == i)
            run->steps[run->n_steps++] = i;
        for (int k = 0; !slot->given && k < node->n_inputs; k++) {
            cx_slot *in = &run->slots[run->slots[node->inputs[k]].alias];
            if (in->last_use < i) in->last_use = i;
        }
        if (slot->kept || slot->given || node->n_inputs == 0)
            run->slots[slot->alias].last_use = m->n_nodes;
    }
}

static void place(cvs_run *run, cx_places *places, int node, int now)
{
    cx_slot *slot = &run->slots[node];
    if (slot->absent) return;
    size_t numbers = (size_t)cx_shape_count(&slot->shape);
    if (slot->in_lane) numbers /= (size_t)run->batch;
    slot->offset = cx_place(places, cx_place_size(numbers), now, slot->last_use);
}

/* What the call of a step gives, if it has its place in a lane or not. */
static void place_given(cvs_run *run, cx_places *places, int i, int in_lane, int now)
{
    const cx_together *t = &run->slots[i].together;
    if (run->slots[t->out].in_lane == in_lane) place(run, places, t->out, now);
    if (t->pooled >= 0 && run->slots[t->pooled].in_lane == in_lane)
        place(run, places, t->pooled, now);
}

/* All steps of a span write what leaves it before the first picture is done, as it were. */
static void place_span(cvs_run *run, cx_places *places, cx_places *lane, int from)
{
    const int to = from + run->spans[from], now = run->steps[from];
    for (int s = from; s < to; s++) place_given(run, places, run->steps[s], 0, now);
    for (int s = from; s < to; s++) place_given(run, lane, run->steps[s], 1, run->steps[s]);
}

/* What is set before the pass must not lie where an earlier node writes, so it comes first. */
static void place_inputs(cvs_run *run, cx_places *places)
{
    for (int i = 0; i < run->model->n_nodes; i++) {
        const cx_slot *slot = &run->slots[i];
        const int is_input = slot->given || run->model->nodes[i].n_inputs == 0;
        if (slot->needed && is_input && slot->alias == i) place(run, places, i, 0);
    }
}

/* What lives as long as the run: numbers before an activation, and of training. */
static void place_extras(cvs_run *run, cx_places *places)
{
    const cvs_model *m = run->model;
    for (int i = 0; i < m->n_nodes; i++) {
        cx_slot *slot = &run->slots[i];
        if (!slot->needed || !slot->keeps_linear) continue;
        slot->linear_offset = places->end;
        places->end += cx_place_size((size_t)cx_shape_count(&slot->shape));
    }
    for (int s = 0; run->training && s < run->n_steps; s++) {
        const cx_node *node = &m->nodes[run->steps[s]];
        cx_slot *slot = &run->slots[run->steps[s]];
        const cx_shape *in = &run->slots[node->inputs[0]].shape;
        slot->kept_offset = places->end;
        places->end += cx_place_size((size_t)cx_layer_keeps(&m->layers[node->layer], in));
    }
}

/* Give every needed node a place, from the call that computes it on. */
static void place_all(cvs_run *run, cx_places *places, cx_places *lane)
{
    place_inputs(run, places);
    for (int s = 0; s < run->n_steps; s += run->spans[s] ? run->spans[s] : 1) {
        if (run->spans[s])
            place_span(run, places, lane, s);
        else
            place_given(run, places, run->steps[s], 0, run->steps[s]);
    }
    place_extras(run, places);
}

static cx_shape of_pictures(const cx_shape *s, int pictures)
{
    cx_shape part = *s;
    if (pictures > 0) part.d[0] = pictures;
    return part;
}

/* Of a step; `pictures` at a time, 0: all. */
static size_t workspace_of(const cvs_run *run, int step, int pictures)
{
    const cx_node *node = &run->model->nodes[run->steps[step]];
    const cx_layer *l = &run->model->layers[node->layer];
    cx_shape in[CX_MAX_INPUTS];
    for (int k = 0; k < node->n_inputs; k++)
        in[k] = of_pictures(&run->slots[node->inputs[k]].shape, pictures);
    const cx_shape out = of_pictures(&run->slots[run->steps[step]].shape, pictures);
    const cx_after *after = &run->slots[run->steps[step]].together.after;
    const size_t more = cx_layer_after_workspace(l, in, after);
    size_t size = cx_layer_workspace(l, in, node->n_inputs, &out);
    if (more > size) size = more;
    const size_t training = run->training ? cx_layer_training_workspace(l, in) : 0;
    return size > training ? size : training;
}

static size_t workspace_size(const cvs_run *run, int from, int to, int pictures)
{
    size_t most = 0;
    for (int s = from; s < to; s++) {
        const size_t size = workspace_of(run, s, pictures);
        if (size > most) most = size;
    }
    return most;
}

/* What follows the slots: a workspace, or the lanes of a span, each with its own. */
static size_t lanes_size(cvs_run *run, const cx_places *lane)
{
    size_t most = 0, within = 0;
    for (int s = 0; s < run->n_steps;) {
        const int n = run->spans[s] ? run->spans[s] : 1;
        const size_t size = workspace_size(run, s, s + n, run->spans[s] ? 1 : 0);
        size_t *larger = run->spans[s] ? &within : &most;
        if (size > *larger) *larger = size;
        s += n;
    }
    run->lanes = cx_cores() < run->batch ? cx_cores() : run->batch;
    run->lane_workspace = lane->end;
    run->lane_size = cx_place_size((lane->end + within) / sizeof(float) + 1);
    return most > (size_t)run->lanes * run->lane_size ? most : (size_t)run->lanes * run->lane_size;
}

/* A file of a few kilobytes can ask for layers that would fill the machine: better to say so before
 * than to be killed in the middle. */
int cx_check_memory(size_t size, const char *what, cvs_error *err)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page > 0 && size / 3 > (size_t)pages / 4 * (size_t)page)
        return cx_fail(err, CVS_E_NOMEM, "the %s want %zu MiB, more than this machine has", what,
                       size >> 20);
    return 0;
}

static int link_tensors(cvs_run *run, cvs_error *err)
{
    const cvs_model *m = run->model;
    char *memory = run->memory.data;
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_node *node = &m->nodes[i];
        cx_slot *slot = &run->slots[i];
        if (!slot->needed) continue;
        const size_t offset = run->slots[slot->alias].offset;
        const int is_there = !slot->absent && !run->slots[slot->alias].in_lane;
        slot->y =
            cx_tensor_view(is_there ? (float *)(void *)(memory + offset) : NULL, &slot->shape);
        slot->kept_numbers = (float *)(void *)(memory + slot->kept_offset);
        slot->linear =
            cx_tensor_view((float *)(void *)(memory + slot->linear_offset), &slot->shape);
        if (slot->x) continue; /* from an earlier plan: the addresses of slots do not change */
        slot->x = cx_arena_array(run->arena, (size_t)node->n_inputs + 1, sizeof *slot->x);
        if (!slot->x) return cx_no_memory(err, sizeof *slot->x);
        for (int k = 0; k < node->n_inputs; k++) slot->x[k] = &run->slots[node->inputs[k]].y;
    }
    return 0;
}

int cx_run_plan(cvs_run *run, cvs_error *err)
{
    int rc = 0;
    const size_t nodes = (size_t)run->model->n_nodes;
    cx_places places = {0}, lane = {0};
    run->planned = run->done = 0;
    mark_needed(run);
    if (!inputs_known(run)) return 0;
    places.live = cx_calloc(2 * nodes, sizeof *places.live);
    if (!places.live) return cx_no_memory(err, 2 * nodes * sizeof *places.live);
    lane.live = places.live + nodes;
    TRY(infer_shapes(run, err));
    cx_run_fuse(run);
    find_lifetimes(run);
    for (int s = 0; s < run->n_steps; s++)
        TRY(cx_run_transformed(&run->transformed[s], run, run->steps[s], 0, err));
    cx_run_cut(run);
    place_all(run, &places, &lane);
    run->workspace_offset = places.end;
    run->memory_size = run->workspace_offset + lanes_size(run, &lane);
    TRY(cx_check_memory(run->memory_size, "activations", err));
    if (run->memory.size < run->memory_size) {
        cx_block_deinit(&run->memory);
        TRY(cx_block_init(&run->memory, run->memory_size, err));
    }
    TRY(link_tensors(run, err));
    run->planned = 1;
    run->plan++;
out:
    cx_free(places.live);
    return rc;
}
