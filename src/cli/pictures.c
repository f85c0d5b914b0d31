/* pictures.c - many pictures run through a network: the files of one lot are read, by a thread of
 * low priority, while those of the lot before it are computed; who is done with computing helps to
 * read. What waits is as small as the model's input, whatever the size of the photographs. */
#include "cli/pictures.h"

#include "base/mem.h"
#include "base/str.h"
#include "base/threads.h"
#include "cli/progress.h"

enum {
    MOST_TOGETHER = 16,     /* pictures of a batch: more are no faster a picture */
    MOST_MEMORY = 64 << 20, /* bytes of a batch's largest layer */
};

/* A file on its way. */
typedef struct item {
    const char *path;
    cvs_input *raw;   /* as it was read */
    cvs_input *input; /* as the model takes it */
    int rc;           /* of reading */
    cvs_error err;
} item;

typedef struct stream {
    cx_work *work;
    cx_job *job;
    const cx_inputs *inputs;
    const cx_pictures *how;
    int size;      /* of a lot */
    item *lots[2]; /* being read, being computed */
    int n[2];
    cx_loop *loop;  /* over the one being read */
    item *reading;  /* that lot */
    int next;       /* first file of the next lot */
    int batch;      /* pictures that are computed together; 1: each alone */
    cvs_run *run;   /* of them; NULL: none was wanted yet */
    item *together; /* what waits for the batch to be full */
    int n_together;
    int seen;
} stream;

static void clear(item *x)
{
    cvs_input_free(x->raw);
    cvs_input_free(x->input);
    *x = (item){0};
}

/* --- reading --- */

static void read_item(void *arg, int i, int worker)
{
    const stream *s = arg;
    item *x = &s->reading[i];
    (void)worker;
    if (!x->raw && x->rc == 0)
        x->rc = cvs_input_load(&x->raw, x->path, s->work->image.exif, &x->err);
    if (x->rc < 0) return;
    if (cx_is_tensor(x->path)) {
        x->input = x->raw;
        x->raw = NULL;
        return;
    }
    x->rc = cvs_input_fit(&x->input, x->raw, s->work->model, 0, &s->work->image, &x->err);
    if (x->rc < 0) cx_at_file(&x->err, x->rc, x->path);
    cvs_input_free(x->raw);
    x->raw = NULL;
}

/* Begin to read the next lot, into the first place. */
static int begin_lot(stream *s, cvs_error *err)
{
    const int left = s->inputs->n - s->next;
    s->reading = s->lots[0];
    s->n[0] = left < s->size ? left : s->size;
    for (int i = 0; i < s->n[0]; i++) s->reading[i].path = s->inputs->paths[s->next + i];
    if (s->next == 0) /* it was begun before the model was loaded */
        s->reading[0].rc =
            cx_work_read(&s->reading[0].raw, s->work, s->reading[0].path, &s->reading[0].err);
    s->next += s->n[0];
    s->loop = cx_loop_start(s->n[0], read_item, s);
    return s->loop ? 0 : cx_no_memory(err, (size_t)s->n[0]);
}

/* Have the lot that is being read, and begin the next. */
static int next_lot(stream *s, cvs_error *err)
{
    item *items = s->lots[0];
    cx_loop_finish(s->loop);
    s->loop = NULL;
    s->lots[0] = s->lots[1];
    s->lots[1] = items;
    s->n[1] = s->n[0];
    s->n[0] = 0;
    return s->next < s->inputs->n ? begin_lot(s, err) : 0;
}

/* --- computing --- */

/* One input by the work's own run, which may have had a tensor of several. */
static int compute_alone(stream *s, item *x, cvs_error *err)
{
    cvs_run *run = s->work->run;
    cvs_error bad;
    int rc = 0;
    if (cvs_run_set_batch(run, 1, &bad) < 0 ||
        cx_work_give(s->work, s->job, run, 0, x->path, x->input, &bad) < 0 ||
        cx_work_forward(run, s->job, x->path, &bad) < 0) {
        cx_complain(s->job, &bad);
    } else {
        rc = s->how->look(s->how->arg, x->path, run, -1, err);
        s->seen++;
    }
    clear(x);
    return rc;
}

/* Give the run all that wait. */
static int gather(stream *s, cvs_error *err)
{
    const cvs_run_options options = {.batch = s->n_together, .exact = s->job->options->exact};
    int rc = 0;
    if (!s->run) TRY(cvs_run_new(&s->run, s->work->model, &options, err));
    TRY(cvs_run_set_batch(s->run, s->n_together, err));
    for (int i = 0; i < s->n_together; i++)
        TRY(cx_work_give(s->work, s->job, s->run, i, s->together[i].path, s->together[i].input,
                         err));
out:
    return rc;
}

/* Compute what waits, mostly a whole batch; what does not go together is told one by one. */
static int compute_together(stream *s, cvs_error *err)
{
    const int n = s->n_together;
    cx_str label = {0};
    cvs_error bad;
    int rc = 0;
    if (n == 0) return 0;
    if (n == 1 || gather(s, &bad) < 0) {
        for (int i = 0; i < n; i++) TRY(compute_alone(s, &s->together[i], err));
        s->n_together = 0;
        return 0;
    }
    cx_str_addf(&label, "%s and %d more", s->together[0].path, n - 1);
    TRY(cx_str_ok(&label, err));
    TRY(cx_work_forward(s->run, s->job, label.data, err));
    for (int i = 0; i < n; i++) {
        TRY(s->how->look(s->how->arg, s->together[i].path, s->run, i, err));
        s->seen++;
        clear(&s->together[i]);
    }
    s->n_together = 0;
out:
    cx_str_deinit(&label);
    return rc;
}

/* One that was read, in its turn. */
static int compute(stream *s, item *x, cvs_error *err)
{
    int rc = 0;
    if (x->rc < 0) {
        cx_complain(s->job, &x->err);
        clear(x);
        return 0;
    }
    if (s->batch == 1 || cx_is_tensor(x->path)) {
        TRY(compute_together(s, err));
        return compute_alone(s, x, err);
    }
    s->together[s->n_together++] = *x;
    *x = (item){0};
    if (s->n_together == s->batch) TRY(compute_together(s, err));
out:
    return rc;
}

static int compute_lot(stream *s, cx_progress *progress, cvs_error *err)
{
    const int before = s->next - s->n[0] - s->n[1];
    int rc = 0;
    for (int i = 0; i < s->n[1]; i++) {
        TRY(compute(s, &s->lots[1][i], err));
        if (progress && cx_progress_tell(progress, (double)(before + i + 1) / s->inputs->n))
            return 0;
    }
out:
    return rc;
}

/* --- the whole --- */

/* How many pictures are computed at once. Where the model leaves a size of them open, two need not
 * be alike. */
static int choose_batch(int *out, const cx_work *work, int most, cvs_error *err)
{
    int64_t largest = 1;
    cvs_layer layer;
    int rc = 0;
    *out = 1;
    for (int i = 0; i < cvs_model_layer_count(work->model); i++) {
        int64_t n = (int64_t)sizeof(float);
        TRY(cvs_model_layer(&layer, work->model, i, err));
        for (int k = 1; k < layer.ndim; k++) {
            if (layer.is_input && layer.shape[k] < 0) return 0;
            if (layer.shape[k] > 0 && cx_mul_count(&n, n, layer.shape[k])) return 0;
        }
        if (n > largest) largest = n;
    }
    *out = largest * most <= MOST_MEMORY ? most : (int)(MOST_MEMORY / largest);
    if (*out < 1) *out = 1;
out:
    return rc;
}

static int begin(stream *s, cvs_error *err)
{
    const int threads = cx_threads();
    int rc = 0, most = threads > MOST_TOGETHER / 2 ? 2 * threads : MOST_TOGETHER;
    if (most > s->inputs->n) most = s->inputs->n;
    TRY(choose_batch(&s->batch, s->work, most, err));
    s->size = s->batch > threads ? s->batch : threads;
    if (!s->how->outputs_alone) s->batch = 1;
    for (int i = 0; i < 2; i++) {
        s->lots[i] = cx_calloc((size_t)s->size, sizeof(item));
        if (!s->lots[i]) return cx_no_memory(err, (size_t)s->size * sizeof(item));
    }
    s->together = cx_calloc((size_t)s->batch, sizeof(item));
    if (!s->together) return cx_no_memory(err, (size_t)s->batch * sizeof(item));
    TRY(begin_lot(s, err));
out:
    return rc;
}

static void end(stream *s)
{
    cx_loop_drop(s->loop);
    for (int k = 0; k < 2; k++) {
        for (int i = 0; s->lots[k] && i < s->size; i++) clear(&s->lots[k][i]);
        cx_free(s->lots[k]);
    }
    for (int i = 0; s->together && i < s->batch; i++) clear(&s->together[i]);
    cx_free(s->together);
    cvs_run_free(s->run);
}

/* A lone input, which may be several files of a model that has several inputs. */
static int look_at_one(stream *s, cvs_error *err)
{
    cvs_error bad;
    if (cx_work_compute(s->work, s->job, s->inputs->paths[0], &bad) < 0) {
        cx_complain(s->job, &bad);
        return 0;
    }
    const int rc = s->how->look(s->how->arg, s->inputs->paths[0], s->work->run, -1, err);
    return rc < 0 ? rc : 1;
}

int cx_pictures_each(cx_work *work, cx_job *job, const cx_inputs *inputs, const cx_pictures *how,
                     cvs_error *err)
{
    stream s = {.work = work, .job = job, .inputs = inputs, .how = how};
    cx_progress bar, *progress = how->title ? &bar : NULL;
    int rc;
    if (inputs->n == 0) return 0;
    if (inputs->n == 1) return look_at_one(&s, err);
    if (progress) cx_progress_begin(progress, job, how->title);
    TRY(begin(&s, err));
    while (s.loop) {
        TRY(next_lot(&s, err));
        TRY(compute_lot(&s, progress, err));
        if (progress && cx_progress_stopped()) break;
    }
    TRY(compute_together(&s, err));
out:
    if (progress) cx_progress_end(progress);
    end(&s);
    return rc < 0 ? rc : s.seen;
}

int cx_pictures_none(cvs_error *err)
{
    return cx_fail(err, CVS_E_IO, "there is no picture that can be read");
}
