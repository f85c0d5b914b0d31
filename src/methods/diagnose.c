/* diagnose.c - whether a map means what it seems to mean: what is wrong with it, why, and what to
 * try, in words. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "methods/method.h"

/* A probability nearer to its end than this hardly changes with anything. */
#define SATURATED 0.999
/* Variances of one input differ from those of a training set, but seldom by as much as this. */
enum { FAR = 40 };

typedef struct range {
    float low, high;
    int64_t bad; /* numbers that are none */
} range;

static range range_of(const float *v, int64_t n)
{
    range r = {INFINITY, -INFINITY, 0};
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(v[i])) {
            r.bad++;
            continue;
        }
        if (v[i] < r.low) r.low = v[i];
        if (v[i] > r.high) r.high = v[i];
    }
    return r;
}

static int is_saturated(const cx_question *q)
{
    const double p = q->e->probability;
    return !q->goal.logit && isfinite(p) && (p > SATURATED || p < 1 - SATURATED);
}

/* A map of zeros: why? */
static int explain_blank(cx_question *q, cvs_error *err)
{
    cvs_run *run = NULL;
    int rc = 0;
    if (is_saturated(q)) {
        cx_answer_note(q,
                       "the map is 0 everywhere: the probability is saturated at %.6g, where "
                       "nothing changes it: --target logit looks before the final activation",
                       q->e->probability);
        return 0;
    }
    if (q->n_layers == 0) {
        cx_answer_note(q, "the attribution is 0 everywhere: no change of the input changes the "
                          "score here, as when all units on the way are off");
        return 0;
    }
    TRY(cx_question_run(&run, q, q->layers[0], err));
    const cx_tensor *y = &run->slots[q->layers[0]].y;
    const range r = range_of(y->data, cx_shape_count(&y->shape));
    const char *name = q->model->nodes[q->layers[0]].name;
    if (r.low == 0 && r.high == 0)
        cx_answer_note(q,
                       "the map is 0 everywhere: layer \"%s\" is dead for this input, all that it "
                       "gives is 0: look at an earlier layer with --layer",
                       name);
    else
        cx_answer_note(q,
                       "the map is 0 everywhere: the score does not depend on layer \"%s\" for "
                       "this input: what comes after it is off",
                       name);
out:
    cvs_run_free(run);
    return rc;
}

static int look_at_map(cx_question *q, cvs_error *err)
{
    const cvs_explanation *e = q->e;
    const int64_t n = e->height * e->width * e->channels;
    const range r = range_of(e->data, n);
    if (r.bad) {
        cx_answer_note(q,
                       "%lld of %lld values are no numbers: the weights or the input hold NaN or "
                       "infinity, or the network overflows",
                       (long long)r.bad, (long long)n);
        return 0;
    }
    if (r.low == r.high && r.high != 0 && n > 1) {
        cx_answer_note(q, "the map is %g everywhere: it says nothing about where", (double)r.high);
        return 0;
    }
    if (r.high > 0 || r.low < 0) return 0;
    const range raw = e->raw ? range_of(e->raw, n) : r;
    if (raw.low == 0 && raw.high == 0) return explain_blank(q, err);
    cx_answer_note(q, "no positive evidence: all that this layer shows speaks against the class; "
                      "the map is drawn with its sign");
    return 0;
}

/* --- the input's range --- */

static int first_normalization(const cvs_model *m)
{
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_layer *l = &m->layers[m->nodes[i].layer];
        if (m->nodes[i].n_inputs == 1 && l->kind->is_scale_shift) return i;
    }
    return -1;
}

static const cx_weight *weight_of(const cx_layer *l, const char *name)
{
    for (int i = 0; i < l->n_weights; i++)
        if (cx_streq(l->w[i].spec.name, name)) return &l->w[i];
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* How much more a layer's channels vary for this input than for those that the network was trained
 * on: the median over the channels. NAN where that cannot be told. */
static int compare_variance(double *out, const cx_stack *s, const cx_weight *variance,
                            cvs_error *err)
{
    const int64_t n = s->height * s->width, channels = s->channels;
    int64_t count = 0;
    *out = NAN;
    double *ratio = cx_calloc((size_t)channels, sizeof *ratio);
    if (!ratio) return cx_no_memory(err, (size_t)channels * sizeof *ratio);
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < n; i++) {
            const double v = (double)s->data[i * channels + c];
            sum += v;
            squares += v * v;
        }
        const double mean = sum / (double)n, own = squares / (double)n - mean * mean;
        if (variance->data[c] > 0 && own > 0) ratio[count++] = own / (double)variance->data[c];
    }
    qsort(ratio, (size_t)count, sizeof *ratio, by_size);
    if (count > 0) *out = ratio[count / 2];
    cx_free(ratio);
    return 0;
}

/* BatchNormalization remembers what its channels were like in training. */
static int look_at_input(cx_question *q, cvs_error *err)
{
    const cvs_model *m = q->model;
    const cx_tensor *x = &q->x[q->input];
    const int node = first_normalization(m);
    cvs_run *run = NULL;
    cx_stack s = {0};
    double ratio = NAN;
    int rc = 0;
    if (node < 0) return 0;
    const cx_weight *variance = weight_of(&m->layers[m->nodes[node].layer], "moving_variance");
    const int before = m->nodes[node].inputs[0];
    TRY(cx_run_new(&run, m, 1, q->o->exact, err));
    cx_run_keep(run, before);
    TRY(cx_run_plan(run, err));
    TRY(cx_question_feed(q, run, 1, err));
    TRY(cvs_run_forward(run, err));
    TRY(cx_stack_of(&s, m, before, &run->slots[before].y, 0, err));
    if (variance && cx_shape_count(&variance->spec.shape) == s.channels && s.height * s.width > 1)
        TRY(compare_variance(&ratio, &s, variance, err));
    if (ratio > FAR || ratio < 1.0 / FAR) {
        const range r = range_of(x->data, cx_shape_count(&x->shape));
        cx_answer_note(q,
                       "the input lies in %.3g … %.3g, and layer \"%s\" varies %s as much as "
                       "it did in training: the preprocessing may be wrong: try another "
                       "--preprocess",
                       (double)r.low, (double)r.high, m->nodes[before].name,
                       ratio > 1 ? "more than 40 times" : "less than a fortieth");
    }
out:
    cx_stack_deinit(&s);
    cvs_run_free(run);
    return rc;
}

int cx_diagnose(cx_question *q, cvs_error *err)
{
    int rc;
    TRY(look_at_input(q, err));
    TRY(look_at_map(q, err));
out:
    return rc;
}
