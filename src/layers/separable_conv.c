/* separable_conv.c - SeparableConv1D, SeparableConv2D: a depthwise convolution, then one of kernel
 * 1 over its channels. Strides and dilation act in the first, bias and activation after the second.
 */
#include <math.h>
#include <stddef.h>

#include "layers/layer.h"

enum { DEPTHWISE, POINTWISE, BIAS };

typedef struct separable_config {
    cx_window_config window;
    int64_t filters, multiplier;
    int use_bias;
    cx_activation activation;
} separable_config;

#define AT(member) offsetof(separable_config, member)
#define FIELDS(paddings)                                                                    \
    {                                                                                       \
        {"filters|nb_filter", CX_INT, AT(filters), NAN, 1, CX_MAX_CHANNELS, NULL},          \
            {"kernel_size", CX_INTS, AT(window.kernel), 0, 1, CX_MAX_KERNEL, NULL},         \
            {"strides|subsample", CX_INTS, AT(window.stride), 1, 1, CX_MAX_KERNEL, NULL},   \
            {"dilation_rate", CX_INTS, AT(window.dilation), 1, 1, CX_MAX_KERNEL, NULL},     \
            {"padding|border_mode", CX_WORD, AT(window.padding), CX_VALID, 0, 0, paddings}, \
            {"depth_multiplier", CX_INT, AT(multiplier), 1, 1, CX_MAX_KERNEL, NULL},        \
            {"use_bias|bias", CX_BOOL, AT(use_bias), 1, 0, 1, NULL},                        \
            {"activation", CX_ACTIVATION, AT(activation), 0, 0, 0, NULL}, {0},              \
    }
static const cx_field fields[] = FIELDS(cx_padding_words);
static const cx_field fields_1d[] = FIELDS(cx_padding_words_1d);

static int configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                     cx_arena *arena, cvs_error *err)
{
    separable_config *k = l->cfg;
    (void)context;
    (void)arena;
    return cx_kernel_of_keras1(&k->window, l->kind->rank, config, err);
}

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const separable_config *k = l->cfg;
    int rank = l->kind->rank, rc;
    cx_window w;
    TRY(cx_expect_input(in, n_in, rank + 2, err));
    TRY(cx_expect_known(in, rank + 1, err));
    TRY(cx_window_of(&w, &k->window, rank, in, err));
    /* What lies between the two convolutions must fit into memory too. */
    *out = cx_window_shape(&w, rank, in->d[rank + 1] * k->multiplier);
    TRY(cx_expect_size(out, err));
    *out = cx_window_shape(&w, rank, k->filters);
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

static int weights(const cx_layer *l, const cx_shape *in, int n_in,
                   cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    const separable_config *k = l->cfg;
    int rank = l->kind->rank;
    int64_t channels = in->d[rank + 1];
    cx_shape depthwise = {.ndim = rank + 2}, pointwise = {.ndim = rank + 2};
    (void)n_in;
    (void)err;
    for (int a = 0; a < rank; a++) {
        depthwise.d[a] = k->window.kernel[a];
        pointwise.d[a] = 1;
    }
    depthwise.d[rank] = channels;
    depthwise.d[rank + 1] = k->multiplier;
    pointwise.d[rank] = channels * k->multiplier;
    pointwise.d[rank + 1] = k->filters;
    out[DEPTHWISE] = (cx_weight_spec){.name = "depthwise_kernel", .shape = depthwise};
    out[POINTWISE] = (cx_weight_spec){.name = "pointwise_kernel", .shape = pointwise};
    out[BIAS] = (cx_weight_spec){.name = "bias", .shape = {1, {k->filters}}};
    return k->use_bias ? 3 : 2;
}

/* The two halves of a call; infer accepted the input, so cx_window_of does too. */
typedef struct halves {
    cx_depthwise depthwise;
    cx_conv pointwise;
    size_t between; /* bytes of the tensor between them, a multiple of a cache line */
} halves;

static halves halves_of(const cx_layer *l, const cx_shape *in, int exact)
{
    const separable_config *k = l->cfg;
    int rank = l->kind->rank;
    int64_t channels = in->d[rank + 1];
    halves h = {.depthwise = {.channels = channels, .multiplier = k->multiplier},
                .pointwise = {.in_channels = channels * k->multiplier,
                              .out_channels = k->filters,
                              .groups = 1,
                              .exact = exact}};
    cx_window *d = &h.depthwise.window, *p = &h.pointwise.window;
    (void)cx_window_of(d, &k->window, rank, in, NULL);
    p->batch = d->batch;
    for (int w = 0; w < CX_SPACE; w++) {
        p->in[w] = p->out[w] = d->out[w];
        p->kernel[w] = p->stride[w] = p->dilation[w] = 1;
    }
    cx_shape between = cx_window_shape(d, rank, h.pointwise.in_channels);
    h.between = ((size_t)cx_shape_count(&between) * sizeof(float) + 63) / 64 * 64;
    return h;
}

static cx_separable separable_of(const halves *h)
{
    return (cx_separable){.depthwise = h->depthwise, .filters = h->pointwise.out_channels};
}

static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    const halves whole = halves_of(l, in, 1);
    const cx_separable s = separable_of(&whole);
    size_t most = 0;
    (void)n_in;
    (void)out;
    if (cx_separable_pays(&s)) return cx_separable_workspace(&s);
    for (int exact = 0; exact < 2; exact++) {
        halves h = halves_of(l, in, exact);
        size_t d = cx_depthwise_workspace(&h.depthwise), p = cx_conv_workspace(&h.pointwise);
        size_t both = h.between + (d > p ? d : p);
        if (both > most) most = both;
    }
    return most;
}

static int takes(const cx_layer *l, const cx_shape *in, int exact, const cx_after *after)
{
    const separable_config *k = l->cfg;
    (void)in;
    (void)exact;
    return !after->pool && cx_epilogue_takes(&k->activation, after);
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const separable_config *k = l->cfg;
    const cx_activation *a = cx_call_activation(c, &k->activation);
    halves h = halves_of(l, &c->x[0]->shape, c->exact);
    float *between = c->workspace;
    char *scratch = (char *)c->workspace + h.between;
    cx_epilogue first = cx_epilogue_of(NULL, NULL);
    cx_epilogue second = cx_call_epilogue(c, k->use_bias ? l->w[BIAS].data : NULL, a);
    const float *x = c->x[0]->data, *depthwise = l->w[DEPTHWISE].data;
    const float *pointwise = l->w[POINTWISE].data;
    const cx_separable s = separable_of(&h);
    if (cx_separable_pays(&s)) {
        cx_separable_forward(&s, x, depthwise, &first, pointwise, &second, c->y->data,
                             c->workspace);
    } else {
        cx_depthwise_forward(&h.depthwise, x, depthwise, &first, between, scratch);
        cx_conv_forward(&h.pointwise, between, pointwise, &second, c->y->data, scratch);
    }
    cx_finish_activation(a, c->y);
}

/* What lies between the two is computed again: its memory was given to others. */
static size_t backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                 const cx_shape *out)
{
    size_t most = 0, between = 0;
    (void)n_in;
    (void)out;
    for (int exact = 0; exact < 2; exact++) {
        const halves h = halves_of(l, in, exact);
        const size_t sizes[] = {cx_depthwise_workspace(&h.depthwise),
                                cx_depthwise_backward_data_workspace(&h.depthwise),
                                cx_depthwise_backward_weights_workspace(&h.depthwise),
                                cx_conv_backward_data_workspace(&h.pointwise),
                                cx_conv_backward_weights_workspace(&h.pointwise)};
        between = h.between;
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            if (sizes[i] > most) most = sizes[i];
    }
    return between + most;
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const separable_config *k = l->cfg;
    const halves h = halves_of(l, &c->x[0]->shape, c->exact);
    const float *x = c->x[0]->data, *depthwise = l->w[DEPTHWISE].data;
    float *between = c->workspace;
    char *scratch = (char *)c->workspace + h.between;
    if (k->use_bias) cx_bias_gradient(c, BIAS);
    if (cx_dw(c, POINTWISE)) {
        const cx_epilogue none = cx_epilogue_of(NULL, NULL);
        cx_depthwise_forward(&h.depthwise, x, depthwise, &none, between, scratch);
        cx_conv_backward_weights(&h.pointwise, between, c->dy->data, cx_dw(c, POINTWISE), scratch);
    }
    if (!cx_dw(c, DEPTHWISE) && !c->dx[0]) return;
    cx_conv_backward_data(&h.pointwise, c->dy->data, l->w[POINTWISE].data, between, scratch);
    if (cx_dw(c, DEPTHWISE))
        cx_depthwise_backward_weights(&h.depthwise, x, between, cx_dw(c, DEPTHWISE), scratch);
    if (c->dx[0])
        cx_depthwise_backward_data(&h.depthwise, between, depthwise, c->dx[0]->data, scratch);
}

/* One convolution does what the two do: its kernel is the sum over m of depthwise[…][c][m]
 * pointwise[c * multiplier + m][filter]. */
static void reads(const cx_layer *l, const cx_shape *in, int64_t channel, cx_reads *out,
                  float *kernel)
{
    const separable_config *k = l->cfg;
    const halves h = halves_of(l, in, 1);
    const float *depthwise = l->w[DEPTHWISE].data, *pointwise = l->w[POINTWISE].data;
    out->how = CX_READS_SUM;
    out->window = h.depthwise.window;
    out->channels = h.depthwise.channels;
    out->has_bias = k->use_bias;
    if (k->use_bias) out->bias = l->w[BIAS].data[channel];
    const int64_t n = cx_window_cells(&out->window) * out->channels;
    for (int64_t i = 0; kernel && i < n; i++) {
        double sum = 0;
        for (int64_t m = 0; m < k->multiplier; m++)
            sum +=
                (double)depthwise[i * k->multiplier + m] *
                (double)pointwise[(i % out->channels * k->multiplier + m) * k->filters + channel];
        kernel[i] = (float)sum;
    }
}

#define SEPARABLE(symbol, name, older, table, axes)    \
    const cx_layer_kind cx_layer_##symbol = {          \
        .class_name = name,                            \
        .aliases = (const char *const[]){older, NULL}, \
        .cfg_size = sizeof(separable_config),          \
        .fields = table,                               \
        .rank = axes,                                  \
        .has_data_format = 1,                          \
        .is_conv = 1,                                  \
        .configure = configure,                        \
        .infer = infer,                                \
        .weights = weights,                            \
        .workspace = workspace,                        \
        .takes = takes,                                \
        .is_affine = 1,                                \
        .reads = reads,                                \
        .forward = forward,                            \
        .backward = backward,                          \
        .backward_workspace = backward_workspace,      \
    }

SEPARABLE(separable_conv1d, "SeparableConv1D", "SeparableConvolution1D", fields_1d, 1);
SEPARABLE(separable_conv2d, "SeparableConv2D", "SeparableConvolution2D", fields, 2);
