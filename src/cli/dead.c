/* dead.c - how often channels are dead on a folder of pictures. */
#include "cli/dead.h"

#include "base/mem.h"
#include "cli/inputs.h"
#include "cli/progress.h"

static int prepare(cx_dead *d, const cx_work *work, cvs_error *err)
{
    const int n = cvs_run_tap_count(work->run);
    d->layers = cx_calloc((size_t)n, sizeof *d->layers);
    if (!d->layers) return cx_no_memory(err, (size_t)n * sizeof *d->layers);
    for (; d->n < n; d->n++) {
        cx_dead_layer *l = &d->layers[d->n];
        cvs_layer about;
        l->layer = cvs_run_tap(work->run, d->n);
        const int rc = cvs_model_layer(&about, work->model, l->layer, err);
        if (rc < 0) return rc;
        l->n = about.shape[about.channel_axis];
        l->share = cx_calloc((size_t)l->n, sizeof *l->share);
        if (!l->share) return cx_no_memory(err, (size_t)l->n * sizeof *l->share);
    }
    return 0;
}

/* The picture that has just been computed. */
static int count(cx_dead *d, const cx_work *work, cvs_error *err)
{
    for (int i = 0; i < d->n; i++) {
        cx_dead_layer *l = &d->layers[i];
        cvs_stats *each = NULL;
        int64_t n;
        const int rc = cvs_run_stats(NULL, &each, &n, work->run, l->layer, 0, err);
        if (rc < 0) return rc;
        for (int64_t c = 0; c < n && c < l->n; c++) l->share[c] += each[c].dead;
        cvs_free(each);
    }
    d->pictures++;
    return 0;
}

int cx_dead_count(cx_dead *out, cx_work *work, cx_job *job, const char *folder, cvs_error *err)
{
    cx_inputs inputs = {0};
    cx_progress progress;
    int rc;
    *out = (cx_dead){0};
    cx_progress_begin(&progress, job, "looking at pictures");
    TRY(cx_inputs_add(&inputs, job, folder, err));
    TRY(prepare(out, work, err));
    for (int i = 0; i < inputs.n; i++) {
        cvs_error bad;
        rc = cx_work_compute(work, job, inputs.paths[i], &bad);
        if (rc < 0)
            cx_complain(job, &bad);
        else
            TRY(count(out, work, err));
        if (cx_progress_tell(&progress, (double)(i + 1) / inputs.n)) break;
    }
    rc = 0;
    if (out->pictures == 0) TRY(cx_fail(err, CVS_E_IO, "there is no picture that can be read"));
    for (int i = 0; i < out->n; i++)
        for (int64_t c = 0; c < out->layers[i].n; c++) out->layers[i].share[c] /= out->pictures;
out:
    cx_progress_end(&progress);
    cx_inputs_deinit(&inputs);
    if (rc < 0) cx_dead_deinit(out);
    return rc < 0 ? cx_where(err, rc, "%s", folder) : 0;
}

void cx_dead_deinit(cx_dead *d)
{
    for (int i = 0; i < d->n; i++) cx_free(d->layers[i].share);
    cx_free(d->layers);
    *d = (cx_dead){0};
}

const cx_dead_layer *cx_dead_of(const cx_dead *d, int layer)
{
    for (int i = 0; i < d->n; i++)
        if (d->layers[i].layer == layer) return &d->layers[i];
    return NULL;
}
