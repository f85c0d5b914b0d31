/* dense.c - Dense: y[…][o] = act(bias[o] + sum of x[…][i] kernel[i][o]) over the last axis of an
 * input of any rank. */
#include <math.h>
#include <stddef.h>

#include "layers/layer.h"

enum { KERNEL, BIAS };

typedef struct dense_config {
    int64_t units;
    int use_bias;
    cx_activation activation;
} dense_config;

#define AT(member) offsetof(dense_config, member)
static const cx_field fields[] = {
    {"units|output_dim", CX_INT, AT(units), NAN, 1, CX_MAX_CHANNELS, NULL},
    {"use_bias|bias", CX_BOOL, AT(use_bias), 1, 0, 1, NULL},
    {"activation", CX_ACTIVATION, AT(activation), 0, 0, 0, NULL},
    {0},
};

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const dense_config *k = l->cfg;
    int rc;
    TRY(cx_expect_input(in, n_in, 0, err));
    if (in->ndim < 2) return cx_fail(err, CVS_E_FORMAT, "an input of 2 axes or more is wanted");
    TRY(cx_expect_known(in, in->ndim - 1, err));
    *out = in[0];
    out->d[out->ndim - 1] = k->units;
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

static int weights(const cx_layer *l, const cx_shape *in, int n_in,
                   cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    const dense_config *k = l->cfg;
    (void)n_in;
    (void)err;
    out[KERNEL] = (cx_weight_spec){.name = "kernel", .shape = {2, {in->d[in->ndim - 1], k->units}}};
    out[BIAS] = (cx_weight_spec){.name = "bias", .shape = {1, {k->units}}};
    return k->use_bias ? 2 : 1;
}

static int64_t rows_of(const cx_shape *in)
{
    return cx_shape_count_range(in, 0, in->ndim - 1);
}

static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    const dense_config *k = l->cfg;
    (void)n_in;
    (void)out;
    return cx_dense_workspace(rows_of(in), in->d[in->ndim - 1], k->units);
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const dense_config *k = l->cfg;
    const cx_activation *a = cx_call_activation(c, &k->activation);
    const cx_shape *in = &c->x[0]->shape;
    cx_epilogue e = cx_epilogue_of(k->use_bias ? l->w[BIAS].data : NULL, a);
    cx_dense_forward(rows_of(in), in->d[in->ndim - 1], k->units, c->x[0]->data, l->w[KERNEL].data,
                     &e, c->y->data, c->workspace);
    cx_finish_activation(a, c->y);
}

static size_t backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                 const cx_shape *out)
{
    const dense_config *k = l->cfg;
    const int64_t rows = rows_of(in), n = in->d[in->ndim - 1];
    const size_t data = cx_dense_backward_data_workspace(rows, n, k->units);
    const size_t weights = cx_dense_backward_weights_workspace(rows, n, k->units);
    (void)n_in;
    (void)out;
    return data > weights ? data : weights;
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const dense_config *k = l->cfg;
    const cx_shape *in = &c->x[0]->shape;
    const int64_t rows = rows_of(in), n = in->d[in->ndim - 1];
    if (cx_dw(c, KERNEL))
        cx_dense_backward_weights(rows, n, k->units, c->x[0]->data, c->dy->data, cx_dw(c, KERNEL),
                                  c->workspace);
    if (k->use_bias) cx_bias_gradient(c, BIAS);
    if (c->dx[0])
        cx_dense_backward_data(rows, n, k->units, c->dy->data, l->w[KERNEL].data, c->dx[0]->data,
                               c->workspace);
}

static void reads(const cx_layer *l, const cx_shape *in, int64_t channel, cx_reads *out,
                  float *kernel)
{
    const dense_config *k = l->cfg;
    out->how = CX_READS_SUM;
    for (int a = 0; a < CX_SPACE; a++)
        out->window.kernel[a] = out->window.stride[a] = out->window.dilation[a] = 1;
    out->channels = in->d[in->ndim - 1];
    out->has_bias = k->use_bias;
    if (k->use_bias) out->bias = l->w[BIAS].data[channel];
    if (kernel) cx_kernel_column(kernel, l->w[KERNEL].data, out->channels, k->units, channel);
}

const cx_layer_kind cx_layer_dense = {
    .class_name = "Dense",
    .family = CX_CONNECTING,
    .aliases = (const char *const[]){"TimeDistributedDense", NULL}, /* of Keras 1 */
    .cfg_size = sizeof(dense_config),
    .fields = fields,
    .infer = infer,
    .weights = weights,
    .workspace = workspace,
    .is_affine = 1,
    .reads = reads,
    .forward = forward,
    .backward = backward,
    .backward_workspace = backward_workspace,
};
