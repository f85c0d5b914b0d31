/* integrated.c - integrated gradients (Sundararajan et al. 2017): the mean gradient on the straight
 * way from a baseline to the input, times their difference. What it gives adds up to what the score
 * rises by; what is missing from that tells how well the integral was taken. */
#include <math.h>
#include <string.h>

#include "methods/sweep.h"

enum { STEPS = 64 };

typedef struct path {
    const float *x, *baseline; /* NULL: zeros */
    const double *at, *weight; /* points between 0 and 1 */
    int64_t n;
    double *sum;
} path;

static double start_of(const path *p, int64_t k)
{
    return p->baseline ? (double)p->baseline[k] : 0;
}

static void go_along(void *arg, int64_t i, float *item)
{
    const path *p = arg;
    for (int64_t k = 0; k < p->n; k++) {
        const double from = start_of(p, k);
        item[k] = (float)(from + p->at[i] * ((double)p->x[k] - from));
    }
}

static void add_gradient(void *arg, int64_t i, const float *gradient, int64_t n)
{
    path *p = arg;
    for (int64_t k = 0; k < n; k++) p->sum[k] += p->weight[i] * (double)gradient[k];
}

/* Gauss and Legendre's points: the roots of the n-th Legendre polynomial, by Newton's method. */
static void gauss(double *at, double *weight, int n)
{
    for (int i = 0; i < n; i++) {
        double z = cos(3.141592653589793 * (i + 0.75) / (n + 0.5)), slope = 1;
        for (int step = 0; step < 100; step++) {
            double p = 1, before = 0;
            for (int k = 1; k <= n; k++) {
                const double older = before;
                before = p;
                p = ((2 * k - 1) * z * before - (k - 1) * older) / k;
            }
            slope = n * (z * p - before) / (z * z - 1);
            const double move = p / slope;
            z -= move;
            if (fabs(move) < 1e-15) break;
        }
        at[i] = (1 + z) / 2;
        weight[i] = 1 / ((1 - z * z) * slope * slope);
    }
}

/* How many points a rule of `steps` steps has, and which. */
static int points(double *at, double *weight, int steps, cvs_quadrature rule)
{
    if (rule == CVS_QUADRATURE_GAUSS) {
        gauss(at, weight, steps);
        return steps;
    }
    const int ends = rule == CVS_QUADRATURE_TRAPEZOID;
    for (int i = 0; i < steps + ends; i++) {
        at[i] = ((double)i + (ends ? 0 : 0.5)) / steps;
        weight[i] = (ends && (i == 0 || i == steps) ? 0.5 : 1.0) / steps;
    }
    return steps + ends;
}

static int score_of_baseline(double *out, cx_question *q, const path *p, cvs_error *err)
{
    cvs_run *run = NULL;
    int rc;
    TRY(cx_question_run(&run, q, -1, err));
    float *x = run->slots[cx_question_source(q).node].y.data;
    const double score = q->e->score, probability = q->e->probability;
    for (int64_t k = 0; k < p->n; k++) x[k] = (float)start_of(p, k);
    TRY(cvs_run_forward(run, err));
    *out = cx_goal_value(&q->goal, cx_spot_value(run, &q->goal.spot), 0);
    q->e->score = score;
    q->e->probability = probability;
out:
    cvs_run_free(run);
    return rc;
}

static int explain(cx_question *q, cvs_error *err)
{
    const cx_tensor *x = &q->x[q->input];
    const int steps = q->o->steps > 0 ? q->o->steps : STEPS;
    const int64_t n = cx_shape_count(&x->shape);
    double *at = cx_calloc((size_t)steps * 2 + 2, sizeof *at), *weight = at ? at + steps + 1 : NULL;
    path p = {.x = x->data, .baseline = q->o->baseline, .n = n, .at = at, .weight = weight};
    cx_tensor result = {0};
    double before, total = 0;
    int64_t done;
    int rc = 0;
    p.sum = cx_calloc((size_t)n, sizeof *p.sum);
    if (!at || !p.sum) TRY(cx_no_memory(err, (size_t)n * sizeof *p.sum));
    const int n_points = points(at, weight, steps, q->o->quadrature);
    TRY(cx_sweep(q, n_points, go_along, add_gradient, &p, NULL, &done, err));
    TRY(score_of_baseline(&before, q, &p, err));
    TRY(cx_tensor_init(&result, &x->shape, err));
    for (int64_t k = 0; k < n; k++) {
        const double part = p.sum[k] * ((double)x->data[k] - start_of(&p, k));
        result.data[k] = (float)part;
        total += part;
    }
    const double rise = q->e->score - before;
    if (rise != 0) q->e->residual = fabs(total - rise) / fabs(rise);
    TRY(cx_answer_fill(q, &result, 0, err));
out:
    cx_tensor_deinit(&result);
    cx_free(p.sum);
    cx_free(at);
    return rc;
}

const cx_method cx_method_integrated_gradients = {
    .about = {.name = "integrated-gradients",
              .title = "Integrated gradients",
              .cite = "Sundararajan et al. 2017, Axiomatic Attribution, arXiv:1703.01365",
              .needs = "a baseline (--baseline)",
              .cost = "64 passes forward and back, or --steps",
              .is_pixels = 1,
              .is_signed = 1},
    .automatic = CVS_TARGET_LOGIT,
    .explain = explain,
};
