/* rows.c - a tensor seen as rows over some of its axes, wherever these stand. */
#include "layers/layer.h"

int cx_axes_read(cx_axes *out, const cx_json *config, const char *keys, cvs_error *err)
{
    char key[CX_KEY_TEXT];
    cx_json *v = cx_config_get(config, keys, key);
    size_t n = cx_json_is_array(v) ? cx_json_size(v) : 1;
    int rc = 0;
    if (n < 1 || n > CX_MAX_DIMS)
        return cx_fail(err, CVS_E_FORMAT, "%s: 1 to %d axes are wanted, not %zu", key, CX_MAX_DIMS,
                       n);
    *out = (cx_axes){.n = (int)n, .axis = {-1}};
    for (size_t i = 0; v && i < n; i++)
        TRY(cx_config_int(&out->axis[i],
                          cx_json_is_array(v) ? cx_config_unwrap(cx_json_at(v, i)) : v, key,
                          -CX_MAX_DIMS, CX_MAX_DIMS - 1, err));
out:
    return rc;
}

static int mark(cx_rows *r, const cx_axes *axes, const cx_shape *in, cvs_error *err)
{
    int rc = 0;
    for (int i = 0; i < axes->n; i++) {
        int axis;
        TRY(cx_axis_of(&axis, axes->axis[i], in, err));
        if (axis == 0)
            return cx_fail(err, CVS_E_UNSUPPORTED, "axis: 0, the batch, is not supported");
        if (r->along[axis]++) return cx_fail(err, CVS_E_FORMAT, "axis: %d is named twice", axis);
    }
out:
    return rc;
}

/* The other axes first, in their order, then those of a row in theirs. */
int cx_rows_of(cx_rows *out, const cx_axes *axes, const cx_shape *in, cvs_error *err)
{
    int at = 0, rc;
    int64_t stride = 1;
    *out = (cx_rows){.rows = 1, .n = 1, .in_place = 1};
    TRY(mark(out, axes, in, err));
    out->gather.ndim = in->ndim;
    for (int along = 0; along < 2; along++)
        for (int i = 0; i < in->ndim; i++) {
            if (out->along[i] != along) continue;
            out->in_place &= i == at;
            out->gather.size[at] = in->d[i];
            out->gather.from[at++] = cx_shape_count_range(in, i + 1, in->ndim);
            *(along ? &out->n : &out->rows) *= in->d[i];
        }
    for (int i = in->ndim - 1; i >= 0; i--) {
        out->gather.to[i] = stride;
        stride *= out->gather.size[i];
    }
    out->scatter = cx_box_back(&out->gather);
out:
    return rc;
}

cx_box cx_box_back(const cx_box *b)
{
    cx_box back = *b;
    for (int i = 0; i < b->ndim; i++) {
        back.from[i] = b->to[i];
        back.to[i] = b->from[i];
    }
    return back;
}
