/* question.c - what methods are made of: runs on copies of the input, the answer's memory, notes
 * and progress. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "graph/tail.h"
#include "methods/method.h"

enum { BUDGET = 512 << 20 };

int cx_question_feed(const cx_question *q, cvs_run *run, int batch, cvs_error *err)
{
    const cvs_model *m = q->model;
    int rc = 0;
    for (int i = 0; i < m->n_inputs; i++) {
        cx_shape shape = q->x[i].shape;
        if (!q->x[i].data) continue;
        shape.d[0] = batch;
        TRY(cx_run_set_shape(run, i, &shape, err));
    }
    for (int i = 0; i < m->n_inputs; i++) {
        const size_t n = (size_t)cx_shape_count(&q->x[i].shape);
        if (!q->x[i].data) continue;
        cx_tensor *x = cx_run_input(run, i, 0, batch);
        for (int b = 0; x->data && b < batch; b++)
            memcpy(x->data + (size_t)b * n, q->x[i].data, n * sizeof *x->data);
    }
    run->done = 0;
out:
    return rc;
}

cx_spot cx_question_source(const cx_question *q)
{
    return (cx_spot){q->model->inputs[q->input], 0};
}

int cx_question_gradient(cx_gradient **out, const cx_question *q, const cx_spot *from, int n_from,
                         int batch, cvs_error *err)
{
    const cx_gradient_options o = {.batch = batch,
                                   .exact = q->o->exact,
                                   .to = &q->goal.spot,
                                   .n_to = 1,
                                   .from = from,
                                   .n_from = n_from,
                                   .keep = q->model->outputs[q->goal.output]};
    int rc;
    TRY(cx_gradient_new(out, q->model, &o, err));
    TRY(cx_question_feed(q, (*out)->run, batch, err));
out:
    if (rc < 0) {
        cx_gradient_free(*out);
        *out = NULL;
    }
    return rc;
}

/* What the model says of the class, whichever way it was explained. */
static double probability_of(const cx_goal *g, const cx_tensor *y)
{
    cx_goal as_given = *g;
    if (g->no_class || g->places > 1) return NAN;
    as_given.logit = 0;
    return cx_goal_value(&as_given, y, 0);
}

/* Choose the goal's class and tell what the model says of it. */
static int settle(cx_question *q, const cvs_run *run, const cx_tensor *value, cvs_error *err)
{
    int rc = cx_goal_choose(&q->goal, value, 0, err);
    if (rc < 0) return rc;
    q->e->class_index = q->goal.class_index;
    q->e->score = cx_goal_value(&q->goal, value, 0);
    q->e->probability = probability_of(&q->goal, &run->slots[q->model->outputs[q->goal.output]].y);
    return 0;
}

int cx_question_forward(cx_question *q, cx_gradient *g, cvs_error *err)
{
    const cx_tensor *value;
    int rc;
    TRY(cx_gradient_forward(g, err));
    value = cx_gradient_value(g, 0);
    TRY(settle(q, g->run, value, err));
    for (int b = 0; b < value->shape.d[0]; b++) cx_goal_seed(&q->goal, cx_gradient_seed(g, 0), b);
out:
    return rc;
}

int cx_question_run(cvs_run **out, cx_question *q, int tail, cvs_error *err)
{
    cvs_run *run;
    int rc;
    TRY(cx_run_new(&run, q->model, 1, q->o->exact, err));
    cx_run_keep(run, q->model->outputs[q->goal.output]);
    cx_run_keep(run, q->goal.spot.node);
    if (q->goal.spot.linear) cx_run_keep_linear(run, q->goal.spot.node);
    if (tail >= 0) TRY(cx_tail_keep(run, tail, &q->goal.spot, err));
    TRY(cx_run_plan(run, err));
    TRY(cx_question_feed(q, run, 1, err));
    TRY(cvs_run_forward(run, err));
    TRY(settle(q, run, cx_spot_value(run, &q->goal.spot), err));
out:
    *out = rc < 0 ? NULL : run;
    if (rc < 0) cvs_run_free(run);
    return rc;
}

/* --- the answer --- */

static int make_answer(cx_question *q, int64_t height, int64_t width, int64_t channels,
                       cvs_error *err)
{
    cvs_explanation *e = q->e;
    const size_t n = (size_t)(height * width * channels);
    cx_free(e->data);
    e->height = height;
    e->width = width;
    e->channels = channels;
    e->data = cx_calloc(n, sizeof *e->data);
    return e->data ? 0 : cx_no_memory(err, n * sizeof *e->data);
}

int cx_answer_map(cx_question *q, int64_t height, int64_t width, cvs_error *err)
{
    return make_answer(q, height, width, 1, err);
}

int cx_answer_pixels(cx_question *q, cvs_error *err)
{
    cx_stack s;
    int rc;
    TRY(cx_stack_of(&s, q->model, cx_question_source(q).node, &q->x[q->input], 0, err));
    rc = make_answer(q, s.height, s.width, s.channels, err);
    cx_stack_deinit(&s);
out:
    return rc;
}

int cx_answer_fill(cx_question *q, const cx_tensor *t, int slot, cvs_error *err)
{
    cx_stack s;
    int rc;
    TRY(cx_answer_pixels(q, err));
    TRY(cx_stack_of(&s, q->model, cx_question_source(q).node, t, slot, err));
    memcpy(q->e->data, s.data, (size_t)(s.height * s.width * s.channels) * sizeof(float));
    cx_stack_deinit(&s);
out:
    return rc;
}

int cx_answer_cut_off(cx_question *q, cvs_error *err)
{
    cvs_explanation *e = q->e;
    const int64_t n = e->height * e->width;
    e->is_signed = q->o->is_signed;
    if (e->is_signed) return 0;
    e->raw = cx_calloc((size_t)n, sizeof *e->raw);
    if (!e->raw) return cx_no_memory(err, (size_t)n * sizeof *e->raw);
    memcpy(e->raw, e->data, (size_t)n * sizeof *e->raw);
    for (int64_t p = 0; p < n; p++)
        if (e->data[p] < 0) e->data[p] = 0;
    return 0;
}

void cx_answer_note(cx_question *q, const char *format, ...)
{
    char *notes = q->e->notes;
    const size_t at = strlen(notes);
    va_list args;
    va_start(args, format);
    vsnprintf(notes + at, sizeof q->e->notes - at, format, args);
    va_end(args);
    const size_t end = strlen(notes);
    if (end + 1 < sizeof q->e->notes) {
        notes[end] = '\n';
        notes[end + 1] = 0;
    }
}

int cx_question_go_on(cx_question *q, double done)
{
    if (!q->o->progress || q->o->progress(q->o->progress_arg, done) == 0) return 1;
    q->e->done = done;
    return 0;
}

int cx_question_batch(const cx_question *q, size_t bytes, int64_t n)
{
    const size_t budget = q->o->memory ? q->o->memory : BUDGET;
    const int64_t fit = bytes ? (int64_t)(budget / bytes) : n;
    return (int)(fit < 1 ? 1 : fit < n ? fit : n < 1 ? 1 : n);
}
