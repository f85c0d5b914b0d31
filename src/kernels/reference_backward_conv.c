/* reference_backward_conv.c - the gradients of convolutions and dense layers in plain loops with
 * double sums. */
#include <math.h>

#include "kernels/reference.h"
#include "kernels/reference_places.h"

static const cx_epilogue none = {.low = -INFINITY, .high = INFINITY};

void cx_ref_conv_backward_data(const cx_conv *c, const float *dy, const float *w, float *dx,
                               void *workspace)
{
    const cx_conv_transpose t = {c->window, c->out_channels, c->in_channels, c->groups, 0};
    cx_ref_conv_transpose_forward(&t, dy, w, &none, dx, workspace);
}

void cx_ref_conv_backward_weights(const cx_conv *c, const float *x, const float *dy, float *dw,
                                  void *workspace)
{
    (void)workspace;
    const cx_window *win = &c->window;
    const int64_t depth = c->in_channels / c->groups, width = c->out_channels / c->groups;
    if (is_empty(win)) return;
    place p = {0};
    do {
        for (int64_t i = 0; i < depth; i++)
            for (int64_t o = 0; o < c->out_channels; o++, dw++) {
                double sum = (double)*dw;
                p.batch = 0;
                do {
                    const int64_t cell = in_cell(win, &p);
                    if (cell >= 0)
                        sum += (double)x[cell * c->in_channels + o / width * depth + i] *
                               (double)dy[out_cell(win, &p) * c->out_channels + o];
                } while (next_place(win, &p));
                *dw = (float)sum;
            }
    } while (next(p.tap, win->kernel));
}

void cx_ref_bias_backward(int64_t rows, int64_t channels, const float *dy, float *db)
{
    for (int64_t c = 0; c < channels; c++) {
        double sum = (double)db[c];
        for (int64_t r = 0; r < rows; r++) sum += (double)dy[r * channels + c];
        db[c] = (float)sum;
    }
}

void cx_ref_conv_transpose_backward_data(const cx_conv_transpose *c, const float *dy,
                                         const float *w, float *dx, void *workspace)
{
    const cx_conv conv = {c->window, c->out_channels, c->in_channels, c->groups, 0, NULL};
    cx_ref_conv_forward(&conv, dy, w, &none, dx, workspace);
}

void cx_ref_conv_transpose_backward_weights(const cx_conv_transpose *c, const float *x,
                                            const float *dy, float *dw, void *workspace)
{
    const cx_conv conv = {c->window, c->out_channels, c->in_channels, c->groups, 0, NULL};
    cx_ref_conv_backward_weights(&conv, dy, x, dw, workspace);
}

/* A depthwise convolution is one whose groups are its channels. */
static cx_conv grouped(const cx_depthwise *d)
{
    return (cx_conv){d->window, d->channels, d->channels * d->multiplier, d->channels, 0, NULL};
}

void cx_ref_depthwise_backward_data(const cx_depthwise *d, const float *dy, const float *w,
                                    float *dx, void *workspace)
{
    const cx_conv c = grouped(d);
    cx_ref_conv_backward_data(&c, dy, w, dx, workspace);
}

void cx_ref_depthwise_backward_weights(const cx_depthwise *d, const float *x, const float *dy,
                                       float *dw, void *workspace)
{
    const cx_conv c = grouped(d);
    cx_ref_conv_backward_weights(&c, x, dy, dw, workspace);
}

void cx_ref_dense_backward_data(int64_t rows, int64_t in, int64_t out, const float *dy,
                                const float *w, float *dx, void *workspace)
{
    (void)workspace;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < in; i++) {
            double sum = 0;
            for (int64_t o = 0; o < out; o++)
                sum += (double)dy[r * out + o] * (double)w[i * out + o];
            dx[r * in + i] = (float)sum;
        }
}

void cx_ref_dense_backward_weights(int64_t rows, int64_t in, int64_t out, const float *x,
                                   const float *dy, float *dw, void *workspace)
{
    (void)workspace;
    for (int64_t i = 0; i < in; i++)
        for (int64_t o = 0; o < out; o++) {
            double sum = (double)dw[i * out + o];
            for (int64_t r = 0; r < rows; r++)
                sum += (double)x[r * in + i] * (double)dy[r * out + o];
            dw[i * out + o] = (float)sum;
        }
}
