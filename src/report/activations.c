/* activations.c - the files of cvs_activations_write: sheets, numbers and their index. */
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "base/threads.h"
#include "draw/sheet.h"
#include "methods/map.h"
#include "report/outdir.h"
#include "tensor/npy.h"

_Static_assert(CVS_FILE_NAME == CX_FILE_NAME, "names of files are handed out");

/* The work on one layer, so that layers can be done side by side. */
typedef struct layer_job {
    int node;
    cx_map map;
    const char *name, *class_name;
    char picture[CX_FILE_NAME], numbers[CX_FILE_NAME]; /* "" where not wanted */
    int64_t dead;                                      /* channels */
    cx_json_writer part;                               /* of the index */
    int rc;
    cvs_error err;
} layer_job;

typedef struct job {
    const cvs_run *run;
    int slot;
    const char *dir;
    const cvs_write_options *options;
    char *caption; /* "MODEL · IMAGE" */
    layer_job *layers;
    int n;
    cx_easel *easels; /* one a thread */
    int n_easels;
    cx_json_writer index;
    cx_series *series; /* the layers */
    int ready;         /* of these */
} job;

static int write_picture(const job *j, const layer_job *l, cx_easel *easel, cvs_error *err)
{
    const cx_map *map = &l->map;
    const cx_sheet sheet = {.name = l->name,
                            .class_name = l->class_name,
                            .data = map->stack.data,
                            .height = map->stack.height,
                            .width = map->stack.width,
                            .channels = map->stack.channels,
                            .shape = &map->y.shape,
                            .whole = &map->whole,
                            .each = map->each,
                            .channel_scale = j->options->channel_scale,
                            .caption = j->caption};
    cx_bytes png = {0};
    int rc;
    TRY(cx_sheet_draw(&png, easel, &sheet, j->options->style, err));
    TRY(cx_put_file(j->dir, l->picture, png.data, png.size, err));
out:
    cx_bytes_deinit(&png);
    return rc;
}

static int write_numbers(const job *j, const layer_job *l, cvs_error *err)
{
    char *path = NULL;
    int rc = cx_join_path(&path, j->dir, l->numbers, err);
    if (rc == 0) rc = cx_npy_write(path, l->map.y.data, &l->map.y.shape, err);
    cx_free(path);
    return rc;
}

/* --- index.json --- */

static void add_stats(cx_json_writer *w, const cvs_stats *s)
{
    cx_json_add_number(w, "min", s->min);
    cx_json_add_number(w, "max", s->max);
    cx_json_add_number(w, "mean", s->mean);
    cx_json_add_number(w, "std", s->std);
    cx_json_add_number(w, "sparsity", s->sparsity);
    if (s->n_nan || s->n_inf) {
        cx_json_add_int(w, "nan", s->n_nan);
        cx_json_add_int(w, "infinite", s->n_inf);
    }
}

static void add_layer(layer_job *l, int index)
{
    cx_json_writer *w = &l->part;
    const cx_map *map = &l->map;
    cx_json_open(w, NULL, '{');
    cx_json_add_int(w, "index", index);
    cx_json_add_string(w, "name", l->name);
    cx_json_add_string(w, "class", l->class_name);
    cx_json_add_ints(w, "shape", map->y.shape.d, map->y.shape.ndim);
    cx_json_add_string(w, "file", l->numbers[0] ? l->numbers : NULL);
    cx_json_add_string(w, "picture", l->picture[0] ? l->picture : NULL);
    add_stats(w, &map->whole);
    cx_json_add_int(w, "dead_channels", l->dead);
    cx_json_open(w, "channels", '[');
    for (int64_t c = 0; c < map->stack.channels; c++) {
        cx_json_open(w, NULL, '{');
        cx_json_add_int(w, "index", c);
        add_stats(w, &map->each[c]);
        cx_json_add_bool(w, "dead", map->each[c].dead);
        cx_json_close(w, '}');
    }
    cx_json_close(w, ']');
    cx_json_close(w, '}');
}

static void begin_index(job *j)
{
    cx_json_writer *w = &j->index;
    cx_json_open(w, NULL, '{');
    cx_json_add_string(w, "model", j->run->model->name);
    cx_json_add_string(w, "input", j->options->input);
    cx_json_add_string(w, "preprocess", j->options->preprocess);
    if (j->options->formats & CVS_WRITE_NPZ) cx_json_add_string(w, "npz", "activations.npz");
    cx_json_add_string(w, "style", cvs_style_name((int)j->options->style));
    cx_json_open(w, "layers", '[');
    for (int i = 0; i < j->n; i++) j->layers[i].part = cx_json_part(w);
}

static int write_index(job *j, cvs_error *err)
{
    for (int i = 0; i < j->n; i++) cx_json_add_part(&j->index, &j->layers[i].part);
    cx_json_close(&j->index, ']');
    cx_json_close(&j->index, '}');
    return cx_put_json(j->dir, "index.json", &j->index, err);
}

static int write_npz(const job *j, cvs_error *err)
{
    char *path = NULL;
    int rc;
    cx_npz_entry *entries = cx_calloc((size_t)j->n, sizeof *entries);
    if (!entries) return cx_no_memory(err, (size_t)j->n * sizeof *entries);
    for (int i = 0; i < j->n; i++)
        entries[i] =
            (cx_npz_entry){j->layers[i].name, j->layers[i].map.y.data, j->layers[i].map.y.shape};
    TRY(cx_join_path(&path, j->dir, "activations.npz", err));
    TRY(cx_npz_write(path, entries, j->n, err));
out:
    cx_free(entries);
    cx_free(path);
    return rc;
}

/* --- the whole --- */

static const char *const style_names[] = {"default", "py1", "py2", "r1", "r2"};

const char *cvs_style_name(int style)
{
    return style >= 0 && style <= CVS_STYLE_R2 ? style_names[style] : NULL;
}

/* Each layer is an item. */
static int do_layer(const job *j, layer_job *l, int index, cx_easel *easel)
{
    cvs_error *err = &l->err;
    int rc;
    TRY(cx_map_of_kept(&l->map, j->run, l->node, j->slot, err));
    TRY(cx_map_measure(&l->map, err));
    for (int64_t c = 0; c < l->map.stack.channels; c++) l->dead += l->map.each[c].dead;
    if (l->numbers[0]) TRY(write_numbers(j, l, err));
    if (l->picture[0]) TRY(write_picture(j, l, easel, err));
    add_layer(l, index);
out:
    return rc;
}

static void do_item(void *arg, int i, int worker)
{
    job *j = arg;
    j->layers[i].rc = do_layer(j, &j->layers[i], i + 1, &j->easels[worker]);
}

static int finish_layers(job *j, cvs_error *err)
{
    cx_series_finish(j->series);
    j->series = NULL;
    for (int i = 0; i < j->n; i++) {
        if (j->layers[i].rc == 0) continue;
        if (err) *err = j->layers[i].err;
        return j->layers[i].rc;
    }
    return 0;
}

static int make_caption(job *j, cvs_error *err)
{
    const cvs_write_options *o = j->options;
    cx_str s = {0};
    cx_str_add(&s, o->model ? cx_base_name(o->model) : j->run->model->name);
    if (o->input) cx_str_addf(&s, "  ·  %s", cx_base_name(o->input));
    return cx_str_take(&j->caption, &s, err);
}

static void job_deinit(job *j)
{
    cx_series_drop(j->series);
    for (int i = 0; j->easels && i < j->n_easels; i++) cx_easel_deinit(&j->easels[i]);
    for (int i = 0; i < j->n; i++) {
        cx_map_deinit(&j->layers[i].map);
        cx_str_deinit(&j->layers[i].part.text);
    }
    cx_str_deinit(&j->index.text);
    cx_free(j->easels);
    cx_free(j->caption);
    cx_free(j->layers);
}

/* All that can be done before there are numbers. */
static int job_begin(job *j, cvs_error *err)
{
    const cvs_model *m = j->run->model;
    const int n = j->run->n_taps,
              formats = j->options->formats ? j->options->formats : CVS_WRITE_PNG;
    int rc;
    j->n_easels = cx_threads();
    j->layers = cx_calloc((size_t)n, sizeof *j->layers);
    j->easels = cx_calloc((size_t)j->n_easels, sizeof *j->easels);
    if (!j->layers || !j->easels) TRY(cx_no_memory(err, (size_t)n * sizeof *j->layers));
    j->n = n;
    TRY(make_caption(j, err));
    for (int i = 0; i < n; i++) {
        layer_job *l = &j->layers[i];
        const cx_node *node = &m->nodes[j->run->taps[i]];
        l->node = j->run->taps[i];
        l->name = node->name;
        l->class_name = m->layers[node->layer].class_name;
        if (formats & CVS_WRITE_PNG) cx_layer_file(l->picture, i + 1, node->name, ".png");
        if (formats & CVS_WRITE_NPY) cx_layer_file(l->numbers, i + 1, node->name, ".npy");
    }
    begin_index(j);
    TRY(cx_make_dirs(j->dir, err));
    j->series = cx_series_start(n, do_item, j);
    if (!j->series) rc = cx_no_memory(err, sizeof *j);
out:
    return rc;
}

static int job_finish(job *j, cvs_error *err)
{
    int rc;
    TRY(finish_layers(j, err));
    if (j->options->formats & CVS_WRITE_NPZ) TRY(write_npz(j, err));
    TRY(write_index(j, err));
out:
    return rc;
}

static const cvs_write_options defaults;

int cvs_activations_write(const cvs_run *run, int slot, const char *dir,
                          const cvs_write_options *options, cvs_error *err)
{
    job j = {.run = run, .slot = slot, .dir = dir, .options = options ? options : &defaults};
    const cx_tensor *y;
    int rc = 0;
    if (run->n_taps > 0) TRY(cx_run_output(&y, run, run->taps[0], err)); /* or there is none yet */
    TRY(job_begin(&j, err));
    rc = job_finish(&j, err);
out:
    job_deinit(&j);
    return rc;
}

/* --- while it computes --- */

/* Taps are in the order of nodes. */
static void on_computed(void *arg, int node)
{
    job *j = arg;
    const cvs_run *run = j->run;
    const int before = j->ready;
    while (j->ready < run->n_taps && run->slots[run->taps[j->ready]].maker <= node) j->ready++;
    if (j->ready > before) cx_series_ready(j->series, j->ready);
}

static int list_files(cvs_written **out, const job *j, cvs_error *err)
{
    cvs_written *list = *out = cx_calloc((size_t)j->n, sizeof *list);
    if (!list) return cx_no_memory(err, (size_t)j->n * sizeof *list);
    for (int i = 0; i < j->n; i++) {
        const layer_job *l = &j->layers[i];
        list[i] = (cvs_written){.layer = l->node,
                                .ndim = l->map.y.shape.ndim,
                                .channels = l->map.stack.channels,
                                .dead_channels = l->dead,
                                .stats = l->map.whole};
        memcpy(list[i].shape, l->map.y.shape.d, sizeof l->map.y.shape.d);
        memcpy(list[i].picture, l->picture, sizeof l->picture);
        memcpy(list[i].numbers, l->numbers, sizeof l->numbers);
    }
    return 0;
}

int cvs_activations_compute(cvs_written **out, int *n, cvs_run *run, int slot, const char *dir,
                            const cvs_write_options *options, cvs_error *err)
{
    job j = {.run = run, .slot = slot, .dir = dir, .options = options ? options : &defaults};
    const cx_watch watch = {on_computed, &j};
    int rc, computed = 0;
    if (out) *out = NULL;
    if (n) *n = 0;
    TRY(job_begin(&j, err));
    run->watch = &watch;
    computed = rc = cvs_run_forward(run, err);
    run->watch = NULL;
    if (rc < 0) goto out;
    TRY(job_finish(&j, err));
    if (out) TRY(list_files(out, &j, err));
    if (n) *n = j.n;
out:
    job_deinit(&j);
    /* Whose fault it is can be told apart by where it is. */
    if (rc < 0 && computed == 0 && err && strncmp(err->where, dir, strlen(dir)) != 0)
        cx_where(err, rc, "%s", dir);
    return rc;
}
