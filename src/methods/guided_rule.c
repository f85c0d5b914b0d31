/* guided_rule.c - rules for rectifiers; other activations are left to their derivative. */
#include "methods/guided_rule.h"

/* A rectifier lets pass what is above its threshold as it is; PReLU, whose slope is a weight, and
 * smooth functions are none. */
static int is_rectifier(const cx_activation *a)
{
    return (a->kind == CX_ACT_RELU && a->slope == 0) || a->kind == CX_ACT_THRESHOLDED_RELU;
}

static int pass_guided(void *arg, int node, const cx_activation *a, const float *x,
                       const cx_tensor *y, const float *dy, float *dx, cvs_error *err)
{
    const int64_t n = cx_shape_count(&y->shape);
    (void)arg;
    (void)node;
    (void)err;
    if (!is_rectifier(a)) return 0;
    cx_activate_backward(a, x, y, dy, dx);
    for (int64_t i = 0; i < n; i++)
        if (!(dx[i] > 0)) dx[i] = 0;
    return 1;
}

static int pass_positive(void *arg, int node, const cx_activation *a, const float *x,
                         const cx_tensor *y, const float *dy, float *dx, cvs_error *err)
{
    const int64_t n = cx_shape_count(&y->shape);
    (void)arg;
    (void)node;
    (void)x;
    (void)err;
    if (!is_rectifier(a)) return 0;
    for (int64_t i = 0; i < n; i++) dx[i] = dy[i] > 0 ? dy[i] : 0;
    return 1;
}

const cx_rule cx_guided_rule = {.activation = pass_guided};
const cx_rule cx_deconvnet_rule = {.activation = pass_positive};
