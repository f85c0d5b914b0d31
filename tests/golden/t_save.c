/* t_save.c - models saved in every form and loaded again: the same table, the same bytes in every
 * weight, the same outputs to the bit.
 *
 * The models are those of the cases in the folder given, and where CONVSCOPE_SHARED is set the real
 * ones in it. A form that cannot hold a model says so: which, the table below knows. The saved
 * files stay in the second folder given, if one is, for other programs to read. Speaks TAP. */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "golden.h"
#include "listing.h"
#include "remove_tree.h"

static const char *const forms[] = {"h5", "keras", "json"};
enum { N_FORMS = 3 };

static const char *dir; /* for what is saved */

/* What a form says of a model that it cannot hold; NULL where it can. */
static const char *refusal_of(const cvs_model *m, const char *form)
{
    const char major = m->keras_version[0];
    if (major == '1' && strcmp(form, "h5") != 0) return "Keras 1";
    if (major == '3' && strcmp(form, "json") == 0) return "Keras 3";
    return NULL;
}

static int say(const char *what, const char *form, const cvs_error *err)
{
    printf("# %s: %s: %s: %s\n", form, what, err->where, err->what);
    return 1;
}

static int same_table(const cvs_model *a, const cvs_model *b)
{
    const cvs_summary_style styles[] = {CVS_SUMMARY_KERAS2, CVS_SUMMARY_KERAS3, CVS_SUMMARY_JSON};
    int same = 1;
    for (int i = 0; i < 3 && same; i++) {
        const cvs_summary_options options = {.style = styles[i], .expand = 1};
        char *x = NULL, *y = NULL;
        same = cvs_model_summary(&x, a, &options, NULL) == 0 &&
               cvs_model_summary(&y, b, &options, NULL) == 0 && strcmp(x, y) == 0;
        cvs_free(x);
        cvs_free(y);
    }
    return same;
}

static int same_weights(const cvs_model *a, const cvs_model *b)
{
    if (a->n_layers != b->n_layers) return 0;
    for (int i = 0; i < a->n_layers; i++) {
        const cx_layer *x = &a->layers[i], *y = &b->layers[i];
        if (x->n_weights != y->n_weights || x->trainable != y->trainable) return 0;
        for (int w = 0; w < x->n_weights; w++) {
            const size_t count = (size_t)cx_shape_count(&x->w[w].spec.shape);
            if (memcmp(x->w[w].data, y->w[w].data, count * sizeof(float)) != 0) return 0;
        }
    }
    return 1;
}

/* Fill a run's inputs with numbers of no meaning. */
static int set_inputs(cvs_run *run, const cvs_model *m, cvs_error *err)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < cvs_model_input_count(m); i++) {
        cvs_layer about;
        int64_t n = 1;
        cvs_model_layer(&about, m, cvs_model_input(m, i), err);
        for (int d = 0; d < about.ndim; d++) {
            if (about.shape[d] < 0) about.shape[d] = d ? 32 : 1;
            n *= about.shape[d];
        }
        float *x = cx_calloc((size_t)n, sizeof *x);
        for (int64_t k = 0; k < n; k++) x[k] = (float)(k * 7 % 41) / 41;
        rc = cvs_run_set_input(run, i, x, about.shape, about.ndim, err);
        cx_free(x);
    }
    return rc;
}

static int same_outputs(const cvs_model *a, const cvs_model *b, cvs_error *err)
{
    cvs_run *run[2] = {NULL, NULL};
    const cvs_model *m[2] = {a, b};
    int same = 1;
    for (int i = 0; i < 2 && same; i++)
        same = cvs_run_new(&run[i], m[i], NULL, err) == 0 && set_inputs(run[i], m[i], err) == 0 &&
               cvs_run_forward(run[i], err) == 0;
    for (int o = 0; same && o < cvs_model_output_count(a); o++) {
        const float *x, *y;
        int64_t dx[CVS_MAX_DIMS], dy[CVS_MAX_DIMS], n = 1;
        int nx, ny;
        same = cvs_run_activation(&x, dx, &nx, run[0], cvs_model_output(a, o), err) == 0 &&
               cvs_run_activation(&y, dy, &ny, run[1], cvs_model_output(b, o), err) == 0;
        for (int d = 0; d < nx && same; d++) n *= dx[d];
        same = same && nx == ny && memcmp(x, y, (size_t)n * sizeof *x) == 0;
    }
    cvs_run_free(run[0]);
    cvs_run_free(run[1]);
    return same;
}

/* Both files of a model have the same bytes. */
static int same_bytes(const char *a, const char *b)
{
    cx_bytes x, y;
    int same = cx_file_read(&x, a, SIZE_MAX / 2, NULL) == 0;
    if (cx_file_read(&y, b, SIZE_MAX / 2, NULL) < 0) same = 0;
    same = same && x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
    cx_bytes_deinit(&x);
    cx_bytes_deinit(&y);
    return same;
}

/* Save in one form, load, compare, and save what was loaded: a form is a fixed point of itself. */
static int try_form(const cvs_model *m, const char *name, const char *form)
{
    const char *says = refusal_of(m, form);
    char path[2048], again[2100];
    cvs_error err = {0};
    cvs_model *saved = NULL;
    int bad = 0;
    snprintf(path, sizeof path, "%s/%s.%s", dir, name, form);
    snprintf(again, sizeof again, "%s/again.%s", dir, form);
    int rc = cvs_model_save(m, path, &err);
    if (says) {
        if (rc == CVS_E_UNSUPPORTED && strstr(err.what, says) && access(path, F_OK) < 0) return 0;
        return say("is not refused", form, &err);
    }
    if (rc < 0) return say("cannot be saved", form, &err);
    if (cvs_model_load(&saved, path, NULL, &err) < 0) return say("cannot be loaded", form, &err);
    if (!same_table(m, saved)) bad = say("another table", form, &err);
    if (!same_weights(m, saved)) bad = say("other weights", form, &err);
    if (!same_outputs(m, saved, &err)) bad = say("other outputs", form, &err);
    if (cvs_model_save(saved, again, &err) < 0) bad = say("cannot be saved twice", form, &err);
    if (strcmp(form, "json") != 0 && !same_bytes(path, again)) bad = say("unstable", form, &err);
    cvs_model_free(saved);
    unlink(again);
    snprintf(again, sizeof again, "%s/again.weights.bin", dir);
    unlink(again);
    return bad;
}

static int try_forms(const cvs_model *m, const char *name)
{
    int bad = 0;
    for (int i = 0; i < N_FORMS; i++) bad |= try_form(m, name, forms[i]);
    return bad;
}

static int check(golden *g, cvs_error *err)
{
    (void)err;
    return try_forms(g->model, g->name);
}

static int check_file(const char *name, const char *path, const char *architecture)
{
    const cvs_load_options options = {.architecture = architecture};
    cvs_error err = {0};
    cvs_model *m;
    if (cvs_model_load(&m, path, &options, &err) < 0) {
        printf("# %s: %s\n", name, err.what);
        return 1;
    }
    const int bad = try_forms(m, name);
    cvs_model_free(m);
    return bad;
}

static void check_real(int *number, int *failures)
{
    const char *shared = getenv("CONVSCOPE_SHARED");
    char models[1024], path[2048], json[2048];
    if (!shared) {
        printf("# CONVSCOPE_SHARED is not set: real models are left out\n");
        return;
    }
    snprintf(models, sizeof models, "%s/data/models", shared);
    snprintf(json, sizeof json, "%s/dogcat_64_model.json", models);
    listing in = list_folder(models);
    for (int i = 0; i < in.n; i++) {
        const char *name = in.at[i]->d_name, *dot = strrchr(name, '.');
        const int is_weights = strcmp(name, "dogcat_64_weights.h5") == 0;
        if (!dot ||
            (strcmp(dot, ".h5") != 0 && strcmp(dot, ".hdf5") != 0 && strcmp(dot, ".keras") != 0))
            continue;
        snprintf(path, sizeof path, "%s/%s", models, name);
        const int bad = check_file(name, path, is_weights ? json : NULL);
        printf("%sok %d - %s\n", bad ? "not " : "", ++*number, name);
        *failures += bad;
    }
    listing_free(&in);
}

int main(int argc, char **argv)
{
    char made[] = "/tmp/convscope-save-XXXXXX";
    int failures = 0;
    dir = argc > 2 ? argv[2] : mkdtemp(made);
    if (!dir) return 1;
    int number = golden_check_all(&failures, argc > 1 ? argv[1] : ".", check);
    check_real(&number, &failures);
    printf("1..%d\n", number);
    if (argc <= 2) remove_tree(dir);
    return failures > 0 || number == 0;
}
