/* conv_transpose.c - Conv1DTranspose, Conv2DTranspose, Conv3DTranspose: every input cell spreads
 * kernel[k…][f][c] over the output, y[i * stride - crop + k * dilation][f] += x[i][c]
 * kernel[k][f][c]; then bias and activation. */
#include <math.h>
#include <stddef.h>

#include "layers/layer.h"

enum { KERNEL, BIAS };

typedef struct transpose_config {
    cx_window_config window;
    int64_t filters;
    int64_t output_padding[CX_SPACE]; /* -1: not given, see out_size */
    int64_t out[CX_SPACE];            /* 0: follows from the input */
    int use_bias;
    cx_activation activation;
} transpose_config;

#define AT(member) offsetof(transpose_config, member)
static const cx_field fields[] = {
    {"filters|nb_filter", CX_INT, AT(filters), NAN, 1, CX_MAX_CHANNELS, NULL},
    {"kernel_size", CX_INTS, AT(window.kernel), 0, 1, CX_MAX_KERNEL, NULL},
    {"strides|subsample", CX_INTS, AT(window.stride), 1, 1, CX_MAX_KERNEL, NULL},
    {"dilation_rate", CX_INTS, AT(window.dilation), 1, 1, CX_MAX_KERNEL, NULL},
    {"padding|border_mode", CX_WORD, AT(window.padding), CX_VALID, 0, 0, cx_padding_words},
    {"output_padding", CX_INTS, AT(output_padding), -1, 0, CX_MAX_KERNEL, NULL},
    {"use_bias|bias", CX_BOOL, AT(use_bias), 1, 0, 1, NULL},
    {"activation", CX_ACTIVATION, AT(activation), 0, 0, 0, NULL},
    {0},
};

/* Keras 1 asked for the whole output_shape, batch and channels too. */
static int read_output_shape(transpose_config *k, const cx_layer *l, const cx_json *config,
                             cvs_error *err)
{
    const cx_json *list = cx_config_get(config, "output_shape", NULL);
    int rank = l->kind->rank, rc = 0;
    if (!list) return 0;
    if (cx_json_size(list) != (size_t)rank + 2)
        return cx_fail(err, CVS_E_FORMAT, "output_shape: %d numbers are wanted, not %zu", rank + 2,
                       cx_json_size(list));
    for (int a = 0; a < rank; a++) {
        const cx_json *v = cx_config_unwrap(cx_json_at(list, (size_t)(1 + a)));
        if (!cx_json_is_null(v))
            TRY(cx_config_int(&k->out[a], v, "output_shape", 1, (int64_t)1 << 30, err));
    }
out:
    return rc;
}

static int configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                     cx_arena *arena, cvs_error *err)
{
    transpose_config *k = l->cfg;
    int rank = l->kind->rank, rc;
    (void)context;
    (void)arena;
    TRY(cx_kernel_of_keras1(&k->window, rank, config, err));
    TRY(read_output_shape(k, l, config, err));
    for (int a = 0; a < rank; a++)
        if (k->output_padding[a] >= k->window.stride[a])
            return cx_fail(err, CVS_E_FORMAT,
                           "output_padding: %lld is not less than the stride %lld",
                           (long long)k->output_padding[a], (long long)k->window.stride[a]);
out:
    return rc;
}

/* What n input cells spread over, without anything cut off. */
static int64_t full_size(const transpose_config *k, int a, int64_t n)
{
    return (n - 1) * k->window.stride[a] + (k->window.kernel[a] - 1) * k->window.dilation[a] + 1;
}

static int64_t out_size(const transpose_config *k, int a, int64_t n)
{
    const int64_t stride = k->window.stride[a], padding = k->output_padding[a];
    const int64_t full = full_size(k, a, n), span = full - (n - 1) * stride;
    const int same = k->window.padding == CX_SAME;
    if (k->out[a] > 0) return k->out[a];
    if (padding >= 0) return full + padding - (same ? span / 2 * 2 : 0);
    return same || span < stride ? n * stride : full;
}

/* Whether the convolution that is turned round makes n of that many. */
static int fits(const transpose_config *k, int a, int64_t n, int64_t out)
{
    const int64_t stride = k->window.stride[a],
                  more = out - (full_size(k, a, n) - (n - 1) * stride);
    if (k->out[a] == 0) return out > 0;
    if (k->window.padding == CX_SAME) return (out - 1) / stride + 1 == n;
    return more >= 0 && more / stride + 1 == n;
}

static int out_sizes(const transpose_config *k, int rank, const cx_shape *in, cx_shape *out,
                     cvs_error *err)
{
    char text[CX_SHAPE_TEXT];
    *out = *in;
    for (int a = 0; a < rank; a++) {
        const int64_t n = in->d[1 + a];
        if (n == CX_FREE) continue;
        out->d[1 + a] = out_size(k, a, n);
        if (!fits(k, a, n, out->d[1 + a]))
            return cx_fail(err, CVS_E_FORMAT,
                           "an output of size %lld cannot come from the input %s",
                           (long long)out->d[1 + a], cx_shape_text(text, in));
    }
    out->d[rank + 1] = k->filters;
    return 0;
}

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    int rank = l->kind->rank, rc;
    TRY(cx_expect_input(in, n_in, rank + 2, err));
    TRY(cx_expect_known(in, rank + 1, err));
    TRY(out_sizes(l->cfg, rank, in, out, err));
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

static int weights(const cx_layer *l, const cx_shape *in, int n_in,
                   cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    const transpose_config *k = l->cfg;
    int rank = l->kind->rank;
    cx_shape kernel = {.ndim = rank + 2};
    (void)n_in;
    (void)err;
    for (int a = 0; a < rank; a++) kernel.d[a] = k->window.kernel[a];
    kernel.d[rank] = k->filters;
    kernel.d[rank + 1] = in->d[rank + 1];
    out[KERNEL] = (cx_weight_spec){.name = "kernel", .shape = kernel};
    out[BIAS] = (cx_weight_spec){.name = "bias", .shape = {1, {k->filters}}};
    return k->use_bias ? 2 : 1;
}

/* The convolution that is turned round. Where padding is "same", half of what is too much is cut
 * off at the front. */
static cx_conv_transpose transpose_of(const cx_layer *l, const cx_shape *in, const cx_shape *out)
{
    const transpose_config *k = l->cfg;
    int rank = l->kind->rank;
    cx_conv_transpose t = {.window = {.batch = in->d[0]}, .out_channels = k->filters, .groups = 1};
    t.in_channels = in->d[rank + 1];
    cx_window *w = &t.window;
    for (int i = 0; i < CX_SPACE; i++) {
        int a = i - (CX_SPACE - rank);
        w->in[i] = w->out[i] = w->kernel[i] = w->stride[i] = w->dilation[i] = 1;
        if (a < 0) continue;
        w->in[i] = out->d[1 + a];
        w->out[i] = in->d[1 + a];
        w->kernel[i] = k->window.kernel[a];
        w->stride[i] = k->window.stride[a];
        w->dilation[i] = k->window.dilation[a];
        const int64_t more = full_size(k, a, w->out[i]) - w->in[i];
        if (k->window.padding == CX_SAME && more > 0) w->pad[i] = more / 2;
    }
    return t;
}

/* The kernel in the order of computation, instead of at every call. */
static int prepare(cx_layer *l, cx_arena *arena, cvs_error *err)
{
    const cx_shape *kernel = &l->w[KERNEL].spec.shape;
    cx_shape any = {.ndim = kernel->ndim};
    for (int i = 0; i < any.ndim; i++) any.d[i] = 1;
    any.d[any.ndim - 1] = kernel->d[any.ndim - 1];
    const cx_conv_transpose t = transpose_of(l, &any, &any);
    const size_t n = (size_t)cx_shape_count(kernel);
    if (!l->state) l->state = cx_arena_array(arena, n, sizeof(float));
    if (!l->state) return cx_no_memory(err, n * sizeof(float));
    cx_conv_transpose_pack(&t, l->w[KERNEL].data, l->state);
    return 0;
}

static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    cx_conv_transpose t = transpose_of(l, in, out);
    size_t fast = cx_conv_transpose_workspace(&t);
    (void)n_in;
    t.exact = 1;
    size_t exact = cx_conv_transpose_workspace(&t);
    return fast > exact ? fast : exact;
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const transpose_config *k = l->cfg;
    const cx_activation *a = cx_call_activation(c, &k->activation);
    cx_conv_transpose t = transpose_of(l, &c->x[0]->shape, &c->y->shape);
    cx_epilogue e = cx_epilogue_of(k->use_bias ? l->w[BIAS].data : NULL, a);
    t.exact = c->exact;
    cx_conv_transpose_forward(&t, c->x[0]->data, l->state, &e, c->y->data, c->workspace);
    cx_finish_activation(a, c->y);
}

static size_t backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                 const cx_shape *out)
{
    cx_conv_transpose t = transpose_of(l, in, out);
    size_t most = 0;
    (void)n_in;
    for (t.exact = 0; t.exact < 2; t.exact++) {
        const size_t data = cx_conv_transpose_backward_data_workspace(&t);
        const size_t weights = cx_conv_transpose_backward_weights_workspace(&t);
        if (data > most) most = data;
        if (weights > most) most = weights;
    }
    return most;
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const transpose_config *k = l->cfg;
    cx_conv_transpose t = transpose_of(l, &c->x[0]->shape, &c->y->shape);
    t.exact = c->exact;
    if (cx_dw(c, KERNEL))
        cx_conv_transpose_backward_weights(&t, c->x[0]->data, c->dy->data, cx_dw(c, KERNEL),
                                           c->workspace);
    if (k->use_bias) cx_bias_gradient(c, BIAS);
    if (c->dx[0])
        cx_conv_transpose_backward_data(&t, c->dy->data, l->w[KERNEL].data, c->dx[0]->data,
                                        c->workspace);
}

#define TRANSPOSE(symbol, name, axes, ...)                   \
    const cx_layer_kind cx_layer_##symbol = {                \
        .class_name = name,                                  \
        .aliases = (const char *const[]){__VA_ARGS__, NULL}, \
        .cfg_size = sizeof(transpose_config),                \
        .fields = fields,                                    \
        .rank = axes,                                        \
        .has_data_format = 1,                                \
        .is_conv = 1,                                        \
        .is_transposed = 1,                                  \
        .configure = configure,                              \
        .infer = infer,                                      \
        .weights = weights,                                  \
        .prepare = prepare,                                  \
        .workspace = workspace,                              \
        .is_affine = 1,                                      \
        .forward = forward,                                  \
        .backward = backward,                                \
        .backward_workspace = backward_workspace,            \
    }

TRANSPOSE(conv1d_transpose, "Conv1DTranspose", 1, "Convolution1DTranspose");
TRANSPOSE(conv2d_transpose, "Conv2DTranspose", 2, "Convolution2DTranspose", "Deconvolution2D");
TRANSPOSE(conv3d_transpose, "Conv3DTranspose", 3, "Convolution3DTranspose", "Deconvolution3D");
