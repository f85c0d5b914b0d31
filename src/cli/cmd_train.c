/* cmd_train.c - convscope train: a convnet learns from a folder of pictures. */
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "cli/index.h"
#include "cli/learn.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/work.h"

enum { H5 = 1, KERAS = 2 }; /* of --format */

typedef struct train {
    cx_job *job;
    cx_learn learn;
    cvs_training *training;
    cvs_film *film; /* NULL: no probes */
    cvs_classes *classes;
    cx_progress progress;
    double batches;      /* done by this process */
    double epoch_start;  /* seconds since the beginning */
    int64_t first_batch; /* of the epoch, that this process did */
} train;

/* --- progress --- */

static void show(train *t, const cvs_train_event *e)
{
    const double now = cx_progress_seconds(&t->progress), batch = (double)t->job->options->batch;
    const double left =
        (double)(t->job->options->epochs - e->epoch) * (double)e->n_batches - (double)e->batch;
    char text[256];
    if (!cx_progress_is_due(&t->progress)) return;
    snprintf(text, sizeof text,
             "epoch %lld of %lld  %lld/%lld  loss %.4f  accuracy %.3f  %.0f images/s, %.0f s left",
             (long long)e->epoch + 1, (long long)t->job->options->epochs, (long long)e->batch,
             (long long)e->n_batches, e->so_far.loss, e->so_far.accuracy, t->batches * batch / now,
             left * now / t->batches);
    cx_progress_show(&t->progress, text);
}

/* Control-C stops after a batch; the end of an epoch comes back to us, who write it down. */
static int tell(void *arg, const cvs_train_event *e)
{
    train *t = arg;
    if (e->epoch_ends) return 1;
    t->batches++;
    if (t->first_batch < 0) t->first_batch = e->batch - 1;
    show(t, e);
    return cx_progress_stopped();
}

static void tell_epoch(train *t, int64_t i)
{
    const cvs_epoch *e = cvs_training_epoch(t->training, i);
    const double seconds = cx_progress_seconds(&t->progress) - t->epoch_start;
    const double pictures =
        (double)t->learn.data.n - (double)(t->first_batch * t->job->options->batch);
    char test[80] = "";
    if (!isnan(e->val_loss))
        snprintf(test, sizeof test, "  val_loss %.4f  val_accuracy %.4f", e->val_loss,
                 e->val_accuracy);
    cx_progress_end(&t->progress);
    cx_note(t->job, "epoch %lld of %lld  loss %.4f  accuracy %.4f%s  %.0f s, %.0f images/s%s",
            (long long)i + 1, (long long)t->job->options->epochs, e->loss, e->accuracy, test,
            seconds, pictures / seconds, cvs_training_best(t->training) == i ? "  best" : "");
}

/* --- files --- */

static int out_path(cx_str *out, const train *t, const char *name, const char *ending,
                    cvs_error *err)
{
    cx_str_addf(out, "%s/%s%s", t->job->options->out, name, ending);
    return cx_str_ok(out, err);
}

static int save_as(const train *t, const char *name, const char *ending, cvs_error *err)
{
    cx_str path = {0};
    int rc;
    TRY(out_path(&path, t, name, ending, err));
    TRY(cvs_training_save(t->training, path.data, err));
out:
    cx_str_deinit(&path);
    return rc;
}

static int save(const train *t, const char *name, cvs_error *err)
{
    const int forms = t->job->options->model_formats;
    int rc = 0;
    if (forms & H5) TRY(save_as(t, name, ".h5", err));
    if (forms & KERAS) TRY(save_as(t, name, ".keras", err));
out:
    return rc;
}

/* Where predict and heatmap look for the names of classes. */
static int save_classes(const train *t, const char *name, cvs_error *err)
{
    cx_str path = {0}, text = {0};
    int rc;
    for (int i = 0; i < cvs_folder_class_count(t->learn.folder); i++)
        cx_str_addf(&text, "%s\n", cvs_folder_class(t->learn.folder, i));
    TRY(cx_str_ok(&text, err));
    TRY(out_path(&path, t, name, ".classes.txt", err));
    TRY(cx_file_write(path.data, &(cx_piece){text.data, text.len}, 1, err));
out:
    cx_str_deinit(&path);
    cx_str_deinit(&text);
    return rc;
}

static int write_state(const train *t, cvs_error *err)
{
    cx_str path = {0};
    int rc;
    TRY(out_path(&path, t, "training", ".state", err));
    TRY(cvs_training_write(t->training, path.data, err));
out:
    cx_str_deinit(&path);
    return rc;
}

static int read_state(train *t, cvs_error *err)
{
    cx_str path = {0};
    int rc;
    TRY(out_path(&path, t, "training", ".state", err));
    if (access(path.data, F_OK) != 0) {
        cx_note(t->job, "%s: there is none yet: training begins", path.data);
        goto out;
    }
    TRY(cvs_training_read(t->training, path.data, err));
    cx_note(t->job, "%s: goes on after epoch %lld", path.data,
            (long long)cvs_training_epoch_count(t->training));
out:
    cx_str_deinit(&path);
    return rc;
}

/* --- film --- */

static int begin_film(train *t, cvs_error *err)
{
    const cx_options *o = t->job->options;
    cvs_film_options how = {.image = {t->learn.preprocess, (cvs_resize)o->resize, 0},
                            .exact = o->exact};
    cx_str path = {0};
    int rc = 0;
    if (o->probes.n == 0) return 0;
    TRY(out_path(&path, t, "model", ".classes.txt", err));
    TRY(cvs_classes_load(&t->classes, path.data, err));
    how.classes = t->classes;
    TRY(cvs_film_new(&t->film, o->out, &how, err));
    for (int i = 0; i < o->probes.n; i++) {
        rc = cvs_film_probe(t->film, o->probes.item[i], err);
        if (rc < 0) cx_at_file(err, rc, o->probes.item[i]);
        if (rc < 0) goto out;
    }
out:
    cx_str_deinit(&path);
    return rc;
}

/* One more frame, and the film so far. */
static int shoot(const train *t, int64_t i, cvs_error *err)
{
    const cvs_epoch *e = cvs_training_epoch(t->training, i);
    char title[64], text[160];
    int rc;
    if (!t->film) return 0;
    snprintf(title, sizeof title, "Epoch %lld", (long long)i + 1);
    if (isnan(e->val_loss))
        snprintf(text, sizeof text, "accuracy %.3f, loss %.3f", e->accuracy, e->loss);
    else
        snprintf(text, sizeof text, "accuracy %.3f, of validation %.3f", e->accuracy,
                 e->val_accuracy);
    TRY(cvs_film_shoot(t->film, cvs_training_model(t->training), (int)i + 1, title, text,
                       t->training, err));
    TRY(cvs_film_write(t->film, (int)i + 1, err));
out:
    return rc;
}

/* The state comes last: whoever is killed before does the epoch again, to the same bytes. */
static int end_epoch(train *t, cvs_error *err)
{
    const int64_t i = cvs_training_epoch_count(t->training) - 1;
    int rc;
    if (cvs_training_best(t->training) == i) TRY(save(t, "best", err));
    TRY(save(t, "model", err));
    rc = cvs_history_write(t->training, t->job->options->out, err);
    if (rc < 0) cx_at_file(err, rc, t->job->options->out);
    if (rc < 0) goto out;
    TRY(shoot(t, i, err));
    TRY(write_state(t, err));
    tell_epoch(t, i);
    t->epoch_start = cx_progress_seconds(&t->progress);
    t->first_batch = -1;
out:
    return rc;
}

/* --- training --- */

static int run(train *t, cvs_error *err)
{
    int rc = 0;
    while (!cvs_training_is_done(t->training) && !cx_progress_stopped()) {
        const int64_t before = cvs_training_epoch_count(t->training);
        TRY(cvs_training_run(t->training, err));
        if (cvs_training_epoch_count(t->training) > before)
            TRY(end_epoch(t, err));
        else
            TRY(write_state(t, err));
    }
out:
    cx_progress_end(&t->progress);
    if (rc == 0 && !cvs_training_is_done(t->training))
        cx_note(t->job, "stopped; the same command with --resume goes on");
    return rc;
}

static int print_result(const train *t, cvs_error *err)
{
    const char *dir = t->job->options->out;
    const int64_t best = cvs_training_best(t->training);
    const cvs_epoch *e = cvs_training_epoch(t->training, best);
    if (!e) return 0; /* stopped before an epoch had ended */
    if (t->job->options->json) return cx_print_file(dir, "history.json", err);
    printf("best epoch: %lld of %lld, loss %.4f, accuracy %.4f", (long long)best + 1,
           (long long)cvs_training_epoch_count(t->training), e->loss, e->accuracy);
    if (!isnan(e->val_loss))
        printf(", val_loss %.4f, val_accuracy %.4f", e->val_loss, e->val_accuracy);
    printf("\n%s: best and last model, history and curves\n", dir);
    return 0;
}

int cx_cmd_train(cx_job *job, cvs_error *err)
{
    train t = {.job = job, .first_batch = -1};
    int rc;
    TRY(cx_learn_init(&t.learn, job, err));
    cvs_train_options how = cx_learn_options(&t.learn, job);
    how.tell = tell;
    how.tell_arg = &t;
    TRY(cvs_training_new(&t.training, t.learn.model, &t.learn.data,
                         t.learn.test.n > 0 ? &t.learn.test : NULL, &how, err));
    TRY(cx_make_dirs(job->options->out, err));
    TRY(save_classes(&t, "model", err));
    TRY(save_classes(&t, "best", err));
    TRY(begin_film(&t, err));
    if (job->options->resume) TRY(read_state(&t, err));
    cx_note(job, "%lld pictures of %d classes to learn from, %lld to test with",
            (long long)t.learn.data.n, t.learn.data.n_classes, (long long)t.learn.test.n);
    cx_progress_begin(&t.progress, job, "");
    TRY(run(&t, err));
    TRY(print_result(&t, err));
out:
    cvs_film_free(t.film);
    cvs_classes_free(t.classes);
    cvs_training_free(t.training);
    cx_learn_deinit(&t.learn);
    return rc;
}
