/* resizing.c - Resizing, CenterCrop and, as it is at inference, RandomCrop: the whole image, or a
 * part of it that has the proportions of the result, brought to a fixed size. */
#include <math.h>
#include <stddef.h>

#include "layers/layer.h"

enum { MOST = 1 << 15 }; /* of a side */

typedef struct resizing_config {
    int64_t side[2]; /* height, width */
    int interpolation, crop, pad;
    int fill_mode, antialias; /* one value each is known */
    double fill;
} resizing_config;

#define AT(member) offsetof(resizing_config, member)
static const char *const fill_words[] = {"constant", NULL};
static const cx_field resizing_fields[] = {
    {"height", CX_INT, AT(side[0]), NAN, 1, MOST, NULL},
    {"width", CX_INT, AT(side[1]), NAN, 1, MOST, NULL},
    {"crop_to_aspect_ratio", CX_BOOL, AT(crop), 0, 0, 1, NULL},
    {"pad_to_aspect_ratio", CX_BOOL, AT(pad), 0, 0, 1, NULL},
    {"fill_value", CX_NUMBER, AT(fill), 0, -1e30, 1e30, NULL},
    {"fill_mode", CX_WORD, AT(fill_mode), 0, 0, 0, fill_words},
    {"antialias", CX_BOOL, AT(antialias), 0, 0, 0, NULL},
    {"interpolation", CX_WORD, AT(interpolation), CX_BILINEAR, 0, 0, cx_interpolation_words},
    {0},
};
static const cx_field crop_fields[] = {
    {"height", CX_INT, AT(side[0]), NAN, 1, MOST, NULL},
    {"width", CX_INT, AT(side[1]), NAN, 1, MOST, NULL},
    {0},
};

static int crop_configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                          cx_arena *arena, cvs_error *err)
{
    resizing_config *k = l->cfg;
    (void)config;
    (void)context;
    (void)arena;
    (void)err;
    k->interpolation = CX_BILINEAR;
    k->crop = 1;
    return 0;
}

/* Keras computes sides of the proportions wanted in floating point and cuts the fraction off. */
static int64_t in_proportion(int64_t other, int64_t wanted, int64_t wanted_other)
{
    return (int64_t)((double)other * (double)wanted / (double)wanted_other);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The largest part of the image with the result's proportions, in the middle; or all of it. */
static cx_resize part_of(const resizing_config *k, const cx_shape *in)
{
    cx_resize r = {.batch = in->d[0],
                   .channels = in->d[3],
                   .in = {in->d[1], in->d[2]},
                   .out = {k->side[0], k->side[1]},
                   .size = {in->d[1], in->d[2]},
                   .how = (cx_interpolation)k->interpolation};
    for (int a = 0; k->crop && a < 2; a++) {
        const int64_t side = in_proportion(r.in[!a], r.out[a], r.out[!a]);
        r.size[a] = side < 1 ? 1 : least(r.in[a], side);
        r.from[a] = (r.in[a] - r.size[a]) / 2;
    }
    return r;
}

/* Rows and columns that are put on either end so that the image has the result's proportions: where
 * their number is odd, Keras leaves the last one out. */
static void border_of(int64_t border[2], const resizing_config *k, const cx_shape *in)
{
    for (int a = 0; a < 2; a++) {
        const int64_t side = in_proportion(in->d[2 - a], k->side[a], k->side[!a]);
        border[a] = k->pad && !k->crop && side > in->d[1 + a] ? (side - in->d[1 + a]) / 2 : 0;
    }
}

static cx_shape bordered(const cx_shape *in, const int64_t border[2])
{
    cx_shape s = *in;
    s.d[1] += 2 * border[0];
    s.d[2] += 2 * border[1];
    return s;
}

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const resizing_config *k = l->cfg;
    int64_t border[2];
    int rc;
    TRY(cx_expect_input(in, n_in, 4, err));
    if (in->d[1] != CX_FREE && in->d[2] != CX_FREE) {
        border_of(border, k, in);
        *out = bordered(in, border);
        TRY(cx_expect_size(out, err));
    }
    *out = in[0];
    out->d[1] = k->side[0];
    out->d[2] = k->side[1];
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    int64_t border[2];
    (void)n_in;
    (void)out;
    border_of(border, l->cfg, in);
    const cx_shape s = bordered(in, border);
    return border[0] || border[1] ? (size_t)cx_shape_count(&s) * sizeof(float) : 0;
}

/* How the image is copied into the one with a border, from its cell `*offset` on. */
static cx_box border_box(const cx_shape *in, const int64_t border[2], int64_t *offset)
{
    const cx_shape s = bordered(in, border);
    const int64_t row = s.d[2] * s.d[3];
    *offset = border[0] * row + border[1] * s.d[3];
    return (cx_box){.ndim = 3,
                    .size = {in->d[0], in->d[1], in->d[2] * in->d[3]},
                    .from = {in->d[1] * in->d[2] * in->d[3], in->d[2] * in->d[3], 1},
                    .to = {s.d[1] * row, row, 1}};
}

/* The image with its border, of the colour that the layer fills with. */
static void put_border(const cx_shape *in, const int64_t border[2], float fill, const float *x,
                       float *y)
{
    const cx_shape s = bordered(in, border);
    const int64_t n = cx_shape_count(&s);
    int64_t offset;
    const cx_box box = border_box(in, border, &offset);
    for (int64_t i = 0; i < n; i++) y[i] = fill;
    cx_copy_box(&box, x, y + offset);
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const resizing_config *k = l->cfg;
    const cx_shape *in = &c->x[0]->shape;
    const float *x = c->x[0]->data;
    int64_t border[2];
    border_of(border, k, in);
    const cx_shape s = bordered(in, border);
    if (border[0] || border[1]) {
        put_border(in, border, (float)k->fill, x, c->workspace);
        x = c->workspace;
    }
    const cx_resize r = part_of(k, &s);
    cx_resize_forward(&r, x, c->y->data);
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const resizing_config *k = l->cfg;
    const cx_shape *in = &c->x[0]->shape;
    int64_t border[2], offset;
    border_of(border, k, in);
    const cx_shape s = bordered(in, border);
    const cx_resize r = part_of(k, &s);
    const int has_border = border[0] || border[1];
    float *dx = has_border ? c->workspace : c->dx[0]->data;
    cx_resize_backward(&r, c->dy->data, dx);
    if (!has_border) return;
    const cx_box box = border_box(in, border, &offset), back = cx_box_back(&box);
    cx_copy_box(&back, dx + offset, c->dx[0]->data);
}

/* An image that is large enough is not resized: its middle is cut out. */
static cx_resize center_of(const cx_layer *l, const cx_shape *in)
{
    const resizing_config *k = l->cfg;
    cx_resize r = part_of(k, in);
    if (r.in[0] >= r.out[0] && r.in[1] >= r.out[1]) {
        r.how = CX_NEAREST;
        for (int a = 0; a < 2; a++) {
            r.size[a] = r.out[a];
            r.from[a] = (r.in[a] - r.out[a]) / 2;
        }
    }
    return r;
}

static void center_forward(const cx_layer *l, const cx_call *c)
{
    const cx_resize r = center_of(l, &c->x[0]->shape);
    cx_resize_forward(&r, c->x[0]->data, c->y->data);
}

static void center_backward(const cx_layer *l, const cx_backward_call *c)
{
    const cx_resize r = center_of(l, &c->x[0]->shape);
    cx_resize_backward(&r, c->dy->data, c->dx[0]->data);
}

const cx_layer_kind cx_layer_resizing = {
    .class_name = "Resizing",
    .family = CX_RESHAPING,
    .cfg_size = sizeof(resizing_config),
    .fields = resizing_fields,
    .rank = 2,
    .has_data_format = 1,
    .infer = infer,
    .workspace = workspace,
    .is_affine = 1,
    .forward = forward,
    .backward = backward,
    .backward_workspace = workspace,
};

const cx_layer_kind cx_layer_center_crop = {
    .class_name = "CenterCrop",
    .family = CX_RESHAPING,
    .cfg_size = sizeof(resizing_config),
    .fields = crop_fields,
    .rank = 2,
    .has_data_format = 1,
    .configure = crop_configure,
    .infer = infer,
    .is_affine = 1,
    .forward = center_forward,
    .backward = center_backward,
};

const cx_layer_kind cx_layer_random_crop = {
    .class_name = "RandomCrop",
    .untrainable = "its random places",
    .family = CX_RESHAPING,
    .cfg_size = sizeof(resizing_config),
    .fields = crop_fields,
    .rank = 2,
    .has_data_format = 1,
    .configure = crop_configure,
    .infer = infer,
    .is_affine = 1,
    .forward = forward,
    .backward = backward,
};
