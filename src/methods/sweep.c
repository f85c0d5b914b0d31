/* sweep.c - gradients at many variants of the input. */
#include "methods/sweep.h"

#include <string.h>

#include "base/threads.h"

typedef struct job {
    const cx_tensor *x;
    float *slots;
    int64_t first, item;
    cx_vary *vary;
    void *arg;
} job;

static void make_variant(void *arg, int i, int worker)
{
    const job *j = arg;
    float *slot = j->slots + i * j->item;
    (void)worker;
    memcpy(slot, j->x->data, (size_t)j->item * sizeof *slot);
    j->vary(j->arg, j->first + i, slot);
}

/* A gradient run keeps all activations, and as much again of derivatives. */
static size_t bytes_of(const cx_gradient *g)
{
    return g->run->memory_size + g->memory.size;
}

int cx_sweep(cx_question *q, int64_t n, cx_vary *vary, cx_take *take, void *arg,
             const cx_rule *rule, int64_t *n_done, cvs_error *err)
{
    const cx_spot from = cx_question_source(q);
    const cx_tensor *x = &q->x[q->input];
    cx_gradient *g = NULL;
    job j = {.x = x, .item = cx_shape_count(&x->shape), .vary = vary, .arg = arg};
    int rc;
    *n_done = 0;
    TRY(cx_question_gradient(&g, q, &from, 1, 1, err));
    TRY(cx_question_forward(q, g, err));
    const int batch = cx_question_batch(q, bytes_of(g), n);
    if (batch > 1) {
        cx_gradient_free(g);
        g = NULL;
        TRY(cx_question_gradient(&g, q, &from, 1, batch, err));
    }
    while (*n_done < n) {
        const int some = n - *n_done < batch ? (int)(n - *n_done) : batch;
        j.slots = g->run->slots[from.node].y.data;
        j.first = *n_done;
        cx_parallel(some, make_variant, &j);
        TRY(cx_gradient_forward(g, err));
        for (int b = 0; b < some; b++) cx_goal_seed(&q->goal, cx_gradient_seed(g, 0), b);
        TRY(cx_gradient_backward(g, rule, err));
        const float *d = cx_gradient_result(g, 0)->data;
        for (int b = 0; b < some; b++) take(arg, *n_done + b, d + b * j.item, j.item);
        *n_done += some;
        if (!cx_question_go_on(q, (double)*n_done / (double)n)) break;
    }
out:
    cx_gradient_free(g);
    return rc;
}
