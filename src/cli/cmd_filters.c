/* cmd_filters.c - convscope filters: what each filter looks for. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/channels.h"
#include "cli/climb.h"
#include "cli/dead.h"
#include "cli/index.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/work.h"

enum { FRAMES = 25 }; /* of a film */

typedef struct filters {
    cx_job *job;
    cx_work work;
    cvs_pattern_options how;
    cvs_pattern_files files;
    cvs_patterns **found; /* a layer each; owned */
    int n;
    cvs_atlas *atlas;
    cx_dead dead;
    int stopped; /* 1: something is left to do */
} filters;

/* --- a layer --- */

/* DIR/NN_NAME.part: what has been found of a layer, until all is done. */
static int name_state(cx_str *out, const filters *f, const char *name, cvs_error *err)
{
    cx_str_addf(out, "%s/%02d_", f->job->options->out, f->n + 1);
    for (const char *at = name; *at && at - name < 128; at++)
        cx_str_addf(out, "%c", isalnum((unsigned char)*at) ? *at : '_');
    cx_str_add(out, ".part");
    return cx_str_ok(out, err);
}

static void add_dead(cvs_patterns *p, const cx_dead_layer *dead)
{
    for (int i = 0; dead && i < p->n; i++)
        if (p->channel[i] < dead->n) p->dead[i] = dead->share[p->channel[i]];
}

static int write_layer(filters *f, cvs_patterns *p, cvs_error *err)
{
    int rc;
    f->files.number = f->n;
    TRY(cvs_patterns_write(p, f->job->options->out, &f->files, err));
    rc = cvs_atlas_add(f->atlas, p, err);
out:
    return rc < 0 ? cx_at_file(err, rc, f->job->options->out) : 0;
}

/* Find, write, and keep the numbers. */
static int climb(filters *f, const char *layer, const char *what, const cx_channels *c,
                 const cx_dead_layer *dead, cvs_error *err)
{
    const char *name = layer ? layer : "objective";
    cx_progress progress;
    cvs_patterns *p = NULL;
    cx_str state = {0};
    int rc;
    TRY(name_state(&state, f, name, err));
    f->how.state_file = state.data;
    f->how.progress_arg = &progress;
    cx_progress_begin(&progress, f->job, what);
    rc = cvs_patterns_find(&p, f->work.model, layer, c->item, c->n, &f->how, err);
    cx_progress_end(&progress);
    if (rc < 0) {
        if (layer) cx_where(err, rc, "%s", layer);
        goto out;
    }
    add_dead(p, dead);
    f->found[f->n++] = p;
    if (p->kept > 0)
        cx_note(f->job, "%s: %d of %d pictures were found earlier", name, p->kept, p->n);
    TRY(write_layer(f, p, err));
    f->stopped |= p->done < 1;
    if (p->done < 1)
        cx_note(f->job, "%s: stopped after %.0f %%; the same command goes on", name, 100 * p->done);
    cvs_patterns_drop(p);
out:
    cx_str_deinit(&state);
    return rc;
}

static int climb_layer(filters *f, int index, int i, int n, cvs_error *err)
{
    cx_channels c = {0};
    cvs_layer layer;
    char what[400];
    int rc;
    TRY(cvs_model_layer(&layer, f->work.model, index, err));
    TRY(cx_channels_read(&c, f->job->options->channels, layer.shape[layer.channel_axis], err));
    snprintf(what, sizeof what, n > 1 ? "%.300s, layer %d of %d" : "%.300s", layer.name, i + 1, n);
    TRY(climb(f, layer.name, what, &c, cx_dead_of(&f->dead, index), err));
out:
    cx_channels_deinit(&c);
    return rc;
}

/* An objective that has no # is one picture, whatever the layers. */
static int climb_objective(filters *f, cvs_error *err)
{
    cx_channels c = {0};
    int rc;
    TRY(cx_channels_read(&c, f->job->options->channels ? f->job->options->channels : "0", INT64_MAX,
                         err));
    f->found = cx_calloc(1, sizeof *f->found);
    if (!f->found) TRY(cx_no_memory(err, sizeof *f->found));
    TRY(climb(f, NULL, "climbing", &c, NULL, err));
out:
    cx_channels_deinit(&c);
    return rc;
}

static int climb_layers(filters *f, cvs_error *err)
{
    const int n = cvs_run_tap_count(f->work.run);
    const char *folder = f->job->options->images;
    int rc = 0;
    f->found = cx_calloc((size_t)n, sizeof *f->found);
    if (!f->found) return cx_no_memory(err, (size_t)n * sizeof *f->found);
    if (folder) TRY(cx_dead_count(&f->dead, &f->work, f->job, folder, err));
    for (int i = 0; i < n && !cx_progress_stopped(); i++)
        TRY(climb_layer(f, cvs_run_tap(f->work.run, i), i, n, err));
    f->stopped |= f->n < n;
    if (f->n > 1 && f->files.formats & CVS_WRITE_PNG)
        TRY(cvs_atlas_write(f->atlas, f->job->options->out, &f->files, err));
out:
    return rc;
}

/* Nobody needs the layers' states once all is done. */
static int forget_states(const filters *f, cvs_error *err)
{
    int rc = 0;
    filters at = *f;
    for (at.n = 0; rc == 0 && at.n < f->n; at.n++) {
        cx_str state = {0};
        rc = name_state(&state, &at,
                        f->job->options->objective ? "objective" : f->found[at.n]->name, err);
        if (rc == 0) unlink(state.data);
        cx_str_deinit(&state);
    }
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

static void tell_preprocess(filters *f)
{
    const char *reason;
    f->work.told = 1;
    if (f->how.preprocess != CVS_PREPROCESS_AUTO) return;
    const cvs_preprocess mode = cvs_model_preprocess(f->work.model, 0, &reason);
    cx_note(f->job, "preprocess: %s (%s)", cvs_preprocess_name((int)mode), reason);
}

int cx_cmd_filters(cx_job *job, cvs_error *err)
{
    const cx_options *o = job->options;
    filters f = {.job = job,
                 .how = cx_climb_options(o),
                 .files = {.formats = o->formats,
                           .single = o->single,
                           .film = o->film,
                           .model = job->model,
                           .seed = (uint64_t)o->seed}};
    int rc;
    if (o->list_recipes) return list_methods(job, err);
    f.how.method = o->recipe;
    f.how.height = f.how.width = o->size;
    f.how.versions = (int)o->versions;
    f.how.start_file = o->start;
    f.how.memory = (size_t)o->memory << 20;
    f.how.frames = o->film ? FRAMES : 0;
    TRY(cx_work_init(&f.work, job, o->objective ? NULL : o->filter_layers, NULL, err));
    tell_preprocess(&f);
    TRY(cvs_atlas_new(&f.atlas, err));
    rc = cx_make_dirs(o->out, err);
    if (rc < 0) goto out;
    TRY(o->objective ? climb_objective(&f, err) : climb_layers(&f, err));
    rc = cvs_patterns_index((const cvs_patterns *const *)f.found, f.n, o->out, &f.files, err);
    if (rc < 0) cx_at_file(err, rc, o->out);
    if (rc < 0) goto out;
    if (!f.stopped) TRY(forget_states(&f, err));
    if (o->json)
        TRY(cx_print_index(o->out, err));
    else if (!o->quiet)
        TRY(print_layers(&f, err));
out:
    for (int i = 0; i < f.n; i++) cvs_patterns_free(f.found[i]);
    cx_free(f.found);
    cvs_atlas_free(f.atlas);
    cx_dead_deinit(&f.dead);
    cx_work_deinit(&f.work);
    return rc;
}
