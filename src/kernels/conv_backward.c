/* conv_backward.c - the gradients of a convolution with respect to its input and of a transposed
 * one: each is a forward pass of the other. */
#include <math.h>

#include "kernels/winograd.h"

enum { LINE = 64 }; /* bytes; what lies in the workspace begins on one */

static const cx_epilogue none = {.low = -INFINITY, .high = INFINITY};

static cx_conv_transpose turned(const cx_conv *c)
{
    return (cx_conv_transpose){c->window, c->out_channels, c->in_channels, c->groups, c->exact};
}

static cx_conv turned_back(const cx_conv_transpose *c)
{
    return (cx_conv){c->window, c->out_channels, c->in_channels, c->groups, c->exact, NULL};
}

/* Bytes of the weights in the order of cx_conv_transpose_pack. */
static size_t packed_size(const cx_conv *c)
{
    const int64_t *kernel = c->window.kernel;
    const int64_t n =
        kernel[0] * kernel[1] * kernel[2] * (c->in_channels / c->groups) * c->out_channels;
    return ((size_t)n * sizeof(float) + LINE - 1) / LINE * LINE;
}

size_t cx_conv_backward_data_workspace(const cx_conv *c)
{
    const cx_conv_transpose t = turned(c);
    const cx_conv back = cx_winograd_back(c);
    const size_t direct = packed_size(c) + cx_conv_transpose_workspace(&t);
    const size_t fast = cx_winograd_pays(&back) ? cx_winograd_workspace(&back) : 0;
    return direct > fast ? direct : fast;
}

void cx_conv_backward_data(const cx_conv *c, const float *dy, const float *w, float *dx,
                           void *workspace)
{
    const cx_conv_transpose t = turned(c);
    if (c->transformed) {
        const cx_conv back = cx_winograd_back(c);
        cx_winograd_forward(&back, dy, &none, dx, NULL, workspace);
        return;
    }
    cx_conv_transpose_pack(&t, w, workspace);
    cx_conv_transpose_forward(&t, dy, workspace, &none, dx, (char *)workspace + packed_size(c));
}

size_t cx_conv_transpose_backward_data_workspace(const cx_conv_transpose *c)
{
    const cx_conv conv = turned_back(c);
    return cx_conv_workspace(&conv);
}

void cx_conv_transpose_backward_data(const cx_conv_transpose *c, const float *dy, const float *w,
                                     float *dx, void *workspace)
{
    const cx_conv conv = turned_back(c);
    cx_conv_forward(&conv, dy, w, &none, dx, workspace);
}

size_t cx_conv_transpose_backward_weights_workspace(const cx_conv_transpose *c)
{
    const cx_conv conv = turned_back(c);
    return cx_conv_backward_weights_workspace(&conv);
}

void cx_conv_transpose_backward_weights(const cx_conv_transpose *c, const float *x, const float *dy,
                                        float *dw, void *workspace)
{
    const cx_conv conv = turned_back(c);
    cx_conv_backward_weights(&conv, dy, x, dw, workspace);
}
