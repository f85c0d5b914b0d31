/* weights_fill.c - numbers of stored arrays become weights: the order of axes that Keras has now,
 * kernels turned round where they were Theano's. */
#include <string.h>

#include "base/str.h"
#include "formats/weights.h"

/* --- the order of axes --- */

static int is_kernel(const cx_slot *s)
{
    const cx_weight_spec *spec = &s->layer->w[s->index].spec;
    return s->layer->kind->is_conv && strcmp(spec->name, "kernel") == 0 && spec->shape.ndim > 2;
}

/* An order that kernels were stored in: axis i of the weight is axis[i] of the array. */
typedef struct order {
    int ndim, keras_major, channels_first, is_transposed;
    int axis[CX_MAX_DIMS];
} order;

static const order orders[] = {
    /* Keras 1 with dim_ordering "th": filters, channels, rows, columns */
    {4, 1, 1, 0, {2, 3, 1, 0}},
    {5, 1, 1, 0, {2, 3, 4, 1, 0}},
    /* its Deconvolution2D: channels before filters; with "th" both before rows and columns */
    {4, 1, 0, 1, {0, 1, 3, 2}},
    {4, 1, 1, 1, {2, 3, 0, 1}},
    /* its first Conv1D */
    {3, 1, 0, 0, {2, 1, 0}},
    /* what Keras 2 tries when a shape is wrong */
    {4, 2, 0, 0, {3, 2, 0, 1}},
};
enum { N_ORDERS = sizeof orders / sizeof *orders };

/* Keras 1 ran Conv1D as Conv2D: a kernel has an axis of size 1, the second or the last. */
static cx_shape squeezed(const cx_shape *stored, int ndim)
{
    cx_shape s = *stored;
    if (s.ndim != 4 || ndim != 3) return s;
    int drop = s.d[1] == 1 ? 1 : s.d[3] == 1 ? 3 : -1;
    if (drop < 0) return s;
    s.ndim = 3;
    for (int i = drop; i < 3; i++) s.d[i] = s.d[i + 1];
    return s;
}

static int fits(const int *axis, const cx_shape *stored, const cx_shape *wanted)
{
    if (stored->ndim != wanted->ndim) return 0;
    for (int i = 0; i < wanted->ndim; i++)
        if (stored->d[axis[i]] != wanted->d[i]) return 0;
    return 1;
}

/* The order that Keras 1 had for the layer; NULL where that is today's. */
static const int *keras1_order(const cx_layer *l, const cx_shape *stored, const cx_shape *wanted)
{
    for (int i = 0; i < N_ORDERS; i++) {
        const order *o = &orders[i];
        if (o->ndim == wanted->ndim && o->ndim > 3 && o->keras_major == 1 &&
            o->channels_first == l->channels_first && o->is_transposed == l->kind->is_transposed &&
            fits(o->axis, stored, wanted))
            return o->axis;
    }
    return NULL;
}

/* The order of axes of the array of a slot; NULL where none fits. What the layer says goes before
 * what merely fits. */
static const int *order_of(const cx_slot *s, const cx_array *array, const cx_array_file *file)
{
    static const int same[CX_MAX_DIMS] = {0, 1, 2, 3, 4, 5};
    const cx_shape *wanted = cx_slot_shape(s);
    cx_shape stored = array->shape;
    const int *axis = NULL;
    if (is_kernel(s) && file->keras_major == 1) {
        stored = squeezed(&stored, wanted->ndim);
        axis = keras1_order(s->layer, &stored, wanted);
    }
    if (axis || fits(same, &stored, wanted)) return axis ? axis : same;
    for (int i = 0; i < N_ORDERS && is_kernel(s); i++)
        if (orders[i].ndim == wanted->ndim && orders[i].keras_major >= file->keras_major &&
            fits(orders[i].axis, &stored, wanted))
            return orders[i].axis;
    return NULL;
}

int cx_slot_fits(const cx_slot *s, const cx_array *array, const cx_array_file *file)
{
    return order_of(s, array, file) != NULL;
}

int cx_slot_misfit(const cx_slot *s, cvs_error *err)
{
    char stored[CX_SHAPE_TEXT], said[CX_SHAPE_TEXT];
    return cx_fail(err, CVS_E_FORMAT, "%s has shape %s, the configuration says %s", s->array->name,
                   cx_shape_text(stored, &s->array->shape), cx_shape_text(said, cx_slot_shape(s)));
}

/* to[i] of the wanted shape from the array's order of axes. */
static void reorder(float *to, const float *from, const cx_shape *wanted, const int *axis)
{
    const int n = wanted->ndim;
    int64_t stored[CX_MAX_DIMS], stride[CX_MAX_DIMS], at[CX_MAX_DIMS] = {0}, step = 1, offset = 0;
    int64_t count = cx_shape_count(wanted);
    for (int i = 0; i < n; i++) stored[axis[i]] = wanted->d[i];
    int64_t stored_stride[CX_MAX_DIMS];
    for (int i = n - 1; i >= 0; step *= stored[i--]) stored_stride[i] = step;
    for (int i = 0; i < n; i++) stride[i] = stored_stride[axis[i]];
    for (int64_t k = 0; k < count; k++) {
        to[k] = from[offset];
        for (int i = n - 1; i >= 0; i--) {
            offset += stride[i];
            if (++at[i] < wanted->d[i]) break;
            offset -= at[i] * stride[i];
            at[i] = 0;
        }
    }
}

/* --- Theano --- */

/* A kernel with its spatial axes turned round. */
static void flip_kernel(float *kernel, const cx_shape *shape)
{
    int64_t cells = cx_shape_count_range(shape, 0, shape->ndim - 2);
    int64_t n = cx_shape_count_range(shape, shape->ndim - 2, shape->ndim);
    for (int64_t i = 0; i < cells / 2; i++)
        for (int64_t k = 0; k < n; k++) {
            float *a = &kernel[i * n + k], *b = &kernel[(cells - 1 - i) * n + k];
            float t = *a;
            *a = *b;
            *b = t;
        }
}

/* Keras 2 of many backends stored kernels as the backend used them, and Theano's convolution is the
 * true one. Depthwise and pointwise kernels were never converted; Keras 1 does not say. */
static int must_flip(const cx_slot *s, const cx_array_file *file)
{
    return file->keras_major == 2 && cx_streq(file->backend, "theano") && is_kernel(s);
}

/* --- all slots --- */

/* Whether the numbers of a slot stand in the file as they are wanted, all but their shape. */
static int is_in_order(const cx_slot *s, const cx_array_file *file)
{
    const int *axis = order_of(s, s->array, file);
    for (int i = 0; axis && i < cx_slot_shape(s)->ndim; i++)
        if (axis[i] != i) return 0;
    return axis != NULL;
}

/* Every array of the file can be used once only, which bounds the memory by the file. */
static int place_slots(cvs_model *m, cx_slot *slots, int n, const cx_array_file *file,
                       cvs_error *err)
{
    const size_t line = 64;
    size_t offset = 0;
    int64_t bytes = 0;
    int mapped = 0;
    for (int i = 0; i < n; i++) {
        cx_slot *s = &slots[i];
        int64_t count = cx_shape_count(cx_slot_shape(s));
        if (count < 0 || (bytes += count * (int64_t)sizeof(float)) > file->room)
            return cx_fail(err, CVS_E_FORMAT, "the weights are larger than the file");
        int64_t at = file->offset && is_in_order(s, file) && !must_flip(s, file)
                         ? file->offset(s->array)
                         : -1;
        s->in_file = at >= 0;
        s->offset = s->in_file ? (size_t)at : offset;
        mapped |= s->in_file;
        if (!s->in_file) offset += ((size_t)count * sizeof(float) + line - 1) / line * line;
    }
    int rc = mapped ? file->map(&m->file, file->handle, err) : 0;
    return rc < 0 ? rc : cx_block_init(&m->weights, offset, err);
}

static int fill_slot(float *data, const cx_slot *s, const cx_array_file *file, cvs_error *err)
{
    const int *axis = order_of(s, s->array, file);
    const cx_shape *wanted = cx_slot_shape(s);
    float *stored = NULL;
    int rc = 0;
    if (!axis) return cx_slot_misfit(s, err);
    if (is_in_order(s, file)) {
        TRY(file->read(data, file->handle, s->array, err));
    } else {
        size_t count = (size_t)cx_shape_count(wanted);
        stored = cx_calloc(count, sizeof *stored);
        TRY(stored ? file->read(stored, file->handle, s->array, err)
                   : cx_no_memory(err, count * sizeof *stored));
        reorder(data, stored, wanted, axis);
    }
    if (must_flip(s, file)) flip_kernel(data, wanted);
out:
    cx_free(stored);
    return rc < 0 ? cx_where(err, rc, "%s", s->array->name) : 0;
}

int cx_weights_fill(cvs_model *m, cx_slot *slots, int n, const cx_array_file *file, cvs_error *err)
{
    int rc = place_slots(m, slots, n, file, err);
    for (int i = 0; i < n && rc == 0; i++) {
        cx_slot *s = &slots[i];
        const float **data = &s->layer->w[s->index].data;
        if (s->in_file) {
            *data = (const float *)(const void *)((const uint8_t *)m->file.data + s->offset);
            continue;
        }
        float *room = (float *)(void *)((char *)m->weights.data + s->offset);
        rc = fill_slot(room, s, file, err);
        if (rc < 0) return cx_where(err, rc, "layer \"%s\"", s->layer->name);
        *data = room;
    }
    return rc;
}
