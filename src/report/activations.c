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

/* The work on one layer, so that layers can be done side by side. */
typedef struct layer_job {
    const cx_map *map;
    const char *name, *class_name;
    char picture[CX_FILE_NAME], numbers[CX_FILE_NAME]; /* "" where not wanted */
    int rc;
    cvs_error err;
} layer_job;

typedef struct job {
    const char *dir;
    const cvs_write_options *options;
    char *caption; /* "MODEL · IMAGE" */
    layer_job *layers;
    int n;
    cx_easel *easels; /* one a thread */
    const char *model_name;
    char *index; /* the text of index.json */
    int index_rc;
    cvs_error index_err;
} job;

static int write_picture(const job *j, const layer_job *l, cx_easel *easel, cvs_error *err)
{
    const cx_map *map = l->map;
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
    char *path = NULL;
    int rc;
    TRY(cx_sheet_draw(&png, easel, &sheet, j->options->style, err));
    TRY(cx_join_path(&path, j->dir, l->picture, err));
    TRY(cx_file_write(path, &(cx_piece){png.data, png.size}, 1, err));
out:
    cx_bytes_deinit(&png);
    cx_free(path);
    return rc;
}

static int write_numbers(const job *j, const layer_job *l, cvs_error *err)
{
    char *path = NULL;
    int rc = cx_join_path(&path, j->dir, l->numbers, err);
    if (rc == 0) rc = cx_npy_write(path, l->map->y.data, &l->map->y.shape, err);
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

static void add_layer(cx_json_writer *w, const layer_job *l, int index)
{
    const cx_map *map = l->map;
    int64_t dead = 0;
    for (int64_t c = 0; c < map->stack.channels; c++) dead += map->each[c].dead;
    cx_json_open(w, NULL, '{');
    cx_json_add_int(w, "index", index);
    cx_json_add_string(w, "name", l->name);
    cx_json_add_string(w, "class", l->class_name);
    cx_json_add_ints(w, "shape", map->y.shape.d, map->y.shape.ndim);
    cx_json_add_string(w, "file", l->numbers[0] ? l->numbers : NULL);
    cx_json_add_string(w, "picture", l->picture[0] ? l->picture : NULL);
    add_stats(w, &map->whole);
    cx_json_add_int(w, "dead_channels", dead);
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

static int make_index(job *j, cvs_error *err)
{
    cx_json_writer w = {0};
    cx_json_open(&w, NULL, '{');
    cx_json_add_string(&w, "model", j->model_name);
    cx_json_add_string(&w, "input", j->options->input);
    cx_json_add_string(&w, "preprocess", j->options->preprocess);
    if (j->options->formats & CVS_WRITE_NPZ) cx_json_add_string(&w, "npz", "activations.npz");
    cx_json_add_string(&w, "style", cvs_style_name((int)j->options->style));
    cx_json_open(&w, "layers", '[');
    for (int i = 0; i < j->n; i++) add_layer(&w, &j->layers[i], i + 1);
    cx_json_close(&w, ']');
    cx_json_close(&w, '}');
    return cx_json_finish(&j->index, &w, err);
}

static int write_index(const job *j, cvs_error *err)
{
    char *path = NULL;
    int rc = cx_join_path(&path, j->dir, "index.json", err);
    if (rc == 0) rc = cx_file_write(path, &(cx_piece){j->index, strlen(j->index)}, 1, err);
    cx_free(path);
    return rc;
}

static int write_npz(const job *j, cvs_error *err)
{
    char *path = NULL;
    int rc;
    cx_npz_entry *entries = cx_calloc((size_t)j->n, sizeof *entries);
    if (!entries) return cx_no_memory(err, (size_t)j->n * sizeof *entries);
    for (int i = 0; i < j->n; i++)
        entries[i] =
            (cx_npz_entry){j->layers[i].name, j->layers[i].map->y.data, j->layers[i].map->y.shape};
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

/* Each layer is an item, and the text of the index, which needs no file, is the last. */
static void do_item(void *arg, int i, int worker)
{
    job *j = arg;
    layer_job *l = &j->layers[i];
    if (i == j->n) {
        j->index_rc = make_index(j, &j->index_err);
        return;
    }
    if (l->numbers[0]) l->rc = write_numbers(j, l, &l->err);
    if (l->rc == 0 && l->picture[0]) l->rc = write_picture(j, l, &j->easels[worker], &l->err);
}

static int write_layers(job *j, cvs_error *err)
{
    cx_parallel(j->n + 1, do_item, j);
    for (int i = 0; i < j->n; i++) {
        if (j->layers[i].rc == 0) continue;
        if (err) *err = j->layers[i].err;
        return j->layers[i].rc;
    }
    if (j->index_rc < 0 && err) *err = j->index_err;
    return j->index_rc;
}

static int make_caption(job *j, const cvs_model *m, cvs_error *err)
{
    const cvs_write_options *o = j->options;
    cx_str s = {0};
    cx_str_add(&s, o->model ? cx_base_name(o->model) : m->name);
    if (o->input) cx_str_addf(&s, "  ·  %s", cx_base_name(o->input));
    return cx_str_take(&j->caption, &s, err);
}

int cvs_activations_write(const cvs_run *run, int slot, const char *dir,
                          const cvs_write_options *options, cvs_error *err)
{
    const cvs_write_options defaults = {0};
    const cvs_model *m = run->model;
    job j = {.dir = dir, .options = options ? options : &defaults, .model_name = m->name};
    const int formats = j.options->formats ? j.options->formats : CVS_WRITE_PNG;
    cx_maps result = {0};
    int rc, n_easels = cx_threads();
    TRY(cx_activations(&result, run, slot, err));
    j.layers = cx_calloc((size_t)result.n, sizeof *j.layers);
    j.easels = cx_calloc((size_t)n_easels, sizeof *j.easels);
    if (!j.layers || !j.easels) TRY(cx_no_memory(err, sizeof *j.layers));
    j.n = result.n;
    TRY(make_caption(&j, m, err));
    for (int i = 0; i < j.n; i++) {
        layer_job *l = &j.layers[i];
        const cx_node *node = &m->nodes[result.maps[i].node];
        l->map = &result.maps[i];
        l->name = node->name;
        l->class_name = m->layers[node->layer].class_name;
        if (formats & CVS_WRITE_PNG) cx_layer_file(l->picture, i + 1, node->name, ".png");
        if (formats & CVS_WRITE_NPY) cx_layer_file(l->numbers, i + 1, node->name, ".npy");
    }
    TRY(cx_make_dirs(dir, err));
    TRY(write_layers(&j, err));
    if (formats & CVS_WRITE_NPZ) TRY(write_npz(&j, err));
    TRY(write_index(&j, err));
out:
    for (int i = 0; j.easels && i < n_easels; i++) cx_easel_deinit(&j.easels[i]);
    cx_free(j.easels);
    cx_free(j.caption);
    cx_free(j.index);
    cx_free(j.layers);
    cx_maps_deinit(&result);
    return rc;
}
