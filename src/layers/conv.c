/* conv.c - Conv1D, Conv2D, Conv3D: y[o…][f] = act(bias[f] + sum of x[o * stride + k…][c]
 * kernel[k…][c][f]). */
#include <math.h>
#include <stddef.h>

#include "layers/layer.h"

enum { KERNEL, BIAS };

typedef struct conv_config {
    cx_window_config window;
    int64_t filters, groups;
    int use_bias;
    cx_activation activation;
} conv_config;

#define AT(member) offsetof(conv_config, member)
#define FIELDS(paddings)                                                                            \
    {                                                                                               \
        {"filters|nb_filter", CX_INT, AT(filters), NAN, 1, CX_MAX_CHANNELS, NULL},                  \
            {"kernel_size", CX_INTS, AT(window.kernel), 0, 1, CX_MAX_KERNEL, NULL},                 \
            {"strides|subsample|subsample_length",                                                  \
             CX_INTS,                                                                               \
             AT(window.stride),                                                                     \
             1,                                                                                     \
             1,                                                                                     \
             CX_MAX_KERNEL,                                                                         \
             NULL},                                                                                 \
            {"dilation_rate|atrous_rate", CX_INTS, AT(window.dilation), 1, 1, CX_MAX_KERNEL, NULL}, \
            {"padding|border_mode", CX_WORD, AT(window.padding), CX_VALID, 0, 0, paddings},         \
            {"groups", CX_INT, AT(groups), 1, 1, CX_MAX_CHANNELS, NULL},                            \
            {"use_bias|bias", CX_BOOL, AT(use_bias), 1, 0, 1, NULL},                                \
            {"activation", CX_ACTIVATION, AT(activation), 0, 0, 0, NULL}, {0},                      \
    }
static const cx_field fields[] = FIELDS(cx_padding_words);
static const cx_field fields_1d[] = FIELDS(cx_padding_words_1d);

static int configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                     cx_arena *arena, cvs_error *err)
{
    conv_config *k = l->cfg;
    (void)context;
    (void)arena;
    if (k->filters % k->groups)
        return cx_fail(err, CVS_E_FORMAT, "groups: %lld do not divide the %lld filters",
                       (long long)k->groups, (long long)k->filters);
    return cx_kernel_of_keras1(&k->window, l->kind->rank, config, err);
}

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const conv_config *k = l->cfg;
    int rank = l->kind->rank, rc;
    cx_window w;
    TRY(cx_expect_input(in, n_in, rank + 2, err));
    TRY(cx_expect_known(in, rank + 1, err));
    if (in->d[rank + 1] % k->groups)
        return cx_fail(err, CVS_E_FORMAT,
                       "groups: %lld do not divide the %lld channels of the input",
                       (long long)k->groups, (long long)in->d[rank + 1]);
    TRY(cx_window_of(&w, &k->window, rank, in, err));
    *out = cx_window_shape(&w, rank, k->filters);
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

static int weights(const cx_layer *l, const cx_shape *in, int n_in,
                   cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    const conv_config *k = l->cfg;
    int rank = l->kind->rank;
    cx_shape kernel = {.ndim = rank + 2};
    (void)n_in;
    (void)err;
    for (int a = 0; a < rank; a++) kernel.d[a] = k->window.kernel[a];
    kernel.d[rank] = in->d[rank + 1] / k->groups;
    kernel.d[rank + 1] = k->filters;
    out[KERNEL] = (cx_weight_spec){.name = "kernel", .shape = kernel};
    out[BIAS] = (cx_weight_spec){.name = "bias", .shape = {1, {k->filters}}};
    return k->use_bias ? 2 : 1;
}

/* infer accepted the input, so cx_window_of does too. */
static cx_conv conv_of(const cx_layer *l, const cx_shape *in, int exact)
{
    const conv_config *k = l->cfg;
    cx_conv conv = {.in_channels = in->d[in->ndim - 1],
                    .out_channels = k->filters,
                    .groups = k->groups,
                    .exact = exact};
    (void)cx_window_of(&conv.window, &k->window, l->kind->rank, in, NULL);
    return conv;
}

static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    cx_conv fast = conv_of(l, in, 0), exact = conv_of(l, in, 1);
    const size_t sizes[] = {cx_conv_workspace(&fast), cx_conv_workspace(&exact),
                            cx_conv_pooled_workspace(&fast), cx_conv_pooled_workspace(&exact)};
    size_t most = 0;
    (void)n_in;
    (void)out;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i] > most) most = sizes[i];
    return most;
}

static int takes(const cx_layer *l, const cx_shape *in, int exact, const cx_after *after)
{
    const conv_config *k = l->cfg;
    const cx_conv conv = conv_of(l, in, exact);
    return cx_epilogue_takes(&k->activation, after) &&
           (!after->pool || cx_conv_pools(&conv, after->pool));
}

static int as_pointwise(const cx_layer *l, const cx_shape *in, cx_pointwise *out)
{
    const conv_config *k = l->cfg;
    const cx_conv conv = conv_of(l, in, 1);
    *out = (cx_pointwise){.filters = k->filters,
                          .kernel = l->w[KERNEL].data,
                          .bias = k->use_bias ? l->w[BIAS].data : NULL,
                          .activation = &k->activation};
    return cx_conv_is_pointwise(&conv);
}

static size_t transformed_size(const cx_layer *l, const cx_shape *in, int back)
{
    const cx_conv conv = conv_of(l, in, 0);
    return cx_conv_transformed_size(&conv, back);
}

static void transform(const cx_layer *l, const cx_shape *in, int back, float *to)
{
    const cx_conv conv = conv_of(l, in, 0);
    cx_conv_transform(&conv, back, l->w[KERNEL].data, to);
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const conv_config *k = l->cfg;
    const cx_activation *a = cx_call_activation(c, &k->activation);
    cx_conv conv = conv_of(l, &c->x[0]->shape, c->exact);
    conv.transformed = c->transformed;
    cx_epilogue e = cx_call_epilogue(c, k->use_bias ? l->w[BIAS].data : NULL, a);
    if (c->after && c->after->pool) {
        const cx_after *after = c->after;
        const cx_pooled pooled = {after->pool, after->pooled->data, after->streams};
        cx_conv_pooled_forward(&conv, c->x[0]->data, l->w[KERNEL].data, &e, c->y->data, &pooled,
                               c->workspace);
    } else {
        cx_conv_forward(&conv, c->x[0]->data, l->w[KERNEL].data, &e, c->y->data, c->workspace);
    }
    cx_finish_activation(a, c->y);
}

static size_t backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                 const cx_shape *out)
{
    size_t most = 0;
    (void)n_in;
    (void)out;
    for (int exact = 0; exact < 2; exact++) {
        const cx_conv conv = conv_of(l, in, exact);
        const size_t data = cx_conv_backward_data_workspace(&conv);
        const size_t weights = cx_conv_backward_weights_workspace(&conv);
        if (data > most) most = data;
        if (weights > most) most = weights;
    }
    return most;
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const conv_config *k = l->cfg;
    cx_conv conv = conv_of(l, &c->x[0]->shape, c->exact);
    conv.transformed = c->transformed;
    if (cx_dw(c, KERNEL))
        cx_conv_backward_weights(&conv, c->x[0]->data, c->dy->data, cx_dw(c, KERNEL), c->workspace);
    if (k->use_bias) cx_bias_gradient(c, BIAS);
    if (c->dx[0])
        cx_conv_backward_data(&conv, c->dy->data, l->w[KERNEL].data, c->dx[0]->data, c->workspace);
}

static void reads(const cx_layer *l, const cx_shape *in, int64_t channel, cx_reads *out,
                  float *kernel)
{
    const conv_config *k = l->cfg;
    const cx_conv conv = conv_of(l, in, 1);
    out->how = CX_READS_SUM;
    out->window = conv.window;
    out->channels = conv.in_channels / conv.groups;
    out->first = channel / (k->filters / k->groups) * out->channels;
    out->has_bias = k->use_bias;
    if (k->use_bias) out->bias = l->w[BIAS].data[channel];
    if (kernel)
        cx_kernel_column(kernel, l->w[KERNEL].data, cx_window_cells(&conv.window) * out->channels,
                         k->filters, channel);
}

#define CONV(symbol, name, table, axes, ...)                 \
    const cx_layer_kind cx_layer_##symbol = {                \
        .class_name = name,                                  \
        .aliases = (const char *const[]){__VA_ARGS__, NULL}, \
        .cfg_size = sizeof(conv_config),                     \
        .fields = table,                                     \
        .rank = axes,                                        \
        .has_data_format = 1,                                \
        .is_conv = 1,                                        \
        .configure = configure,                              \
        .infer = infer,                                      \
        .weights = weights,                                  \
        .workspace = workspace,                              \
        .transformed_size = transformed_size,                \
        .transform = transform,                              \
        .takes = takes,                                      \
        .as_pointwise = as_pointwise,                        \
        .is_affine = 1,                                      \
        .reads = reads,                                      \
        .forward = forward,                                  \
        .backward = backward,                                \
        .backward_workspace = backward_workspace,            \
    }

CONV(conv1d, "Conv1D", fields_1d, 1, "Convolution1D", "AtrousConvolution1D");
CONV(conv2d, "Conv2D", fields, 2, "Convolution2D", "AtrousConvolution2D");
CONV(conv3d, "Conv3D", fields, 3, "Convolution3D");
