/* activation.c - layers that are an activation: Activation, ReLU, LeakyReLU, ELU, ThresholdedReLU,
 * Softmax. */
#include <math.h>
#include <stddef.h>

#include "layers/layer.h"

typedef struct activation_config {
    cx_activation activation;
    double slope, limit, threshold; /* as the file has them */
    cx_axes axes;                   /* of a Softmax */
} activation_config;

#define AT(member) offsetof(activation_config, member)

static void forward(const cx_layer *l, const cx_call *c)
{
    const activation_config *k = l->cfg;
    cx_activate(&k->activation, c->x[0], c->y->data);
}

static int as_activation(const cx_layer *l, cx_activation *out)
{
    const activation_config *k = l->cfg;
    *out = k->activation;
    return 1;
}

static void set(cx_layer *l, cx_activation_kind kind)
{
    activation_config *k = l->cfg;
    k->activation = (cx_activation){kind, (float)k->slope, (float)k->limit, (float)k->threshold};
}

static const cx_field activation_fields[] = {
    {"activation", CX_ACTIVATION, AT(activation), NAN, 0, 0, NULL},
    {0},
};

const cx_layer_kind cx_layer_activation = {
    .class_name = "Activation",
    .family = CX_ACTIVATING,
    .cfg_size = sizeof(activation_config),
    .fields = activation_fields,
    .infer = cx_infer_same,
    .forward = forward,
    .as_activation = as_activation,
};

/* --- the rectifiers --- */

#define MOST 1e30 /* of any parameter, so that it is a float */

static int configure_relu(cx_layer *l, const cx_json *config, const cx_config_context *context,
                          cx_arena *arena, cvs_error *err)
{
    (void)config;
    (void)context;
    (void)arena;
    (void)err;
    set(l, CX_ACT_RELU);
    return 0;
}

static int configure_leaky(cx_layer *l, const cx_json *config, const cx_config_context *context,
                           cx_arena *arena, cvs_error *err)
{
    activation_config *k = l->cfg;
    k->limit = INFINITY;
    return configure_relu(l, config, context, arena, err);
}

static int configure_elu(cx_layer *l, const cx_json *config, const cx_config_context *context,
                         cx_arena *arena, cvs_error *err)
{
    (void)config;
    (void)context;
    (void)arena;
    (void)err;
    set(l, CX_ACT_ELU);
    return 0;
}

static int configure_thresholded(cx_layer *l, const cx_json *config,
                                 const cx_config_context *context, cx_arena *arena, cvs_error *err)
{
    (void)config;
    (void)context;
    (void)arena;
    (void)err;
    set(l, CX_ACT_THRESHOLDED_RELU);
    return 0;
}

static const cx_field relu_fields[] = {
    {"max_value", CX_NUMBER, AT(limit), INFINITY, 0, INFINITY, NULL},
    {"negative_slope", CX_NUMBER, AT(slope), 0, 0, MOST, NULL},
    {"threshold", CX_NUMBER, AT(threshold), 0, 0, MOST, NULL},
    {0},
};
static const cx_field leaky_fields[] = {
    {"negative_slope|alpha", CX_NUMBER, AT(slope), 0.3, -MOST, MOST, NULL},
    {0},
};
static const cx_field elu_fields[] = {
    {"alpha", CX_NUMBER, AT(slope), 1, -MOST, MOST, NULL},
    {0},
};
static const cx_field thresholded_fields[] = {
    {"theta", CX_NUMBER, AT(threshold), 1, 0, MOST, NULL},
    {0},
};

#define RECTIFIER(symbol, name, table, function) \
    const cx_layer_kind cx_layer_##symbol = {    \
        .class_name = name,                      \
        .family = CX_ACTIVATING,                 \
        .cfg_size = sizeof(activation_config),   \
        .fields = table,                         \
        .configure = function,                   \
        .infer = cx_infer_same,                  \
        .forward = forward,                      \
        .as_activation = as_activation,          \
    }

RECTIFIER(relu, "ReLU", relu_fields, configure_relu);
RECTIFIER(leaky_relu, "LeakyReLU", leaky_fields, configure_leaky);
RECTIFIER(elu, "ELU", elu_fields, configure_elu);
RECTIFIER(thresholded_relu, "ThresholdedReLU", thresholded_fields, configure_thresholded);

/* --- Softmax, over any axes together --- */

static int softmax_configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                             cx_arena *arena, cvs_error *err)
{
    activation_config *k = l->cfg;
    (void)context;
    (void)arena;
    set(l, CX_ACT_SOFTMAX);
    return cx_axes_read(&k->axes, config, "axis", err);
}

static int softmax_infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out,
                         cvs_error *err)
{
    const activation_config *k = l->cfg;
    cx_rows r;
    int rc;
    TRY(cx_infer_same(l, in, n_in, out, err));
    TRY(cx_rows_of(&r, &k->axes, in, err));
out:
    return rc;
}

static void softmax_forward(const cx_layer *l, const cx_call *c)
{
    const activation_config *k = l->cfg;
    cx_rows r;
    (void)cx_rows_of(&r, &k->axes, &c->x[0]->shape, NULL); /* accepted by infer */
    if (r.in_place) {
        cx_softmax_forward(0, r.rows, r.n, 1, c->x[0]->data, c->y->data);
        return;
    }
    cx_copy_box(&r.gather, c->x[0]->data, c->workspace);
    cx_softmax_forward(0, r.rows, r.n, 1, c->workspace, c->workspace);
    cx_copy_box(&r.scatter, c->workspace, c->y->data);
}

static size_t softmax_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                const cx_shape *out)
{
    const activation_config *k = l->cfg;
    cx_rows r;
    (void)n_in;
    (void)out;
    (void)cx_rows_of(&r, &k->axes, in, NULL); /* accepted by infer */
    return r.in_place ? 0 : (size_t)cx_shape_count(in) * sizeof(float);
}

static size_t softmax_backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                         const cx_shape *out)
{
    (void)l;
    (void)n_in;
    (void)out;
    return 2 * (size_t)cx_shape_count(in) * sizeof(float);
}

static void softmax_backward(const cx_layer *l, const cx_backward_call *c)
{
    const activation_config *k = l->cfg;
    float *y = c->workspace, *dy = y + cx_shape_count(&c->y->shape);
    cx_rows r;
    (void)cx_rows_of(&r, &k->axes, &c->y->shape, NULL); /* accepted by infer */
    cx_copy_box(&r.gather, c->y->data, y);
    cx_copy_box(&r.gather, c->dy->data, dy);
    cx_softmax_backward(0, r.rows, r.n, 1, y, dy, dy);
    cx_copy_box(&r.scatter, dy, c->dx[0]->data);
}

static int softmax_as_activation(const cx_layer *l, cx_activation *out)
{
    const activation_config *k = l->cfg;
    *out = k->activation;
    return k->axes.n == 1 && k->axes.axis[0] == -1;
}

const cx_layer_kind cx_layer_softmax = {
    .class_name = "Softmax",
    .family = CX_ACTIVATING,
    .cfg_size = sizeof(activation_config),
    .configure = softmax_configure,
    .infer = softmax_infer,
    .workspace = softmax_workspace,
    .forward = softmax_forward,
    .backward = softmax_backward,
    .backward_workspace = softmax_backward_workspace,
    .as_activation = softmax_as_activation,
};
