/* scorer.c - variants, scored in batches. */
#include "methods/scorer.h"

#include <string.h>

#include "base/threads.h"
#include "graph/tail.h"

/* How many variants at once. Larger batches than these push each other out of the caches, and are
 * slower by a fourth. */
static int batch_of(const cx_question *q, size_t bytes, int64_t n)
{
    enum { QUICK = 64 << 20 };
    const int64_t quick = (int64_t)(QUICK / (bytes ? bytes : 1));
    const int fits = cx_question_batch(q, bytes, n);
    return q->o->memory || fits < quick ? fits : quick > 1 ? (int)quick : 1;
}

int cx_scorer_init(cx_scorer *s, cx_question *q, int node, int64_t n, cvs_error *err)
{
    int rc;
    *s = (cx_scorer){0};
    TRY(cx_question_run(&s->base, q, node, err));
    s->batch = batch_of(q, s->base->memory_size, n);
    s->node = node >= 0 ? node : cx_question_source(q).node;
    const cx_tensor *y = &s->base->slots[s->node].y;
    s->item = cx_shape_count(&y->shape);
    s->original = y->data;
    if (node >= 0) {
        TRY(cx_tail_new(&s->run, s->base, 0, node, &q->goal.spot, s->batch, err));
        goto out;
    }
    TRY(cx_run_new(&s->run, q->model, s->batch, q->o->exact, err));
    cx_run_keep(s->run, q->goal.spot.node);
    if (q->goal.spot.linear) cx_run_keep_linear(s->run, q->goal.spot.node);
    TRY(cx_run_plan(s->run, err));
    TRY(cx_question_feed(q, s->run, s->batch, err));
out:
    if (rc < 0) cx_scorer_deinit(s);
    return rc;
}

void cx_scorer_deinit(cx_scorer *s)
{
    cvs_run_free(s->run);
    cvs_run_free(s->base);
    *s = (cx_scorer){0};
}

typedef struct job {
    const cx_scorer *s;
    int64_t first;
    cx_vary *vary;
    void *arg;
} job;

static void make_variant(void *arg, int i, int worker)
{
    const job *j = arg;
    const cx_scorer *s = j->s;
    float *item = s->run->slots[s->node].y.data + i * s->item;
    (void)worker;
    memcpy(item, s->original, (size_t)s->item * sizeof *item);
    j->vary(j->arg, j->first + i, item);
}

int cx_scorer_run(cx_scorer *s, cx_question *q, int64_t n, cx_vary *vary, void *arg, double *values,
                  int64_t *n_done, cvs_error *err)
{
    int rc = 0;
    for (*n_done = 0; *n_done < n;) {
        const int some = n - *n_done < s->batch ? (int)(n - *n_done) : s->batch;
        job j = {s, *n_done, vary, arg};
        cx_parallel(some, make_variant, &j);
        TRY(cvs_run_forward(s->run, err));
        const cx_tensor *value = cx_spot_value(s->run, &q->goal.spot);
        for (int i = 0; i < some; i++) values[*n_done + i] = cx_goal_value(&q->goal, value, i);
        *n_done += some;
        if (!cx_question_go_on(q, (double)*n_done / (double)n)) break;
    }
out:
    return rc;
}
