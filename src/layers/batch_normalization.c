/* batch_normalization.c - BatchNormalization at inference: y = (x - mean) / sqrt(variance +
 * epsilon)
 * * gamma + beta, folded to one scale and one shift a channel. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "layers/layer.h"

typedef struct norm_config {
    int64_t axis, mode;
    double epsilon;
    int center, scale, renorm;
} norm_config;

#define AT(member) offsetof(norm_config, member)
static const cx_field fields[] = {
    {"axis", CX_INT, AT(axis), -1, -CX_MAX_DIMS, CX_MAX_DIMS - 1, NULL},
    {"epsilon", CX_NUMBER, AT(epsilon), 1e-3, 0, 1e3, NULL},
    {"center", CX_BOOL, AT(center), 1, 0, 1, NULL},
    {"scale", CX_BOOL, AT(scale), 1, 0, 1, NULL},
    /* Keras 1's modes 1 and 2 use the statistics of the input at inference too. */
    {"mode", CX_INT, AT(mode), 0, 0, 0, NULL},
    {"renorm", CX_BOOL, AT(renorm), 0, 0, 0, NULL},
    {0},
};

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const norm_config *k = l->cfg;
    int axis, rc;
    TRY(cx_expect_input(in, n_in, 0, err));
    TRY(cx_axis_of(&axis, k->axis, in, err));
    TRY(cx_expect_known(in, axis, err));
    *out = in[0];
out:
    return rc;
}

static int weights(const cx_layer *l, const cx_shape *in, int n_in,
                   cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    const norm_config *k = l->cfg;
    int axis, n = 0, rc;
    (void)n_in;
    TRY(cx_axis_of(&axis, k->axis, in, err));
    cx_shape s = {1, {in->d[axis]}};
    n = cx_gamma_beta_specs(out, "gamma", k->scale, k->center, &s);
    out[n++] = (cx_weight_spec){.name = "moving_mean", .shape = s, .frozen = 1};
    out[n++] = (cx_weight_spec){.name = "moving_variance", .shape = s, .frozen = 1};
    rc = n;
out:
    return rc;
}

static int prepare(cx_layer *l, cx_arena *arena, cvs_error *err)
{
    const norm_config *k = l->cfg;
    const float *gamma = k->scale ? l->w[0].data : NULL;
    const float *beta = k->center ? l->w[k->scale].data : NULL;
    const float *mean = l->w[k->scale + k->center].data;
    const float *variance = l->w[k->scale + k->center + 1].data;
    int64_t n = l->w[0].spec.shape.d[0];
    cx_affine *s = cx_affine_new(n, arena);
    if (!s) return cx_no_memory(err, (size_t)n * 2 * sizeof(float));
    for (int64_t i = 0; i < n; i++) {
        double scale = (gamma ? gamma[i] : 1.0) / sqrt(variance[i] + k->epsilon);
        s->scale[i] = (float)scale;
        s->shift[i] = (float)((beta ? beta[i] : 0.0) - mean[i] * scale);
    }
    l->state = s;
    return 0;
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const norm_config *k = l->cfg;
    const cx_affine *s = l->state;
    const cx_shape *in = &c->x[0]->shape;
    int axis;
    (void)cx_axis_of(&axis, k->axis, in, NULL); /* accepted by infer */
    cx_affine_axis(in, axis, s->scale, s->shift, c->x[0]->data, c->y->data);
}

static const cx_affine *as_affine(const cx_layer *l, const cx_shape *in)
{
    const norm_config *k = l->cfg;
    int axis;
    (void)cx_axis_of(&axis, k->axis, in, NULL); /* accepted by infer */
    return axis == in->ndim - 1 ? l->state : NULL;
}

static size_t backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                 const cx_shape *out)
{
    const cx_affine *s = l->state;
    (void)in;
    (void)n_in;
    (void)out;
    return 2 * (size_t)s->n * sizeof(float);
}

/* Of the moving statistics, which are constants here. */
static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const norm_config *k = l->cfg;
    const cx_affine *s = l->state;
    const cx_shape *in = &c->x[0]->shape;
    float *dgamma = k->scale ? cx_dw(c, 0) : NULL, *dbeta = k->center ? cx_dw(c, k->scale) : NULL;
    int axis;
    (void)cx_axis_of(&axis, k->axis, in, NULL); /* accepted by infer */
    if (c->dx[0]) cx_affine_axis(in, axis, s->scale, NULL, c->dy->data, c->dx[0]->data);
    if (!dgamma && !dbeta) return;
    const float *mean = l->w[k->scale + k->center].data;
    const float *variance = l->w[k->scale + k->center + 1].data;
    float *products = c->workspace, *sums = products + s->n;
    memset(products, 0, 2 * (size_t)s->n * sizeof *products);
    cx_affine_axis_sums(in, axis, c->x[0]->data, c->dy->data, products, sums);
    for (int64_t i = 0; i < s->n; i++) {
        const double deviation = sqrt(variance[i] + k->epsilon);
        if (dgamma)
            dgamma[i] +=
                (float)(((double)products[i] - (double)mean[i] * (double)sums[i]) / deviation);
        if (dbeta) dbeta[i] += sums[i];
    }
}

const cx_layer_kind cx_layer_batch_normalization = {
    .class_name = "BatchNormalization",
    .family = CX_NORMALIZING,
    .aliases = (const char *const[]){"BatchNormalizationV1", "BatchNormalizationV2",
                                     "SyncBatchNormalization", NULL},
    .cfg_size = sizeof(norm_config),
    .fields = fields,
    .infer = infer,
    .weights = weights,
    .prepare = prepare,
    .is_affine = 1,
    .is_scale_shift = 1,
    .forward = forward,
    .as_affine = as_affine,
    .backward = backward,
    .backward_workspace = backward_workspace,
};
