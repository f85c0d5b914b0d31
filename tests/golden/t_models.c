/* t_models.c - real trained models against an independent evaluation on an input made by formula:
 * input[y][x][c] = scale * ((7 y + 3 x + 11 c) mod 32) / 32. The file given states for outputs and
 * layers the mean, deviation, range and first eight values; it also says to compare with a relative
 * tolerance of 1e-3 and an absolute one of 1e-4. A model that cannot be opened is skipped by name,
 * and only when it says that it is of a kind that is not supported. Speaks TAP. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

static int near(double got, double want)
{
    return fabs(got - want) <= 1e-4 + 1e-3 * fabs(want);
}

/* One activation against what the file says of it; prints what differs and gives 1 then. */
static int compare(const cvs_run *run, int layer, const char *name, const cx_json *want)
{
    const char *keys[] = {"mean", "std", "min", "max"};
    cvs_error err = {0};
    cvs_stats s;
    const float *data;
    int64_t dims[CVS_MAX_DIMS];
    int ndim, bad = 0;
    if (layer < 0 || cvs_run_activation(&data, dims, &ndim, run, layer, &err) < 0 ||
        cvs_run_stats(&s, NULL, NULL, run, layer, 0, &err) < 0) {
        printf("# %s: %s\n", name, err.what);
        return 1;
    }
    const double got[] = {s.mean, s.std, s.min, s.max};
    for (int i = 0; i < 4; i++) {
        double w = cx_json_number(cx_json_get(want, keys[i]), NAN);
        if (near(got[i], w)) continue;
        printf("# %s: %s is %.9g, expected %.9g\n", name, keys[i], got[i], w);
        bad = 1;
    }
    const cx_json *first = cx_json_get(want, "first8");
    for (size_t i = 0; i < cx_json_size(first); i++) {
        double w = cx_json_number(cx_json_at(first, i), NAN);
        if (near((double)data[i], w)) continue;
        printf("# %s: [%zu] is %.9g, expected %.9g\n", name, i, (double)data[i], w);
        bad = 1;
    }
    return bad;
}

/* The input of the formula, in the shape that the file gives. */
static int set_input(cvs_run *run, const cx_json *want, cvs_error *err)
{
    const cx_json *shape = cx_json_get(want, "input_shape");
    const double scale = cx_json_number(cx_json_get(want, "input_scale"), 1);
    int64_t dims[4] = {1, 1, 1, 1}, n = 1;
    int ndim = 1 + (int)cx_json_size(shape);
    for (int i = 1; i < ndim && i < 4; i++)
        dims[i] = cx_json_int(cx_json_at(shape, (size_t)i - 1), 1);
    for (int i = 1; i < 4; i++) n *= dims[i];
    float *x = cx_calloc((size_t)n, sizeof *x);
    if (!x) return cx_no_memory(err, (size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++) {
        int64_t c = i % dims[3], col = i / dims[3] % dims[2], row = i / dims[3] / dims[2];
        x[i] = (float)(scale * (double)((7 * row + 3 * col + 11 * c) % 32) / 32);
    }
    int rc = cvs_run_set_input(run, 0, x, dims, ndim, err);
    cx_free(x);
    return rc;
}

static int check_model(const char *dir, const char *name, const cx_json *want, cvs_error *err)
{
    char path[2400], json[2400];
    cvs_model *m = NULL;
    cvs_run *run = NULL;
    int bad = 1;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    /* X_weights.h5 is described by X_model.json */
    const char *weights = strstr(name, "_weights.h5");
    if (weights)
        snprintf(json, sizeof json, "%s/%.*s_model.json", dir, (int)(weights - name), name);
    const cvs_load_options options = {.architecture = weights ? json : NULL};
    if (cvs_model_load(&m, path, &options, err) < 0) goto out;
    if (cvs_run_new(&run, m, &(cvs_run_options){.taps = "all"}, err) < 0) goto out;
    if (set_input(run, want, err) < 0 || cvs_run_forward(run, err) < 0) goto out;
    bad = 0;
    const cx_json *outputs = cx_json_get(want, "outputs"), *layers = cx_json_get(want, "layers");
    for (size_t i = 0; i < cx_json_size(outputs); i++)
        bad |= compare(run, cvs_model_output(m, (int)i), "output", cx_json_at(outputs, i));
    for (int i = 0; i < cvs_model_layer_count(m); i++) {
        cvs_layer l;
        cvs_model_layer(&l, m, i, err);
        const cx_json *layer = cx_json_get(layers, l.name);
        if (layer && !l.is_input) bad |= compare(run, i, l.name, layer);
    }
out:
    cvs_run_free(run);
    cvs_model_free(m);
    return bad;
}

int main(void)
{
    const char *shared = getenv("CONVSCOPE_SHARED");
    char dir[1024], path[2400];
    cvs_error err = {0};
    cx_bytes b;
    cx_json *root;
    if (!shared) {
        printf("1..0 # SKIP CONVSCOPE_SHARED is not set: no real models here\n");
        return 0;
    }
    snprintf(dir, sizeof dir, "%s/data/models", shared);
    snprintf(path, sizeof path, "%s/expected_outputs.json", dir);
    if (cx_file_read(&b, path, 16 << 20, &err) < 0 ||
        cx_json_parse(&root, (const char *)b.data, b.size, &err) < 0) {
        printf("1..1\nnot ok 1 - %s: %s\n", path, err.what);
        return 1;
    }
    const cx_json *models = cx_json_get(root, "models");
    int i = 0, failures = 0;
    printf("1..%zu\n", cx_json_size(models));
    for (const char *name; (name = cx_json_key(models, (size_t)i)); i++) {
        err = (cvs_error){0};
        int bad = check_model(dir, name, cx_json_get(models, name), &err);
        int skipped = bad && err.code == CVS_E_UNSUPPORTED;
        if (bad && err.code) printf("# %s: %s\n", err.where, err.what);
        printf("%s %d - %s%s\n", bad && !skipped ? "not ok" : "ok", i + 1, name,
               skipped ? " # SKIP not supported yet" : "");
        failures += bad && !skipped;
    }
    cx_json_free(root);
    cx_bytes_deinit(&b);
    return failures > 0;
}
