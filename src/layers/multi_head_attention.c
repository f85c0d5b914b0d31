/* multi_head_attention.c - MultiHeadAttention (Vaswani et al. 2017): for each head, queries Q, keys
 * K and values V are projections of the inputs, softmax(Q K' / sqrt(key_dim)) V is a mean of
 * values, and a last projection joins the heads. Masks are arguments of a call, and not supported.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

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
    if (cx_json_number(cx_json_get(config, "dropout"), 0) > 0)
        l->untrainable = "its dropout of attention";
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

/* Keys of one head, turned so that they are columns. */
static cx_box turned_box(const attention_config *k, const plan *p)
{
    return (cx_box){.ndim = 2,
                    .size = {k->key_dim, p->sources},
                    .from = {1, k->heads * k->key_dim},
                    .to = {p->sources, 1}};
}

/* One head of one image. */
static void attend(const attention_config *k, const plan *p, const float *q, const float *keys,
                   const float *v, float *means, float *at)
{
    const cx_epilogue plain = cx_epilogue_of(NULL, NULL);
    const float scale = (float)(1 / sqrt((double)k->key_dim));
    float *own_q = at, *own_k = own_q + p->q, *own_v = own_k + p->k, *mean = own_v + p->v;
    float *scores = mean + p->mean, *scratch = scores + p->scores;
    const cx_box q_box = head_box(p->steps, k->key_dim, k->heads);
    const cx_box v_box = head_box(p->sources, k->value_dim, k->heads);
    const cx_box out_box = head_box(p->steps, k->value_dim, k->heads), back = cx_box_back(&out_box);
    const cx_box turned = turned_box(k, p);
    cx_copy_box(&q_box, q, own_q);
    cx_copy_box(&turned, keys, own_k);
    cx_copy_box(&v_box, v, own_v);
    cx_affine_forward(p->steps * k->key_dim, 1, own_q, &scale, NULL, own_q);
    cx_dense_forward(p->steps, k->key_dim, p->sources, own_q, own_k, &plain, scores, scratch);
    cx_softmax_forward(0, p->steps, p->sources, 1, scores, scores);
    cx_dense_forward(p->steps, p->sources, k->value_dim, scores, own_v, &plain, mean, scratch);
    cx_copy_box(&back, mean, means);
}

static void attend_all(const attention_config *k, const plan *p, float *const part[], float *at)
{
    const int64_t wide = k->heads * k->key_dim, tall = k->heads * k->value_dim;
    for (int64_t i = 0; i < p->batch; i++)
        for (int64_t h = 0; h < k->heads; h++)
            attend(k, p, part[QUERY] + i * p->steps * wide + h * k->key_dim,
                   part[KEY] + i * p->sources * wide + h * k->key_dim,
                   part[VALUE] + i * p->sources * tall + h * k->value_dim,
                   part[OUTPUT] + i * p->steps * tall + h * k->value_dim, at);
}

static void project(const cx_layer *l, int which, int64_t rows, const float *x, float *y,
                    void *scratch)
{
    const attention_config *k = l->cfg;
    const cx_weight *w = &l->w[which * (1 + k->use_bias)];
    const cx_epilogue e = cx_epilogue_of(k->use_bias ? w[1].data : NULL, NULL);
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
    attend_all(k, &p, part, at);
    project(l, OUTPUT, p.batch * p.steps, part[OUTPUT], c->y->data, scratch);
}

/* --- the way back --- */

/* What more lies in the workspace then. */
typedef struct way_back {
    plan p;
    int64_t d_score, d_head; /* of one head: of the scores; the largest of q, k, v */
    int64_t second;          /* of an input that is value and key */
    size_t scratch;
} way_back;

static size_t dense_scratch(int64_t rows, int64_t in, int64_t out)
{
    return larger(cx_dense_workspace(rows, in, out),
                  larger(cx_dense_backward_data_workspace(rows, in, out),
                         cx_dense_backward_weights_workspace(rows, in, out)));
}

static way_back way_back_of(const attention_config *k, const cx_shape *in, int n_in, int64_t width)
{
    way_back b = {.p = plan_of(k, in, n_in, width)};
    const plan *p = &b.p;
    const int last = in->ndim - 1;
    for (int i = 0; i < PROJECTIONS; i++) {
        const int64_t rows = p->batch * (i == QUERY || i == OUTPUT ? p->steps : p->sources);
        const int64_t size = k->heads * (i == VALUE || i == OUTPUT ? k->value_dim : k->key_dim);
        const int64_t from = i == OUTPUT ? size : shape_of(i, in, n_in)->d[last];
        b.scratch = larger(b.scratch, dense_scratch(rows, from, i == OUTPUT ? width : size));
    }
    b.scratch = larger(b.scratch, dense_scratch(p->steps, k->key_dim, p->sources));
    b.scratch = larger(b.scratch, dense_scratch(p->steps, p->sources, k->value_dim));
    b.d_score = p->scores;
    b.d_head = p->q + p->k + p->v;
    b.second = n_in == 2 ? room(cx_shape_count(&in[1])) : 0;
    return b;
}

static size_t backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                 const cx_shape *out)
{
    const way_back b = way_back_of(l->cfg, in, n_in, out->d[out->ndim - 1]);
    int64_t n = b.p.q + b.p.k + b.p.v + b.p.mean + b.p.scores + b.d_score + b.d_head + b.second;
    for (int i = 0; i < PROJECTIONS; i++) n += 2 * b.p.projected[i];
    return (size_t)n * sizeof(float) + b.scratch;
}

/* One head of one image: part and d_part are its places in the projections and their derivatives.
 * With Z = Q K' / sqrt(key_dim), P = softmax(Z) and M = P V. */
static void attend_back(const attention_config *k, const way_back *b, float *const part[],
                        float *const d_part[], float *at)
{
    const plan *p = &b->p;
    const cx_epilogue plain = cx_epilogue_of(NULL, NULL);
    const float scale = (float)(1 / sqrt((double)k->key_dim));
    float *q = at, *keys = q + p->q, *v = keys + p->k, *d_mean = v + p->v;
    float *scores = d_mean + p->mean, *d_scores = scores + p->scores;
    float *dq = d_scores + b->d_score, *dk = dq + p->q, *dv = dk + p->k, *scratch = dv + p->v;
    const cx_box q_box = head_box(p->steps, k->key_dim, k->heads), q_back = cx_box_back(&q_box);
    const cx_box v_box = head_box(p->sources, k->value_dim, k->heads), v_back = cx_box_back(&v_box);
    const cx_box m_box = head_box(p->steps, k->value_dim, k->heads);
    const cx_box k_box = turned_box(k, p), k_back = cx_box_back(&k_box);
    cx_copy_box(&q_box, part[QUERY], q);
    cx_copy_box(&k_box, part[KEY], keys);
    cx_copy_box(&v_box, part[VALUE], v);
    cx_copy_box(&m_box, d_part[OUTPUT], d_mean);
    cx_affine_forward(p->steps * k->key_dim, 1, q, &scale, NULL, q);
    cx_dense_forward(p->steps, k->key_dim, p->sources, q, keys, &plain, scores, scratch);
    cx_softmax_forward(0, p->steps, p->sources, 1, scores, scores);

    memset(dk, 0, (size_t)(p->k + p->v) * sizeof *dk);
    cx_dense_backward_weights(p->steps, p->sources, k->value_dim, scores, d_mean, dv, scratch);
    cx_dense_backward_data(p->steps, p->sources, k->value_dim, d_mean, v, d_scores, scratch);
    cx_softmax_backward(0, p->steps, p->sources, 1, scores, d_scores, d_scores);
    cx_dense_backward_weights(p->steps, k->key_dim, p->sources, q, d_scores, dk, scratch);
    cx_dense_backward_data(p->steps, k->key_dim, p->sources, d_scores, keys, dq, scratch);
    cx_affine_forward(p->steps * k->key_dim, 1, dq, &scale, NULL, dq);
    cx_copy_box(&q_back, dq, d_part[QUERY]);
    cx_copy_box(&k_back, dk, d_part[KEY]);
    cx_copy_box(&v_back, dv, d_part[VALUE]);
}

/* dx may be NULL: nobody asks. */
static void project_back(const cx_layer *l, const cx_backward_call *c, int which, int64_t rows,
                         const float *x, const float *dy, float *dx, void *scratch)
{
    const attention_config *k = l->cfg;
    const int kernel = which * (1 + k->use_bias), joined = which == OUTPUT ? 2 : 1;
    const cx_shape *s = &l->w[kernel].spec.shape;
    const int64_t in = cx_shape_count_range(s, 0, joined), out = cx_shape_count_range(s, joined, 3);
    if (cx_dw(c, kernel))
        cx_dense_backward_weights(rows, in, out, x, dy, cx_dw(c, kernel), scratch);
    if (k->use_bias && cx_dw(c, kernel + 1)) cx_bias_backward(rows, out, dy, cx_dw(c, kernel + 1));
    if (dx) cx_dense_backward_data(rows, in, out, dy, l->w[kernel].data, dx, scratch);
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const attention_config *k = l->cfg;
    cx_shape in[3];
    for (int i = 0; i < c->n_x; i++) in[i] = c->x[i]->shape;
    const way_back b = way_back_of(k, in, c->n_x, c->dy->shape.d[c->dy->shape.ndim - 1]);
    const plan *p = &b.p;
    float *part[PROJECTIONS], *d_part[PROJECTIONS], *at = c->workspace;
    for (int i = 0; i < PROJECTIONS; i++) {
        part[i] = at;
        d_part[i] = at + p->projected[i];
        at += 2 * p->projected[i];
    }
    float *second = at;
    at += b.second;
    float *scratch = at + p->q + p->k + p->v + p->mean + p->scores + b.d_score + b.d_head;
    const cx_tensor *from[] = {c->x[0], c->n_x == 3 ? c->x[2] : c->x[1], c->x[1]};
    const int64_t rows[] = {p->batch * p->steps, p->batch * p->sources, p->batch * p->sources};
    for (int i = 0; i < OUTPUT; i++) project(l, i, rows[i], from[i]->data, part[i], scratch);
    attend_all(k, p, part, at);
    project_back(l, c, OUTPUT, rows[QUERY], part[OUTPUT], c->dy->data, d_part[OUTPUT], scratch);
    const int64_t wide = k->heads * k->key_dim, tall = k->heads * k->value_dim;
    for (int64_t i = 0; i < p->batch; i++)
        for (int64_t h = 0; h < k->heads; h++) {
            const int64_t to[] = {
                i * p->steps * wide + h * k->key_dim, i * p->sources * wide + h * k->key_dim,
                i * p->sources * tall + h * k->value_dim, i * p->steps * tall + h * k->value_dim};
            float *own[PROJECTIONS], *d_own[PROJECTIONS];
            for (int o = 0; o < PROJECTIONS; o++) {
                own[o] = part[o] + to[o];
                d_own[o] = d_part[o] + to[o];
            }
            attend_back(k, &b, own, d_own, at);
        }
    cx_tensor *value = c->dx[1], *key = c->n_x == 3 ? c->dx[2] : NULL;
    float *to[] = {c->dx[0] ? c->dx[0]->data : NULL, key ? key->data : NULL,
                   value ? value->data : NULL};
    if (c->n_x == 2 && value) to[KEY] = second;
    for (int i = 0; i < OUTPUT; i++)
        project_back(l, c, i, rows[i], from[i]->data, d_part[i], to[i], scratch);
    if (to[KEY] == second && value)
        cx_binary_forward(CX_ADD, cx_shape_count(&in[1]), second, value->data, value->data);
}

const cx_layer_kind cx_layer_multi_head_attention = {
    .class_name = "MultiHeadAttention",
    .family = CX_CONNECTING,
    .cfg_size = sizeof(attention_config),
    .fields = fields,
    .configure = configure,
    .infer = infer,
    .weights = weights,
    .workspace = workspace,
    .forward = forward,
    .backward = backward,
    .backward_workspace = backward_workspace,
};
