/* multi_head_attention.c - MultiHeadAttention (Vaswani et al. 2017): for each head, queries Q, keys
 * K and values V are projections of the inputs, softmax(Q K' / sqrt(key_dim)) V is a mean of
 * values, and a last projection joins the heads. Masks are arguments of a call, and not supported.
 */
#include <math.h>
#include <stddef.h>

#include "layers/layer.h"

/* A projection, with its kernel and bias among the weights. */
enum { QUERY, KEY, VALUE, OUTPUT, PROJECTIONS };

typedef struct attention_config {
    int64_t heads, key_dim, value_dim; /* value_dim 0: as key_dim */
    int64_t output;                    /* features; 0: as many as the query has */
    int use_bias;
    int all_axes; /* attention over every axis between batch and features */
    cx_axes axes; /* else over these */
} attention_config;

#define AT(member) offsetof(attention_config, member)
static const cx_field fields[] = {
    {"num_heads", CX_INT, AT(heads), NAN, 1, CX_MAX_KERNEL, NULL},
    {"key_dim", CX_INT, AT(key_dim), NAN, 1, CX_MAX_KERNEL, NULL},
    {"value_dim", CX_INT, AT(value_dim), 0, 1, CX_MAX_KERNEL, NULL},
    {"output_shape", CX_INT, AT(output), 0, 1, CX_MAX_CHANNELS, NULL},
    {"use_bias", CX_BOOL, AT(use_bias), 1, 0, 1, NULL},
    {0},
};

static int configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                     cx_arena *arena, cvs_error *err)
{
    attention_config *k = l->cfg;
    (void)context;
    (void)arena;
    if (k->value_dim == 0) k->value_dim = k->key_dim;
    k->all_axes = !cx_config_get(config, "attention_axes", NULL);
    return k->all_axes ? 0 : cx_axes_read(&k->axes, config, "attention_axes", err);
}

/* Keras calls the layer on query, value and perhaps key, which is the value if it is not there. */
static const cx_shape *shape_of(int which, const cx_shape *in, int n_in)
{
    return which == QUERY ? &in[0] : which == KEY && n_in == 3 ? &in[2] : &in[1];
}

static int check_axes(const attention_config *k, int ndim, cvs_error *err)
{
    int found[CX_MAX_DIMS] = {0}, all = 1;
    for (int i = 0; !k->all_axes && i < k->axes.n; i++) {
        const int64_t axis = k->axes.axis[i] + (k->axes.axis[i] < 0 ? ndim : 0);
        if (axis > 0 && axis < CX_MAX_DIMS) found[axis] = 1;
    }
    for (int i = 1; !k->all_axes && i < ndim - 1; i++) all &= found[i];
    if (all) return 0;
    return cx_fail(err, CVS_E_UNSUPPORTED, "attention_axes: only all of them are supported");
}

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const attention_config *k = l->cfg;
    char a[CX_SHAPE_TEXT], b[CX_SHAPE_TEXT];
    int rc;
    if (n_in < 2 || n_in > 3)
        return cx_fail(err, CVS_E_FORMAT, "a query, a value and perhaps a key are wanted, not %d",
                       n_in);
    for (int i = 0; i < n_in; i++) {
        TRY(cx_expect_size(&in[i], err));
        if (in[i].ndim < 3 || in[i].ndim != in[0].ndim)
            return cx_fail(err, CVS_E_FORMAT, "inputs %s and %s do not go together",
                           cx_shape_text(a, &in[0]), cx_shape_text(b, &in[i]));
        TRY(cx_expect_known(&in[i], in[i].ndim - 1, err));
    }
    for (int d = 1; n_in == 3 && d < in->ndim - 1; d++)
        if (in[1].d[d] != in[2].d[d])
            return cx_fail(err, CVS_E_FORMAT, "value %s and key %s do not go together",
                           cx_shape_text(a, &in[1]), cx_shape_text(b, &in[2]));
    TRY(check_axes(k, in->ndim, err));
    /* What lies between must fit into memory too: all scores, and the projections. */
    const int64_t scores = cx_shape_count_range(&in[0], 1, in->ndim - 1);
    *out = (cx_shape){3, {scores < 0 ? 1 : scores, 1, k->heads * (k->key_dim + k->value_dim)}};
    out->d[1] = cx_shape_count_range(&in[1], 1, in->ndim - 1);
    if (out->d[1] < 0) out->d[1] = 1;
    TRY(cx_expect_size(out, err));
    *out = in[0];
    if (k->output) out->d[out->ndim - 1] = k->output;
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

static int weights(const cx_layer *l, const cx_shape *in, int n_in,
                   cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    static const char *const names[PROJECTIONS][2] = {
        {"query/kernel", "query/bias"},
        {"key/kernel", "key/bias"},
        {"value/kernel", "value/bias"},
        {"attention_output/kernel", "attention_output/bias"}};
    const attention_config *k = l->cfg;
    const int64_t features = in[0].d[in->ndim - 1], width = k->output ? k->output : features;
    int n = 0;
    (void)err;
    for (int p = 0; p < PROJECTIONS; p++) {
        const cx_shape *from = shape_of(p, in, n_in);
        const int64_t size = p == VALUE || p == OUTPUT ? k->value_dim : k->key_dim;
        cx_shape kernel = {3, {from->d[from->ndim - 1], k->heads, size}};
        cx_shape bias = {2, {k->heads, size}};
        if (p == OUTPUT) {
            kernel = (cx_shape){3, {k->heads, size, width}};
            bias = (cx_shape){1, {width}};
        }
        out[n++] = (cx_weight_spec){.name = names[p][0], .shape = kernel};
        if (k->use_bias) out[n++] = (cx_weight_spec){.name = names[p][1], .shape = bias};
    }
    return n;
}

/* --- the call --- */

/* What lies in the workspace, in floats. */
typedef struct plan {
    int64_t batch, steps, sources;  /* queries an image, keys an image */
    int64_t projected[PROJECTIONS]; /* OUTPUT: the heads' means, before they are joined */
    int64_t q, k, v, mean, scores;  /* of one head */
    size_t scratch;                 /* bytes */
} plan;

static int64_t room(int64_t n)
{
    return (n + 15) / 16 * 16;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static plan plan_of(const attention_config *k, const cx_shape *in, int n_in, int64_t width)
{
    plan p = {.batch = in[0].d[0]};
    const int last = in->ndim - 1;
    p.steps = cx_shape_count_range(&in[0], 1, last);
    p.sources = cx_shape_count_range(&in[1], 1, last);
    for (int i = 0; i < PROJECTIONS; i++) {
        const int of_queries = i == QUERY || i == OUTPUT;
        const int64_t rows = p.batch * (of_queries ? p.steps : p.sources);
        const int64_t size = k->heads * (i == VALUE || i == OUTPUT ? k->value_dim : k->key_dim);
        const int64_t from = i == OUTPUT ? size : shape_of(i, in, n_in)->d[last];
        const size_t scratch = cx_dense_workspace(rows, from, i == OUTPUT ? width : size);
        p.projected[i] = room(rows * size);
        p.scratch = larger(p.scratch, scratch);
    }
    p.q = room(p.steps * k->key_dim);
    p.k = room(p.sources * k->key_dim);
    p.v = room(p.sources * k->value_dim);
    p.mean = room(p.steps * k->value_dim);
    p.scores = room(p.steps * p.sources);
    p.scratch = larger(p.scratch, cx_dense_workspace(p.steps, k->key_dim, p.sources));
    p.scratch = larger(p.scratch, cx_dense_workspace(p.steps, p.sources, k->value_dim));
    return p;
}

static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    const plan p = plan_of(l->cfg, in, n_in, out->d[out->ndim - 1]);
    int64_t n = p.q + p.k + p.v + p.mean + p.scores;
    for (int i = 0; i < PROJECTIONS; i++) n += p.projected[i];
    return (size_t)n * sizeof(float) + p.scratch;
}

/* Rows of one head, of `heads` side by side, and back. */
static cx_box head_box(int64_t rows, int64_t size, int64_t heads)
{
    return (cx_box){.ndim = 2, .size = {rows, size}, .from = {heads * size, 1}, .to = {size, 1}};
}

/* One head of one image. */
static void attend(const attention_config *k, const plan *p, const float *q, const float *keys,
                   const float *v, float *means, float *at)
{
    const cx_activation linear = {.kind = CX_ACT_LINEAR};
    const cx_epilogue plain = cx_epilogue_of(NULL, &linear);
    const float scale = (float)(1 / sqrt((double)k->key_dim)), none = 0;
    float *own_q = at, *own_k = own_q + p->q, *own_v = own_k + p->k, *mean = own_v + p->v;
    float *scores = mean + p->mean, *scratch = scores + p->scores;
    const cx_box q_box = head_box(p->steps, k->key_dim, k->heads);
    const cx_box v_box = head_box(p->sources, k->value_dim, k->heads);
    const cx_box out_box = head_box(p->steps, k->value_dim, k->heads), back = cx_box_back(&out_box);
    const cx_box turned = {.ndim = 2,
                           .size = {k->key_dim, p->sources},
                           .from = {1, k->heads * k->key_dim},
                           .to = {p->sources, 1}};
    cx_copy_box(&q_box, q, own_q);
    cx_copy_box(&turned, keys, own_k);
    cx_copy_box(&v_box, v, own_v);
    cx_affine_forward(p->steps * k->key_dim, 1, own_q, &scale, &none, own_q);
    cx_dense_forward(p->steps, k->key_dim, p->sources, own_q, own_k, &plain, scores, scratch);
    cx_softmax_forward(0, p->steps, p->sources, 1, scores, scores);
    cx_dense_forward(p->steps, p->sources, k->value_dim, scores, own_v, &plain, mean, scratch);
    cx_copy_box(&back, mean, means);
}

static void project(const cx_layer *l, int which, int64_t rows, const float *x, float *y,
                    void *scratch)
{
    const attention_config *k = l->cfg;
    const cx_activation linear = {.kind = CX_ACT_LINEAR};
    const cx_weight *w = &l->w[which * (1 + k->use_bias)];
    const cx_epilogue e = cx_epilogue_of(k->use_bias ? w[1].data : NULL, &linear);
    const cx_shape *s = &w->spec.shape;
    const int joined = which == OUTPUT ? 2 : 1; /* axes of the kernel that x has */
    cx_dense_forward(rows, cx_shape_count_range(s, 0, joined), cx_shape_count_range(s, joined, 3),
                     x, w->data, &e, y, scratch);
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const attention_config *k = l->cfg;
    cx_shape in[3];
    for (int i = 0; i < c->n_x; i++) in[i] = c->x[i]->shape;
    const plan p = plan_of(k, in, c->n_x, c->y->shape.d[c->y->shape.ndim - 1]);
    float *part[PROJECTIONS], *at = c->workspace;
    for (int i = 0; i < PROJECTIONS; i++) {
        part[i] = at;
        at += p.projected[i];
    }
    float *scratch = at + p.q + p.k + p.v + p.mean + p.scores;
    const cx_tensor *key = c->n_x == 3 ? c->x[2] : c->x[1];
    project(l, QUERY, p.batch * p.steps, c->x[0]->data, part[QUERY], scratch);
    project(l, KEY, p.batch * p.sources, key->data, part[KEY], scratch);
    project(l, VALUE, p.batch * p.sources, c->x[1]->data, part[VALUE], scratch);
    const int64_t wide = k->heads * k->key_dim, tall = k->heads * k->value_dim;
    for (int64_t i = 0; i < p.batch; i++)
        for (int64_t h = 0; h < k->heads; h++)
            attend(k, &p, part[QUERY] + i * p.steps * wide + h * k->key_dim,
                   part[KEY] + i * p.sources * wide + h * k->key_dim,
                   part[VALUE] + i * p.sources * tall + h * k->value_dim,
                   part[OUTPUT] + i * p.steps * tall + h * k->value_dim, at);
    project(l, OUTPUT, p.batch * p.steps, part[OUTPUT], c->y->data, scratch);
}

const cx_layer_kind cx_layer_multi_head_attention = {
    .class_name = "MultiHeadAttention",
    .cfg_size = sizeof(attention_config),
    .fields = fields,
    .configure = configure,
    .infer = infer,
    .weights = weights,
    .workspace = workspace,
    .forward = forward,
};
