/* answer_live.c - a frame of a camera: what the network says about it and what its layers make of
 * it, in one answer of bytes. */
#include <pthread.h>
#include <string.h>

#include "base/threads.h"
#include "draw/byte_sheet.h"
#include "report/heat_bytes.h"
#include "serve/look.h"
#include "serve/scores.h"

enum {
    MOST_LAYERS = 16,
    MOST_CHANNELS = 1024,
    CHANNELS = 64, /* of a layer unless told */
    TOP = 5,
    MOST_SIDE = 4096, /* of a frame */
    MOST_HEAT = 512 * 512,
};

/* A run that is used again for every frame that wants the same. */
typedef struct live {
    pthread_mutex_t lock;
    cvs_run *run;
} live;

static void free_live(void *thing)
{
    live *l = thing;
    if (!l) return;
    cvs_run_free(l->run);
    pthread_mutex_destroy(&l->lock);
    cx_free(l);
}

/* What is asked. */
typedef struct question {
    const cx_ask *ask;
    const cx_view_model *model;
    int nodes[MOST_LAYERS], n_nodes;
    cx_str taps;
    int64_t channels, width, height, top;
    int is_cropped;
    cvs_image_options image;
    cvs_explain_options heat; /* method NULL: none */
} question;

static int make_live(void **out, size_t *size, void *arg, cvs_error *err)
{
    const question *q = arg;
    const cvs_run_options o = {.taps = q->taps.data, .exact = cx_viewer_is_exact(q->ask->viewer)};
    live *l = cx_calloc(1, sizeof *l);
    int rc;
    *out = NULL;
    if (!l) return cx_no_memory(err, sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    TRY(cvs_run_new(&l->run, q->model->m, &o, err));
    *size = l->run->memory_size;
    *out = l;
    l = NULL;
out:
    free_live(l);
    return rc;
}

/* --- what is asked --- */

static int read_layers(question *q, cx_reply *reply, cvs_error *err)
{
    const char *from = cx_ask_text(q->ask, "layers", "");
    char name[512];
    cx_str_add(&q->taps, "output");
    while (*from) {
        const size_t n = strcspn(from, ",");
        if (n >= sizeof name || q->n_nodes == MOST_LAYERS)
            return cx_fail(err, CVS_E_ARG, "layers: at most %d names", MOST_LAYERS);
        memcpy(name, from, n);
        name[n] = 0;
        const int node = cx_model_find_node(q->model->m, name, err);
        if (node < 0) {
            reply->status = 404;
            return node;
        }
        cx_str_addf(&q->taps, ",%s", q->model->m->nodes[node].name);
        q->nodes[q->n_nodes++] = node;
        from += n + (from[n] == ',');
    }
    return cx_str_ok(&q->taps, err);
}

static int read_heat(question *q, cvs_error *err)
{
    int64_t class_index;
    int rc = 0;
    q->heat.method = cx_ask_text(q->ask, "heatmap", NULL);
    if (!q->heat.method) return 0;
    const cvs_method *method = cvs_method_find(q->heat.method, err);
    if (!method) return CVS_E_ARG;
    if (method->is_slow)
        TRY(cx_fail(err, CVS_E_UNSUPPORTED, "%s is too slow for moving pictures", method->name));
    TRY(cx_ask_class(&class_index, q->ask, q->model, err));
    q->heat.has_class = class_index >= 0;
    q->heat.class_index = class_index >= 0 ? class_index : 0;
    q->heat.exact = cx_viewer_is_exact(q->ask->viewer);
out:
    return rc;
}

static int read_question(question *q, cx_reply *reply, cvs_error *err)
{
    const cx_ask *ask = q->ask;
    int64_t crop;
    int rc;
    TRY(cx_ask_model(&q->model, reply, ask, err));
    TRY(cx_look_can_ask(q->model->m, err));
    TRY(cx_look_index(&q->width, ask, "width", -2, MOST_SIDE + 1, err));
    TRY(cx_look_index(&q->height, ask, "height", -2, MOST_SIDE + 1, err));
    TRY(cx_ask_int(&q->channels, ask, "channels", CHANNELS, 1, MOST_CHANNELS, err));
    TRY(cx_ask_int(&q->top, ask, "top", TOP, 1, MOST_CHANNELS, err));
    TRY(cx_ask_int(&crop, ask, "crop", 0, 0, 1, err));
    q->is_cropped = (int)crop;
    TRY(cx_ask_image(&q->image, ask, err));
    TRY(read_heat(q, err));
    TRY(read_layers(q, reply, err));
    if (q->width < 1 || q->height < 1 || ask->body_size != (size_t)q->width * (size_t)q->height * 3)
        TRY(cx_fail(err, CVS_E_ARG, "the body has %zu bytes, not %lld × %lld × 3", ask->body_size,
                    (long long)q->width, (long long)q->height));
out:
    return rc;
}

/* --- the frame --- */

/* The largest part around the middle that has the shape of the model's input. */
static int crop(cx_image *out, const question *q, const cx_image *frame, cvs_error *err)
{
    const cvs_model *m = q->model->m;
    const cx_shape *s = &m->nodes[m->inputs[0]].shape;
    const int first = s->ndim == 4 && cx_node_channel_axis(m, m->inputs[0]) == 1;
    int64_t h = s->ndim > 2 ? s->d[1 + first] : 1, w = s->ndim > 2 ? s->d[2 + first] : 1;
    if (h < 1 || w < 1) h = w = 1;
    int64_t high = frame->height, wide = high * w / h;
    if (wide > frame->width) {
        wide = frame->width;
        high = wide * h / w;
    }
    if (wide < 1 || high < 1)
        return cx_fail(err, CVS_E_ARG, "the frame is too small to be cropped");
    int rc = cx_image_init(out, (int)wide, (int)high, 3, err);
    const int64_t top = (frame->height - high) / 2, left = (frame->width - wide) / 2;
    for (int64_t y = 0; rc == 0 && y < high; y++)
        memcpy(out->data + 3 * y * wide, frame->data + 3 * ((top + y) * frame->width + left),
               (size_t)(3 * wide));
    return rc;
}

static int set_frame(cvs_run *run, const question *q, cvs_error *err)
{
    cvs_input input = {.picture = {.width = (int)q->width,
                                   .height = (int)q->height,
                                   .channels = 3,
                                   .data = (uint8_t *)(uintptr_t)q->ask->body}};
    cx_image part = {0};
    int rc = 0;
    if (q->is_cropped) {
        TRY(crop(&part, q, &input.picture, err));
        input.picture = part;
    }
    TRY(cvs_run_set(run, 0, 0, &input, &q->image, err));
out:
    cx_image_deinit(&part);
    return rc;
}

/* --- the answer --- */

static int add_map(cx_json_writer *w, cx_str *bytes, const question *q, const cvs_run *run,
                   int node, cvs_error *err)
{
    cx_map map = {0};
    cx_byte_sheet sheet = {0};
    int rc;
    TRY(cx_map_of(&map, run, node, 0, err));
    const cx_stack *s = &map.stack;
    const int n = (int)(s->channels < q->channels ? s->channels : q->channels);
    TRY(cx_byte_sheet_init(&sheet, s->data, s->height, s->width, s->channels, n,
                           s->height * s->width == 1, err));
    cx_json_open(w, NULL, '{');
    cx_json_add_string(w, "layer", run->model->nodes[node].name);
    cx_json_add_int(w, "height", s->height);
    cx_json_add_int(w, "width", s->width);
    cx_json_add_int(w, "channels", n);
    cx_json_add_int(w, "columns", sheet.columns);
    cx_json_add_floats(w, "low", sheet.low, n);
    cx_json_add_floats(w, "high", sheet.high, n);
    cx_json_add_int(w, "offset", (int64_t)bytes->len);
    cx_json_close(w, '}');
    cx_str_add_n(bytes, sheet.bytes.data, (size_t)(sheet.sheet_height * sheet.sheet_width));
out:
    cx_byte_sheet_deinit(&sheet);
    cx_map_deinit(&map);
    return rc;
}

static int add_heat(cx_json_writer *w, cx_str *bytes, const question *q, const cvs_run *run,
                    cvs_error *err)
{
    cvs_explanation *e = NULL;
    cx_heat_bytes b = {0};
    int rc;
    TRY(cvs_explain(&e, run, 0, &q->heat, err));
    TRY(cx_heat_bytes_of(&b, e, MOST_HEAT, err));
    cx_json_open(w, "heatmap", '{');
    cx_json_add_string(w, "method", e->method);
    cx_look_add_class(w, e->class_index);
    cx_json_add_string(w, "layer", e->layer);
    cx_json_add_bool(w, "is_signed", b.is_signed);
    cx_json_add_int(w, "height", b.height);
    cx_json_add_int(w, "width", b.width);
    cx_json_add_number(w, "low", b.is_signed ? -b.limit : 0);
    cx_json_add_number(w, "high", b.limit);
    cx_json_add_int(w, "offset", (int64_t)bytes->len);
    cx_json_close(w, '}');
    cx_str_add_n(bytes, (const char *)b.gray.data, b.gray.size);
out:
    cx_bytes_deinit(&b.gray);
    cvs_explanation_free(e);
    return rc;
}

static int write_frame(cx_json_writer *w, cx_str *bytes, const question *q, cvs_run *run,
                       cvs_error *err)
{
    int rc;
    TRY(set_frame(run, q, err));
    const double begin = cx_seconds();
    TRY(cvs_run_forward(run, err));
    const double milliseconds = 1e3 * (cx_seconds() - begin);
    cx_json_open(w, NULL, '{');
    TRY(cx_scores_add(w, q->model, run, q->top, err));
    cx_json_add_number(w, "milliseconds", milliseconds);
    cx_json_open(w, "maps", '[');
    for (int i = 0; i < q->n_nodes; i++) TRY(add_map(w, bytes, q, run, q->nodes[i], err));
    cx_json_close(w, ']');
    if (q->heat.method) TRY(add_heat(w, bytes, q, run, err));
    cx_json_close(w, '}');
    TRY(cx_str_ok(bytes, err));
out:
    return rc;
}

/* The length of the words, the words, the bytes. */
static int join(cx_reply *out, const char *json, const cx_str *bytes, cvs_error *err)
{
    const size_t length = strlen(json), size = 4 + length + bytes->len;
    char *data = cx_alloc(size);
    if (!data) return cx_no_memory(err, size);
    for (int i = 0; i < 4; i++) data[i] = (char)(length >> 8 * i & 0xff);
    memcpy(data + 4, json, length);
    if (bytes->len > 0) memcpy(data + 4 + length, bytes->data, bytes->len);
    *out = (cx_reply){
        .type = "application/octet-stream", .data = data, .size = size, .is_fleeting = 1};
    return 0;
}

int cx_answer_live(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    static const cx_keep_kind kind = {make_live, free_live};
    question q = {.ask = ask};
    cx_keep *keep = cx_viewer_results(ask->viewer);
    cx_json_writer w = {0};
    cx_str key = {0}, bytes = {0};
    void *thing = NULL;
    char *json = NULL;
    int rc;
    TRY(read_question(&q, out, err));
    cx_str_addf(&key, "live %s %s", q.model->id, q.taps.data);
    TRY(cx_str_ok(&key, err));
    TRY(cx_keep_take(&thing, keep, key.data, &kind, &q, err));
    live *l = thing;
    pthread_mutex_lock(&l->lock);
    rc = write_frame(&w, &bytes, &q, l->run, err);
    pthread_mutex_unlock(&l->lock);
    if (rc < 0) goto out;
    TRY(cx_json_finish(&json, &w, err));
    TRY(join(out, json, &bytes, err));
out:
    cx_free(json);
    cx_str_deinit(&w.text);
    cx_str_deinit(&bytes);
    cx_str_deinit(&key);
    cx_str_deinit(&q.taps);
    cx_keep_let_go(keep, thing);
    return rc;
}
