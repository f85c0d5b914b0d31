/* group_normalization.c - GroupNormalization (Wu and He 2018): (x - mean) / sqrt(variance +
 * epsilon) over all positions and the channels of a group, for each image by itself; then gamma and
 * beta of each channel. */
#include <stddef.h>

#include "layers/layer.h"

typedef struct group_config {
    int64_t groups, axis; /* groups -1: every channel is one */
    double epsilon;
    int center, scale;
} group_config;

typedef struct group_state {
    float *scale, *shift;
} group_state;

#define AT(member) offsetof(group_config, member)
static const cx_field fields[] = {
    {"groups", CX_INT, AT(groups), 32, -1, CX_MAX_CHANNELS, NULL},
    {"axis", CX_INT, AT(axis), -1, -CX_MAX_DIMS, CX_MAX_DIMS - 1, NULL},
    {"epsilon", CX_NUMBER, AT(epsilon), 1e-3, 0, 1e3, NULL},
    {"center", CX_BOOL, AT(center), 1, 0, 1, NULL},
    {"scale", CX_BOOL, AT(scale), 1, 0, 1, NULL},
    {0},
};

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const group_config *k = l->cfg;
    int axis, rc;
    TRY(cx_expect_input(in, n_in, 0, err));
    TRY(cx_axis_of(&axis, k->axis, in, err));
    TRY(cx_expect_known(in, axis, err));
    if (axis == 0) return cx_fail(err, CVS_E_UNSUPPORTED, "axis: 0, the batch, is not supported");
    if (k->groups == 0 || in->d[axis] % k->groups)
        return cx_fail(err, CVS_E_FORMAT, "groups: %lld do not divide the %lld channels",
                       (long long)k->groups, (long long)in->d[axis]);
    *out = in[0];
out:
    return rc;
}

static int weights(const cx_layer *l, const cx_shape *in, int n_in,
                   cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    const group_config *k = l->cfg;
    int axis, n = 0, rc;
    (void)n_in;
    TRY(cx_axis_of(&axis, k->axis, in, err));
    cx_shape s = {1, {in->d[axis]}};
    if (k->scale) out[n++] = (cx_weight_spec){.name = "gamma", .shape = s};
    if (k->center) out[n++] = (cx_weight_spec){.name = "beta", .shape = s};
    rc = n;
out:
    return rc;
}

static int prepare(cx_layer *l, cx_arena *arena, cvs_error *err)
{
    const group_config *k = l->cfg;
    if (!k->scale && !k->center) return 0;
    int64_t n = l->w[0].spec.shape.d[0];
    group_state *s = cx_arena_alloc(arena, sizeof *s);
    if (s) s->scale = cx_arena_array(arena, (size_t)n, 2 * sizeof(float));
    if (!s || !s->scale) return cx_no_memory(err, (size_t)n * 2 * sizeof(float));
    s->shift = s->scale + n;
    for (int64_t i = 0; i < n; i++) {
        s->scale[i] = k->scale ? l->w[0].data[i] : 1;
        s->shift[i] = k->center ? l->w[k->scale].data[i] : 0;
    }
    l->state = s;
    return 0;
}

static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    (void)l;
    (void)n_in;
    (void)out;
    return (size_t)cx_shape_count(in) * sizeof(float);
}

/* The numbers of a group are gathered to one row; then they go back to their places. */
static void forward(const cx_layer *l, const cx_call *c)
{
    const group_config *k = l->cfg;
    const group_state *s = l->state;
    const cx_shape *in = &c->x[0]->shape;
    int axis;
    (void)cx_axis_of(&axis, k->axis, in, NULL); /* accepted by infer */
    const int64_t groups = k->groups < 0 ? in->d[axis] : k->groups, size = in->d[axis] / groups;
    const int64_t before = cx_shape_count_range(in, 1, axis);
    const int64_t after = cx_shape_count_range(in, axis + 1, in->ndim);
    const int64_t image = before * in->d[axis] * after, row = image / groups;
    const cx_box gather = {.ndim = 4,
                           .size = {in->d[0], groups, before, size * after},
                           .from = {image, size * after, in->d[axis] * after, 1},
                           .to = {image, row, size * after, 1}};
    cx_box back = gather;
    for (int i = 0; i < gather.ndim; i++) {
        back.from[i] = gather.to[i];
        back.to[i] = gather.from[i];
    }
    float *rows = c->workspace, *y = c->y->data;
    cx_copy_box(&gather, c->x[0]->data, rows);
    cx_normalize_forward(CX_STANDARDIZE, in->d[0] * groups, row, k->epsilon, rows, rows);
    cx_copy_box(&back, rows, y);
    if (s) cx_affine_axis(in, axis, s->scale, s->shift, y, y);
}

const cx_layer_kind cx_layer_group_normalization = {
    .class_name = "GroupNormalization",
    .family = CX_NORMALIZING,
    .cfg_size = sizeof(group_config),
    .fields = fields,
    .infer = infer,
    .weights = weights,
    .prepare = prepare,
    .workspace = workspace,
    .forward = forward,
};
