/* noisy.c - gradients at noisy copies of the input: their mean (SmoothGrad), mean square
 * (SquareGrad) and variance (VarGrad). The noise is a share of the input's range: an absolute one
 * would mean something else for inputs of 0 … 255 than for -1 … 1. */
#include <math.h>

#include "base/random.h"
#include "methods/sweep.h"

enum { DRAWS = 50 };
#define SHARE 0.15 /* of the range, the noise's deviation */

typedef struct draws {
    const float *noise; /* given, one input after the other; or NULL */
    uint64_t seed;
    int64_t n; /* numbers of an input */
    double deviation;
    double *sum, *squares;
} draws;

static void add_noise(void *arg, int64_t i, float *item)
{
    const draws *d = arg;
    const uint64_t stream = cx_random_stream(d->seed, (uint64_t)i);
    for (int64_t k = 0; k < d->n; k++)
        item[k] += d->noise ? d->noise[i * d->n + k]
                            : (float)(d->deviation * cx_random_normal(stream, (uint64_t)k));
}

static void add_gradient(void *arg, int64_t i, const float *gradient, int64_t n)
{
    draws *d = arg;
    (void)i;
    for (int64_t k = 0; k < n; k++) {
        const double g = (double)gradient[k];
        d->sum[k] += g;
        d->squares[k] += g * g;
    }
}

typedef double statistic(double sum, double squares, double n);

static int draw(cx_question *q, statistic *of, cvs_error *err)
{
    const cx_tensor *x = &q->x[q->input];
    const int64_t n = cx_shape_count(&x->shape);
    const int64_t wanted = q->o->steps > 0 ? q->o->steps : DRAWS;
    draws d = {.noise = q->o->noise, .seed = q->o->seed, .n = n};
    float low = INFINITY, high = -INFINITY;
    cx_tensor result = {0};
    int64_t done;
    int rc;
    for (int64_t i = 0; i < n; i++) {
        low = fminf(low, x->data[i]);
        high = fmaxf(high, x->data[i]);
    }
    d.deviation = SHARE * ((double)high - (double)low);
    d.sum = cx_calloc((size_t)n * 2, sizeof *d.sum);
    if (!d.sum) return cx_no_memory(err, (size_t)n * 2 * sizeof *d.sum);
    d.squares = d.sum + n;
    TRY(cx_sweep(q, wanted, add_noise, add_gradient, &d, NULL, &done, err));
    TRY(cx_tensor_init(&result, &x->shape, err));
    for (int64_t i = 0; i < n; i++)
        result.data[i] = (float)of(d.sum[i], d.squares[i], (double)done);
    TRY(cx_answer_fill(q, &result, 0, err));
out:
    cx_tensor_deinit(&result);
    cx_free(d.sum);
    return rc;
}

static double mean(double sum, double squares, double n)
{
    (void)squares;
    return sum / n;
}

static double mean_square(double sum, double squares, double n)
{
    (void)sum;
    return squares / n;
}

static double variance(double sum, double squares, double n)
{
    const double v = squares / n - sum / n * (sum / n);
    return v > 0 ? v : 0;
}

#define NOISY(symbol, word, heading, paper, sign, function)         \
    static int explain_##symbol(cx_question *q, cvs_error *err)     \
    {                                                               \
        return draw(q, function, err);                              \
    }                                                               \
    const cx_method cx_method_##symbol = {                          \
        .about = {.name = word,                                     \
                  .title = heading,                                 \
                  .cite = paper,                                    \
                  .needs = "nothing",                               \
                  .cost = "50 passes forward and back, or --steps", \
                  .is_pixels = 1,                                   \
                  .is_signed = sign,                                \
                  .shows_size = 1},                                 \
        .automatic = CVS_TARGET_LOGIT,                              \
        .explain = explain_##symbol,                                \
    }

NOISY(smoothgrad, "smoothgrad", "SmoothGrad", "Smilkov et al. 2017, SmoothGrad, arXiv:1706.03825",
      1, mean);
NOISY(squaregrad, "squaregrad", "SquareGrad",
      "Hooker et al. 2018, A Benchmark for Interpretability Methods, arXiv:1806.10758", 0,
      mean_square);
NOISY(vargrad, "vargrad", "VarGrad",
      "Adebayo et al. 2018, Sanity Checks for Saliency Maps, arXiv:1810.03292", 0, variance);
