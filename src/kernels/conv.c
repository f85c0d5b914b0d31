/* conv.c - convolution: the choice of the algorithm, by shape. */
#include "kernels/direct.h"
#include "kernels/few.h"
#include "kernels/winograd.h"

/* The rows need not be kept apart. */
int cx_conv_is_pointwise(const cx_conv *c)
{
    const cx_window *w = &c->window;
    int same = c->groups == 1;
    for (int a = 0; a < CX_SPACE; a++)
        same &= w->kernel[a] == 1 && w->stride[a] == 1 && w->pad[a] == 0 && w->in[a] == w->out[a];
    return same;
}

/* Groups of one input channel: the weights lie as those of a depthwise convolution do. */
static int is_depthwise(const cx_conv *c)
{
    return c->groups == c->in_channels && c->groups > 1;
}

static cx_depthwise as_depthwise(const cx_conv *c)
{
    return (cx_depthwise){c->window, c->in_channels, c->out_channels / c->in_channels};
}

static int64_t positions(const cx_window *w)
{
    return cx_grid_rows(w) * w->out[CX_WIDTH];
}

size_t cx_conv_transformed_size(const cx_conv *c, int back)
{
    const cx_conv way = back ? cx_winograd_back(c) : *c;
    return cx_winograd_pays(&way) ? cx_winograd_weights_size(&way) : 0;
}

void cx_conv_transform(const cx_conv *c, int back, const float *w, float *transformed)
{
    const cx_conv way = back ? cx_winograd_back(c) : *c;
    cx_winograd_weights(&way, w, back, transformed);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t cx_conv_workspace(const cx_conv *c)
{
    if (cx_few_pays(c)) return cx_few_workspace(c);
    if (cx_conv_is_pointwise(c))
        return cx_dense_workspace(positions(&c->window), c->in_channels, c->out_channels);
    if (is_depthwise(c)) {
        const cx_depthwise d = as_depthwise(c);
        return cx_depthwise_workspace(&d);
    }
    return larger(cx_direct_workspace(c), cx_winograd_pays(c) ? cx_winograd_workspace(c) : 0);
}

void cx_conv_forward(const cx_conv *c, const float *x, const float *w, const cx_epilogue *e,
                     float *y, void *workspace)
{
    if (c->transformed) {
        cx_winograd_forward(c, x, e, y, NULL, workspace);
    } else if (cx_few_pays(c)) {
        cx_few_forward(c, x, w, e, y, workspace);
    } else if (cx_conv_is_pointwise(c)) {
        cx_dense_forward(positions(&c->window), c->in_channels, c->out_channels, x, w, e, y,
                         workspace);
    } else if (is_depthwise(c)) {
        const cx_depthwise d = as_depthwise(c);
        cx_depthwise_forward(&d, x, w, e, y, workspace);
    } else {
        cx_direct_forward(c, x, w, e, y, workspace);
    }
}

/* Two rows at a time the direct way reads all weights for each. */
enum { FEW_WEIGHTS = 1 << 18 };

int cx_conv_pools(const cx_conv *c, const cx_window *pool)
{
    const int64_t *kernel = c->window.kernel;
    const int64_t weights =
        kernel[CX_HEIGHT] * kernel[CX_WIDTH] * c->in_channels * (c->out_channels / c->groups);
    if (cx_few_pays(c) || (weights > FEW_WEIGHTS && !cx_winograd_pays(c))) return 0;
    int can = !is_depthwise(c) && c->window.in[CX_DEPTH] == 1 && c->window.out[CX_DEPTH] == 1 &&
              pool->out[CX_DEPTH] == 1 && pool->kernel[CX_DEPTH] == 1 &&
              pool->batch == c->window.batch;
    for (int a = 0; a < CX_SPACE; a++) can &= pool->in[a] == c->window.out[a] && pool->pad[a] == 0;
    for (int a = CX_HEIGHT; a <= CX_WIDTH; a++)
        can &= pool->kernel[a] == 2 && pool->stride[a] == 2 && pool->dilation[a] == 1;
    return can;
}

size_t cx_conv_pooled_workspace(const cx_conv *c)
{
    return larger(cx_direct_pooled_workspace(c),
                  cx_winograd_pays(c) ? cx_winograd_workspace(c) : 0);
}

void cx_conv_pooled_forward(const cx_conv *c, const float *x, const float *w, const cx_epilogue *e,
                            float *y, const cx_pooled *pooled, void *workspace)
{
    if (c->transformed)
        cx_winograd_forward(c, x, e, y, pooled, workspace);
    else
        cx_direct_pooled(c, x, w, e, y, pooled, workspace);
}

size_t cx_conv_backward_weights_workspace(const cx_conv *c)
{
    if (is_depthwise(c)) {
        const cx_depthwise d = as_depthwise(c);
        return cx_depthwise_backward_weights_workspace(&d);
    }
    return larger(cx_direct_backward_weights_workspace(c),
                  cx_winograd_weights_pays(c) ? cx_winograd_backward_workspace(c) : 0);
}

void cx_conv_backward_weights(const cx_conv *c, const float *x, const float *dy, float *dw,
                              void *workspace)
{
    if (is_depthwise(c)) {
        const cx_depthwise d = as_depthwise(c);
        cx_depthwise_backward_weights(&d, x, dy, dw, workspace);
    } else if (cx_winograd_weights_pays(c)) {
        cx_winograd_backward_weights(c, x, dy, dw, workspace);
    } else {
        cx_direct_backward_weights(c, x, dy, dw, workspace);
    }
}
