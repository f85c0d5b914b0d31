/* batch_normalization.c - BatchNormalization (Ioffe and Szegedy 2015): y = (x - mean) /
 * sqrt(variance + epsilon) * gamma + beta.
 *
 * At inference mean and variance are the moving ones, and all is folded to one scale and one shift
 * a channel. In training they are those of the batch, and the moving ones follow: a layer that is
 * frozen is as at inference, as Keras has had it since 2.1.3. The variance that moves is that of
 * the population, as in Keras 3; TensorFlow's fused operation, which Keras 2 called for images,
 * has n - 1 in place of n there. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "layers/layer.h"

typedef struct norm_config {
    int64_t axis, mode;
    double epsilon, momentum;
    int center, scale, renorm;
} norm_config;

#define AT(member) offsetof(norm_config, member)
static const cx_field fields[] = {
    {"axis", CX_INT, AT(axis), -1, -CX_MAX_DIMS, CX_MAX_DIMS - 1, NULL},
    {"epsilon", CX_NUMBER, AT(epsilon), 1e-3, 0, 1e3, NULL},
    {"momentum", CX_NUMBER, AT(momentum), 0.99, -1e9, 1e9, NULL},
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
    cx_affine *s = l->state ? l->state : cx_affine_new(n, arena);
    if (!s) return cx_no_memory(err, (size_t)n * 2 * sizeof(float));
    for (int64_t i = 0; i < n; i++) {
        double scale = (gamma ? gamma[i] : 1.0) / sqrt(variance[i] + k->epsilon);
        s->scale[i] = (float)scale;
        s->shift[i] = (float)((beta ? beta[i] : 0.0) - mean[i] * scale);
    }
    l->state = s;
    return 0;
}

/* --- training --- */

/* What a call keeps: arrays of a number each channel. */
enum { MEAN, VARIANCE, INVERSE, SCALE, SHIFT, KEPT };

static int64_t keeps(const cx_layer *l, const cx_shape *in)
{
    const cx_affine *s = l->state;
    (void)in;
    return KEPT * s->n;
}

/* The tensor as rows of channels. */
static cx_rows rows_of(const norm_config *k, const cx_shape *in)
{
    cx_rows r;
    (void)cx_rows_of(&r, &(cx_axes){.n = 1, .axis = {k->axis}}, in, NULL); /* accepted by infer */
    return r;
}

/* Sums first; then two tensors, turned so that channels are last. */
static size_t training_workspace(const cx_layer *l, const cx_shape *in)
{
    const cx_rows r = rows_of(l->cfg, in);
    const size_t turned = r.in_place ? 0 : (size_t)(r.rows * r.n) * sizeof(float);
    return cx_moments_workspace(r.rows, r.n) + 2 * turned;
}

static void move(float *moving, const float *now, double momentum, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        moving[i] = (float)((double)moving[i] * momentum + (double)now[i] * (1 - momentum));
}

static void training_forward(const cx_layer *l, const cx_call *c)
{
    const norm_config *k = l->cfg;
    const cx_training *t = c->training;
    const cx_rows r = rows_of(k, &c->x[0]->shape);
    const int moving = k->scale + k->center;
    const float *x = c->x[0]->data;
    float *kept = t->kept, *y = c->y->data;
    float *room = (float *)(void *)((char *)c->workspace + cx_moments_workspace(r.rows, r.n));
    if (!r.in_place) {
        cx_copy_box(&r.gather, x, room);
        x = room;
        y = room + r.rows * r.n;
    }
    cx_moments_forward(r.rows, r.n, x, kept + MEAN * r.n, kept + VARIANCE * r.n, c->workspace);
    for (int64_t i = 0; i < r.n; i++) {
        const double inverse = 1 / sqrt((double)kept[VARIANCE * r.n + i] + k->epsilon);
        const double scale = inverse * (k->scale ? (double)l->w[0].data[i] : 1);
        kept[INVERSE * r.n + i] = (float)inverse;
        kept[SCALE * r.n + i] = (float)scale;
        kept[SHIFT * r.n + i] = (float)((k->center ? (double)l->w[k->scale].data[i] : 0) -
                                        (double)kept[MEAN * r.n + i] * scale);
    }
    cx_affine_forward(r.rows, r.n, x, kept + SCALE * r.n, kept + SHIFT * r.n, y);
    if (!r.in_place) cx_copy_box(&r.scatter, y, c->y->data);
    if (!t->w) return;
    move(t->w[moving], kept + MEAN * r.n, k->momentum, r.n);
    move(t->w[moving + 1], kept + VARIANCE * r.n, k->momentum, r.n);
}

/* Adds n numbers to the derivative of a weight. */
static void add_to(float *dw, const float *sums, int64_t n)
{
    for (int64_t i = 0; dw && i < n; i++) dw[i] += sums[i];
}

/* Forward alone reads the kept scale and shift, so sums take their places. */
static void training_backward(const cx_layer *l, const cx_backward_call *c)
{
    const norm_config *k = l->cfg;
    const cx_rows r = rows_of(k, &c->x[0]->shape);
    float *kept = c->training->kept, *sums = kept + SCALE * r.n, *products = kept + SHIFT * r.n;
    float *room = (float *)(void *)((char *)c->workspace + cx_moments_workspace(r.rows, r.n));
    const float *x = c->x[0]->data, *dy = c->dy->data;
    float *dx = c->dx[0] ? c->dx[0]->data : NULL;
    const cx_moments m = {r.rows, r.n, kept + MEAN * r.n, kept + INVERSE * r.n,
                          k->scale ? l->w[0].data : NULL};
    if (!r.in_place) {
        cx_copy_box(&r.gather, x, room);
        cx_copy_box(&r.gather, dy, room + r.rows * r.n);
        x = room;
        dy = room + r.rows * r.n;
        if (dx) dx = room + r.rows * r.n;
    }
    cx_moments_backward(&m, x, dy, sums, products, dx, c->workspace);
    if (!r.in_place && dx) cx_copy_box(&r.scatter, dx, c->dx[0]->data);
    if (k->scale) add_to(cx_dw(c, 0), products, r.n);
    if (k->center) add_to(cx_dw(c, k->scale), sums, r.n);
}

/* --- inference --- */

static void forward(const cx_layer *l, const cx_call *c)
{
    const norm_config *k = l->cfg;
    const cx_affine *s = l->state;
    const cx_shape *in = &c->x[0]->shape;
    int axis;
    if (c->training && l->trainable) {
        training_forward(l, c);
        return;
    }
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
    if (c->training && l->trainable) {
        training_backward(l, c);
        return;
    }
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
    .trains = 1,
    .training_workspace = training_workspace,
    .keeps = keeps,
    .forward = forward,
    .as_affine = as_affine,
    .backward = backward,
    .backward_workspace = backward_workspace,
};
