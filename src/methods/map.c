/* map.c - the outputs of layers as stacks of maps. */
#include "methods/map.h"

#include "base/threads.h"
#include "tensor/stats.h"

void cx_map_deinit(cx_map *map)
{
    cx_free(map->each);
    cx_stack_deinit(&map->stack);
    *map = (cx_map){0};
}

void cx_maps_deinit(cx_maps *m)
{
    for (int i = 0; i < m->n; i++) cx_map_deinit(&m->maps[i]);
    cx_free(m->maps);
    *m = (cx_maps){0};
}

/* A copy with the channels last, where they are first. */
static int turn(cx_stack *out, const cx_shape *s, cvs_error *err)
{
    const int64_t channels = s->d[1], cells = cx_shape_count_range(s, 2, s->ndim);
    const cx_box box = {.ndim = 3,
                        .size = {s->d[0], cells, channels},
                        .from = {cells * channels, 1, cells},
                        .to = {cells * channels, channels, 1}};
    int rc = cx_block_init(&out->turned, (size_t)cx_shape_count(s) * sizeof(float), err);
    if (rc < 0) return rc;
    cx_copy_box(&box, out->data, out->turned.data);
    out->data = out->turned.data;
    return 0;
}

int cx_stack_of(cx_stack *out, const cvs_model *m, int node, const cx_tensor *t, int slot,
                cvs_error *err)
{
    const int n = t->shape.ndim;
    cx_shape shape = t->shape;
    *out = (cx_stack){.data = t->data};
    if (slot < -1 || slot >= shape.d[0])
        return cx_fail(err, CVS_E_ARG, "the run has no slot %d", slot);
    if (slot > 0) out->data += slot * cx_shape_count_range(&shape, 1, n);
    if (slot >= 0) shape.d[0] = 1;
    const int first = n > 2 && cx_node_channel_axis(m, node) == 1;
    const int last = first ? n : n - 1; /* of the axes between batch and channels */
    out->channels = n > 1 ? shape.d[first ? 1 : n - 1] : 1;
    out->width = n > 2 ? shape.d[last - 1] : 1;
    out->height = shape.d[0] * (n > 3 ? cx_shape_count_range(&shape, 1 + first, last - 1) : 1);
    return first ? turn(out, &shape, err) : 0;
}

void cx_stack_deinit(cx_stack *s)
{
    cx_block_deinit(&s->turned);
    *s = (cx_stack){0};
}

int cx_map_of_kept(cx_map *out, const cvs_run *run, int node, int slot, cvs_error *err)
{
    const cx_tensor *y = &run->slots[node].y;
    *out = (cx_map){.node = node};
    int rc = cx_stack_of(&out->stack, run->model, node, y, slot, err);
    if (rc < 0) return rc;
    cx_shape shape = y->shape;
    if (slot >= 0) shape.d[0] = 1;
    const int64_t each = cx_shape_count_range(&shape, 1, shape.ndim);
    out->y = cx_tensor_view(y->data + (slot > 0 ? slot * each : 0), &shape);
    return 0;
}

int cx_map_of(cx_map *out, const cvs_run *run, int node, int slot, cvs_error *err)
{
    const cx_tensor *y;
    *out = (cx_map){.node = node};
    int rc = cx_run_output(&y, run, node, err);
    return rc < 0 ? rc : cx_map_of_kept(out, run, node, slot, err);
}

int cx_map_measure(cx_map *map, cvs_error *err)
{
    cx_free(map->each);
    map->each = cx_calloc((size_t)map->stack.channels, sizeof *map->each);
    if (!map->each) return cx_no_memory(err, (size_t)map->stack.channels * sizeof *map->each);
    cx_stats_channels(map->each, map->stack.data, map->stack.height * map->stack.width,
                      map->stack.channels);
    cx_stats_pool(&map->whole, map->each, map->stack.channels);
    return 0;
}

static void measure(void *arg, int i, int worker)
{
    (void)worker;
    cx_map *map = &((cx_map *)arg)[i];
    if (cx_map_measure(map, NULL) < 0) map->each = NULL;
}

int cx_activations(cx_maps *out, const cvs_run *run, int slot, cvs_error *err)
{
    int rc = 0;
    *out = (cx_maps){0};
    out->maps = cx_calloc((size_t)run->n_taps, sizeof *out->maps);
    if (!out->maps) return cx_no_memory(err, sizeof *out->maps);
    for (; out->n < run->n_taps; out->n++)
        TRY(cx_map_of(&out->maps[out->n], run, run->taps[out->n], slot, err));
    cx_parallel(out->n, measure, out->maps);
    for (int i = 0; i < out->n; i++)
        if (!out->maps[i].each) TRY(cx_no_memory(err, sizeof *out->maps[i].each));
out:
    if (rc < 0) cx_maps_deinit(out);
    return rc;
}
