/* up_sampling.c - UpSampling1D, UpSampling2D, UpSampling3D: each cell repeated, or, in two
 * dimensions, the bilinear mean of its neighbours with half-pixel centres. */
#include <math.h>
#include <stddef.h>

#include "layers/layer.h"

enum { NEAREST, BILINEAR };
static const char *const interpolations[] = {"nearest", "bilinear", NULL};

typedef struct up_config {
    int64_t size[CX_SPACE];
    int interpolation;
} up_config;

#define AT(member) offsetof(up_config, member)
static const cx_field fields[] = {
    {"size|length", CX_INTS, AT(size), 2, 1, CX_MAX_KERNEL, NULL},
    {0},
};
static const cx_field fields_2d[] = {
    {"size", CX_INTS, AT(size), 2, 1, CX_MAX_KERNEL, NULL},
    {"interpolation", CX_WORD, AT(interpolation), NEAREST, 0, 0, interpolations},
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

/* Where output cell o lies between two input cells: low + share of the way to high. */
typedef struct between {
    int64_t low, high;
    float share;
} between;

static between locate(int64_t o, int64_t by, int64_t n)
{
    double at = ((double)o + 0.5) / (double)by - 0.5;
    double floor_at = floor(at);
    int64_t low = (int64_t)floor_at;
    return (between){low < 0 ? 0 : low, low + 1 < n ? low + 1 : n - 1, (float)(at - floor_at)};
}

static void forward_bilinear(const cx_layer *l, const cx_call *c)
{
    const up_config *k = l->cfg;
    const cx_shape *in = &c->x[0]->shape, *out = &c->y->shape;
    int64_t channels = in->d[3], row = in->d[2] * channels;
    float *y = c->y->data;
    for (int64_t p = 0; p < in->d[0] * out->d[1]; p++) {
        between v = locate(p % out->d[1], k->size[0], in->d[1]);
        const float *image = c->x[0]->data + p / out->d[1] * in->d[1] * row;
        const float *top = image + v.low * row, *bottom = image + v.high * row;
        for (int64_t i = 0; i < out->d[2]; i++, y += channels) {
            between h = locate(i, k->size[1], in->d[2]);
            const float *tl = top + h.low * channels, *tr = top + h.high * channels;
            const float *bl = bottom + h.low * channels, *br = bottom + h.high * channels;
            for (int64_t n = 0; n < channels; n++) {
                float above = tl[n] + (tr[n] - tl[n]) * h.share;
                float below = bl[n] + (br[n] - bl[n]) * h.share;
                y[n] = above + (below - above) * v.share;
            }
        }
    }
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const up_config *k = l->cfg;
    if (k->interpolation == BILINEAR)
        forward_bilinear(l, c);
    else
        forward_nearest(l, c);
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
