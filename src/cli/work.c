/* work.c - load, read, compute. */
#include "cli/work.h"

#include <string.h>
#include <time.h>

#include "base/mem.h"
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

static double milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

int cx_work_load(cvs_model **out, const cx_job *job, cvs_error *err)
{
    double start = milliseconds();
    const cvs_load_options options = {.architecture = job->options->architecture};
    int rc = cvs_model_load(out, job->model, &options, err);
    if (rc < 0) return cx_at_file(err, rc, job->model);
    cx_detail(job, "%s: loaded in %.1f ms", job->model, milliseconds() - start);
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

/* The input at `path`, read already or now. */
static int get_input(cvs_input **out, cx_work *work, const char *path, cvs_error *err)
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

int cx_work_init(cx_work *out, const cx_job *job, const char *taps, const char *first,
                 cvs_error *err)
{
    const cx_options *o = job->options;
    cvs_run_options options = {.taps = taps, .exact = o->exact};
    int rc;
    *out = (cx_work){.image = {(cvs_preprocess)o->preprocess, (cvs_resize)o->resize, o->exif}};
    if (first) out->reading = start_reading(first, o->exif);
    TRY(cx_work_load(&out->model, job, err));
    rc = cvs_run_new(&out->run, out->model, &options, err);
    if (rc < 0) {
        cx_at_file(err, rc, job->model);
        goto out;
    }
    if (o->preprocess == CVS_PREPROCESS_AUTO)
        out->image.preprocess = cvs_model_preprocess(out->model, 0, &out->reason);
out:
    if (rc < 0) cx_work_deinit(out);
    return rc;
}

void cx_work_deinit(cx_work *work)
{
    stop_reading(work->reading);
    cvs_run_free(work->run);
    cvs_model_free(work->model);
    *work = (cx_work){0};
}

int cx_work_compute(cx_work *work, const cx_job *job, const char *input, cvs_error *err)
{
    double start = milliseconds();
    cvs_input *data = NULL;
    int rc = get_input(&data, work, input, err);
    if (rc == 0) rc = cvs_run_set(work->run, 0, 0, data, &work->image, err);
    cvs_input_free(data);
    /* A file that does not fit the model is a bad input, not wrong use of the program. */
    if (rc == CVS_E_ARG) rc = CVS_E_FORMAT;
    if (rc < 0) return cx_at_file(err, rc, input);
    if (work->reason && !work->told && !cx_is_tensor(input)) {
        cx_note(job, "preprocess: %s (%s)", cvs_preprocess_name((int)work->image.preprocess),
                work->reason);
        work->told = 1;
    }
    double read = milliseconds();
    rc = cvs_run_forward(work->run, err);
    if (rc < 0) return cx_at_file(err, rc, input);
    cx_detail(job, "%s: read in %.1f ms, computed in %.1f ms", input, read - start,
              milliseconds() - read);
    return 0;
}
