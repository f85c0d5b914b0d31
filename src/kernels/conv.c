/* conv.c - convolution: the choice of the algorithm, by shape. All that there are form direct sums,
 * so c->exact asks for nothing more. */
#include "kernels/direct.h"

/* A kernel of one cell that visits every pixel once is a dense layer on all pixels: the rows need
 * not be kept apart. */
static int is_pointwise(const cx_conv *c)
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

size_t cx_conv_workspace(const cx_conv *c)
{
    if (is_pointwise(c))
        return cx_dense_workspace(positions(&c->window), c->in_channels, c->out_channels);
    if (is_depthwise(c)) {
        const cx_depthwise d = as_depthwise(c);
        return cx_depthwise_workspace(&d);
    }
    return cx_direct_workspace(c);
}

void cx_conv_forward(const cx_conv *c, const float *x, const float *w, const cx_epilogue *e,
                     float *y, void *workspace)
{
    if (is_pointwise(c)) {
        cx_dense_forward(positions(&c->window), c->in_channels, c->out_channels, x, w, e, y,
                         workspace);
    } else if (is_depthwise(c)) {
        const cx_depthwise d = as_depthwise(c);
        cx_depthwise_forward(&d, x, w, e, y, workspace);
    } else {
        cx_direct_forward(c, x, w, e, y, workspace);
    }
}

size_t cx_conv_backward_weights_workspace(const cx_conv *c)
{
    if (is_depthwise(c)) {
        const cx_depthwise d = as_depthwise(c);
        return cx_depthwise_backward_weights_workspace(&d);
    }
    return cx_direct_backward_weights_workspace(c);
}

void cx_conv_backward_weights(const cx_conv *c, const float *x, const float *dy, float *dw,
                              void *workspace)
{
    if (is_depthwise(c)) {
        const cx_depthwise d = as_depthwise(c);
        cx_depthwise_backward_weights(&d, x, dy, dw, workspace);
    } else {
        cx_direct_backward_weights(c, x, dy, dw, workspace);
    }
}
