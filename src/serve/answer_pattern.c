/* answer_pattern.c - what excites a channel most, shown as it grows. The stream, the picture and
 * the numbers are one computation. */
#include <math.h>
#include <string.h>

#include "base/threads.h"
#include "patterns/recipe.h"
#include "report/html.h"
#include "report/page.h"
#include "serve/look.h"
#include "tensor/npy.h"

enum { MOST_STEPS = 10000, MOST_SIDE = 1024 };

#define LOOK_AFTER 0.2 /* seconds from one picture to the next */

/* What was found, kept for the other routes. */
typedef struct found {
    cvs_patterns *p;
    double milliseconds;
} found;

/* What is asked. */
typedef struct question {
    const cx_ask *ask;
    cx_look look;
    int64_t channel;
    cvs_pattern_options how;
    int is_unread; /* nobody reads the stream any more */
} question;

static void free_found(void *thing)
{
    found *f = thing;
    if (!f) return;
    cvs_patterns_free(f->p);
    cx_free(f);
}

/* --- events --- */

/* What is one line: strings have their ends of lines escaped. */
static void make_one_line(char *text)
{
    for (char *at = text; (at = strchr(at, '\n'));) *at = ' ';
}

static int write_event(char **out, const question *q, const cvs_patterns *p, double milliseconds,
                       cvs_error *err)
{
    const int is_done = milliseconds >= 0;
    cx_page_picture tile = {0};
    cx_json_writer w = {0};
    cx_str uri = {0};
    int rc;
    *out = NULL;
    TRY(cx_page_tile(&tile, p->shown, p->shown_height, p->shown_width, p->channels, err));
    cx_data_uri(&uri, "image/png", tile.bytes.data, tile.bytes.size);
    TRY(cx_str_ok(&uri, err));
    cx_json_open(&w, NULL, '{');
    cx_json_add_number(&w, "done", p->done);
    cx_json_add_int(&w, "channel", q->channel);
    cx_json_add_string(&w, "method", p->method);
    cx_json_add_int(&w, "steps", p->steps[0]);
    cx_json_add_int(&w, "height", p->shown_height);
    cx_json_add_int(&w, "width", p->shown_width);
    cx_json_add_number(&w, "climbed", p->climbed[0]);
    cx_json_add_number(&w, "response", is_done ? p->response[0] : NAN);
    cx_json_add_number(&w, "noise", is_done ? p->noise[0] : NAN);
    if (is_done) cx_json_add_number(&w, "milliseconds", milliseconds);
    cx_json_add_string(&w, "picture", uri.data);
    cx_json_close(&w, '}');
    TRY(cx_json_finish(out, &w, err));
    make_one_line(*out);
out:
    cx_bytes_deinit(&tile.bytes);
    cx_str_deinit(&uri);
    return rc;
}

/* A picture that could not be made is left out: the next one, or the last, says why. */
static void show(void *arg, const cvs_patterns *so_far)
{
    question *q = arg;
    char *text;
    if (write_event(&text, q, so_far, -1, NULL) < 0) return;
    if (q->ask->send(q->ask, "pattern", text)) q->is_unread = 1;
    cx_free(text);
}

static int is_unwanted(void *arg, double done)
{
    const question *q = arg;
    (void)done;
    return q->is_unread || (q->ask->is_stopped && q->ask->is_stopped(q->ask));
}

/* --- what is asked --- */

static int make_pattern(void **out, size_t *size, void *arg, cvs_error *err)
{
    question *q = arg;
    const char *layer = q->look.model->m->nodes[q->look.node].name;
    found *f = cx_calloc(1, sizeof *f);
    int rc;
    *out = NULL;
    if (!f) return cx_no_memory(err, sizeof *f);
    const double begin = cx_seconds();
    TRY(cvs_patterns_find(&f->p, q->look.model->m, layer, &q->channel, 1, &q->how, err));
    if (f->p->done < 1) TRY(cx_fail(err, CVS_E_ARG, "stopped, as nobody waits for it"));
    f->milliseconds = 1e3 * (cx_seconds() - begin);
    *size = 2 * sizeof(float) * (size_t)(f->p->height * f->p->width * f->p->channels);
    *out = f;
    f = NULL;
out:
    free_found(f);
    return rc;
}

static int read_question(question *q, cx_reply *reply, cvs_error *err)
{
    const cx_ask *ask = q->ask;
    const cx_recipe *recipe;
    cvs_image_options image;
    int64_t steps, seed, side;
    int rc;
    TRY(cx_look_begin(&q->look, reply, ask, err));
    const cvs_model *m = q->look.model->m;
    TRY(cx_model_can_run(m, err));
    TRY(cx_look_index(&q->channel, ask, "channel", -2, cx_look_channels(m, q->look.node), err));
    recipe = cx_recipe_find(cx_ask_text(ask, "method", NULL), err);
    if (!recipe) TRY(CVS_E_ARG);
    TRY(cx_ask_int(&steps, ask, "steps", 0, 1, MOST_STEPS, err));
    TRY(cx_ask_int(&seed, ask, "seed", 0, 0, INT64_MAX, err));
    TRY(cx_ask_int(&side, ask, "size", 0, 1, MOST_SIDE, err));
    TRY(cx_ask_image(&image, ask, err));
    q->how = (cvs_pattern_options){.method = recipe->about.name,
                                   .steps = (int)steps,
                                   .height = side,
                                   .width = side,
                                   .preprocess = image.preprocess,
                                   .seed = (uint64_t)seed,
                                   .exact = cx_viewer_is_exact(ask->viewer),
                                   .progress = is_unwanted,
                                   .progress_arg = q,
                                   .look = ask->send ? show : NULL,
                                   .look_arg = q,
                                   .look_after = LOOK_AFTER};
out:
    return rc;
}

/* The pattern that is asked for, to be let go. */
static int find_pattern(const found **out, question *q, cx_reply *reply, cvs_error *err)
{
    static const cx_keep_kind kind = {make_pattern, free_found};
    const cvs_pattern_options *h = &q->how;
    cx_str key = {0};
    void *thing = NULL;
    int rc;
    *out = NULL;
    TRY(read_question(q, reply, err));
    cx_str_addf(&key, "pattern %s %d %lld %s %d %llu %lld %d", q->look.model->id, q->look.node,
                (long long)q->channel, h->method, h->steps, (unsigned long long)h->seed,
                (long long)h->height, (int)h->preprocess);
    TRY(cx_str_ok(&key, err));
    TRY(cx_keep_take(&thing, cx_viewer_results(q->ask->viewer), key.data, &kind, q, err));
    *out = thing;
out:
    cx_str_deinit(&key);
    return rc;
}

static void let_go(const question *q, const found *f)
{
    cx_keep_let_go(cx_viewer_results(q->ask->viewer), (void *)(uintptr_t)f);
}

/* --- answers --- */

int cx_answer_pattern(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    question q = {.ask = ask};
    const found *f = NULL;
    char *text = NULL;
    int rc;
    TRY(find_pattern(&f, &q, out, err));
    TRY(write_event(&text, &q, f->p, f->milliseconds, err));
    (void)ask->send(ask, "pattern", text);
out:
    cx_free(text);
    let_go(&q, f);
    return rc;
}

int cx_answer_pattern_png(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    question q = {.ask = ask};
    const found *f = NULL;
    cx_page_picture tile = {0};
    int rc;
    TRY(find_pattern(&f, &q, out, err));
    TRY(cx_page_tile(&tile, f->p->shown, f->p->shown_height, f->p->shown_width, f->p->channels,
                     err));
    cx_reply_bytes(out, "image/png", &tile.bytes);
out:
    let_go(&q, f);
    return rc;
}

int cx_answer_pattern_npy(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    question q = {.ask = ask};
    const found *f = NULL;
    cx_bytes npy = {0};
    int rc;
    TRY(find_pattern(&f, &q, out, err));
    const cx_shape shape = {3, {f->p->height, f->p->width, f->p->channels}};
    TRY(cx_npy_pack(&npy, f->p->data, &shape, err));
    cx_reply_bytes(out, "application/octet-stream", &npy);
out:
    let_go(&q, f);
    return rc;
}
