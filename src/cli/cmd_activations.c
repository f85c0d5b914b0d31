/* cmd_activations.c - convscope activations: every layer's activation, as pictures or numbers. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"
#include "cli/index.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/table.h"
#include "cli/work.h"

enum {
    FIGURES = 3, /* columns behind a file's name */
};

/* "DIR/NAME", the caller's to cx_free(). */
static int join(char **out, const char *dir, const char *name, cvs_error *err)
{
    cx_str s = {0};
    cx_str_addf(&s, "%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", name);
    return cx_str_take(out, &s, err);
}

/* A shape as Python writes a tuple. */
static void add_shape(cx_table *table, const cvs_written *w)
{
    char text[192];
    size_t len = 0;
    for (int i = 0; i < w->ndim && len < sizeof text - 32; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%lld", i ? ", " : "",
                                (long long)w->shape[i]);
    text[len] = 0;
    cx_table_addf(table, "(%s)", text);
}

static int add_file(cx_table *table, const char *dir, const char *name, cvs_error *err)
{
    char *path;
    int rc = join(&path, dir, name, err);
    if (rc == 0) cx_table_add(table, path);
    cx_free(path);
    return rc;
}

static void add_figures(cx_table *table, const cvs_written *w)
{
    add_shape(table, w);
    cx_table_addf(table, "%lld of %lld", (long long)w->dead_channels, (long long)w->channels);
    cx_table_addf(table, "%.1f %%", 100 * w->stats.sparsity);
}

static void add_blanks(cx_table *table)
{
    for (int i = 0; i < FIGURES; i++) cx_table_add(table, "");
}

/* A row for each file of a layer, the figures in the first; a layer without a file of its own (all
 * are in one .npz) goes by its name. */
static int add_layer(cx_table *table, const cvs_model *model, const cvs_written *w, const char *dir,
                     cvs_error *err)
{
    cvs_layer layer;
    int rc = 0;
    if (w->picture[0]) {
        TRY(add_file(table, dir, w->picture, err));
    } else if (w->numbers[0]) {
        TRY(add_file(table, dir, w->numbers, err));
    } else {
        TRY(cvs_model_layer(&layer, model, w->layer, err));
        cx_table_add(table, layer.name);
    }
    add_figures(table, w);
    if (w->picture[0] && w->numbers[0]) {
        TRY(add_file(table, dir, w->numbers, err));
        add_blanks(table);
    }
out:
    return rc;
}

/* Tell which files there are now and what is in them. */
static int print_files(const cx_job *job, const cvs_model *model, const cvs_written *written, int n,
                       cvs_error *err)
{
    static const char *const titles[] = {"file", "shape", "dead", "sparsity"};
    const char *dir = job->options->out;
    cx_table table = {.align = "llrr"};
    cx_str text = {0};
    int rc = 0;
    for (int i = 0; i < 1 + FIGURES; i++) cx_table_add(&table, titles[i]);
    for (int i = 0; i < n; i++) TRY(add_layer(&table, model, &written[i], dir, err));
    if (job->options->formats & CVS_WRITE_NPZ) {
        TRY(add_file(&table, dir, "activations.npz", err));
        add_blanks(&table);
    }
    TRY(add_file(&table, dir, "index.json", err));
    add_blanks(&table);
    cx_table_text(&text, &table, "");
    TRY(cx_str_ok(&text, err));
    fputs(text.data, stdout);
out:
    cx_table_deinit(&table);
    cx_str_deinit(&text);
    return rc;
}

/* A tensor file can hold a batch, of which one input is drawn. */
static int note_batch(const cx_job *job, const cvs_run *run, const char *input, cvs_error *err)
{
    const float *data;
    int64_t dims[CVS_MAX_DIMS];
    int ndim, rc;
    TRY(cvs_run_activation(&data, dims, &ndim, run, cvs_run_tap(run, 0), err));
    if (dims[0] > 1) cx_note(job, "%s: the first of its %lld inputs", input, (long long)dims[0]);
out:
    return rc;
}

static int check(const cx_options *o, cvs_error *err)
{
    if (!o->channel_scale || o->style == CVS_STYLE_DEFAULT) return 0;
    int rc = cx_fail(err, CVS_E_ARG, "style %s has a scale of its own", cvs_style_name(o->style));
    cx_hint(err, "--scale goes with --style %s", cvs_style_name(CVS_STYLE_DEFAULT));
    return cx_where(err, rc, "--scale");
}

/* Compute and write; the layers are the caller's to cvs_free(). */
static int write_files(cvs_written **out, int *n, const cx_job *job, cx_work *work,
                       const char *input, cvs_error *err)
{
    const cx_options *o = job->options;
    const cvs_write_options how = {o->formats,
                                   (cvs_style)o->style,
                                   o->channel_scale,
                                   .input = input,
                                   .preprocess =
                                       work->took_picture ? cx_work_preprocess(work) : "none",
                                   .model = job->model};
    const double start = cx_seconds();
    const int rc = cvs_activations_compute(out, n, work->run, 0, o->out, &how, err);
    if (rc < 0 && strncmp(err->where, o->out, strlen(o->out)) != 0)
        return cx_work_failed(err, rc, input);
    if (rc == 0)
        cx_detail(job, "%s: computed and written in %.1f ms", input, 1e3 * (cx_seconds() - start));
    return rc;
}

int cx_cmd_activations(cx_job *job, cvs_error *err)
{
    const cx_options *o = job->options;
    const char *input = job->inputs[0];
    char *label = NULL;
    cx_work work = {0};
    cvs_written *written = NULL;
    int rc, n = 0;
    TRY(check(o, err));
    if (o->inputs.n > 0) {
        TRY(cx_inputs_label(&label, job, err));
        input = label;
    }
    TRY(cx_work_init(&work, job, o->layers, input, err));
    TRY(cx_work_set(&work, job, input, err));
    TRY(write_files(&written, &n, job, &work, input, err));
    TRY(note_batch(job, work.run, input, err));
    if (o->json)
        TRY(cx_print_index(o->out, err));
    else if (!o->quiet)
        TRY(print_files(job, work.model, written, n, err));
out:
    cvs_free(written);
    cx_work_deinit(&work);
    cx_free(label);
    return rc;
}
