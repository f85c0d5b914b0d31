/* coalitions.c - regions seen and hidden. */
#include "methods/coalitions.h"

#include <math.h>

enum { REGIONS = 50 };

static float *at(const cx_picture *p, float *x, int64_t pixel, int64_t c)
{
    return x + pixel * p->cell + c * p->channel;
}

/* hidden: the mean of each channel of each region. */
static int hide_by_means(cx_coalitions *k, cvs_error *err)
{
    const int64_t pixels = k->p.height * k->p.width;
    double *sum = cx_calloc((size_t)k->s.n * 2, sizeof *sum);
    if (!sum) return cx_no_memory(err, (size_t)k->s.n * 2 * sizeof *sum);
    double *count = sum + k->s.n;
    for (int64_t i = 0; i < pixels; i++) count[k->s.region[i]]++;
    for (int64_t c = 0; c < k->p.channels; c++) {
        for (int r = 0; r < k->s.n; r++) sum[r] = 0;
        for (int64_t i = 0; i < pixels; i++)
            sum[k->s.region[i]] += (double)*at(&k->p, k->hidden, i, c);
        for (int64_t i = 0; i < pixels; i++) {
            const int r = k->s.region[i];
            *at(&k->p, k->hidden, i, c) = (float)(sum[r] / count[r]);
        }
    }
    cx_free(sum);
    return 0;
}

int cx_coalitions_init(cx_coalitions *out, cx_question *q, int64_t usual, int64_t least,
                       cvs_error *err)
{
    const cx_tensor *x = &q->x[q->input];
    const int64_t numbers = cx_shape_count(&x->shape);
    const int64_t asked = q->o->steps > 0 ? q->o->steps : usual;
    int rc;
    *out = (cx_coalitions){.n = asked > least ? asked : least};
    TRY(cx_picture_of(&out->p, q, err));
    TRY(cx_superpixels_find(&out->s, &out->p, x->data,
                            q->o->segments > 0 ? q->o->segments : REGIONS, err));
    out->hidden = cx_calloc((size_t)numbers, sizeof *out->hidden);
    out->on = cx_calloc((size_t)out->n, (size_t)out->s.n);
    out->weight = cx_calloc((size_t)out->n, sizeof *out->weight);
    out->worth = cx_calloc((size_t)out->s.n + 1, sizeof *out->worth);
    out->score = cx_calloc((size_t)out->n, sizeof *out->score);
    if (!out->hidden || !out->on || !out->weight || !out->worth || !out->score)
        TRY(cx_no_memory(err, (size_t)out->n * (size_t)out->s.n));
    for (int64_t i = 0; i < numbers; i++)
        out->hidden[i] = q->o->baseline ? q->o->baseline[i] : x->data[i];
    if (!q->o->baseline) TRY(hide_by_means(out, err));
out:
    return rc;
}

void cx_coalitions_deinit(cx_coalitions *c)
{
    cx_superpixels_deinit(&c->s);
    cx_free(c->hidden);
    cx_free(c->on);
    cx_free(c->weight);
    cx_free(c->worth);
    cx_free(c->score);
    *c = (cx_coalitions){0};
}

static void hide(void *arg, int64_t i, float *item)
{
    const cx_coalitions *k = arg;
    const unsigned char *on = k->on + i * k->s.n;
    for (int64_t pixel = 0; pixel < k->p.height * k->p.width; pixel++) {
        if (on[k->s.region[pixel]]) continue;
        for (int64_t c = 0; c < k->p.channels; c++)
            *at(&k->p, item, pixel, c) = *at(&k->p, k->hidden, pixel, c);
    }
}

int cx_coalitions_score(cx_coalitions *c, cx_question *q, cvs_error *err)
{
    cx_scorer scorer = {0};
    int rc;
    TRY(cx_scorer_init(&scorer, q, -1, c->n, err));
    TRY(cx_scorer_run(&scorer, q, c->n, hide, c, c->score, &c->n_scored, err));
out:
    cx_scorer_deinit(&scorer);
    return rc;
}

/* From 0 to 1. */
static double fit_of(const cx_coalitions *c, double base)
{
    const double *weight = c->weight;
    double mean = 0, whole = 0, varies = 0, missed = 0;
    for (int64_t i = 0; i < c->n_scored; i++) {
        mean += weight[i] * c->score[i];
        whole += weight[i];
    }
    mean /= whole;
    for (int64_t i = 0; i < c->n_scored; i++) {
        double miss = c->score[i] - base;
        for (int r = 0; r < c->s.n; r++)
            if (c->on[i * c->s.n + r]) miss -= c->worth[r];
        missed += weight[i] * miss * miss;
        varies += weight[i] * (c->score[i] - mean) * (c->score[i] - mean);
    }
    return varies > 0 ? fmax(0, 1 - missed / varies) : 1;
}

int cx_coalitions_answer(const cx_coalitions *c, cx_question *q, double base, cvs_error *err)
{
    const double fit = fit_of(c, base);
    int rc;
    TRY(cx_answer_map(q, c->p.height, c->p.width, err));
    for (int64_t i = 0; i < c->p.height * c->p.width; i++)
        q->e->data[i] = (float)c->worth[c->s.region[i]];
    cx_answer_note(
        q, "a sum over %d regions explains %.0f %% of what hiding them does%s", c->s.n, 100 * fit,
        fit < 0.5 ? ": the regions work together, so that none has a worth of its own" : "");
    if (c->n_scored < c->s.n)
        cx_answer_note(q,
                       "%lld choices do not tell %d regions apart: more --steps or fewer "
                       "--segments are wanted",
                       (long long)c->n_scored, c->s.n);
out:
    return rc;
}
