/* dead.c - how often channels are dead on a folder of pictures. */
#include "cli/dead.h"

#include "base/mem.h"
#include "cli/pictures.h"

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

/* The picture that has just been computed; of a tensor of several the first. */
static int count(void *arg, const char *path, const cvs_run *run, int slot, cvs_error *err)
{
    cx_dead *d = arg;
    (void)path;
    (void)slot;
    for (int i = 0; i < d->n; i++) {
        cx_dead_layer *l = &d->layers[i];
        cvs_stats *each = NULL;
        int64_t n;
        const int rc = cvs_run_stats(NULL, &each, &n, run, l->layer, 0, err);
        if (rc < 0) return rc;
        for (int64_t k = 0; k < n && k < l->n; k++) l->share[k] += each[k].dead;
        cvs_free(each);
    }
    d->pictures++;
    return 0;
}

int cx_dead_count(cx_dead *out, cx_work *work, cx_job *job, const char *folder, cvs_error *err)
{
    cx_inputs inputs = {0};
    int rc;
    *out = (cx_dead){0};
    TRY(cx_inputs_add(&inputs, job, folder, err));
    TRY(prepare(out, work, err));
    TRY(cx_pictures_each(work, job, &inputs,
                         &(cx_pictures){count, out, .title = "looking at pictures"}, err));
    if (rc == 0) TRY(cx_pictures_none(err));
    for (int i = 0; i < out->n; i++)
        for (int64_t k = 0; k < out->layers[i].n; k++) out->layers[i].share[k] /= out->pictures;
out:
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
