/* layer_normalization.c - LayerNormalization, (x - mean) / sqrt(variance + epsilon) * gamma + beta,
 * and UnitNormalization, x / sqrt(max(sum of x^2, 1e-12)), both over one axis or neighbouring ones,
 * for each image by itself. */
#include <math.h>
#include <stddef.h>

#include "layers/layer.h"

typedef struct norm_config {
    int n_axes;
    int64_t axes[CX_MAX_DIMS]; /* as the file has them */
    double epsilon;
    int center, scale, rms_scaling;
} norm_config;

typedef struct norm_state {
    float *scale, *shift; /* one an index of the normalised axes */
} norm_state;

/* x seen as [outer][n][inner], normalised over n. */
typedef struct view {
    cx_shape shape;
    int first, last; /* the normalised axes of x */
} view;

#define AT(member) offsetof(norm_config, member)
static const cx_field layer_fields[] = {
    {"epsilon", CX_NUMBER, AT(epsilon), 1e-3, 0, 1e3, NULL},
    {"center", CX_BOOL, AT(center), 1, 0, 1, NULL},
    {"scale", CX_BOOL, AT(scale), 1, 0, 1, NULL},
    {"rms_scaling", CX_BOOL, AT(rms_scaling), 0, 0, 0, NULL},
    {0},
};

static int configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                     cx_arena *arena, cvs_error *err)
{
    norm_config *k = l->cfg;
    cx_json *v = cx_config_get(config, "axis", NULL);
    size_t n = cx_json_is_array(v) ? cx_json_size(v) : 1;
    int rc = 0;
    (void)context;
    (void)arena;
    if (n < 1 || n > CX_MAX_DIMS)
        return cx_fail(err, CVS_E_FORMAT, "axis: 1 to %d axes are wanted, not %zu", CX_MAX_DIMS, n);
    k->n_axes = (int)n;
    k->axes[0] = -1;
    for (size_t i = 0; v && i < n; i++)
        TRY(cx_config_int(&k->axes[i], cx_json_is_array(v) ? cx_config_unwrap(cx_json_at(v, i)) : v,
                          "axis", -CX_MAX_DIMS, CX_MAX_DIMS - 1, err));
out:
    return rc;
}

static int view_of(view *out, const norm_config *k, const cx_shape *in, cvs_error *err)
{
    int rc;
    TRY(cx_axis_of(&out->first, k->axes[0], in, err));
    out->last = out->first;
    for (int i = 1; i < k->n_axes; i++) {
        int axis;
        TRY(cx_axis_of(&axis, k->axes[i], in, err));
        if (axis != out->last + 1)
            return cx_fail(err, CVS_E_UNSUPPORTED, "axis: only neighbouring axes are supported");
        out->last = axis;
    }
    if (out->first == 0)
        return cx_fail(err, CVS_E_UNSUPPORTED, "axis: 0, the batch, is not supported");
    out->shape = (cx_shape){3,
                            {cx_shape_count_range(in, 0, out->first),
                             cx_shape_count_range(in, out->first, out->last + 1),
                             cx_shape_count_range(in, out->last + 1, in->ndim)}};
out:
    return rc;
}

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    view v;
    int rc;
    TRY(cx_expect_input(in, n_in, 0, err));
    TRY(view_of(&v, l->cfg, in, err));
    for (int i = v.first; i <= v.last; i++) TRY(cx_expect_known(in, i, err));
    *out = in[0];
out:
    return rc;
}

static int weights(const cx_layer *l, const cx_shape *in, int n_in,
                   cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    const norm_config *k = l->cfg;
    view v;
    int n = 0, rc;
    (void)n_in;
    TRY(view_of(&v, k, in, err));
    cx_shape s = {.ndim = k->n_axes};
    for (int i = 0; i < s.ndim; i++) s.d[i] = in->d[v.first + i];
    if (k->scale) out[n++] = (cx_weight_spec){.name = "gamma", .shape = s};
    if (k->center) out[n++] = (cx_weight_spec){.name = "beta", .shape = s};
    rc = n;
out:
    return rc;
}

static int prepare(cx_layer *l, cx_arena *arena, cvs_error *err)
{
    const norm_config *k = l->cfg;
    if (!k->scale && !k->center) return 0;
    int64_t n = cx_shape_count(&l->w[0].spec.shape);
    norm_state *s = cx_arena_alloc(arena, sizeof *s);
    if (s) s->scale = cx_arena_array(arena, (size_t)n, 2 * sizeof(float));
    if (!s || !s->scale) return cx_no_memory(err, (size_t)n * 2 * sizeof(float));
    s->shift = s->scale + n;
    for (int64_t i = 0; i < n; i++) {
        s->scale[i] = k->scale ? l->w[0].data[i] : 1;
        s->shift[i] = k->center ? l->w[k->scale].data[i] : 0;
    }
    l->state = s;
    return 0;
}

static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    view v;
    (void)n_in;
    (void)out;
    (void)view_of(&v, l->cfg, in, NULL); /* accepted by infer */
    int64_t moments = v.shape.d[0] * v.shape.d[2];
    return (size_t)(cx_shape_count(in) + moments) * sizeof(float);
}

/* The moments [outer][1][inner] repeated along the normalised axis. */
static void spread(const view *v, const float *moments, float *y)
{
    const cx_shape from = {3, {v->shape.d[0], 1, v->shape.d[2]}};
    cx_broadcast(moments, &from, &v->shape, y);
}

static void layer_forward(const cx_layer *l, const cx_call *c)
{
    const norm_config *k = l->cfg;
    const norm_state *s = l->state;
    const float *x = c->x[0]->data;
    float *y = c->y->data, *full = c->workspace;
    int64_t count = cx_shape_count(&c->y->shape);
    float *moments = full + count;
    view v;
    (void)view_of(&v, k, &c->x[0]->shape, NULL); /* accepted by infer */
    int64_t outer = v.shape.d[0], n = v.shape.d[1], inner = v.shape.d[2];
    cx_global_average_forward(outer, n, inner, x, moments);
    spread(&v, moments, full);
    cx_binary_forward(CX_SUBTRACT, count, x, full, y);
    cx_binary_forward(CX_MULTIPLY, count, y, y, full);
    cx_global_average_forward(outer, n, inner, full, moments);
    for (int64_t i = 0; i < outer * inner; i++)
        moments[i] = (float)(1 / sqrt(moments[i] + k->epsilon));
    spread(&v, moments, full);
    cx_binary_forward(CX_MULTIPLY, count, y, full, y);
    if (s) cx_affine_axis(&v.shape, 1, s->scale, s->shift, y, y);
}

static void unit_forward(const cx_layer *l, const cx_call *c)
{
    const float *x = c->x[0]->data;
    float *full = c->workspace;
    int64_t count = cx_shape_count(&c->y->shape);
    float *moments = full + count;
    view v;
    (void)view_of(&v, l->cfg, &c->x[0]->shape, NULL); /* accepted by infer */
    int64_t outer = v.shape.d[0], n = v.shape.d[1], inner = v.shape.d[2];
    cx_binary_forward(CX_MULTIPLY, count, x, x, full);
    cx_global_average_forward(outer, n, inner, full, moments);
    for (int64_t i = 0; i < outer * inner; i++)
        moments[i] = (float)(1 / sqrt(fmax((double)moments[i] * (double)n, 1e-12)));
    spread(&v, moments, full);
    cx_binary_forward(CX_MULTIPLY, count, x, full, c->y->data);
}

const cx_layer_kind cx_layer_layer_normalization = {
    .class_name = "LayerNormalization",
    .family = CX_NORMALIZING,
    .cfg_size = sizeof(norm_config),
    .fields = layer_fields,
    .configure = configure,
    .infer = infer,
    .weights = weights,
    .prepare = prepare,
    .workspace = workspace,
    .forward = layer_forward,
};

const cx_layer_kind cx_layer_unit_normalization = {
    .class_name = "UnitNormalization",
    .family = CX_NORMALIZING,
    .cfg_size = sizeof(norm_config),
    .configure = configure,
    .infer = infer,
    .workspace = workspace,
    .forward = unit_forward,
};
