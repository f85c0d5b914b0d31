/* global_pooling.c - GlobalMaxPooling and GlobalAveragePooling: one number a channel. */
#include <stddef.h>

#include "layers/layer.h"

typedef struct global_config {
    int keepdims;
} global_config;

static const cx_field fields[] = {
    {"keepdims", CX_BOOL, offsetof(global_config, keepdims), 0, 0, 1, NULL},
    {0},
};

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const global_config *k = l->cfg;
    int rank = l->kind->rank, rc;
    TRY(cx_expect_input(in, n_in, rank + 2, err));
    *out = (cx_shape){2, {in->d[0], in->d[rank + 1]}};
    if (k->keepdims) *out = cx_shape_lifted(out, rank + 2);
out:
    return rc;
}

static void forward_max(const cx_layer *l, const cx_call *c)
{
    const cx_shape *in = &c->x[0]->shape;
    int last = l->kind->rank + 1;
    cx_global_max_forward(in->d[0], cx_shape_count_range(in, 1, last), in->d[last], c->x[0]->data,
                          c->y->data);
}

static void forward_average(const cx_layer *l, const cx_call *c)
{
    const cx_shape *in = &c->x[0]->shape;
    int last = l->kind->rank + 1;
    cx_global_average_forward(in->d[0], cx_shape_count_range(in, 1, last), in->d[last],
                              c->x[0]->data, c->y->data);
}

static void backward_max(const cx_layer *l, const cx_backward_call *c)
{
    const cx_shape *in = &c->x[0]->shape;
    int last = l->kind->rank + 1;
    cx_global_max_backward(in->d[0], cx_shape_count_range(in, 1, last), in->d[last], c->x[0]->data,
                           c->y->data, c->dy->data, c->dx[0]->data);
}

static void backward_average(const cx_layer *l, const cx_backward_call *c)
{
    const cx_shape *in = &c->x[0]->shape;
    int last = l->kind->rank + 1;
    cx_global_average_backward(in->d[0], cx_shape_count_range(in, 1, last), in->d[last],
                               c->dy->data, c->dx[0]->data);
}

static void reads(const cx_layer *l, const cx_shape *in, int64_t channel, cx_reads *out,
                  float *kernel)
{
    const int rank = l->kind->rank;
    (void)kernel;
    for (int a = 0; a < CX_SPACE; a++) {
        const int own = a - (CX_SPACE - rank);
        out->window.kernel[a] = own < 0 ? 1 : in->d[1 + own];
        out->window.stride[a] = out->window.dilation[a] = 1;
    }
    out->how = l->kind->is_affine ? CX_READS_MEAN : CX_READS_LARGEST;
    out->first = channel;
    out->channels = 1;
}

enum { is_affine_max = 0, is_affine_average = 1 };

#define GLOBAL(symbol, name, alias, axes, which)       \
    const cx_layer_kind cx_layer_##symbol = {          \
        .class_name = name,                            \
        .aliases = (const char *const[]){alias, NULL}, \
        .cfg_size = sizeof(global_config),             \
        .fields = fields,                              \
        .rank = axes,                                  \
        .has_data_format = 1,                          \
        .is_pool = 1,                                  \
        .infer = infer,                                \
        .is_affine = is_affine_##which,                \
        .reads = reads,                                \
        .forward = forward_##which,                    \
        .backward = backward_##which,                  \
    }

GLOBAL(global_max_pooling1d, "GlobalMaxPooling1D", "GlobalMaxPool1D", 1, max);
GLOBAL(global_max_pooling2d, "GlobalMaxPooling2D", "GlobalMaxPool2D", 2, max);
GLOBAL(global_max_pooling3d, "GlobalMaxPooling3D", "GlobalMaxPool3D", 3, max);
GLOBAL(global_average_pooling1d, "GlobalAveragePooling1D", "GlobalAvgPool1D", 1, average);
GLOBAL(global_average_pooling2d, "GlobalAveragePooling2D", "GlobalAvgPool2D", 2, average);
GLOBAL(global_average_pooling3d, "GlobalAveragePooling3D", "GlobalAvgPool3D", 3, average);
