/* work.c - load, read, compute. */
#include "cli/work.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/threads.h"

int cx_at_file(cvs_error *err, int rc, const char *path)
{
    if (err && strncmp(err->where, path, strlen(path)) == 0) return rc;
    return cx_where(err, rc, "%s", path);
}

int cx_is_tensor(const char *path)
{
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".npy") == 0;
}

int cx_work_load(cvs_model **out, const cx_job *job, cvs_error *err)
{
    double start = cx_seconds();
    const cvs_load_options options = {.architecture = job->options->architecture};
    int rc = cvs_model_load(out, job->model, &options, err);
    if (rc < 0) return cx_at_file(err, rc, job->model);
    cx_detail(job, "%s: loaded in %.1f ms", job->model, 1e3 * (cx_seconds() - start));
    return 0;
}

struct cx_reading {
    const char *path;
    int exif, rc;
    cvs_input *input;
    cvs_error err;
    cx_task *task;
};

static void read_input(void *arg)
{
    cx_reading *r = arg;
    r->rc = cvs_input_load(&r->input, r->path, r->exif, &r->err);
}

/* Begin to read a file; what goes wrong is told when it is wanted. */
static cx_reading *start_reading(const char *path, int exif)
{
    cx_reading *r = cx_calloc(1, sizeof *r);
    if (!r) return NULL;
    r->path = path;
    r->exif = exif;
    r->task = cx_task_start(read_input, r);
    if (r->task) return r;
    cx_free(r);
    return NULL;
}

static void stop_reading(cx_reading *r)
{
    if (!r) return;
    cx_task_finish(r->task);
    cvs_input_free(r->input);
    cx_free(r);
}

int cx_work_read(cvs_input **out, cx_work *work, const char *path, cvs_error *err)
{
    cx_reading *r = work->reading;
    if (!r || strcmp(r->path, path) != 0) return cvs_input_load(out, path, work->image.exif, err);
    cx_task_finish(r->task);
    r->task = NULL;
    *out = r->input;
    r->input = NULL;
    work->reading = NULL;
    int rc = r->rc;
    *err = r->err;
    stop_reading(r);
    return rc;
}

/* --- several inputs --- */

static int want_names(const cx_job *job, const cvs_model *model, cvs_error *err)
{
    cx_str all = {0};
    cvs_layer layer;
    const int n = cvs_model_input_count(model);
    int rc = 0;
    for (int i = 0; i < n; i++) {
        TRY(cvs_model_layer(&layer, model, cvs_model_input(model, i), err));
        cx_str_addf(&all, "%s%s", i ? ", " : "", layer.name);
    }
    rc = cx_fail(err, CVS_E_ARG, "the model has %d inputs: %s", n, all.data ? all.data : "");
    cx_hint(err, "give each with --input NAME=FILE");
    cx_where(err, rc, "%s", job->model);
out:
    cx_str_deinit(&all);
    return rc;
}

/* One --input: its file. */
static int take_file(cx_work *work, const char *text, cvs_error *err)
{
    const char *equals = strchr(text, '=');
    cx_str name = {0};
    int rc;
    if (!equals || equals == text || !equals[1])
        return cx_fail(err, CVS_E_ARG, "\"%s\" is not NAME=FILE", text);
    cx_str_add_n(&name, text, (size_t)(equals - text));
    TRY(cx_str_ok(&name, err));
    const int i = rc = cvs_model_find_input(work->model, name.data, err);
    if (i < 0) goto out;
    rc = work->files[i] ? cx_fail(err, CVS_E_ARG, "input \"%s\" is given twice", name.data) : 0;
    work->files[i] = equals + 1;
out:
    cx_str_deinit(&name);
    return rc;
}

int cx_work_choose_files(cx_work *work, const cx_job *job, cvs_error *err)
{
    const cx_texts *inputs = &job->options->inputs;
    const int n = cvs_model_input_count(work->model);
    cvs_layer layer;
    int rc = 0;
    if (inputs->n == 0) return n > 1 ? want_names(job, work->model, err) : 0;
    work->files = cx_calloc((size_t)n, sizeof *work->files);
    if (!work->files) return cx_no_memory(err, (size_t)n * sizeof *work->files);
    for (int i = 0; rc == 0 && i < inputs->n; i++) rc = take_file(work, inputs->item[i], err);
    for (int i = 0; rc == 0 && i < n; i++) {
        if (work->files[i]) continue;
        TRY(cvs_model_layer(&layer, work->model, cvs_model_input(work->model, i), err));
        rc = cx_fail(err, CVS_E_ARG, "input \"%s\" of the model is missing", layer.name);
    }
    if (rc < 0) cx_where(err, rc, "--input");
out:
    return rc;
}

/* --- a model at work --- */

/* The file of the first --input, wherever it belongs. */
static const char *first_file(const cx_job *job)
{
    const cx_texts *inputs = &job->options->inputs;
    const char *equals = inputs->n > 0 ? strchr(inputs->item[0], '=') : NULL;
    return equals ? equals + 1 : NULL;
}

int cx_work_init(cx_work *out, const cx_job *job, const char *taps, const char *first,
                 cvs_error *err)
{
    const cx_options *o = job->options;
    cvs_run_options options = {.taps = taps, .exact = o->exact};
    int rc;
    *out = (cx_work){.image = {(cvs_preprocess)o->preprocess, (cvs_resize)o->resize, o->exif}};
    if (o->inputs.n > 0) first = first_file(job);
    if (first) out->reading = start_reading(first, o->exif);
    TRY(cx_work_load(&out->model, job, err));
    TRY(cx_work_choose_files(out, job, err));
    rc = cvs_run_new(&out->run, out->model, &options, err);
    if (rc < 0) cx_at_file(err, rc, job->model);
out:
    if (rc < 0) cx_work_deinit(out);
    return rc;
}

void cx_work_deinit(cx_work *work)
{
    stop_reading(work->reading);
    cvs_run_free(work->run);
    cvs_model_free(work->model);
    cvs_input_free(work->photo);
    cx_free(work->files);
    *work = (cx_work){0};
}

static cvs_preprocess mode_of(const cx_work *work, int input, const char **reason)
{
    if (work->image.preprocess == CVS_PREPROCESS_AUTO)
        return cvs_model_preprocess(work->model, input, reason);
    *reason = NULL;
    return work->image.preprocess;
}

const char *cx_work_preprocess(const cx_work *work)
{
    const char *reason;
    cvs_preprocess mode = mode_of(work, 0, &reason);
    for (int i = 1; i < cvs_model_input_count(work->model); i++)
        if (mode_of(work, i, &reason) != mode) return cvs_preprocess_name(CVS_PREPROCESS_AUTO);
    return cvs_preprocess_name((int)mode);
}

static void tell_mode(const cx_work *work, const cx_job *job, int input)
{
    cvs_layer layer;
    cvs_error ignored;
    const char *reason;
    const cvs_preprocess mode = mode_of(work, input, &reason);
    if (!reason) return;
    if (cvs_model_input_count(work->model) == 1)
        cx_note(job, "preprocess: %s (%s)", cvs_preprocess_name((int)mode), reason);
    else if (cvs_model_layer(&layer, work->model, cvs_model_input(work->model, input), &ignored) ==
             0)
        cx_note(job, "preprocess of %s: %s (%s)", layer.name, cvs_preprocess_name((int)mode),
                reason);
}

/* What was read is given to one of a run's inputs. */
static int give(cx_work *work, const cx_job *job, cvs_run *run, int input, int slot,
                const char *path, const cvs_input *data, cvs_error *err)
{
    int rc = cvs_run_set(run, input, slot, data, &work->image, err);
    /* A file that does not fit the model is a bad input, not wrong use of the program. */
    if (rc == CVS_E_ARG) rc = CVS_E_FORMAT;
    if (rc < 0) return cx_at_file(err, rc, path);
    if (cx_is_tensor(path)) return 0;
    if (!work->told) tell_mode(work, job, input);
    work->took_picture = 1;
    return 0;
}

int cx_work_give(cx_work *work, const cx_job *job, cvs_run *run, int slot, const char *path,
                 const cvs_input *data, cvs_error *err)
{
    const int rc = give(work, job, run, 0, slot, path, data, err);
    work->told |= work->took_picture;
    return rc;
}

/* Read a file into one of the model's inputs. */
static int set_input(cx_work *work, const cx_job *job, int input, const char *path, cvs_error *err)
{
    cvs_input *data = NULL;
    int rc = cx_work_read(&data, work, path, err);
    if (rc < 0) return cx_at_file(err, rc, path);
    rc = give(work, job, work->run, input, 0, path, data, err);
    if (work->keep_photo && !work->photo)
        work->photo = data;
    else
        cvs_input_free(data);
    return rc;
}

int cx_work_set(cx_work *work, const cx_job *job, const char *input, cvs_error *err)
{
    int rc = cvs_run_set_batch(work->run, 1, err); /* it may have had a tensor of several */
    cvs_input_free(work->photo);
    work->photo = NULL;
    for (int i = 0; rc == 0 && i < cvs_model_input_count(work->model); i++)
        rc = set_input(work, job, i, work->files ? work->files[i] : input, err);
    if (rc == 0) work->told |= work->took_picture;
    return rc;
}

int cx_work_failed(cvs_error *err, int rc, const char *input)
{
    if (rc == CVS_E_ARG) rc = CVS_E_FORMAT; /* files that do not go together */
    return cx_at_file(err, rc, input);
}

int cx_work_forward(cvs_run *run, const cx_job *job, const char *input, cvs_error *err)
{
    const double start = cx_seconds();
    const int rc = cvs_run_forward(run, err);
    if (rc < 0) return cx_work_failed(err, rc, input);
    cx_detail(job, "%s: computed in %.1f ms", input, 1e3 * (cx_seconds() - start));
    return 0;
}

int cx_work_compute(cx_work *work, const cx_job *job, const char *input, cvs_error *err)
{
    const double start = cx_seconds();
    const int rc = cx_work_set(work, job, input, err);
    if (rc < 0) return rc;
    cx_detail(job, "%s: read in %.1f ms", input, 1e3 * (cx_seconds() - start));
    return cx_work_forward(work->run, job, input, err);
}
