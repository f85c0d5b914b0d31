/* window.c - where a sliding window stands: TensorFlow's rules for strides and padding. */
#include "layers/layer.h"

const char *const cx_padding_words[] = {"valid", "same", NULL};
const char *const cx_padding_words_1d[] = {"valid", "same", "causal", NULL};

const char *const cx_interpolation_words[] = {"nearest", "bilinear", "bicubic", NULL};

int cx_kernel_of_keras1(cx_window_config *c, int rank, const cx_json *config, cvs_error *err)
{
    static const char *const keys[CX_SPACE][CX_SPACE] = {
        {"filter_length"}, {"nb_row", "nb_col"}, {"kernel_dim1", "kernel_dim2", "kernel_dim3"}};
    int rc = 0;
    if (c->kernel[0] > 0) return 0;
    for (int a = 0; a < rank; a++) {
        const char *key = keys[rank - 1][a];
        const cx_json *v = cx_config_get(config, key, NULL);
        if (!v) return cx_fail(err, CVS_E_FORMAT, "kernel_size: missing");
        TRY(cx_config_int(&c->kernel[a], v, key, 1, CX_MAX_KERNEL, err));
    }
out:
    return rc;
}

/* One axis: the size n gives out positions, the first of them `pad` cells before the input. */
static int slide(int64_t *out, int64_t *pad, int64_t n, int64_t kernel, int64_t stride,
                 int64_t dilation, int padding, cvs_error *err)
{
    int64_t span = (kernel - 1) * dilation + 1;
    *pad = padding == CX_CAUSAL ? span - 1 : 0;
    *out = CX_FREE;
    if (n == CX_FREE) return 0;
    if (padding == CX_VALID) {
        if (span > n)
            return cx_fail(err, CVS_E_FORMAT, "kernel %lld is larger than its input of %lld",
                           (long long)span, (long long)n);
        *out = (n - span) / stride + 1;
        return 0;
    }
    *out = (n - 1) / stride + 1;
    if (padding == CX_SAME) {
        /* A kernel smaller than its stride needs no padding, and gets none, not a negative one. */
        int64_t total = (*out - 1) * stride + span - n;
        *pad = total > 0 ? total / 2 : 0;
    }
    return 0;
}

int cx_window_of(cx_window *out, const cx_window_config *c, int rank, const cx_shape *in,
                 cvs_error *err)
{
    int rc = 0;
    *out = (cx_window){.batch = in->d[0]};
    for (int w = 0; w < CX_SPACE; w++) {
        int a = w - (CX_SPACE - rank);
        out->in[w] = out->out[w] = out->kernel[w] = out->stride[w] = out->dilation[w] = 1;
        if (a < 0) continue;
        out->in[w] = in->d[1 + a];
        out->kernel[w] = c->kernel[a];
        out->stride[w] = c->stride[a];
        out->dilation[w] = c->dilation[a];
        TRY(slide(&out->out[w], &out->pad[w], in->d[1 + a], c->kernel[a], c->stride[a],
                  c->dilation[a], c->padding, err));
    }
out:
    return rc;
}

void cx_kernel_column(float *to, const float *from, int64_t n, int64_t channels, int64_t channel)
{
    for (int64_t i = 0; i < n; i++) to[i] = from[i * channels + channel];
}

int64_t cx_window_cells(const cx_window *w)
{
    return w->kernel[CX_DEPTH] * w->kernel[CX_HEIGHT] * w->kernel[CX_WIDTH];
}

cx_shape cx_window_shape(const cx_window *w, int rank, int64_t channels)
{
    cx_shape s = {.ndim = rank + 2, .d = {w->batch}};
    for (int a = 0; a < rank; a++) s.d[1 + a] = w->out[CX_SPACE - rank + a];
    s.d[rank + 1] = channels;
    return s;
}
