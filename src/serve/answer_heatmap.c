/* answer_heatmap.c - where in a picture the evidence for a class lies. The figures, the picture and
 * the numbers are one computation. */
#include <math.h>
#include <string.h>

#include "base/threads.h"
#include "report/heat_bytes.h"
#include "serve/look.h"
#include "tensor/npy.h"

enum { MOST_STEPS = 10000, MOST_CELLS = 4 << 20 };

/* What was found, kept for the other routes. */
typedef struct heat {
    cvs_explanation *e;
    cx_heat_bytes bytes;
    double milliseconds;
} heat;

/* What is asked. */
typedef struct question {
    const cx_ask *ask;
    const cx_view_model *model;
    const cx_view_picture *picture;
    cvs_image_options image;
    cvs_explain_options how;
} question;

static const char *target_word(int i)
{
    static const char *const words[] = {"auto", "logit", "probability"};
    return i >= 0 && (size_t)i < sizeof words / sizeof *words ? words[i] : NULL;
}

static int is_unwanted(void *arg, double done)
{
    const cx_ask *ask = arg;
    (void)done;
    return ask->is_stopped && ask->is_stopped(ask);
}

static void free_heat(void *thing)
{
    heat *h = thing;
    if (!h) return;
    cvs_explanation_free(h->e);
    cx_bytes_deinit(&h->bytes.gray);
    cx_free(h);
}

static size_t bytes_of(const cvs_explanation *e)
{
    return (size_t)(e->height * e->width * e->channels) * 2 * sizeof(float);
}

static int make_heat(void **out, size_t *size, void *arg, cvs_error *err)
{
    question *q = arg;
    /* A run of its own: others go on to ask the one that the viewer keeps. */
    const cvs_run_options options = {.exact = q->how.exact};
    cvs_run *run = NULL;
    heat *h = cx_calloc(1, sizeof *h);
    int rc = 0;
    *out = NULL;
    if (!h) return cx_no_memory(err, sizeof *h);
    const double begin = cx_seconds();
    TRY(cvs_run_new(&run, q->model->m, &options, err));
    TRY(cvs_run_set(run, 0, 0, q->picture->input, &q->image, err));
    TRY(cvs_explain(&h->e, run, 0, &q->how, err));
    if (h->e->done < 1) TRY(cx_fail(err, CVS_E_ARG, "stopped, as nobody waits for it"));
    TRY(cx_heat_bytes_of(&h->bytes, h->e, MOST_CELLS, err));
    h->milliseconds = 1e3 * (cx_seconds() - begin);
    *size = bytes_of(h->e) + h->bytes.gray.size;
    *out = h;
    h = NULL;
out:
    cvs_run_free(run);
    free_heat(h);
    return rc;
}

/* --- what is asked --- */

static int read_layer(question *q, cx_reply *reply, cvs_error *err)
{
    const char *layers = cx_ask_text(q->ask, "layer", NULL);
    if (!layers || !*layers) return 0;
    q->how.layers = layers;
    if (strchr(layers, ',') || cx_model_find_node(q->model->m, layers, err) >= 0) return 0;
    reply->status = 404;
    return CVS_E_ARG;
}

static int read_question(question *q, cx_reply *reply, cvs_error *err)
{
    const cx_ask *ask = q->ask;
    int64_t steps, seed, output;
    int target, rc;
    TRY(cx_ask_model(&q->model, reply, ask, err));
    TRY(cx_look_can_ask(q->model->m, err));
    q->how.method = cx_ask_text(ask, "method", "gradcam");
    if (!cvs_method_find(q->how.method, err)) TRY(CVS_E_ARG);
    TRY(cx_ask_word(&target, ask, "target", CVS_TARGET_AUTO, target_word, err));
    TRY(cx_ask_int(&steps, ask, "steps", 0, 1, MOST_STEPS, err));
    TRY(cx_ask_int(&seed, ask, "seed", 0, 0, INT64_MAX, err));
    TRY(cx_ask_int(&output, ask, "output", 0, 0, q->model->m->n_outputs - 1, err));
    TRY(cx_ask_class(&q->how.class_index, ask, q->model, err));
    TRY(read_layer(q, reply, err));
    TRY(cx_ask_image(&q->image, ask, err));
    TRY(cx_ask_picture(&q->picture, reply, ask, err));
    q->how.has_class = q->how.class_index >= 0;
    if (!q->how.has_class) q->how.class_index = 0;
    q->how.target = (cvs_target)target;
    q->how.steps = (int)steps;
    q->how.seed = (uint64_t)seed;
    q->how.output = (int)output;
    q->how.exact = cx_viewer_is_exact(ask->viewer);
    q->how.progress = is_unwanted;
    q->how.progress_arg = (void *)(uintptr_t)ask;
out:
    return rc;
}

/* All that decides the answer. */
static void write_key(cx_str *key, const question *q)
{
    const cvs_explain_options *h = &q->how;
    cx_str_addf(key, "heatmap %s %s %d %d %s %s %d %d %lld %d %d %llu", q->model->id,
                q->picture->id, (int)q->image.preprocess, (int)q->image.resize, h->method,
                h->layers ? h->layers : "", h->output, h->has_class, (long long)h->class_index,
                (int)h->target, h->steps, (unsigned long long)h->seed);
}

/* The heatmap that is asked for, to be let go. */
static int find_heat(const heat **out, question *q, cx_reply *reply, cvs_error *err)
{
    static const cx_keep_kind kind = {make_heat, free_heat};
    cx_str key = {0};
    void *thing = NULL;
    int rc;
    *out = NULL;
    TRY(read_question(q, reply, err));
    write_key(&key, q);
    TRY(cx_str_ok(&key, err));
    TRY(cx_keep_take(&thing, cx_viewer_results(q->ask->viewer), key.data, &kind, q, err));
    *out = thing;
out:
    cx_str_deinit(&key);
    return rc;
}

static void end_question(const question *q, const heat *h)
{
    cx_keep_let_go(cx_viewer_results(q->ask->viewer), (void *)(uintptr_t)h);
    cx_viewer_let_go(q->ask->viewer, q->picture);
}

/* --- answers --- */

static void write_class(cx_json_writer *w, const question *q, const cvs_explanation *e)
{
    const char *name = NULL;
    if (q->model->classes && e->class_index >= 0 && e->class_index <= INT32_MAX)
        name = cvs_classes_name(q->model->classes, (int)e->class_index);
    cx_look_add_class(w, e->class_index);
    if (name) cx_json_add_string(w, "name", name);
    cx_json_add_number(w, "score", e->score);
    cx_json_add_number(w, "probability", e->probability);
}

int cx_answer_heatmap(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    question q = {.ask = ask};
    const heat *h = NULL;
    cx_json_writer w = {0};
    int rc;
    TRY(find_heat(&h, &q, out, err));
    const cvs_explanation *e = h->e;
    const cvs_method *method = cvs_method_find(e->method, NULL);
    cx_json_open(&w, NULL, '{');
    cx_json_add_string(&w, "method", e->method);
    if (method) cx_json_add_string(&w, "title", method->title);
    if (method) cx_json_add_string(&w, "cite", method->cite);
    cx_json_add_bool(&w, "is_pixels", e->is_pixels);
    cx_json_add_bool(&w, "is_signed", h->bytes.is_signed);
    cx_json_add_int(&w, "height", h->bytes.height);
    cx_json_add_int(&w, "width", h->bytes.width);
    cx_json_add_number(&w, "low", h->bytes.is_signed ? -h->bytes.limit : 0);
    cx_json_add_number(&w, "high", h->bytes.limit);
    cx_json_add_number(&w, "peak", h->bytes.peak);
    const int64_t shape[] = {e->height, e->width, e->channels};
    cx_json_add_ints(&w, "shape", shape, e->is_pixels ? 3 : 2);
    write_class(&w, &q, e);
    cx_json_add_number(&w, "residual", e->residual);
    cx_json_add_string(&w, "layer", e->layer);
    cx_json_add_string(&w, "why_layer", e->why_layer);
    cx_json_add_string(&w, "target", e->target);
    cx_json_add_string(&w, "notes", e->notes);
    cx_json_add_number(&w, "milliseconds", h->milliseconds);
    cx_json_close(&w, '}');
    TRY(cx_reply_writer(out, &w, err));
out:
    end_question(&q, h);
    return rc;
}

int cx_answer_heatmap_png(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    question q = {.ask = ask};
    const heat *h = NULL;
    cx_bytes png = {0};
    int rc;
    TRY(find_heat(&h, &q, out, err));
    TRY(cx_heat_bytes_png(&png, &h->bytes, err));
    cx_reply_bytes(out, "image/png", &png);
out:
    end_question(&q, h);
    return rc;
}

int cx_answer_heatmap_npy(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    question q = {.ask = ask};
    const heat *h = NULL;
    cx_bytes npy = {0};
    int rc;
    TRY(find_heat(&h, &q, out, err));
    const cvs_explanation *e = h->e;
    const cx_shape shape = {e->is_pixels ? 3 : 2, {e->height, e->width, e->channels}};
    TRY(cx_npy_pack(&npy, e->data, &shape, err));
    cx_reply_bytes(out, "application/octet-stream", &npy);
out:
    end_question(&q, h);
    return rc;
}
