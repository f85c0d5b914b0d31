/* shape.c - what the kinds ask of shapes. */
#include <string.h>

#include "layers/layer.h"

int cx_expect_input(const cx_shape *in, int n_in, int ndim, cvs_error *err)
{
    char text[CX_SHAPE_TEXT];
    if (n_in != 1) return cx_fail(err, CVS_E_FORMAT, "one input is wanted, not %d", n_in);
    if (ndim && in->ndim != ndim)
        return cx_fail(err, CVS_E_FORMAT, "an input of %d axes is wanted, not %s", ndim,
                       cx_shape_text(text, in));
    return cx_expect_size(in, err);
}

int cx_infer_same(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    int rc;
    (void)l;
    TRY(cx_expect_input(in, n_in, 0, err));
    *out = in[0];
out:
    return rc;
}

int cx_expect_known(const cx_shape *in, int axis, cvs_error *err)
{
    char text[CX_SHAPE_TEXT];
    if (in->d[axis] > 0) return 0;
    return cx_fail(err, CVS_E_FORMAT, "axis %d of the input %s must have a known size", axis,
                   cx_shape_text(text, in));
}

int cx_axis_of(int *out, int64_t axis, const cx_shape *in, cvs_error *err)
{
    char text[CX_SHAPE_TEXT];
    if (axis < -in->ndim || axis >= in->ndim)
        return cx_fail(err, CVS_E_FORMAT, "axis: the input %s has no axis %lld",
                       cx_shape_text(text, in), (long long)axis);
    *out = (int)(axis < 0 ? axis + in->ndim : axis);
    return 0;
}

int cx_expect_size(const cx_shape *s, cvs_error *err)
{
    char text[CX_SHAPE_TEXT];
    cx_shape known = *s;
    if (s->ndim < 1) return cx_fail(err, CVS_E_FORMAT, "a tensor has no batch axis");
    for (int i = 0; i < s->ndim; i++) {
        if (known.d[i] == CX_FREE) known.d[i] = 1;
        if (known.d[i] < 1)
            return cx_fail(err, CVS_E_FORMAT, "a tensor of shape %s is empty",
                           cx_shape_text(text, s));
    }
    if (cx_shape_count(&known) < 0)
        return cx_fail(err, CVS_E_NOMEM, "a tensor of shape %s is too large",
                       cx_shape_text(text, s));
    return 0;
}

/* A free size may turn out to be 1 or the other's: the other's wins, and the concrete call checks
 * it. */
static int64_t together(int64_t a, int64_t b)
{
    if (a == b || b == 1) return a;
    if (a == 1) return b;
    if (a == CX_FREE) return b;
    return b == CX_FREE ? a : 0;
}

int cx_shape_join(cx_shape *sum, const cx_shape *s)
{
    for (int i = 0; i < sum->ndim; i++) {
        sum->d[i] = together(sum->d[i], s->d[i]);
        if (sum->d[i] == 0) return 0;
    }
    return 1;
}

cx_shape cx_shape_lifted(const cx_shape *s, int ndim)
{
    cx_shape lifted = {.ndim = ndim, .d = {s->d[0]}};
    int more = ndim - s->ndim;
    for (int i = 1; i < ndim; i++) lifted.d[i] = i <= more ? 1 : s->d[i - more];
    return lifted;
}

void cx_broadcast(const float *x, const cx_shape *from, const cx_shape *to, float *y)
{
    cx_shape s = cx_shape_lifted(from, to->ndim);
    cx_box box = {.ndim = to->ndim};
    int64_t from_stride = 1, to_stride = 1;
    for (int i = to->ndim - 1; i >= 0; i--) {
        box.size[i] = to->d[i];
        box.from[i] = s.d[i] == 1 ? 0 : from_stride;
        box.to[i] = to_stride;
        from_stride *= s.d[i];
        to_stride *= to->d[i];
    }
    cx_copy_box(&box, x, y);
}

/* dy's last axes are a matrix whose rows are summed: axes that x has, and those before them that it
 * was repeated on. The axes before these are walked over. */
void cx_broadcast_backward(const float *dy, const cx_shape *from, const cx_shape *to, float *dx)
{
    const cx_shape s = cx_shape_lifted(from, to->ndim);
    int64_t rows = 1, channels = 1;
    int axis = to->ndim;
    while (axis > 0 && s.d[axis - 1] == to->d[axis - 1]) channels *= to->d[--axis];
    while (axis > 0 && s.d[axis - 1] == 1) rows *= to->d[--axis];

    const int64_t outer = cx_shape_count_range(to, 0, axis);
    memset(dx, 0, (size_t)cx_shape_count(from) * sizeof *dx);
    for (int64_t i = 0; i < outer; i++) {
        int64_t at = 0, size = channels, rest = i;
        for (int a = axis - 1; a >= 0; a--) {
            if (s.d[a] != 1) at += rest % to->d[a] * size;
            size *= s.d[a];
            rest /= to->d[a];
        }
        cx_affine_backward_weights(rows, channels, NULL, dy + i * rows * channels, NULL, dx + at);
    }
}
