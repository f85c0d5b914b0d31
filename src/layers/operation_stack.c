/* operation_stack.c - tensors of one shape, one after the other along a new axis. */
#include <stddef.h>

#include "layers/layer.h"

typedef struct stack_config {
    int64_t axis;
} stack_config;

static const cx_field fields[] = {
    {"axis", CX_INT, offsetof(stack_config, axis), 0, -CX_MAX_DIMS, CX_MAX_DIMS - 1, NULL},
    {0},
};

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const stack_config *k = l->cfg;
    cx_shape one = in[0];
    int axis, rc;
    for (int i = 0; i < n_in; i++) {
        TRY(cx_expect_size(&in[i], err));
        if (in[i].ndim != one.ndim)
            return cx_fail(err, CVS_E_FORMAT, "its inputs have %d and %d axes", one.ndim,
                           in[i].ndim);
        for (int d = 0; d < one.ndim; d++) {
            if (one.d[d] == CX_FREE) one.d[d] = in[i].d[d];
            if (in[i].d[d] != CX_FREE && in[i].d[d] != one.d[d])
                return cx_fail(err, CVS_E_FORMAT, "its inputs differ on axis %d", d);
        }
    }
    if (one.ndim == CX_MAX_DIMS)
        return cx_fail(err, CVS_E_UNSUPPORTED, "more than %d axes are not supported", CX_MAX_DIMS);
    *out = (cx_shape){.ndim = one.ndim + 1};
    TRY(cx_axis_of(&axis, k->axis, out, err));
    if (axis == 0) return cx_fail(err, CVS_E_UNSUPPORTED, "axis: 0, the batch, is not supported");
    for (int d = 0; d < out->ndim; d++) out->d[d] = d == axis ? n_in : one.d[d - (d > axis)];
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

/* How each of n inputs is copied to its place. */
static cx_box box_of(const cx_layer *l, const cx_shape *out, int n)
{
    const stack_config *k = l->cfg;
    int axis;
    (void)cx_axis_of(&axis, k->axis, out, NULL); /* accepted by infer */
    const int64_t part = cx_shape_count_range(out, axis + 1, out->ndim);
    return (cx_box){.ndim = 2,
                    .size = {cx_shape_count_range(out, 0, axis), part},
                    .from = {part, 1},
                    .to = {n * part, 1}};
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const cx_box box = box_of(l, &c->y->shape, c->n_x);
    for (int i = 0; i < c->n_x; i++) cx_copy_box(&box, c->x[i]->data, c->y->data + i * box.size[1]);
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const cx_box box = box_of(l, &c->dy->shape, c->n_x), back = cx_box_back(&box);
    for (int i = 0; i < c->n_x; i++)
        if (c->dx[i]) cx_copy_box(&back, c->dy->data + i * box.size[1], c->dx[i]->data);
}

const cx_layer_kind cx_operation_stack = {
    .class_name = "Stack",
    .family = CX_RESHAPING,
    .cfg_size = sizeof(stack_config),
    .fields = fields,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
