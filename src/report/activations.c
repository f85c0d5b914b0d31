/* activations.c - the files of cvs_activations_write: sheets, numbers and their index. */
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/threads.h"
#include "draw/sheet.h"
#include "methods/method.h"
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
    const char *caption;
    layer_job *layers;
    int n;
} job;

static int write_picture(const job *j, const layer_job *l, cvs_error *err)
{
    const cx_map *map = l->map;
    const cx_sheet sheet = {.name = l->name,
                            .class_name = l->class_name,
                            .data = map->data,
                            .height = map->height,
                            .width = map->width,
                            .channels = map->channels,
                            .shape = &map->y.shape,
                            .whole = &map->whole,
                            .each = map->each,
                            .channel_scale = j->options->channel_scale,
                            .caption = j->caption};
    cx_bytes png = {0};
    char *path = NULL;
    int rc;
    TRY(cx_sheet_draw(&png, &sheet, j->options->style, err));
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

static void do_layer(void *arg, int i, int worker)
{
    (void)worker;
    const job *j = arg;
    layer_job *l = &j->layers[i];
    if (l->numbers[0]) l->rc = write_numbers(j, l, &l->err);
    if (l->rc == 0 && l->picture[0]) l->rc = write_picture(j, l, &l->err);
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
    for (int64_t c = 0; c < map->channels; c++) dead += map->each[c].dead;
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
    for (int64_t c = 0; c < map->channels; c++) {
        cx_json_open(w, NULL, '{');
        cx_json_add_int(w, "index", c);
        add_stats(w, &map->each[c]);
        cx_json_add_bool(w, "dead", map->each[c].dead);
        cx_json_close(w, '}');
    }
    cx_json_close(w, ']');
    cx_json_close(w, '}');
}

static int write_index(const job *j, const cvs_model *m, cvs_error *err)
{
    cx_json_writer w = {0};
    char *text = NULL, *path = NULL;
    int rc;
    cx_json_open(&w, NULL, '{');
    cx_json_add_string(&w, "model", m->name);
    cx_json_add_string(&w, "input", j->options->input);
    cx_json_add_string(&w, "preprocess", j->options->preprocess);
    if (j->options->formats & CVS_WRITE_NPZ) cx_json_add_string(&w, "npz", "activations.npz");
    cx_json_add_string(&w, "style", cvs_style_name((int)j->options->style));
    cx_json_open(&w, "layers", '[');
    for (int i = 0; i < j->n; i++) add_layer(&w, &j->layers[i], i + 1);
    cx_json_close(&w, ']');
    cx_json_close(&w, '}');
    TRY(cx_json_finish(&text, &w, err));
    TRY(cx_join_path(&path, j->dir, "index.json", err));
    TRY(cx_file_write(path, &(cx_piece){text, strlen(text)}, 1, err));
out:
    cx_free(text);
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

static int write_layers(job *j, cvs_error *err)
{
    cx_parallel(j->n, do_layer, j);
    for (int i = 0; i < j->n; i++) {
        if (j->layers[i].rc == 0) continue;
        if (err) *err = j->layers[i].err;
        return j->layers[i].rc;
    }
    return 0;
}

int cvs_activations_write(const cvs_run *run, int slot, const char *dir,
                          const cvs_write_options *options, cvs_error *err)
{
    const cvs_write_options defaults = {0};
    const cvs_model *m = run->model;
    job j = {.dir = dir, .options = options ? options : &defaults};
    const int formats = j.options->formats ? j.options->formats : CVS_WRITE_PNG;
    cx_result result = {0};
    int rc;
    TRY(cx_method_find("activations")->run(&result, &(cx_request){.run = run, .slot = slot}, err));
    j.layers = cx_calloc((size_t)result.n_maps, sizeof *j.layers);
    if (!j.layers) TRY(cx_no_memory(err, sizeof *j.layers));
    j.n = result.n_maps;
    j.caption = j.options->input ? cx_base_name(j.options->input) : NULL;
    for (int i = 0; i < j.n; i++) {
        layer_job *l = &j.layers[i];
        const cx_node *node = &m->nodes[result.maps[i].node];
        l->map = &result.maps[i];
        l->name = node->name;
        l->class_name = m->layers[node->layer].kind->class_name;
        if (formats & CVS_WRITE_PNG) cx_layer_file(l->picture, i + 1, node->name, ".png");
        if (formats & CVS_WRITE_NPY) cx_layer_file(l->numbers, i + 1, node->name, ".npy");
    }
    TRY(cx_make_dirs(dir, err));
    TRY(write_layers(&j, err));
    if (formats & CVS_WRITE_NPZ) TRY(write_npz(&j, err));
    TRY(write_index(&j, m, err));
out:
    cx_free(j.layers);
    cx_result_deinit(&result);
    return rc;
}
