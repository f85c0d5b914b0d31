/* cmd_filters.c - convscope filters: what each filter looks for. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/index.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/work.h"

typedef struct filters {
    cx_job *job;
    cx_work work;
    cvs_pattern_options how;
    cvs_pattern_files files;
    cvs_patterns **found; /* a layer each; owned */
    int n;
} filters;

/* --- which channels --- */

typedef struct channels {
    int64_t *item; /* owned */
    int n;
} channels;

/* "17" or "0-63". */
static int read_range(const char *text, size_t size, int64_t most, int64_t *first, int64_t *last,
                      cvs_error *err)
{
    char *end;
    const char *stop = text + size;
    *first = *last = strtoll(text, &end, 10);
    int good = end > text && *text != '-';
    if (good && *end == '-' && end < stop) {
        const char *next = end + 1;
        *last = strtoll(next, &end, 10);
        good = end > next && *last >= *first;
    }
    if (!good || end != stop)
        return cx_fail(err, CVS_E_ARG, "\"%.*s\" is no channel and no range of them", (int)size,
                       text);
    if (*last >= most)
        return cx_fail(err, CVS_E_ARG, "there is no channel %lld, only 0 … %lld", (long long)*last,
                       (long long)most - 1);
    return 0;
}

static int add_range(channels *out, int64_t first, int64_t last, cvs_error *err)
{
    enum { MOST = 1 << 20 };
    if (last - first >= MOST - out->n) return cx_fail(err, CVS_E_ARG, "too many channels");
    const size_t n = (size_t)out->n + (size_t)(last - first) + 1;
    int64_t *item = cx_realloc_array(out->item, n, sizeof *item);
    if (!item) return cx_no_memory(err, n * sizeof *item);
    out->item = item;
    for (int64_t i = first; i <= last; i++) item[out->n++] = i;
    return 0;
}

static int read_channels(channels *out, const char *text, int64_t most, cvs_error *err)
{
    int rc = 0;
    if (!text) return add_range(out, 0, most - 1, err);
    for (const char *at = text; rc == 0;) {
        int64_t first, last;
        const size_t size = strcspn(at, ",");
        TRY(read_range(at, size, most, &first, &last, err));
        TRY(add_range(out, first, last, err));
        at += size;
        if (!*at++) break;
    }
out:
    return rc < 0 ? cx_where(err, rc, "--channels") : 0;
}

/* --- a layer --- */

/* Find, write, and keep the numbers. */
static int climb(filters *f, const char *layer, const channels *c, cvs_error *err)
{
    cx_progress progress;
    cvs_patterns *p = NULL;
    int rc;
    f->how.progress_arg = &progress;
    cx_progress_begin(&progress, f->job, layer ? layer : "climbing");
    rc = cvs_patterns_find(&p, f->work.model, layer, c->item, c->n, &f->how, err);
    cx_progress_end(&progress);
    if (rc < 0) return layer ? cx_where(err, rc, "%s", layer) : rc;
    f->found[f->n++] = p;
    f->files.number = f->n;
    rc = cvs_patterns_write(p, f->job->options->out, &f->files, err);
    if (rc < 0) return cx_at_file(err, rc, f->job->options->out);
    if (p->done < 1)
        cx_note(f->job, "%s: stopped after %.0f %%", layer ? layer : "objective", 100 * p->done);
    cvs_patterns_drop(p);
    return 0;
}

static int climb_layer(filters *f, int index, cvs_error *err)
{
    channels c = {0};
    cvs_layer layer;
    int rc;
    TRY(cvs_model_layer(&layer, f->work.model, index, err));
    TRY(read_channels(&c, f->job->options->channels, layer.shape[layer.channel_axis], err));
    TRY(climb(f, layer.name, &c, err));
out:
    cx_free(c.item);
    return rc;
}

/* An objective that has no # is one picture, whatever the layers. */
static int climb_objective(filters *f, cvs_error *err)
{
    channels c = {0};
    int rc;
    TRY(read_channels(&c, f->job->options->channels ? f->job->options->channels : "0", INT64_MAX,
                      err));
    f->found = cx_calloc(1, sizeof *f->found);
    if (!f->found) TRY(cx_no_memory(err, sizeof *f->found));
    TRY(climb(f, NULL, &c, err));
out:
    cx_free(c.item);
    return rc;
}

static int climb_layers(filters *f, cvs_error *err)
{
    const int n = cvs_run_tap_count(f->work.run);
    int rc = 0;
    f->found = cx_calloc((size_t)n, sizeof *f->found);
    if (!f->found) return cx_no_memory(err, (size_t)n * sizeof *f->found);
    for (int i = 0; i < n && !cx_progress_stopped(); i++)
        TRY(climb_layer(f, cvs_run_tap(f->work.run, i), err));
out:
    return rc;
}

/* --- what is told --- */

static double mean_gain(const cvs_patterns *p, int *silent)
{
    double sum = 0;
    int live = 0;
    for (int i = 0; i < p->n; i++) {
        if (!(p->response[i] > p->noise[i])) continue;
        sum += p->response[i] - p->noise[i];
        live++;
    }
    *silent = p->n - live;
    return live > 0 ? sum / live : 0;
}

static int print_layers(const filters *f, cvs_error *err)
{
    static const char *const titles[] = {"layer", "pictures", "size", "over noise", "silent"};
    cx_table table = {.align = "lrrrr"};
    cx_str text = {0};
    int rc;
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) cx_table_add(&table, titles[i]);
    for (int i = 0; i < f->n; i++) {
        const cvs_patterns *p = f->found[i];
        int silent;
        const double gain = mean_gain(p, &silent);
        cx_table_add(&table, p->name);
        cx_table_addf(&table, "%d", p->n);
        cx_table_addf(&table, "%lld × %lld", (long long)p->shown_height, (long long)p->shown_width);
        const int measured = p->n > 0 && !isnan(p->response[0]);
        if (measured)
            cx_table_addf(&table, "%.3g", gain);
        else
            cx_table_add(&table, "");
        if (measured)
            cx_table_addf(&table, "%d", silent);
        else
            cx_table_add(&table, "");
    }
    cx_table_text(&text, &table, "");
    TRY(cx_str_ok(&text, err));
    fputs(text.data, stdout);
    printf("%s/index.json says what each file is\n", f->job->options->out);
out:
    cx_table_deinit(&table);
    cx_str_deinit(&text);
    return rc;
}

static int list_methods(const cx_job *job, cvs_error *err)
{
    const cvs_recipe *r;
    cx_json_writer w = {0};
    char *json = NULL;
    int rc = 0;
    if (job->options->json) cx_json_open(&w, NULL, '[');
    for (int i = 0; (r = cvs_recipe_at(i)); i++) {
        if (!job->options->json) {
            printf("%-8s%s\n%8s%d steps\n%8s%s\n", r->name, r->title, "", r->steps, "", r->cite);
            continue;
        }
        cx_json_open(&w, NULL, '{');
        cx_json_add_string(&w, "name", r->name);
        cx_json_add_string(&w, "title", r->title);
        cx_json_add_string(&w, "cite", r->cite);
        cx_json_add_int(&w, "steps", r->steps);
        cx_json_close(&w, '}');
    }
    if (!job->options->json) return 0;
    cx_json_close(&w, ']');
    TRY(cx_json_finish(&json, &w, err));
    fputs(json, stdout);
out:
    cx_free(json);
    return rc;
}

static void tell_preprocess(const filters *f)
{
    const char *reason;
    if (f->how.preprocess != CVS_PREPROCESS_AUTO) return;
    const cvs_preprocess mode = cvs_model_preprocess(f->work.model, 0, &reason);
    cx_note(f->job, "preprocess: %s (%s)", cvs_preprocess_name((int)mode), reason);
}

int cx_cmd_filters(cx_job *job, cvs_error *err)
{
    const cx_options *o = job->options;
    filters f = {.job = job,
                 .how = {.method = o->recipe,
                         .objective = o->objective,
                         .steps = (int)o->steps,
                         .height = o->size,
                         .width = o->size,
                         .versions = (int)o->versions,
                         .start_file = o->start,
                         .variation = cx_option_weight(o->variation),
                         .norm = cx_option_weight(o->norm),
                         .norm_power = o->norm_power.value,
                         .blur = cx_option_weight(o->blur),
                         .octaves = (int)o->octaves,
                         .octave_scale = o->octave_scale.value,
                         .preprocess = (cvs_preprocess)o->preprocess,
                         .seed = (uint64_t)o->seed,
                         .memory = (size_t)o->memory << 20,
                         .exact = o->exact,
                         .progress = cx_progress_tell},
                 .files = {.formats = o->formats,
                           .single = o->single,
                           .model = job->model,
                           .seed = (uint64_t)o->seed}};
    int rc;
    if (o->list_recipes) return list_methods(job, err);
    TRY(cx_work_init(&f.work, job, o->objective ? NULL : o->filter_layers, NULL, err));
    tell_preprocess(&f);
    TRY(o->objective ? climb_objective(&f, err) : climb_layers(&f, err));
    rc = cvs_patterns_index((const cvs_patterns *const *)f.found, f.n, o->out, &f.files, err);
    if (rc < 0) cx_at_file(err, rc, o->out);
    if (rc < 0) goto out;
    if (o->json)
        TRY(cx_print_index(o->out, err));
    else if (!o->quiet)
        TRY(print_layers(&f, err));
out:
    for (int i = 0; i < f.n; i++) cvs_patterns_free(f.found[i]);
    cx_free(f.found);
    cx_work_deinit(&f.work);
    return rc;
}
