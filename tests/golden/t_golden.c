/* t_golden.c - every layer of small models against an independent reference.
 *
 * A folder below the one given is a case: a model, an input, the expected output of every layer,
 * and index.json, which states the tolerance of each: max|got - expected| <= tolerance *
 * max|expected|. And what a batch gives is, to the byte, what its inputs give alone. Speaks TAP, a
 * line a case; the largest deviation of all is printed at the end. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "golden.h"

/* The suite's own limit, in the layer's largest value: two hundred roundings of a float. The
 * reference states where rounding alone does more (a variance of nearly nothing, say). */
static const double tolerance = 1e-5;

static double worst; /* deviation by the layer's largest value, over all cases */
static char worst_at[2400];

/* Compare one layer; prints what differs and gives 1 then. */
static int compare(const golden *g, const cx_json *layer)
{
    const char *name = cx_json_string(cx_json_get(layer, "name"), "");
    const double floor = 20 * cx_json_number(cx_json_get(layer, "f32_spread_rel"), 0);
    const double allowed = floor > tolerance ? floor : tolerance;
    cx_tensor want;
    cvs_error err = {0};
    const float *got;
    int64_t dims[CVS_MAX_DIMS], bad = -1;
    int ndim, index = cvs_model_find(g->model, name, &err);
    if (index < 0 || cvs_run_activation(&got, dims, &ndim, g->run, index, &err) < 0) {
        printf("# %s: %s\n", name, err.what);
        return 1;
    }
    if (golden_read(&want, g, layer, "file", &err) < 0) {
        printf("# %s: %s\n", err.where, err.what);
        return 1;
    }
    int differ = want.shape.ndim != ndim || memcmp(want.shape.d, dims, (size_t)ndim * sizeof *dims);
    int64_t n = cx_shape_count(&want.shape);
    double peak = 0, largest = 0;
    if (differ) printf("# %s: another shape\n", name);
    for (int64_t i = 0; i < n; i++) peak = fmax(peak, fabs((double)want.data[i]));
    for (int64_t i = 0; !differ && i < n; i++) {
        double d = fabs((double)got[i] - (double)want.data[i]);
        if (!(d <= largest)) largest = d, bad = i;
    }
    double relative = peak > 0 ? largest / peak : largest;
    if (relative > worst && floor <= tolerance) {
        worst = relative;
        snprintf(worst_at, sizeof worst_at, "%s, %s", g->dir, name);
    }
    if (!differ && !(relative <= allowed)) {
        printf("# %s: [%lld] is %.9g, expected %.9g: off by %.3g of the peak, allowed %.3g\n", name,
               (long long)bad, (double)got[bad], (double)want.data[bad], relative, allowed);
        differ = 1;
    }
    cx_tensor_deinit(&want);
    return differ;
}

/* The input of a run whose places have, in turn, an input as it is and from its end. */
static int feed(cvs_run *run, const cx_tensor *x, int places, int first, cvs_error *err)
{
    const int64_t n = cx_shape_count_range(&x->shape, 1, x->shape.ndim);
    cx_tensor t;
    cx_shape shape = x->shape;
    shape.d[0] = places;
    int rc = cx_tensor_init(&t, &shape, err);
    for (int64_t i = 0; rc == 0 && i < places * n; i++)
        t.data[i] = x->data[(i / n + first) % 2 ? n - 1 - i % n : i % n];
    if (rc == 0) rc = cvs_run_set_input(run, 0, t.data, shape.d, shape.ndim, err);
    if (rc == 0) rc = cvs_run_forward(run, err);
    cx_tensor_deinit(&t);
    return rc;
}

/* Whether the places of a batch have the numbers of single runs, in all layers; 1 if not. */
static int compare_batch(const golden *g, cvs_error *err)
{
    enum { PLACES = 5 };
    const cvs_run_options options = {.taps = "all"};
    cvs_run *many = NULL, *one = NULL;
    const float *a, *b;
    int64_t dims[CVS_MAX_DIMS];
    cx_tensor x;
    int ndim, failed = 1;
    if (golden_read(&x, g, g->index, "input", err) < 0) goto out;
    if (cvs_run_new(&many, g->model, &options, err) < 0) goto out;
    if (cvs_run_new(&one, g->model, &options, err) < 0) goto out;
    if (feed(many, &x, PLACES, 0, err) < 0) goto out;
    failed = 0;
    for (int p = 0; p < PLACES; p++) {
        if (feed(one, &x, 1, p, err) < 0) failed = 1;
        for (int i = 0; !failed && i < cvs_run_tap_count(one); i++) {
            const int layer = cvs_run_tap(one, i);
            failed = cvs_run_activation(&a, dims, &ndim, many, layer, err) < 0 ||
                     cvs_run_activation(&b, dims, &ndim, one, layer, err) < 0;
            size_t size = sizeof *b;
            for (int k = 1; !failed && k < ndim; k++) size *= (size_t)dims[k];
            if (failed || memcmp(a + (size_t)p * size / sizeof *a, b, size) == 0) continue;
            printf("# layer %d: other bytes in place %d of a batch\n", layer, p);
            failed = 1;
        }
    }
out:
    cvs_run_free(many);
    cvs_run_free(one);
    cx_tensor_deinit(&x);
    return failed;
}

static int check(golden *g, cvs_error *err)
{
    const cx_json *layers = cx_json_get(g->index, "layers");
    if (golden_run(g, &(cvs_run_options){.taps = "all"}, err) < 0) return 1;
    if (cvs_run_forward(g->run, err) < 0) return 1;
    int failed = cx_json_size(layers) == 0;
    for (size_t i = 0; i < cx_json_size(layers); i++) failed |= compare(g, cx_json_at(layers, i));
    return failed | compare_batch(g, err);
}

int main(int argc, char **argv)
{
    int failures = 0;
    const int n = golden_check_all(&failures, argc > 1 ? argv[1] : ".", check);
    printf("%s %d - there are cases\n1..%d\n", n > 0 ? "ok" : "not ok", n + 1, n + 1);
    printf("# largest deviation %.3g of the layer's peak (%s)\n", worst, worst_at);
    return failures > 0 || n == 0;
}
