/* reshape.c - the same numbers in another shape or order: Flatten, Reshape, Permute, RepeatVector.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "layers/layer.h"

static void copy(const cx_layer *l, const cx_call *c)
{
    (void)l;
    memcpy(c->y->data, c->x[0]->data, (size_t)cx_shape_count(&c->y->shape) * sizeof(float));
}

/* --- Flatten --- */

static int flatten_infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out,
                         cvs_error *err)
{
    int rc;
    (void)l;
    TRY(cx_expect_input(in, n_in, 0, err));
    int64_t n = cx_shape_count_range(in, 1, in->ndim);
    *out = (cx_shape){2, {in->d[0], n < 0 ? CX_FREE : n}};
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

const cx_layer_kind cx_layer_flatten = {
    .class_name = "Flatten",
    .family = CX_RESHAPING,
    .has_data_format = 1, /* where it says so; before Keras 2.2 channels stayed where they were */
    .moves_axes = 1,
    .infer = flatten_infer,
    .is_identity = 1,
    .forward = copy,
};

/* --- Reshape --- */

typedef struct reshape_config {
    cx_shape target; /* without the batch; CX_FREE for the one size that follows from the others */
} reshape_config;

static int reshape_configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                             cx_arena *arena, cvs_error *err)
{
    reshape_config *k = l->cfg;
    char key[CX_KEY_TEXT];
    const cx_json *list = cx_config_get(config, "target_shape|dims", key);
    int open = 0, rc = 0;
    (void)context;
    (void)arena;
    if (!cx_json_is_array(list) || cx_json_size(list) > CX_MAX_DIMS - 1)
        return cx_fail(err, CVS_E_FORMAT, "%s: a list of at most %d numbers is wanted", key,
                       CX_MAX_DIMS - 1);
    k->target.ndim = (int)cx_json_size(list);
    for (int i = 0; i < k->target.ndim; i++) {
        const cx_json *item = cx_config_unwrap(cx_json_at(list, (size_t)i));
        int64_t size = CX_FREE; /* TensorFlow.js writes null for it */
        if (!cx_json_is_null(item)) TRY(cx_config_int(&size, item, key, -1, 0x1p40, err));
        if (size == 0) return cx_fail(err, CVS_E_FORMAT, "%s: 0 leaves nothing", key);
        open += size == CX_FREE;
        k->target.d[i] = size;
    }
    if (open > 1) rc = cx_fail(err, CVS_E_FORMAT, "%s: only one size may be left open", key);
out:
    return rc;
}

static int reshape_infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out,
                         cvs_error *err)
{
    const reshape_config *k = l->cfg;
    char from[CX_SHAPE_TEXT], to[CX_SHAPE_TEXT];
    int64_t rest = 1;
    int open = -1, rc;
    TRY(cx_expect_input(in, n_in, 0, err));
    int64_t n = cx_shape_count_range(in, 1, in->ndim);
    *out = (cx_shape){.ndim = 1 + k->target.ndim, .d = {in->d[0]}};
    for (int i = 0; i < k->target.ndim; i++) {
        int64_t size = k->target.d[i];
        out->d[1 + i] = size;
        if (size == CX_FREE)
            open = 1 + i;
        else if (cx_mul_count(&rest, rest, size))
            return cx_fail(err, CVS_E_NOMEM, "target_shape: too large");
    }
    TRY(cx_expect_size(out, err));
    if (n < 0) goto out; /* a free size: known only when numbers come */
    if (n % rest != 0 || (open < 0 && n != rest))
        return cx_fail(err, CVS_E_FORMAT, "target_shape: %s does not fit the input %s",
                       cx_shape_text(to, &k->target), cx_shape_text(from, in));
    if (open >= 0) out->d[open] = n / rest;
out:
    return rc;
}

const cx_layer_kind cx_layer_reshape = {
    .class_name = "Reshape",
    .family = CX_RESHAPING,
    .cfg_size = sizeof(reshape_config),
    .moves_axes = 1,
    .configure = reshape_configure,
    .infer = reshape_infer,
    .is_identity = 1,
    .forward = copy,
};

/* --- Permute --- */

typedef struct permute_config {
    int n;
    int axes[CX_MAX_DIMS]; /* axis i of the output is axis axes[i] of the input; 0 is the batch */
} permute_config;

static int permute_configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                             cx_arena *arena, cvs_error *err)
{
    permute_config *k = l->cfg;
    const cx_json *list = cx_config_get(config, "dims", NULL);
    unsigned seen = 1;
    int rc = 0;
    (void)context;
    (void)arena;
    if (!cx_json_is_array(list) || cx_json_size(list) > CX_MAX_DIMS - 1)
        return cx_fail(err, CVS_E_FORMAT, "dims: a list of at most %d numbers is wanted",
                       CX_MAX_DIMS - 1);
    k->n = 1 + (int)cx_json_size(list);
    for (int i = 1; i < k->n; i++) {
        int64_t axis;
        TRY(cx_config_int(&axis, cx_config_unwrap(cx_json_at(list, (size_t)(i - 1))), "dims", 1,
                          k->n - 1, err));
        if (seen >> axis & 1)
            return cx_fail(err, CVS_E_FORMAT, "dims: axis %lld is named twice", (long long)axis);
        seen |= 1u << axis;
        k->axes[i] = (int)axis;
    }
out:
    return rc;
}

static int permute_infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out,
                         cvs_error *err)
{
    const permute_config *k = l->cfg;
    int rc;
    TRY(cx_expect_input(in, n_in, k->n, err));
    *out = (cx_shape){.ndim = k->n};
    for (int i = 0; i < k->n; i++) out->d[i] = in->d[k->axes[i]];
out:
    return rc;
}

static cx_box permute_box(const cx_layer *l, const cx_shape *in, const cx_shape *out)
{
    const permute_config *k = l->cfg;
    cx_box box = {.ndim = k->n};
    for (int i = 0; i < k->n; i++) {
        box.size[i] = out->d[i];
        box.from[i] = cx_shape_count_range(in, k->axes[i] + 1, k->n);
        box.to[i] = cx_shape_count_range(out, i + 1, k->n);
    }
    return box;
}

static void permute_forward(const cx_layer *l, const cx_call *c)
{
    const cx_box box = permute_box(l, &c->x[0]->shape, &c->y->shape);
    cx_copy_box(&box, c->x[0]->data, c->y->data);
}

static void permute_backward(const cx_layer *l, const cx_backward_call *c)
{
    const cx_box box = permute_box(l, &c->x[0]->shape, &c->dy->shape), back = cx_box_back(&box);
    cx_copy_box(&back, c->dy->data, c->dx[0]->data);
}

const cx_layer_kind cx_layer_permute = {
    .class_name = "Permute",
    .family = CX_RESHAPING,
    .cfg_size = sizeof(permute_config),
    .moves_axes = 1,
    .configure = permute_configure,
    .infer = permute_infer,
    .is_affine = 1,
    .forward = permute_forward,
    .backward = permute_backward,
};

/* --- RepeatVector --- */

typedef struct repeat_config {
    int64_t n;
} repeat_config;

static const cx_field repeat_fields[] = {
    {"n", CX_INT, offsetof(repeat_config, n), NAN, 1, CX_MAX_CHANNELS, NULL},
    {0},
};

static int repeat_infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out,
                        cvs_error *err)
{
    const repeat_config *k = l->cfg;
    int rc;
    TRY(cx_expect_input(in, n_in, 2, err));
    *out = (cx_shape){3, {in->d[0], k->n, in->d[1]}};
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

static void repeat_forward(const cx_layer *l, const cx_call *c)
{
    (void)l;
    cx_broadcast(c->x[0]->data, &c->x[0]->shape, &c->y->shape, c->y->data);
}

static void repeat_backward(const cx_layer *l, const cx_backward_call *c)
{
    (void)l;
    cx_broadcast_backward(c->dy->data, &c->x[0]->shape, &c->dy->shape, c->dx[0]->data);
}

const cx_layer_kind cx_layer_repeat_vector = {
    .class_name = "RepeatVector",
    .family = CX_RESHAPING,
    .cfg_size = sizeof(repeat_config),
    .fields = repeat_fields,
    .moves_axes = 1,
    .infer = repeat_infer,
    .is_affine = 1,
    .forward = repeat_forward,
    .backward = repeat_backward,
};
