/* operation.c - operations between tensors that Keras lists like layers: those of Keras 3 ("Add" of
 * keras.src.ops) and of Keras 2 (TFOpLambda "math.add"). What a layer can do becomes that layer,
 * the rest a kind of operations.def. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "layers/layer.h"

#define OPERATION(symbol) extern const cx_layer_kind cx_operation_##symbol;
#include "layers/operations.def"
#undef OPERATION

#define OPERATION(symbol) &cx_operation_##symbol,
static const cx_layer_kind *const own_kinds[] = {
#include "layers/operations.def"
};
#undef OPERATION

/* --- what an operation is --- */

/* How a call becomes a configuration. */
typedef enum how {
    TWO_SIDES, /* arithmetic, the kind `name` */
    FUNCTION,  /* the activation `name` */
    GELU,      /* the same, of which there are two */
    LAYER,     /* the kind `name`, whose `key` an argument or a field of that name says */
    REDUCTION, /* over all spatial axes: the layer `name` "1D" to "3D" */
    LIST,      /* as LAYER, of a list of tensors */
    SLICE,     /* what the brackets of x[…] hold is the argument `key` */
    CAST,      /* to another type of numbers */
} how;

typedef struct row {
    const char *names; /* of Keras 3's class, then of Keras 2's functions */
    how how;
    int what; /* of GELU: whether it is approximate where that is not said */
    const char *name, *key;
    double otherwise; /* the value of `key` */
} row;

static const row rows[] = {
    {"Add|math.add|__operators__.add|nn.bias_add", TWO_SIDES, 0, "Add", NULL, 0},
    {"Subtract|math.subtract", TWO_SIDES, 0, "Subtract", NULL, 0},
    {"Multiply|math.multiply", TWO_SIDES, 0, "Multiply", NULL, 0},
    {"Divide|TrueDivide|math.truediv|math.divide", TWO_SIDES, 0, "Divide", NULL, 0},
    {"Maximum|math.maximum", TWO_SIDES, 0, "Maximum", NULL, 0},
    {"Minimum|math.minimum", TWO_SIDES, 0, "Minimum", NULL, 0},
    {"Power|math.pow", TWO_SIDES, 0, "Power", NULL, 0},
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
    {"Concatenate|concat", LIST, 0, "Concatenate", "axis", -1},
    {"Stack|stack", LIST, 0, "Stack", "axis", 0},
    {"Glu", LAYER, 0, "Glu", "axis", -1},
    {"GetItem", SLICE, 0, "GetItem", "key", 0},
    {"__operators__.getitem", SLICE, 0, "GetItem", "slice_spec", 0},
    {"Cast|cast", CAST, 0, "Identity", "dtype", 0},
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

/* Operations go before the layers that are called the same. */
static const cx_layer_kind *kind_named(const char *name)
{
    for (size_t i = 0; i < sizeof own_kinds / sizeof *own_kinds; i++)
        if (cx_streq(own_kinds[i]->class_name, name)) return own_kinds[i];
    return cx_layer_kind_find(name);
}

/* The first two arguments are the sides, whatever they are called. */
static int read_sides(cx_operation *out, const reader *r)
{
    char name[40];
    int constants = 0;
    if (r->n_args < 2) return unsupported(r, "of one argument");
    for (int i = 0; i < 2; i++) {
        const cx_argument *a = &r->args[i];
        if (a->n > 1) return unsupported(r, "of lists");
        if (a->n == 1) continue;
        if (r->args[1 - i].n != 1) return unsupported(r, "of constants");
        cx_json_put(out->config, i == 0 ? "left" : "right", cx_json_share(a->value));
        constants++;
    }
    snprintf(name, sizeof name, "%s%s", r->row->name, constants ? "Constant" : "");
    out->kind = kind_named(name);
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

static int read_function(cx_operation *out, const char *name)
{
    out->kind = cx_layer_kind_find("Activation");
    cx_json_put(out->config, "activation", cx_json_of_string(name));
    return 0;
}

static int read_slice(cx_operation *out, const reader *r)
{
    const cx_json *items = value_of(r, r->row->key, 1);
    if (!items) return unsupported(r, "by a tensor");
    cx_json_put(out->config, "items", cx_json_share(items));
    return 0;
}

/* All numbers are float32 here; what Keras rounds or cuts on the way to another type would not be.
 */
static int check_cast(const reader *r)
{
    const char *to = cx_json_string(value_of(r, "dtype", 1), "");
    return cx_streq(to, "float32") || cx_streq(to, "float64") ? 0 : unsupported(r, "to this type");
}

static int read_call(cx_operation *out, const reader *r)
{
    const row *w = r->row;
    const char *format = cx_json_string(value_of(r, "data_format", CX_MAX_ARGUMENTS), "");
    if (strncmp(format, "NC", 2) == 0) return unsupported(r, "with channels first");
    if (w->name) out->kind = kind_named(w->name);
    switch (w->how) {
    case TWO_SIDES:
        return read_sides(out, r);
    case REDUCTION:
        return read_reduction(out, r);
    case GELU:
        return read_function(out, cx_json_bool(value_of(r, "approximate", 1), w->what) ? "gelu_new"
                                                                                       : "gelu");
    case FUNCTION:
        return read_function(out, w->name);
    case SLICE:
        return read_slice(out, r);
    case CAST:
        return check_cast(r);
    case LAYER:
    case LIST:
        break;
    }
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
    else if (args[0].n > 1 && r.row->how != LIST)
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
