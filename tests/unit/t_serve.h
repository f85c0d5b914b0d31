/* t_serve.h - answers asked without a server: the program's own network, or another one, and
 * pictures of a folder. */
#ifndef T_SERVE_H
#define T_SERVE_H

#include "test.h"

#include <sys/stat.h>

#include "base/random.h"
#include "serve/answers.h"
#include "tensor/npy.h"

static cvs_error err;

typedef struct stage {
    cvs_model *m;
    cvs_classes *classes;
    cx_view_model model;
    cx_viewer *viewer;
    cx_view_entry picture; /* the first of the folder */
} stage;

static inline const char *data_path(char out[1024], const char *name)
{
    const char *data = getenv("CONVSCOPE_TEST_DATA");
    snprintf(out, 1024, "%s/%s", data ? data : "tests/data", name);
    return out;
}

/* A viewer of a model that is handed over. */
static inline void open_stage(stage *s, cvs_model *m)
{
    char folder[1024];
    *s = (stage){.m = m};
    s->model = (cx_view_model){.file = "model.h5", .m = m};
    const cx_viewer_options o = {
        .models = &s->model, .n_models = 1, .images = data_path(folder, "images")};
    OK(cx_viewer_new(&s->viewer, &o, &err));
    for (int64_t i = 0; cx_viewer_entry(&s->picture, s->viewer, i); i++)
        if (strcmp(s->picture.name, "baseline.jpg") == 0) return;
    fail_msg("the folder has no baseline.jpg");
}

static inline void open_model(stage *s, const char *name)
{
    char path[1024];
    cvs_model *m;
    OK(cvs_model_load(&m, data_path(path, name), NULL, &err));
    open_stage(s, m);
}

static inline void close_stage(stage *s)
{
    cx_viewer_free(s->viewer);
    cvs_model_free(s->m);
}

/* Look at numbers instead, of which no two are the same: a small picture made large has ties, where
 * a pooling has no derivative. */
static inline void look_at_numbers(stage *s, int64_t h, int64_t w, int64_t c)
{
    const cx_shape shape = {3, {h, w, c}};
    cx_tensor t;
    cx_bytes npy;
    OK(cx_tensor_init(&t, &shape, &err));
    for (int64_t i = 0; i < h * w * c; i++) t.data[i] = (float)cx_random_uniform(7, (uint64_t)i);
    OK(cx_npy_pack(&npy, t.data, &shape, &err));
    OK(cx_viewer_add(s->picture.id, s->viewer, "numbers.npy", npy.data, npy.size, &err));
    cx_bytes_deinit(&npy);
    cx_tensor_deinit(&t);
}

enum { PAIRS = 16 };

/* "a=1&b=2" as pairs, in room. */
static inline void split_query(const char *pairs[PAIRS], char room[1024], const char *text)
{
    int n = 0;
    snprintf(room, 1024, "%s", text);
    for (char *at = room; at && *at && n + 2 < PAIRS;) {
        char *equals = strchr(at, '='), *end = strchr(at, '&');
        assert_non_null(equals);
        *equals = 0;
        if (end) *end++ = 0;
        pairs[n++] = at;
        pairs[n++] = equals + 1;
        at = end;
    }
    pairs[n] = NULL;
}

typedef int sending(const cx_ask *ask, const char *event, const char *data);

/* Ask about a layer (NULL: about the model). The reply is to be deinited. */
static inline int ask_with(cx_answer *answer, cx_reply *out, const stage *s, const char *layer,
                           const char *query, sending *send, void *arg)
{
    const char *pairs[PAIRS];
    char room[1024];
    split_query(pairs, room, query);
    const cx_ask ask = {.viewer = s->viewer,
                        .part = {"m0", layer},
                        .query = pairs,
                        .send = send,
                        .connection = arg};
    *out = (cx_reply){0};
    err = (cvs_error){0};
    return answer(out, &ask, &err);
}

/* The same about the stage's picture, whose id goes before the query. */
static inline int ask(cx_answer *answer, cx_reply *out, const stage *s, const char *layer,
                      const char *query)
{
    char text[1024];
    snprintf(text, sizeof text, "image=%s%s%s", s->picture.id, *query ? "&" : "", query);
    return ask_with(answer, out, s, layer, text, NULL, NULL);
}

/* What makes no sense: the HTTP status, and what is said. */
static inline void expect(cx_answer *answer, const stage *s, const char *layer, const char *query,
                          int status, int code, const char *text)
{
    cx_reply reply;
    FAILS(ask(answer, &reply, s, layer, query), code, text);
    assert_int_equal(reply.status, status);
    assert_null(reply.data);
}

static inline cx_json *ask_json(cx_answer *answer, const stage *s, const char *layer,
                                const char *query)
{
    cx_reply reply;
    cx_json *root;
    OK(ask(answer, &reply, s, layer, query));
    assert_null(reply.type);
    OK(cx_json_parse(&root, reply.data, reply.size, &err));
    cx_reply_deinit(&reply);
    return root;
}

static inline cx_tensor ask_npy(cx_answer *answer, const stage *s, const char *layer,
                                const char *query)
{
    cx_reply reply;
    cx_tensor t;
    OK(ask(answer, &reply, s, layer, query));
    assert_string_equal(reply.type, "application/octet-stream");
    OK(cx_npy_parse(&t, (const uint8_t *)reply.data, reply.size, &err));
    cx_reply_deinit(&reply);
    return t;
}

static inline cx_image ask_png(cx_answer *answer, const stage *s, const char *layer,
                               const char *query, int channels)
{
    cx_reply reply;
    cx_image image;
    OK(ask(answer, &reply, s, layer, query));
    assert_string_equal(reply.type, "image/png");
    OK(cx_image_parse(&image, (const uint8_t *)reply.data, reply.size, channels, 0, &err));
    cx_reply_deinit(&reply);
    return image;
}

static inline double number(const cx_json *v, const char *key)
{
    return cx_json_number(cx_json_get(v, key), -12345);
}

static inline double item(const cx_json *v, const char *key, int64_t i)
{
    return cx_json_number(cx_json_at(cx_json_get(v, key), (size_t)i), -12345);
}

/* A run of the library's own in which the stage's picture has been computed. */
static inline cvs_run *compute(const stage *s, const char *taps)
{
    const cx_view_picture *picture;
    cvs_run *run;
    OK(cvs_run_new(&run, s->m, &(cvs_run_options){.taps = taps}, &err));
    OK(cx_viewer_take(&picture, s->viewer, s->picture.id, &err));
    OK(cvs_run_set(run, 0, 0, picture->input, NULL, &err));
    cx_viewer_let_go(s->viewer, picture);
    OK(cvs_run_forward(run, &err));
    return run;
}

static inline const float *activation(const cvs_run *run, const char *layer, int64_t dims[6])
{
    const float *x;
    int ndim;
    OK(cvs_run_activation(&x, dims, &ndim, run, cvs_model_find(run->model, layer, &err), &err));
    return x;
}

#define NEAR(got, want, most)                                                               \
    do {                                                                                    \
        const double near_got = (got), near_want = (want);                                  \
        if (!(fabs(near_got - near_want) <= (most)))                                        \
            fail_msg("%s is %.9g, not %.9g: line %d", #got, near_got, near_want, __LINE__); \
    } while (0)

#endif
