/* ahead.c - a batch taken apart into a loop over its examples. */
#include "train/ahead.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"

struct cx_ahead {
    const cx_data *data;
    int64_t size;
    int room;       /* examples */
    cx_loop *loop;  /* NULL: nothing was begun */
    cx_block block; /* the numbers, then labels and indices */
    float *x;
    int64_t *label, *which;
    int64_t epoch;
    int count;
    atomic_int failed; /* an example did */
};

static void make(void *arg, int i, int worker)
{
    cx_ahead *a = arg;
    (void)worker;
    if (a->data->fill(a->data->self, &a->which[i], 1, a->epoch, a->x + i * a->size, &a->label[i],
                      NULL) < 0)
        atomic_store(&a->failed, 1);
}

/* Forget what was begun. */
static void drop(cx_ahead *a)
{
    cx_loop_drop(a->loop);
    a->loop = NULL;
}

int cx_ahead_new(cx_ahead **out, const cx_data *data, int64_t size, int batch, cvs_error *err)
{
    cx_ahead *a = cx_calloc(1, sizeof *a);
    size_t numbers = 0, indices = 0;
    int rc;
    *out = NULL;
    if (!a) return cx_no_memory(err, sizeof *a);
    *a = (cx_ahead){.data = data, .size = size, .room = batch};
    if (size < 1 || batch < 1 || cx_mul_size(&numbers, (size_t)size, (size_t)batch) ||
        cx_mul_size(&numbers, numbers, sizeof *a->x) ||
        cx_mul_size(&indices, 2 * (size_t)batch, sizeof *a->label) || numbers > SIZE_MAX / 2)
        TRY(cx_fail(err, CVS_E_ARG, "a batch of %d examples is not possible", batch));
    numbers = (numbers + sizeof *a->label - 1) / sizeof *a->label * sizeof *a->label;
    TRY(cx_block_init(&a->block, numbers + indices, err));
    a->x = a->block.data;
    a->label = (int64_t *)(void *)((char *)a->block.data + numbers);
    a->which = a->label + batch;
    *out = a;
    a = NULL;
out:
    cx_ahead_free(a);
    return rc;
}

void cx_ahead_free(cx_ahead *a)
{
    if (!a) return;
    drop(a);
    cx_block_deinit(&a->block);
    cx_free(a);
}

void cx_ahead_expect(cx_ahead *a, const int64_t *which, int count, int64_t epoch)
{
    drop(a);
    a->count = 0;
    if (count < 1 || count > a->room) return;
    memcpy(a->which, which, (size_t)count * sizeof *which);
    a->count = count;
    a->epoch = epoch;
    atomic_store(&a->failed, 0);
    a->loop = cx_loop_start(count, make, a);
}

static int fill(void *self, const int64_t *which, int count, int64_t epoch, float *x,
                int64_t *label, cvs_error *err)
{
    cx_ahead *a = self;
    const int is_begun = a->loop && count == a->count && epoch == a->epoch &&
                         memcmp(which, a->which, (size_t)count * sizeof *which) == 0;
    if (!is_begun) return a->data->fill(a->data->self, which, count, epoch, x, label, err);
    cx_loop_finish(a->loop);
    a->loop = NULL;
    a->count = 0;
    if (atomic_load(&a->failed)) /* once more, to tell why */
        return a->data->fill(a->data->self, which, count, epoch, x, label, err);
    memcpy(x, a->x, (size_t)(count * a->size) * sizeof *x);
    memcpy(label, a->label, (size_t)count * sizeof *label);
    return 0;
}

cx_data cx_ahead_data(cx_ahead *a)
{
    return (cx_data){.n = a->data->n, .n_classes = a->data->n_classes, .fill = fill, .self = a};
}
