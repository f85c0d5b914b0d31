/* reference.c - the operations in plain loops with double sums, which tests compare with. */
#include "kernels/reference.h"

#include <math.h>

#include "kernels/reference_places.h"

/* --- sliding windows --- */

static float finish(double sum, const cx_epilogue *e, int64_t channel)
{
    if (e->bias) sum += (double)e->bias[channel];
    if (e->scale) sum = sum * (double)e->scale[channel] + (double)e->shift[channel];
    float y = (float)sum;
    if (y < e->low) y = e->low;
    if (y > e->high) y = e->high;
    return y;
}

void cx_ref_conv_forward(const cx_conv *c, const float *x, const float *w, const cx_epilogue *e,
                         float *y, void *workspace)
{
    (void)workspace;
    const cx_window *win = &c->window;
    const int64_t depth = c->in_channels / c->groups, width = c->out_channels / c->groups;
    if (is_empty(win)) return;
    place p = {0};
    do {
        for (int64_t o = 0; o < c->out_channels; o++) {
            double sum = 0;
            do {
                int64_t cell = in_cell(win, &p);
                if (cell < 0) continue;
                const float *from = x + cell * c->in_channels + o / width * depth;
                const float *by = w + tap_cell(win, &p) * depth * c->out_channels + o;
                for (int64_t i = 0; i < depth; i++)
                    sum += (double)from[i] * (double)by[i * c->out_channels];
            } while (next(p.tap, win->kernel));
            y[out_cell(win, &p) * c->out_channels + o] = finish(sum, e, o);
        }
    } while (next_place(win, &p));
}

void cx_ref_conv_transpose_forward(const cx_conv_transpose *c, const float *x, const float *w,
                                   const cx_epilogue *e, float *y, void *workspace)
{
    (void)workspace;
    const cx_window *win = &c->window;
    const int64_t depth = c->in_channels / c->groups, width = c->out_channels / c->groups;
    if (win->batch < 1 || win->in[0] < 1 || win->in[1] < 1 || win->in[2] < 1) return;
    place p = {0};
    do {
        for (int64_t o = 0; o < c->out_channels; o++) {
            double sum = 0;
            do {
                const int64_t cell = spread_from(win, &p);
                if (cell < 0) continue;
                const int64_t group = o / width * depth;
                const float *from = x + cell * c->in_channels + group;
                const float *by =
                    w + (tap_cell(win, &p) * width + o % width) * c->in_channels + group;
                for (int64_t i = 0; i < depth; i++) sum += (double)from[i] * (double)by[i];
            } while (next(p.tap, win->kernel));
            *y++ = finish(sum, e, o);
        }
    } while (next(p.out, win->in) || ++p.batch < win->batch);
}

void cx_ref_depthwise_forward(const cx_depthwise *d, const float *x, const float *w,
                              const cx_epilogue *e, float *y, void *workspace)
{
    (void)workspace;
    const cx_window *win = &d->window;
    const int64_t width = d->channels * d->multiplier;
    if (is_empty(win)) return;
    place p = {0};
    do {
        for (int64_t o = 0; o < width; o++) {
            double sum = 0;
            do {
                int64_t cell = in_cell(win, &p);
                if (cell >= 0)
                    sum += (double)x[cell * d->channels + o / d->multiplier] *
                           (double)w[tap_cell(win, &p) * width + o];
            } while (next(p.tap, win->kernel));
            y[out_cell(win, &p) * width + o] = finish(sum, e, o);
        }
    } while (next_place(win, &p));
}

void cx_ref_dense_forward(int64_t rows, int64_t in, int64_t out, const float *x, const float *w,
                          const cx_epilogue *e, float *y, void *workspace)
{
    (void)workspace;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t o = 0; o < out; o++) {
            double sum = 0;
            for (int64_t i = 0; i < in; i++) sum += (double)x[r * in + i] * (double)w[i * out + o];
            y[r * out + o] = finish(sum, e, o);
        }
}

/* --- pooling --- */

/* The larger one; a NaN wins. */
static float larger(float a, float b)
{
    return a > b || isnan(a) ? a : b;
}

void cx_ref_max_pool_forward(const cx_window *w, int64_t channels, const float *x, float *y)
{
    if (is_empty(w)) return;
    place p = {0};
    do {
        for (int64_t c = 0; c < channels; c++) {
            float best = -INFINITY;
            do {
                int64_t cell = in_cell(w, &p);
                if (cell >= 0) best = larger(x[cell * channels + c], best);
            } while (next(p.tap, w->kernel));
            y[out_cell(w, &p) * channels + c] = best;
        }
    } while (next_place(w, &p));
}

void cx_ref_average_pool_forward(const cx_window *w, int64_t channels, const float *x, float *y)
{
    if (is_empty(w)) return;
    place p = {0};
    do {
        for (int64_t c = 0; c < channels; c++) {
            double sum = 0;
            int64_t n = 0;
            do {
                int64_t cell = in_cell(w, &p);
                if (cell < 0) continue;
                sum += (double)x[cell * channels + c];
                n++;
            } while (next(p.tap, w->kernel));
            y[out_cell(w, &p) * channels + c] = n ? (float)(sum / (double)n) : 0.0f;
        }
    } while (next_place(w, &p));
}

void cx_ref_global_max_forward(int64_t batch, int64_t positions, int64_t channels, const float *x,
                               float *y)
{
    for (int64_t b = 0; b < batch; b++)
        for (int64_t c = 0; c < channels; c++) {
            float best = -INFINITY;
            for (int64_t p = 0; p < positions; p++)
                best = larger(x[(b * positions + p) * channels + c], best);
            y[b * channels + c] = best;
        }
}

void cx_ref_global_average_forward(int64_t batch, int64_t positions, int64_t channels,
                                   const float *x, float *y)
{
    for (int64_t b = 0; b < batch; b++)
        for (int64_t c = 0; c < channels; c++) {
            double sum = 0;
            for (int64_t p = 0; p < positions; p++)
                sum += (double)x[(b * positions + p) * channels + c];
            y[b * channels + c] = positions ? (float)(sum / (double)positions) : 0.0f;
        }
}

/* --- elementwise --- */

void cx_ref_affine_forward(int64_t rows, int64_t channels, const float *x, const float *scale,
                           const float *shift, float *y)
{
    for (int64_t i = 0; i < rows * channels; i++) {
        int64_t c = i % channels;
        y[i] = (float)((double)x[i] * (double)scale[c] + (shift ? (double)shift[c] : 0));
    }
}

void cx_ref_normalize_forward(cx_norm how, int64_t rows, int64_t n, double epsilon, const float *x,
                              float *y)
{
    for (int64_t r = 0; r < rows; r++, x += n, y += n) {
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < n; i++) sum += (double)x[i];
        const double mean = how == CX_BY_RMS || how == CX_BY_LENGTH ? 0 : sum / (double)n;
        for (int64_t i = 0; i < n; i++) squares += ((double)x[i] - mean) * ((double)x[i] - mean);
        double measure = squares / (double)n + epsilon;
        if (how == CX_BY_LENGTH) measure = squares < epsilon ? epsilon : squares;
        const double from = how == CX_STANDARDIZE ? mean : 0;
        for (int64_t i = 0; i < n; i++) y[i] = (float)(((double)x[i] - from) / sqrt(measure));
    }
}

void cx_ref_binary_forward(cx_binary_op op, int64_t n, const float *a, const float *b, float *y)
{
    for (int64_t i = 0; i < n; i++) {
        switch (op) {
        case CX_ADD:
            y[i] = a[i] + b[i];
            break;
        case CX_SUBTRACT:
            y[i] = a[i] - b[i];
            break;
        case CX_MULTIPLY:
            y[i] = a[i] * b[i];
            break;
        case CX_MAXIMUM:
            y[i] = larger(a[i], b[i]);
            break;
        case CX_MINIMUM:
            y[i] = -larger(-a[i], -b[i]);
            break;
        }
    }
}

static double elu(double x, double alpha)
{
    return x > 0 ? x : alpha * expm1(x);
}

/* log(1 + e^x) without overflow. */
static double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double sigmoid(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

/* A NaN stays. */
static double clip(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static double relu(double x, const cx_activation *a)
{
    if (x >= (double)a->limit) return (double)a->limit;
    if (x >= (double)a->threshold) return x;
    if (a->slope == 0 && !isnan(x)) return 0; /* also of -INFINITY */
    return (double)a->slope * (x - (double)a->threshold);
}

static double activation(const cx_activation *a, double x)
{
    const double slope = (double)a->slope, threshold = (double)a->threshold;
    switch (a->kind) {
    case CX_ACT_LINEAR:
        return x;
    case CX_ACT_RELU:
        return relu(x, a);
    case CX_ACT_ELU:
        return elu(x, slope);
    case CX_ACT_SELU:
        return 1.0507009873554805 * elu(x, 1.6732632423543772);
    case CX_ACT_SOFTPLUS:
        return softplus(x);
    case CX_ACT_SOFTSIGN:
        return x / (1 + fabs(x));
    case CX_ACT_SIGMOID:
        return sigmoid(x);
    case CX_ACT_HARD_SIGMOID:
        return clip(slope * x + 0.5, 0, 1);
    case CX_ACT_TANH:
        return tanh(x);
    case CX_ACT_EXPONENTIAL:
        return exp(x);
    case CX_ACT_SILU:
        return x * sigmoid(x);
    case CX_ACT_HARD_SILU:
        return x * clip(x + 3, 0, 6) / 6;
    case CX_ACT_MISH:
        return x * tanh(softplus(x));
    case CX_ACT_GELU:
        return x * 0.5 * erfc(-x * sqrt(0.5));
    case CX_ACT_GELU_TANH:
        return x * sigmoid(2 * sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x));
    case CX_ACT_CELU:
        return x > 0 ? x : slope * expm1(x / slope);
    case CX_ACT_SQUAREPLUS:
        return x < 0 ? 2 / (sqrt(x * x + 4) - x) : (x + sqrt(x * x + 4)) / 2;
    case CX_ACT_LOG_SIGMOID:
        return -softplus(-x);
    case CX_ACT_SOFT_SHRINK:
        return x > threshold ? x - threshold : x < -threshold ? x + threshold : x * 0;
    case CX_ACT_HARD_SHRINK:
        return fabs(x) <= threshold ? 0 : x;
    case CX_ACT_TANH_SHRINK:
        return x - tanh(x);
    case CX_ACT_HARD_TANH:
        return clip(x, -1, 1);
    case CX_ACT_SPARSE_PLUS:
        return x <= -1 ? 0 : x < 1 ? (x + 1) * (x + 1) / 4 : x;
    case CX_ACT_THRESHOLDED_RELU:
        return x <= threshold ? 0 : x;
    case CX_ACT_SOFTMAX:
    case CX_ACT_LOG_SOFTMAX:
        break;
    }
    return NAN; /* a softmax has no value for one number */
}

void cx_ref_activation_forward(const cx_activation *a, int64_t n, const float *x, float *y)
{
    for (int64_t i = 0; i < n; i++) y[i] = (float)activation(a, (double)x[i]);
}

void cx_ref_softmax_forward(int log_too, int64_t outer, int64_t n, int64_t inner, const float *x,
                            float *y)
{
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++) {
            const float *from = x + o * n * inner + i;
            float *to = y + o * n * inner + i;
            float top = -INFINITY;
            double sum = 0;
            for (int64_t k = 0; k < n; k++) top = larger(from[k * inner], top);
            for (int64_t k = 0; k < n; k++) sum += exp((double)from[k * inner] - (double)top);
            for (int64_t k = 0; k < n; k++) {
                double d = (double)from[k * inner] - (double)top;
                to[k * inner] = (float)(log_too ? d - log(sum) : exp(d) / sum);
            }
        }
}

/* --- moving numbers --- */

/* How much pixel i of n counts at a spot of the source, by the distance alone. */
static double kernel_at(cx_interpolation how, double spot, int64_t i)
{
    const double low = floor(spot), between = rint((spot - low) * 1024) / 1024;
    double d = fabs(how == CX_BICUBIC ? low + between - (double)i : spot - (double)i);
    if (how == CX_NEAREST) return (double)i == floor(spot + 0.5);
    if (how == CX_BILINEAR) return d < 1 ? 1 - d : 0;
    if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
    return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
}

/* Weight of pixel i of the part at spot o of the result. Of what lies outside, a line that ends
 * repeats its last pixel, a cubic forgets it. */
static double weight_at(const cx_resize *r, int axis, int64_t o, int64_t i)
{
    const int64_t n = r->size[axis];
    const double scale = (double)n / (double)r->out[axis];
    double spot = ((double)o + 0.5) * scale - 0.5, sum = 0;
    if (r->how == CX_BILINEAR) spot = fmin(fmax(spot, 0), (double)(n - 1));
    for (int64_t k = 0; k < n; k++) sum += kernel_at(r->how, spot, k);
    return kernel_at(r->how, spot, i) / sum;
}

void cx_ref_resize_forward(const cx_resize *r, const float *x, float *y)
{
    const int64_t row = r->in[1] * r->channels;
    for (int64_t p = 0; p < r->batch * r->out[0] * r->out[1]; p++) {
        const int64_t h = p / r->out[1] % r->out[0], w = p % r->out[1];
        const float *image = x + p / r->out[1] / r->out[0] * r->in[0] * row;
        for (int64_t c = 0; c < r->channels; c++) {
            double sum = 0;
            for (int64_t i = 0; i < r->size[0]; i++)
                for (int64_t k = 0; k < r->size[1]; k++)
                    sum +=
                        weight_at(r, 0, h, i) * weight_at(r, 1, w, k) *
                        (double)image[(r->from[0] + i) * row + (r->from[1] + k) * r->channels + c];
            *y++ = (float)sum;
        }
    }
}

void cx_ref_resize_backward(const cx_resize *r, const float *dy, float *dx)
{
    for (int64_t p = 0; p < r->batch * r->in[0] * r->in[1]; p++) {
        const int64_t i = p / r->in[1] % r->in[0] - r->from[0], k = p % r->in[1] - r->from[1];
        const float *image = dy + p / r->in[1] / r->in[0] * r->out[0] * r->out[1] * r->channels;
        const int inside = i >= 0 && i < r->size[0] && k >= 0 && k < r->size[1];
        for (int64_t c = 0; c < r->channels; c++) {
            double sum = 0;
            for (int64_t h = 0; inside && h < r->out[0]; h++)
                for (int64_t w = 0; w < r->out[1]; w++)
                    sum += weight_at(r, 0, h, i) * weight_at(r, 1, w, k) *
                           (double)image[(h * r->out[1] + w) * r->channels + c];
            *dx++ = (float)sum;
        }
    }
}

/* Where cell i of a box stands in an array of these strides. */
static int64_t box_cell(const cx_box *b, const int64_t *strides, int64_t i)
{
    int64_t at = 0;
    for (int a = b->ndim - 1; a >= 0; a--) {
        at += i % b->size[a] * strides[a];
        i /= b->size[a];
    }
    return at;
}

void cx_ref_copy_box(const cx_box *b, const float *x, float *y)
{
    int64_t total = 1;
    for (int a = 0; a < b->ndim; a++) total *= b->size[a];
    for (int64_t i = 0; i < total; i++) y[box_cell(b, b->to, i)] = x[box_cell(b, b->from, i)];
}

void cx_ref_add_box(const cx_box *b, const float *x, float *y)
{
    int64_t total = 1;
    for (int a = 0; a < b->ndim; a++) total *= b->size[a];
    for (int64_t i = 0; i < total; i++) y[box_cell(b, b->to, i)] += x[box_cell(b, b->from, i)];
}
