/* method.c - the table of methods, and a question from its beginning to its end. */
#include "methods/method.h"

#include <math.h>
#include <stdio.h>

#include "base/str.h"

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

/* What a method has no meaning for is refused, not ignored. */
static int check_options(const cx_question *q, cvs_error *err)
{
    const int is_cam = cx_method_is_cam(q->method);
    const char *title = q->method->about.title;
    if (q->n_layers > 1 && !is_cam && q->method->scales < 2)
        return cx_fail(err, CVS_E_UNSUPPORTED, "%s is made from one layer, not from %d", title,
                       q->n_layers);
    if (q->o->counterfactual && (!is_cam || q->method->has_no_goal))
        return cx_fail(err, CVS_E_UNSUPPORTED, "%s has no counterfactual map", title);
    if (q->o->eigen_smooth && !(q->method->weigh || q->method->part || q->method->weighs_channels))
        return cx_fail(err, CVS_E_UNSUPPORTED,
                       "%s has no channels whose first component could be taken", title);
    if (q->o->aug_smooth && !q->method->uses_layers)
        return cx_fail(err, CVS_E_UNSUPPORTED,
                       "%s is no class activation map that could be smoothed by augmentation",
                       title);
    return 0;
}

static int explain_once(cx_question *q, cvs_error *err)
{
    return cx_method_is_cam(q->method) ? cx_cam_explain(q, err) : q->method->explain(q, err);
}

static int ask(cx_question *q, const cvs_run *run, int slot, cvs_error *err)
{
    int rc;
    TRY(cx_question_open(q, run, slot, err));
    if (q->method->uses_layers) TRY(cx_question_layers(q, run, err));
    TRY(check_options(q, err));
    TRY(q->o->aug_smooth ? cx_augment(q, explain_once, err) : explain_once(q, err));
    TRY(cx_diagnose(q, err));
    snprintf(q->e->target, sizeof q->e->target, "%s", q->goal.text);
out:
    cx_question_close(q);
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
    cx_free(e->weights);
    cx_free(e);
}
