/* expected.c - expected gradients (Erion et al. 2021), which SHAP's authors call GradientSHAP: as
 * integrated gradients, but with many inputs to begin from instead of one baseline,
 *
 *   the mean of (x - x0) dS/dx at x0 + a (x - x0)
 *
 * over references x0 and shares a from 0 to 1 that are drawn together. It adds up to the score less
 * the mean score of the references drawn, and what is missing tells how many draws are wanted. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "methods/sweep.h"

enum { DRAWS = 100 };

typedef struct draws {
    const float *x, *references; /* one input, and all references end on end */
    int64_t n, n_references;     /* numbers of an input; inputs */
    uint64_t seed;
    double *sum;
} draws;

static int64_t reference_of(const draws *d, int64_t i)
{
    return cx_random_below(cx_random_stream(d->seed, (uint64_t)i), 0, d->n_references);
}

static void go_along(void *arg, int64_t i, float *item)
{
    const draws *d = arg;
    const float *from = d->references + reference_of(d, i) * d->n;
    const double share = cx_random_uniform(cx_random_stream(d->seed, (uint64_t)i), 1);
    for (int64_t k = 0; k < d->n; k++)
        item[k] = (float)((double)from[k] + share * ((double)d->x[k] - (double)from[k]));
}

static void add_gradient(void *arg, int64_t i, const float *gradient, int64_t n)
{
    draws *d = arg;
    const float *from = d->references + reference_of(d, i) * d->n;
    for (int64_t k = 0; k < n; k++)
        d->sum[k] += (double)gradient[k] * ((double)d->x[k] - (double)from[k]);
}

static void put_reference(void *arg, int64_t i, float *item)
{
    const draws *d = arg;
    memcpy(item, d->references + i * d->n, (size_t)d->n * sizeof *item);
}

/* The mean score of the references, each as often as it was drawn. */
static int mean_score(double *out, cx_question *q, draws *d, int64_t n_draws, cvs_error *err)
{
    const cvs_explanation said = *q->e;
    cx_scorer scorer = {0};
    double *score = cx_calloc((size_t)d->n_references, sizeof *score);
    int64_t done;
    int rc = 0;
    *out = 0;
    if (!score) TRY(cx_no_memory(err, (size_t)d->n_references * sizeof *score));
    TRY(cx_scorer_init(&scorer, q, -1, d->n_references, err));
    TRY(cx_scorer_run(&scorer, q, d->n_references, put_reference, d, score, &done, err));
    for (int64_t i = 0; i < n_draws; i++) *out += score[reference_of(d, i)] / (double)n_draws;
    q->e->done = said.done;
out:
    cx_scorer_deinit(&scorer);
    cx_free(score);
    return rc;
}

static int find_references(draws *d, const cx_question *q, cvs_error *err)
{
    const cvs_run *r = q->o->references;
    if (!r) {
        int rc = cx_fail(err, CVS_E_UNSUPPORTED, "expected gradients begin from other inputs");
        cx_hint(err, "give a folder of them, or a .npy file, with --references");
        return rc;
    }
    const cx_slot *slot = r->planned ? &r->slots[cx_question_source(q).node] : NULL;
    if (r->model != q->model || !slot || cx_shape_count(&slot->shape) != r->batch * d->n)
        return cx_fail(err, CVS_E_ARG, "the references are not inputs of this model's shape");
    d->references = slot->y.data;
    d->n_references = r->batch;
    return 0;
}

static int explain(cx_question *q, cvs_error *err)
{
    const cx_tensor *x = &q->x[q->input];
    const int64_t asked = q->o->steps > 0 ? q->o->steps : DRAWS;
    draws d = {.x = x->data, .n = cx_shape_count(&x->shape), .seed = q->o->seed};
    cx_tensor result = {0};
    double before, total = 0;
    int64_t done;
    int rc;
    TRY(find_references(&d, q, err));
    d.sum = cx_calloc((size_t)d.n, sizeof *d.sum);
    if (!d.sum) TRY(cx_no_memory(err, (size_t)d.n * sizeof *d.sum));
    TRY(cx_sweep(q, asked, go_along, add_gradient, &d, NULL, &done, err));
    TRY(mean_score(&before, q, &d, done, err));
    TRY(cx_tensor_init(&result, &x->shape, err));
    for (int64_t k = 0; k < d.n; k++) {
        result.data[k] = (float)(d.sum[k] / (double)done);
        total += d.sum[k] / (double)done;
    }
    const double rise = q->e->score - before;
    if (rise != 0) q->e->residual = fabs(total - rise) / fabs(rise);
    TRY(cx_answer_fill(q, &result, 0, err));
out:
    cx_tensor_deinit(&result);
    cx_free(d.sum);
    return rc;
}

const cx_method cx_method_expected_gradients = {
    .about = {.name = "expected-gradients",
              .title = "Expected gradients",
              .cite = "Erion et al. 2021, Improving performance of deep learning models with "
                      "axiomatic attribution priors and expected gradients, arXiv:1906.10670",
              .needs = "other inputs to begin from (--references)",
              .cost = "100 passes forward and back, or --steps",
              .is_pixels = 1,
              .is_signed = 1},
    .automatic = CVS_TARGET_LOGIT,
    .explain = explain,
};
