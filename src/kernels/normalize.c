/* normalize.c - rows of numbers brought to a common measure: sums in double, rows shared out to
 * threads. */
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

typedef struct job {
    cx_norm how;
    int64_t rows, n, step;
    double epsilon;
    const float *x;
    float *y;
} job;

static void normalize_row(const job *j, const float *x, float *y)
{
    const int centred = j->how == CX_STANDARDIZE, about_mean = centred || j->how == CX_BY_DEVIATION;
    const double mean = about_mean ? mean_of(j->n, x) : 0, squares = squares_of(j->n, x, mean);
    double measure = squares / (double)j->n + j->epsilon;
    if (j->how == CX_BY_LENGTH) measure = squares < j->epsilon ? j->epsilon : squares;
    const double scale = 1 / sqrt(measure), shift = centred ? mean : 0;
    for (int64_t i = 0; i < j->n; i++) y[i] = (float)(((double)x[i] - shift) * scale);
}

static void run_rows(void *arg, int i, int worker)
{
    (void)worker;
    const job *j = arg;
    const int64_t from = i * j->step, to = from + j->step < j->rows ? from + j->step : j->rows;
    for (int64_t r = from; r < to; r++) normalize_row(j, j->x + r * j->n, j->y + r * j->n);
}

void cx_normalize_forward(cx_norm how, int64_t rows, int64_t n, double epsilon, const float *x,
                          float *y)
{
    if (rows < 1 || n < 1) return;
    job j = {how, rows, n, 1 + CHUNK / n, epsilon, x, y};
    cx_parallel((int)((rows + j.step - 1) / j.step), run_rows, &j);
}
