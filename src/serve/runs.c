/* runs.c - a few runs, each with what was computed in it last. */
#include "serve/runs.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/threads.h"

enum { SLOTS = 6 };

/* Of all activations: a model with more keeps what is asked for alone. */
static const int64_t most_numbers = (int64_t)160 << 20;
/* Of all runs together, but the latest always stays. */
static const size_t most_bytes = (size_t)1 << 30;

typedef struct slot {
    cvs_run *run;
    const cvs_model *m;
    char picture[20];
    int preprocess, resize;
    char *taps; /* besides the outputs; NULL: all */
    double milliseconds;
    int busy;  /* somebody has it, or it is computed now */
    long used; /* when, the larger the later */
} slot;

struct cx_runs {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    int exact;
    long clock;
    slot slots[SLOTS];
};

int cx_runs_new(cx_runs **out, int exact, cvs_error *err)
{
    cx_runs *runs = cx_calloc(1, sizeof *runs);
    *out = runs;
    if (!runs) return cx_no_memory(err, sizeof *runs);
    runs->exact = exact;
    pthread_mutex_init(&runs->lock, NULL);
    pthread_cond_init(&runs->freed, NULL);
    return 0;
}

static void empty(slot *s)
{
    cvs_run_free(s->run);
    cx_free(s->taps);
    *s = (slot){0};
}

void cx_runs_free(cx_runs *runs)
{
    if (!runs) return;
    for (int i = 0; i < SLOTS; i++) empty(&runs->slots[i]);
    pthread_cond_destroy(&runs->freed);
    pthread_mutex_destroy(&runs->lock);
    cx_free(runs);
}

static int fits(const slot *s, const cx_pass *p)
{
    return s->m == p->m && strcmp(s->picture, p->picture) == 0 &&
           s->preprocess == (int)p->image.preprocess && s->resize == (int)p->image.resize &&
           (!s->taps || !p->taps[0] || strcmp(s->taps, p->taps) == 0);
}

static slot *find(cx_runs *runs, const cx_pass *p)
{
    for (int i = 0; i < SLOTS; i++)
        if (runs->slots[i].m && fits(&runs->slots[i], p)) return &runs->slots[i];
    return NULL;
}

/* One that is free: empty, or the one that was not used for longest. NULL: none is. */
static slot *choose(cx_runs *runs)
{
    slot *best = NULL;
    for (int i = 0; i < SLOTS; i++) {
        slot *s = &runs->slots[i];
        if (!s->busy && (!best || s->used < best->used)) best = s;
    }
    return best;
}

/* Whether all activations of a model are few enough to be kept. */
static int is_small(const cvs_model *m)
{
    int64_t sum = 0;
    for (int i = 0; i < m->n_nodes; i++) {
        cx_shape shape = m->nodes[i].shape;
        if (shape.ndim > 0 && shape.d[0] == CX_FREE) shape.d[0] = 1;
        const int64_t n = cx_shape_count(&shape);
        if (n < 0) continue; /* nobody knows before there is a picture */
        sum += n;
        if (sum > most_numbers) return 0;
    }
    return 1;
}

/* `taps` as in the slot. */
static int make_run(cvs_run **out, const cvs_model *m, const char *taps, int exact, cvs_error *err)
{
    cx_str list = {0};
    int rc;
    cx_str_addf(&list, "output%s%s", taps && taps[0] ? "," : "", taps ? taps : "");
    TRY(cx_str_ok(&list, err));
    TRY(cvs_run_new(out, m, &(cvs_run_options){.taps = taps ? list.data : "all", .exact = exact},
                    err));
out:
    cx_str_deinit(&list);
    return rc;
}

/* Compute in a run that is there already, or in a new one. */
static int compute(cvs_run **run, double *milliseconds, const cx_pass *p, const char *taps,
                   int exact, cvs_error *err)
{
    int rc = 0;
    if (!*run) TRY(make_run(run, p->m, taps, exact, err));
    TRY(cvs_run_set(*run, 0, 0, p->input, &p->image, err));
    const double start = cx_seconds();
    TRY(cvs_run_forward(*run, err));
    *milliseconds = 1e3 * (cx_seconds() - start);
out:
    return rc;
}

static int check(const cx_pass *p, cvs_error *err)
{
    if (p->m->n_inputs == 1) return 0;
    cx_fail(err, CVS_E_UNSUPPORTED, "the model has %d inputs", p->m->n_inputs);
    cx_hint(err, "the viewer shows models of one input, which a picture goes to");
    return CVS_E_UNSUPPORTED;
}

/* Make the slot one of this pass, which is still to be computed. A run of the same model that keeps
 * all is handed out to be used again: its memory is there. */
static int claim(cvs_run **run, cx_runs *runs, slot *s, const cx_pass *p, cvs_error *err)
{
    char *taps = is_small(p->m) ? NULL : cx_strdup(p->taps);
    if (!taps && !is_small(p->m)) return cx_no_memory(err, strlen(p->taps));
    *run = NULL;
    if (s->m == p->m && !s->taps) {
        *run = s->run;
        s->run = NULL;
    }
    empty(s);
    *s = (slot){.m = p->m,
                .taps = taps,
                .preprocess = (int)p->image.preprocess,
                .resize = (int)p->image.resize,
                .busy = 1,
                .used = ++runs->clock};
    snprintf(s->picture, sizeof s->picture, "%s", p->picture);
    return 0;
}

/* Fill a slot that is free; the lock is held before and after. */
static int fill(cx_runs *runs, slot *s, const cx_pass *p, cvs_error *err)
{
    cvs_run *run;
    double milliseconds = 0;
    int rc = claim(&run, runs, s, p, err);
    if (rc < 0) return rc;
    pthread_mutex_unlock(&runs->lock);
    rc = compute(&run, &milliseconds, p, s->taps ? p->taps : NULL, runs->exact, err);
    pthread_mutex_lock(&runs->lock);
    s->run = run;
    s->milliseconds = milliseconds;
    if (rc == 0) return 0;
    empty(s);
    pthread_cond_broadcast(&runs->freed);
    return rc;
}

/* Free runs that are too much together, the oldest first. */
static void shrink(cx_runs *runs)
{
    for (;;) {
        size_t bytes = 0;
        slot *oldest = NULL;
        for (int i = 0; i < SLOTS; i++) {
            slot *s = &runs->slots[i];
            if (s->run) bytes += s->run->memory_size;
            if (s->run && !s->busy && (!oldest || s->used < oldest->used)) oldest = s;
        }
        if (bytes <= most_bytes || !oldest) return;
        empty(oldest);
    }
}

int cx_runs_take(cvs_run **out, double *milliseconds, cx_runs *runs, const cx_pass *p,
                 cvs_error *err)
{
    slot *s;
    *out = NULL;
    int rc = check(p, err);
    if (rc < 0) return rc;
    pthread_mutex_lock(&runs->lock);
    while ((s = find(runs, p)) ? s->busy : !choose(runs))
        pthread_cond_wait(&runs->freed, &runs->lock);
    if (!s) {
        s = choose(runs);
        rc = fill(runs, s, p, err);
    }
    if (rc == 0) {
        s->busy = 1;
        s->used = ++runs->clock;
        *out = s->run;
        if (milliseconds) *milliseconds = s->milliseconds;
        shrink(runs);
    }
    pthread_mutex_unlock(&runs->lock);
    return rc;
}

void cx_runs_let_go(cx_runs *runs, cvs_run *run)
{
    if (!run) return;
    pthread_mutex_lock(&runs->lock);
    for (int i = 0; i < SLOTS; i++)
        if (runs->slots[i].run == run) runs->slots[i].busy = 0;
    pthread_cond_broadcast(&runs->freed);
    pthread_mutex_unlock(&runs->lock);
}
