/* up_sampling.c - UpSampling1D, UpSampling2D, UpSampling3D: each cell repeated, or, in two
 * dimensions, a mean of its neighbours with half-pixel centres, as TensorFlow 2 has it. */
#include <stddef.h>
#include <string.h>

#include "layers/layer.h"

typedef struct up_config {
    int64_t size[CX_SPACE];
    int interpolation; /* cx_interpolation */
} up_config;

#define AT(member) offsetof(up_config, member)
static const cx_field fields[] = {
    {"size|length", CX_INTS, AT(size), 2, 1, CX_MAX_KERNEL, NULL},
    {0},
};
static const cx_field fields_2d[] = {
    {"size", CX_INTS, AT(size), 2, 1, CX_MAX_KERNEL, NULL},
    {"interpolation", CX_WORD, AT(interpolation), CX_NEAREST, 0, 0, cx_interpolation_words},
    {0},
};

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const up_config *k = l->cfg;
    int rank = l->kind->rank, rc;
    TRY(cx_expect_input(in, n_in, rank + 2, err));
    *out = in[0];
    for (int a = 1; a <= rank; a++)
        if (in->d[a] != CX_FREE) out->d[a] *= k->size[a - 1];
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

/* An output plane is an input plane whose rows and columns are repeated. Axes that the layer lacks
 * have size 1 and come first. */
typedef struct planes {
    cx_box box; /* of one output plane */
    int64_t n, repeats, in_size, out_size;
} planes;

static planes planes_of(const cx_layer *l, const cx_shape *in)
{
    const up_config *k = l->cfg;
    const int rank = l->kind->rank;
    int64_t size[CX_SPACE], by[CX_SPACE];
    for (int w = 0; w < CX_SPACE; w++) {
        int a = w - (CX_SPACE - rank);
        size[w] = a < 0 ? 1 : in->d[1 + a];
        by[w] = a < 0 ? 1 : k->size[a];
    }
    const int64_t channels = in->d[rank + 1], row = size[CX_WIDTH] * channels;
    const int64_t plane = size[CX_HEIGHT] * row, out_row = row * by[CX_WIDTH];
    return (planes){
        .box = {.ndim = 5,
                .size = {size[CX_HEIGHT], by[CX_HEIGHT], size[CX_WIDTH], by[CX_WIDTH], channels},
                .from = {row, 0, channels, 0, 1},
                .to = {out_row * by[CX_HEIGHT], out_row, channels * by[CX_WIDTH], channels, 1}},
        .n = in->d[0] * size[CX_DEPTH] * by[CX_DEPTH],
        .repeats = by[CX_DEPTH],
        .in_size = plane,
        .out_size = plane * by[CX_HEIGHT] * by[CX_WIDTH]};
}

static cx_resize resize_of(const cx_layer *l, const cx_shape *in, const cx_shape *out)
{
    const up_config *k = l->cfg;
    return (cx_resize){.batch = in->d[0],
                       .channels = in->d[3],
                       .in = {in->d[1], in->d[2]},
                       .out = {out->d[1], out->d[2]},
                       .size = {in->d[1], in->d[2]},
                       .how = (cx_interpolation)k->interpolation};
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const up_config *k = l->cfg;
    const cx_shape *in = &c->x[0]->shape;
    if (k->interpolation != CX_NEAREST) {
        const cx_resize r = resize_of(l, in, &c->y->shape);
        cx_resize_forward(&r, c->x[0]->data, c->y->data);
        return;
    }
    const planes p = planes_of(l, in);
    for (int64_t i = 0; i < p.n; i++)
        cx_copy_box(&p.box, c->x[0]->data + i / p.repeats * p.in_size, c->y->data + i * p.out_size);
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const up_config *k = l->cfg;
    const cx_shape *in = &c->x[0]->shape;
    float *dx = c->dx[0]->data;
    if (k->interpolation != CX_NEAREST) {
        const cx_resize r = resize_of(l, in, &c->dy->shape);
        cx_resize_backward(&r, c->dy->data, dx);
        return;
    }
    const planes p = planes_of(l, in);
    const cx_box back = cx_box_back(&p.box);
    memset(dx, 0, (size_t)cx_shape_count(in) * sizeof *dx);
    for (int64_t i = 0; i < p.n; i++)
        cx_add_box(&back, c->dy->data + i * p.out_size, dx + i / p.repeats * p.in_size);
}

#define UP(symbol, name, table, axes)         \
    const cx_layer_kind cx_layer_##symbol = { \
        .class_name = name,                   \
        .family = CX_RESHAPING,               \
        .cfg_size = sizeof(up_config),        \
        .fields = table,                      \
        .rank = axes,                         \
        .has_data_format = 1,                 \
        .infer = infer,                       \
        .is_affine = 1,                       \
        .forward = forward,                   \
        .backward = backward,                 \
    }

UP(up_sampling1d, "UpSampling1D", fields, 1);
UP(up_sampling2d, "UpSampling2D", fields_2d, 2);
UP(up_sampling3d, "UpSampling3D", fields, 3);
