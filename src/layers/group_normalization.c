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
    int axis, rc;
    (void)n_in;
    TRY(cx_axis_of(&axis, k->axis, in, err));
    cx_shape s = {1, {in->d[axis]}};
    rc = cx_gamma_beta_specs(out, "gamma", k->scale, k->center, &s);
out:
    return rc;
}

static int prepare(cx_layer *l, cx_arena *arena, cvs_error *err)
{
    const group_config *k = l->cfg;
    return cx_gamma_beta_prepare(l, k->scale, k->center, arena, err);
}

static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    (void)l;
    (void)n_in;
    (void)out;
    return (size_t)cx_shape_count(in) * sizeof(float);
}

/* The numbers of a group are gathered to one row; then they go back to their places. */
typedef struct grouping {
    int axis;
    int64_t rows, n;
    cx_box gather, scatter;
} grouping;

static grouping grouping_of(const cx_layer *l, const cx_shape *in)
{
    const group_config *k = l->cfg;
    grouping g;
    (void)cx_axis_of(&g.axis, k->axis, in, NULL); /* accepted by infer */
    const int64_t channels = in->d[g.axis];
    const int64_t groups = k->groups < 0 ? channels : k->groups, size = channels / groups;
    const int64_t before = cx_shape_count_range(in, 1, g.axis);
    const int64_t after = cx_shape_count_range(in, g.axis + 1, in->ndim);
    const int64_t image = before * channels * after;
    g.rows = in->d[0] * groups;
    g.n = image / groups;
    g.gather = (cx_box){.ndim = 4,
                        .size = {in->d[0], groups, before, size * after},
                        .from = {image, size * after, channels * after, 1},
                        .to = {image, g.n, size * after, 1}};
    g.scatter = cx_box_back(&g.gather);
    return g;
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const group_config *k = l->cfg;
    const cx_affine *s = l->state;
    const cx_shape *in = &c->x[0]->shape;
    const grouping g = grouping_of(l, in);
    float *rows = c->workspace, *y = c->y->data;
    cx_copy_box(&g.gather, c->x[0]->data, rows);
    cx_normalize_forward(CX_STANDARDIZE, g.rows, g.n, k->epsilon, rows, rows);
    cx_copy_box(&g.scatter, rows, y);
    if (s) cx_affine_axis(in, g.axis, s->scale, s->shift, y, y);
}

static size_t backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                 const cx_shape *out)
{
    return 2 * workspace(l, in, n_in, out);
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const group_config *k = l->cfg;
    const cx_affine *s = l->state;
    const cx_shape *in = &c->x[0]->shape;
    const grouping g = grouping_of(l, in);
    const float *dy = c->dy->data;
    float *dgamma = k->scale ? cx_dw(c, 0) : NULL, *dbeta = k->center ? cx_dw(c, k->scale) : NULL;
    float *a = c->workspace, *b = a + cx_shape_count(in);
    if (dgamma) {
        cx_copy_box(&g.gather, c->x[0]->data, a);
        cx_normalize_forward(CX_STANDARDIZE, g.rows, g.n, k->epsilon, a, a);
        cx_copy_box(&g.scatter, a, b);
    }
    if (dgamma || dbeta) cx_affine_axis_sums(in, g.axis, dgamma ? b : NULL, dy, dgamma, dbeta);
    if (!c->dx[0]) return;
    if (s) {
        cx_affine_axis(in, g.axis, s->scale, NULL, dy, a);
        dy = a;
    }
    cx_copy_box(&g.gather, dy, b);
    cx_copy_box(&g.gather, c->x[0]->data, a);
    cx_normalize_backward(CX_STANDARDIZE, g.rows, g.n, k->epsilon, a, b, b);
    cx_copy_box(&g.scatter, b, c->dx[0]->data);
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
    .backward = backward,
    .backward_workspace = backward_workspace,
};
