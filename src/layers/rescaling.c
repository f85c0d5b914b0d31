/* rescaling.c - Rescaling (x * scale + offset) and Normalization ((x - mean) / deviation, or back),
 * both folded to one scale and one shift for everything or for each index of an axis. */
#include <math.h>
#include <stddef.h>

#include "layers/layer.h"

typedef struct numbers {
    int64_t n; /* 0: not given */
    double *v;
} numbers;

/* A number, or a list of them, perhaps in lists of one: [[[1, 2, 3]]] is [1, 2, 3]. */
static int read_numbers(numbers *out, const cx_json *v, const char *key, cx_arena *arena,
                        cvs_error *err)
{
    int rc = 0;
    *out = (numbers){0};
    if (cx_json_is_null(v)) return 0;
    while (cx_json_is_array(v) && cx_json_size(v) == 1) v = cx_config_unwrap(cx_json_at(v, 0));
    int is_list = cx_json_is_array(v);
    size_t n = is_list ? cx_json_size(v) : 1;
    if (n < 1) return cx_fail(err, CVS_E_FORMAT, "%s: the list is empty", key);
    out->v = cx_arena_array(arena, n, sizeof(double));
    if (!out->v) return cx_no_memory(err, n * sizeof(double));
    for (size_t i = 0; i < n; i++)
        TRY(cx_config_number(&out->v[i], is_list ? cx_config_unwrap(cx_json_at(v, i)) : v, key,
                             -1e30, 1e30, err));
    out->n = (int64_t)n;
out:
    return rc;
}

static double pick(const numbers *a, int64_t i)
{
    return a->v[a->n == 1 ? 0 : i];
}

/* Lists must agree in length; a single number goes with any. */
static int common_length(int64_t *out, const numbers *a, const numbers *b, const char *names,
                         cvs_error *err)
{
    *out = a->n > b->n ? a->n : b->n;
    if (a->n == b->n || a->n == 1 || b->n == 1) return 0;
    return cx_fail(err, CVS_E_FORMAT, "%s: %lld and %lld numbers do not go together", names,
                   (long long)a->n, (long long)b->n);
}

static int infer_axis(const cx_shape *in, int n_in, int64_t axis, int64_t n, cx_shape *out,
                      cvs_error *err)
{
    int a, rc;
    TRY(cx_expect_input(in, n_in, 0, err));
    TRY(cx_axis_of(&a, axis, in, err));
    if (n > 1 && in->d[a] != n)
        return cx_fail(err, CVS_E_FORMAT, "%lld numbers are given for an axis of %lld",
                       (long long)n, (long long)in->d[a]);
    *out = in[0];
out:
    return rc;
}

static void apply(const cx_affine *f, int64_t axis, const cx_call *c)
{
    const cx_shape *in = &c->x[0]->shape;
    int a;
    if (f->n == 1) {
        cx_affine_forward(cx_shape_count(in), 1, c->x[0]->data, f->scale, f->shift, c->y->data);
        return;
    }
    (void)cx_axis_of(&a, axis, in, NULL); /* accepted by infer */
    cx_affine_axis(in, a, f->scale, f->shift, c->x[0]->data, c->y->data);
}

static void apply_backward(const cx_affine *f, int64_t axis, const cx_backward_call *c)
{
    const cx_shape *in = &c->x[0]->shape;
    int a;
    if (f->n == 1) {
        cx_affine_forward(cx_shape_count(in), 1, c->dy->data, f->scale, NULL, c->dx[0]->data);
        return;
    }
    (void)cx_axis_of(&a, axis, in, NULL); /* accepted by infer */
    cx_affine_axis(in, a, f->scale, NULL, c->dy->data, c->dx[0]->data);
}

/* --- Rescaling --- */

typedef struct rescaling_config {
    cx_affine *by;
} rescaling_config;

static int rescaling_configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                               cx_arena *arena, cvs_error *err)
{
    rescaling_config *k = l->cfg;
    numbers scale, offset;
    double zero = 0;
    int64_t n;
    int rc;
    (void)context;
    TRY(read_numbers(&scale, cx_config_get(config, "scale", NULL), "scale", arena, err));
    TRY(read_numbers(&offset, cx_config_get(config, "offset", NULL), "offset", arena, err));
    if (!scale.n) return cx_fail(err, CVS_E_FORMAT, "scale: missing");
    if (!offset.n) offset = (numbers){1, &zero};
    TRY(common_length(&n, &scale, &offset, "scale and offset", err));
    k->by = cx_affine_new(n, arena);
    if (!k->by) return cx_no_memory(err, (size_t)n * 2 * sizeof(float));
    for (int64_t i = 0; i < n; i++) {
        k->by->scale[i] = (float)pick(&scale, i);
        k->by->shift[i] = (float)pick(&offset, i);
    }
out:
    return rc;
}

static int rescaling_infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out,
                           cvs_error *err)
{
    const rescaling_config *k = l->cfg;
    return infer_axis(in, n_in, -1, k->by->n, out, err);
}

static void rescaling_forward(const cx_layer *l, const cx_call *c)
{
    const rescaling_config *k = l->cfg;
    apply(k->by, -1, c);
}

static void rescaling_backward(const cx_layer *l, const cx_backward_call *c)
{
    const rescaling_config *k = l->cfg;
    apply_backward(k->by, -1, c);
}

const cx_layer_kind cx_layer_rescaling = {
    .class_name = "Rescaling",
    .family = CX_NORMALIZING,
    .is_rescaling = 1,
    .cfg_size = sizeof(rescaling_config),
    .configure = rescaling_configure,
    .infer = rescaling_infer,
    .is_affine = 1,
    .forward = rescaling_forward,
    .backward = rescaling_backward,
};

/* --- Normalization --- */

enum { MEAN, VARIANCE, COUNT };

typedef struct normalization_config {
    int64_t axis;
    int whole; /* axis null: one mean for everything */
    int invert;
    int64_t n;              /* of what the configuration gives; 0: the weights have it */
    numbers mean, variance; /* given in the configuration */
} normalization_config;

#define AT(member) offsetof(normalization_config, member)
static const cx_field normalization_fields[] = {
    {"invert", CX_BOOL, AT(invert), 0, 0, 1, NULL},
    {0},
};

static int normalization_configure(cx_layer *l, const cx_json *config,
                                   const cx_config_context *context, cx_arena *arena,
                                   cvs_error *err)
{
    normalization_config *k = l->cfg;
    const cx_json *axis = cx_config_unwrap(cx_json_get(config, "axis"));
    int rc;
    (void)context;
    k->axis = -1;
    k->whole = axis && (cx_json_is_null(axis) || (cx_json_is_array(axis) && !cx_json_size(axis)));
    if (axis && !k->whole)
        TRY(cx_config_int(&k->axis, axis, "axis", -CX_MAX_DIMS, CX_MAX_DIMS - 1, err));
    TRY(read_numbers(&k->mean, cx_config_get(config, "mean", NULL), "mean", arena, err));
    TRY(read_numbers(&k->variance, cx_config_get(config, "variance", NULL), "variance", arena,
                     err));
    if (!k->mean.n != !k->variance.n)
        return cx_fail(err, CVS_E_FORMAT, "%s: missing", k->mean.n ? "variance" : "mean");
    TRY(common_length(&k->n, &k->mean, &k->variance, "mean and variance", err));
out:
    return rc;
}

static int normalization_infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out,
                               cvs_error *err)
{
    const normalization_config *k = l->cfg;
    int axis, rc;
    TRY(infer_axis(in, n_in, k->axis, k->n, out, err));
    if (k->n || k->whole) goto out;
    TRY(cx_axis_of(&axis, k->axis, in, err));
    TRY(cx_expect_known(in, axis, err));
out:
    return rc;
}

static int normalization_weights(const cx_layer *l, const cx_shape *in, int n_in,
                                 cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    const normalization_config *k = l->cfg;
    cx_shape s = {.ndim = 0};
    int axis, rc;
    (void)n_in;
    if (k->n) return 0;
    if (!k->whole) {
        TRY(cx_axis_of(&axis, k->axis, in, err));
        s = (cx_shape){1, {in->d[axis]}};
    }
    out[MEAN] = (cx_weight_spec){.name = "mean", .shape = s, .frozen = 1};
    out[VARIANCE] = (cx_weight_spec){.name = "variance", .shape = s, .frozen = 1};
    out[COUNT] = (cx_weight_spec){.name = "count", .shape = {.ndim = 0}, .frozen = 1};
    rc = 3;
out:
    return rc;
}

static int normalization_prepare(cx_layer *l, cx_arena *arena, cvs_error *err)
{
    const normalization_config *k = l->cfg;
    int64_t n = k->n ? k->n : cx_shape_count(&l->w[MEAN].spec.shape);
    cx_affine *f = l->state ? l->state : cx_affine_new(n, arena);
    if (!f) return cx_no_memory(err, (size_t)n * 2 * sizeof(float));
    for (int64_t i = 0; i < n; i++) {
        double mean = k->n ? pick(&k->mean, i) : l->w[MEAN].data[i];
        double variance = k->n ? pick(&k->variance, i) : l->w[VARIANCE].data[i];
        double deviation = fmax(sqrt(variance), 1e-7); /* Keras' epsilon */
        f->scale[i] = (float)(k->invert ? deviation : 1 / deviation);
        f->shift[i] = (float)(k->invert ? mean : -mean / deviation);
    }
    l->state = f;
    return 0;
}

static void normalization_forward(const cx_layer *l, const cx_call *c)
{
    const normalization_config *k = l->cfg;
    apply(l->state, k->axis, c);
}

static void normalization_backward(const cx_layer *l, const cx_backward_call *c)
{
    const normalization_config *k = l->cfg;
    apply_backward(l->state, k->axis, c);
}

const cx_layer_kind cx_layer_normalization = {
    .class_name = "Normalization",
    .family = CX_NORMALIZING,
    .is_rescaling = 1,
    .cfg_size = sizeof(normalization_config),
    .fields = normalization_fields,
    .configure = normalization_configure,
    .infer = normalization_infer,
    .weights = normalization_weights,
    .prepare = normalization_prepare,
    .is_affine = 1,
    .forward = normalization_forward,
    .backward = normalization_backward,
};
