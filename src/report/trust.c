/* trust.c - the files of cvs_trust_write: curves, what is left of maps as the network forgets, and
 * the numbers. */
#include <math.h>
#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "draw/curves.h"
#include "draw/heat_sheet.h"
#include "graph/input.h"
#include "methods/trust.h"
#include "report/outdir.h"

typedef struct job {
    const cvs_trust *const *trusts;
    int n_inputs, n_methods;
    const cvs_standing *standings;
    const char *dir;
    const cvs_trust_write_options *o;
    char *caption; /* owned */
} job;

static const cvs_trust *trust_of(const job *j, int input, int method)
{
    return j->trusts[(ptrdiff_t)input * j->n_methods + method];
}

static const char *title_of(const char *method)
{
    const cvs_method *m = method ? cvs_method_find(method, NULL) : NULL;
    return m ? m->title : "chance (random map)";
}

/* --- curves.png --- */

/* Which of a trust's curves. */
typedef enum which { DELETION, INSERTION } which;

/* The mean of the inputs' curves; 0 where there is none. All have the same points. */
static int mean_curve(const job *j, int method, which curve, double *y, const double **x)
{
    int n = 0, inputs = 0;
    for (int i = 0; i < j->n_inputs; i++) {
        const cvs_trust *t = trust_of(j, i, method);
        if (!t || t->n_points < 1) continue;
        for (int k = 0; k < t->n_points; k++)
            y[k] += curve == DELETION ? t->deletion[k] : t->insertion[k];
        *x = t->share;
        n = t->n_points;
        inputs++;
    }
    for (int k = 0; k < n; k++) y[k] /= inputs;
    return n;
}

static int most_points(const job *j)
{
    int most = 0;
    for (int i = 0; i < j->n_inputs * j->n_methods; i++)
        if (j->trusts[i] && j->trusts[i]->n_points > most) most = j->trusts[i]->n_points;
    return most;
}

static int write_curves(const job *j, int points, cvs_error *err)
{
    static const char *const titles[] = {"Deletion: the evidence is taken away",
                                         "Insertion: the evidence is given back"};
    static const char *const hints[] = {"the lower the curve, the better the map",
                                        "the higher the curve, the better the map"};
    static const char *const shares[] = {"share of the pixels that are gone",
                                         "share of the pixels that are back"};
    const size_t n = (size_t)j->n_methods;
    cx_curve *curves = cx_calloc(2 * n, sizeof *curves);
    double *y = cx_calloc(2 * n * (size_t)points, sizeof *y);
    char names[2][64][96];
    cx_curves charts[2];
    cx_bytes png = {0};
    int rc = 0;
    if (!curves || !y) TRY(cx_no_memory(err, 2 * n * (size_t)points * sizeof *y));
    for (int c = DELETION; c <= INSERTION; c++) {
        cx_curve *at = curves + (ptrdiff_t)c * j->n_methods;
        charts[c] = (cx_curves){.title = titles[c],
                                .subtitle = hints[c],
                                .caption = c == DELETION ? j->caption : NULL,
                                .x_name = shares[c],
                                .y_name = "score of the class",
                                .curves = at,
                                .width = 720,
                                .height = 440};
        for (int m = 0; m < j->n_methods && charts[c].n < 64; m++) {
            double *heights = y + ((ptrdiff_t)c * j->n_methods + m) * points;
            cx_curve *curve = &at[charts[c].n];
            const cvs_estimate *area = &j->standings[m].metric[c];
            curve->n = mean_curve(j, m, (which)c, heights, &curve->x);
            if (curve->n == 0) continue;
            curve->y = heights;
            snprintf(names[c][charts[c].n], sizeof names[c][0], "%.3f  %s", area->mean,
                     title_of(j->standings[m].method));
            curve->name = names[c][charts[c].n++];
        }
    }
    TRY(cx_curves_draw_row(&png, charts, 2, "deletion and insertion", err));
    TRY(cx_put_file(j->dir, "curves.png", png.data, png.size, err));
out:
    cx_bytes_deinit(&png);
    cx_free(curves);
    cx_free(y);
    return rc;
}

/* --- sanity.png --- */

enum { COLUMNS = 7 }; /* of the sheet at most: the whole network and depths of forgetting */

/* The depth in column k, -1 for the whole network. The last is shown, and as many of the others. */
static int depth_of(int k, int n_depths, int columns)
{
    return k == 0 ? -1 : (int)((int64_t)k * n_depths / (columns - 1)) - 1;
}

static int fill_cell(cx_heat_cell *cell, float **room, const cvs_explanation *e, cvs_error *err)
{
    int rc;
    cell->words = "no map";
    if (!e) return 0;
    TRY(cx_explanation_places(room, &cell->map.is_signed, e, err));
    cell->map.data = *room;
    cell->map.height = e->height;
    cell->map.width = e->width;
    cell->words = NULL;
    if (cx_heat_limit(&cell->map) <= 0) cell->words = "0 everywhere";
    if (e->is_pixels) TRY(cx_heat_robust_limit(&cell->map.limit, *room, e->height * e->width, err));
out:
    return rc;
}

/* The method with most depths, whose layers name the columns; NULL: none was checked. */
static const cvs_trust *deepest(const job *j)
{
    const cvs_trust *best = NULL;
    for (int m = 0; m < j->n_methods; m++) {
        const cvs_trust *t = trust_of(j, 0, m);
        if (t && t->explanation && t->n_depths > (best ? best->n_depths : 0)) best = t;
    }
    return best;
}

static int write_sanity(const job *j, const cvs_trust *deep, cvs_error *err)
{
    const int columns = deep->n_depths + 1 < COLUMNS ? deep->n_depths + 1 : COLUMNS;
    const size_t n = (size_t)(j->n_methods * columns);
    cx_heat_cell *cells = cx_calloc(n, sizeof *cells);
    float **room = cx_calloc(n, sizeof *room);
    const char **names = cx_calloc((size_t)j->n_methods, sizeof *names), *heads[COLUMNS];
    char head_text[COLUMNS][160];
    cx_easel easel = {0};
    cx_image photo = {0};
    cx_bytes png = {0};
    int rows = 0, rc = 0;
    if (!cells || !room || !names) TRY(cx_no_memory(err, n * sizeof *cells));
    for (int k = 0; k < columns; k++) {
        const int d = depth_of(k, deep->n_depths, columns);
        snprintf(head_text[k], sizeof head_text[k], d < 0 ? "as it is" : "forgot down to %s",
                 d < 0 ? "" : deep->depths[d].layer);
        heads[k] = head_text[k];
    }
    for (int m = 0; m < j->n_methods; m++) {
        const cvs_trust *t = trust_of(j, 0, m);
        if (!t || t->n_depths != deep->n_depths) continue;
        for (int k = 0; k < columns; k++) {
            const int d = depth_of(k, deep->n_depths, columns), at = rows * columns + k;
            TRY(fill_cell(&cells[at], &room[at], d < 0 ? t->explanation : t->depths[d].explanation,
                          err));
        }
        names[rows++] = title_of(t->method);
    }
    if (j->o->photo) TRY(cx_input_picture(&photo, j->o->photo, err));
    const cx_heat_sheet sheet = {.title = "What is left of the maps as the network forgets",
                                 .subtitle = "weights become random, from the last layer down: a "
                                             "map that stays does not tell of the network",
                                 .caption = j->caption,
                                 .photo = photo.data ? &photo : NULL,
                                 .rows = rows,
                                 .columns = columns,
                                 .row_names = names,
                                 .column_names = heads,
                                 .cells = cells,
                                 .scales = CX_SCALES_OWN};
    TRY(cx_heat_sheet_draw(&png, &easel, &sheet, err));
    TRY(cx_put_file(j->dir, "sanity.png", png.data, png.size, err));
out:
    for (size_t i = 0; room && i < n; i++) cx_free(room[i]);
    cx_bytes_deinit(&png);
    cx_image_deinit(&photo);
    cx_easel_deinit(&easel);
    cx_free(cells);
    cx_free(room);
    cx_free(names);
    return rc;
}

/* --- index.json --- */

static void add_estimate(cx_json_writer *w, const char *key, const cvs_estimate *e)
{
    if (e->n < 1) return;
    cx_json_open(w, key, '{');
    cx_json_add_number(w, "mean", e->mean);
    cx_json_add_number(w, "low", e->low);
    cx_json_add_number(w, "high", e->high);
    cx_json_add_int(w, "inputs", e->n);
    cx_json_close(w, '}');
}

static void add_numbers(cx_json_writer *w, const char *key, const double *v, int n)
{
    cx_json_open(w, key, '[');
    for (int i = 0; i < n; i++) cx_json_add_number(w, NULL, v[i]);
    cx_json_close(w, ']');
}

static void add_trust(cx_json_writer *w, const job *j, int input, int method)
{
    const cvs_trust *t = trust_of(j, input, method);
    const char *const *failures = j->o->failures;
    cx_json_open(w, NULL, '{');
    cx_json_add_string(w, "input", j->o->inputs ? j->o->inputs[input] : NULL);
    cx_json_add_string(w, "method", j->standings[method].method);
    if (!t) {
        cx_json_add_string(w, "failure",
                           failures ? failures[(ptrdiff_t)input * j->n_methods + method] : NULL);
        cx_json_close(w, '}');
        return;
    }
    if (t->class_index >= 0) cx_json_add_int(w, "class", t->class_index);
    cx_json_add_number(w, "score", t->score);
    cx_json_add_number(w, "score_of_nothing", t->nothing);
    for (int k = 0; cvs_metric_at(k); k++)
        if (isfinite(t->value[k])) cx_json_add_number(w, cvs_metric_at(k)->name, t->value[k]);
    if (t->n_points > 0) {
        add_numbers(w, "deletion_curve", t->deletion, t->n_points);
        add_numbers(w, "insertion_curve", t->insertion, t->n_points);
    }
    if (t->n_depths > 0) cx_json_open(w, "sanity_depths", '[');
    for (int d = 0; d < t->n_depths; d++) {
        cx_json_open(w, NULL, '{');
        cx_json_add_string(w, "down_to", t->depths[d].layer);
        cx_json_add_number(w, "spearman", t->depths[d].spearman);
        cx_json_add_number(w, "ssim", t->depths[d].ssim);
        cx_json_close(w, '}');
    }
    if (t->n_depths > 0) cx_json_close(w, ']');
    if (t->done < 1) cx_json_add_number(w, "done", t->done);
    cx_json_close(w, '}');
}

static void add_metrics(cx_json_writer *w)
{
    const cvs_metric *m;
    cx_json_open(w, "metrics", '[');
    for (int k = 0; (m = cvs_metric_at(k)); k++) {
        cx_json_open(w, NULL, '{');
        cx_json_add_string(w, "name", m->name);
        cx_json_add_string(w, "says", m->says);
        cx_json_add_string(w, "cite", m->cite);
        cx_json_add_string(w, "better", m->more_is_better ? "high" : "low");
        cx_json_add_bool(w, "ranks", m->ranks);
        cx_json_close(w, '}');
    }
    cx_json_close(w, ']');
}

static int write_index(const job *j, int has_curves, int has_sanity, cvs_error *err)
{
    cx_json_writer w = {0};
    cx_json_open(&w, NULL, '{');
    cx_json_add_string(&w, "model", j->o->model);
    cx_json_add_string(&w, "preprocess", j->o->preprocess);
    cx_json_add_string(&w, "curves", has_curves ? "curves.png" : NULL);
    cx_json_add_string(&w, "sanity", has_sanity ? "sanity.png" : NULL);
    add_metrics(&w);
    cx_json_open(&w, "methods", '[');
    for (int m = 0; m < j->n_methods; m++) {
        const cvs_standing *s = &j->standings[m];
        cx_json_open(&w, NULL, '{');
        cx_json_add_string(&w, "method", s->method);
        add_estimate(&w, "rank", &s->rank);
        for (int k = 0; cvs_metric_at(k); k++)
            add_estimate(&w, cvs_metric_at(k)->name, &s->metric[k]);
        cx_json_close(&w, '}');
    }
    cx_json_close(&w, ']');
    cx_json_open(&w, "results", '[');
    for (int i = 0; i < j->n_inputs; i++)
        for (int m = 0; m < j->n_methods; m++) add_trust(&w, j, i, m);
    cx_json_close(&w, ']');
    cx_json_close(&w, '}');
    return cx_put_json(j->dir, "index.json", &w, err);
}

/* --- the whole --- */

static int write_caption(job *j, cvs_error *err)
{
    cx_str text = {0};
    if (j->o->model) cx_str_add(&text, cx_base_name(j->o->model));
    if (j->n_inputs == 1 && j->o->inputs)
        cx_str_addf(&text, "%s%s", j->o->model ? "  ·  " : "", cx_base_name(j->o->inputs[0]));
    if (j->n_inputs > 1) cx_str_addf(&text, "%s%d inputs", j->o->model ? "  ·  " : "", j->n_inputs);
    return cx_str_take(&j->caption, &text, err);
}

int cvs_trust_write(const cvs_trust *const *trusts, int n_inputs, int n_methods,
                    const cvs_standing *standings, const char *dir,
                    const cvs_trust_write_options *options, cvs_error *err)
{
    const cvs_trust_write_options plain = {0};
    job j = {trusts, n_inputs, n_methods, standings, dir, options ? options : &plain, NULL};
    int rc;
    if (n_inputs < 1 || n_methods < 1)
        return cx_fail(err, CVS_E_ARG, "%d methods on %d inputs", n_methods, n_inputs);
    TRY(write_caption(&j, err));
    TRY(cx_make_dirs(dir, err));
    const int points = most_points(&j);
    const cvs_trust *deep = n_inputs == 1 ? deepest(&j) : NULL;
    if (points > 0) TRY(write_curves(&j, points, err));
    if (deep) TRY(write_sanity(&j, deep, err));
    TRY(write_index(&j, points > 0, deep != NULL, err));
out:
    cx_free(j.caption);
    return rc;
}
