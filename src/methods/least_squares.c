/* least_squares.c - by the normal equations and Cholesky's factors, in double: the rows here are
 * zeros and ones, so that squaring the condition does no harm. */
#include "methods/least_squares.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"

int cx_least_squares_init(cx_least_squares *out, int n, cvs_error *err)
{
    *out = (cx_least_squares){.n = n};
    out->a = cx_calloc((size_t)n * (size_t)n, sizeof *out->a);
    out->b = cx_calloc((size_t)n, sizeof *out->b);
    if (out->a && out->b) return 0;
    cx_least_squares_deinit(out);
    return cx_no_memory(err, (size_t)n * (size_t)n * sizeof *out->a);
}

void cx_least_squares_deinit(cx_least_squares *s)
{
    cx_free(s->a);
    cx_free(s->b);
    *s = (cx_least_squares){0};
}

void cx_least_squares_add(cx_least_squares *s, const double *row, double y, double weight)
{
    for (int i = 0; i < s->n; i++) {
        const double part = weight * row[i];
        if (part == 0) continue;
        for (int j = 0; j <= i; j++) s->a[i * s->n + j] += part * row[j];
        s->b[i] += part * y;
    }
}

/* A becomes L with L L' = A; an unknown that follows from those before it gets a pivot of 0. */
static void factor(cx_least_squares *s)
{
    const int n = s->n;
    for (int j = 0; j < n; j++) {
        const double whole = s->a[j * n + j];
        double pivot = whole;
        for (int k = 0; k < j; k++) pivot -= s->a[j * n + k] * s->a[j * n + k];
        pivot = pivot > 1e-12 * whole ? sqrt(pivot) : 0;
        s->a[j * n + j] = pivot;
        for (int i = j + 1; i < n; i++) {
            double v = s->a[i * n + j];
            for (int k = 0; k < j; k++) v -= s->a[i * n + k] * s->a[j * n + k];
            s->a[i * n + j] = pivot > 0 ? v / pivot : 0;
        }
    }
}

void cx_least_squares_solve(cx_least_squares *s, double ridge, int free, double *out)
{
    const int n = s->n;
    for (int i = 0; i < n - free; i++) s->a[i * n + i] += ridge;
    factor(s);
    for (int i = 0; i < n; i++) {
        const double pivot = s->a[i * n + i];
        double v = s->b[i];
        for (int k = 0; k < i; k++) v -= s->a[i * n + k] * out[k];
        out[i] = pivot > 0 ? v / pivot : 0;
    }
    for (int i = n - 1; i >= 0; i--) {
        const double pivot = s->a[i * n + i];
        double v = out[i];
        for (int k = i + 1; k < n; k++) v -= s->a[k * n + i] * out[k];
        out[i] = pivot > 0 ? v / pivot : 0;
    }
}
