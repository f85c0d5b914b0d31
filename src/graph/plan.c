/* plan.c - which nodes a run computes and where their outputs lie. */
#include <string.h>
#include <unistd.h>

#include "graph/run.h"

enum { ALIGN = 64 };

/* The shape that the run has for a node that is an input of the model. */
static cx_shape input_shape(const cvs_run *run, int node)
{
    int i = 0;
    while (run->model->inputs[i] != node) i++;
    return run->inputs[i];
}

/* Shapes of all needed nodes for the shapes of the inputs. */
static int infer_shapes(cvs_run *run, cvs_error *err)
{
    const cvs_model *m = run->model;
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_node *node = &m->nodes[i];
        cx_slot *slot = &run->slots[i];
        const cx_layer *l = &m->layers[node->layer];
        if (node->n_inputs == 0) {
            slot->shape = input_shape(run, i);
            continue;
        }
        if (!slot->needed) continue;
        cx_shape in[CX_MAX_INPUTS];
        for (int k = 0; k < node->n_inputs; k++) in[k] = run->slots[node->inputs[k]].shape;
        int rc = cx_layer_infer(l, in, node->n_inputs, &slot->shape, err);
        if (rc == 0 && cx_shape_count(&slot->shape) < 0)
            rc = cx_fail(err, CVS_E_NOMEM, "its output is too large");
        if (rc < 0) return cx_where(err, rc, "layer \"%s\"", node->name);
    }
    return 0;
}

/* Mark what the taps and outputs depend on. */
static void mark_needed(cvs_run *run)
{
    const cvs_model *m = run->model;
    for (int i = 0; i < m->n_nodes; i++) run->slots[i].needed = run->slots[i].kept;
    for (int i = m->n_nodes - 1; i >= 0; i--)
        for (int k = 0; run->slots[i].needed && k < m->nodes[i].n_inputs; k++)
            run->slots[m->nodes[i].inputs[k]].needed = 1;
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
        int identity = node->n_inputs == 1 && cx_layer_is_identity(&m->layers[node->layer]);
        slot->alias = identity ? run->slots[node->inputs[0]].alias : i;
        slot->last_use = i;
        if (node->n_inputs > 0 && !identity) run->steps[run->n_steps++] = i;
        for (int k = 0; k < node->n_inputs; k++) {
            cx_slot *in = &run->slots[run->slots[node->inputs[k]].alias];
            if (in->last_use < i) in->last_use = i;
        }
        if (slot->kept || node->n_inputs == 0) run->slots[slot->alias].last_use = m->n_nodes;
    }
}

/* The lowest place where `size` bytes fit between the live slots, which `live` lists by rising
 * offset; puts the new one into the list. */
static size_t place(cvs_run *run, int *live, int *n_live, int node, size_t size)
{
    size_t offset = 0;
    int at = 0;
    for (; at < *n_live; at++) {
        const cx_slot *s = &run->slots[live[at]];
        if (s->offset >= offset && s->offset - offset >= size) break;
        if (s->offset + s->size > offset) offset = s->offset + s->size;
    }
    memmove(live + at + 1, live + at, (size_t)(*n_live - at) * sizeof *live);
    live[at] = node;
    (*n_live)++;
    return offset;
}

static size_t round_up(size_t size)
{
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

/* Give every needed node a place; the bytes in all. */
static size_t place_all(cvs_run *run, int *live)
{
    const cvs_model *m = run->model;
    size_t end = 0;
    int n_live = 0;
    for (int i = 0; i < m->n_nodes; i++) {
        cx_slot *slot = &run->slots[i];
        if (!slot->needed || slot->alias != i) continue;
        int kept = 0;
        for (int k = 0; k < n_live; k++) /* forget those that nobody reads any more */
            if (run->slots[live[k]].last_use >= i) live[kept++] = live[k];
        n_live = kept;
        slot->size = round_up((size_t)cx_shape_count(&slot->shape) * sizeof(float));
        slot->offset = place(run, live, &n_live, i, slot->size);
        if (slot->offset + slot->size > end) end = slot->offset + slot->size;
    }
    return end;
}

static size_t workspace_size(const cvs_run *run)
{
    const cvs_model *m = run->model;
    size_t most = 0;
    for (int s = 0; s < run->n_steps; s++) {
        const cx_node *node = &m->nodes[run->steps[s]];
        const cx_layer *l = &m->layers[node->layer];
        cx_shape in[CX_MAX_INPUTS];
        for (int k = 0; k < node->n_inputs; k++) in[k] = run->slots[node->inputs[k]].shape;
        size_t size = cx_layer_workspace(l, in, node->n_inputs, &run->slots[run->steps[s]].shape);
        if (size > most) most = size;
    }
    return most;
}

/* A file of a few kilobytes can ask for layers that would fill the machine: better to say so before
 * than to be killed in the middle. */
static int check_memory(size_t size, cvs_error *err)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page > 0 && size / 3 > (size_t)pages / 4 * (size_t)page)
        return cx_fail(err, CVS_E_NOMEM, "the activations want %zu MiB, more than this machine has",
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
        slot->y = cx_tensor_view((float *)(void *)(memory + run->slots[slot->alias].offset),
                                 &slot->shape);
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
    int *live = cx_calloc((size_t)run->model->n_nodes, sizeof *live);
    run->planned = run->done = 0;
    if (!live) return cx_no_memory(err, sizeof *live);
    mark_needed(run);
    TRY(infer_shapes(run, err));
    find_lifetimes(run);
    run->workspace_offset = place_all(run, live);
    run->memory_size = run->workspace_offset + workspace_size(run);
    TRY(check_memory(run->memory_size, err));
    if (run->memory.size < run->memory_size) {
        cx_block_deinit(&run->memory);
        TRY(cx_block_init(&run->memory, run->memory_size, err));
    }
    TRY(link_tensors(run, err));
    run->planned = 1;
out:
    cx_free(live);
    return rc;
}
