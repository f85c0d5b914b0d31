/* merge.c - Add, Subtract, Multiply, Average, Maximum, Minimum of inputs that broadcast as numpy's
 * do; an input of fewer axes gets axes of size 1 after its batch. */
#include <math.h>
#include <string.h>

#include "layers/layer.h"

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    char a[CX_SHAPE_TEXT], b[CX_SHAPE_TEXT];
    int ndim = 0, rc;
    (void)l;
    if (n_in < 1) return cx_fail(err, CVS_E_FORMAT, "an input is wanted");
    for (int i = 0; i < n_in; i++) {
        TRY(cx_expect_size(&in[i], err));
        if (in[i].ndim > ndim) ndim = in[i].ndim;
    }
    *out = cx_shape_lifted(&in[0], ndim);
    for (int i = 1; i < n_in; i++) {
        cx_shape s = cx_shape_lifted(&in[i], ndim);
        if (!cx_shape_join(out, &s))
            return cx_fail(err, CVS_E_FORMAT, "inputs %s and %s do not go together",
                           cx_shape_text(a, &in[0]), cx_shape_text(b, &in[i]));
    }
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

static int infer_pair(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out,
                      cvs_error *err)
{
    if (n_in != 2) return cx_fail(err, CVS_E_FORMAT, "two inputs are wanted, not %d", n_in);
    return infer(l, in, n_in, out, err);
}

static int has_shape(const cx_shape *s, const cx_shape *out)
{
    cx_shape lifted = cx_shape_lifted(s, out->ndim);
    return cx_shape_equal(&lifted, out);
}

/* Inputs that are smaller than the output are spread out before they are used. */
static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    (void)l;
    for (int i = 1; i < n_in; i++)
        if (!has_shape(&in[i], out)) return (size_t)cx_shape_count(out) * sizeof(float);
    return 0;
}

static const float *spread(const cx_tensor *x, const cx_shape *out, float *room)
{
    if (has_shape(&x->shape, out)) return x->data;
    cx_broadcast(x->data, &x->shape, out, room);
    return room;
}

static void merge(const cx_call *c, cx_binary_op op)
{
    const cx_shape *out = &c->y->shape;
    int64_t n = cx_shape_count(out);
    const float *sum = spread(c->x[0], out, c->y->data);
    for (int i = 1; i < c->n_x; i++) {
        cx_binary_forward(op, n, sum, spread(c->x[i], out, c->workspace), c->y->data);
        sum = c->y->data;
    }
    if (sum != c->y->data) memcpy(c->y->data, sum, (size_t)n * sizeof(float));
}

static void forward_add(const cx_layer *l, const cx_call *c)
{
    (void)l;
    merge(c, CX_ADD);
}

static void forward_subtract(const cx_layer *l, const cx_call *c)
{
    (void)l;
    merge(c, CX_SUBTRACT);
}

static void forward_multiply(const cx_layer *l, const cx_call *c)
{
    (void)l;
    merge(c, CX_MULTIPLY);
}

static void forward_average(const cx_layer *l, const cx_call *c)
{
    const float share = 1.0f / (float)c->n_x, zero = 0;
    (void)l;
    merge(c, CX_ADD);
    cx_affine_forward(cx_shape_count(&c->y->shape), 1, c->y->data, &share, &zero, c->y->data);
}

static void forward_maximum(const cx_layer *l, const cx_call *c)
{
    (void)l;
    merge(c, CX_MAXIMUM);
}

static void forward_minimum(const cx_layer *l, const cx_call *c)
{
    (void)l;
    merge(c, CX_MINIMUM);
}

/* --- the way back --- */

/* To each input what comes to the output; where it was spread out, the sum. */
static void hand_on(const cx_backward_call *c, int i, const float *dy)
{
    if (c->dx[i]) cx_broadcast_backward(dy, &c->x[i]->shape, &c->dy->shape, c->dx[i]->data);
}

static size_t backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                 const cx_shape *out)
{
    (void)l;
    (void)in;
    (void)n_in;
    return 2 * (size_t)cx_shape_count(out) * sizeof(float);
}

static void backward_add(const cx_layer *l, const cx_backward_call *c)
{
    (void)l;
    for (int i = 0; i < c->n_x; i++) hand_on(c, i, c->dy->data);
}

static void backward_subtract(const cx_layer *l, const cx_backward_call *c)
{
    const float minus = -1;
    (void)l;
    hand_on(c, 0, c->dy->data);
    if (!c->dx[1]) return;
    cx_affine_forward(cx_shape_count(&c->dy->shape), 1, c->dy->data, &minus, NULL, c->workspace);
    hand_on(c, 1, c->workspace);
}

static void backward_average(const cx_layer *l, const cx_backward_call *c)
{
    const float share = 1.0f / (float)c->n_x;
    (void)l;
    cx_affine_forward(cx_shape_count(&c->dy->shape), 1, c->dy->data, &share, NULL, c->workspace);
    for (int i = 0; i < c->n_x; i++) hand_on(c, i, c->workspace);
}

/* dy times the product of all other inputs. */
static void backward_multiply(const cx_layer *l, const cx_backward_call *c)
{
    const cx_shape *out = &c->dy->shape;
    const int64_t n = cx_shape_count(out);
    float *product = c->workspace, *room = product + n;
    (void)l;
    for (int i = 0; i < c->n_x; i++) {
        const float *sum = c->dy->data;
        for (int k = 0; k < c->n_x && c->dx[i]; k++) {
            if (k == i) continue;
            cx_binary_forward(CX_MULTIPLY, n, sum, spread(c->x[k], out, room), product);
            sum = product;
        }
        hand_on(c, i, sum);
    }
}

/* All to the first input that is the extreme one. */
static void backward_extreme(const cx_layer *l, const cx_backward_call *c)
{
    const cx_shape *out = &c->dy->shape;
    const int64_t n = cx_shape_count(out);
    float *left = c->workspace, *room = left + n; /* what nobody has taken yet; NAN: taken */
    (void)l;
    memcpy(left, c->y->data, (size_t)n * sizeof *left);
    for (int i = 0; i < c->n_x; i++) {
        const float *x = spread(c->x[i], out, room);
        for (int64_t p = 0; p < n; p++) {
            const int wins = x[p] == left[p];
            room[p] = wins ? c->dy->data[p] : 0;
            if (wins) left[p] = NAN;
        }
        hand_on(c, i, room);
    }
}

enum {
    is_affine_add = 1,
    is_affine_subtract = 1,
    is_affine_average = 1,
    is_affine_multiply = 0,
    is_affine_extreme = 0,
    is_product_add = 0,
    is_product_subtract = 0,
    is_product_average = 0,
    is_product_multiply = 1,
    is_product_extreme = 0
};

#define MERGE(symbol, name, rule, back)           \
    const cx_layer_kind cx_layer_##symbol = {     \
        .class_name = name,                       \
        .family = CX_MERGING,                     \
        .infer = rule,                            \
        .workspace = workspace,                   \
        .is_affine = is_affine_##back,            \
        .is_product = is_product_##back,          \
        .forward = forward_##symbol,              \
        .backward = backward_##back,              \
        .backward_workspace = backward_workspace, \
    }

MERGE(add, "Add", infer, add);
MERGE(subtract, "Subtract", infer_pair, subtract);
MERGE(multiply, "Multiply", infer, multiply);
MERGE(average, "Average", infer, average);
MERGE(maximum, "Maximum", infer, extreme);
MERGE(minimum, "Minimum", infer, extreme);
