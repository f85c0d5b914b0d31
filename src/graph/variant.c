/* variant.c - copies of models, to change their weights. */
#include "graph/variant.h"

#include <string.h>

static size_t count_of(const cx_weight *w)
{
    return (size_t)cx_shape_count(&w->spec.shape);
}

/* What `prepare` writes lies in the configuration of layers that wrap another, so that is copied
 * too; what it made belongs to the model. */
static int own_layer(cx_layer *l, cx_arena *arena, cvs_error *err)
{
    if (l->kind->prepare) l->state = NULL;
    if (!l->cfg || l->kind->cfg_size == 0) return 0;
    void *cfg = cx_arena_alloc(arena, l->kind->cfg_size);
    if (!cfg) return cx_no_memory(err, l->kind->cfg_size);
    memcpy(cfg, l->cfg, l->kind->cfg_size);
    l->cfg = cfg;
    if (!l->kind->inner) return 0;
    return own_layer((cx_layer *)(uintptr_t)l->kind->inner(l), arena, err);
}

static int copy_layers(cx_variant *v, const cvs_model *m, cvs_error *err)
{
    const size_t n = (size_t)m->n_layers;
    cx_arena *arena = v->model.arena;
    v->model.layers = cx_arena_array(arena, n, sizeof *m->layers);
    v->w = cx_arena_array(arena, n, sizeof *v->w);
    if (!v->model.layers || !v->w) return cx_no_memory(err, n * sizeof *m->layers);
    memcpy(v->model.layers, m->layers, n * sizeof *m->layers);
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) rc = own_layer(&v->model.layers[i], arena, err);
    return rc;
}

static int copy_weights(cx_variant *v, cvs_error *err)
{
    size_t n = 0;
    int rc;
    for (int i = 0; i < v->model.n_layers; i++)
        for (int k = 0; k < v->model.layers[i].n_weights; k++)
            n += count_of(&v->model.layers[i].w[k]);
    TRY(cx_block_init(&v->model.weights, n * sizeof(float), err));
    float *at = v->model.weights.data;
    for (int i = 0; i < v->model.n_layers; i++)
        for (int k = 0; k < v->model.layers[i].n_weights; k++) {
            cx_weight *w = &v->model.layers[i].w[k];
            memcpy(at, w->data, count_of(w) * sizeof *at);
            w->data = v->w[i][k] = at;
            at += count_of(w);
        }
out:
    return rc;
}

int cx_variant_init(cx_variant *out, const cvs_model *m, cvs_error *err)
{
    int rc;
    *out = (cx_variant){.model = *m};
    out->model.arena = cx_arena_new();
    out->model.weights = (cx_block){0};
    out->model.file = (cx_mapping){0};
    out->model.transforms = NULL;
    if (!out->model.arena) TRY(cx_no_memory(err, sizeof *out));
    TRY(copy_layers(out, m, err));
    TRY(copy_weights(out, err));
    TRY(cx_transforms_new(&out->model.transforms, m->n_layers, err));
    TRY(cx_variant_prepare(out, err));
out:
    if (rc < 0) cx_variant_deinit(out);
    return rc;
}

void cx_variant_deinit(cx_variant *v)
{
    cx_arena_free(v->model.arena);
    cx_block_deinit(&v->model.weights);
    cx_transforms_free(v->model.transforms);
    *v = (cx_variant){0};
}

int cx_variant_prepare(cx_variant *v, cvs_error *err)
{
    cx_transforms_renew(v->model.transforms);
    for (int i = 0; i < v->model.n_layers; i++) {
        cx_layer *l = &v->model.layers[i];
        if (!l->kind->prepare || l->n_weights < 1) continue;
        int rc = l->kind->prepare(l, v->model.arena, err);
        if (rc < 0) return cx_where(err, rc, "layer \"%s\"", l->name);
    }
    return 0;
}
