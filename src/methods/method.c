/* method.c - the table of methods, and results. */
#include "methods/method.h"

#include "base/str.h"
#include "tensor/stats.h"

#define METHOD(name) extern const cx_method cx_method_##name;
#include "methods/methods.def"
#undef METHOD

static const cx_method *const table[] = {
#define METHOD(name) &cx_method_##name,
#include "methods/methods.def"
#undef METHOD
};

const cx_method *cx_method_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (cx_streq(table[i]->name, name)) return table[i];
    return NULL;
}

void cx_map_deinit(cx_map *map)
{
    cx_free(map->each);
    cx_block_deinit(&map->turned);
    *map = (cx_map){0};
}

void cx_result_deinit(cx_result *r)
{
    for (int i = 0; i < r->n_maps; i++) cx_map_deinit(&r->maps[i]);
    cx_free(r->maps);
    *r = (cx_result){0};
}

/* A copy of a map with its channels last, where they are first. */
static int turn(cx_map *map, cvs_error *err)
{
    const cx_shape *s = &map->y.shape;
    const int64_t channels = s->d[1], cells = cx_shape_count_range(s, 2, s->ndim);
    const cx_box box = {.ndim = 3,
                        .size = {s->d[0], cells, channels},
                        .from = {cells * channels, 1, cells},
                        .to = {cells * channels, channels, 1}};
    int rc = cx_block_init(&map->turned, (size_t)cx_shape_count(s) * sizeof(float), err);
    if (rc < 0) return rc;
    cx_copy_box(&box, map->y.data, map->turned.data);
    map->data = map->turned.data;
    return 0;
}

int cx_map_of(cx_map *out, const cvs_run *run, int node, int slot, cvs_error *err)
{
    const cx_tensor *y;
    *out = (cx_map){.node = node};
    int rc = cx_run_output(&y, run, node, err);
    if (rc < 0) return rc;
    if (slot < -1 || slot >= y->shape.d[0])
        return cx_fail(err, CVS_E_ARG, "the run has no slot %d", slot);
    const int n = y->shape.ndim;
    const int64_t each = cx_shape_count_range(&y->shape, 1, n);
    cx_shape shape = y->shape;
    if (slot >= 0) shape.d[0] = 1;
    out->y = cx_tensor_view(y->data + (slot > 0 ? slot * each : 0), &shape);
    out->data = out->y.data;
    const int first = n > 2 && cx_node_channel_axis(run->model, node) == 1;
    const int last = first ? n : n - 1; /* of the axes between batch and channels */
    out->channels = n > 1 ? shape.d[first ? 1 : n - 1] : 1;
    out->width = n > 2 ? shape.d[last - 1] : 1;
    out->height = shape.d[0] * (n > 3 ? cx_shape_count_range(&shape, 1 + first, last - 1) : 1);
    return first ? turn(out, err) : 0;
}

int cx_map_measure(cx_map *map, cvs_error *err)
{
    cx_free(map->each);
    map->each = cx_calloc((size_t)map->channels, sizeof *map->each);
    if (!map->each) return cx_no_memory(err, (size_t)map->channels * sizeof *map->each);
    cx_stats_channels(map->each, map->data, map->height * map->width, map->channels);
    cx_stats_pool(&map->whole, map->each, map->channels);
    return 0;
}
