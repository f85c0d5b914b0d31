/* operation_slice.c - x[…] with numbers, ranges, "..." and new axes, by Python's rules. */
#include <string.h>

#include "base/str.h"
#include "layers/layer.h"

/* Ends of a range; no axis is longer. */
#define FARTHEST ((double)(INT64_C(1) << 40))

typedef enum item_kind { RANGE, INDEX, NEW_AXIS, REST } item_kind;

typedef struct item {
    item_kind kind;
    int has_start, has_stop;
    int64_t start, stop, step; /* of an INDEX: start alone */
} item;

enum { MAX_ITEMS = 2 * CX_MAX_DIMS };

typedef struct slice_config {
    item items[MAX_ITEMS];
    int n, n_axes; /* how many of the input's axes the items are for, REST left out */
} slice_config;

static const item whole = {.kind = RANGE, .step = 1};

/* --- configuration --- */

static int read_end(int64_t *out, int *has, const cx_json *range, const char *key, cvs_error *err)
{
    const cx_json *v = cx_config_get(range, key, NULL);
    *has = v != NULL;
    if (!v) return 0;
    if (!cx_json_is_number(v))
        return cx_fail(err, CVS_E_UNSUPPORTED, "a range by %s is not supported", cx_json_kind(v));
    return cx_config_int(out, v, key, -FARTHEST, FARTHEST, err);
}

/* {"start", "stop", "step"} in Keras 2, in Keras 3 {"class_name": "__slice__"} with these inside.
 */
static int read_range(item *out, const cx_json *v, cvs_error *err)
{
    const cx_json *inner = cx_json_get(v, "config");
    int has_step, rc;
    if (inner) v = inner;
    *out = whole;
    TRY(read_end(&out->start, &out->has_start, v, "start", err));
    TRY(read_end(&out->stop, &out->has_stop, v, "stop", err));
    TRY(read_end(&out->step, &has_step, v, "step", err));
    if (out->step == 0) return cx_fail(err, CVS_E_FORMAT, "a range with a step of 0");
out:
    return rc;
}

static int read_item(item *out, const cx_json *v, cvs_error *err)
{
    const char *word = cx_json_string(cx_json_get(v, "class_name"), "");
    *out = (item){0};
    if (cx_json_is_null(v))
        out->kind = NEW_AXIS;
    else if (cx_streq(word, "__ellipsis__"))
        out->kind = REST;
    else if (cx_json_is_number(v)) {
        out->kind = INDEX;
        return cx_config_int(&out->start, v, "index", -FARTHEST, FARTHEST, err);
    } else if (cx_json_is_object(v) && (!*word || cx_streq(word, "__slice__")))
        return read_range(out, v, err);
    else
        return cx_fail(err, CVS_E_UNSUPPORTED, "an index that is %s is not supported",
                       cx_json_kind(v));
    return 0;
}

static int configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                     cx_arena *arena, cvs_error *err)
{
    slice_config *k = l->cfg;
    const cx_json *items = cx_config_get(config, "items", NULL);
    const int is_list = cx_json_is_array(items);
    const size_t n = is_list ? cx_json_size(items) : 1;
    int rc = 0, rests = 0;
    (void)context;
    (void)arena;
    if (n > MAX_ITEMS) return cx_fail(err, CVS_E_UNSUPPORTED, "%zu indices", n);
    for (k->n = 0; (size_t)k->n < n; k->n++) {
        const cx_json *v = is_list ? cx_json_at(items, (size_t)k->n) : items;
        item *i = &k->items[k->n];
        TRY(read_item(i, cx_config_unwrap((cx_json *)(uintptr_t)v), err));
        k->n_axes += i->kind == RANGE || i->kind == INDEX;
        rests += i->kind == REST;
    }
    if (rests > 1) return cx_fail(err, CVS_E_FORMAT, "\"...\" stands in it twice");
out:
    return rc;
}

/* --- shapes --- */

/* The part of a tensor that is taken. Where the shape has free sizes, only `out` means anything. */
typedef struct cut {
    cx_shape out;
    cx_box box;
    int64_t first; /* place of its first number */
} cut;

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* What Python's slice.indices() says: where a range begins, and how many there are. */
static int64_t range_count(int64_t *first, const item *i, int64_t size)
{
    const int64_t low = i->step > 0 ? 0 : -1, high = i->step > 0 ? size : size - 1;
    int64_t start = i->step > 0 ? low : high, stop = i->step > 0 ? high : low;
    if (i->has_start) start = clamp(i->start + (i->start < 0 ? size : 0), low, high);
    if (i->has_stop) stop = clamp(i->stop + (i->stop < 0 ? size : 0), low, high);
    *first = start;
    const int64_t span = i->step > 0 ? stop - start : start - stop;
    const int64_t stride = i->step > 0 ? i->step : -i->step;
    return span > 0 ? (span + stride - 1) / stride : 0;
}

/* An axis of which `size` numbers are taken, each `step` times `stride` behind the one before. Only
 * where there are several is their distance known to be one within the tensor. */
static int add_axis(cut *c, int64_t size, int64_t step, int64_t stride, cvs_error *err)
{
    if (c->out.ndim == CX_MAX_DIMS)
        return cx_fail(err, CVS_E_UNSUPPORTED, "more than %d axes are not supported", CX_MAX_DIMS);
    c->box.size[c->out.ndim] = size;
    c->box.from[c->out.ndim] = size > 1 ? step * stride : 0;
    c->out.d[c->out.ndim++] = size;
    return 0;
}

/* Take one axis of the input. */
static int take(cut *c, const item *i, const cx_shape *in, int axis, cvs_error *err)
{
    const int64_t size = in->d[axis], stride = cx_shape_count_range(in, axis + 1, in->ndim);
    int64_t first = 0, n = CX_FREE;
    if (axis == 0 && (i->kind == INDEX || i->start != 0 || i->has_stop || i->step != 1))
        return cx_fail(err, CVS_E_UNSUPPORTED, "parts of the batch are not supported");
    if (i->kind == INDEX) {
        first = i->start < 0 && size != CX_FREE ? i->start + size : i->start;
        if (size != CX_FREE && (first < 0 || first >= size))
            return cx_fail(err, CVS_E_FORMAT, "axis %d has %lld entries and none at %lld", axis,
                           (long long)size, (long long)i->start);
        if (size != CX_FREE) c->first += first * stride;
        return 0;
    }
    if (size != CX_FREE) n = range_count(&first, i, size);
    c->first += first * stride;
    return add_axis(c, n, i->step, stride, err);
}

static int cut_of(cut *c, const slice_config *k, const cx_shape *in, cvs_error *err)
{
    int rc = 0, axis = 0;
    int64_t to = 1;
    *c = (cut){0};
    if (k->n_axes > in->ndim)
        return cx_fail(err, CVS_E_FORMAT, "%d indices for %d axes", k->n_axes, in->ndim);
    for (int n = 0; n < k->n; n++) {
        const item *i = &k->items[n];
        if (i->kind == NEW_AXIS && axis == 0)
            return cx_fail(err, CVS_E_UNSUPPORTED, "a new axis before the batch is not supported");
        if (i->kind == NEW_AXIS)
            TRY(add_axis(c, 1, 0, 0, err));
        else if (i->kind == REST)
            for (int rest = in->ndim - k->n_axes; rest > 0; rest--)
                TRY(take(c, &whole, in, axis++, err));
        else
            TRY(take(c, i, in, axis++, err));
    }
    while (axis < in->ndim) TRY(take(c, &whole, in, axis++, err));
    c->box.ndim = c->out.ndim;
    for (int i = c->out.ndim - 1; i >= 0; i--) {
        c->box.to[i] = to;
        to *= c->out.d[i];
    }
out:
    return rc;
}

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    cut c;
    int rc;
    TRY(cx_expect_input(in, n_in, 0, err));
    TRY(cut_of(&c, l->cfg, in, err));
    *out = c.out;
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

static void forward(const cx_layer *l, const cx_call *c)
{
    cut part;
    (void)cut_of(&part, l->cfg, &c->x[0]->shape, NULL); /* accepted by infer */
    cx_copy_box(&part.box, c->x[0]->data + part.first, c->y->data);
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    cut part;
    (void)cut_of(&part, l->cfg, &c->x[0]->shape, NULL); /* accepted by infer */
    const cx_box back = cx_box_back(&part.box);
    memset(c->dx[0]->data, 0, (size_t)cx_shape_count(&c->dx[0]->shape) * sizeof(float));
    cx_copy_box(&back, c->dy->data, c->dx[0]->data + part.first);
}

const cx_layer_kind cx_operation_slice = {
    .class_name = "GetItem",
    .family = CX_RESHAPING,
    .cfg_size = sizeof(slice_config),
    .configure = configure,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
