/* dot.c - Dot: for each image, the sums of products over one axis of either input,
 * y[a…][b…] = sum over i of x0[a…][i] x1[i][b…]; `normalize` brings both to length 1 along it. */
#include <stddef.h>

#include "base/str.h"
#include "layers/layer.h"

#define LEAST_SQUARE 1e-12 /* of a length */

typedef struct dot_config {
    int64_t axes[2];
    int normalize;
} dot_config;

static const cx_field fields[] = {
    {"normalize", CX_BOOL, offsetof(dot_config, normalize), 0, 0, 1, NULL},
    {0},
};

/* One axis for both inputs, or a pair. Keras 1 called it dot_axes, and normalising the mode "cos".
 */
static int configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                     cx_arena *arena, cvs_error *err)
{
    dot_config *k = l->cfg;
    cx_axes axes;
    int rc;
    (void)context;
    (void)arena;
    TRY(cx_axes_read(&axes, config, "axes|dot_axes", err));
    if (axes.n > 2) return cx_fail(err, CVS_E_FORMAT, "axes: 1 or 2 are wanted, not %d", axes.n);
    k->normalize |= cx_streq(cx_json_string(cx_json_get(config, "mode"), NULL), "cos");
    k->axes[0] = axes.axis[0];
    k->axes[1] = axes.axis[axes.n - 1];
out:
    return rc;
}

/* One image of an input: n numbers to sum over, for each place before and after them. */
typedef struct side {
    int64_t before, n, after;
} side;

static int side_of(side *out, int *axis, const dot_config *k, int i, const cx_shape *in,
                   cvs_error *err)
{
    int rc;
    *out = (side){0};
    TRY(cx_axis_of(axis, k->axes[i], in, err));
    if (*axis == 0) return cx_fail(err, CVS_E_UNSUPPORTED, "axes: 0, the batch, is not supported");
    *out = (side){cx_shape_count_range(in, 1, *axis), in->d[*axis],
                  cx_shape_count_range(in, *axis + 1, in->ndim)};
out:
    return rc;
}

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    char a[CX_SHAPE_TEXT], b[CX_SHAPE_TEXT];
    int axis[2] = {0}, rc;
    side s;
    if (n_in != 2) return cx_fail(err, CVS_E_FORMAT, "two inputs are wanted, not %d", n_in);
    for (int i = 0; i < 2; i++) {
        TRY(cx_expect_size(&in[i], err));
        TRY(side_of(&s, &axis[i], l->cfg, i, &in[i], err));
    }
    const int64_t n0 = in[0].d[axis[0]], n1 = in[1].d[axis[1]], b0 = in[0].d[0], b1 = in[1].d[0];
    if ((n0 != n1 && n0 != CX_FREE && n1 != CX_FREE) ||
        (b0 != b1 && b0 != CX_FREE && b1 != CX_FREE) || in[0].ndim + in[1].ndim - 3 > CX_MAX_DIMS)
        return cx_fail(err, CVS_E_FORMAT, "inputs %s and %s do not go together on axes %d and %d",
                       cx_shape_text(a, &in[0]), cx_shape_text(b, &in[1]), axis[0], axis[1]);
    *out = (cx_shape){.ndim = 1, .d = {b0 == CX_FREE ? b1 : b0}};
    for (int i = 0; i < 2; i++)
        for (int d = 1; d < in[i].ndim; d++)
            if (d != axis[i]) out->d[out->ndim++] = in[i].d[d];
    if (out->ndim == 1) out->d[out->ndim++] = 1;
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

/* Floats of an array in the workspace, so that the next begins on a cache line. */
static int64_t room(int64_t n)
{
    return (n + 15) / 16 * 16;
}

static int64_t rows_of(const side *s)
{
    return s->before * s->after;
}

/* The sizes of a call that infer accepted. */
static void sides_of(side s[2], const cx_layer *l, const cx_shape *a, const cx_shape *b)
{
    int axis;
    (void)side_of(&s[0], &axis, l->cfg, 0, a, NULL);
    (void)side_of(&s[1], &axis, l->cfg, 1, b, NULL);
}

/* Both inputs as rows, the second turned, and what the product wants. */
static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    side s[2];
    (void)n_in;
    (void)out;
    sides_of(s, l, &in[0], &in[1]);
    const int64_t a = room(rows_of(&s[0]) * s[0].n), b = room(rows_of(&s[1]) * s[1].n);
    return (size_t)(a + 2 * b) * sizeof(float) +
           cx_dense_workspace(rows_of(&s[0]), s[0].n, rows_of(&s[1]));
}

/* One image as rows of n, for the second input as n columns of it. */
static void gather(const side *s, const float *x, float *y)
{
    const cx_box box = {.ndim = 3,
                        .size = {s->before, s->after, s->n},
                        .from = {s->n * s->after, 1, s->after},
                        .to = {s->after * s->n, s->n, 1}};
    cx_copy_box(&box, x, y);
}

static void turn(int64_t rows, int64_t n, const float *x, float *y)
{
    const cx_box box = {.ndim = 2, .size = {n, rows}, .from = {1, n}, .to = {rows, 1}};
    cx_copy_box(&box, x, y);
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const dot_config *k = l->cfg;
    const cx_epilogue plain = cx_epilogue_of(NULL, NULL);
    side s[2];
    sides_of(s, l, &c->x[0]->shape, &c->x[1]->shape);
    const int64_t n = s[0].n, rows = rows_of(&s[0]), columns = rows_of(&s[1]);
    float *a = c->workspace, *b = a + room(rows * n), *turned = b + room(columns * n);
    float *scratch = turned + room(columns * n);
    for (int64_t i = 0; i < c->y->shape.d[0]; i++) {
        gather(&s[0], c->x[0]->data + i * rows * n, a);
        gather(&s[1], c->x[1]->data + i * columns * n, b);
        if (k->normalize) {
            cx_normalize_forward(CX_BY_LENGTH, rows, n, LEAST_SQUARE, a, a);
            cx_normalize_forward(CX_BY_LENGTH, columns, n, LEAST_SQUARE, b, b);
        }
        turn(columns, n, b, turned);
        cx_dense_forward(rows, n, columns, a, turned, &plain, c->y->data + i * rows * columns,
                         scratch);
    }
}

/* Both inputs as they are and as they are multiplied, both derivatives, and dy turned. */
static size_t backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                 const cx_shape *out)
{
    side s[2];
    (void)n_in;
    (void)out;
    sides_of(s, l, &in[0], &in[1]);
    const int64_t n = s[0].n, rows = rows_of(&s[0]), columns = rows_of(&s[1]);
    const size_t a = cx_dense_workspace(rows, columns, n), b = cx_dense_workspace(columns, rows, n);
    return (size_t)(3 * room(rows * n) + 3 * room(columns * n) + room(rows * columns)) *
               sizeof(float) +
           (a > b ? a : b);
}

/* d of one side: dy (m rows) times the other side as rows of n, then through the normalisation. */
static void side_backward(const dot_config *k, const side *s, int64_t m, const float *dy,
                          const float *other, const float *x, float *d, float *scratch, float *dx)
{
    const cx_epilogue plain = cx_epilogue_of(NULL, NULL);
    const int64_t rows = rows_of(s), n = s->n;
    cx_dense_forward(rows, m, n, dy, other, &plain, d, scratch);
    if (k->normalize) cx_normalize_backward(CX_BY_LENGTH, rows, n, LEAST_SQUARE, x, d, d);
    const cx_box back = {.ndim = 3,
                         .size = {s->before, s->after, n},
                         .from = {s->after * n, n, 1},
                         .to = {n * s->after, 1, s->after}};
    cx_copy_box(&back, d, dx);
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const dot_config *k = l->cfg;
    side s[2];
    sides_of(s, l, &c->x[0]->shape, &c->x[1]->shape);
    const int64_t n = s[0].n, rows = rows_of(&s[0]), columns = rows_of(&s[1]);
    const int64_t a_size = room(rows * n), b_size = room(columns * n);
    float *a = c->workspace, *a_unit = a + a_size, *da = a_unit + a_size;
    float *b = da + a_size, *b_unit = b + b_size, *db = b_unit + b_size;
    float *turned = db + b_size, *scratch = turned + room(rows * columns);
    for (int64_t i = 0; i < c->dy->shape.d[0]; i++) {
        const float *dy = c->dy->data + i * rows * columns;
        gather(&s[0], c->x[0]->data + i * rows * n, a);
        gather(&s[1], c->x[1]->data + i * columns * n, b);
        if (k->normalize) {
            cx_normalize_forward(CX_BY_LENGTH, rows, n, LEAST_SQUARE, a, a_unit);
            cx_normalize_forward(CX_BY_LENGTH, columns, n, LEAST_SQUARE, b, b_unit);
        }
        if (c->dx[0])
            side_backward(k, &s[0], columns, dy, k->normalize ? b_unit : b, a, da, scratch,
                          c->dx[0]->data + i * rows * n);
        if (!c->dx[1]) continue;
        turn(rows, columns, dy, turned);
        side_backward(k, &s[1], rows, turned, k->normalize ? a_unit : a, b, db, scratch,
                      c->dx[1]->data + i * columns * n);
    }
}

const cx_layer_kind cx_layer_dot = {
    .class_name = "Dot",
    .family = CX_MERGING,
    .cfg_size = sizeof(dot_config),
    .fields = fields,
    .moves_axes = 1,
    .configure = configure,
    .infer = infer,
    .workspace = workspace,
    .forward = forward,
    .backward = backward,
    .backward_workspace = backward_workspace,
};
