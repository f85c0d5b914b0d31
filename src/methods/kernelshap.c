/* kernelshap.c - KernelSHAP (Lundberg and Lee 2017, theorem 2): the Shapley values of the regions
 * as the weighted least squares over choices of k of n of them with the weight
 * (n - 1) / (C(n, k) k (n - k)), under the condition that they add up to what the whole input has
 * over nothing. Few regions: all choices there are. Else choices drawn by that weight, each with
 * its opposite, which halves the noise (Covert and Lee 2021, arXiv:2012.01536). */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "methods/coalitions.h"
#include "methods/least_squares.h"

enum { CHOICES = 2000, ENDS = 2, MOST_LISTED = 20 };

/* How often k of n regions are chosen. */
static double share(int k, int n)
{
    return (n - 1.0) / ((double)k * (n - k));
}

static double ways(int k, int n)
{
    double c = 1;
    for (int i = 1; i <= k; i++) c = c * (n - k + i) / i;
    return c;
}

/* Choices of some but not all, two by two; `i` counts pairs. */
static void list_pair(unsigned char *on, int n, int64_t i)
{
    for (int r = 0; r < n; r++) {
        on[r] = (unsigned char)((i + 1) >> r & 1);
        on[n + r] = !on[r];
    }
}

static void draw_pair(unsigned char *on, int n, uint64_t stream)
{
    double all = 0, at;
    int k = 1;
    for (int j = 1; j < n; j++) all += share(j, n);
    at = cx_random_uniform(stream, 0) * all;
    while (k < n - 1 && at >= share(k, n)) at -= share(k++, n);
    /* Each region is taken with the chance that exactly k are (Knuth, 3.4.2, algorithm S). */
    for (int r = 0, left = k; r < n; r++) {
        on[r] = cx_random_below(stream, (uint64_t)r + 1, n - r) < left;
        on[n + r] = !on[r];
        left -= on[r];
    }
}

/* The first two choices are all and nothing. */
static void choose(cx_coalitions *c, uint64_t seed)
{
    const int n = c->s.n;
    const int lists = n <= MOST_LISTED && ((int64_t)1 << n) <= c->n;
    if (lists) c->n = (int64_t)1 << n;
    memset(c->on, 1, (size_t)n);
    for (int64_t i = ENDS; i + 1 < c->n; i += 2) {
        unsigned char *on = c->on + i * n;
        int k = 0;
        if (lists)
            list_pair(on, n, (i - ENDS) / 2);
        else
            draw_pair(on, n, cx_random_stream(seed, (uint64_t)i));
        for (int r = 0; r < n; r++) k += on[r];
        c->weight[i] = c->weight[i + 1] = lists ? share(k, n) / ways(k, n) : 1;
    }
}

/* The last region's worth is what the others leave of the rise. */
static int fit(cx_coalitions *c, cvs_error *err)
{
    const int n = c->s.n;
    const double nothing = c->score[1], rise = c->score[0] - nothing;
    cx_least_squares s = {0};
    double *row = cx_calloc((size_t)n, sizeof *row), sum = 0;
    int rc = 0;
    if (!row) TRY(cx_no_memory(err, (size_t)n * sizeof *row));
    if (n > 1) TRY(cx_least_squares_init(&s, n - 1, err));
    for (int64_t i = ENDS; i < c->n_scored && n > 1; i++) {
        const unsigned char *on = c->on + i * n;
        const int last = on[n - 1];
        for (int r = 0; r < n - 1; r++) row[r] = on[r] - last;
        cx_least_squares_add(&s, row, c->score[i] - nothing - last * rise, c->weight[i]);
    }
    if (n > 1) cx_least_squares_solve(&s, 0, 0, c->worth);
    for (int r = 0; r < n - 1; r++) sum += c->worth[r];
    c->worth[n - 1] = rise - sum;
out:
    cx_least_squares_deinit(&s);
    cx_free(row);
    return rc;
}

static int explain(cx_question *q, cvs_error *err)
{
    cx_coalitions c = {0};
    int rc;
    TRY(cx_coalitions_init(&c, q, CHOICES + ENDS, ENDS + 2, err));
    choose(&c, q->o->seed);
    TRY(cx_coalitions_score(&c, q, err));
    if (c.n_scored < ENDS) {
        rc = cx_fail(err, CVS_E_ARG, "stopped before anything was measured");
        goto out;
    }
    TRY(fit(&c, err));
    TRY(cx_coalitions_answer(&c, q, c.score[1], err));
    q->e->residual = 0; /* the condition above */
out:
    cx_coalitions_deinit(&c);
    return rc;
}

const cx_method cx_method_kernelshap = {
    .about = {.name = "kernelshap",
              .title = "KernelSHAP",
              .cite =
                  "Lundberg and Lee 2017, A unified approach to interpreting model predictions, "
                  "arXiv:1705.07874",
              .needs = "a picture; --segments, --baseline",
              .cost = "2000 passes forward, or --steps",
              .is_signed = 1,
              .is_slow = 1},
    .automatic = CVS_TARGET_PROBABILITY,
    .explain = explain,
};
