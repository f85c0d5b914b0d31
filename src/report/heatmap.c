/* heatmap.c - the files of cvs_heatmaps_write: maps, overlays, numbers, their comparison and index.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "base/threads.h"
#include "draw/heat_sheet.h"
#include "graph/input.h"
#include "methods/trust.h"
#include "report/outdir.h"
#include "tensor/npy.h"

/* One map, and what is drawn of it. */
typedef struct item {
    const cvs_heatmap *of;
    const cvs_method *method;
    int column;
    cx_heat_map map;
    float *shown; /* its numbers; owned */
    char title[320], subtitle[640], note[1200];
    char heatmap[CX_FILE_NAME], overlay[CX_FILE_NAME], numbers[CX_FILE_NAME]; /* "": none */
    int rc;
    cvs_error err;
} item;

typedef struct job {
    const char *dir;
    const cvs_heatmap_options *o;
    cx_image photo;
    item *items;
    int n, rows, columns;
    cx_easel *easels; /* one a thread */
    char *caption;
} job;

static const char *class_name(const job *j, int64_t index)
{
    return j->o->classes && index >= 0 ? cvs_classes_name(j->o->classes, (int)index) : NULL;
}

/* --- what is drawn --- */

static void name_files(const job *j, item *it)
{
    const char *name = it->method->name, *row = it->of->row;
    char words[300], *key = words;
    if (j->columns > 1)
        snprintf(words, sizeof words, "%.120s%s%.120s", row ? row : "", row ? "_" : "",
                 j->o->keys[it->column]);
    else if (row)
        snprintf(words, sizeof words, "%.200s", row);
    else
        key = NULL;
    const int formats = j->o->formats ? j->o->formats : CVS_WRITE_PNG;
    if (formats & CVS_WRITE_PNG) {
        cx_method_file(it->heatmap, name, key, "_heatmap.png");
        if (j->photo.data) cx_method_file(it->overlay, name, key, "_overlay.png");
    }
    if (formats & CVS_WRITE_NPY) cx_method_file(it->numbers, name, key, ".npy");
}

static void write_words(const job *j, item *it)
{
    const cvs_explanation *e = it->of->explanation;
    const char *name = class_name(j, e->class_index);
    int at = snprintf(it->title, sizeof it->title, "%s", it->method->title);
    if (e->class_index >= 0)
        at += snprintf(it->title + at, sizeof it->title - (size_t)at, ": %.120s%s%lld%s",
                       name ? name : "", name ? " (" : "class ", (long long)e->class_index,
                       name ? ")" : "");
    if (isfinite(e->probability))
        snprintf(it->title + at, sizeof it->title - (size_t)at, "  %.3f", e->probability);
    else
        snprintf(it->title + at, sizeof it->title - (size_t)at, "  %.4g", e->score);
    snprintf(it->subtitle, sizeof it->subtitle, "%.200s%s%.256s",
             j->o->model ? cx_base_name(j->o->model) : "", e->layer[0] ? "  ·  " : "", e->layer);
    snprintf(it->note, sizeof it->note, "%s", e->notes);
    const size_t end = strlen(it->note);
    if (end > 0 && it->note[end - 1] == '\n') it->note[end - 1] = 0;
}

/* The map that is drawn, of attributions on a scale that a few hot pixels do not stretch. */
static int choose_map(item *it, cvs_error *err)
{
    const cvs_explanation *e = it->of->explanation;
    int rc;
    TRY(cx_explanation_places(&it->shown, &it->map.is_signed, e, err));
    it->map.data = it->shown;
    it->map.height = e->height;
    it->map.width = e->width;
    if (e->is_pixels)
        TRY(cx_heat_robust_limit(&it->map.limit, it->shown, e->height * e->width, err));
out:
    return rc;
}

/* --- files --- */

static int draw_book(cx_bytes *png, const job *j, const item *it, cx_easel *easel, cvs_error *err)
{
    int rc;
    TRY(cx_heat_book(&easel->canvas, &it->map, &j->photo, j->o->preset, err));
    TRY(cx_canvas_png(png, &easel->canvas, it->title, err));
out:
    return rc;
}

static int write_picture(const job *j, const item *it, cx_heat_kind kind, cx_easel *easel,
                         cvs_error *err)
{
    const int is_book = j->o->preset != CVS_STYLE_DEFAULT;
    cx_heat heat = {.map = it->map,
                    .photo = j->photo.data ? &j->photo : NULL,
                    .title = it->title,
                    .subtitle = it->subtitle,
                    .note = it->note[0] ? it->note : NULL,
                    .caption = j->caption};
    cx_bytes png = {0};
    int rc;
    if (is_book && kind == CX_HEAT_MAP) heat.photo = NULL; /* the books show its cells */
    if (is_book && kind == CX_HEAT_OVERLAY)
        TRY(draw_book(&png, j, it, easel, err));
    else
        TRY(cx_heat_draw(&png, easel, &heat, kind, err));
    TRY(cx_put_file(j->dir, kind == CX_HEAT_MAP ? it->heatmap : it->overlay, png.data, png.size,
                    err));
out:
    cx_bytes_deinit(&png);
    return rc;
}

static int write_numbers(const job *j, const item *it, cvs_error *err)
{
    const cvs_explanation *e = it->of->explanation;
    const cx_shape shape = {e->is_pixels ? 3 : 2, {e->height, e->width, e->channels}};
    char *path = NULL;
    int rc = cx_join_path(&path, j->dir, it->numbers, err);
    if (rc == 0) rc = cx_npy_write(path, e->data, &shape, err);
    cx_free(path);
    return rc;
}

static void write_item(void *arg, int i, int worker)
{
    const job *j = arg;
    item *it = &j->items[i];
    cx_easel *easel = &j->easels[worker];
    if (!it->of->explanation) return;
    if (it->numbers[0]) it->rc = write_numbers(j, it, &it->err);
    if (it->rc == 0 && it->heatmap[0]) it->rc = write_picture(j, it, CX_HEAT_MAP, easel, &it->err);
    if (it->rc == 0 && it->overlay[0])
        it->rc = write_picture(j, it, CX_HEAT_OVERLAY, easel, &it->err);
}

/* "Grad-CAM, conv2d_6". */
typedef char row_name[256];

static const char *name_row(const item *it, row_name name)
{
    if (!it->of->row) return it->method->title;
    snprintf(name, sizeof(row_name), "%.60s, %.180s", it->method->title, it->of->row);
    return name;
}

/* How the comparison is laid out. A method's maps of several classes have one scale, so that they
 * can be compared; many methods of one class fill a square. */
static cx_heat_scales lay_out(const job *j, int *rows, int *columns)
{
    enum { FEW = 3, ACROSS = 4 };
    *rows = j->rows;
    *columns = j->columns;
    if (j->columns > 1) return CX_SCALES_ROW;
    if (j->rows > FEW) {
        *columns = j->rows < 2 * ACROSS ? (j->rows + 1) / 2 : ACROSS;
        *rows = (j->rows + *columns - 1) / *columns;
    }
    return CX_SCALES_OWN;
}

static int write_comparison(const job *j, cvs_error *err)
{
    cx_heat_sheet s = {.title = "Where the evidence lies",
                       .subtitle = j->o->model ? cx_base_name(j->o->model) : NULL,
                       .caption = j->caption,
                       .photo = &j->photo};
    s.scales = lay_out(j, &s.rows, &s.columns);
    const int is_square = s.columns != j->columns, n = s.rows * s.columns;
    const char **names = cx_calloc((size_t)(s.rows + s.columns), sizeof *names);
    row_name *room = cx_calloc((size_t)j->rows, sizeof *room);
    cx_heat_cell *cells = cx_calloc((size_t)n, sizeof *cells);
    cx_bytes png = {0};
    int rc = 0;
    if (!names || !room || !cells) TRY(cx_no_memory(err, (size_t)n * sizeof *cells));
    for (int i = 0; i < s.rows + s.columns; i++) names[i] = "";
    for (int i = 0; i < n; i++) {
        cells[i].words = "";
        if (i >= j->n) continue;
        const char *name = name_row(&j->items[i], room[i / j->columns]);
        cells[i] = (cx_heat_cell){j->items[i].map, j->items[i].of->failure, NULL};
        if (is_square)
            cells[i].name = name;
        else
            names[i / j->columns] = name;
    }
    for (int k = 0; j->o->titles && !is_square && k < s.columns; k++)
        names[s.rows + k] = j->o->titles[k];
    s.row_names = names;
    s.column_names = names + s.rows;
    s.cells = cells;
    TRY(cx_heat_sheet_draw(&png, &j->easels[0], &s, err));
    TRY(cx_put_file(j->dir, "comparison.png", png.data, png.size, err));
out:
    cx_bytes_deinit(&png);
    cx_free(names);
    cx_free(room);
    cx_free(cells);
    return rc;
}

/* --- index.json --- */

static void add_item(cx_json_writer *w, const job *j, const item *it)
{
    const cvs_explanation *e = it->of->explanation;
    cx_json_open(w, NULL, '{');
    cx_json_add_string(w, "method", it->method->name);
    cx_json_add_string(w, "title", it->method->title);
    cx_json_add_string(w, "cite", it->method->cite);
    if (!e) {
        cx_json_add_string(w, "failure", it->of->failure);
        cx_json_close(w, '}');
        return;
    }
    const int64_t n = e->height * e->width * e->channels;
    float low = INFINITY, high = -INFINITY;
    int64_t above = 0;
    for (int64_t i = 0; i < n; i++) {
        low = fminf(low, e->data[i]);
        high = fmaxf(high, e->data[i]);
        above += e->data[i] > 0;
    }
    cx_json_add_string(w, "layer", e->layer[0] ? e->layer : NULL);
    if (e->why_layer[0]) cx_json_add_string(w, "why_layer", e->why_layer);
    cx_json_add_string(w, "target", e->target);
    if (e->class_index >= 0) cx_json_add_int(w, "class", e->class_index);
    if (class_name(j, e->class_index))
        cx_json_add_string(w, "class_name", class_name(j, e->class_index));
    cx_json_add_number(w, "score", e->score);
    cx_json_add_number(w, "probability", e->probability);
    cx_json_add_ints(w, "shape", (const int64_t[]){e->height, e->width, e->channels},
                     e->is_pixels ? 3 : 2);
    cx_json_add_string(w, "heatmap", it->heatmap[0] ? it->heatmap : NULL);
    cx_json_add_string(w, "overlay", it->overlay[0] ? it->overlay : NULL);
    cx_json_add_string(w, "file", it->numbers[0] ? it->numbers : NULL);
    cx_json_add_number(w, "min", (double)low);
    cx_json_add_number(w, "max", (double)high);
    cx_json_add_number(w, "positive_share", (double)above / (double)n);
    if (e->n_weights > 0) {
        cx_json_open(w, "channel_weights", '[');
        for (int64_t c = 0; c < e->n_weights; c++) cx_json_add_number(w, NULL, e->weights[c]);
        cx_json_close(w, ']');
    }
    if (isfinite(e->residual)) cx_json_add_number(w, "residual", e->residual);
    if (e->done < 1) cx_json_add_number(w, "done", e->done);
    cx_json_add_string(w, "notes", it->note[0] ? it->note : NULL);
    cx_json_close(w, '}');
}

static int write_index(const job *j, int has_comparison, cvs_error *err)
{
    cx_json_writer w = {0};
    cx_json_open(&w, NULL, '{');
    cx_json_add_string(&w, "model", j->o->model);
    cx_json_add_string(&w, "input", j->o->input);
    cx_json_add_string(&w, "preprocess", j->o->preprocess);
    cx_json_add_string(&w, "preset", cvs_style_name((int)j->o->preset));
    cx_json_add_string(&w, "comparison", has_comparison ? "comparison.png" : NULL);
    cx_json_open(&w, "heatmaps", '[');
    for (int i = 0; i < j->n; i++) add_item(&w, j, &j->items[i]);
    cx_json_close(&w, ']');
    cx_json_close(&w, '}');
    return cx_put_json(j->dir, "index.json", &w, err);
}

/* --- the whole --- */

static int init(job *j, const cvs_heatmap *maps, int n, int n_easels, cvs_error *err)
{
    const cvs_heatmap_options *o = j->o;
    cx_str caption = {0};
    int rc = 0;
    j->columns = o->columns > 1 ? o->columns : 1;
    j->rows = n / j->columns;
    if (n < 1 || n % j->columns || (j->columns > 1 && !o->keys))
        return cx_fail(err, CVS_E_ARG, "%d heatmaps in %d columns", n, j->columns);
    j->items = cx_calloc((size_t)n, sizeof *j->items);
    j->easels = cx_calloc((size_t)n_easels, sizeof *j->easels);
    if (!j->items || !j->easels) TRY(cx_no_memory(err, (size_t)n * sizeof *j->items));
    j->n = n;
    if (o->photo) TRY(cx_input_picture(&j->photo, o->photo, err));
    if (o->input) cx_str_add(&caption, cx_base_name(o->input));
    TRY(cx_str_take(&j->caption, &caption, err));
    for (int i = 0; i < n; i++) {
        item *it = &j->items[i];
        it->of = &maps[i];
        it->column = i % j->columns;
        it->method = cvs_method_find(maps[i].method, err);
        if (!it->method) return CVS_E_ARG;
        if (!maps[i].explanation) continue;
        name_files(j, it);
        write_words(j, it);
        TRY(choose_map(it, err));
    }
out:
    return rc;
}

static void deinit(job *j, int n_easels)
{
    for (int i = 0; i < j->n; i++) cx_free(j->items[i].shown);
    for (int i = 0; j->easels && i < n_easels; i++) cx_easel_deinit(&j->easels[i]);
    cx_image_deinit(&j->photo);
    cx_free(j->items);
    cx_free(j->easels);
    cx_free(j->caption);
}

int cvs_heatmaps_write(const cvs_heatmap *maps, int n, const char *dir,
                       const cvs_heatmap_options *options, cvs_error *err)
{
    const cvs_heatmap_options defaults = {0};
    job j = {.dir = dir, .o = options ? options : &defaults};
    const int n_easels = cx_threads();
    int rc;
    TRY(init(&j, maps, n, n_easels, err));
    TRY(cx_make_dirs(dir, err));
    cx_parallel(j.n, write_item, &j);
    for (int i = 0; i < j.n; i++)
        if (j.items[i].rc < 0) {
            if (err) *err = j.items[i].err;
            rc = j.items[i].rc;
            goto out;
        }
    const int formats = j.o->formats ? j.o->formats : CVS_WRITE_PNG;
    const int compares = j.n > 1 && formats & CVS_WRITE_PNG && j.photo.data;
    if (compares) TRY(write_comparison(&j, err));
    TRY(write_index(&j, compares, err));
out:
    deinit(&j, n_easels);
    return rc;
}
