/* deeplift.c - DeepLIFT by its rescale rule (Shrikumar et al. 2017): through an activation goes not
 * its slope but how much it rose against how much its argument rose, from a baseline to the input.
 * A maximum hands on by its winner for the input, and products by their derivative: what that
 * leaves unaccounted for is the residual. */
#include <math.h>
#include <string.h>

#include "methods/method.h"

/* Differences below this are rounding: the slope stands for the ratio. */
#define LEAST 1e-6f

/* The batch is the input and the baseline. */
static int rescale(void *arg, int node, const cx_activation *a, const float *x, const cx_tensor *y,
                   const float *dy, float *dx, cvs_error *err)
{
    const int64_t n = cx_shape_count(&y->shape) / 2;
    (void)arg;
    (void)node;
    (void)err;
    if (a->kind == CX_ACT_SOFTMAX || a->kind == CX_ACT_LOG_SOFTMAX) return 0;
    float *slopes = cx_alloc((size_t)n * 2 * sizeof *slopes);
    if (!slopes) return cx_no_memory(err, (size_t)n * 2 * sizeof *slopes);
    cx_activate_backward(a, x, y, dy, slopes);
    for (int64_t i = 0; i < n; i++) {
        const float rise = x[i] - x[i + n];
        const int clear = fabsf(rise) > LEAST * (1 + fabsf(x[i]));
        const float ratio = clear ? (y->data[i] - y->data[i + n]) / rise : 0;
        dx[i] = clear ? dy[i] * ratio : slopes[i];
        dx[i + n] = clear ? dy[i + n] * ratio : slopes[i + n];
    }
    cx_free(slopes);
    return 1;
}

static void put_baseline(const cx_question *q, float *slot, int64_t n)
{
    if (q->o->baseline)
        memcpy(slot, q->o->baseline, (size_t)n * sizeof *slot);
    else
        memset(slot, 0, (size_t)n * sizeof *slot);
}

static int explain(cx_question *q, cvs_error *err)
{
    const cx_spot from = cx_question_source(q);
    const cx_tensor *x = &q->x[q->input];
    const int64_t n = cx_shape_count(&x->shape);
    const cx_rule rule = {.activation = rescale};
    const cx_gradient_options o = {.batch = 2,
                                   .exact = q->o->exact,
                                   .to = &q->goal.spot,
                                   .n_to = 1,
                                   .from = &from,
                                   .n_from = 1,
                                   .keep = q->model->outputs[q->goal.output],
                                   .keep_arguments = 1};
    cx_gradient *g = NULL;
    double total = 0;
    int rc;
    TRY(cx_gradient_new(&g, q->model, &o, err));
    TRY(cx_question_feed(q, g->run, 2, err));
    float *both = g->run->slots[from.node].y.data;
    put_baseline(q, both + n, n);
    TRY(cx_question_forward(q, g, err));
    TRY(cx_gradient_backward(g, &rule, err));
    const cx_tensor *value = cx_gradient_value(g, 0);
    const double rise = q->e->score - cx_goal_value(&q->goal, value, 1);
    float *d = g->steps[from.node].dy.data;
    for (int64_t i = 0; i < n; i++) {
        d[i] *= both[i] - both[i + n];
        total += (double)d[i];
    }
    if (rise != 0) q->e->residual = fabs(total - rise) / fabs(rise);
    TRY(cx_answer_fill(q, &g->steps[from.node].dy, 0, err));
out:
    cx_gradient_free(g);
    return rc;
}

const cx_method cx_method_deeplift = {
    .about = {.name = "deeplift",
              .title = "DeepLIFT",
              .cite = "Shrikumar et al. 2017, Learning Important Features, arXiv:1704.02685",
              .needs = "a baseline (--baseline)",
              .cost = "2 passes forward and back",
              .is_pixels = 1,
              .is_signed = 1},
    .automatic = CVS_TARGET_LOGIT,
    .explain = explain,
};
