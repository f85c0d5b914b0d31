/* operation_glu.c - the gated linear unit (Dauphin et al. 2017): one half of an axis, times the
 * sigmoid of the other. */
#include <math.h>
#include <stddef.h>

#include "layers/layer.h"

typedef struct glu_config {
    int64_t axis;
} glu_config;

static const cx_field fields[] = {
    {"axis", CX_INT, offsetof(glu_config, axis), -1, -CX_MAX_DIMS, CX_MAX_DIMS - 1, NULL},
    {0},
};

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const glu_config *k = l->cfg;
    int axis, rc;
    TRY(cx_expect_input(in, n_in, 0, err));
    TRY(cx_axis_of(&axis, k->axis, in, err));
    TRY(cx_expect_known(in, axis, err));
    if (axis == 0) return cx_fail(err, CVS_E_UNSUPPORTED, "axis: 0, the batch, is not supported");
    if (in->d[axis] % 2 != 0)
        return cx_fail(err, CVS_E_FORMAT, "axis: %d has an odd size, %lld", axis,
                       (long long)in->d[axis]);
    *out = *in;
    out->d[axis] /= 2;
out:
    return rc;
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const glu_config *k = l->cfg;
    const cx_shape *out = &c->y->shape;
    float *y = c->y->data;
    int axis;
    (void)cx_axis_of(&axis, k->axis, out, NULL); /* accepted by infer */
    const int64_t half = cx_shape_count_range(out, axis, out->ndim);
    for (int64_t row = cx_shape_count_range(out, 0, axis), i = 0; i < row; i++) {
        const float *x = c->x[0]->data + i * 2 * half, *gate = x + half;
        for (int64_t j = 0; j < half; j++) *y++ = x[j] / (1 + expf(-gate[j]));
    }
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const glu_config *k = l->cfg;
    const cx_shape *out = &c->dy->shape;
    const float *dy = c->dy->data;
    int axis;
    (void)cx_axis_of(&axis, k->axis, out, NULL); /* accepted by infer */
    const int64_t half = cx_shape_count_range(out, axis, out->ndim);
    for (int64_t row = cx_shape_count_range(out, 0, axis), i = 0; i < row; i++, dy += half) {
        const float *x = c->x[0]->data + i * 2 * half, *gate = x + half;
        float *dx = c->dx[0]->data + i * 2 * half, *d_gate = dx + half;
        for (int64_t j = 0; j < half; j++) {
            const float open = 1 / (1 + expf(-gate[j]));
            dx[j] = dy[j] * open;
            d_gate[j] = dy[j] * x[j] * open * (1 - open);
        }
    }
}

const cx_layer_kind cx_operation_glu = {
    .class_name = "Glu",
    .family = CX_ACTIVATING,
    .cfg_size = sizeof(glu_config),
    .fields = fields,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
