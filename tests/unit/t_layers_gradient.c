/* t_layers_gradient.c - the derivative of every kind against central differences of its forward
 * computation.
 *
 * S is a sum of the outputs with random weights dy. Inputs and weights are multiples of a step much
 * larger than the difference, no two alike in one tensor, so that nobody sits on a kink of max or
 * relu. Allowed: 1e-3 of the largest derivative of a tensor, which is what a float's rounding
 * leaves of a difference. */
#include <math.h>

#include "t_layers_kinds.h"

static const double step = 1.0 / 256, tolerance = 1e-3;

/* More ways to be called than the least one. */
static const struct kind_example more[] = {
    {"Conv2D",
     "{\"filters\": 4, \"kernel_size\": [3, 2], \"strides\": [2, 3], \"padding\": \"same\", "
     "\"groups\": 2}",
     S(N, 7, 8, 6), S(0), "", 0},
    {"Conv2D",
     "{\"filters\": 3, \"kernel_size\": 3, \"dilation_rate\": 2, \"data_format\": "
     "\"channels_first\"}",
     S(N, 2, 8, 7), S(0), "", 0},
    {"Conv2D", "{\"filters\": 5, \"kernel_size\": 1, \"activation\": \"relu\"}", S(N, 4, 3, 6),
     S(0), "", 0},
    {"Conv2D", "{\"filters\": 6, \"kernel_size\": 3, \"groups\": 3, \"use_bias\": false}",
     S(N, 5, 5, 3), S(0), "", 0},
    {"Conv1D", "{\"filters\": 4, \"kernel_size\": 3, \"padding\": \"causal\", \"strides\": 2}",
     S(N, 9, 2), S(0), "", 0},
    {"Conv2DTranspose",
     "{\"filters\": 3, \"kernel_size\": 3, \"strides\": 2, \"output_padding\": 1}", S(N, 4, 3, 2),
     S(0), "", 0},
    {"DepthwiseConv2D", "{\"kernel_size\": 3, \"strides\": 2, \"padding\": \"same\"}",
     S(N, 7, 8, 5), S(0), "", 0},
    {"MaxPooling2D", "{\"pool_size\": 3, \"strides\": 2, \"padding\": \"same\"}", S(N, 7, 8, 3),
     S(0), "", 0},
    {"AveragePooling2D", "{\"pool_size\": 3, \"strides\": 2, \"padding\": \"same\"}", S(N, 7, 8, 3),
     S(0), "", 0},
    {"GlobalAveragePooling2D", "{\"data_format\": \"channels_first\"}", S(N, 3, 4, 5), S(0), "", 0},
    {"Flatten", "{\"data_format\": \"channels_first\"}", S(N, 3, 4, 5), S(0), "", 0},
    {"UpSampling2D", "{\"size\": 2, \"interpolation\": \"bilinear\"}", S(N, 4, 3, 2), S(0), "", 0},
    {"Resizing", "{\"height\": 9, \"width\": 5, \"interpolation\": \"bicubic\"}", S(N, 6, 7, 2),
     S(0), "", 0},
    {"Softmax", "{\"axis\": [1]}", S(N, 4, 3), S(0), "", 0},
    {"Activation", "{\"activation\": \"softmax\"}", S(N, 4, 3), S(0), "", 0},
    {"Activation", "{\"activation\": \"log_softmax\"}", S(N, 4, 3), S(0), "", 0},
    {"PReLU", "{}", S(N, 4, 3), S(0), "", 0},
    {"BatchNormalization", "{\"axis\": 1, \"scale\": false}", S(N, 4, 3, 2), S(0), "", 0},
    {"LayerNormalization", "{\"axis\": 1}", S(N, 4, 3), S(0), "", 0},
    {"GroupNormalization", "{\"groups\": 2, \"axis\": 1}", S(N, 4, 3, 2), S(0), "", 0},
    {"Concatenate", "{\"axis\": 1}", S(N, 4, 3), S(0), "", 3},
    {"Dot", "{\"axes\": [2, 2], \"normalize\": true}", S(N, 4, 3), S(0), "", 2},
    {"MultiHeadAttention", "{\"num_heads\": 2, \"key_dim\": 3, \"value_dim\": 2}", S(N, 5, 4), S(0),
     "", 3},
    {"TimeDistributed",
     "{\"layer\": {\"class_name\": \"Conv2D\", \"config\": {\"filters\": 2, \"kernel_size\": 3}}}",
     S(N, 3, 5, 4, 2), S(0), "", 0},
    {"Multiply", "{}", S(N, 4, 3), S(0), "", 3},
    {"Maximum", "{}", S(N, 4, 3), S(0), "", 3},
};
enum { N_MORE = sizeof more / sizeof more[0] };

static uint32_t state = 1;

static double uniform(void)
{
    state = state * 1664525u + 1013904223u;
    return (double)(state >> 8) / (1 << 24);
}

/* Numbers with gaps of 12 steps, in random order. */
static void fill(float *x, int64_t n, double shift)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(shift + 12 * step * ((double)i - (double)n / 2 + 0.5));
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t k = (int64_t)(uniform() * (double)(i + 1));
        float t = x[i];
        x[i] = x[k];
        x[k] = t;
    }
}

/* A layer with all that a call and its way back want. */
typedef struct trial {
    const char *name;
    cx_arena *arena;
    cx_layer l;
    int n_x, n_w;
    cx_tensor x[MOST_X], dx[MOST_X], y, dy, w[CX_MAX_WEIGHTS], dw[CX_MAX_WEIGHTS];
    cx_block room, back_room;
} trial;

static void init(trial *t, const struct kind_example *e)
{
    cvs_error err = {0};
    cx_shape in[MOST_X], out;
    cx_weight_spec spec[CX_MAX_WEIGHTS];
    *t = (trial){.name = e->class_name, .n_x = e->n_in ? e->n_in : 1};
    t->arena = cx_arena_new();
    OK(make_layer(&t->l, t->arena, e->class_name, e->json, 3, &err));
    for (int i = 0; i < t->n_x; i++) {
        in[i] = e->in;
        for (int d = 0; d < in[i].ndim; d++)
            if (in[i].d[d] == N) in[i].d[d] = d == 0 ? 2 : 6;
        OK(cx_tensor_init(&t->x[i], &in[i], &err));
        OK(cx_tensor_init(&t->dx[i], &in[i], &err));
        fill(t->x[i].data, cx_shape_count(&in[i]), 4 * step * i);
        for (int64_t k = 0; k < cx_shape_count(&in[i]); k++) t->dx[i].data[k] = -12345;
    }
    OK(cx_layer_infer(&t->l, in, t->n_x, &out, &err));
    OK(t->n_w = cx_layer_weights(&t->l, in, t->n_x, spec, &err));
    for (int i = 0; i < t->n_w; i++) {
        OK(cx_tensor_init(&t->w[i], &spec[i].shape, &err));
        OK(cx_tensor_init(&t->dw[i], &spec[i].shape, &err));
        fill(t->w[i].data, cx_shape_count(&spec[i].shape), spec[i].frozen ? 2.5 : 0.3);
        t->l.w[i] = (cx_weight){spec[i], t->w[i].data};
    }
    t->l.n_weights = t->n_w;
    if (t->l.kind->prepare) OK(t->l.kind->prepare(&t->l, t->arena, &err));
    OK(cx_tensor_init(&t->y, &out, &err));
    OK(cx_tensor_init(&t->dy, &out, &err));
    for (int64_t i = 0; i < cx_shape_count(&out); i++) t->dy.data[i] = (float)(2 * uniform() - 1);
    OK(cx_block_init(&t->room, cx_layer_workspace(&t->l, in, t->n_x, &out), &err));
    OK(cx_block_init(&t->back_room, cx_layer_backward_workspace(&t->l, in, t->n_x, &out), &err));
}

static void deinit(trial *t)
{
    for (int i = 0; i < t->n_x; i++) {
        cx_tensor_deinit(&t->x[i]);
        cx_tensor_deinit(&t->dx[i]);
    }
    for (int i = 0; i < t->n_w; i++) {
        cx_tensor_deinit(&t->w[i]);
        cx_tensor_deinit(&t->dw[i]);
    }
    cx_tensor_deinit(&t->y);
    cx_tensor_deinit(&t->dy);
    cx_block_deinit(&t->room);
    cx_block_deinit(&t->back_room);
    cx_arena_free(t->arena);
}

/* What rounding of the outputs, each by itself, does to a difference of S. */
static double rounding(const trial *t)
{
    double sum = 0;
    for (int64_t i = 0; i < cx_shape_count(&t->y.shape); i++) {
        const double term = (double)t->y.data[i] * (double)t->dy.data[i];
        sum += term * term;
    }
    return 0x1p-23 * sqrt(sum) / step;
}

/* S, its layer's own activation left out. */
static double value(trial *t)
{
    cvs_error err;
    const cx_tensor *x[MOST_X];
    double sum = 0;
    for (int i = 0; i < t->n_x; i++) x[i] = &t->x[i];
    if (t->l.kind->prepare) OK(t->l.kind->prepare(&t->l, t->arena, &err));
    const cx_call c = {.n_x = t->n_x, .x = x, .y = &t->y, .workspace = t->room.data, .linear = 1};
    cx_layer_forward(&t->l, &c);
    for (int64_t i = 0; i < cx_shape_count(&t->y.shape); i++)
        sum += (double)t->y.data[i] * (double)t->dy.data[i];
    return sum;
}

static void backward(trial *t)
{
    const cx_tensor *x[MOST_X];
    cx_tensor *dx[MOST_X];
    float *dw[CX_MAX_WEIGHTS] = {0};
    for (int i = 0; i < t->n_x; i++) {
        x[i] = &t->x[i];
        dx[i] = &t->dx[i];
    }
    for (int i = 0; i < t->n_w; i++)
        if (!t->l.w[i].spec.frozen) dw[i] = t->dw[i].data;
    const cx_backward_call c = {.n_x = t->n_x,
                                .x = x,
                                .y = &t->y,
                                .dy = &t->dy,
                                .dx = dx,
                                .dw = dw,
                                .workspace = t->back_room.data};
    cx_layer_backward(&t->l, &c);
}

/* The derivative with respect to each number of `x` against differences. */
static void compare(trial *t, const char *what, int index, float *x, const float *got, int64_t n)
{
    double largest = 0, worst = 0;
    int64_t at = 0;
    double want_there = 0;
    for (int64_t i = 0; i < n; i++) {
        const float here = x[i];
        x[i] = here + (float)step;
        const double up = value(t);
        x[i] = here - (float)step;
        const double down = value(t);
        x[i] = here;
        const double want = (up - down) / (2 * step), off = fabs(want - (double)got[i]);
        largest = fmax(largest, fabs(want));
        if (!(off <= worst)) {
            worst = off;
            at = i;
            want_there = want;
        }
    }
    if (!(worst <= tolerance * largest + rounding(t)))
        fail_msg("%s: d/d%s%d[%d] is %g, not %g; the largest is %g", t->name, what, index, (int)at,
                 (double)got[at], want_there, largest);
}

static void check_gradient(const struct kind_example *e)
{
    trial t;
    init(&t, e);
    /* What an embedding is given are places in a table. */
    const int is_lookup = strcmp(e->class_name, "Embedding") == 0;
    if (!cx_layer_has_backward(&t.l)) fail_msg("%s has no derivative", e->class_name);
    for (int64_t i = 0; is_lookup && i < cx_shape_count(&t.x[0].shape); i++)
        t.x[0].data[i] = (float)(i * 5 % 7);
    (void)value(&t);
    backward(&t);
    for (int i = 0; i < t.n_x; i++) {
        const int64_t n = cx_shape_count(&t.x[i].shape);
        if (!is_lookup) compare(&t, "x", i, t.x[i].data, t.dx[i].data, n);
    }
    for (int i = 0; i < t.n_w; i++)
        if (!t.l.w[i].spec.frozen)
            compare(&t, "w", i, t.w[i].data, t.dw[i].data, cx_shape_count(&t.w[i].shape));
    deinit(&t);
}

static void every_kind_has_the_derivative_of_what_it_computes(void **unused)
{
    (void)unused;
    for (int i = 0; i < N_KINDS; i++) check_gradient(&kinds[i]);
}

static void so_has_it_called_in_other_ways(void **unused)
{
    (void)unused;
    for (int i = 0; i < N_MORE; i++) check_gradient(&more[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_the_derivative_of_what_it_computes),
        cmocka_unit_test(so_has_it_called_in_other_ways),
    };
    return RUN(tests);
}
