/* trust.c - the table of measures, and what they are taken of. */
#include "methods/trust.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "methods/upsample.h"

#define METRIC(symbol, file) extern const cx_metric cx_metric_##symbol;
#include "methods/metrics.def"
#undef METRIC

static const cx_metric *const table[] = {
#define METRIC(symbol, file) &cx_metric_##symbol,
#include "methods/metrics.def"
#undef METRIC
};
enum { N_METRICS = sizeof table / sizeof table[0] };
_Static_assert((int)N_METRICS <= (int)CVS_MAX_METRICS, "cvs_trust has no room for all measures");

const cvs_metric *cvs_metric_at(int i)
{
    return i >= 0 && i < N_METRICS ? &table[i]->about : NULL;
}

/* --- what measures are made of --- */

int cx_subject_score(cx_subject *s, int64_t n, cx_vary *vary, void *arg, double *scores,
                     cvs_error *err)
{
    int64_t done;
    return cx_scorer_run(&s->scorer, &s->q, n, vary, arg, scores, &done, err);
}

float cx_subject_none(const cx_subject *s, int64_t pixel, int64_t c)
{
    return s->none ? s->none[pixel * s->p.cell + c * s->p.channel] : 0;
}

void cx_subject_mask(const cx_subject *s, float *out)
{
    float most = 0;
    for (int64_t i = 0; i < s->n; i++)
        if (s->map[i] > most) most = s->map[i];
    for (int64_t i = 0; i < s->n; i++) out[i] = s->map[i] > 0 ? s->map[i] / most : 0;
}

int cx_subject_ask(cvs_explanation **out, const cx_subject *s, const cvs_model *m, const float *x,
                   cvs_error *err)
{
    const cx_question *q = &s->q;
    cvs_run *run = NULL;
    int rc;
    *out = NULL;
    TRY(cx_run_new(&run, m ? m : q->model, 1, q->o->exact, err));
    cx_run_keep(run, q->model->outputs[q->goal.output]);
    TRY(cx_run_plan(run, err));
    TRY(cx_question_feed(q, run, 1, err));
    const size_t n = (size_t)(s->n * s->p.channels);
    if (x) memcpy(cx_run_input(run, q->input, 0, 1)->data, x, n * sizeof *x);
    TRY(cvs_explain(out, run, 0, &s->how, err));
out:
    cvs_run_free(run);
    return rc;
}

/* --- the map --- */

typedef struct rated {
    float value;
    int64_t pixel;
} rated;

/* The largest first; NaN last; equal ones in their order. */
static int by_value(const void *a, const void *b)
{
    const rated *x = a, *y = b;
    const float v = isnan(x->value) ? -INFINITY : x->value;
    const float w = isnan(y->value) ? -INFINITY : y->value;
    if (v > w || v < w) return v > w ? -1 : 1;
    return x->pixel < y->pixel ? -1 : x->pixel > y->pixel;
}

static int put_in_order(cx_subject *s, const float *v, cvs_error *err)
{
    rated *r = cx_calloc((size_t)s->n, sizeof *r);
    s->order = cx_calloc((size_t)s->n, sizeof *s->order);
    if (!r || !s->order) {
        cx_free(r);
        return cx_no_memory(err, (size_t)s->n * sizeof *r);
    }
    for (int64_t i = 0; i < s->n; i++) r[i] = (rated){v[i], i};
    qsort(r, (size_t)s->n, sizeof *r, by_value);
    for (int64_t i = 0; i < s->n; i++) s->order[i] = r[i].pixel;
    cx_free(r);
    return 0;
}

/* The map at the input's size. Where the numbers below 0 were cut off, they still say which of two
 * pixels is worth less. */
static int lay_map(cx_subject *s, cvs_error *err)
{
    const cvs_explanation *e = s->t->explanation;
    const cx_picture *p = &s->p;
    float *shown = NULL, *whole = NULL;
    int rc;
    TRY(cx_explanation_places(&shown, &s->is_signed, e, err));
    s->map = cx_calloc((size_t)s->n, sizeof *s->map);
    whole = cx_calloc((size_t)s->n, sizeof *whole);
    if (!s->map || !whole) TRY(cx_no_memory(err, (size_t)s->n * sizeof *s->map));
    cx_upsample(shown, 1, e->height, e->width, s->map, p->height, p->width);
    cx_upsample(e->raw ? e->raw : shown, 1, e->height, e->width, whole, p->height, p->width);
    TRY(put_in_order(s, whole, err));
out:
    cx_free(shown);
    cx_free(whole);
    return rc;
}

/* A map that knows nothing: cells of random numbers, about as coarse as those of networks. */
static int make_control(cvs_trust *t, const cvs_explain_options *how, cvs_error *err)
{
    enum { SIDE = 14 };
    const uint64_t stream = cx_random_stream(how->seed, 0xc0);
    cvs_explanation *e = t->explanation = cx_calloc(1, sizeof *e);
    if (!e) return cx_no_memory(err, sizeof *e);
    e->data = cx_calloc((size_t)SIDE * SIDE, sizeof *e->data);
    if (!e->data) return cx_no_memory(err, (size_t)SIDE * SIDE * sizeof *e->data);
    for (int i = 0; i < SIDE * SIDE; i++)
        e->data[i] = (float)cx_random_uniform(stream, (uint64_t)i);
    e->method = t->method = "random";
    e->height = e->width = SIDE;
    e->channels = 1;
    e->class_index = how->has_class ? how->class_index : -1;
    e->probability = e->residual = NAN;
    e->done = 1;
    return 0;
}

/* --- the whole --- */

static const cx_method nobody = {
    .about = {.name = "evaluate", .title = "evaluating"},
    .automatic = CVS_TARGET_PROBABILITY,
};

/* What is measured is the probability of the class that was explained, whichever number that was
 * explained by; of a control, of the predicted class. */
static int open_subject(cx_subject *s, const cvs_explain_options *how, cvs_error *err)
{
    enum { MOST = 256 }; /* that are ever asked for at once */
    int rc;
    s->how = *how;
    s->how.progress = NULL;
    if (s->t->explanation->class_index >= 0) {
        s->how.has_class = 1;
        s->how.class_index = s->t->explanation->class_index;
    }
    s->probability = s->how;
    s->probability.target = CVS_TARGET_PROBABILITY;
    s->q = (cx_question){
        .model = s->run->model, .o = &s->probability, .method = &nobody, .e = &s->said};
    TRY(cx_question_open(&s->q, s->run, s->slot, err));
    s->x = s->q.x[s->q.input].data;
    s->none = s->q.o->baseline;
    TRY(cx_picture_of(&s->p, &s->q, err));
    s->n = s->p.height * s->p.width;
    TRY(lay_map(s, err));
    TRY(cx_scorer_init(&s->scorer, &s->q, -1, MOST, err));
    s->t->score = s->said.score;
    s->t->class_index = s->said.class_index;
out:
    return rc;
}

static void close_subject(cx_subject *s)
{
    cx_scorer_deinit(&s->scorer);
    cx_question_close(&s->q);
    cx_free(s->map);
    cx_free(s->order);
}

static void take_all_away(void *arg, int64_t i, float *item)
{
    const cx_subject *s = arg;
    (void)i;
    for (int64_t k = 0; k < s->n; k++)
        for (int64_t c = 0; c < s->p.channels; c++)
            item[k * s->p.cell + c * s->p.channel] = cx_subject_none(s, k, c);
}

static void find_range(cx_subject *s)
{
    float low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < s->n * s->p.channels; i++) {
        low = fminf(low, s->x[i]);
        high = fmaxf(high, s->x[i]);
    }
    s->range = high > low ? high - low : 0;
}

/* Whether measure i is asked for and makes sense here. */
static int is_wanted(const cx_subject *s, int i)
{
    const cvs_method *m = cvs_method_find(s->t->method, NULL);
    if (table[i]->about.asks_again && s->o->is_control) return 0;
    if (s->o->metrics) return (int)(s->o->metrics >> i & 1);
    return !table[i]->about.asks_again || !m || !m->is_slow;
}

static int measure_all(cx_subject *s, const cvs_explain_options *how, cvs_error *err)
{
    int rc;
    find_range(s);
    TRY(cx_subject_score(s, 1, take_all_away, s, &s->t->nothing, err));
    for (int i = 0; i < N_METRICS; i++) {
        if (!is_wanted(s, i)) continue;
        TRY(table[i]->measure(s, &s->t->value[i], err));
        const double done = (double)(i + 1) / N_METRICS;
        if (!how->progress || how->progress(how->progress_arg, done) == 0) continue;
        s->t->done = done;
        break;
    }
    rc = 0;
out:
    return rc;
}

static void forget_maps(cvs_trust *t)
{
    cvs_explanation_free(t->explanation);
    t->explanation = NULL;
    for (int i = 0; i < t->n_depths; i++) {
        cvs_explanation_free(t->depths[i].explanation);
        t->depths[i].explanation = NULL;
    }
}

int cvs_evaluate(cvs_trust **out, const cvs_run *run, int slot, const cvs_explain_options *how,
                 const cvs_trust_options *options, cvs_error *err)
{
    const cvs_explain_options plain = {0};
    const cvs_trust_options all = {0};
    cx_subject s = {.run = run, .slot = slot, .o = options ? options : &all};
    cvs_trust *t = s.t = cx_calloc(1, sizeof *t);
    int rc;
    *out = NULL;
    if (!t) return cx_no_memory(err, sizeof *t);
    if (!how) how = &plain;
    t->done = 1;
    for (int i = 0; i < CVS_MAX_METRICS; i++) t->value[i] = NAN;
    if (s.o->is_control)
        TRY(make_control(t, how, err));
    else
        TRY(cvs_explain(&t->explanation, run, slot, how, err));
    t->method = t->explanation->method;
    TRY(open_subject(&s, how, err));
    TRY(measure_all(&s, how, err));
    if (s.o->numbers_only) forget_maps(t);
    *out = t;
out:
    close_subject(&s);
    if (rc < 0) cvs_trust_free(t);
    return rc;
}

void cvs_trust_free(cvs_trust *t)
{
    if (!t) return;
    forget_maps(t);
    cx_free(t->share);
    cx_free(t);
}
