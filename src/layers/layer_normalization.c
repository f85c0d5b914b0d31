/* layer_normalization.c - layers that bring the numbers along some axes to a common measure, for
 * each place on the other axes by itself: LayerNormalization, RMSNormalization (Zhang and Sennrich
 * 2019) and UnitNormalization. The formulas are those of cx_norm; gamma and beta come after. */
#include <stddef.h>

#include "layers/layer.h"

#define LEAST_SQUARE 1e-12 /* of a length, in UnitNormalization */

typedef struct norm_config {
    cx_axes axes;
    cx_norm how;
    double epsilon;
    int center, scale, rms_scaling;
} norm_config;

#define AT(member) offsetof(norm_config, member)
static const cx_field layer_fields[] = {
    {"epsilon", CX_NUMBER, AT(epsilon), 1e-3, 0, 1e3, NULL},
    {"center", CX_BOOL, AT(center), 1, 0, 1, NULL},
    {"scale", CX_BOOL, AT(scale), 1, 0, 1, NULL},
    {"rms_scaling", CX_BOOL, AT(rms_scaling), 0, 0, 1, NULL},
    {0},
};
static const cx_field rms_fields[] = {
    {"epsilon", CX_NUMBER, AT(epsilon), 1e-6, 0, 1e3, NULL},
    {0},
};

/* Keras' rms_scaling divides by the deviation, not by the root of the mean square, and leaves no
 * choice of gamma and beta. */
static int layer_configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                           cx_arena *arena, cvs_error *err)
{
    norm_config *k = l->cfg;
    (void)context;
    (void)arena;
    k->how = k->rms_scaling ? CX_BY_DEVIATION : CX_STANDARDIZE;
    if (k->rms_scaling) {
        k->scale = 1;
        k->center = 0;
    }
    return cx_axes_read(&k->axes, config, "axis", err);
}

static int rms_configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                         cx_arena *arena, cvs_error *err)
{
    norm_config *k = l->cfg;
    (void)context;
    (void)arena;
    k->how = CX_BY_RMS;
    k->scale = 1;
    return cx_axes_read(&k->axes, config, "axis", err);
}

static int unit_configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                          cx_arena *arena, cvs_error *err)
{
    norm_config *k = l->cfg;
    (void)context;
    (void)arena;
    k->how = CX_BY_LENGTH;
    k->epsilon = LEAST_SQUARE;
    return cx_axes_read(&k->axes, config, "axis", err);
}

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const norm_config *k = l->cfg;
    cx_rows r;
    int rc;
    TRY(cx_expect_input(in, n_in, 0, err));
    TRY(cx_rows_of(&r, &k->axes, in, err));
    for (int i = 0; i < in->ndim; i++)
        if (r.along[i]) TRY(cx_expect_known(in, i, err));
    *out = in[0];
out:
    return rc;
}

/* gamma has the axes in the order in which the file lists them, but lies in memory, so Keras, as if
 * they were in the input's order. */
static int weights_called(const cx_layer *l, const cx_shape *in, const char *scale,
                          cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    const norm_config *k = l->cfg;
    cx_shape s = {.ndim = k->axes.n};
    int rc = 0;
    for (int i = 0; i < s.ndim; i++) {
        int axis;
        TRY(cx_axis_of(&axis, k->axes.axis[i], in, err));
        s.d[i] = in->d[axis];
    }
    rc = cx_gamma_beta_specs(out, scale, k->scale, k->center, &s);
out:
    return rc;
}

static int weights(const cx_layer *l, const cx_shape *in, int n_in,
                   cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    (void)n_in;
    return weights_called(l, in, "gamma", out, err);
}

static int rms_weights(const cx_layer *l, const cx_shape *in, int n_in,
                       cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    (void)n_in;
    return weights_called(l, in, "scale", out, err);
}

static int prepare(cx_layer *l, cx_arena *arena, cvs_error *err)
{
    const norm_config *k = l->cfg;
    return cx_gamma_beta_prepare(l, k->scale, k->center, arena, err);
}

static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    const norm_config *k = l->cfg;
    cx_rows r;
    (void)n_in;
    (void)out;
    (void)cx_rows_of(&r, &k->axes, in, NULL); /* accepted by infer */
    return r.in_place ? 0 : (size_t)cx_shape_count(in) * sizeof(float);
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const norm_config *k = l->cfg;
    const cx_affine *s = l->state;
    const float *x = c->x[0]->data;
    cx_rows r;
    (void)cx_rows_of(&r, &k->axes, &c->x[0]->shape, NULL); /* accepted by infer */
    float *y = r.in_place ? c->y->data : c->workspace;
    if (!r.in_place) {
        cx_copy_box(&r.gather, x, y);
        x = y;
    }
    cx_normalize_forward(k->how, r.rows, r.n, k->epsilon, x, y);
    if (s) cx_affine_forward(r.rows, r.n, y, s->scale, s->shift, y);
    if (!r.in_place) cx_copy_box(&r.scatter, y, c->y->data);
}

static size_t backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                 const cx_shape *out)
{
    (void)l;
    (void)n_in;
    (void)out;
    return 3 * (size_t)cx_shape_count(in) * sizeof(float);
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const norm_config *k = l->cfg;
    const cx_affine *s = l->state;
    const int64_t n = cx_shape_count(&c->x[0]->shape);
    float *x = c->workspace, *dy = x + n, *room = dy + n;
    float *dgamma = k->scale ? cx_dw(c, 0) : NULL, *dbeta = k->center ? cx_dw(c, k->scale) : NULL;
    cx_rows r;
    (void)cx_rows_of(&r, &k->axes, &c->x[0]->shape, NULL); /* accepted by infer */
    cx_copy_box(&r.gather, c->x[0]->data, x);
    cx_copy_box(&r.gather, c->dy->data, dy);
    if (dgamma) cx_normalize_forward(k->how, r.rows, r.n, k->epsilon, x, room);
    if (dgamma || dbeta)
        cx_affine_backward_weights(r.rows, r.n, dgamma ? room : NULL, dy, dgamma, dbeta);
    if (!c->dx[0]) return;
    if (s) cx_affine_forward(r.rows, r.n, dy, s->scale, NULL, dy);
    cx_normalize_backward(k->how, r.rows, r.n, k->epsilon, x, dy, room);
    cx_copy_box(&r.scatter, room, c->dx[0]->data);
}

const cx_layer_kind cx_layer_layer_normalization = {
    .class_name = "LayerNormalization",
    .family = CX_NORMALIZING,
    .cfg_size = sizeof(norm_config),
    .fields = layer_fields,
    .configure = layer_configure,
    .infer = infer,
    .weights = weights,
    .prepare = prepare,
    .workspace = workspace,
    .forward = forward,
    .backward = backward,
    .backward_workspace = backward_workspace,
};

const cx_layer_kind cx_layer_rms_normalization = {
    .class_name = "RMSNormalization",
    .family = CX_NORMALIZING,
    .cfg_size = sizeof(norm_config),
    .fields = rms_fields,
    .configure = rms_configure,
    .infer = infer,
    .weights = rms_weights,
    .prepare = prepare,
    .workspace = workspace,
    .forward = forward,
    .backward = backward,
    .backward_workspace = backward_workspace,
};

const cx_layer_kind cx_layer_unit_normalization = {
    .class_name = "UnitNormalization",
    .family = CX_NORMALIZING,
    .cfg_size = sizeof(norm_config),
    .configure = unit_configure,
    .infer = infer,
    .workspace = workspace,
    .forward = forward,
    .backward = backward,
    .backward_workspace = backward_workspace,
};
