/* reference_backward.c - the derivatives of all that is neither a convolution nor moves numbers, in
 * plain loops with double sums (what windows that overlap add to a cell excepted). */
#include <math.h>
#include <string.h>

#include "kernels/reference.h"
#include "kernels/reference_places.h"

/* --- pooling --- */

void cx_ref_max_pool_backward(const cx_window *w, int64_t channels, const float *x, const float *y,
                              const float *dy, float *dx)
{
    memset(dx, 0, (size_t)(w->batch * w->in[0] * w->in[1] * w->in[2] * channels) * sizeof *dx);
    if (is_empty(w)) return;
    place p = {0};
    do {
        for (int64_t c = 0; c < channels; c++) {
            const int64_t pixel = out_cell(w, &p) * channels + c;
            int given = 0;
            do {
                const int64_t cell = in_cell(w, &p);
                if (cell < 0 || given) continue;
                const float v = x[cell * channels + c];
                given = v == y[pixel] || isnan(v);
                if (given) dx[cell * channels + c] += dy[pixel];
            } while (next(p.tap, w->kernel));
        }
    } while (next_place(w, &p));
}

void cx_ref_average_pool_backward(const cx_window *w, int64_t channels, const float *dy, float *dx)
{
    memset(dx, 0, (size_t)(w->batch * w->in[0] * w->in[1] * w->in[2] * channels) * sizeof *dx);
    if (is_empty(w)) return;
    place p = {0};
    do {
        int64_t inside = 0;
        do inside += in_cell(w, &p) >= 0;
        while (next(p.tap, w->kernel));
        do {
            const int64_t cell = in_cell(w, &p);
            for (int64_t c = 0; cell >= 0 && c < channels; c++)
                dx[cell * channels + c] += dy[out_cell(w, &p) * channels + c] / (float)inside;
        } while (next(p.tap, w->kernel));
    } while (next_place(w, &p));
}

void cx_ref_global_max_backward(int64_t batch, int64_t positions, int64_t channels, const float *x,
                                const float *y, const float *dy, float *dx)
{
    for (int64_t i = 0; i < batch * channels; i++) {
        const int64_t first = i / channels * positions * channels + i % channels;
        const int64_t end = first + positions * channels;
        int largest = 0;
        for (int64_t k = first; k < end; k += channels) largest += x[k] == y[i] || isnan(x[k]);
        for (int64_t k = first; k < end; k += channels)
            dx[k] = x[k] == y[i] || isnan(x[k]) ? dy[i] / (float)largest : 0;
    }
}

void cx_ref_global_average_backward(int64_t batch, int64_t positions, int64_t channels,
                                    const float *dy, float *dx)
{
    for (int64_t i = 0; i < batch * positions * channels; i++)
        dx[i] = dy[i / channels / positions * channels + i % channels] / (float)positions;
}

/* --- elementwise --- */

void cx_ref_affine_backward_weights(int64_t rows, int64_t channels, const float *x, const float *dy,
                                    float *dscale, float *dshift)
{
    for (int64_t c = 0; c < channels; c++) {
        double by_scale = 0, by_shift = 0;
        for (int64_t i = c; i < rows * channels; i += channels) {
            if (dscale) by_scale += (double)x[i] * (double)dy[i];
            by_shift += (double)dy[i];
        }
        if (dscale) dscale[c] = (float)((double)dscale[c] + by_scale);
        if (dshift) dshift[c] = (float)((double)dshift[c] + by_shift);
    }
}

/* By a, the first side, where `first`; else by b. */
static float binary_slope(cx_binary_op op, float a, float b, int first)
{
    switch (op) {
    case CX_ADD:
        return 1;
    case CX_SUBTRACT:
        return first ? 1 : -1;
    case CX_MULTIPLY:
        return first ? b : a;
    case CX_MAXIMUM:
        return (a >= b) == first;
    case CX_MINIMUM:
        return (a <= b) == first;
    }
    return 0;
}

void cx_ref_binary_backward(cx_binary_op op, int64_t n, const float *a, const float *b,
                            const float *dy, float *da, float *db)
{
    const int reads = op != CX_ADD && op != CX_SUBTRACT;
    for (int64_t i = 0; i < n; i++) {
        const float d = dy[i], x = reads ? a[i] : 0, z = reads ? b[i] : 0;
        if (da) da[i] = binary_slope(op, x, z, 1) * d;
        if (db) db[i] = binary_slope(op, x, z, 0) * d;
    }
}

/* The sum over all y[k] of dy[k] times the derivative of y[k] by x[i]. */
void cx_ref_normalize_backward(cx_norm how, int64_t rows, int64_t n, double epsilon, const float *x,
                               const float *dy, float *dx)
{
    for (int64_t r = 0; r < rows; r++, x += n, dy += n, dx += n) {
        const int about_mean = how == CX_STANDARDIZE || how == CX_BY_DEVIATION;
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < n; i++) sum += (double)x[i];
        const double mean = about_mean ? sum / (double)n : 0;
        for (int64_t i = 0; i < n; i++) squares += ((double)x[i] - mean) * ((double)x[i] - mean);
        double measure = squares / (double)n + epsilon, share = 1 / (double)n;
        if (how == CX_BY_LENGTH) {
            measure = squares < epsilon ? epsilon : squares;
            share = squares < epsilon ? 0 : 1;
        }
        const double length = sqrt(measure), from = how == CX_STANDARDIZE ? mean : 0;
        for (int64_t i = 0; i < n; i++) {
            double slope = 0;
            for (int64_t k = 0; k < n; k++) {
                const double itself = (i == k) - (how == CX_STANDARDIZE ? 1 / (double)n : 0);
                const double by_measure = -0.5 * ((double)x[k] - from) / (measure * length);
                slope += (double)dy[k] *
                         (itself / length + by_measure * 2 * share * ((double)x[i] - mean));
            }
            dx[i] = (float)slope;
        }
    }
}

static double sigmoid(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static double mish_slope(double x)
{
    const double t = tanh(fmax(x, 0) + log1p(exp(-fabs(x))));
    return t + x * (1 - t * t) * sigmoid(x);
}

static double gelu_slope(double x)
{
    return 0.5 * erfc(-x * sqrt(0.5)) + x * exp(-0.5 * x * x) / sqrt(2 * acos(-1));
}

static double gelu_tanh_slope(double x)
{
    const double scale = 2 * sqrt(2 / acos(-1)), s = sigmoid(scale * (x + 0.044715 * x * x * x));
    return s + x * s * (1 - s) * scale * (1 + 3 * 0.044715 * x * x);
}

static double relu_slope(const cx_activation *a, double x)
{
    if (x >= (double)a->limit) return 0;
    return x > (double)a->threshold ? 1 : (double)a->slope;
}

static double slope_at(const cx_activation *a, double x)
{
    const double slope = (double)a->slope, threshold = (double)a->threshold;
    switch (a->kind) {
    case CX_ACT_LINEAR:
        return 1;
    case CX_ACT_RELU:
        return relu_slope(a, x);
    case CX_ACT_ELU:
        return x > 0 ? 1 : slope * exp(x);
    case CX_ACT_SELU:
        return 1.0507009873554805 * (x >= 0 ? 1 : 1.6732632423543772 * exp(x));
    case CX_ACT_SOFTPLUS:
        return sigmoid(x);
    case CX_ACT_SOFTSIGN:
        return 1 / ((1 + fabs(x)) * (1 + fabs(x)));
    case CX_ACT_SIGMOID:
        return sigmoid(x) * sigmoid(-x);
    case CX_ACT_HARD_SIGMOID:
        return fabs(slope * x) < 0.5 ? slope : 0;
    case CX_ACT_TANH:
        return 1 - tanh(x) * tanh(x);
    case CX_ACT_EXPONENTIAL:
        return exp(x);
    case CX_ACT_SILU:
        return sigmoid(x) * (1 + x * sigmoid(-x));
    case CX_ACT_HARD_SILU:
        return x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6;
    case CX_ACT_MISH:
        return mish_slope(x);
    case CX_ACT_GELU:
        return gelu_slope(x);
    case CX_ACT_GELU_TANH:
        return gelu_tanh_slope(x);
    case CX_ACT_CELU:
        return x > 0 ? 1 : exp(x / slope);
    case CX_ACT_SQUAREPLUS:
        return 0.5 * (1 + x / sqrt(x * x + 4));
    case CX_ACT_LOG_SIGMOID:
        return sigmoid(-x);
    case CX_ACT_SOFT_SHRINK:
    case CX_ACT_HARD_SHRINK:
        return fabs(x) > threshold;
    case CX_ACT_TANH_SHRINK:
        return tanh(x) * tanh(x);
    case CX_ACT_HARD_TANH:
        return fabs(x) < 1;
    case CX_ACT_SPARSE_PLUS:
        return x <= -1 ? 0 : x < 1 ? (x + 1) / 2 : 1;
    case CX_ACT_THRESHOLDED_RELU:
        return x > threshold;
    case CX_ACT_SOFTMAX:
    case CX_ACT_LOG_SOFTMAX:
        break;
    }
    return NAN;
}

void cx_ref_activation_backward(const cx_activation *a, int64_t n, const float *x, const float *y,
                                const float *dy, float *dx)
{
    (void)y;
    for (int64_t i = 0; i < n; i++) dx[i] = (float)(slope_at(a, (double)x[i]) * (double)dy[i]);
}

/* The sum over all y[k] of dy[k] times the derivative of y[k] by x[i]. */
void cx_ref_softmax_backward(int log_too, int64_t outer, int64_t n, int64_t inner, const float *y,
                             const float *dy, float *dx)
{
    for (int64_t line = 0; line < outer * inner; line++) {
        const int64_t first = line / inner * n * inner + line % inner;
        for (int64_t i = 0; i < n; i++) {
            double sum = 0;
            for (int64_t k = 0; k < n; k++) {
                const double p = (double)y[first + i * inner], q = (double)y[first + k * inner];
                const double slope = log_too ? (i == k) - exp(p) : q * ((i == k) - p);
                sum += slope * (double)dy[first + k * inner];
            }
            dx[first + i * inner] = (float)sum;
        }
    }
}
