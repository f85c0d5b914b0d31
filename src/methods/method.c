/* method.c - the table of methods, and a question from its beginning to its end. */
#include "methods/method.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tensor/npy.h"

#define METHOD(symbol, file) extern const cx_method cx_method_##symbol;
#include "methods/methods.def"
#undef METHOD

static const cx_method *const table[] = {
#define METHOD(symbol, file) &cx_method_##symbol,
#include "methods/methods.def"
#undef METHOD
};
enum { N_METHODS = sizeof table / sizeof table[0] };

const cx_method *cx_method_find(const char *name, cvs_error *err)
{
    const char *names[N_METHODS];
    for (int i = 0; i < N_METHODS; i++) {
        names[i] = table[i]->about.name;
        if (cx_streq(names[i], name)) return table[i];
    }
    (void)cx_fail(err, CVS_E_ARG, "there is no method \"%.80s\"", name);
    cx_hint_nearest(err, name, names, N_METHODS);
    return NULL;
}

const cvs_method *cvs_method_at(int i)
{
    return i >= 0 && i < N_METHODS ? &table[i]->about : NULL;
}

const cvs_method *cvs_method_find(const char *name, cvs_error *err)
{
    const cx_method *m = cx_method_find(name, err);
    return m ? &m->about : NULL;
}

/* --- a question --- */

/* The input that is explained: the first that is an image, else the first. */
static int explained_input(const cvs_model *m)
{
    for (int i = 0; i < m->n_inputs; i++)
        if (m->nodes[m->inputs[i]].shape.ndim == 4) return i;
    return 0;
}

static int take_inputs(cx_question *q, const cvs_run *run, int slot, cvs_error *err)
{
    const cvs_model *m = q->model;
    q->x = cx_calloc((size_t)m->n_inputs, sizeof *q->x);
    if (!q->x) return cx_no_memory(err, (size_t)m->n_inputs * sizeof *q->x);
    if (!run->planned) return cx_fail(err, CVS_E_ARG, "the run has no input yet");
    for (int i = 0; i < m->n_inputs; i++) {
        const cx_slot *s = &run->slots[m->inputs[i]];
        cx_shape shape = s->shape;
        if (!s->needed) continue;
        if (slot < 0 || slot >= shape.d[0])
            return cx_fail(err, CVS_E_ARG, "the run has no slot %d", slot);
        shape.d[0] = 1;
        q->x[i] = cx_tensor_view(s->y.data + slot * cx_shape_count(&shape), &shape);
    }
    q->input = explained_input(m);
    return 0;
}

/* The mean of each channel of the input, as a whole input. */
static int mean_baseline(float **out, const cx_question *q, cvs_error *err)
{
    const cx_tensor *x = &q->x[q->input];
    const cx_shape *s = &x->shape;
    const int axis = cx_node_channel_axis(q->model, q->model->inputs[q->input]);
    const int64_t n = cx_shape_count(s), after = cx_shape_count_range(s, axis + 1, s->ndim);
    const int64_t channels = s->d[axis];
    float *b = *out = cx_calloc((size_t)n, sizeof *b);
    if (!b) return cx_no_memory(err, (size_t)n * sizeof *b);
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            if (i / after % channels == c) sum += (double)x->data[i];
        for (int64_t i = 0; i < n; i++)
            if (i / after % channels == c) b[i] = (float)(sum * (double)channels / (double)n);
    }
    return 0;
}

static int read_baseline(float **out, const cx_question *q, cvs_error *err)
{
    const int64_t n = cx_shape_count(&q->x[q->input].shape);
    const char *path = q->o->baseline_file;
    cx_tensor t = {0};
    int rc;
    TRY(cx_npy_read(&t, path, err));
    if (cx_shape_count(&t.shape) != n)
        TRY(cx_fail(err, CVS_E_FORMAT, "%s: %lld numbers, but an input of the model has %lld", path,
                    (long long)cx_shape_count(&t.shape), (long long)n));
    *out = cx_calloc((size_t)n, sizeof **out);
    if (!*out) TRY(cx_no_memory(err, (size_t)n * sizeof **out));
    memcpy(*out, t.data, (size_t)n * sizeof **out);
out:
    cx_tensor_deinit(&t);
    return rc;
}

/* What a method has no meaning for is refused, not ignored. */
static int check_options(const cx_question *q, cvs_error *err)
{
    const char *title = q->method->about.title;
    if (q->n_layers > 1 && !q->method->combine)
        return cx_fail(err, CVS_E_UNSUPPORTED, "%s is made from one layer, not from %d", title,
                       q->n_layers);
    if (q->o->counterfactual && (!q->method->combine || q->method->has_no_goal))
        return cx_fail(err, CVS_E_UNSUPPORTED, "%s has no counterfactual map", title);
    return 0;
}

static int ask(cx_question *q, const cvs_run *run, int slot, cvs_error *err)
{
    cvs_explain_options with_baseline = *q->o;
    float *baseline = NULL;
    int rc;
    TRY(take_inputs(q, run, slot, err));
    if (!q->o->baseline && q->o->baseline_file) TRY(read_baseline(&baseline, q, err));
    if (!q->o->baseline && !baseline && q->o->baseline_mean) TRY(mean_baseline(&baseline, q, err));
    if (baseline) {
        with_baseline.baseline = baseline;
        q->o = &with_baseline;
    }
    TRY(cx_goal_init(&q->goal, q->model, q->o, q->method->automatic, err));
    if (q->method->uses_layers) TRY(cx_question_layers(q, run, err));
    TRY(check_options(q, err));
    TRY(q->method->combine ? cx_cam_explain(q, err) : q->method->explain(q, err));
    TRY(cx_diagnose(q, err));
    snprintf(q->e->target, sizeof q->e->target, "%s", q->goal.text);
out:
    cx_free(baseline);
    return rc;
}

int cvs_explain(cvs_explanation **out, const cvs_run *run, int slot,
                const cvs_explain_options *options, cvs_error *err)
{
    const cvs_explain_options defaults = {0};
    cx_question q = {.model = run->model, .o = options ? options : &defaults};
    int rc;
    *out = NULL;
    q.method = cx_method_find(q.o->method ? q.o->method : "gradcam", err);
    if (!q.method) return CVS_E_ARG;
    q.e = cx_calloc(1, sizeof *q.e);
    if (!q.e) return cx_no_memory(err, sizeof *q.e);
    q.e->method = q.method->about.name;
    q.e->is_pixels = q.method->about.is_pixels;
    q.e->is_signed = q.method->about.is_signed;
    q.e->class_index = -1;
    q.e->probability = q.e->residual = NAN;
    q.e->done = 1;
    rc = ask(&q, run, slot, err);
    cx_goal_deinit(&q.goal);
    cx_free(q.x);
    if (rc < 0)
        cvs_explanation_free(q.e);
    else
        *out = q.e;
    return rc;
}

void cvs_explanation_free(cvs_explanation *e)
{
    if (!e) return;
    cx_free(e->data);
    cx_free(e->raw);
    cx_free(e);
}
