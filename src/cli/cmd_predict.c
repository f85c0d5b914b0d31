/* cmd_predict.c - convscope predict: what the model says about each input. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/names.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/pictures.h"
#include "cli/table.h"

typedef struct score {
    double value;
    int64_t index;
} score;

/* What predicting needs besides the run. */
typedef struct prediction {
    cx_job *job;
    cx_work work;
    int layer; /* the output that is shown */
    cvs_layer about;
    int is_sigmoid;      /* that output ends with one */
    cvs_classes *names;  /* NULL: numbers */
    int named;           /* 1 once names were looked for */
    cx_json_writer json; /* with --json: what was not printed yet */
    int answered;        /* 1 once it was begun */
} prediction;

/* NaN goes last; equal scores keep their order. */
static int by_score(const void *a, const void *b)
{
    const score *x = a, *y = b;
    if (isnan(x->value) || isnan(y->value)) {
        if (isnan(x->value) != isnan(y->value)) return isnan(x->value) ? 1 : -1;
    } else if (x->value != y->value)
        return x->value < y->value ? 1 : -1;
    return x->index < y->index ? -1 : 1;
}

/* The scores of all classes, best first. One unit with a sigmoid has two: its number is the score
 * of class 1, which leaves the rest for class 0. */
static int rank(score **out, int64_t *n, const float *data, int64_t size, int is_sigmoid,
                cvs_error *err)
{
    int two = size == 1 && is_sigmoid;
    *n = two ? 2 : size;
    *out = cx_calloc((size_t)*n, sizeof **out);
    if (!*out) return cx_no_memory(err, (size_t)*n * sizeof **out);
    for (int64_t i = 0; i < *n; i++) (*out)[i] = (score){two ? 0 : (double)data[i], i};
    if (two) {
        (*out)[1].value = (double)data[0];
        (*out)[0].value = 1 - (double)data[0];
    }
    qsort(*out, (size_t)*n, sizeof **out, by_score);
    return 0;
}

static const char *name_of(const prediction *p, int64_t index)
{
    return p->names ? cvs_classes_name(p->names, (int)index) : NULL;
}

static int flush_json(prediction *p, cvs_error *err)
{
    char *text;
    const int rc = cx_json_take(&text, &p->json, err);
    if (rc == 0) fputs(text, stdout);
    cx_free(text);
    return rc;
}

/* What stands before the first answer. The preprocessing is known by then. */
static void begin_json(prediction *p)
{
    if (p->answered) return;
    p->answered = 1;
    cx_json_open(&p->json, NULL, '{');
    cx_json_add_string(&p->json, "model", cvs_model_name(p->work.model));
    cx_json_add_string(&p->json, "preprocess", cx_work_preprocess(&p->work));
    cx_json_open(&p->json, "inputs", '[');
}

/* An answer is printed when it is there: of thousands none is kept. */
static int print_json(prediction *p, const char *input, const float *data, int64_t size,
                      const int64_t *dims, int ndim, const score *best, int64_t top, cvs_error *err)
{
    cx_json_writer *w = &p->json;
    begin_json(p);
    cx_json_open(w, NULL, '{');
    cx_json_add_string(w, "input", input);
    cx_json_add_string(w, "output", p->about.name);
    cx_json_add_ints(w, "shape", dims, ndim);
    cx_json_open(w, "scores", '[');
    for (int64_t i = 0; i < size; i++) cx_json_add_number(w, NULL, (double)data[i]);
    cx_json_close(w, ']');
    cx_json_open(w, "top", '[');
    for (int64_t i = 0; i < top; i++) {
        cx_json_open(w, NULL, '{');
        cx_json_add_int(w, "index", best[i].index);
        cx_json_add_string(w, "name", name_of(p, best[i].index));
        cx_json_add_number(w, "score", best[i].value);
        cx_json_close(w, '}');
    }
    cx_json_close(w, ']');
    cx_json_close(w, '}');
    return flush_json(p, err);
}

static int end_json(prediction *p, cvs_error *err)
{
    begin_json(p);
    cx_json_close(&p->json, ']');
    cx_json_close(&p->json, '}');
    cx_str_add(&p->json.text, "\n");
    return flush_json(p, err);
}

static int print_scores(const prediction *p, const char *input, const score *best, int64_t top,
                        cvs_error *err)
{
    cx_table table = {.align = p->names ? "rrl" : "rr"};
    cx_str text = {0};
    int small = 1, rc;
    for (int64_t i = 0; i < top; i++) small &= !(fabs(best[i].value) > 1);
    cx_table_add(&table, "score");
    cx_table_add(&table, "class");
    if (p->names) cx_table_add(&table, "name");
    for (int64_t i = 0; i < top; i++) {
        cx_table_addf(&table, small ? "%.4f" : "%.6g", best[i].value);
        cx_table_addf(&table, "%lld", (long long)best[i].index);
        if (p->names) cx_table_add(&table, name_of(p, best[i].index));
    }
    cx_str_addf(&text, "%s\n", input);
    cx_table_text(&text, &table, "  ");
    TRY(cx_str_ok(&text, err));
    fputs(text.data, stdout);
out:
    cx_table_deinit(&table);
    cx_str_deinit(&text);
    return rc;
}

/* An output with positions (of a fully convolutional model) is no list of classes. */
static int print_map(const prediction *p, const char *input, const cvs_run *run, int slot,
                     cvs_error *err)
{
    cvs_stats s;
    int rc;
    TRY(cvs_run_stats(&s, NULL, NULL, run, p->layer, slot, err));
    printf("%s\n  %lld values, min %.6g, max %.6g, mean %.6g\n", input, (long long)s.count, s.min,
           s.max, s.mean);
out:
    return rc;
}

/* Tell the output for one input of a batch. `shape` is that input's, 1 first. */
static int tell(prediction *p, const char *input, const cvs_run *run, int slot, const float *data,
                const int64_t *shape, int ndim, cvs_error *err)
{
    int64_t size = 1, n = 0;
    score *best = NULL;
    int rc = 0;
    for (int i = 1; i < ndim; i++) size *= shape[i];
    data += slot * size;
    if (ndim <= 2) {
        TRY(rank(&best, &n, data, size, p->is_sigmoid, err));
        if (!p->named) TRY(cx_names_load(&p->names, p->job, n, err));
        p->named = 1;
    }
    int64_t top = p->job->options->top < n ? p->job->options->top : n;
    if (p->job->options->json)
        TRY(print_json(p, input, data, size, shape, ndim, best, top, err));
    else if (best)
        TRY(print_scores(p, input, best, top, err));
    else
        TRY(print_map(p, input, run, slot, err));
out:
    cx_free(best);
    return rc;
}

/* A tensor file can hold several inputs: these are told one by one, numbered from 0. */
static int look(void *arg, const char *path, const cvs_run *run, int slot, cvs_error *err)
{
    prediction *p = arg;
    const float *data;
    int64_t shape[CVS_MAX_DIMS];
    int ndim, rc;
    cx_str label = {0};
    TRY(cvs_run_activation(&data, shape, &ndim, run, p->layer, err));
    const int batch = (int)shape[0];
    shape[0] = 1;
    if (slot >= 0) return tell(p, path, run, slot, data, shape, ndim, err);
    for (slot = 0; slot < batch; slot++) {
        cx_str_deinit(&label);
        cx_str_add(&label, path);
        if (batch > 1) cx_str_addf(&label, "[%d]", slot);
        TRY(cx_str_ok(&label, err));
        TRY(tell(p, label.data, run, slot, data, shape, ndim, err));
    }
out:
    cx_str_deinit(&label);
    return rc;
}

int cx_cmd_predict(cx_job *job, cvs_error *err)
{
    prediction p = {.job = job, .layer = -1};
    cx_inputs inputs = {0};
    int rc;
    TRY(cx_inputs_init(&inputs, job, err));
    TRY(cx_work_init(&p.work, job, NULL, inputs.n ? inputs.paths[0] : NULL, err));
    int output;
    TRY(cx_output_choose(&output, job, p.work.model, err));
    p.layer = cvs_model_output(p.work.model, output);
    TRY(cvs_model_layer(&p.about, p.work.model, p.layer, err));
    p.is_sigmoid = cx_streq(cvs_model_output_activation(p.work.model, output), "sigmoid");
    TRY(cx_pictures_each(&p.work, job, &inputs, &(cx_pictures){look, &p, .outputs_alone = 1}, err));
    if (job->options->json) TRY(end_json(&p, err));
out:
    cx_str_deinit(&p.json.text);
    cvs_classes_free(p.names);
    cx_inputs_deinit(&inputs);
    cx_work_deinit(&p.work);
    return rc < 0 ? rc : 0;
}
