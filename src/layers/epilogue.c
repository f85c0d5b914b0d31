/* epilogue.c - the activations that Keras names, and how a layer ends with one. */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "layers/layer.h"

static const struct {
    const char *name;
    cx_activation_kind kind;
    float slope, limit, threshold;
} named[] = {
    {"linear", CX_ACT_LINEAR, 0, 0, 0},
    {"relu", CX_ACT_RELU, 0, INFINITY, 0},
    {"relu6", CX_ACT_RELU, 0, 6, 0},
    {"leaky_relu", CX_ACT_RELU, 0.2f, INFINITY, 0}, /* the layer's default is 0.3 */
    {"elu", CX_ACT_ELU, 1, 0, 0},
    {"selu", CX_ACT_SELU, 0, 0, 0},
    {"softplus", CX_ACT_SOFTPLUS, 0, 0, 0},
    {"softsign", CX_ACT_SOFTSIGN, 0, 0, 0},
    {"sigmoid", CX_ACT_SIGMOID, 0, 0, 0},
    {"hard_sigmoid", CX_ACT_HARD_SIGMOID, 0.2f, 0, 0},
    {"tanh", CX_ACT_TANH, 0, 0, 0},
    {"exponential", CX_ACT_EXPONENTIAL, 0, 0, 0},
    {"softmax", CX_ACT_SOFTMAX, 0, 0, 0},
    {"log_softmax", CX_ACT_LOG_SOFTMAX, 0, 0, 0},
    {"swish", CX_ACT_SILU, 0, 0, 0},
    {"silu", CX_ACT_SILU, 0, 0, 0},
    {"hard_swish", CX_ACT_HARD_SILU, 0, 0, 0},
    {"hard_silu", CX_ACT_HARD_SILU, 0, 0, 0},
    {"mish", CX_ACT_MISH, 0, 0, 0},
    {"gelu", CX_ACT_GELU, 0, 0, 0},
    {"gelu_new", CX_ACT_GELU_TANH, 0, 0, 0}, /* TensorFlow.js writes this */
    {"celu", CX_ACT_CELU, 1, 0, 0},
    {"squareplus", CX_ACT_SQUAREPLUS, 0, 0, 0},
    {"log_sigmoid", CX_ACT_LOG_SIGMOID, 0, 0, 0},
    {"soft_shrink", CX_ACT_SOFT_SHRINK, 0, 0, 0.5f},
    {"hard_shrink", CX_ACT_HARD_SHRINK, 0, 0, 0.5f},
    {"tanh_shrink", CX_ACT_TANH_SHRINK, 0, 0, 0},
    {"hard_tanh", CX_ACT_HARD_TANH, 0, 0, 0},
    {"sparse_plus", CX_ACT_SPARSE_PLUS, 0, 0, 0},
};
enum { N_NAMED = sizeof named / sizeof named[0] };

int cx_activation_by_name(cx_activation *out, const char *name, const cx_config_context *context,
                          cvs_error *err)
{
    const char *names[N_NAMED];
    for (int i = 0; i < N_NAMED; i++) {
        names[i] = named[i].name;
        if (!cx_streq(name, named[i].name)) continue;
        *out = (cx_activation){named[i].kind, named[i].slope, named[i].limit, named[i].threshold};
        /* Keras 3 changed the slope, and reads its forerunners' files with the new one. */
        if (out->kind == CX_ACT_HARD_SIGMOID && context->keras_major >= 3) out->slope = 1.0f / 6;
        return 0;
    }
    cx_fail(err, CVS_E_UNSUPPORTED, "activation: \"%.80s\" is not supported", name);
    cx_hint_nearest(err, name, names, N_NAMED);
    return CVS_E_UNSUPPORTED;
}

/* A layer as activation: {"class_name": "ReLU", "config": {…}}. */
static int read_layer(cx_activation *out, const char *class_name, const cx_json *config,
                      const cx_config_context *context, cvs_error *err)
{
    const cx_layer_kind *kind = cx_layer_kind_find(class_name);
    cx_layer l;
    int rc;
    if (!kind || !kind->as_activation)
        return cx_fail(err, CVS_E_UNSUPPORTED, "activation: %.80s is not supported", class_name);
    cx_arena *arena = cx_arena_new();
    if (!arena) return cx_no_memory(err, kind->cfg_size);
    TRY(cx_layer_init(&l, class_name, "", config, context, arena, err));
    if (!kind->as_activation(&l, out))
        rc = cx_fail(err, CVS_E_UNSUPPORTED, "activation: this %s is not supported", class_name);
out:
    cx_arena_free(arena);
    return rc;
}

int cx_activation_read(cx_activation *out, const cx_json *v, const cx_config_context *context,
                       cvs_error *err)
{
    const cx_json *config = cx_json_get(v, "config");
    const char *name = cx_json_string(v, NULL);
    const char *class_name = cx_json_string(cx_json_get(v, "class_name"), NULL);
    if (!name) name = cx_json_string(config, NULL); /* of an object for a function */
    if (name) return cx_activation_by_name(out, name, context, err);
    if (class_name) return read_layer(out, class_name, config, context, err);
    return cx_fail(err, CVS_E_FORMAT, "activation: a name is wanted, not %s", cx_json_kind(v));
}

int cx_layer_ends_with(cx_activation *out, const cx_layer *l)
{
    *out = (cx_activation){.kind = CX_ACT_LINEAR};
    if (l->kind->inner) return cx_layer_ends_with(out, l->kind->inner(l));
    if (l->kind->as_activation) return l->kind->as_activation(l, out);
    for (const cx_field *f = l->kind->fields; f && f->key; f++)
        if (f->type == CX_ACTIVATION) memcpy(out, (const char *)l->cfg + f->at, sizeof *out);
    return out->kind != CX_ACT_LINEAR;
}

const char *cx_activation_name(const cx_activation *a)
{
    for (int i = 0; i < N_NAMED; i++)
        if (named[i].kind == a->kind) return named[i].name;
    return "";
}

const cx_activation *cx_call_activation(const cx_call *c, const cx_activation *a)
{
    if (c->after && c->after->activation) return c->after->activation;
    return c->linear ? NULL : a;
}

cx_epilogue cx_call_epilogue(const cx_call *c, const float *bias, const cx_activation *a)
{
    cx_epilogue e = cx_epilogue_of(bias, a);
    if (c->after && c->after->norm) {
        e.scale = c->after->norm->scale;
        e.shift = c->after->norm->shift;
    }
    return e;
}

int cx_epilogue_takes(const cx_activation *own, const cx_after *after)
{
    const cx_activation *last = after->activation ? after->activation : own;
    float low, high;
    if (after->pointwise) return 0;
    if ((after->norm || after->activation) && own->kind != CX_ACT_LINEAR) return 0;
    return !after->pool || cx_activation_is_clamp(last, &low, &high);
}

cx_epilogue cx_epilogue_of(const float *bias, const cx_activation *a)
{
    cx_epilogue e = {.bias = bias, .low = -INFINITY, .high = INFINITY};
    float low, high;
    if (a && cx_activation_is_clamp(a, &low, &high)) {
        e.low = low;
        e.high = high;
    }
    return e;
}

void cx_activate(const cx_activation *a, const cx_tensor *x, float *y)
{
    int64_t n = cx_shape_count(&x->shape);
    if (a->kind != CX_ACT_SOFTMAX && a->kind != CX_ACT_LOG_SOFTMAX) {
        cx_activation_forward(a, n, x->data, y);
        return;
    }
    int64_t last = x->shape.d[x->shape.ndim - 1];
    cx_softmax_forward(a->kind == CX_ACT_LOG_SOFTMAX, n / last, last, 1, x->data, y);
}

float *cx_dw(const cx_backward_call *c, int weight)
{
    return c->dw ? c->dw[weight] : NULL;
}

void cx_bias_gradient(const cx_backward_call *c, int weight)
{
    const cx_shape *s = &c->dy->shape;
    float *db = cx_dw(c, weight);
    const int64_t channels = s->d[s->ndim - 1];
    if (db) cx_bias_backward(cx_shape_count(s) / channels, channels, c->dy->data, db);
}

void cx_activate_backward(const cx_activation *a, const float *x, const cx_tensor *y,
                          const float *dy, float *dx)
{
    int64_t n = cx_shape_count(&y->shape);
    if (a->kind != CX_ACT_SOFTMAX && a->kind != CX_ACT_LOG_SOFTMAX) {
        cx_activation_backward(a, n, x, y->data, dy, dx);
        return;
    }
    int64_t last = y->shape.d[y->shape.ndim - 1];
    cx_softmax_backward(a->kind == CX_ACT_LOG_SOFTMAX, n / last, last, 1, y->data, dy, dx);
}

void cx_finish_activation(const cx_activation *a, cx_tensor *y)
{
    float low, high;
    if (a && !cx_activation_is_clamp(a, &low, &high)) cx_activate(a, y, y->data);
}
