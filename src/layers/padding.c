/* padding.c - ZeroPadding and Cropping: cells put on or taken off the ends of the spatial axes. */
#include <stddef.h>
#include <string.h>

#include "layers/layer.h"

enum { MOST = 1 << 16 };

typedef struct padding_config {
    int64_t before[CX_SPACE], after[CX_SPACE];
} padding_config;

/* Keras 1 allowed {"top_pad": 1, …}; what is not named is 0. */
static int read_object(padding_config *k, int rank, const cx_json *v, cvs_error *err)
{
    static const char *const keys[2][CX_SPACE][2] = {
        {{"left_pad", "right_pad"}},
        {{"top_pad", "bottom_pad"}, {"left_pad", "right_pad"}},
    };
    int rc = 0;
    if (rank > 2) return cx_fail(err, CVS_E_FORMAT, "padding: a list is wanted, not an object");
    for (int a = 0; a < rank; a++) {
        const char *const *key = keys[rank - 1][a];
        const cx_json *before = cx_config_get(v, key[0], NULL);
        const cx_json *after = cx_config_get(v, key[1], NULL);
        if (before) TRY(cx_config_int(&k->before[a], before, key[0], 0, MOST, err));
        if (after) TRY(cx_config_int(&k->after[a], after, key[1], 0, MOST, err));
    }
out:
    return rc;
}

/* One axis: a number for both ends, or a pair. */
static int read_ends(padding_config *k, int a, const cx_json *v, const char *key, cvs_error *err)
{
    int rc;
    const cx_json *before = v, *after = v;
    if (cx_json_is_array(v)) {
        if (cx_json_size(v) != 2)
            return cx_fail(err, CVS_E_FORMAT, "%s: a pair is wanted, not a list of %zu", key,
                           cx_json_size(v));
        before = cx_config_unwrap(cx_json_at(v, 0));
        after = cx_config_unwrap(cx_json_at(v, 1));
    }
    TRY(cx_config_int(&k->before[a], before, key, 0, MOST, err));
    TRY(cx_config_int(&k->after[a], after, key, 0, MOST, err));
out:
    return rc;
}

static int read_list(padding_config *k, int rank, const cx_json *v, const char *key, cvs_error *err)
{
    size_t n = cx_json_size(v);
    int rc = 0;
    if (rank == 1) return read_ends(k, 0, v, key, err);
    if (rank == 2 && n == 4) { /* Keras 1: top, bottom, left, right */
        int64_t *const ends[] = {&k->before[0], &k->after[0], &k->before[1], &k->after[1]};
        for (size_t i = 0; i < 4; i++)
            TRY(cx_config_int(ends[i], cx_config_unwrap(cx_json_at(v, i)), key, 0, MOST, err));
        goto out;
    }
    if (n != (size_t)rank)
        return cx_fail(err, CVS_E_FORMAT, "%s: %d entries are wanted, not %zu", key, rank, n);
    for (int a = 0; a < rank; a++)
        TRY(read_ends(k, a, cx_config_unwrap(cx_json_at(v, (size_t)a)), key, err));
out:
    return rc;
}

static int configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                     cx_arena *arena, cvs_error *err)
{
    padding_config *k = l->cfg;
    char key[CX_KEY_TEXT];
    const cx_json *v = cx_config_get(config, "padding|cropping", key);
    int rank = l->kind->rank, rc = 0;
    (void)context;
    (void)arena;
    if (!v) return cx_fail(err, CVS_E_FORMAT, "padding: missing");
    if (cx_json_is_object(v)) return read_object(k, rank, v, err);
    if (cx_json_is_array(v)) return read_list(k, rank, v, key, err);
    for (int a = 0; a < rank; a++) TRY(read_ends(k, a, v, key, err));
out:
    return rc;
}

static int infer_pad(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const padding_config *k = l->cfg;
    int rank = l->kind->rank, rc;
    TRY(cx_expect_input(in, n_in, rank + 2, err));
    *out = in[0];
    for (int a = 0; a < rank; a++)
        if (in->d[1 + a] != CX_FREE) out->d[1 + a] += k->before[a] + k->after[a];
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

static int infer_crop(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out,
                      cvs_error *err)
{
    const padding_config *k = l->cfg;
    int rank = l->kind->rank, rc;
    TRY(cx_expect_input(in, n_in, rank + 2, err));
    *out = in[0];
    for (int a = 0; a < rank; a++) {
        if (in->d[1 + a] == CX_FREE) continue;
        out->d[1 + a] -= k->before[a] + k->after[a];
        if (out->d[1 + a] < 1)
            return cx_fail(err, CVS_E_FORMAT, "cropping: %lld and %lld leave nothing of %lld",
                           (long long)k->before[a], (long long)k->after[a],
                           (long long)in->d[1 + a]);
    }
out:
    return rc;
}

/* Copy the smaller of the two shapes, which starts at cell `before` of the larger. */
static void move(const cx_layer *l, const cx_shape *in, const cx_shape *out, const float *x,
                 float *y, int crop)
{
    const padding_config *k = l->cfg;
    const cx_shape *larger = crop ? in : out, *smaller = crop ? out : in;
    cx_box box = {.ndim = in->ndim};
    int64_t offset = 0;
    for (int i = 0; i < in->ndim; i++) {
        box.size[i] = smaller->d[i];
        box.from[i] = cx_shape_count_range(in, i + 1, in->ndim);
        box.to[i] = cx_shape_count_range(out, i + 1, in->ndim);
        int64_t stride = cx_shape_count_range(larger, i + 1, in->ndim);
        if (i >= 1 && i <= l->kind->rank) offset += k->before[i - 1] * stride;
    }
    cx_copy_box(&box, crop ? x + offset : x, crop ? y : y + offset);
}

static void forward_pad(const cx_layer *l, const cx_call *c)
{
    memset(c->y->data, 0, (size_t)cx_shape_count(&c->y->shape) * sizeof(float));
    move(l, &c->x[0]->shape, &c->y->shape, c->x[0]->data, c->y->data, 0);
}

static void forward_crop(const cx_layer *l, const cx_call *c)
{
    move(l, &c->x[0]->shape, &c->y->shape, c->x[0]->data, c->y->data, 1);
}

static void backward_pad(const cx_layer *l, const cx_backward_call *c)
{
    move(l, &c->dy->shape, &c->dx[0]->shape, c->dy->data, c->dx[0]->data, 1);
}

static void backward_crop(const cx_layer *l, const cx_backward_call *c)
{
    memset(c->dx[0]->data, 0, (size_t)cx_shape_count(&c->dx[0]->shape) * sizeof(float));
    move(l, &c->dy->shape, &c->dx[0]->shape, c->dy->data, c->dx[0]->data, 0);
}

#define PADDING(symbol, name, axes, which)    \
    const cx_layer_kind cx_layer_##symbol = { \
        .class_name = name,                   \
        .family = CX_RESHAPING,               \
        .cfg_size = sizeof(padding_config),   \
        .rank = axes,                         \
        .has_data_format = 1,                 \
        .configure = configure,               \
        .infer = infer_##which,               \
        .is_affine = 1,                       \
        .forward = forward_##which,           \
        .backward = backward_##which,         \
    }

PADDING(zero_padding1d, "ZeroPadding1D", 1, pad);
PADDING(zero_padding2d, "ZeroPadding2D", 2, pad);
PADDING(zero_padding3d, "ZeroPadding3D", 3, pad);
PADDING(cropping1d, "Cropping1D", 1, crop);
PADDING(cropping2d, "Cropping2D", 2, crop);
PADDING(cropping3d, "Cropping3D", 3, crop);
