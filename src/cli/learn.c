/* learn.c - what train begins with. */
#include "cli/learn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/work.h"

enum { BOOK_SIDE = 150, MOST_DESCRIPTION = 64 << 20, PLATEAU_PATIENCE = 5 };

/* --- the model --- */

static int create_described(cx_learn *l, const cx_job *job, cvs_error *err)
{
    const char *path = job->options->architecture;
    cx_bytes json = {0};
    int rc;
    TRY(cx_file_read(&json, path, MOST_DESCRIPTION, err));
    rc = cvs_model_create(&l->model, (const char *)json.data, json.size,
                          (uint64_t)job->options->seed, err);
out:
    cx_bytes_deinit(&json);
    return rc < 0 ? cx_at_file(err, rc, path) : 0;
}

/* The book's network can only be made when the classes are known. */
static int create_book(cx_learn *l, const cx_job *job, cvs_error *err)
{
    char *json = NULL;
    int rc;
    TRY(cvs_architecture_book(&json, cvs_folder_class_count(l->folder), job->options->dropout.value,
                              err));
    TRY(cvs_model_create(&l->model, json, strlen(json), (uint64_t)job->options->seed, err));
out:
    cvs_free(json);
    return rc;
}

static int change_head(cx_learn *l, const cx_job *job, cvs_error *err)
{
    cvs_model *changed;
    int rc = cvs_model_new_head(&changed, l->model, cvs_folder_class_count(l->folder),
                                (uint64_t)job->options->seed, err);
    if (rc < 0) return cx_at_file(err, rc, job->model);
    cvs_model_free(l->model);
    l->model = changed;
    return 0;
}

/* --- the pictures --- */

/* What the folder has to give: the size that the model takes, which is the book's where there is no
 * model yet. */
static int size_of_input(cvs_folder_options *out, const cx_learn *l, const cx_job *job,
                         cvs_error *err)
{
    cvs_layer in;
    int rc;
    out->height = out->width = BOOK_SIDE;
    out->channels = 3;
    if (!l->model) return 0;
    TRY(cvs_model_layer(&in, l->model, cvs_model_input(l->model, 0), err));
    if (in.ndim != 4 || in.channel_axis != 3) {
        rc = cx_fail(err, CVS_E_UNSUPPORTED, "the model takes no pictures with channels last");
        cx_where(err, rc, "%s", job->model ? job->model : job->options->architecture);
        goto out;
    }
    out->height = in.shape[1];
    out->width = in.shape[2];
    out->channels = in.shape[3];
out:
    return rc;
}

static cvs_preprocess mode_of(const cx_learn *l, const cx_job *job)
{
    const char *why = "x / 255, the book's";
    cvs_preprocess mode = (cvs_preprocess)job->options->preprocess;
    if (mode != CVS_PREPROCESS_AUTO) return mode;
    mode = l->model ? cvs_model_preprocess(l->model, 0, &why) : CVS_PREPROCESS_UNIT;
    cx_note(job, "preprocess: %s (%s)", cvs_preprocess_name((int)mode), why);
    return mode;
}

static void tell_skipped(const cx_job *job, const cvs_folder *f)
{
    const char *path, *why;
    for (int64_t i = 0; (path = cvs_folder_skipped(&why, f, i)); i++)
        cx_note(job, "skipped: %s: %s", path, why);
}

static int open_folders(cx_learn *l, const cx_job *job, cvs_error *err)
{
    const cx_options *o = job->options;
    cvs_folder_options how = {.resize = (cvs_resize)o->resize,
                              .share = o->share.value,
                              .augment = cvs_augment_name(o->augment),
                              .seed = (uint64_t)o->seed,
                              .batch = (int)o->batch};
    int rc;
    if (o->classes) TRY(cvs_classes_load(&l->classes, o->classes, err));
    how.classes = l->classes;
    TRY(size_of_input(&how, l, job, err));
    how.preprocess = l->preprocess = mode_of(l, job);
    TRY(cvs_folder_open(&l->folder, o->data, &how, NULL, err));
    tell_skipped(job, l->folder);
    l->data = cvs_folder_training(l->folder);
    l->test = cvs_folder_validation(l->folder);
    if (!o->validation) goto out;
    how.share = how.batch = 0;
    how.augment = NULL;
    TRY(cvs_folder_open(&l->validation, o->validation, &how, l->folder, err));
    tell_skipped(job, l->validation);
    l->test = cvs_folder_training(l->validation);
out:
    return rc;
}

/* --- class weights --- */

static int read_weights(double *out, int n, const char *text, cvs_error *err)
{
    for (int i = 0; i < n; i++) {
        char *end;
        out[i] = strtod(text, &end);
        if (end == text || !isfinite(out[i]) || *end != (i + 1 < n ? ',' : 0))
            return cx_fail(err, CVS_E_ARG,
                           "\"balanced\", or %d numbers with commas between them, are wanted", n);
        text = end + 1;
    }
    return 0;
}

/* As scikit-learn's "balanced": all / (classes * those of the class). */
static int choose_weights(cx_learn *l, const char *text, cvs_error *err)
{
    const int n = cvs_folder_class_count(l->folder);
    int rc = 0;
    if (!text) return 0;
    l->class_weight = cx_calloc((size_t)n, sizeof *l->class_weight);
    if (!l->class_weight) return cx_no_memory(err, (size_t)n * sizeof *l->class_weight);
    if (!cx_streq(text, "balanced")) {
        rc = read_weights(l->class_weight, n, text, err);
    } else {
        for (int i = 0; i < n; i++) {
            const double size = (double)cvs_folder_class_size(l->folder, i);
            l->class_weight[i] = size > 0 ? (double)l->data.n / (n * size) : 0;
        }
    }
    return rc < 0 ? cx_where(err, rc, "--class-weights") : 0;
}

/* --- all together --- */

static int check_options(const cx_job *job, cvs_error *err)
{
    const cx_options *o = job->options;
    const char *at = NULL;
    int rc = 0;
    if (!o->data) {
        rc = cx_fail(err, CVS_E_ARG, "the pictures to learn from are missing");
        at = "--data";
    } else if (o->validation && o->share.value > 0) {
        rc = cx_fail(err, CVS_E_ARG, "pictures to test with are given already, by --validation");
        at = "--split";
    } else if (!(o->share.value < 1)) {
        rc = cx_fail(err, CVS_E_ARG, "nothing would be left to learn from");
        at = "--split";
    } else if (o->dropout.value > 0 && (job->model || o->architecture)) {
        rc = cx_fail(err, CVS_E_ARG, "it is for the default network: a model has its own layers");
        at = "--dropout";
    }
    if (rc == 0 && o->head && !job->model) {
        rc = cx_fail(err, CVS_E_ARG, "a new network has a last layer for the classes already");
        at = "--head";
    }
    return rc < 0 ? cx_where(err, rc, "%s", at) : 0;
}

/* The units that the model ends with; whether they are what the folder's classes want: one each, or
 * one for two. */
static int count_units(int64_t *units, int *fit, const cx_learn *l, cvs_error *err)
{
    const int n = cvs_folder_class_count(l->folder);
    cvs_layer out;
    int rc = cvs_model_layer(&out, l->model, cvs_model_output(l->model, 0), err);
    if (rc < 0) return rc;
    *units = out.ndim > 0 ? out.shape[out.ndim - 1] : 0;
    *fit = *units == n || (*units == 1 && n == 2);
    return 0;
}

static int check_classes(const cx_learn *l, const cx_job *job, cvs_error *err)
{
    int64_t units;
    int fit, rc;
    TRY(count_units(&units, &fit, l, err));
    if (fit) goto out;
    rc = cx_fail(err, CVS_E_ARG, "it has %d classes, but the model ends with %lld unit%s",
                 cvs_folder_class_count(l->folder), (long long)units, units == 1 ? "" : "s");
    cx_hint(err, "--head makes a new last layer of a MODEL");
    cx_where(err, rc, "%s", job->options->data);
out:
    return rc;
}

/* Whoever says which classes there are need not say that the last layer is for others. */
static int wants_head(const cx_learn *l, const cx_job *job)
{
    int64_t units;
    int fit;
    if (!job->model || !l->classes) return 0;
    if (count_units(&units, &fit, l, NULL) < 0 || fit) return 0;
    cx_note(job, "a new last layer for %d classes takes the place of the one for %lld",
            cvs_folder_class_count(l->folder), (long long)units);
    return 1;
}

int cx_learn_init(cx_learn *out, cx_job *job, cvs_error *err)
{
    int rc;
    *out = (cx_learn){0};
    TRY(check_options(job, err));
    if (job->model)
        TRY(cx_work_load(&out->model, job, err));
    else if (job->options->architecture)
        TRY(create_described(out, job, err));
    TRY(open_folders(out, job, err));
    if (!out->model) TRY(create_book(out, job, err));
    if (job->options->head || wants_head(out, job)) TRY(change_head(out, job, err));
    TRY(check_classes(out, job, err));
    TRY(choose_weights(out, job->options->class_weights, err));
out:
    return rc;
}

void cx_learn_deinit(cx_learn *l)
{
    cvs_classes_free(l->classes);
    cvs_folder_free(l->folder);
    cvs_folder_free(l->validation);
    cvs_model_free(l->model);
    cx_free(l->class_weight);
    *l = (cx_learn){0};
}

cvs_train_options cx_learn_options(const cx_learn *l, const cx_job *job)
{
    static const char *const losses[] = {NULL, "binary_crossentropy", "categorical_crossentropy",
                                         "sparse_categorical_crossentropy", "mean_squared_error"};
    static const char *const optimizers[] = {"rmsprop", "sgd", "adam", "adamw"};
    enum { COSINE = 1, PLATEAU = 2, SGD = 1 };
    const cx_options *o = job->options;
    cvs_train_options t = {.loss = losses[o->loss],
                           .optimizer = optimizers[o->optimizer],
                           .learning_rate = o->rate.is_said       ? o->rate.value
                                            : o->optimizer == SGD ? 0.01
                                                                  : 1e-4,
                           .momentum = o->momentum.value,
                           .nesterov = o->nesterov,
                           .weight_decay = o->weight_decay.value,
                           .from_logits = o->from_logits,
                           .label_smoothing = o->label_smoothing.value,
                           .epochs = o->epochs,
                           .batch = (int)o->batch,
                           .class_weight = l->class_weight,
                           .freeze = o->freeze,
                           .patience = o->patience,
                           .seed = (uint64_t)o->seed,
                           .exact = o->exact};
    if (o->schedule == COSINE) {
        t.schedule = CVS_SCHEDULE_COSINE;
        t.schedule_steps = (double)o->epochs * ceil((double)l->data.n / (double)o->batch);
    } else if (o->schedule == PLATEAU)
        t.rate_patience = PLATEAU_PATIENCE;
    return t;
}
