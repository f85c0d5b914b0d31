/* t_serve_work.c - what the viewer answers after longer work: heatmaps, patterns, examples, frames
 * of a camera; and what it answers when memory runs out. */
#include "t_serve.h"

#include <math.h>
#include <time.h>

#include "draw/byte_sheet.h"

static const char shipped[] = "../../models/cats_and_dogs_small_2.h5";
static const char small[] = "../golden/cases/two_outputs_keras38_h5/model.h5";

/* --- heatmaps --- */

static void check_heatmap(const stage *s, const char *query, const cvs_explain_options *how)
{
    cvs_run *run = compute(s, NULL);
    cvs_explanation *e;
    OK(cvs_explain(&e, run, 0, how, &err));
    cx_json *a = ask_json(cx_answer_heatmap, s, NULL, query);
    cx_tensor npy = ask_npy(cx_answer_heatmap_npy, s, NULL, query);
    cx_image png = ask_png(cx_answer_heatmap_png, s, NULL, query, 1);
    assert_int_equal(npy.shape.ndim, e->is_pixels ? 3 : 2);
    assert_memory_equal(npy.data, e->data,
                        (size_t)(e->height * e->width * e->channels) * sizeof(float));
    assert_string_equal(cx_json_string(cx_json_get(a, "method"), ""), how->method);
    assert_string_equal(cx_json_string(cx_json_get(a, "layer"), "?"), e->layer);
    assert_string_equal(cx_json_string(cx_json_get(a, "target"), "?"), e->target);
    assert_true(number(a, "class") == (double)e->class_index);
    NEAR(number(a, "score"), e->score, 1e-8 * (1 + fabs(e->score)));
    assert_true(number(a, "height") == png.height && number(a, "width") == png.width);
    const double low = number(a, "low"), high = number(a, "high");
    assert_true(high > low);
    for (int64_t i = 0; !e->is_pixels && i < e->height * e->width; i++)
        NEAR(low + png.data[i] * (high - low) / 254, (double)e->data[i], (high - low) / 507);
    cx_image_deinit(&png);
    cx_tensor_deinit(&npy);
    cx_json_free(a);
    cvs_explanation_free(e);
    cvs_run_free(run);
}

static void heatmaps_are_the_librarys(void **state)
{
    stage s;
    (void)state;
    open_model(&s, shipped);
    check_heatmap(&s, "method=layercam&class=1",
                  &(cvs_explain_options){.method = "layercam", .has_class = 1, .class_index = 1});
    check_heatmap(&s, "method=gradcam&class=0&layer=conv2d_4&target=probability",
                  &(cvs_explain_options){.method = "gradcam",
                                         .has_class = 1,
                                         .layers = "conv2d_4",
                                         .target = CVS_TARGET_PROBABILITY});
    check_heatmap(&s, "method=integrated-gradients&steps=3",
                  &(cvs_explain_options){.method = "integrated-gradients", .steps = 3});
    close_stage(&s);
}

static int is_gone(const cx_ask *ask)
{
    (void)ask;
    return 1;
}

static void nobody_waits_for_nothing(void **state)
{
    stage s;
    cx_reply reply = {0};
    const char *pairs[] = {"image", NULL, "method", "occlusion", NULL};
    (void)state;
    open_model(&s, shipped);
    pairs[1] = s.picture.id;
    const cx_ask gone = {.viewer = s.viewer, .part = {"m0"}, .query = pairs, .is_stopped = is_gone};
    FAILS(cx_answer_heatmap(&reply, &gone, &err), CVS_E_ARG, "nobody waits");
    assert_null(reply.data);
    close_stage(&s);
}

static void heatmaps_that_make_no_sense(void **state)
{
    stage s;
    (void)state;
    open_model(&s, shipped);
    expect(cx_answer_heatmap, &s, NULL, "method=guesswork", 0, CVS_E_ARG, "guesswork");
    expect(cx_answer_heatmap, &s, NULL, "class=2", 0, CVS_E_ARG, "2");
    expect(cx_answer_heatmap, &s, NULL, "target=moon", 0, CVS_E_ARG, "target");
    expect(cx_answer_heatmap, &s, NULL, "steps=0", 0, CVS_E_ARG, "steps");
    expect(cx_answer_heatmap, &s, NULL, "output=1", 0, CVS_E_ARG, "output");
    expect(cx_answer_heatmap_png, &s, NULL, "layer=conv2d_99", 404, CVS_E_ARG, "conv2d_99");
    close_stage(&s);
}

/* --- patterns --- */

/* What a stream sent. */
typedef struct events {
    int n;
    double done;
    char *last;
} events;

static int keep_event(const cx_ask *ask, const char *event, const char *data)
{
    events *e = ask->connection;
    cx_json *a;
    assert_string_equal(event, "pattern");
    assert_null(strchr(data, '\n'));
    OK(cx_json_parse(&a, data, strlen(data), &err));
    const double done = number(a, "done");
    assert_true(done >= e->done);
    assert_int_equal(cx_json_is_null(cx_json_get(a, "response")), done < 1);
    assert_ptr_equal(
        strstr(cx_json_string(cx_json_get(a, "picture"), ""), "data:image/png;base64,"),
        cx_json_string(cx_json_get(a, "picture"), ""));
    cx_json_free(a);
    cx_free(e->last);
    e->last = cx_strdup(data);
    e->done = done;
    e->n++;
    return 0;
}

static int hang_up(const cx_ask *ask, const char *event, const char *data)
{
    (void)event;
    (void)data;
    ++*(int *)ask->connection;
    return 1;
}

static void a_pattern_grows_to_the_one_that_is_found(void **state)
{
    stage s;
    cx_reply reply;
    events e = {0}, again = {0};
    const int64_t channel = 3;
    const char query[] = "channel=3&steps=40&seed=5";
    cvs_patterns *p;
    (void)state;
    open_model(&s, shipped);
    OK(ask_with(cx_answer_pattern, &reply, &s, "conv2d_4", query, keep_event, &e));
    assert_true(e.n >= 2 && e.done == 1); /* one after the first step at least, and the last */
    OK(cvs_patterns_find(&p, s.m, "conv2d_4", &channel, 1,
                         &(cvs_pattern_options){.steps = 40, .seed = 5}, &err));
    cx_tensor npy = ask_npy(cx_answer_pattern_npy, &s, "conv2d_4", query);
    assert_true(npy.shape.d[0] == p->height && npy.shape.d[1] == p->width);
    assert_memory_equal(npy.data, p->data,
                        (size_t)(p->height * p->width * p->channels) * sizeof(float));
    cx_image png = ask_png(cx_answer_pattern_png, &s, "conv2d_4", query, 3);
    assert_true(png.height == p->shown_height && png.width == p->shown_width);
    for (int64_t i = 0; i < p->shown_height * p->shown_width * 3; i++)
        NEAR(png.data[i], 255 * (double)p->shown[i], 0.5001);
    cx_json *a;
    OK(cx_json_parse(&a, e.last, strlen(e.last), &err));
    NEAR(number(a, "response"), p->response[0], 1e-8 * fabs(p->response[0]));
    NEAR(number(a, "noise"), p->noise[0], 1e-8 * fabs(p->noise[0]));
    /* What is there already is told at once, in the same words. */
    OK(ask_with(cx_answer_pattern, &reply, &s, "conv2d_4", query, keep_event, &again));
    assert_int_equal(again.n, 1);
    assert_string_equal(again.last, e.last);
    cx_json_free(a);
    cx_free(e.last);
    cx_free(again.last);
    cx_image_deinit(&png);
    cx_tensor_deinit(&npy);
    cvs_patterns_free(p);
    close_stage(&s);
}

static void a_pattern_that_nobody_reads_stops(void **state)
{
    stage s;
    cx_reply reply;
    int sent = 0;
    (void)state;
    open_model(&s, shipped);
    FAILS(ask_with(cx_answer_pattern, &reply, &s, "conv2d_4", "channel=3&steps=10000", hang_up,
                   &sent),
          CVS_E_ARG, "nobody waits");
    assert_int_equal(sent, 1);
    expect(cx_answer_pattern_png, &s, "conv2d_4", "channel=64", 0, CVS_E_ARG, "channel");
    expect(cx_answer_pattern_png, &s, "conv2d_4", "channel=1&method=book9", 0, CVS_E_ARG, "book9");
    expect(cx_answer_pattern_png, &s, "conv2d_4", "channel=1&size=0", 0, CVS_E_ARG, "size");
    close_stage(&s);
}

/* --- examples --- */

/* Asks until all pictures have been looked at. */
static cx_json *all_examples(const stage *s, const char *layer, const char *query)
{
    for (int i = 0; i < 2000; i++) {
        cx_json *a = ask_json(cx_answer_examples, s, layer, query);
        if (number(a, "done") >= 1) return a;
        cx_json_free(a);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    fail_msg("the walk does not end");
    return NULL;
}

static void examples_are_those_of_all_pictures(void **state)
{
    stage s;
    cvs_run *run;
    cvs_examples *e;
    cx_view_entry entry;
    cvs_example x;
    int n = 0, skipped = 0;
    (void)state;
    open_model(&s, shipped);
    cx_json *a = all_examples(&s, "conv2d_5", "channel=60&top=4");
    OK(cvs_run_new(&run, s.m, &(cvs_run_options){.taps = "conv2d_5"}, &err));
    OK(cvs_examples_new(&e, run, 4, &err));
    for (int64_t i = 0; i < cx_viewer_folder_count(s.viewer); i++) {
        const cx_view_picture *picture;
        assert_int_equal(cx_viewer_entry(&entry, s.viewer, i), 1);
        if (cx_viewer_take(&picture, s.viewer, entry.id, &err) < 0) {
            skipped++;
            continue;
        }
        OK(cvs_run_set(run, 0, 0, picture->input, NULL, &err));
        OK(cvs_run_forward(run, &err));
        OK(cvs_examples_add(e, entry.id, &err));
        cx_viewer_let_go(s.viewer, picture);
    }
    assert_true(number(a, "pictures") == (double)cx_viewer_folder_count(s.viewer));
    assert_true(number(a, "failed") == skipped);
    const cx_json *list = cx_json_get(a, "examples");
    const int layer = cvs_model_find(s.m, "conv2d_5", &err);
    for (; cvs_examples_at(&x, e, layer, 60, n) == 0; n++) {
        const cx_json *got = cx_json_at(list, (size_t)n);
        assert_string_equal(cx_json_string(cx_json_get(got, "image"), ""), x.file);
        NEAR(number(got, "value"), x.value, 1e-8 * x.value);
        assert_true(number(got, "row") == (double)x.row);
        for (int i = 0; i < 4; i++) assert_true(item(got, "box", i) == (double)x.box[i]);
    }
    assert_true(n > 0 && cx_json_size(list) == (size_t)n);
    cx_json_free(a);
    /* A vector has examples, too, of a walk of its own. */
    a = all_examples(&s, "dense_10", "channel=2");
    assert_true(cx_json_size(cx_json_get(a, "examples")) > 0 || number(a, "dead_in") > 0);
    cx_json_free(a);
    cvs_examples_free(e);
    cvs_run_free(run);
    close_stage(&s);
}

static void a_walk_ends_with_the_viewer(void **state)
{
    stage s;
    cx_reply reply;
    (void)state;
    open_model(&s, shipped);
    OK(ask(cx_answer_examples, &reply, &s, "conv2d_5", "channel=60"));
    cx_reply_deinit(&reply);
    expect(cx_answer_examples, &s, "conv2d_5", "channel=128", 0, CVS_E_ARG, "channel");
    close_stage(&s);
}

/* --- frames --- */

enum { WIDE = 200, HIGH = 160 };

static void fill_frame(uint8_t frame[WIDE * HIGH * 3])
{
    for (int i = 0; i < WIDE * HIGH * 3; i++)
        frame[i] = (uint8_t)(i / 3 % WIDE + i / 3 / WIDE + 80 * (i % 3));
}

static int send_frame(cx_reply *out, const stage *s, const char *query, const uint8_t *frame,
                      size_t size)
{
    const char *pairs[PAIRS];
    char room[1024];
    split_query(pairs, room, query);
    const cx_ask ask = {
        .viewer = s->viewer, .part = {"m0"}, .query = pairs, .body = frame, .body_size = size};
    *out = (cx_reply){0};
    err = (cvs_error){0};
    return cx_answer_live(out, &ask, &err);
}

/* The words of a frame's answer, and where its bytes begin. */
static cx_json *read_frame(const cx_reply *reply, const uint8_t **bytes)
{
    const uint8_t *d = (const uint8_t *)reply->data;
    const size_t n = (size_t)d[0] | (size_t)d[1] << 8 | (size_t)d[2] << 16 | (size_t)d[3] << 24;
    cx_json *a;
    assert_true(4 + n <= reply->size);
    OK(cx_json_parse(&a, reply->data + 4, n, &err));
    *bytes = d + 4 + n;
    return a;
}

static void a_frame_is_a_picture(void **state)
{
    stage s;
    cx_reply reply;
    cvs_run *run;
    static uint8_t frame[WIDE * HIGH * 3];
    const uint8_t *bytes;
    int64_t dims[6];
    (void)state;
    open_model(&s, shipped);
    fill_frame(frame);
    OK(send_frame(&reply, &s,
                  "width=200&height=160&layers=conv2d_4,max_pooling2d_5&channels=40&"
                  "heatmap=gradcam&class=1",
                  frame, sizeof frame));
    assert_int_equal(reply.is_fleeting, 1);
    cx_json *a = read_frame(&reply, &bytes);
    cvs_input input = {.picture = {.width = WIDE, .height = HIGH, .channels = 3, .data = frame}};
    OK(cvs_run_new(&run, s.m, &(cvs_run_options){.taps = "all"}, &err));
    OK(cvs_run_set(run, 0, 0, &input, NULL, &err));
    OK(cvs_run_forward(run, &err));
    const float *y = activation(run, "dense_11", dims);
    const cx_json *best = cx_json_at(cx_json_get(a, "scores"), 0);
    const double p = (double)y[0], score = number(best, "score");
    NEAR(score, p > 0.5 ? p : 1 - p, 1e-7);
    const float *x = activation(run, "conv2d_4", dims);
    const cx_json *map = cx_json_at(cx_json_get(a, "maps"), 0);
    const int64_t columns = (int64_t)number(map, "columns"), w = dims[2], h = dims[1];
    assert_true(number(map, "channels") == 40 && number(map, "width") == (double)w);
    for (int64_t c = 0; c < 40; c++)
        for (int64_t i = 0; i < h * w; i++) {
            const int64_t at = (c / columns * h + i / w) * columns * w + c % columns * w + i % w;
            assert_int_equal(
                bytes[(int64_t)number(map, "offset") + at],
                cx_byte_of((double)x[i * dims[3] + c], item(map, "low", c), item(map, "high", c)));
        }
    const cx_json *heat = cx_json_get(a, "heatmap");
    assert_true(number(heat, "class") == 1);
    assert_int_equal(
        4 + (bytes - 4 - (const uint8_t *)reply.data) +
            (int64_t)(number(heat, "offset") + number(heat, "height") * number(heat, "width")),
        reply.size);
    cvs_run_free(run);
    cx_json_free(a);
    cx_reply_deinit(&reply);
    close_stage(&s);
}

/* Cropped, what is left and right of the middle does not count. */
static void a_frame_can_be_cropped(void **state)
{
    stage s;
    cx_reply reply;
    static uint8_t frame[WIDE * HIGH * 3];
    const uint8_t *bytes;
    double score[3];
    (void)state;
    open_model(&s, shipped);
    fill_frame(frame);
    for (int i = 0; i < 3; i++) {
        for (int k = 0; i == 1 && k < WIDE * HIGH; k++)
            if (k % WIDE < 20 || k % WIDE >= 180) memset(frame + 3 * k, 255, 3);
        OK(send_frame(&reply, &s, i < 2 ? "width=200&height=160&crop=1" : "width=200&height=160",
                      frame, sizeof frame));
        cx_json *a = read_frame(&reply, &bytes);
        score[i] = number(cx_json_at(cx_json_get(a, "scores"), 0), "score");
        cx_json_free(a);
        cx_reply_deinit(&reply);
    }
    assert_true(score[0] == score[1] && score[1] != score[2]);
    close_stage(&s);
}

static void frames_that_are_none(void **state)
{
    stage s;
    cx_reply reply;
    static uint8_t frame[WIDE * HIGH * 3];
    (void)state;
    open_model(&s, shipped);
    FAILS(send_frame(&reply, &s, "width=200&height=161", frame, sizeof frame), CVS_E_ARG, "bytes");
    FAILS(send_frame(&reply, &s, "width=0&height=0", frame, 0), CVS_E_ARG, "bytes");
    FAILS(send_frame(&reply, &s, "width=200", frame, sizeof frame), CVS_E_ARG, "height");
    FAILS(send_frame(&reply, &s, "width=200&height=160&layers=nobody", frame, sizeof frame),
          CVS_E_ARG, "nobody");
    assert_int_equal(reply.status, 404);
    FAILS(send_frame(&reply, &s, "width=200&height=160&heatmap=rise", frame, sizeof frame),
          CVS_E_UNSUPPORTED, "rise");
    close_stage(&s);
}

/* --- memory --- */

typedef struct route {
    cx_answer *answer;
    const char *layer, *query;
} route;

/* Each answer with one allocation more that works, until it is complete: nothing is handed out
 * before. */
static void answers_fail_without_memory(void **state)
{
    static const route routes[] = {
        {cx_answer_layer, "conv2d", ""},
        {cx_answer_sheet, "conv2d", ""},
        {cx_answer_activation, "conv2d", "channel=1"},
        {cx_answer_channel, "conv2d", "channel=1"},
        {cx_answer_pixel, "conv2d", "channel=1&row=1&column=1"},
        {cx_answer_weights, "conv2d", "channel=1"},
        {cx_answer_gradient, "conv2d", "channel=1"},
        {cx_answer_heatmap_png, NULL, ""},
        {cx_answer_heatmap, NULL, "method=gradient"},
        {cx_answer_pattern_png, "conv2d", "channel=0&steps=1"},
    };
    stage s;
    (void)state;
    open_model(&s, small);
    for (size_t r = 0; r < sizeof routes / sizeof *routes; r++)
        for (long n = 1;; n += 1 + n / 8) {
            cx_reply reply;
            cx_alloc_fail_from(n);
            const int rc = ask(routes[r].answer, &reply, &s, routes[r].layer, routes[r].query);
            cx_alloc_fail_from(0);
            if (rc == 0) {
                cx_reply_deinit(&reply);
                break;
            }
            if (rc != CVS_E_NOMEM || reply.data)
                fail_msg("route %zu, allocation %ld: %d %s: %s", r, n, rc, err.where, err.what);
        }
    close_stage(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heatmaps_are_the_librarys),
        cmocka_unit_test(nobody_waits_for_nothing),
        cmocka_unit_test(heatmaps_that_make_no_sense),
        cmocka_unit_test(a_pattern_grows_to_the_one_that_is_found),
        cmocka_unit_test(a_pattern_that_nobody_reads_stops),
        cmocka_unit_test(examples_are_those_of_all_pictures),
        cmocka_unit_test(a_walk_ends_with_the_viewer),
        cmocka_unit_test(a_frame_is_a_picture),
        cmocka_unit_test(a_frame_can_be_cropped),
        cmocka_unit_test(frames_that_are_none),
        cmocka_unit_test(answers_fail_without_memory),
    };
    return RUN(tests);
}
