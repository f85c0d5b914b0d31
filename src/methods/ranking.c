/* ranking.c - methods compared over many inputs: means, how sure they are, and ranks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "methods/trust.h"

enum { RESAMPLES = 2000 };

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The mean of the n finite numbers among `values`, and the percentiles 2.5 and 97.5 of the means of
 * samples of them with replacement. `room` has RESAMPLES + n. */
static cvs_estimate estimate(const double *values, int n, uint64_t stream, double *room)
{
    cvs_estimate e = {NAN, NAN, NAN, 0};
    double *there = room + RESAMPLES, sum = 0;
    for (int i = 0; i < n; i++)
        if (isfinite(values[i])) sum += there[e.n++] = values[i];
    if (e.n > 0) e.mean = sum / e.n;
    if (e.n < 2) return e;
    for (int r = 0; r < RESAMPLES; r++) {
        sum = 0;
        for (int i = 0; i < e.n; i++)
            sum += there[cx_random_below(stream, (uint64_t)r * (uint64_t)e.n + (uint64_t)i, e.n)];
        room[r] = sum / e.n;
    }
    qsort(room, RESAMPLES, sizeof *room, by_value);
    e.low = room[RESAMPLES / 40];
    e.high = room[RESAMPLES - 1 - RESAMPLES / 40];
    return e;
}

/* --- ranks --- */

/* The rank of method m on one input by one measure: 1 and one more for each that is better, half
 * for each that is equal. NAN where it has no value. */
static double rank_of(const cvs_trust *const *row, int n_methods, int m, int metric)
{
    const int sign = cvs_metric_at(metric)->more_is_better ? 1 : -1;
    if (!row[m] || !isfinite(row[m]->value[metric])) return NAN;
    const double own = sign * row[m]->value[metric];
    double rank = 1;
    for (int k = 0; k < n_methods; k++) {
        if (k == m || !row[k] || !isfinite(row[k]->value[metric])) continue;
        const double other = sign * row[k]->value[metric];
        rank += other > own ? 1 : other < own ? 0 : 0.5;
    }
    return rank;
}

/* The mean rank over the measures that rank. */
static double mean_rank(const cvs_trust *const *row, int n_methods, int m)
{
    double sum = 0;
    int n = 0;
    for (int k = 0; cvs_metric_at(k); k++) {
        const double rank = cvs_metric_at(k)->ranks ? rank_of(row, n_methods, m, k) : NAN;
        if (!isfinite(rank)) continue;
        sum += rank;
        n++;
    }
    return n ? sum / n : NAN;
}

int cvs_trust_compare(cvs_standing *out, const cvs_trust *const *trusts, int n_inputs,
                      int n_methods, uint64_t seed, cvs_error *err)
{
    if (n_inputs < 1 || n_methods < 1)
        return cx_fail(err, CVS_E_ARG, "%d methods on %d inputs", n_methods, n_inputs);
    const size_t n = (size_t)n_inputs;
    double *values = cx_calloc(2 * n + RESAMPLES, sizeof *values);
    if (!values) return cx_no_memory(err, (2 * n + RESAMPLES) * sizeof *values);
    double *room = values + n;
    for (int m = 0; m < n_methods; m++) {
        out[m] = (cvs_standing){0};
        for (int i = 0; i < n_inputs; i++) {
            const cvs_trust *t = trusts[i * n_methods + m];
            if (t && !out[m].method) out[m].method = t->method;
            values[i] = mean_rank(trusts + (ptrdiff_t)i * n_methods, n_methods, m);
        }
        /* The same inputs are drawn for all methods. */
        out[m].rank = estimate(values, n_inputs, seed, room);
        for (int k = 0; k < CVS_MAX_METRICS; k++) {
            for (int i = 0; i < n_inputs; i++) {
                const cvs_trust *t = trusts[i * n_methods + m];
                values[i] = t ? t->value[k] : NAN;
            }
            out[m].metric[k] = estimate(values, n_inputs, seed, room);
        }
    }
    cx_free(values);
    return 0;
}
