/* operation.c - operations between tensors that Keras lists like layers: those of Keras 3 ("Add" of
 * keras.src.ops) and of Keras 2 (TFOpLambda "math.add"). What a layer can do becomes that layer;
 * arithmetic, of two tensors or a tensor and a constant, is here. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "layers/layer.h"

/* --- arithmetic --- */

typedef enum arithmetic_op {
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,
    MAXIMUM,
    MINIMUM,
    POWER
} arithmetic_op;

/* The constant, where there is one, goes over the last axis. */
typedef struct arithmetic_config {
    arithmetic_op op;
    float *constant;
    int64_t n_constant; /* 1 or the size of the axis; 0 when both sides are tensors */
    int is_left;        /* the constant is the left side */
} arithmetic_config;

/* Values of a list; lists of one around it, as of shape (1, 1, 3), are broadcast away. */
static const cx_json *innermost(const cx_json *v)
{
    while (cx_json_is_array(v) && cx_json_size(v) == 1) v = cx_json_at(v, 0);
    return v;
}

static int configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                     cx_arena *arena, cvs_error *err)
{
    arithmetic_config *k = l->cfg;
    const cx_json *left = cx_json_get(config, "left"), *right = cx_json_get(config, "right");
    const cx_json *v = innermost(left ? left : right);
    int rc = 0;
    (void)context;
    k->op = (arithmetic_op)cx_json_int(cx_json_get(config, "op"), ADD);
    k->is_left = left != NULL;
    if (!v) return 0;
    k->n_constant = cx_json_is_array(v) ? (int64_t)cx_json_size(v) : 1;
    if (k->n_constant < 1 || k->n_constant > CX_MAX_CHANNELS)
        return cx_fail(err, CVS_E_FORMAT, "a constant of %lld numbers", (long long)k->n_constant);
    k->constant = cx_arena_array(arena, (size_t)k->n_constant, sizeof *k->constant);
    if (!k->constant) return cx_no_memory(err, (size_t)k->n_constant * sizeof *k->constant);
    for (int64_t i = 0; i < k->n_constant; i++) {
        double number;
        const cx_json *item = cx_json_is_array(v) ? cx_json_at(v, (size_t)i) : v;
        TRY(cx_config_number(&number, item, "constant", -INFINITY, INFINITY, err));
        k->constant[i] = (float)number;
    }
out:
    return rc;
}

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const arithmetic_config *k = l->cfg;
    int rc;
    if (n_in != (k->n_constant ? 1 : 2))
        return cx_fail(err, CVS_E_FORMAT, "it is called on %d tensors", n_in);
    for (int i = 0; i < n_in; i++) TRY(cx_expect_size(&in[i], err));
    *out = in[0];
    if (k->n_constant > 1 && in[0].d[in[0].ndim - 1] != k->n_constant)
        return cx_fail(err, CVS_E_UNSUPPORTED,
                       "its constant of %lld numbers is not for the last axis",
                       (long long)k->n_constant);
    if (n_in == 2 && in[1].ndim != in[0].ndim)
        return cx_fail(err, CVS_E_UNSUPPORTED, "operations on %d and %d axes are not supported",
                       in[0].ndim, in[1].ndim);
    for (int i = 0; n_in == 2 && i < out->ndim; i++) {
        if (in[1].d[i] == out->d[i] || in[1].d[i] == 1) continue;
        if (out->d[i] != 1 && out->d[i] != CX_FREE && in[1].d[i] != CX_FREE)
            return cx_fail(err, CVS_E_FORMAT, "its inputs do not go together on axis %d", i);
        if (out->d[i] == 1 || out->d[i] == CX_FREE) out->d[i] = in[1].d[i];
    }
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    (void)l;
    return n_in == 2 && !cx_shape_equal(&in[1], out) ? (size_t)cx_shape_count(out) * sizeof(float)
                                                     : 0;
}

static float apply(arithmetic_op op, float a, float b)
{
    switch (op) {
    case ADD:
        return a + b;
    case SUBTRACT:
        return a - b;
    case MULTIPLY:
        return a * b;
    case DIVIDE:
        return a / b;
    case MAXIMUM:
        return a > b || isnan(a) ? a : b;
    case MINIMUM:
        return a < b || isnan(a) ? a : b;
    case POWER:
        break;
    }
    return powf(a, b);
}

static void forward_constant(const arithmetic_config *k, const cx_call *c)
{
    const float *x = c->x[0]->data;
    const int64_t count = cx_shape_count(&c->y->shape), n = k->n_constant;
    for (int64_t i = 0, at = 0; i < count; i++) {
        float constant = k->constant[at];
        c->y->data[i] = k->is_left ? apply(k->op, constant, x[i]) : apply(k->op, x[i], constant);
        if (++at == n) at = 0;
    }
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const arithmetic_config *k = l->cfg;
    const cx_shape *out = &c->y->shape;
    const float *side[2];
    float *room[2] = {c->y->data, c->workspace};
    if (k->n_constant) {
        forward_constant(k, c);
        return;
    }
    for (int i = 0; i < 2; i++) {
        side[i] = c->x[i]->data;
        if (cx_shape_equal(&c->x[i]->shape, out)) continue;
        cx_broadcast(c->x[i]->data, &c->x[i]->shape, out, room[i]);
        side[i] = room[i];
    }
    for (int64_t i = 0, n = cx_shape_count(out); i < n; i++)
        c->y->data[i] = apply(k->op, side[0][i], side[1][i]);
}

/* Not in the table: these are namesakes of layers and are found by cx_operation_read alone. */
#define ARITHMETIC(name)                                                                   \
    {                                                                                      \
        .class_name = name, .cfg_size = sizeof(arithmetic_config), .configure = configure, \
        .infer = infer, .workspace = workspace, .forward = forward,                        \
    }
static const cx_layer_kind arithmetic[] = {
    [ADD] = ARITHMETIC("Add"),           [SUBTRACT] = ARITHMETIC("Subtract"),
    [MULTIPLY] = ARITHMETIC("Multiply"), [DIVIDE] = ARITHMETIC("Divide"),
    [MAXIMUM] = ARITHMETIC("Maximum"),   [MINIMUM] = ARITHMETIC("Minimum"),
    [POWER] = ARITHMETIC("Power"),
};

/* --- what an operation is --- */

/* How a call becomes a configuration. */
typedef enum how {
    TWO_SIDES,     /* arithmetic, of the op `what` */
    FUNCTION,      /* the activation `name` */
    GELU,          /* the same, of which there are two */
    LAYER,         /* the layer `name`, whose `key` an argument or a field of that name says */
    REDUCTION,     /* over all spatial axes: the layer `name` "1D" to "3D" */
    CONCATENATION, /* of a list */
} how;

typedef struct row {
    const char *names; /* of Keras 3's class, then of Keras 2's functions */
    how how;
    int what; /* of GELU: whether it is approximate where that is not said */
    const char *name, *key;
    double otherwise; /* the value of `key` */
} row;

static const row rows[] = {
    {"Add|math.add|__operators__.add|nn.bias_add", TWO_SIDES, ADD, NULL, NULL, 0},
    {"Subtract|math.subtract", TWO_SIDES, SUBTRACT, NULL, NULL, 0},
    {"Multiply|math.multiply", TWO_SIDES, MULTIPLY, NULL, NULL, 0},
    {"Divide|TrueDivide|math.truediv|math.divide", TWO_SIDES, DIVIDE, NULL, NULL, 0},
    {"Maximum|math.maximum", TWO_SIDES, MAXIMUM, NULL, NULL, 0},
    {"Minimum|math.minimum", TWO_SIDES, MINIMUM, NULL, NULL, 0},
    {"Power|math.pow", TWO_SIDES, POWER, NULL, NULL, 0},
    {"Relu|nn.relu", FUNCTION, 0, "relu", NULL, 0},
    {"Relu6|nn.relu6", FUNCTION, 0, "relu6", NULL, 0},
    {"Sigmoid|nn.sigmoid|math.sigmoid", FUNCTION, 0, "sigmoid", NULL, 0},
    {"Tanh|nn.tanh|math.tanh", FUNCTION, 0, "tanh", NULL, 0},
    {"Softplus|nn.softplus|math.softplus", FUNCTION, 0, "softplus", NULL, 0},
    {"Softsign|nn.softsign|math.softsign", FUNCTION, 0, "softsign", NULL, 0},
    {"Silu|nn.silu|nn.swish", FUNCTION, 0, "silu", NULL, 0},
    {"Selu|nn.selu", FUNCTION, 0, "selu", NULL, 0},
    {"Exp|math.exp", FUNCTION, 0, "exponential", NULL, 0},
    {"LogSigmoid|math.log_sigmoid", FUNCTION, 0, "log_sigmoid", NULL, 0},
    {"HardSigmoid", FUNCTION, 0, "hard_sigmoid", NULL, 0},
    {"HardSilu", FUNCTION, 0, "hard_silu", NULL, 0},
    {"Identity|identity|stop_gradient|StopGradient", FUNCTION, 0, "linear", NULL, 0},
    {"Gelu", GELU, 1, NULL, NULL, 0},
    {"nn.gelu", GELU, 0, NULL, NULL, 0},
    {"Softmax|nn.softmax", LAYER, 0, "Softmax", "axis", -1},
    {"Elu|nn.elu", LAYER, 0, "ELU", "alpha", 1},
    {"LeakyRelu", LAYER, 0, "LeakyReLU", "negative_slope", 0.2},
    {"nn.leaky_relu", LAYER, 0, "LeakyReLU", "alpha", 0.2},
    {"Mean|math.reduce_mean", REDUCTION, 0, "GlobalAveragePooling", NULL, 0},
    {"Max|math.reduce_max", REDUCTION, 0, "GlobalMaxPooling", NULL, 0},
    {"Concatenate|concat", CONCATENATION, 0, "Concatenate", "axis", -1},
};

typedef struct reader {
    const char *operation; /* for messages */
    const row *row;
    const cx_json *config;
    const cx_argument *args;
    int n_args;
    cvs_error *err;
} reader;

static int unsupported(const reader *r, const char *what)
{
    return cx_fail(r->err, CVS_E_UNSUPPORTED, "the operation %.80s %s is not supported",
                   r->operation, what);
}

static int has_name(const char *names, const char *name)
{
    for (const char *from = names; *name && *from; from += *from == '|') {
        size_t n = strcspn(from, "|");
        if (strlen(name) == n && memcmp(from, name, n) == 0) return 1;
        from += n;
    }
    return 0;
}

/* The value of an argument: by its name in the call or the configuration, or by its place in the
 * call. */
static const cx_json *value_of(const reader *r, const char *key, int place)
{
    int positional = 0;
    for (int i = 0; i < r->n_args; i++) {
        const cx_argument *a = &r->args[i];
        if (a->name ? cx_streq(a->name, key) : positional++ == place) {
            if (a->value) return cx_config_unwrap((cx_json *)(uintptr_t)a->value);
        }
    }
    return cx_json_get(r->config, key);
}

static cx_json *copy_numbers(const cx_json *v)
{
    v = innermost(cx_config_unwrap((cx_json *)(uintptr_t)v));
    if (!cx_json_is_array(v)) return cx_json_of_number(cx_json_number(v, NAN));
    cx_json *list = cx_json_array();
    for (size_t i = 0; i < cx_json_size(v); i++)
        cx_json_push(list, cx_json_of_number(cx_json_number(cx_json_at(v, i), NAN)));
    return list;
}

/* The first two arguments are the sides, whatever they are called. */
static int read_sides(cx_operation *out, const reader *r)
{
    out->kind = &arithmetic[r->row->what];
    cx_json_put(out->config, "op", cx_json_of_int(r->row->what));
    if (r->n_args < 2) return unsupported(r, "of one argument");
    for (int i = 0; i < 2; i++) {
        const cx_argument *a = &r->args[i];
        if (a->n > 1) return unsupported(r, "of lists");
        if (a->n == 1) continue;
        if (r->args[1 - i].n != 1) return unsupported(r, "of constants");
        cx_json_put(out->config, i == 0 ? "left" : "right", copy_numbers(a->value));
    }
    return 0;
}

/* Axes 1 to rank in any order; the rank, 0 where it is something else. */
static int spatial_rank(const cx_json *axes)
{
    unsigned seen = 0;
    int rank = cx_json_is_array(axes) ? (int)cx_json_size(axes) : 1;
    for (int i = 0; i < rank && rank <= CX_SPACE; i++) {
        int64_t axis = cx_json_int(cx_json_is_array(axes) ? cx_json_at(axes, (size_t)i) : axes, 0);
        if (axis < 1 || axis > rank) return 0;
        seen |= 1u << axis;
    }
    return rank <= CX_SPACE && seen == (2u << rank) - 2 ? rank : 0;
}

static int read_reduction(cx_operation *out, const reader *r)
{
    char name[40];
    int rank = spatial_rank(value_of(r, "axis", 1));
    if (rank == 0) return unsupported(r, "over axes that are not all the spatial ones");
    snprintf(name, sizeof name, "%s%dD", r->row->name, rank);
    out->kind = cx_layer_kind_find(name);
    cx_json_put(out->config, "keepdims",
                cx_json_of_bool(cx_json_bool(value_of(r, "keepdims", 2), 0)));
    return 0;
}

static int read_call(cx_operation *out, const reader *r)
{
    const row *w = r->row;
    const char *name = w->name;
    const char *format = cx_json_string(value_of(r, "data_format", CX_MAX_ARGUMENTS), "");
    if (strncmp(format, "NC", 2) == 0) return unsupported(r, "with channels first");
    switch (w->how) {
    case TWO_SIDES:
        return read_sides(out, r);
    case REDUCTION:
        return read_reduction(out, r);
    case GELU:
        name = cx_json_bool(value_of(r, "approximate", 1), w->what) ? "gelu_new" : "gelu";
        out->kind = cx_layer_kind_find("Activation");
        cx_json_put(out->config, "activation", cx_json_of_string(name));
        return 0;
    case FUNCTION:
        out->kind = cx_layer_kind_find("Activation");
        cx_json_put(out->config, "activation", cx_json_of_string(name));
        return 0;
    case LAYER:
    case CONCATENATION:
        break;
    }
    out->kind = cx_layer_kind_find(name);
    cx_json_put(out->config, w->key,
                cx_json_of_number(cx_json_number(value_of(r, w->key, 1), w->otherwise)));
    return 0;
}

/* --- for who builds a model --- */

int cx_is_operation(const char *module, const char *class_name)
{
    return cx_streq(class_name, "TFOpLambda") || cx_streq(class_name, "SlicingOpLambda") ||
           strncmp(module, "keras.src.ops.", 14) == 0 || strncmp(module, "keras.ops.", 10) == 0;
}

int cx_operation_read(cx_operation *out, const char *class_name, const cx_json *config,
                      const cx_argument *args, int n_args, cvs_error *err)
{
    const char *function = cx_json_string(cx_json_get(config, "function"), NULL);
    reader r = {function ? function : class_name, NULL, config, args, n_args, err};
    int rc = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (has_name(rows[i].names, r.operation)) r.row = &rows[i];
    *out = (cx_operation){NULL, cx_json_object()};
    if (!out->config)
        rc = cx_no_memory(err, sizeof *out);
    else if (!r.row)
        rc = unsupported(&r, "between tensors");
    else if (n_args < 1 || args[0].n + (r.row->how == TWO_SIDES) < 1)
        rc = unsupported(&r, "without a tensor");
    else if (args[0].n > 1 && r.row->how != CONCATENATION)
        rc = unsupported(&r, "on a list");
    else
        rc = read_call(out, &r);
    if (rc < 0) {
        cx_hint(err, "use a layer in its place, and save again");
        cx_json_free(out->config);
        *out = (cx_operation){0};
    }
    return rc;
}
