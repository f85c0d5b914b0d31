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

/* By one thread at a time; the others find it done. */
static int make(entry *e, const cx_layer *l, const cx_shape *in, int back, size_t size,
                cvs_error *err)
{
    if (atomic_load(&e->ready)) return 0;
    if (e->block.size < size) {
        cx_block_deinit(&e->block);
        const int rc = cx_block_init(&e->block, size, err);
        if (rc < 0) return rc;
    }
    cx_layer_transform(l, in, back, e->block.data);
    atomic_store_explicit(&e->ready, 1, memory_order_release);
    return 0;
}

int cx_transforms_get(const float **out, cx_transforms *t, const cx_layer *l, int index,
                      const cx_shape *in, int back, cvs_error *err)
{
    entry *e = &t->entries[2 * index + back];
    const size_t size = cx_layer_transformed_size(l, in, back);
    int rc = 0;
    *out = NULL;
    if (size == 0) return 0;
    if (!atomic_load_explicit(&e->ready, memory_order_acquire)) {
        cx_alone_begin();
        rc = make(e, l, in, back, size, err);
        cx_alone_end();
    }
    if (rc == 0) *out = e->block.data;
    return rc;
}
