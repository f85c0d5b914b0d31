/* t_arithmetic.c - numbers of every layer of small models, computed again one by one in plain
 * sight, against those of the run. The cases are those of t_golden.c, whose runs are checked there.
 * Speaks TAP, a line a case; the last line says that every way to make a number was met. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "graph/reach.h"
#include "methods/arithmetic.h"

enum { PLACES = 64, WAYS = CX_MADE_OTHERWISE + 1 };

static long met[WAYS], seen, seen_alike, seen_same;

static int read_index(cx_json **out, const char *dir, cvs_error *err)
{
    char path[2400];
    cx_bytes b;
    snprintf(path, sizeof path, "%s/index.json", dir);
    int rc = cx_file_read(&b, path, 16 << 20, err);
    if (rc == 0) rc = cx_json_parse(out, (const char *)b.data, b.size, err);
    cx_bytes_deinit(&b);
    return rc;
}

/* What roundings of floats can do to the number: the size of all that is added. */
static double size_of(const cx_arithmetic *a)
{
    double size = fabs(a->sum) + fabs(a->result);
    for (int64_t i = 0; a->kernel && i < a->cells * a->reads.channels; i++)
        size += fabs((double)a->x[i] * (double)a->kernel[i]);
    if (a->made == CX_MADE_SCALED) size += fabs(a->operands[0].value * a->scale) + fabs(a->shift);
    return size;
}

static int check_place(const cvs_run *run, int node, const cx_place *place, cvs_error *err)
{
    const char *name = run->model->nodes[node].name;
    cx_arithmetic a;
    if (cx_arithmetic_of(&a, run, node, place, err) < 0) return 1;
    const int has_result = a.made != CX_MADE_COMBINED && a.made != CX_MADE_OTHERWISE;
    const double most = 2e-6 * size_of(&a);
    int bad = has_result && !(fabs(a.result - a.value) <= most);
    if (isnan(a.value)) bad = has_result && !isnan(a.result);
    met[a.made]++;
    if (bad)
        printf("# %s (%lld, %lld, %lld): %.9g, in the run %.9g, allowed %.3g\n", name,
               (long long)place->row, (long long)place->column, (long long)place->channel, a.result,
               a.value, most);
    cx_arithmetic_deinit(&a);
    return bad;
}

/* The corners, and places all over the map. */
static int check_node(const cvs_run *run, int node, cvs_error *err)
{
    cx_map map;
    int bad = 0;
    if (cx_map_of(&map, run, node, 0, err) < 0) return 1;
    const cx_stack *s = &map.stack;
    const int64_t n = s->height * s->width * s->channels;
    for (int64_t i = 0; i < PLACES && bad < 3; i++) {
        const int64_t at = i == PLACES - 1 ? n - 1 : i * n / PLACES;
        const cx_place place = {at / s->channels / s->width, at / s->channels % s->width,
                                at % s->channels};
        bad += check_place(run, node, &place, err);
    }
    cx_map_deinit(&map);
    return bad > 0;
}

/* What the middle of a map sees by its windows has all that a derivative finds there. */
static int check_sight(const cvs_run *run, int node, cvs_error *err)
{
    const cvs_model *m = run->model;
    const cx_shape *in = &run->slots[m->inputs[0]].shape;
    cx_sight s, known = {0};
    cx_map map;
    int64_t box[4];
    if (m->n_inputs != 1 || in->ndim != 4 || m->nodes[node].shape.ndim != 4) return 0;
    if (cx_map_of(&map, run, node, 0, err) < 0) return 1;
    const int64_t row = map.stack.height / 2, column = map.stack.width / 2;
    cx_map_deinit(&map);
    const int rc = cx_sees(box, run, node, row, column, err);
    if (rc <= 0) return rc < 0;
    if (cx_sight_find(&s, m, node, in, NULL) < 0) return 0; /* a layer without a derivative */
    if (cx_sight_known(&known, run, node, err) != 1) return 1;
    seen_same += memcmp(&known, &s, sizeof s) == 0;
    seen++;
    seen_alike += box[0] == s.rows.first && box[1] == s.columns.first && box[2] == s.rows.last &&
                  box[3] == s.columns.last;
    if (box[0] <= s.rows.first && box[1] <= s.columns.first && box[2] >= s.rows.last &&
        box[3] >= s.columns.last)
        return 0;
    printf("# %s sees %lld to %lld, by its windows %lld to %lld\n", m->nodes[node].name,
           (long long)s.rows.first, (long long)s.rows.last, (long long)box[0], (long long)box[2]);
    return 1;
}

static int run_case(const char *dir, cvs_error *err)
{
    cx_json *index = NULL;
    cvs_model *m = NULL;
    cvs_run *run = NULL;
    char path[2400], architecture[2400];
    int failed = 1;
    if (read_index(&index, dir, err) < 0) goto out;
    snprintf(path, sizeof path, "%s/%s", dir, cx_json_string(cx_json_get(index, "model"), ""));
    const char *json = cx_json_string(cx_json_get(index, "architecture"), NULL);
    if (json) snprintf(architecture, sizeof architecture, "%s/%s", dir, json);
    const cvs_load_options options = {.architecture = json ? architecture : NULL};
    if (cvs_model_load(&m, path, &options, err) < 0) goto out;
    if (cvs_run_new(&run, m, &(cvs_run_options){.taps = "all", .exact = 1}, err) < 0) goto out;
    snprintf(path, sizeof path, "%s/%s", dir, cx_json_string(cx_json_get(index, "input"), ""));
    if (cvs_run_set_image(run, 0, 0, path, NULL, err) < 0) goto out;
    if (cvs_run_forward(run, err) < 0) goto out;
    failed = 0;
    for (int i = 0; i < m->n_nodes; i++)
        failed |= check_node(run, i, err) | check_sight(run, i, err);
out:
    cvs_run_free(run);
    cvs_model_free(m);
    cx_json_free(index);
    return failed;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
    char *names[256], path[2048];
    int n = 0, failures = 0, missing = 0;
    DIR *d = opendir(argc > 1 ? argv[1] : ".");
    for (struct dirent *e; d && n < 256 && (e = readdir(d));)
        if (e->d_name[0] != '.') names[n++] = cx_strdup(e->d_name);
    if (d) closedir(d);
    qsort(names, (size_t)n, sizeof *names, by_name);
    printf("1..%d\n", n + 1);
    for (int i = 0; i < n; i++) {
        cvs_error err = {0};
        snprintf(path, sizeof path, "%s/%s", argv[1], names[i]);
        const int failed = run_case(path, &err);
        if (failed && err.code) printf("# %s: %s\n", err.where, err.what);
        printf("%s %d - %s\n", failed ? "not ok" : "ok", i + 1, names[i]);
        failures += failed;
        cx_free(names[i]);
    }
    for (int i = 0; i < WAYS; i++) missing += met[i] == 0;
    missing += seen < 50 || seen_alike < seen * 9 / 10 || seen_same < seen * 9 / 10;
    printf(
        "# %ld maps, %ld of which see all that their windows reach, %ld the same at all places\n",
        seen, seen_alike, seen_same);
    printf("%s %d - numbers of all kinds were met\n", missing ? "not ok" : "ok", n + 1);
    for (int i = 0; i < WAYS; i++) printf("# kind %d: %ld numbers\n", i, met[i]);
    return failures > 0 || missing > 0;
}
