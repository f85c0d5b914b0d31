/* activation.c - Keras' activation functions. Those of at most one e^x run on vectors
 * (vec_activation.c); the others, whose digits would cancel in float, in double here:
 *
 *   relu           x >= limit: limit; x >= threshold: x; else slope (x - threshold)
 *   elu, celu      x > 0: x; else alpha (e^x - 1), alpha (e^(x / alpha) - 1)
 *   selu           1.0507009873554805 elu(x) with alpha 1.6732632423543772
 *   softplus       log(1 + e^x)                 log_sigmoid  -log(1 + e^-x)
 *   softsign       x / (1 + |x|)                squareplus   (x + sqrt(x^2 + 4)) / 2
 *   sigmoid        1 / (1 + e^-x)               silu         x sigmoid(x)
 *   hard_sigmoid   clip(slope x + 0.5, 0, 1)    hard_silu    x clip(x + 3, 0, 6) / 6
 *   mish           x tanh(softplus(x))          hard_tanh    clip(x, -1, 1)
 *   gelu           x Phi(x)                     gelu_tanh    x / 2 (1 + tanh(sqrt(2 / pi) (x +
 *                                                            0.044715 x^3)))
 *   soft_shrink    |x| <= t: 0; else x -+ t     hard_shrink  |x| <= t: 0; else x
 *   tanh_shrink    x - tanh(x)                  sparse_plus  x <= -1: 0; x < 1: (x + 1)^2 / 4;
 *                                                            else x
 *   thresholded_relu  x > t: x; else 0 */
#include <math.h>

#include "base/threads.h"
#include "kernels/set.h"

enum { CHUNK = 1 << 12 }; /* numbers a task */

int cx_activation_is_clamp(const cx_activation *a, float *low, float *high)
{
    float from = -INFINITY, to = INFINITY;
    const int zero_below = a->kind == CX_ACT_RELU && a->slope == 0 && a->threshold == 0;
    if (zero_below) {
        from = 0;
        to = a->limit;
    } else if (a->kind == CX_ACT_HARD_TANH) {
        from = -1;
        to = 1;
    } else if (a->kind != CX_ACT_LINEAR) {
        return 0;
    }
    *low = from;
    *high = to;
    return 1;
}

static double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double value(cx_activation_kind kind, double x)
{
    switch ((int)kind) {
    case CX_ACT_SOFTPLUS:
        return isnan(x) ? x : softplus(x);
    case CX_ACT_LOG_SIGMOID:
        return isnan(x) ? x : -softplus(-x);
    case CX_ACT_TANH_SHRINK:
        return x - tanh(x);
    case CX_ACT_SQUAREPLUS: {
        const double root = sqrt(x * x + 4); /* below 0, x + root would cancel */
        return x < 0 ? 2 / (root - x) : (x + root) / 2;
    }
    default:
        return x;
    }
}

typedef struct job {
    const cx_activation *a;
    int64_t n;
    const float *x;
    float *y;
    const cx_set *set;
} job;

static void run_chunk(void *arg, int i, int worker)
{
    (void)worker;
    const job *j = arg;
    const int64_t from = (int64_t)i * CHUNK, n = j->n - from < CHUNK ? j->n - from : CHUNK;
    const float *x = j->x + from;
    float *y = j->y + from;
    if (j->set->activation(j->a, n, x, y)) return;
    for (int64_t k = 0; k < n; k++) y[k] = (float)value(j->a->kind, (double)x[k]);
}

void cx_activation_forward(const cx_activation *a, int64_t n, const float *x, float *y)
{
    job j = {a, n, x, y, cx_set_now()};
    cx_parallel((int)((n + CHUNK - 1) / CHUNK), run_chunk, &j);
}

/* --- its derivative --- */

int cx_activation_from_output(const cx_activation *a)
{
    switch ((int)a->kind) {
    case CX_ACT_LINEAR:
    case CX_ACT_SELU:
    case CX_ACT_SOFTPLUS:
    case CX_ACT_SIGMOID:
    case CX_ACT_HARD_SIGMOID:
    case CX_ACT_TANH:
    case CX_ACT_EXPONENTIAL:
    case CX_ACT_SQUAREPLUS:
    case CX_ACT_LOG_SIGMOID:
    case CX_ACT_HARD_TANH:
        return 1;
    case CX_ACT_RELU: /* below the threshold y is not over 0, above it y is x */
        return a->slope >= 0 && a->threshold >= 0;
    case CX_ACT_ELU:
    case CX_ACT_CELU:
        return a->slope >= 0;
    case CX_ACT_THRESHOLDED_RELU:
        return a->threshold >= 0;
    default:
        return 0;
    }
}

typedef struct back {
    const cx_activation *a;
    int64_t n;
    const float *at, *y, *dy;
    float *dx;
    const cx_set *set;
} back;

static void run_chunk_back(void *arg, int i, int worker)
{
    (void)worker;
    const back *j = arg;
    const int64_t from = (int64_t)i * CHUNK, n = j->n - from < CHUNK ? j->n - from : CHUNK;
    j->set->activation_back(j->a, n, j->at + from, j->y + from, j->dy + from, j->dx + from);
}

void cx_activation_backward(const cx_activation *a, int64_t n, const float *x, const float *y,
                            const float *dy, float *dx)
{
    back j = {a, n, cx_activation_from_output(a) ? y : x, y, dy, dx, cx_set_now()};
    cx_parallel((int)((n + CHUNK - 1) / CHUNK), run_chunk_back, &j);
}

/* --- softmax --- */

typedef struct softmax {
    int logarithm;
    int64_t n, inner;
    const float *x, *y, *dy; /* x: forward; y and dy: backward */
    float *out;
} softmax;

/* In double: the difference to the largest number is then exact, and with it small probabilities'
 * digits. */
static void run_outer(void *arg, int i, int worker)
{
    (void)worker;
    const softmax *s = arg;
    const int64_t n = s->n, inner = s->inner;
    for (int64_t k = 0; k < inner; k++) {
        const float *x = s->x + i * n * inner + k;
        float *y = s->out + i * n * inner + k;
        float top = -INFINITY;
        double sum = 0;
        for (int64_t c = 0; c < n; c++)
            if (!(x[c * inner] <= top)) top = x[c * inner]; /* a NaN spoils the sum as it should */
        for (int64_t c = 0; c < n; c++) sum += exp((double)x[c * inner] - (double)top);
        const double log_sum = log(sum);
        for (int64_t c = 0; c < n; c++) {
            const double d = (double)x[c * inner] - (double)top;
            y[c * inner] = (float)(s->logarithm ? d - log_sum : exp(d) / sum);
        }
    }
}

void cx_softmax_forward(int log, int64_t outer, int64_t n, int64_t inner, const float *x, float *y)
{
    softmax s = {log, n, inner, x, NULL, NULL, y};
    cx_parallel((int)outer, run_outer, &s);
}

/* dx = y (dy - sum of y dy); of the logarithm, dx = dy - e^y sum of dy. */
static void run_outer_back(void *arg, int i, int worker)
{
    (void)worker;
    const softmax *s = arg;
    const int64_t n = s->n, inner = s->inner;
    for (int64_t k = 0; k < inner; k++) {
        const int64_t first = i * n * inner + k;
        const float *y = s->y + first, *dy = s->dy + first;
        float *dx = s->out + first;
        double sum = 0;
        for (int64_t c = 0; c < n * inner; c += inner)
            sum += s->logarithm ? (double)dy[c] : (double)y[c] * (double)dy[c];
        for (int64_t c = 0; c < n * inner; c += inner)
            dx[c] = (float)(s->logarithm ? (double)dy[c] - exp((double)y[c]) * sum
                                         : (double)y[c] * ((double)dy[c] - sum));
    }
}

void cx_softmax_backward(int log, int64_t outer, int64_t n, int64_t inner, const float *y,
                         const float *dy, float *dx)
{
    softmax s = {log, n, inner, NULL, y, dy, dx};
    cx_parallel((int)outer, run_outer_back, &s);
}
