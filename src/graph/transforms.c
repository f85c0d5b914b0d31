/* transforms.c - transformed weights, made once whoever asks first. */
#include "graph/transforms.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "base/threads.h"

typedef struct entry {
    atomic_int ready; /* the numbers fit the weights */
    cx_block block;
} entry;

struct cx_transforms {
    int n;
    entry entries[]; /* two a layer: forward, back */
};

int cx_transforms_new(cx_transforms **out, int n_layers, cvs_error *err)
{
    const size_t size = sizeof **out + 2 * (size_t)n_layers * sizeof(entry);
    *out = cx_calloc(1, size);
    if (!*out) return cx_no_memory(err, size);
    (*out)->n = 2 * n_layers;
    return 0;
}

void cx_transforms_free(cx_transforms *t)
{
    for (int i = 0; t && i < t->n; i++) cx_block_deinit(&t->entries[i].block);
    cx_free(t);
}

void cx_transforms_renew(cx_transforms *t)
{
    for (int i = 0; i < t->n; i++) atomic_store(&t->entries[i].ready, 0);
}

typedef struct wish {
    entry *e;
    const cx_layer *layer;
    const cx_shape *in;
    int back, rc;
    size_t size;
    cvs_error *err;
} wish;

/* By one thread at a time; the others find it done. */
static void make(void *arg)
{
    wish *w = arg;
    entry *e = w->e;
    if (atomic_load(&e->ready)) return;
    if (e->block.size < w->size) {
        cx_block_deinit(&e->block);
        w->rc = cx_block_init(&e->block, w->size, w->err);
        if (w->rc < 0) return;
    }
    cx_layer_transform(w->layer, w->in, w->back, e->block.data);
    atomic_store_explicit(&e->ready, 1, memory_order_release);
}

int cx_transforms_get(const float **out, cx_transforms *t, const cx_layer *l, int index,
                      const cx_shape *in, int back, cvs_error *err)
{
    entry *e = &t->entries[2 * index + back];
    wish w = {.e = e, .layer = l, .in = in, .back = back, .err = err};
    *out = NULL;
    w.size = cx_layer_transformed_size(l, in, back);
    if (w.size == 0) return 0;
    if (!atomic_load_explicit(&e->ready, memory_order_acquire)) cx_guarded(make, &w);
    if (w.rc == 0) *out = e->block.data;
    return w.rc;
}
