/* shapleycam.c - ShapleyCAM (Cai 2025): Grad-CAM whose weights take the curvature of the score into
 * account, as the Shapley value of a quadratic function does:
 *
 *   w_k = mean over places of (g - H A / 2)
 *
 * with g the derivative by what the layer gives, A, and H the second one. H A is how g changes
 * along A: its central difference at A (1 ± h), from the layers behind alone. Where these are made
 * of sums and rectifiers, A (1 ± h) lies on the same piece, biases aside, and the map is
 * Grad-CAM's. */
#include <math.h>

#include "graph/tail.h"
#include "methods/method.h"

/* The error of the difference is of h²; rounding adds 1e-7 / h of g. Both are 1e-4 or less here. */
#define H 1e-2f

static void put(const cx_tensor *a, cx_tensor *both)
{
    const int64_t n = cx_shape_count(&a->shape);
    for (int64_t i = 0; i < n; i++) {
        both->data[i] = a->data[i] * (1 + H);
        both->data[n + i] = a->data[i] * (1 - H);
    }
}

/* g at A + h A and A - h A, both in one batch. */
static int differentiate(cx_gradient **out, cx_question *q, const cvs_run *base, cvs_error *err)
{
    const int layer = q->layers[0];
    const cx_spot from = {layer, 0};
    const cx_gradient_options o = {.batch = 2,
                                   .exact = q->o->exact,
                                   .to = &q->goal.spot,
                                   .n_to = 1,
                                   .from = &from,
                                   .n_from = 1,
                                   .keep = -1,
                                   .base = base};
    int rc;
    TRY(cx_gradient_new(out, q->model, &o, err));
    put(&base->slots[layer].y, &(*out)->run->slots[layer].y);
    TRY(cx_gradient_forward(*out, err));
    for (int b = 0; b < 2; b++) cx_goal_seed(&q->goal, cx_gradient_seed(*out, 0), b);
    TRY(cx_gradient_backward(*out, NULL, err));
out:
    return rc;
}

static int explain(cx_question *q, cvs_error *err)
{
    const int layer = q->layers[0];
    cvs_run *base = NULL;
    cx_gradient *g = NULL;
    cx_stack a = {0}, more = {0}, less = {0};
    double *weights = NULL;
    int rc;
    TRY(cx_question_run(&base, q, layer, err));
    TRY(differentiate(&g, q, base, err));
    TRY(cx_stack_of(&a, q->model, layer, &base->slots[layer].y, 0, err));
    TRY(cx_stack_of(&more, q->model, layer, cx_gradient_result(g, 0), 0, err));
    TRY(cx_stack_of(&less, q->model, layer, cx_gradient_result(g, 0), 1, err));
    weights = cx_calloc((size_t)a.channels, sizeof *weights);
    if (!weights) TRY(cx_no_memory(err, (size_t)a.channels * sizeof *weights));
    const int64_t n = a.height * a.width;
    for (int64_t i = 0; i < n * a.channels; i++) {
        /* g itself is the mean of the two but for an error of h². */
        const double up = (double)more.data[i], down = (double)less.data[i];
        weights[i % a.channels] += ((up + down) / 2 - (up - down) / (4 * (double)H)) / (double)n;
    }
    TRY(cx_cam_answer(q, &a, weights, err));
out:
    cx_stack_deinit(&a);
    cx_stack_deinit(&more);
    cx_stack_deinit(&less);
    cx_gradient_free(g);
    cvs_run_free(base);
    cx_free(weights);
    return rc;
}

const cx_method cx_method_shapleycam = {
    .about = {.name = "shapleycam",
              .title = "ShapleyCAM",
              .cite = "Cai 2025, CAMs as Shapley Value-based Explainers, arXiv:2501.06261",
              .needs = "a layer with a map",
              .cost = "1 pass forward, 2 of the layers behind and back"},
    .automatic = CVS_TARGET_LOGIT,
    .uses_layers = 1,
    .weighs_channels = 1,
    .explain = explain,
};
