/* lime.c - LIME (Ribeiro et al. 2016): regions are hidden at random, each as often as not, and a
 * weighted sum of what is seen is fitted to the scores, where choices near to the whole input count
 * more: exp(-d² / 0.25²), d the cosine distance to it. */
#include <math.h>

#include "base/random.h"
#include "methods/coalitions.h"
#include "methods/least_squares.h"

enum { CHOICES = 1000, RIDGE = 1 };

#define WIDTH 0.25

/* The first choice is the whole input. */
static void draw(cx_coalitions *c, uint64_t seed)
{
    for (int64_t i = 0; i < c->n; i++)
        for (int r = 0; r < c->s.n; r++)
            c->on[i * c->s.n + r] =
                i == 0 || cx_random_uniform(cx_random_stream(seed, (uint64_t)i), (uint64_t)r) < 0.5;
}

static double nearness(const unsigned char *on, int n)
{
    int seen = 0;
    for (int r = 0; r < n; r++) seen += on[r];
    const double d = (1 - sqrt((double)seen / n)) / WIDTH;
    return exp(-d * d);
}

/* Behind the regions' worth stands that of nothing at all. */
static int fit(cx_coalitions *c, cvs_error *err)
{
    const int n = c->s.n;
    cx_least_squares s = {0};
    double *row = cx_calloc((size_t)n + 1, sizeof *row);
    int rc = 0;
    if (!row) TRY(cx_no_memory(err, ((size_t)n + 1) * sizeof *row));
    TRY(cx_least_squares_init(&s, n + 1, err));
    for (int64_t i = 0; i < c->n_scored; i++) {
        const unsigned char *on = c->on + i * n;
        for (int r = 0; r < n; r++) row[r] = on[r];
        row[n] = 1;
        c->weight[i] = nearness(on, n);
        cx_least_squares_add(&s, row, c->score[i], c->weight[i]);
    }
    cx_least_squares_solve(&s, RIDGE, 1, c->worth);
out:
    cx_least_squares_deinit(&s);
    cx_free(row);
    return rc;
}

static int explain(cx_question *q, cvs_error *err)
{
    cx_coalitions c = {0};
    int rc;
    TRY(cx_coalitions_init(&c, q, CHOICES, 1, err));
    draw(&c, q->o->seed);
    TRY(cx_coalitions_score(&c, q, err));
    TRY(fit(&c, err));
    TRY(cx_coalitions_answer(&c, q, c.worth[c.s.n], err));
out:
    cx_coalitions_deinit(&c);
    return rc;
}

const cx_method cx_method_lime = {
    .about = {.name = "lime",
              .title = "LIME",
              .cite = "Ribeiro et al. 2016, \"Why should I trust you?\", arXiv:1602.04938",
              .needs = "a picture; --segments, --baseline",
              .cost = "1000 passes forward, or --steps",
              .is_signed = 1,
              .is_slow = 1},
    .automatic = CVS_TARGET_PROBABILITY,
    .explain = explain,
};
