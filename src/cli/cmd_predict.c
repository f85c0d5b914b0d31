/* cmd_predict.c - convscope predict: what the model says about each input. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/inputs.h"
#include "cli/names.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/work.h"

typedef struct score {
    double value;
    int64_t index;
} score;

/* What predicting needs besides the run, and the JSON answer as it grows. */
typedef struct prediction {
    cx_job *job;
    cx_work work;
    int layer; /* the output that is shown */
    cvs_layer about;
    int is_sigmoid;     /* that output ends with one */
    cvs_classes *names; /* NULL: numbers */
    int named;          /* 1 once names were looked for */
    cx_json *answers;   /* NULL unless --json */
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

static void add_json(const prediction *p, const char *input, const float *data, int64_t size,
                     const int64_t *dims, int ndim, const score *best, int64_t top)
{
    cx_json *answer = cx_json_object(), *scores = cx_json_array(), *list = cx_json_array();
    cx_json_put(answer, "input", cx_json_of_string(input));
    cx_json_put(answer, "output", cx_json_of_string(p->about.name));
    cx_json_put(answer, "shape", cx_json_of_ints(dims, ndim));
    for (int64_t i = 0; i < size; i++) cx_json_push(scores, cx_json_of_number((double)data[i]));
    cx_json_put(answer, "scores", scores);
    for (int64_t i = 0; i < top; i++) {
        cx_json *entry = cx_json_object();
        cx_json_put(entry, "index", cx_json_of_int(best[i].index));
        cx_json_put(entry, "name", cx_json_of_string(name_of(p, best[i].index)));
        cx_json_put(entry, "score", cx_json_of_number(best[i].value));
        cx_json_push(list, entry);
    }
    cx_json_put(answer, "top", list);
    cx_json_push(p->answers, answer);
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
static int print_map(const prediction *p, const char *input, int slot, cvs_error *err)
{
    cvs_stats s;
    int rc;
    TRY(cvs_run_stats(&s, NULL, NULL, p->work.run, p->layer, slot, err));
    printf("%s\n  %lld values, min %.6g, max %.6g, mean %.6g\n", input, (long long)s.count, s.min,
           s.max, s.mean);
out:
    return rc;
}

/* Tell the output for one input of a batch. `shape` is that input's, 1 first. */
static int tell(prediction *p, const char *input, int slot, const float *data, const int64_t *shape,
                int ndim, cvs_error *err)
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
    if (p->answers)
        add_json(p, input, data, size, shape, ndim, best, top);
    else if (best)
        TRY(print_scores(p, input, best, top, err));
    else
        TRY(print_map(p, input, slot, err));
out:
    cx_free(best);
    return rc;
}

/* A tensor file can hold several inputs: these are told one by one, numbered from 0. */
static int tell_all(prediction *p, const char *input, cvs_error *err)
{
    const float *data;
    int64_t shape[CVS_MAX_DIMS];
    int ndim, rc;
    cx_str label = {0};
    TRY(cvs_run_activation(&data, shape, &ndim, p->work.run, p->layer, err));
    const int batch = (int)shape[0];
    shape[0] = 1;
    for (int slot = 0; slot < batch; slot++) {
        cx_str_deinit(&label);
        cx_str_add(&label, input);
        if (batch > 1) cx_str_addf(&label, "[%d]", slot);
        TRY(cx_str_ok(&label, err));
        TRY(tell(p, label.data, slot, data, shape, ndim, err));
    }
out:
    cx_str_deinit(&label);
    return rc;
}

/* Print the JSON answer, which takes p->answers over. */
static int print_json(prediction *p, cvs_error *err)
{
    cx_json *root = cx_json_object();
    char *text;
    cx_json_put(root, "model", cx_json_of_string(cvs_model_name(p->work.model)));
    cx_json_put(root, "preprocess", cx_json_of_string(cx_work_preprocess(&p->work)));
    cx_json_put(root, "inputs", p->answers);
    p->answers = NULL;
    int rc = cx_json_print(&text, root, err);
    if (rc == 0) fputs(text, stdout);
    cx_free(text);
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
    if (job->options->json) p.answers = cx_json_array();
    for (int i = 0; i < inputs.n; i++) {
        cvs_error bad;
        if (cx_work_compute(&p.work, job, inputs.paths[i], &bad) < 0)
            cx_complain(job, &bad);
        else
            TRY(tell_all(&p, inputs.paths[i], err));
    }
    if (job->options->json) TRY(print_json(&p, err));
out:
    cx_json_free(p.answers);
    cvs_classes_free(p.names);
    cx_inputs_deinit(&inputs);
    cx_work_deinit(&p.work);
    return rc;
}
