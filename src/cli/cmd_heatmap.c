/* cmd_heatmap.c - convscope heatmap: where in an input the evidence for a class lies. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/explain.h"
#include "cli/index.h"
#include "cli/inputs.h"
#include "cli/names.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/work.h"

/* A class. */
typedef struct column {
    char name[128];
} column;

typedef struct heatmaps {
    cx_job *job;
    cx_work work;
    cx_asked asked;
    column *columns;
    const char **keys;
    int n_columns;
    cvs_heatmap *maps; /* owned, with their explanations and failures */
    int n_maps;
} heatmaps;

/* --- what is asked --- */

static int add_columns(heatmaps *h, cvs_error *err)
{
    const size_t n = (size_t)h->asked.n_classes;
    h->columns = cx_calloc(n, sizeof *h->columns);
    h->keys = cx_calloc(n, sizeof *h->keys);
    if (!h->columns || !h->keys) return cx_no_memory(err, n * sizeof *h->columns);
    for (; h->n_columns < h->asked.n_classes; h->n_columns++) {
        column *k = &h->columns[h->n_columns];
        const char *name = n > 1 ? cx_asked_name(&h->asked, h->n_columns) : "";
        snprintf(k->name, sizeof k->name, "%s", name);
        h->keys[h->n_columns] = k->name;
    }
    return 0;
}

/* Explain by one method and layers (NULL: its own choice) for each class. A method that cannot
 * explain this model is a cell that says so, where others were asked too. */
static int ask_row(heatmaps *h, const cvs_method *method, const char *layers, cvs_error *err)
{
    for (int k = 0; k < h->n_columns; k++) {
        cvs_heatmap *map = &h->maps[h->n_maps];
        cvs_explanation *e = NULL;
        cx_progress progress;
        cvs_explain_options how = h->asked.how;
        how.method = method->name;
        how.layers = layers;
        how.progress = cx_progress_tell;
        how.progress_arg = &progress;
        cx_asked_class(&how, &h->asked, k);
        cx_progress_begin(&progress, h->job, method->title);
        int rc = cvs_explain(&e, h->work.run, 0, &how, err);
        cx_progress_end(&progress);
        if (rc < 0 && (h->asked.n_methods == 1 || rc != CVS_E_UNSUPPORTED)) return rc;
        map->method = method->name;
        map->row = h->job->options->layer_sets.n > 1 ? layers : NULL;
        map->explanation = e;
        h->n_maps++;
        if (rc == 0) continue;
        cx_note(h->job, "%s: %s", method->name, err->what);
        map->failure = cx_strdup(err->what);
        if (!map->failure) return cx_no_memory(err, strlen(err->what));
    }
    return 0;
}

static int ask_all(heatmaps *h, cvs_error *err)
{
    const cx_texts *sets = &h->job->options->layer_sets;
    const int n_sets = sets->n > 0 ? sets->n : 1;
    const size_t n = (size_t)(h->asked.n_methods * n_sets * h->n_columns);
    int rc = 0;
    h->maps = cx_calloc(n, sizeof *h->maps);
    if (!h->maps) return cx_no_memory(err, n * sizeof *h->maps);
    for (int i = 0; i < h->asked.n_methods; i++)
        for (int s = 0; s < n_sets && !(h->n_maps > 0 && cx_progress_stopped()); s++)
            TRY(ask_row(h, h->asked.methods[i], sets->n > 0 ? sets->item[s] : NULL, err));
out:
    return rc;
}

/* --- what is told --- */

/* Each choice of layers once. */
static void tell_layers(const heatmaps *h)
{
    for (int i = 0; i < h->n_maps; i++) {
        const cvs_explanation *it = h->maps[i].explanation;
        int is_new = it && it->layer[0];
        for (int k = 0; is_new && k < i; k++) {
            const cvs_explanation *before = h->maps[k].explanation;
            if (before && strcmp(before->why_layer, it->why_layer) == 0) is_new = 0;
        }
        if (is_new) cx_note(h->job, "layer: %s", it->why_layer);
    }
}

static void tell_choices(const heatmaps *h)
{
    const cvs_explanation *e = NULL;
    for (int i = 0; i < h->n_maps; i++) {
        const cvs_explanation *it = h->maps[i].explanation;
        if (it && !e) e = it;
        if (it && it->done < 1)
            cx_note(h->job, "%s: stopped after %.0f %%", it->method, 100 * it->done);
    }
    if (e) cx_note(h->job, "target: %s", e->target);
    if (h->job->options->layer_sets.n == 0) tell_layers(h);
    for (int i = 0; i < h->n_maps; i++) {
        const cvs_explanation *it = h->maps[i].explanation;
        for (const char *at = it ? it->notes : ""; *at; at += strcspn(at, "\n") + 1)
            cx_note(h->job, "%s: %.*s", it->method, (int)strcspn(at, "\n"), at);
    }
}

static void add_row(cx_table *table, const cvs_heatmap *map, const char *key)
{
    const cvs_explanation *e = map->explanation;
    if (!e) return;
    double low = INFINITY, high = -INFINITY;
    const int64_t n = e->height * e->width * e->channels;
    for (int64_t i = 0; i < n; i++) {
        low = fmin(low, (double)e->data[i]);
        high = fmax(high, (double)e->data[i]);
    }
    cx_table_addf(table, "%s%s%s%s%s", e->method, map->row ? " " : "", map->row ? map->row : "",
                  *key ? " " : "", key);
    cx_table_addf(table, "%lld × %lld", (long long)e->height, (long long)e->width);
    if (e->class_index >= 0)
        cx_table_addf(table, "%lld", (long long)e->class_index);
    else
        cx_table_add(table, "");
    cx_table_addf(table, "%.4g", e->score);
    cx_table_addf(table, "%.3g", low);
    cx_table_addf(table, "%.3g", high);
    if (isfinite(e->residual))
        cx_table_addf(table, "%.2g %%", 100 * e->residual);
    else
        cx_table_add(table, "");
}

static int print_maps(const heatmaps *h, cvs_error *err)
{
    static const char *const titles[] = {"method",           "size", "class", "score", "min", "max",
                                         "not accounted for"};
    cx_table table = {.align = "lrrrrrr"};
    cx_str text = {0};
    int rc;
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) cx_table_add(&table, titles[i]);
    for (int i = 0; i < h->n_maps; i++)
        add_row(&table, &h->maps[i], h->n_columns > 1 ? h->keys[i % h->n_columns] : "");
    cx_table_text(&text, &table, "");
    TRY(cx_str_ok(&text, err));
    fputs(text.data, stdout);
    printf("%s/index.json says what each file is\n", h->job->options->out);
out:
    cx_table_deinit(&table);
    cx_str_deinit(&text);
    return rc;
}

/* --- the list of methods --- */

static int list_methods(const cx_job *job, cvs_error *err)
{
    const cvs_method *m;
    cx_str text = {0};
    cx_json_writer w = {0};
    char *json = NULL;
    int rc = 0;
    if (job->options->json) cx_json_open(&w, NULL, '[');
    for (int i = 0; (m = cvs_method_at(i)); i++) {
        if (!job->options->json) {
            cx_str_addf(&text, "%-22s%s%s\n%22sneeds %s; costs %s\n%22s%s\n", m->name, m->title,
                        m->is_slow ? " (slow: not among all)" : "", "", m->needs, m->cost, "",
                        m->cite);
            continue;
        }
        cx_json_open(&w, NULL, '{');
        cx_json_add_string(&w, "name", m->name);
        cx_json_add_string(&w, "title", m->title);
        cx_json_add_string(&w, "cite", m->cite);
        cx_json_add_string(&w, "needs", m->needs);
        cx_json_add_string(&w, "cost", m->cost);
        cx_json_add_bool(&w, "pixels", m->is_pixels);
        cx_json_add_bool(&w, "signed", m->is_signed);
        cx_json_add_bool(&w, "slow", m->is_slow);
        cx_json_close(&w, '}');
    }
    if (job->options->json) {
        cx_json_close(&w, ']');
        TRY(cx_json_finish(&json, &w, err));
        fputs(json, stdout);
    } else {
        TRY(cx_str_ok(&text, err));
        fputs(text.data, stdout);
    }
out:
    cx_free(json);
    cx_str_deinit(&text);
    return rc;
}

/* --- the command --- */

static int write_files(const heatmaps *h, const char *input, cvs_error *err)
{
    const cx_options *o = h->job->options;
    const cvs_heatmap_options how = {
        .formats = o->formats,
        .preset = (cvs_style)o->preset,
        .photo = h->work.photo,
        .columns = h->n_columns,
        .keys = h->keys,
        .titles = h->keys,
        .classes = h->asked.names,
        .model = h->job->model,
        .input = input,
        .preprocess = cx_is_tensor(input) ? "none" : cx_work_preprocess(&h->work)};
    int rc = cvs_heatmaps_write(h->maps, h->n_maps, o->out, &how, err);
    return rc < 0 ? cx_at_file(err, rc, o->out) : 0;
}

static void deinit(heatmaps *h)
{
    for (int i = 0; h->maps && i < h->n_maps; i++) {
        cvs_explanation_free((cvs_explanation *)(uintptr_t)h->maps[i].explanation);
        cx_free((char *)(uintptr_t)h->maps[i].failure);
    }
    cx_free(h->maps);
    cx_free(h->columns);
    cx_free(h->keys);
    cx_asked_deinit(&h->asked);
    cx_work_deinit(&h->work);
}

int cx_cmd_heatmap(cx_job *job, cvs_error *err)
{
    const cx_options *o = job->options;
    heatmaps h = {.job = job};
    char *label = NULL;
    int rc;
    if (o->list_methods) return list_methods(job, err);
    TRY(cx_asked_methods(&h.asked, job, err));
    TRY(cx_work_init(&h.work, job, NULL, job->n_inputs ? job->inputs[0] : NULL, err));
    h.work.keep_photo = 1;
    if (o->inputs.n > 0) TRY(cx_inputs_label(&label, job, err));
    const char *input = label ? label : job->inputs[0];
    TRY(cx_work_set(&h.work, job, input, err));
    TRY(cx_asked_init(&h.asked, job, h.work.model, err));
    TRY(add_columns(&h, err));
    TRY(ask_all(&h, err));
    TRY(write_files(&h, input, err));
    tell_choices(&h);
    if (o->json)
        TRY(cx_print_index(o->out, err));
    else if (!o->quiet)
        TRY(print_maps(&h, err));
out:
    cx_free(label);
    deinit(&h);
    return rc;
}
