/* concatenate.c - Concatenate: inputs one after the other along an axis. */
#include <stddef.h>

#include "layers/layer.h"

typedef struct concatenate_config {
    int64_t axis;
} concatenate_config;

static const cx_field fields[] = {
    {"axis|concat_axis", CX_INT, offsetof(concatenate_config, axis), -1, -CX_MAX_DIMS,
     CX_MAX_DIMS - 1, NULL},
    {0},
};

/* Add one input's shape to that of those before it. */
static int append(cx_shape *sum, const cx_shape *s, int axis, cvs_error *err)
{
    char a[CX_SHAPE_TEXT], b[CX_SHAPE_TEXT];
    int fits = s->ndim == sum->ndim;
    for (int i = 0; fits && i < s->ndim; i++) {
        if (i == axis || s->d[i] == sum->d[i] || s->d[i] == CX_FREE) continue;
        fits = sum->d[i] == CX_FREE;
        sum->d[i] = s->d[i];
    }
    if (!fits)
        return cx_fail(err, CVS_E_FORMAT, "inputs %s and %s do not go together on axis %d",
                       cx_shape_text(a, sum), cx_shape_text(b, s), axis);
    if (s->d[axis] == CX_FREE)
        sum->d[axis] = CX_FREE;
    else if (sum->d[axis] != CX_FREE)
        sum->d[axis] += s->d[axis];
    return cx_expect_size(sum, err);
}

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const concatenate_config *k = l->cfg;
    int axis, rc;
    if (n_in < 1) return cx_fail(err, CVS_E_FORMAT, "an input is wanted");
    for (int i = 0; i < n_in; i++) TRY(cx_expect_size(&in[i], err));
    TRY(cx_axis_of(&axis, k->axis, &in[0], err));
    *out = in[0];
    for (int i = 1; i < n_in; i++) TRY(append(out, &in[i], axis, err));
out:
    return rc;
}

/* How an input of shape `in` is copied to its place in the output, and how many numbers it takes in
 * each row there. */
static cx_box box_of(const cx_layer *l, const cx_shape *in, const cx_shape *out, int64_t *part)
{
    const concatenate_config *k = l->cfg;
    int axis;
    (void)cx_axis_of(&axis, k->axis, out, NULL); /* accepted by infer */
    *part = cx_shape_count_range(in, axis, out->ndim);
    return (cx_box){.ndim = 2,
                    .size = {cx_shape_count_range(out, 0, axis), *part},
                    .from = {*part, 1},
                    .to = {cx_shape_count_range(out, axis, out->ndim), 1}};
}

static void forward(const cx_layer *l, const cx_call *c)
{
    int64_t part, at = 0;
    for (int i = 0; i < c->n_x; i++, at += part) {
        const cx_box box = box_of(l, &c->x[i]->shape, &c->y->shape, &part);
        cx_copy_box(&box, c->x[i]->data, c->y->data + at);
    }
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    int64_t part, at = 0;
    for (int i = 0; i < c->n_x; i++, at += part) {
        const cx_box box = box_of(l, &c->x[i]->shape, &c->dy->shape, &part);
        const cx_box back = cx_box_back(&box);
        if (c->dx[i]) cx_copy_box(&back, c->dy->data + at, c->dx[i]->data);
    }
}

const cx_layer_kind cx_layer_concatenate = {
    .class_name = "Concatenate",
    .family = CX_MERGING,
    .cfg_size = sizeof(concatenate_config),
    .fields = fields,
    .infer = infer,
    .is_affine = 1,
    .forward = forward,
    .backward = backward,
};
