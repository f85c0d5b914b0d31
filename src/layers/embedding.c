/* embedding.c - Embedding: each whole number of the input becomes the row of a table. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "layers/layer.h"

typedef struct embedding_config {
    int64_t rows, width;
} embedding_config;

#define AT(member) offsetof(embedding_config, member)
static const cx_field fields[] = {
    {"input_dim", CX_INT, AT(rows), NAN, 1, 1 << 28, NULL},
    {"output_dim", CX_INT, AT(width), NAN, 1, CX_MAX_CHANNELS, NULL},
    {0},
};

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const embedding_config *k = l->cfg;
    int rc;
    TRY(cx_expect_input(in, n_in, 0, err));
    if (in->ndim >= CX_MAX_DIMS)
        return cx_fail(err, CVS_E_UNSUPPORTED, "more than %d axes", CX_MAX_DIMS);
    *out = in[0];
    out->d[out->ndim++] = k->width;
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

static int weights(const cx_layer *l, const cx_shape *in, int n_in,
                   cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    const embedding_config *k = l->cfg;
    (void)in;
    (void)n_in;
    (void)err;
    out[0] = (cx_weight_spec){.name = "embeddings", .shape = {2, {k->rows, k->width}}};
    return 1;
}

/* A number that has no row gives NaN, which is reported; Keras leaves it to the machine. */
static void forward(const cx_layer *l, const cx_call *c)
{
    const embedding_config *k = l->cfg;
    const int64_t n = cx_shape_count(&c->x[0]->shape);
    float *y = c->y->data;
    for (int64_t i = 0; i < n; i++, y += k->width) {
        const float id = c->x[0]->data[i];
        if (id > -1 && (double)id < (double)k->rows)
            memcpy(y, l->w[0].data + (int64_t)id * k->width, (size_t)k->width * sizeof *y);
        else
            for (int64_t o = 0; o < k->width; o++) y[o] = NAN;
    }
}

/* What is given are places in a table, on which nothing depends smoothly. */
static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const embedding_config *k = l->cfg;
    const int64_t n = cx_shape_count(&c->x[0]->shape);
    const float *dy = c->dy->data;
    float *dw = cx_dw(c, 0);
    if (c->dx[0]) memset(c->dx[0]->data, 0, (size_t)n * sizeof(float));
    for (int64_t i = 0; dw && i < n; i++, dy += k->width) {
        const float id = c->x[0]->data[i];
        if (!(id > -1 && (double)id < (double)k->rows)) continue;
        float *row = dw + (int64_t)id * k->width;
        cx_binary_forward(CX_ADD, k->width, row, dy, row);
    }
}

const cx_layer_kind cx_layer_embedding = {
    .class_name = "Embedding",
    .family = CX_CONNECTING,
    .cfg_size = sizeof(embedding_config),
    .fields = fields,
    .moves_axes = 1,
    .infer = infer,
    .weights = weights,
    .forward = forward,
    .backward = backward,
};
