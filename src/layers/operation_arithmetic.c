/* operation_arithmetic.c - x + y and its like, of two tensors or of a tensor and a constant, by
 * numpy's broadcasting: shapes are laid together at their last axes. */
#include <math.h>

#include "layers/layer.h"

typedef enum arithmetic_op {
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,
    MAXIMUM,
    MINIMUM,
    POWER
} arithmetic_op;

typedef struct arithmetic_config {
    float *constant;
    cx_shape shape; /* of the constant; a number has no axes */
    int is_left;    /* the constant is the left side */
} arithmetic_config;

/* --- the constant --- */

static int read_shape(cx_shape *out, const cx_json *v, cvs_error *err)
{
    int64_t n = 1;
    *out = (cx_shape){0};
    for (; cx_json_is_array(v); v = cx_json_at(v, 0)) {
        if (out->ndim == CX_MAX_DIMS)
            return cx_fail(err, CVS_E_FORMAT, "a constant of more than %d axes", CX_MAX_DIMS);
        out->d[out->ndim] = (int64_t)cx_json_size(v);
        if (cx_mul_count(&n, n, out->d[out->ndim++]) || n < 1 || n > CX_MAX_CHANNELS)
            return cx_fail(err, CVS_E_FORMAT, "a constant of %lld numbers", (long long)n);
    }
    return 0;
}

/* The numbers of nested lists; `*at` moves behind them. */
static int read_numbers(float **at, const cx_json *v, const cx_shape *shape, int axis,
                        cvs_error *err)
{
    double number;
    int rc = 0;
    if (axis == shape->ndim) {
        TRY(cx_config_number(&number, v, "constant", -INFINITY, INFINITY, err));
        *(*at)++ = (float)number;
        return 0;
    }
    if (!cx_json_is_array(v) || (int64_t)cx_json_size(v) != shape->d[axis])
        return cx_fail(err, CVS_E_FORMAT, "the lists of its constant differ in length");
    for (size_t i = 0; i < cx_json_size(v); i++)
        TRY(read_numbers(at, cx_json_at(v, i), shape, axis + 1, err));
out:
    return rc;
}

static int configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                     cx_arena *arena, cvs_error *err)
{
    arithmetic_config *k = l->cfg;
    const cx_json *v = cx_config_get(config, "left|right", NULL);
    int rc;
    (void)context;
    k->is_left = cx_json_get(config, "left") != NULL;
    TRY(read_shape(&k->shape, v, err));
    const size_t n = (size_t)cx_shape_count(&k->shape);
    float *at = k->constant = cx_arena_array(arena, n, sizeof *k->constant);
    if (!at) return cx_no_memory(err, n * sizeof *k->constant);
    TRY(read_numbers(&at, v, &k->shape, 0, err));
out:
    return rc;
}

/* --- shapes --- */

static cx_shape with_axes(const cx_shape *s, int ndim)
{
    cx_shape more = {.ndim = ndim};
    for (int i = 0; i < ndim; i++) more.d[i] = i < ndim - s->ndim ? 1 : s->d[i - (ndim - s->ndim)];
    return more;
}

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const arithmetic_config *k = l->cfg;
    char a[CX_SHAPE_TEXT], b[CX_SHAPE_TEXT];
    int rc;
    if (n_in != (k->constant ? 1 : 2))
        return cx_fail(err, CVS_E_FORMAT, "it is called on %d tensors", n_in);
    for (int i = 0; i < n_in; i++) TRY(cx_expect_size(&in[i], err));
    const cx_shape *other = k->constant ? &k->shape : &in[1];
    if (k->constant && (other->ndim > in->ndim || (other->ndim == in->ndim && other->d[0] > 1)))
        return cx_fail(err, CVS_E_UNSUPPORTED, "a constant of shape %s, which has the batch's axis",
                       cx_shape_text(a, other));
    const int ndim = other->ndim > in->ndim ? other->ndim : in->ndim;
    const cx_shape right = with_axes(other, ndim);
    *out = with_axes(in, ndim);
    if (!cx_shape_join(out, &right))
        return cx_fail(err, CVS_E_FORMAT, "its sides %s and %s do not go together",
                       cx_shape_text(a, in), cx_shape_text(b, other));
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

/* --- the call --- */

/* Whether the numbers of a tensor are wanted in their order, again and again. */
static int is_repeated(const cx_shape *s, const cx_shape *out)
{
    int i = 1;
    while (i <= s->ndim && s->d[s->ndim - i] == out->d[out->ndim - i]) i++;
    while (i <= s->ndim && s->d[s->ndim - i] == 1) i++;
    return i > s->ndim;
}

static const cx_shape *side_shape(const arithmetic_config *k, const cx_shape *in, int side)
{
    return k->constant ? side == !k->is_left ? &k->shape : in : &in[side];
}

/* The left side is spread out in the output itself, the right one here. */
static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    const cx_shape *right = side_shape(l->cfg, in, 1);
    (void)n_in;
    return is_repeated(right, out) ? 0 : (size_t)cx_shape_count(out) * sizeof(float);
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

/* One side's numbers, of which `n` come again and again. */
typedef struct side {
    const float *data;
    int64_t n;
} side;

static side side_of(const arithmetic_config *k, const cx_call *c, int which, float *room)
{
    const int constant = k->constant && which == !k->is_left;
    const cx_tensor *x = c->x[k->constant ? 0 : which];
    const cx_shape *out = &c->y->shape, *s = constant ? &k->shape : &x->shape;
    side got = {constant ? k->constant : x->data, cx_shape_count(s)};
    if (is_repeated(s, out)) return got;
    const cx_shape from = with_axes(s, out->ndim);
    cx_broadcast(got.data, &from, out, room);
    return (side){room, cx_shape_count(out)};
}

/* Numbers that lie one after the other, or one that all others meet. */
static void compute_row(arithmetic_op op, side a, side b, float *y, int64_t n)
{
    const float left = a.data[0], right = b.data[0];
    if (a.n > 1 && b.n > 1)
        for (int64_t i = 0; i < n; i++) y[i] = apply(op, a.data[i], b.data[i]);
    else if (a.n > 1)
        for (int64_t i = 0; i < n; i++) y[i] = apply(op, a.data[i], right);
    else
        for (int64_t i = 0; i < n; i++) y[i] = apply(op, left, b.data[i]);
}

static int64_t shorter(int64_t n, const side *s)
{
    return s->n > 1 && s->n < n ? s->n : n;
}

/* What is repeated is the last axes of the output, so the shorter side goes into the longer. */
static void compute(arithmetic_op op, const cx_layer *l, const cx_call *c)
{
    const int64_t count = cx_shape_count(&c->y->shape);
    const side a = side_of(l->cfg, c, 0, c->y->data), b = side_of(l->cfg, c, 1, c->workspace);
    const int64_t n = shorter(shorter(count, &a), &b);
    for (int64_t at = 0; at < count; at += n)
        compute_row(op, (side){a.data + at % a.n, a.n}, (side){b.data + at % b.n, b.n},
                    c->y->data + at, n);
}

/* --- the way back --- */

/* Both sides spread out, and the derivative by one of them before it is summed. */
static size_t backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                 const cx_shape *out)
{
    (void)l;
    (void)in;
    (void)n_in;
    return 3 * (size_t)cx_shape_count(out) * sizeof(float);
}

/* The derivative of y = a op b by its left or its right side; of two that are equal, the left one
 * is the larger or smaller, as in TensorFlow. */
static float slope(arithmetic_op op, int right, float a, float b)
{
    switch (op) {
    case ADD:
        return 1;
    case SUBTRACT:
        return right ? -1 : 1;
    case MULTIPLY:
        return right ? a : b;
    case DIVIDE:
        return right ? -a / (b * b) : 1 / b;
    case MAXIMUM:
        return (a >= b) != right ? 1 : 0;
    case MINIMUM:
        return (a <= b) != right ? 1 : 0;
    case POWER:
        break;
    }
    if (right) return a > 0 ? powf(a, b) * logf(a) : 0;
    return b == 0 ? 0 : b * powf(a, b - 1);
}

static void compute_back(arithmetic_op op, const cx_layer *l, const cx_backward_call *c)
{
    const arithmetic_config *k = l->cfg;
    const cx_shape *out = &c->dy->shape;
    const int64_t n = cx_shape_count(out);
    float *left = c->workspace, *right = left + n, *d = right + n;
    cx_tensor y = *c->y;
    const cx_call call = {.n_x = c->n_x, .x = c->x, .y = &y};
    const side a = side_of(k, &call, 0, left), b = side_of(k, &call, 1, right);
    for (int which = 0; which < 2; which++) {
        const int is_constant = k->constant && which == !k->is_left;
        cx_tensor *dx = is_constant ? NULL : c->dx[k->constant ? 0 : which];
        if (!dx) continue;
        for (int64_t i = 0; i < n; i++)
            d[i] = c->dy->data[i] * slope(op, which, a.data[i % a.n], b.data[i % b.n]);
        const cx_shape from = with_axes(&dx->shape, out->ndim);
        cx_broadcast_backward(d, &from, out, dx->data);
    }
}

/* A kind for each, so that the loop over the numbers has no choice to make. With a constant it may
 * be a model's own preprocessing. */
#define KIND(name, symbol, reader, rescaling, affine, product)                                    \
    {                                                                                             \
        .class_name = name, .family = CX_MERGING, .is_rescaling = rescaling, .is_affine = affine, \
        .is_product = product, .cfg_size = sizeof(arithmetic_config), .configure = reader,        \
        .infer = infer, .workspace = workspace, .forward = forward_##symbol,                      \
        .backward = backward_##symbol, .backward_workspace = backward_workspace,                  \
    }
#define ARITHMETIC(symbol, name, op, rescaling, affine, affine_constant, product)             \
    static void forward_##symbol(const cx_layer *l, const cx_call *c)                         \
    {                                                                                         \
        compute(op, l, c);                                                                    \
    }                                                                                         \
    static void backward_##symbol(const cx_layer *l, const cx_backward_call *c)               \
    {                                                                                         \
        compute_back(op, l, c);                                                               \
    }                                                                                         \
    const cx_layer_kind cx_operation_##symbol = KIND(name, symbol, NULL, 0, affine, product); \
    const cx_layer_kind cx_operation_##symbol##_constant =                                    \
        KIND(name "Constant", symbol, configure, rescaling, affine_constant, 0)

ARITHMETIC(add, "Add", ADD, 1, 1, 1, 0);
ARITHMETIC(subtract, "Subtract", SUBTRACT, 1, 1, 1, 0);
ARITHMETIC(multiply, "Multiply", MULTIPLY, 1, 0, 1, 1);
ARITHMETIC(divide, "Divide", DIVIDE, 1, 0, 0, 0);
ARITHMETIC(maximum, "Maximum", MAXIMUM, 0, 0, 0, 0);
ARITHMETIC(minimum, "Minimum", MINIMUM, 0, 0, 0, 0);
ARITHMETIC(power, "Power", POWER, 0, 0, 0, 0);
