/* normalize.c - rows of numbers brought to a common measure, and the derivative: sums in double,
 * rows shared out to threads. */
#include <math.h>

#include "base/threads.h"
#include "kernels/kernels.h"

enum {
    LANES = 8,       /* sums side by side, or each addition would wait for the one before */
    CHUNK = 1 << 14, /* numbers a task */
};

static double sum_up(const double sums[LANES])
{
    double sum = 0;
    for (int i = 0; i < LANES; i++) sum += sums[i];
    return sum;
}

static double mean_of(int64_t n, const float *x)
{
    double sums[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) sums[k] += (double)x[i + k];
    for (; i < n; i++) sums[0] += (double)x[i];
    return sum_up(sums) / (double)n;
}

/* Sum of (x - from)^2. */
static double squares_of(int64_t n, const float *x, double from)
{
    double sums[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            const double d = (double)x[i + k] - from;
            sums[k] += d * d;
        }
    for (; i < n; i++) sums[0] += ((double)x[i] - from) * ((double)x[i] - from);
    return sum_up(sums);
}

/* Sum of (x - from) dy. */
static double products_of(int64_t n, const float *x, double from, const float *dy)
{
    double sums[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) sums[k] += ((double)x[i + k] - from) * (double)dy[i + k];
    for (; i < n; i++) sums[0] += ((double)x[i] - from) * (double)dy[i];
    return sum_up(sums);
}

typedef struct job {
    cx_norm how;
    int64_t rows, n, step;
    double epsilon;
    const float *x, *dy; /* dy: NULL forward */
    float *out;          /* y or dx */
} job;

/* y = (x - shift) scale; both follow from x. */
typedef struct measure {
    double mean, shift, scale; /* mean: that the squares are about, or 0 */
    int fixed;                 /* the scale is epsilon's */
} measure;

static measure measure_of(const job *j, const float *x)
{
    const int centred = j->how == CX_STANDARDIZE, about_mean = centred || j->how == CX_BY_DEVIATION;
    const double mean = about_mean ? mean_of(j->n, x) : 0, squares = squares_of(j->n, x, mean);
    const int fixed = j->how == CX_BY_LENGTH && squares < j->epsilon;
    double square = squares / (double)j->n + j->epsilon;
    if (j->how == CX_BY_LENGTH) square = fixed ? j->epsilon : squares;
    return (measure){mean, centred ? mean : 0, 1 / sqrt(square), fixed};
}

static void normalize_row(const job *j, const float *x, float *y)
{
    const measure m = measure_of(j, x);
    for (int64_t i = 0; i < j->n; i++) y[i] = (float)(((double)x[i] - m.shift) * m.scale);
}

/* dx = scale (dy - mean of dy) - scale^3 (x - mean) sum((x - shift) dy) / n; the mean of dy only
 * where x is centred, the n only where the measure is a mean. */
static void derive_row(const job *j, const float *x, const float *dy, float *dx)
{
    const measure m = measure_of(j, x);
    const double share = j->how == CX_BY_LENGTH ? 1 : 1 / (double)j->n;
    const double even = j->how == CX_STANDARDIZE ? mean_of(j->n, dy) : 0;
    const double along =
        m.fixed ? 0 : products_of(j->n, x, m.shift, dy) * m.scale * m.scale * share;
    for (int64_t i = 0; i < j->n; i++)
        dx[i] = (float)(m.scale * ((double)dy[i] - even - ((double)x[i] - m.mean) * along));
}

static void run_rows(void *arg, int i, int worker)
{
    (void)worker;
    const job *j = arg;
    const int64_t from = i * j->step, to = from + j->step < j->rows ? from + j->step : j->rows;
    for (int64_t r = from; r < to; r++) {
        const int64_t at = r * j->n;
        if (j->dy)
            derive_row(j, j->x + at, j->dy + at, j->out + at);
        else
            normalize_row(j, j->x + at, j->out + at);
    }
}

static void run(cx_norm how, int64_t rows, int64_t n, double epsilon, const float *x,
                const float *dy, float *out)
{
    if (rows < 1 || n < 1) return;
    job j = {how, rows, n, 1 + CHUNK / n, epsilon, x, dy, out};
    cx_parallel((int)((rows + j.step - 1) / j.step), run_rows, &j);
}

void cx_normalize_forward(cx_norm how, int64_t rows, int64_t n, double epsilon, const float *x,
                          float *y)
{
    run(how, rows, n, epsilon, x, NULL, y);
}

void cx_normalize_backward(cx_norm how, int64_t rows, int64_t n, double epsilon, const float *x,
                           const float *dy, float *dx)
{
    run(how, rows, n, epsilon, x, dy, dx);
}
