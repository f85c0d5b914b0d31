/* layer_scale.c - LayerScale of keras.applications.ConvNeXt (Touvron et al. 2021): y = x * gamma,
 * one gamma a channel. */
#include <math.h>
#include <stddef.h>

#include "layers/layer.h"

typedef struct scale_config {
    int64_t channels;
} scale_config;

static const cx_field fields[] = {
    {"projection_dim", CX_INT, offsetof(scale_config, channels), NAN, 1, CX_MAX_CHANNELS, NULL},
    {0},
};

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const scale_config *k = l->cfg;
    int rc;
    TRY(cx_expect_input(in, n_in, 0, err));
    if (in->d[in->ndim - 1] != k->channels)
        return cx_fail(err, CVS_E_FORMAT, "projection_dim: %lld is not the input's %lld channels",
                       (long long)k->channels, (long long)in->d[in->ndim - 1]);
    *out = in[0];
out:
    return rc;
}

static int weights(const cx_layer *l, const cx_shape *in, int n_in,
                   cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    const scale_config *k = l->cfg;
    (void)in;
    (void)n_in;
    (void)err;
    out[0] = (cx_weight_spec){.name = "gamma", .shape = {1, {k->channels}}};
    return 1;
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const cx_shape *in = &c->x[0]->shape;
    const int64_t channels = in->d[in->ndim - 1];
    cx_affine_forward(cx_shape_count(in) / channels, channels, c->x[0]->data, l->w[0].data, NULL,
                      c->y->data);
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const cx_shape *in = &c->x[0]->shape;
    const int64_t channels = in->d[in->ndim - 1], rows = cx_shape_count(in) / channels;
    if (cx_dw(c, 0))
        cx_affine_backward_weights(rows, channels, c->x[0]->data, c->dy->data, cx_dw(c, 0), NULL);
    if (c->dx[0])
        cx_affine_forward(rows, channels, c->dy->data, l->w[0].data, NULL, c->dx[0]->data);
}

const cx_layer_kind cx_layer_layer_scale = {
    .class_name = "LayerScale",
    .family = CX_NORMALIZING,
    .cfg_size = sizeof(scale_config),
    .fields = fields,
    .infer = infer,
    .weights = weights,
    .is_affine = 1,
    .forward = forward,
    .backward = backward,
};
