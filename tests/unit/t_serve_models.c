/* t_serve_models.c - every answer about every layer of small models of all kinds: it is complete,
 * or says what the model cannot be asked. */
#include "t_serve.h"

#include <math.h>

#include "listing.h"

/* What the answers gave: complete ones, and refusals. */
typedef struct tally {
    int complete, refused;
} tally;

static void ask_one(tally *t, cx_answer *answer, const stage *s, const char *layer,
                    const char *query)
{
    cx_reply reply;
    const int rc = ask(answer, &reply, s, layer, query);
    if (rc == 0) {
        assert_true(reply.size > 0 && reply.data);
        cx_reply_deinit(&reply);
        t->complete++;
        return;
    }
    if (rc != CVS_E_UNSUPPORTED && rc != CVS_E_ARG)
        fail_msg("%s, %s: %d %s: %s", s->m->name, layer, rc, err.where, err.what);
    assert_true(err.what[0] && !reply.data && reply.status == 0);
    t->refused++;
}

static void check_pixel(const stage *s, const char *layer, const char *query)
{
    cx_reply reply;
    cx_json *a;
    OK(ask(cx_answer_pixel, &reply, s, layer, query));
    OK(cx_json_parse(&a, reply.data, reply.size, &err));
    const cx_json *result = cx_json_get(a, "result");
    if (result && !cx_json_is_null(cx_json_get(a, "value"))) {
        const double value = number(a, "value");
        NEAR(cx_json_number(result, NAN), value, 1e-4 * (1 + fabs(value)));
    }
    cx_json_free(a);
    cx_reply_deinit(&reply);
}

static void ask_layer(tally *t, const stage *s, int node)
{
    const char *layer = s->m->nodes[node].name;
    char query[128];
    cx_json *a = ask_json(cx_answer_layer, s, layer, "");
    snprintf(query, sizeof query, "channel=%d&row=%d&column=%d", (int)number(a, "channels") - 1,
             (int)number(a, "height") - 1, (int)number(a, "width") / 2);
    cx_json_free(a);
    check_pixel(s, layer, query);
    ask_one(t, cx_answer_sheet, s, layer, "");
    ask_one(t, cx_answer_activation, s, layer, query);
    ask_one(t, cx_answer_channel, s, layer, "channel=0");
    ask_one(t, cx_answer_weights, s, layer, "channel=0");
    ask_one(t, cx_answer_gradient, s, layer, query);
    ask_one(t, cx_answer_gradient_png, s, layer, "channel=0");
    ask_one(t, cx_answer_pattern_png, s, layer, "channel=0&steps=1");
}

static void send_input(stage *s, const char *path)
{
    cx_bytes b;
    OK(cx_file_read(&b, path, 64 << 20, &err));
    OK(cx_viewer_add(s->picture.id, s->viewer, "input.npy", b.data, b.size, &err));
    cx_bytes_deinit(&b);
}

static int ask_case(tally *t, const char *folder, const char *name)
{
    static const char *const files[] = {"model.h5", "model.keras"};
    char path[1024];
    cvs_model *m = NULL;
    stage s;
    for (size_t i = 0; !m && i < 2; i++) {
        snprintf(path, sizeof path, "%.600s/%.300s/%s", folder, name, files[i]);
        (void)cvs_model_load(&m, path, NULL, &err);
    }
    if (!m) return 0; /* of weights alone */
    snprintf(path, sizeof path, "%.600s/%.300s/input.npy", folder, name);
    open_stage(&s, m);
    send_input(&s, path);
    for (int i = 0; i < m->n_nodes && m->n_inputs == 1; i++) ask_layer(t, &s, i);
    ask_one(t, cx_answer_heatmap, &s, NULL, "");
    ask_one(t, cx_answer_heatmap_npy, &s, NULL, "method=gradient");
    close_stage(&s);
    return 1;
}

static void every_layer_answers(void **state)
{
    char folder[1024];
    tally t = {0};
    int cases = 0;
    (void)state;
    listing in = list_folder(data_path(folder, "../golden/cases"));
    for (int i = 0; i < in.n; i++) cases += ask_case(&t, folder, in.at[i]->d_name);
    listing_free(&in);
    assert_true(cases > 20 && t.complete > 1000 && t.refused < t.complete / 2);
}

/* A model with a layer that is not known can be described, and says so where it is asked for more.
 */
static void what_cannot_be_computed_says_so(void **state)
{
    static cx_answer *const answers[] = {
        cx_answer_layer,    cx_answer_sheet,       cx_answer_pixel,  cx_answer_gradient,
        cx_answer_examples, cx_answer_pattern_png, cx_answer_heatmap};
    stage s;
    cx_reply reply;
    (void)state;
    open_model(&s, "formats/unknown.h5");
    const char *layer = s.m->nodes[s.m->n_nodes - 1].name;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        assert_int_equal(ask(answers[i], &reply, &s, layer, "channel=0&row=0&column=0"),
                         CVS_E_UNSUPPORTED);
        assert_true(err.what[0] && !reply.data);
    }
    close_stage(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_answers),
        cmocka_unit_test(what_cannot_be_computed_says_so),
    };
    return RUN(tests);
}
