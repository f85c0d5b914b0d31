/* cmd_evaluate.c - convscope evaluate: how far methods' heatmaps can be believed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/explain.h"
#include "cli/index.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/work.h"

typedef struct evaluation {
    cx_job *job;
    cx_work work;
    cx_asked asked;
    cx_inputs inputs;
    cvs_trust_options how;
    const char **files; /* of the inputs that could be read; borrowed */
    const cvs_trust *
        *trusts;     /* a row an input: the methods, then chance; owned with what is in it */
    char **failures; /* the same */
    int n, columns;
    cvs_standing *standings; /* owned */
} evaluation;

/* --- what is asked --- */

static int read_metrics(evaluation *e, cvs_error *err)
{
    const char *list = e->job->options->metrics, *names[CVS_MAX_METRICS];
    int n = 0;
    while (cvs_metric_at(n)) {
        names[n] = cvs_metric_at(n)->name;
        n++;
    }
    for (const char *at = list; at && *at;) {
        const size_t length = strcspn(at, ",");
        int found = -1;
        for (int i = 0; i < n; i++)
            if (strlen(names[i]) == length && strncmp(at, names[i], length) == 0) found = i;
        if (found < 0) {
            char word[64];
            snprintf(word, sizeof word, "%.*s", (int)(length < 63 ? length : 63), at);
            int rc = cx_fail(err, CVS_E_ARG, "there is no measure \"%s\"", word);
            cx_hint_nearest(err, word, names, n);
            return cx_where(err, rc, "--metrics");
        }
        e->how.metrics |= 1u << found;
        at += length + (at[length] == ',');
    }
    return 0;
}

/* The mask of an input: the file itself, or of a folder the one that is called like the input,
 * whatever its ending. */
static int read_mask(cvs_input **out, const evaluation *e, const char *input, cvs_error *err)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg", ".webp"};
    const char *path = e->job->options->mask, *base = cx_base_name(input);
    const char *dot = strrchr(base, '.');
    const int length = dot ? (int)(dot - base) : (int)strlen(base);
    struct stat st;
    cx_str name = {0};
    int rc = 0;
    *out = NULL;
    if (!path) return 0;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return cx_at_file(err, cvs_input_load(out, path, 0, err), path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        cx_str_deinit(&name);
        cx_str_addf(&name, "%s/%.*s%s", path, length, base, endings[i]);
        TRY(cx_str_ok(&name, err));
        if (stat(name.data, &st) == 0) break;
    }
    if (stat(name.data, &st) == 0) {
        TRY(cvs_input_load(out, name.data, 0, err));
    } else {
        cx_note(e->job, "%s: no mask of it in %s", base, path);
    }
out:
    cx_str_deinit(&name);
    return rc;
}

/* --- measuring --- */

/* One method on the input that is set; the last column is chance. A method that cannot explain this
 * model leaves its place empty. */
static int measure(evaluation *e, int k, cvs_error *err)
{
    const int at = e->n * e->columns + k, is_control = k == e->asked.n_methods;
    const cvs_method *m = is_control ? NULL : e->asked.methods[k];
    cvs_explain_options how = e->asked.how;
    cvs_trust *t = NULL;
    cx_progress progress;
    char what[320];
    snprintf(what, sizeof what, "%.200s, %s", cx_base_name(e->files[e->n]),
             m ? m->title : "chance");
    how.method = m ? m->name : NULL;
    how.layers = e->job->options->layer_sets.n > 0 ? e->job->options->layer_sets.item[0] : NULL;
    how.progress = cx_progress_tell;
    how.progress_arg = &progress;
    cx_asked_class(&how, &e->asked, 0);
    e->how.is_control = is_control;
    cx_progress_begin(&progress, e->job, what);
    int rc = cvs_evaluate(&t, e->work.run, 0, &how, &e->how, err);
    cx_progress_end(&progress);
    if (rc < 0 && (e->asked.n_methods == 1 || rc != CVS_E_UNSUPPORTED)) return rc;
    e->trusts[at] = t;
    if (rc == 0) return 0;
    e->failures[at] = cx_strdup(err->what);
    if (e->n == 0) cx_note(e->job, "%s: %s", m ? m->name : "chance", err->what);
    return e->failures[at] ? 0 : cx_no_memory(err, strlen(err->what));
}

/* All methods on one input; a file that cannot be read is complained of and left out. */
static int measure_input(evaluation *e, const char *path, cvs_error *err)
{
    cvs_input *mask = NULL;
    cvs_error bad;
    int rc = cx_work_set(&e->work, e->job, path, &bad);
    if (rc == 0) rc = read_mask(&mask, e, path, &bad);
    if (rc < 0) {
        if (e->inputs.n == 1) {
            *err = bad;
            return rc;
        }
        cx_complain(e->job, &bad);
        return 0;
    }
    e->files[e->n] = path;
    e->how.mask = mask;
    for (int k = 0; k < e->columns; k++) TRY(measure(e, k, err));
    e->n++;
out:
    cvs_input_free(mask);
    return rc;
}

static int measure_all(evaluation *e, cvs_error *err)
{
    const size_t n = (size_t)e->inputs.n * (size_t)e->columns;
    int rc = 0;
    e->files = cx_calloc((size_t)e->inputs.n, sizeof *e->files);
    e->trusts = cx_calloc(n, sizeof *e->trusts);
    e->failures = cx_calloc(n, sizeof *e->failures);
    e->standings = cx_calloc((size_t)e->columns, sizeof *e->standings);
    if (!e->files || !e->trusts || !e->failures || !e->standings)
        return cx_no_memory(err, n * sizeof *e->trusts);
    e->how.numbers_only = e->inputs.n > 1;
    for (int i = 0; i < e->inputs.n && !cx_progress_stopped(); i++)
        TRY(measure_input(e, e->inputs.paths[i], err));
    if (e->n == 0) TRY(cx_fail(err, CVS_E_IO, "there is no input that could be measured"));
    TRY(cvs_trust_compare(e->standings, e->trusts, e->n, e->columns, e->asked.how.seed, err));
    for (int k = 0; k < e->columns; k++)
        if (!e->standings[k].method)
            e->standings[k].method = k < e->asked.n_methods ? e->asked.methods[k]->name : "random";
out:
    return rc;
}

/* --- what is told --- */

/* "0.123", or of several inputs "0.123 ± 0.045": half of the interval. */
static void add_estimate(cx_table *table, const cvs_estimate *v)
{
    if (v->n < 1)
        cx_table_add(table, "");
    else if (v->n < 2)
        cx_table_addf(table, "%.3f", v->mean);
    else
        cx_table_addf(table, "%.3f ± %.3f", v->mean, (v->high - v->low) / 2);
}

static int by_rank(const void *a, const void *b)
{
    const cvs_standing *x = *(const cvs_standing *const *)a, *y = *(const cvs_standing *const *)b;
    const double u = isfinite(x->rank.mean) ? x->rank.mean : INFINITY;
    const double v = isfinite(y->rank.mean) ? y->rank.mean : INFINITY;
    return (u > v) - (u < v);
}

static int was_measured(const evaluation *e, int metric)
{
    for (int k = 0; k < e->columns; k++)
        if (e->standings[k].metric[metric].n > 0) return 1;
    return 0;
}

static int print_table(const evaluation *e, cvs_error *err)
{
    char align[CVS_MAX_METRICS + 3] = "lr";
    cx_table table = {.align = align};
    cx_str text = {0};
    const cvs_metric *m;
    int rc;
    const cvs_standing **sorted = cx_calloc((size_t)e->columns, sizeof *sorted);
    if (!sorted) TRY(cx_no_memory(err, (size_t)e->columns * sizeof *sorted));
    for (int k = 0; k < e->columns; k++) sorted[k] = &e->standings[k];
    qsort(sorted, (size_t)e->columns, sizeof *sorted, by_rank);
    for (int i = 0, column = 2; cvs_metric_at(i); i++)
        if (was_measured(e, i)) align[column++] = 'r';
    cx_table_add(&table, "method");
    cx_table_add(&table, "mean rank");
    for (int i = 0; (m = cvs_metric_at(i)); i++)
        if (was_measured(e, i))
            cx_table_addf(&table, "%s %s", m->name, m->more_is_better ? "↑" : "↓");
    for (int k = 0; k < e->columns; k++) {
        const cvs_standing *s = sorted[k];
        cx_table_add(&table, cx_streq(s->method, "random") ? "(chance)" : s->method);
        add_estimate(&table, &s->rank);
        for (int i = 0; cvs_metric_at(i); i++)
            if (was_measured(e, i)) add_estimate(&table, &s->metric[i]);
    }
    cx_table_text(&text, &table, "");
    if (e->n > 1)
        cx_str_addf(&text, "%d inputs; ± is half of the interval of 95 %% confidence\n", e->n);
    for (int i = 0; (m = cvs_metric_at(i)); i++)
        if (was_measured(e, i)) cx_str_addf(&text, "%s: %s\n", m->name, m->says);
    cx_str_addf(&text, "%s/index.json has all numbers\n", e->job->options->out);
    TRY(cx_str_ok(&text, err));
    fputs(text.data, stdout);
out:
    cx_free(sorted);
    cx_table_deinit(&table);
    cx_str_deinit(&text);
    return rc;
}

/* --- the command --- */

static int write_files(const evaluation *e, cvs_error *err)
{
    const char *dir = e->job->options->out;
    const cvs_trust_write_options how = {.model = e->job->model,
                                         .preprocess = cx_work_preprocess(&e->work),
                                         .inputs = e->files,
                                         .failures = (const char *const *)e->failures,
                                         .photo = e->work.photo,
                                         .classes = e->asked.names};
    int rc = cvs_trust_write(e->trusts, e->n, e->columns, e->standings, dir, &how, err);
    return rc < 0 ? cx_at_file(err, rc, dir) : 0;
}

static void deinit(evaluation *e)
{
    for (int i = 0; e->trusts && i < e->inputs.n * e->columns; i++)
        cvs_trust_free((cvs_trust *)(uintptr_t)e->trusts[i]);
    for (int i = 0; e->failures && i < e->inputs.n * e->columns; i++) cx_free(e->failures[i]);
    cx_free(e->trusts);
    cx_free(e->failures);
    cx_free(e->files);
    cx_free(e->standings);
    cx_inputs_deinit(&e->inputs);
    cx_asked_deinit(&e->asked);
    cx_work_deinit(&e->work);
}

int cx_cmd_evaluate(cx_job *job, cvs_error *err)
{
    const cx_options *o = job->options;
    evaluation e = {.job = job};
    int rc;
    e.how.points = (int)o->points;
    e.how.samples = (int)o->samples;
    TRY(cx_asked_methods(&e.asked, job, err));
    TRY(read_metrics(&e, err));
    TRY(cx_inputs_init(&e.inputs, job, err));
    if (e.inputs.n == 0) TRY(cx_fail(err, CVS_E_IO, "there is no input"));
    TRY(cx_work_init(&e.work, job, NULL, e.inputs.paths[0], err));
    e.work.keep_photo = 1;
    TRY(cx_asked_init(&e.asked, job, e.work.model, err));
    if (e.asked.n_classes > 1)
        TRY(cx_where(err, cx_fail(err, CVS_E_ARG, "one class at a time is evaluated"), "--class"));
    e.columns = e.asked.n_methods + 1;
    TRY(measure_all(&e, err));
    TRY(write_files(&e, err));
    if (o->json)
        TRY(cx_print_index(o->out, err));
    else if (!o->quiet)
        TRY(print_table(&e, err));
out:
    deinit(&e);
    return rc;
}
