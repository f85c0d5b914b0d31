/* t_layers.h - a layer made from a configuration, and called on numbers. */
#ifndef T_LAYERS_H
#define T_LAYERS_H

#include "test.h"

#include "base/mem.h"
#include "layers/layer.h"

/* A shape of those sizes. */
#define S(...)                                              \
    {                                                       \
        sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), \
        {                                                   \
            __VA_ARGS__                                     \
        }                                                   \
    }

/* A layer of that class and JSON configuration, as Keras `major` wrote it. */
static inline int make_layer(cx_layer *out, cx_arena *arena, const char *class_name,
                             const char *json, int major, cvs_error *err)
{
    const cx_config_context context = {major};
    cx_json *config = NULL;
    int rc;
    TRY(cx_json_parse(&config, json, strlen(json), err));
    TRY(cx_layer_init(out, class_name, "layer", config, &context, arena, err));
out:
    cx_json_free(config);
    return rc;
}

/* Make a layer and infer its output; the status of the first that fails. */
static inline int infer_shape(cx_shape *out, const char *class_name, const char *json,
                              const cx_shape *in, int n_in, cvs_error *err)
{
    cx_arena *arena = cx_arena_new();
    cx_layer l;
    int rc;
    TRY(make_layer(&l, arena, class_name, json, 3, err));
    TRY(cx_layer_infer(&l, in, n_in, out, err));
out:
    cx_arena_free(arena);
    return rc;
}

enum { MOST_NUMBERS = 512, MOST_X = 3 };

/* A call with its answer. Weights are in Keras' order. */
typedef struct example {
    const char *class_name, *json;
    int major;
    cx_shape in[MOST_X]; /* those with ndim 0 do not count */
    const float *x[MOST_X];
    const float *w[CX_MAX_WEIGHTS];
    int n_w[CX_MAX_WEIGHTS]; /* numbers of each; 0: as many as the layer wants */
    cx_shape out;
    const float *y;
} example;

/* Run an example and compare; gives the output in `got`, which may be NULL. */
static inline void check(const example *e, float *got)
{
    cvs_error err = {0};
    cx_arena *arena = cx_arena_new();
    cx_layer l;
    cx_shape out;
    cx_weight_spec spec[CX_MAX_WEIGHTS];
    cx_tensor x[MOST_X], y;
    const cx_tensor *px[MOST_X];
    cx_block room;
    int n = 0;
    OK(make_layer(&l, arena, e->class_name, e->json, e->major ? e->major : 3, &err));
    for (; n < MOST_X && e->in[n].ndim; n++) {
        x[n] = cx_tensor_view((float *)(uintptr_t)e->x[n], &e->in[n]);
        px[n] = &x[n];
    }
    OK(cx_layer_infer(&l, e->in, n, &out, &err));
    if (!cx_shape_equal(&out, &e->out)) {
        char a[CX_SHAPE_TEXT], b[CX_SHAPE_TEXT];
        fail_msg("%s gives %s, not %s", e->class_name, cx_shape_text(a, &out),
                 cx_shape_text(b, &e->out));
    }
    OK(l.n_weights = cx_layer_weights(&l, e->in, n, spec, &err));
    for (int i = 0; i < l.n_weights; i++) {
        assert_non_null(e->w[i]);
        if (e->n_w[i]) assert_int_equal(e->n_w[i], cx_shape_count(&spec[i].shape));
        l.w[i] = (cx_weight){spec[i], e->w[i]};
    }
    if (l.kind->prepare) OK(l.kind->prepare(&l, arena, &err));
    OK(cx_block_init(&room, cx_layer_workspace(&l, e->in, n, &out), &err));
    OK(cx_tensor_init(&y, &out, &err));
    for (int64_t i = 0; i < cx_shape_count(&out); i++) y.data[i] = -12345;
    const cx_call c = {.n_x = n, .x = px, .y = &y, .workspace = room.data};
    cx_layer_forward(&l, &c);
    for (int64_t i = 0; i < cx_shape_count(&out); i++) {
        if (e->y && !(y.data[i] - e->y[i] < 2e-5f && e->y[i] - y.data[i] < 2e-5f))
            fail_msg("%s %s: y[%d] is %g, not %g", e->class_name, e->json, (int)i,
                     (double)y.data[i], (double)e->y[i]);
        if (got) got[i] = y.data[i];
    }
    cx_tensor_deinit(&y);
    cx_block_deinit(&room);
    cx_arena_free(arena);
}

#endif
