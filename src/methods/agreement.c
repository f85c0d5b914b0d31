/* agreement.c - how alike two maps are. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "methods/trust.h"
#include "methods/upsample.h"

typedef struct ranked {
    float size;
    int64_t at;
} ranked;

static int by_size(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    return (x->size > y->size) - (x->size < y->size);
}

/* Ranks of the sizes, equal ones at the mean of their places. */
static void rank_sizes(double *rank, ranked *room, const float *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++) room[i] = (ranked){isnan(v[i]) ? 0 : fabsf(v[i]), i};
    qsort(room, (size_t)n, sizeof *room, by_size);
    for (int64_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && room[end].size <= room[i].size; end++) {
        }
        for (int64_t k = i; k < end; k++) rank[room[k].at] = (double)(i + end - 1) / 2;
    }
}

/* Pearson's, of numbers whose mean is (n - 1) / 2, as that of ranks is. */
static double correlation(const double *a, const double *b, int64_t n)
{
    const double mean = (double)(n - 1) / 2;
    double ab = 0, aa = 0, bb = 0;
    for (int64_t i = 0; i < n; i++) {
        ab += (a[i] - mean) * (b[i] - mean);
        aa += (a[i] - mean) * (a[i] - mean);
        bb += (b[i] - mean) * (b[i] - mean);
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

int cx_rank_correlation(double *out, const float *a, const float *b, int64_t n, cvs_error *err)
{
    double *ranks = cx_calloc((size_t)n * 2, sizeof *ranks);
    ranked *room = cx_calloc((size_t)n, sizeof *room);
    int rc = 0;
    if (!ranks || !room) TRY(cx_no_memory(err, (size_t)n * 2 * sizeof *ranks));
    rank_sizes(ranks, room, a, n);
    rank_sizes(ranks + n, room, b, n);
    *out = correlation(ranks, ranks + n, n);
out:
    cx_free(ranks);
    cx_free(room);
    return rc;
}

/* --- structural similarity --- */

enum { WINDOW = 7 };

typedef struct scale {
    double low, factor; /* to 0 … 1 */
} scale;

static scale scale_of(const float *v, int64_t n)
{
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        low = fmin(low, (double)v[i]);
        high = fmax(high, (double)v[i]);
    }
    return (scale){low, high > low ? 1 / (high - low) : 0};
}

static double in_window(const float *a, scale sa, const float *b, scale sb, int64_t w, int64_t wh,
                        int64_t ww)
{
    const double c1 = 0.01 * 0.01, c2 = 0.03 * 0.03, n = (double)(wh * ww);
    double ma = 0, mb = 0, aa = 0, bb = 0, ab = 0;
    for (int64_t i = 0; i < wh; i++)
        for (int64_t k = 0; k < ww; k++) {
            const double x = ((double)a[i * w + k] - sa.low) * sa.factor;
            const double y = ((double)b[i * w + k] - sb.low) * sb.factor;
            ma += x / n, mb += y / n;
            aa += x * x / n, bb += y * y / n, ab += x * y / n;
        }
    const double va = aa - ma * ma, vb = bb - mb * mb, both = ab - ma * mb;
    return (2 * ma * mb + c1) * (2 * both + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
}

double cx_structural_similarity(const float *a, const float *b, int64_t h, int64_t w)
{
    const scale sa = scale_of(a, h * w), sb = scale_of(b, h * w);
    const int64_t wh = h < WINDOW ? h : WINDOW, ww = w < WINDOW ? w : WINDOW;
    const int64_t rows = h - wh + 1, columns = w - ww + 1;
    double sum = 0;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < columns; k++)
            sum += in_window(a + i * w + k, sa, b + i * w + k, sb, w, wh, ww);
    return sum / (double)(rows * columns);
}
