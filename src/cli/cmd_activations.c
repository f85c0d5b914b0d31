/* cmd_activations.c - convscope activations: every layer's activation, as pictures or numbers. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/table.h"
#include "cli/work.h"

enum {
    MAX_INDEX = 256 << 20, /* bytes of an index.json that we wrote ourselves */
    FIGURES = 3,           /* columns behind a file's name */
};

/* "DIR/NAME", the caller's to cx_free(). */
static int join(char **out, const char *dir, const char *name, cvs_error *err)
{
    cx_str s = {0};
    cx_str_addf(&s, "%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", name);
    return cx_str_take(out, &s, err);
}

static int read_index(cx_bytes *out, const char *dir, cvs_error *err)
{
    char *path;
    *out = (cx_bytes){0};
    int rc = join(&path, dir, "index.json", err);
    if (rc == 0) rc = cx_file_read(out, path, MAX_INDEX, err);
    cx_free(path);
    return rc;
}

/* A shape as Python writes a tuple. */
static void add_shape(cx_table *table, const cx_json *shape)
{
    char text[192];
    size_t len = 0;
    for (size_t i = 0; i < cx_json_size(shape) && len < sizeof text - 32; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%lld", i ? ", " : "",
                                (long long)cx_json_int(cx_json_at(shape, i), -1));
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

static void add_figures(cx_table *table, const cx_json *layer)
{
    const cx_json *shape = cx_json_get(layer, "shape");
    add_shape(table, shape);
    cx_table_addf(table, "%lld of %lld",
                  (long long)cx_json_int(cx_json_get(layer, "dead_channels"), 0),
                  (long long)cx_json_int(cx_json_at(shape, cx_json_size(shape) - 1), 0));
    cx_table_addf(table, "%.1f %%", 100 * cx_json_number(cx_json_get(layer, "sparsity"), 0));
}

static void add_blanks(cx_table *table)
{
    for (int i = 0; i < FIGURES; i++) cx_table_add(table, "");
}

/* A row for each file of a layer, the figures in the first; a layer without a file of its own (all
 * are in one .npz) goes by its name. */
static int add_layer(cx_table *table, const cx_json *layer, const char *dir, cvs_error *err)
{
    const char *picture = cx_json_string(cx_json_get(layer, "picture"), NULL);
    const char *numbers = cx_json_string(cx_json_get(layer, "file"), NULL);
    int rc = 0;
    if (picture)
        TRY(add_file(table, dir, picture, err));
    else if (numbers)
        TRY(add_file(table, dir, numbers, err));
    else
        cx_table_add(table, cx_json_string(cx_json_get(layer, "name"), ""));
    add_figures(table, layer);
    if (picture && numbers) {
        TRY(add_file(table, dir, numbers, err));
        add_blanks(table);
    }
out:
    return rc;
}

/* Tell which files there are now and what is in them, as index.json has it. */
static int print_files(const cx_json *index, const char *dir, cvs_error *err)
{
    static const char *const titles[] = {"file", "shape", "dead", "sparsity"};
    cx_table table = {.align = "llrr"};
    cx_str text = {0};
    int rc = 0;
    const cx_json *layers = cx_json_get(index, "layers");
    const char *npz = cx_json_string(cx_json_get(index, "npz"), NULL);
    for (int i = 0; i < 1 + FIGURES; i++) cx_table_add(&table, titles[i]);
    for (size_t i = 0; i < cx_json_size(layers); i++)
        TRY(add_layer(&table, cx_json_at(layers, i), dir, err));
    if (npz) {
        TRY(add_file(&table, dir, npz, err));
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

int cx_cmd_activations(cx_job *job, cvs_error *err)
{
    const cx_options *o = job->options;
    const char *input = job->inputs[0];
    cvs_write_options how = {o->formats, (cvs_style)o->style, o->channel_scale,
                             .model = job->model};
    char *label = NULL;
    cx_work work = {0};
    cx_bytes text = {0};
    cx_json *index = NULL;
    int rc;
    TRY(check(o, err));
    if (o->inputs.n > 0) {
        TRY(cx_inputs_label(&label, job, err));
        input = label;
    }
    TRY(cx_work_init(&work, job, o->layers, input, err));
    TRY(cx_work_compute(&work, job, input, err));
    TRY(note_batch(job, work.run, input, err));
    how.input = input;
    how.preprocess = work.took_picture ? cx_work_preprocess(&work) : "none";
    rc = cvs_activations_write(work.run, 0, o->out, &how, err);
    if (rc < 0) {
        cx_at_file(err, rc, o->out);
        goto out;
    }
    if (o->quiet && !o->json) goto out;
    TRY(read_index(&text, o->out, err));
    if (o->json) {
        fwrite(text.data, 1, text.size, stdout);
        goto out;
    }
    TRY(cx_json_parse(&index, (const char *)text.data, text.size, err));
    TRY(print_files(index, o->out, err));
out:
    cx_json_free(index);
    cx_bytes_deinit(&text);
    cx_work_deinit(&work);
    cx_free(label);
    return rc;
}
