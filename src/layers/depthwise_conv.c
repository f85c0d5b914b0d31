/* depthwise_conv.c - DepthwiseConv1D, DepthwiseConv2D: each input channel by itself gives
 * depth_multiplier channels, y[…][c * multiplier + m] = act(bias + sum of x[…][c] kernel[…][c][m]).
 */
#include <stddef.h>

#include "layers/layer.h"

enum { KERNEL, BIAS };

typedef struct depthwise_config {
    cx_window_config window;
    int64_t multiplier;
    int use_bias;
    cx_activation activation;
} depthwise_config;

#define AT(member) offsetof(depthwise_config, member)
static const cx_field fields[] = {
    {"kernel_size", CX_INTS, AT(window.kernel), 0, 1, CX_MAX_KERNEL, NULL},
    {"strides|subsample", CX_INTS, AT(window.stride), 1, 1, CX_MAX_KERNEL, NULL},
    {"dilation_rate", CX_INTS, AT(window.dilation), 1, 1, CX_MAX_KERNEL, NULL},
    {"padding|border_mode", CX_WORD, AT(window.padding), CX_VALID, 0, 0, cx_padding_words},
    {"depth_multiplier", CX_INT, AT(multiplier), 1, 1, CX_MAX_KERNEL, NULL},
    {"use_bias|bias", CX_BOOL, AT(use_bias), 1, 0, 1, NULL},
    {"activation", CX_ACTIVATION, AT(activation), 0, 0, 0, NULL},
    {0},
};

static int configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                     cx_arena *arena, cvs_error *err)
{
    depthwise_config *k = l->cfg;
    (void)context;
    (void)arena;
    return cx_kernel_of_keras1(&k->window, l->kind->rank, config, err);
}

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const depthwise_config *k = l->cfg;
    int rank = l->kind->rank, rc;
    cx_window w;
    TRY(cx_expect_input(in, n_in, rank + 2, err));
    TRY(cx_expect_known(in, rank + 1, err));
    TRY(cx_window_of(&w, &k->window, rank, in, err));
    *out = cx_window_shape(&w, rank, in->d[rank + 1] * k->multiplier);
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

static int weights(const cx_layer *l, const cx_shape *in, int n_in,
                   cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    const depthwise_config *k = l->cfg;
    int rank = l->kind->rank;
    int64_t channels = in->d[rank + 1];
    cx_shape kernel = {.ndim = rank + 2};
    (void)n_in;
    (void)err;
    for (int a = 0; a < rank; a++) kernel.d[a] = k->window.kernel[a];
    kernel.d[rank] = channels;
    kernel.d[rank + 1] = k->multiplier;
    out[KERNEL] = (cx_weight_spec){.name = "depthwise_kernel", .shape = kernel};
    out[BIAS] = (cx_weight_spec){.name = "bias", .shape = {1, {channels * k->multiplier}}};
    return k->use_bias ? 2 : 1;
}

/* infer accepted the input, so cx_window_of does too. */
static cx_depthwise depthwise_of(const cx_layer *l, const cx_shape *in)
{
    const depthwise_config *k = l->cfg;
    cx_depthwise d = {.channels = in->d[in->ndim - 1], .multiplier = k->multiplier};
    (void)cx_window_of(&d.window, &k->window, l->kind->rank, in, NULL);
    return d;
}

static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    cx_depthwise d = depthwise_of(l, in);
    (void)n_in;
    (void)out;
    return cx_depthwise_workspace(&d);
}

/* With the convolution by one cell that comes after it. */
static int separable_of(cx_separable *s, cx_pointwise *p, const cx_layer *l, const cx_shape *in,
                        const cx_after *after)
{
    s->depthwise = depthwise_of(l, in);
    const int64_t channels = s->depthwise.channels * s->depthwise.multiplier;
    const cx_shape between = cx_window_shape(&s->depthwise.window, l->kind->rank, channels);
    const int is = cx_layer_as_pointwise(p, after->pointwise, &between);
    s->filters = p->filters;
    return is;
}

static int takes(const cx_layer *l, const cx_shape *in, int exact, const cx_after *after)
{
    const depthwise_config *k = l->cfg;
    cx_after own = *after;
    cx_separable s;
    cx_pointwise p;
    float low, high;
    (void)exact;
    own.pointwise = NULL;
    if (after->pool || !cx_epilogue_takes(&k->activation, &own)) return 0;
    if (!after->pointwise) return 1;
    /* Between the two there is time for an epilogue alone. */
    const cx_activation *a = after->activation ? after->activation : &k->activation;
    return cx_activation_is_clamp(a, &low, &high) && separable_of(&s, &p, l, in, after) &&
           cx_separable_pays(&s) && cx_epilogue_takes(p.activation, after->then);
}

static size_t after_workspace(const cx_layer *l, const cx_shape *in, const cx_after *after)
{
    cx_separable s;
    cx_pointwise p;
    if (!after->pointwise) return 0;
    (void)separable_of(&s, &p, l, in, after);
    return cx_separable_workspace(&s);
}

static void forward_separable(const cx_layer *l, const cx_call *c, const cx_epilogue *between)
{
    const cx_call then = {.after = c->after->then};
    cx_separable s;
    cx_pointwise p;
    (void)separable_of(&s, &p, l, &c->x[0]->shape, c->after);
    const cx_activation *a = cx_call_activation(&then, p.activation);
    const cx_epilogue e = cx_call_epilogue(&then, p.bias, a);
    cx_separable_forward(&s, c->x[0]->data, l->w[KERNEL].data, between, p.kernel, &e, c->y->data,
                         c->workspace);
    cx_finish_activation(a, c->y);
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const depthwise_config *k = l->cfg;
    const cx_activation *a = cx_call_activation(c, &k->activation);
    const cx_depthwise d = depthwise_of(l, &c->x[0]->shape);
    const cx_epilogue e = cx_call_epilogue(c, k->use_bias ? l->w[BIAS].data : NULL, a);
    if (c->after && c->after->pointwise) {
        forward_separable(l, c, &e);
        return;
    }
    cx_depthwise_forward(&d, c->x[0]->data, l->w[KERNEL].data, &e, c->y->data, c->workspace);
    cx_finish_activation(a, c->y);
}

static size_t backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                 const cx_shape *out)
{
    const cx_depthwise d = depthwise_of(l, in);
    const size_t data = cx_depthwise_backward_data_workspace(&d);
    const size_t weights = cx_depthwise_backward_weights_workspace(&d);
    (void)n_in;
    (void)out;
    return data > weights ? data : weights;
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const depthwise_config *k = l->cfg;
    const cx_depthwise d = depthwise_of(l, &c->x[0]->shape);
    if (cx_dw(c, KERNEL))
        cx_depthwise_backward_weights(&d, c->x[0]->data, c->dy->data, cx_dw(c, KERNEL),
                                      c->workspace);
    if (k->use_bias) cx_bias_gradient(c, BIAS);
    if (c->dx[0])
        cx_depthwise_backward_data(&d, c->dy->data, l->w[KERNEL].data, c->dx[0]->data,
                                   c->workspace);
}

static void reads(const cx_layer *l, const cx_shape *in, int64_t channel, cx_reads *out,
                  float *kernel)
{
    const depthwise_config *k = l->cfg;
    const cx_depthwise d = depthwise_of(l, in);
    out->how = CX_READS_SUM;
    out->window = d.window;
    out->first = channel / k->multiplier;
    out->channels = 1;
    out->has_bias = k->use_bias;
    if (k->use_bias) out->bias = l->w[BIAS].data[channel];
    if (kernel)
        cx_kernel_column(kernel, l->w[KERNEL].data, cx_window_cells(&d.window),
                         d.channels * d.multiplier, channel);
}

#define DEPTHWISE(symbol, name, axes)             \
    const cx_layer_kind cx_layer_##symbol = {     \
        .class_name = name,                       \
        .cfg_size = sizeof(depthwise_config),     \
        .fields = fields,                         \
        .rank = axes,                             \
        .has_data_format = 1,                     \
        .is_conv = 1,                             \
        .configure = configure,                   \
        .infer = infer,                           \
        .weights = weights,                       \
        .workspace = workspace,                   \
        .takes = takes,                           \
        .after_workspace = after_workspace,       \
        .is_affine = 1,                           \
        .reads = reads,                           \
        .forward = forward,                       \
        .backward = backward,                     \
        .backward_workspace = backward_workspace, \
    }

DEPTHWISE(depthwise_conv1d, "DepthwiseConv1D", 1);
DEPTHWISE(depthwise_conv2d, "DepthwiseConv2D", 2);
