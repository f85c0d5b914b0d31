/* answer_examples.c - the pictures of the folders that excite a channel most. A walk over them
 * begins with the first question and goes on in the background; answers have what there is so far.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/threads.h"
#include "methods/examples.h"
#include "serve/look.h"

enum { MOST_PICTURES = 5000, MOST_TOP = 64, NAME = 288 };

/* A walk over all pictures. */
typedef struct walk {
    cx_viewer *viewer;
    cvs_image_options image;
    cvs_run *run;
    cvs_examples *e; /* files are "ID NAME" */
    int64_t n;       /* pictures to look at */
    cx_task *task;
    atomic_int is_stopped, is_open; /* open: the first picture has been added */
    pthread_mutex_t lock;           /* of what follows, and of e once it is open */
    int64_t seen, failed;           /* pictures that were looked at, and those that could not be */
    cvs_error why;                  /* of the first that failed */
} walk;

/* --- the walk --- */

static int look_at(walk *w, const cx_view_entry *entry, cvs_error *err)
{
    const cx_view_picture *picture = NULL;
    char name[NAME];
    int rc;
    TRY(cx_viewer_take(&picture, w->viewer, entry->id, err));
    TRY(cvs_run_set(w->run, 0, 0, picture->input, &w->image, err));
    TRY(cvs_run_forward(w->run, err));
    snprintf(name, sizeof name, "%s %s", entry->id, entry->name);
    /* The first one finds out what units see, which takes long: nobody reads it before. */
    const int is_open = atomic_load(&w->is_open);
    if (is_open) pthread_mutex_lock(&w->lock);
    rc = cvs_examples_add(w->e, name, err);
    if (is_open) pthread_mutex_unlock(&w->lock);
    if (rc == 0) atomic_store(&w->is_open, 1);
    if (rc < 0 && !is_open) atomic_store(&w->is_stopped, 1); /* it would fail for all others too */
out:
    cx_viewer_let_go(w->viewer, picture);
    return rc;
}

static void go(void *arg)
{
    walk *w = arg;
    for (int64_t i = 0; i < w->n && !atomic_load(&w->is_stopped); i++) {
        cx_view_entry entry;
        cvs_error err = {0};
        if (!cx_viewer_entry(&entry, w->viewer, i)) break;
        const int rc = look_at(w, &entry, &err);
        pthread_mutex_lock(&w->lock);
        w->seen++;
        if (rc < 0 && w->failed++ == 0) w->why = err;
        pthread_mutex_unlock(&w->lock);
    }
}

static void free_walk(void *thing)
{
    walk *w = thing;
    if (!w) return;
    atomic_store(&w->is_stopped, 1);
    cx_task_finish(w->task);
    cvs_examples_free(w->e);
    cvs_run_free(w->run);
    pthread_mutex_destroy(&w->lock);
    cx_free(w);
}

/* --- what is asked --- */

typedef struct question {
    const cx_ask *ask;
    cx_look look;
    const char *taps; /* of the walk that has the layer */
    cvs_image_options image;
} question;

static int make_walk(void **out, size_t *size, void *arg, cvs_error *err)
{
    const question *q = arg;
    const cvs_run_options options = {.taps = q->taps, .exact = cx_viewer_is_exact(q->ask->viewer)};
    walk *w = cx_calloc(1, sizeof *w);
    int rc;
    *out = NULL;
    if (!w) return cx_no_memory(err, sizeof *w);
    pthread_mutex_init(&w->lock, NULL);
    w->viewer = q->ask->viewer;
    w->image = q->image;
    w->n = cx_viewer_folder_count(w->viewer);
    if (w->n > MOST_PICTURES) w->n = MOST_PICTURES;
    TRY(cvs_run_new(&w->run, q->look.model->m, &options, err));
    TRY(cvs_examples_new(&w->e, w->run, MOST_TOP, err));
    w->task = cx_task_start(go, w);
    if (!w->task) TRY(cx_no_memory(err, sizeof *w));
    *size = sizeof *w;
    *out = w;
    w = NULL;
out:
    free_walk(w);
    return rc;
}

/* One walk serves all convolutions and poolings; any other layer has its own. */
static int read_question(question *q, cx_reply *reply, cvs_error *err)
{
    int rc;
    TRY(cx_look_begin(&q->look, reply, q->ask, err));
    const cvs_model *m = q->look.model->m;
    const cx_node *node = &m->nodes[q->look.node];
    const cx_layer_kind *kind = m->layers[node->layer].kind;
    TRY(cx_look_can_ask(m, err));
    if (cx_viewer_folder_count(q->ask->viewer) == 0) {
        rc = cx_fail(err, CVS_E_UNSUPPORTED, "there are no pictures to look at");
        cx_hint(err, "--images DIR names a folder of them");
        goto out;
    }
    TRY(cx_ask_image(&q->image, q->ask, err));
    q->taps = kind->is_conv || kind->is_pool ? "conv+pool" : node->name;
out:
    return rc;
}

/* --- the answer --- */

static int64_t dead_in(const cvs_examples *e, int node, int64_t channel)
{
    for (int i = 0; i < e->run->n_taps; i++)
        if (e->layers[i].node == node && channel < e->layers[i].channels)
            return e->layers[i].dead[channel];
    return 0;
}

static void write_example(cx_json_writer *w, const cvs_example *x)
{
    char id[17] = "";
    const char *space = strchr(x->file, ' ');
    snprintf(id, sizeof id, "%.16s", x->file);
    cx_json_open(w, NULL, '{');
    cx_json_add_string(w, "image", id);
    cx_json_add_string(w, "name", space ? space + 1 : "");
    cx_json_add_number(w, "value", x->value);
    cx_json_add_int(w, "row", x->row);
    cx_json_add_int(w, "column", x->column);
    if (x->box[2] > 0 || x->box[3] > 0) cx_json_add_ints(w, "box", x->box, 4);
    cx_json_close(w, '}');
}

/* What there is so far; the walk's lock is held. */
static void write_examples(cx_json_writer *w, const walk *k, int node, int64_t channel, int64_t top)
{
    const int is_open = atomic_load(&k->is_open);
    cvs_example x;
    cx_json_open(w, NULL, '{');
    cx_json_add_number(w, "done", (double)k->seen / (double)k->n);
    cx_json_add_int(w, "seen", k->seen);
    cx_json_add_int(w, "pictures", k->n);
    cx_json_add_int(w, "failed", k->failed);
    if (k->failed > 0) cx_json_add_string(w, "why_failed", k->why.what);
    cx_json_add_int(w, "channel", channel);
    cx_json_add_int(w, "dead_in", is_open ? dead_in(k->e, node, channel) : 0);
    cx_json_open(w, "examples", '[');
    for (int i = 0; is_open && i < top && cvs_examples_at(&x, k->e, node, channel, i) == 0; i++)
        write_example(w, &x);
    cx_json_close(w, ']');
    cx_json_close(w, '}');
}

/* Where none could be looked at. */
static int fail_as(const walk *k, cvs_error *err)
{
    if (err) *err = k->why;
    return k->why.code;
}

int cx_answer_examples(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    static const cx_keep_kind kind = {make_walk, free_walk};
    question q = {.ask = ask};
    cx_keep *keep = cx_viewer_results(ask->viewer);
    cx_json_writer w = {0};
    cx_str key = {0};
    void *thing = NULL;
    int64_t channel, top;
    int rc;
    TRY(read_question(&q, out, err));
    TRY(cx_look_index(&channel, ask, "channel", -2, cx_look_channels(q.look.model->m, q.look.node),
                      err));
    TRY(cx_ask_int(&top, ask, "top", CX_EXAMPLES, 1, MOST_TOP, err));
    cx_str_addf(&key, "examples %s %d %d %s", q.look.model->id, (int)q.image.preprocess,
                (int)q.image.resize, q.taps);
    TRY(cx_str_ok(&key, err));
    TRY(cx_keep_take(&thing, keep, key.data, &kind, &q, err));
    walk *k = thing;
    pthread_mutex_lock(&k->lock);
    if (k->failed > 0 && (atomic_load(&k->is_stopped) || k->failed == k->n)) rc = fail_as(k, err);
    if (rc == 0) write_examples(&w, k, q.look.node, channel, top);
    out->is_fleeting = k->seen < k->n;
    pthread_mutex_unlock(&k->lock);
    if (rc < 0) goto out;
    TRY(cx_reply_writer(out, &w, err));
out:
    cx_keep_let_go(keep, thing);
    cx_str_deinit(&key);
    return rc;
}
