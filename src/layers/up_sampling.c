/* up_sampling.c - UpSampling1D, UpSampling2D, UpSampling3D: each cell repeated, or, in two
 * dimensions, a mean of its neighbours with half-pixel centres, as TensorFlow 2 has it. */
#include <stddef.h>

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

/* Plane by plane: an output plane is an input plane whose rows and columns are repeated. Axes that
 * the layer lacks have size 1 and come first. */
static void forward_nearest(const cx_layer *l, const cx_call *c)
{
    const up_config *k = l->cfg;
    int rank = l->kind->rank;
    const cx_shape *in = &c->x[0]->shape;
    int64_t size[CX_SPACE], by[CX_SPACE];
    for (int w = 0; w < CX_SPACE; w++) {
        int a = w - (CX_SPACE - rank);
        size[w] = a < 0 ? 1 : in->d[1 + a];
        by[w] = a < 0 ? 1 : k->size[a];
    }
    int64_t channels = in->d[rank + 1], row = size[CX_WIDTH] * channels;
    int64_t plane = size[CX_HEIGHT] * row;
    int64_t out_row = row * by[CX_WIDTH], out_plane = plane * by[CX_HEIGHT] * by[CX_WIDTH];
    const cx_box box = {
        .ndim = 5,
        .size = {size[CX_HEIGHT], by[CX_HEIGHT], size[CX_WIDTH], by[CX_WIDTH], channels},
        .from = {row, 0, channels, 0, 1},
        .to = {out_row * by[CX_HEIGHT], out_row, channels * by[CX_WIDTH], channels, 1}};
    int64_t planes = in->d[0] * size[CX_DEPTH] * by[CX_DEPTH];
    for (int64_t p = 0; p < planes; p++)
        cx_copy_box(&box, c->x[0]->data + p / by[CX_DEPTH] * plane, c->y->data + p * out_plane);
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const up_config *k = l->cfg;
    const cx_shape *in = &c->x[0]->shape, *out = &c->y->shape;
    if (k->interpolation == CX_NEAREST) {
        forward_nearest(l, c);
        return;
    }
    const cx_resize r = {.batch = in->d[0],
                         .channels = in->d[3],
                         .in = {in->d[1], in->d[2]},
                         .out = {out->d[1], out->d[2]},
                         .size = {in->d[1], in->d[2]},
                         .how = (cx_interpolation)k->interpolation};
    cx_resize_forward(&r, c->x[0]->data, c->y->data);
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
        .forward = forward,                   \
    }

UP(up_sampling1d, "UpSampling1D", fields, 1);
UP(up_sampling2d, "UpSampling2D", fields_2d, 2);
UP(up_sampling3d, "UpSampling3D", fields, 3);
