/* prelu.c - PReLU: max(x, 0) + alpha * min(x, 0), alpha a weight of the input's shape without the
 * batch, of size 1 on shared axes. */
#include <math.h>

#include "layers/layer.h"

typedef struct prelu_config {
    int shared[CX_MAX_DIMS]; /* by axis of the input, 1 where alpha is the same along it */
} prelu_config;

static int configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                     cx_arena *arena, cvs_error *err)
{
    prelu_config *k = l->cfg;
    cx_json *list = cx_config_get(config, "shared_axes", NULL);
    size_t n = cx_json_is_array(list) ? cx_json_size(list) : list != NULL;
    int rc = 0;
    (void)context;
    (void)arena;
    for (size_t i = 0; i < n; i++) {
        cx_json *item = cx_json_is_array(list) ? cx_json_at(list, i) : list;
        int64_t axis;
        TRY(cx_config_int(&axis, cx_config_unwrap(item), "shared_axes", 1, CX_MAX_DIMS - 1, err));
        k->shared[axis] = 1;
    }
out:
    return rc;
}

/* Alpha's shape, with a batch of 1 before it. */
static cx_shape alpha_shape(const prelu_config *k, const cx_shape *in)
{
    cx_shape s = *in;
    s.d[0] = 1;
    for (int i = 1; i < s.ndim; i++)
        if (k->shared[i]) s.d[i] = 1;
    return s;
}

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const prelu_config *k = l->cfg;
    int rc;
    TRY(cx_expect_input(in, n_in, 0, err));
    for (int i = 1; i < in->ndim; i++)
        if (!k->shared[i]) TRY(cx_expect_known(in, i, err));
    *out = in[0];
out:
    return rc;
}

static int weights(const cx_layer *l, const cx_shape *in, int n_in,
                   cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    cx_shape s = alpha_shape(l->cfg, in);
    (void)n_in;
    (void)err;
    s.ndim--;
    for (int i = 0; i < s.ndim; i++) s.d[i] = s.d[i + 1];
    out[0] = (cx_weight_spec){.name = "alpha", .shape = s};
    return 1;
}

static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    (void)l;
    (void)n_in;
    (void)out;
    return (size_t)cx_shape_count(in) * sizeof(float);
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const cx_activation positive = {.kind = CX_ACT_RELU, .limit = INFINITY};
    const cx_activation negative = {.kind = CX_ACT_RELU, .slope = 1, .limit = 0};
    const cx_tensor *x = c->x[0];
    cx_shape alpha = alpha_shape(l->cfg, &x->shape);
    int64_t n = cx_shape_count(&x->shape);
    float *part = c->workspace;
    cx_broadcast(l->w[0].data, &alpha, &x->shape, c->y->data);
    cx_activation_forward(&negative, n, x->data, part);
    cx_binary_forward(CX_MULTIPLY, n, c->y->data, part, c->y->data);
    cx_activation_forward(&positive, n, x->data, part);
    cx_binary_forward(CX_ADD, n, c->y->data, part, c->y->data);
}

/* Room for alpha spread out, and for its derivative before and after it is summed. */
static size_t backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                 const cx_shape *out)
{
    (void)l;
    (void)n_in;
    (void)out;
    return 2 * (size_t)cx_shape_count(in) * sizeof(float);
}

/* At 0 neither side counts, as Keras' two rectifiers have it. */
static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const cx_shape *in = &c->x[0]->shape;
    const cx_shape shape = alpha_shape(l->cfg, in);
    const int64_t n = cx_shape_count(in);
    const float *x = c->x[0]->data, *dy = c->dy->data;
    float *alpha = c->workspace, *sums = alpha + n, *dw = cx_dw(c, 0);
    if (c->dx[0]) {
        cx_broadcast(l->w[0].data, &shape, in, alpha);
        for (int64_t i = 0; i < n; i++)
            c->dx[0]->data[i] = dy[i] * (x[i] > 0 ? 1 : x[i] < 0 ? alpha[i] : 0);
    }
    if (!dw) return;
    for (int64_t i = 0; i < n; i++) alpha[i] = x[i] < 0 ? x[i] * dy[i] : 0;
    cx_broadcast_backward(alpha, &shape, in, sums);
    cx_binary_forward(CX_ADD, cx_shape_count(&shape), dw, sums, dw);
}

const cx_layer_kind cx_layer_prelu = {
    .class_name = "PReLU",
    .family = CX_ACTIVATING,
    .cfg_size = sizeof(prelu_config),
    .configure = configure,
    .infer = infer,
    .weights = weights,
    .workspace = workspace,
    .forward = forward,
    .backward = backward,
    .backward_workspace = backward_workspace,
};
