/* cmd_report.c - convscope report: everything on one page. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/explain.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/work.h"

enum { PATTERNS = 8 }; /* a layer, with --filters */

typedef struct report {
    cx_job *job;
    cx_work work;
    cx_asked asked;
    cx_inputs files;
    int per;          /* inputs of the model */
    cvs_input **data; /* `per` of them for each entry; owned */
    cvs_report_input *entries;
    int n;
    cx_progress progress;
    char what[300];
    int is_begun; /* 1: a layer's progress is shown */
} report;

/* --- inputs --- */

/* The files of one entry. What cannot be read is told and left out. */
static int read_entry(report *r, const char *name, const char *const *files, cvs_error *err)
{
    cvs_input **data = r->data + (size_t)r->n * (size_t)r->per;
    int rc = 0;
    for (int k = 0; rc == 0 && k < r->per; k++)
        rc = cvs_input_load(&data[k], files[k], r->job->options->exif, err);
    if (rc == 0) {
        r->entries[r->n++] = (cvs_report_input){name, (const cvs_input *const *)data};
        return 0;
    }
    for (int k = 0; k < r->per; k++) {
        cvs_input_free(data[k]);
        data[k] = NULL;
    }
    if (rc == CVS_E_NOMEM) return rc;
    cx_complain(r->job, err);
    return 0;
}

static int read_inputs(report *r, cvs_error *err)
{
    int rc;
    TRY(cx_inputs_init(&r->files, r->job, err));
    TRY(cx_work_choose_files(&r->work, r->job, err));
    r->per = cvs_model_input_count(r->work.model);
    r->data = cx_calloc((size_t)r->files.n * (size_t)r->per + 1, sizeof *r->data);
    r->entries = cx_calloc((size_t)r->files.n + 1, sizeof *r->entries);
    if (!r->data || !r->entries) TRY(cx_no_memory(err, (size_t)r->files.n * sizeof *r->entries));
    for (int i = 0; i < r->files.n; i++) {
        if (r->n == CVS_REPORT_INPUTS) {
            cx_note(r->job,
                    "%s and what comes after it is left out: a report has room for %d inputs",
                    r->files.paths[i], CVS_REPORT_INPUTS);
            break;
        }
        const char *one = r->files.paths[i];
        cvs_error bad = {0};
        rc = read_entry(r, one, r->work.files ? r->work.files : &one, &bad);
        if (rc < 0 && err) *err = bad;
        TRY(rc);
    }
out:
    return rc;
}

/* --- progress --- */

static int tell(void *arg, const char *what, double done)
{
    report *r = arg;
    if (!r->is_begun || strcmp(what, r->what) != 0) {
        if (r->is_begun) cx_progress_end(&r->progress);
        snprintf(r->what, sizeof r->what, "%s", what);
        cx_progress_begin(&r->progress, r->job, r->what);
        r->is_begun = 1;
    }
    return cx_progress_tell(&r->progress, done);
}

/* --- what is told --- */

static void complain(report *r, const cx_json *input)
{
    cvs_error bad;
    const char *failure = cx_json_string(cx_json_get(input, "failure"), NULL);
    if (!failure) return;
    cx_fail(&bad, CVS_E_FORMAT, "%s", failure);
    cx_complain(r->job, &bad);
}

static int print(report *r, const cx_json *index, cvs_error *err)
{
    const cx_json *inputs = cx_json_get(index, "inputs"), *left = cx_json_get(index, "left_out");
    cx_table table = {.align = "llr"};
    cx_str text = {0};
    int rc;
    for (size_t i = 0; i < cx_json_size(inputs); i++) {
        const cx_json *input = cx_json_at(inputs, i);
        const cx_json *top = cx_json_at(cx_json_get(input, "top"), 0);
        if (!top) continue;
        cx_table_add(&table, cx_json_string(cx_json_get(input, "input"), ""));
        cx_table_add(&table, cx_json_string(cx_json_get(top, "name"), ""));
        cx_table_addf(&table, "%.4g", cx_json_number(cx_json_get(top, "score"), 0));
    }
    for (size_t i = 0; i < cx_json_size(left); i++)
        cx_note(r->job, "left out: %s", cx_json_string(cx_json_at(left, i), ""));
    cx_table_text(&text, &table, "");
    TRY(cx_str_ok(&text, err));
    if (text.data) fputs(text.data, stdout);
    printf("%s: open it in a browser\n", cx_json_string(cx_json_get(index, "report"), ""));
out:
    cx_table_deinit(&table);
    cx_str_deinit(&text);
    return rc;
}

/* --- the command --- */

static int write_page(report *r, char **json, cvs_error *err)
{
    const cx_options *o = r->job->options;
    const char *methods[CX_MAX_METHODS];
    const int has_classes = r->asked.n_classes > 0 && r->asked.classes[0] >= 0;
    for (int i = 0; i < r->asked.n_methods; i++) methods[i] = r->asked.methods[i]->name;
    const cvs_report_options how = {.model = r->job->model,
                                    .layers = o->layers,
                                    .methods = r->asked.n_methods > 0 ? methods : NULL,
                                    .n_methods = r->asked.n_methods,
                                    .classes = has_classes ? r->asked.classes : NULL,
                                    .n_classes = has_classes ? r->asked.n_classes : 0,
                                    .explain = &r->asked.how,
                                    .names = r->asked.names,
                                    .image = &r->work.image,
                                    .patterns = o->with_patterns ? PATTERNS : 0,
                                    .progress = tell,
                                    .progress_arg = r};
    int rc = cvs_report_write(json, r->work.model, r->entries, r->n, o->out, &how, err);
    if (r->is_begun) cx_progress_end(&r->progress);
    return rc;
}

static void deinit(report *r)
{
    for (int i = 0; r->data && i < r->files.n * r->per; i++) cvs_input_free(r->data[i]);
    cx_free(r->data);
    cx_free(r->entries);
    cx_inputs_deinit(&r->files);
    cx_asked_deinit(&r->asked);
    cx_work_deinit(&r->work);
}

int cx_cmd_report(cx_job *job, cvs_error *err)
{
    const cx_options *o = job->options;
    report r = {.job = job};
    char *json = NULL;
    cx_json *index = NULL;
    int rc;
    TRY(cx_asked_methods(&r.asked, job, err));
    r.work.image =
        (cvs_image_options){(cvs_preprocess)o->preprocess, (cvs_resize)o->resize, o->exif};
    TRY(cx_work_load(&r.work.model, job, err));
    TRY(cx_asked_init(&r.asked, job, r.work.model, err));
    TRY(read_inputs(&r, err));
    if (r.n == 0) goto out; /* why, has been told */
    TRY(write_page(&r, &json, err));
    TRY(cx_json_parse(&index, json, strlen(json), err));
    const cx_json *inputs = cx_json_get(index, "inputs");
    for (size_t i = 0; i < cx_json_size(inputs); i++) complain(&r, cx_json_at(inputs, i));
    if (o->json)
        fputs(json, stdout);
    else if (!o->quiet)
        TRY(print(&r, index, err));
out:
    cx_json_free(index);
    cvs_free(json);
    deinit(&r);
    return rc;
}
