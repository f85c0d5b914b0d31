/* t_arithmetic.c - numbers of every layer of small models, computed again one by one in plain
 * sight, against those of the run. The cases are those of t_golden.c, whose runs are checked there.
 * Speaks TAP, a line a case; the last line says that every way to make a number was met. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "golden.h"
#include "graph/reach.h"
#include "methods/arithmetic.h"

enum { PLACES = 64, WAYS = CX_MADE_OTHERWISE + 1 };

static long met[WAYS], seen, seen_alike, seen_same;

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

static int check(golden *g, cvs_error *err)
{
    int failed = 0;
    if (golden_run(g, &(cvs_run_options){.taps = "all", .exact = 1}, err) < 0) return 1;
    if (cvs_run_forward(g->run, err) < 0) return 1;
    for (int i = 0; i < g->model->n_nodes; i++)
        failed |= check_node(g->run, i, err) | check_sight(g->run, i, err);
    return failed;
}

int main(int argc, char **argv)
{
    int failures = 0, missing = 0;
    const int n = golden_check_all(&failures, argc > 1 ? argv[1] : ".", check);
    for (int i = 0; i < WAYS; i++) missing += met[i] == 0;
    missing += seen < 50 || seen_alike < seen * 9 / 10 || seen_same < seen * 9 / 10;
    printf(
        "# %ld maps, %ld of which see all that their windows reach, %ld the same at all places\n",
        seen, seen_alike, seen_same);
    printf("%s %d - numbers of all kinds were met\n1..%d\n", missing ? "not ok" : "ok", n + 1,
           n + 1);
    for (int i = 0; i < WAYS; i++) printf("# kind %d: %ld numbers\n", i, met[i]);
    return failures > 0 || missing > 0;
}
