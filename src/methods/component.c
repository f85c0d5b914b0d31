/* component.c - principal components by power iteration. */
#include "methods/component.h"

#include <math.h>

#include "base/mem.h"

enum { MOST_STEPS = 2000 };

/* Of one row: its product with the direction v, less what all rows have in common. */
static double project(const float *row, const double *mean, const double *v, int64_t k)
{
    double sum = 0;
    for (int64_t c = 0; c < k; c++) sum += ((double)row[c] - mean[c]) * v[c];
    return sum;
}

/* v becomes M'M v, of length 1; gives the length it had. */
static double step(const float *rows, int64_t n, int64_t k, const double *mean, double *v,
                   double *next)
{
    double length = 0;
    for (int64_t c = 0; c < k; c++) next[c] = 0;
    for (int64_t p = 0; p < n; p++) {
        const double s = project(rows + p * k, mean, v, k);
        for (int64_t c = 0; c < k; c++) next[c] += s * ((double)rows[p * k + c] - mean[c]);
    }
    for (int64_t c = 0; c < k; c++) length += next[c] * next[c];
    length = sqrt(length);
    for (int64_t c = 0; c < k; c++) v[c] = length > 0 ? next[c] / length : 0;
    return length;
}

static double sum_of(const float *row, int64_t k)
{
    double sum = 0;
    for (int64_t c = 0; c < k; c++) sum += (double)row[c];
    return sum;
}

int cx_first_component(float *out, const float *rows, int64_t n, int64_t k, const double *along,
                       cvs_error *err)
{
    double *mean = cx_calloc((size_t)k * 3, sizeof *mean);
    if (!mean) return cx_no_memory(err, (size_t)k * 3 * sizeof *mean);
    double *v = mean + k, *next = v + k, length = 0, before, agrees = 0;
    for (int64_t p = 0; p < n; p++)
        for (int64_t c = 0; c < k; c++) mean[c] += (double)rows[p * k + c] / (double)n;
    for (int64_t c = 0; c < k; c++) v[c] = 1 + (double)(c * 7 % 11) / 11;
    for (int i = 0; i < MOST_STEPS; i++) {
        before = length;
        length = step(rows, n, k, mean, v, next);
        if (fabs(length - before) <= 1e-15 * length && i > 50) break;
    }
    for (int64_t p = 0; p < n; p++) {
        const double s = project(rows + p * k, mean, v, k);
        out[p] = (float)s;
        agrees += s * (along ? along[p] : sum_of(rows + p * k, k));
    }
    for (int64_t p = 0; agrees < 0 && p < n; p++) out[p] = -out[p];
    cx_free(mean);
    return 0;
}
