/* pooling.c - MaxPooling and AveragePooling over one, two and three axes. Cells that padding adds
 * neither win nor count. */
#include <stddef.h>

#include "layers/layer.h"

#define AT(member) offsetof(cx_window_config, member)
static const cx_field fields[] = {
    {"pool_size|pool_length", CX_INTS, AT(kernel), 2, 1, CX_MAX_KERNEL, NULL},
    {"strides|stride", CX_INTS, AT(stride), 0, 1, CX_MAX_KERNEL, NULL},
    {"padding|border_mode", CX_WORD, AT(padding), CX_VALID, 0, 0, cx_padding_words},
    {0},
};

static int configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                     cx_arena *arena, cvs_error *err)
{
    cx_window_config *k = l->cfg;
    (void)config;
    (void)context;
    (void)arena;
    (void)err;
    for (int a = 0; a < CX_SPACE; a++) {
        k->dilation[a] = 1;
        if (k->stride[a] == 0) k->stride[a] = k->kernel[a]; /* strides null: no overlap */
    }
    return 0;
}

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    int rank = l->kind->rank, rc;
    cx_window w;
    TRY(cx_expect_input(in, n_in, rank + 2, err));
    TRY(cx_window_of(&w, l->cfg, rank, in, err));
    *out = cx_window_shape(&w, rank, in->d[rank + 1]);
out:
    return rc;
}

static void forward_max(const cx_layer *l, const cx_call *c)
{
    const cx_shape *in = &c->x[0]->shape;
    cx_window w;
    (void)cx_window_of(&w, l->cfg, l->kind->rank, in, NULL); /* accepted by infer */
    cx_max_pool_forward(&w, in->d[in->ndim - 1], c->x[0]->data, c->y->data);
}

static void forward_average(const cx_layer *l, const cx_call *c)
{
    const cx_shape *in = &c->x[0]->shape;
    cx_window w;
    (void)cx_window_of(&w, l->cfg, l->kind->rank, in, NULL); /* accepted by infer */
    cx_average_pool_forward(&w, in->d[in->ndim - 1], c->x[0]->data, c->y->data);
}

static int as_pooling_max(const cx_layer *l, const cx_shape *in, cx_window *out)
{
    return cx_window_of(out, l->cfg, l->kind->rank, in, NULL) == 0;
}

static void reads(const cx_layer *l, const cx_shape *in, int64_t channel, cx_reads *out,
                  float *kernel)
{
    (void)kernel;
    (void)cx_window_of(&out->window, l->cfg, l->kind->rank, in, NULL); /* accepted by infer */
    out->how = l->kind->as_pooling ? CX_READS_LARGEST : CX_READS_MEAN;
    out->first = channel;
    out->channels = 1;
}

static void backward_max(const cx_layer *l, const cx_backward_call *c)
{
    const cx_shape *in = &c->x[0]->shape;
    cx_window w;
    (void)cx_window_of(&w, l->cfg, l->kind->rank, in, NULL); /* accepted by infer */
    (c->rectify ? cx_max_pool_relu_backward : cx_max_pool_backward)(
        &w, in->d[in->ndim - 1], c->x[0]->data, c->y->data, c->dy->data, c->dx[0]->data);
}

static void backward_average(const cx_layer *l, const cx_backward_call *c)
{
    const cx_shape *in = &c->x[0]->shape;
    cx_window w;
    (void)cx_window_of(&w, l->cfg, l->kind->rank, in, NULL); /* accepted by infer */
    cx_average_pool_backward(&w, in->d[in->ndim - 1], c->dy->data, c->dx[0]->data);
}

enum { is_affine_max = 0, is_affine_average = 1, rectifies_max = 1, rectifies_average = 0 };
#define as_pooling_average NULL

#define POOLING(symbol, name, alias, axes, which)      \
    const cx_layer_kind cx_layer_##symbol = {          \
        .class_name = name,                            \
        .aliases = (const char *const[]){alias, NULL}, \
        .cfg_size = sizeof(cx_window_config),          \
        .fields = fields,                              \
        .rank = axes,                                  \
        .has_data_format = 1,                          \
        .is_pool = 1,                                  \
        .configure = configure,                        \
        .infer = infer,                                \
        .is_affine = is_affine_##which,                \
        .rectifies = rectifies_##which,                \
        .as_pooling = as_pooling_##which,              \
        .reads = reads,                                \
        .forward = forward_##which,                    \
        .backward = backward_##which,                  \
    }

POOLING(max_pooling1d, "MaxPooling1D", "MaxPool1D", 1, max);
POOLING(max_pooling2d, "MaxPooling2D", "MaxPool2D", 2, max);
POOLING(max_pooling3d, "MaxPooling3D", "MaxPool3D", 3, max);
POOLING(average_pooling1d, "AveragePooling1D", "AvgPool1D", 1, average);
POOLING(average_pooling2d, "AveragePooling2D", "AvgPool2D", 2, average);
POOLING(average_pooling3d, "AveragePooling3D", "AvgPool3D", 3, average);
