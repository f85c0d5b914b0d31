/* config_shape.c - the shapes that a model's description states. */
#include "formats/config_plan.h"

static const int64_t max_side = INT32_MAX;

int cx_config_shape(cx_shape *out, const cx_json *json, cvs_error *err)
{
    const cx_json *list = cx_json_is_object(json) ? cx_json_get(json, "items") : json;
    size_t n = cx_json_size(list);
    *out = (cx_shape){0};
    if (!cx_json_is_array(list)) return 0;
    if (n < 1 || n > CX_MAX_DIMS)
        return cx_fail(err, CVS_E_UNSUPPORTED, "its input has %zu axes, 1 to %d are possible", n,
                       CX_MAX_DIMS);
    for (size_t i = 0; i < n; i++) {
        const cx_json *item = cx_json_at(list, i);
        int64_t size = cx_json_is_null(item) ? CX_FREE : cx_json_int(item, 0);
        if (size != CX_FREE && (size < 1 || size > max_side))
            return cx_fail(err, CVS_E_FORMAT, "size %zu of its input shape is no possible size", i);
        out->d[i] = size;
    }
    out->ndim = (int)n;
    return 0;
}

int cx_config_input_shape(cx_shape *out, const cx_json *config, cvs_error *err)
{
    int rc = cx_config_shape(out, cx_json_get(config, "batch_input_shape"), err);
    if (rc == 0 && out->ndim == 0)
        rc = cx_config_shape(out, cx_json_get(config, "batch_shape"), err);
    if (rc < 0 || out->ndim > 0) return rc;
    int64_t dim = cx_json_int(cx_json_get(config, "input_dim"), 0);
    const cx_json *length = cx_json_get(config, "input_length");
    if (dim < 1 || dim > max_side) return 0;
    *out = (cx_shape){2, {CX_FREE, dim}};
    if (length) {
        int64_t n = cx_json_int(length, CX_FREE);
        *out = (cx_shape){3, {CX_FREE, n > 0 && n <= max_side ? n : CX_FREE, dim}};
    }
    return 0;
}

int cx_config_sequential_shape(cx_shape *out, const cx_json *config, const cx_json *first,
                               cvs_error *err)
{
    int rc = cx_config_input_shape(out, cx_json_get(first, "config"), err);
    if (rc == 0 && out->ndim == 0)
        rc = cx_config_shape(out, cx_json_get(config, "build_input_shape"), err);
    if (rc < 0 || out->ndim > 0 || !cx_config_is_model(first)) return rc;
    const cx_json *inner = cx_json_get(first, "config");
    const cx_json *list = cx_json_is_array(inner) ? inner : cx_json_get(inner, "layers");
    /* every level is one of the JSON's, whose depth is limited */
    return cx_config_sequential_shape(out, inner, cx_json_at(list, 0), err);
}

void cx_member_note_shape(cx_member *member, const cx_json *shape, int tensor)
{
    cx_shape stated;
    if (!member->is_unknown || cx_config_shape(&stated, shape, NULL) < 0) return;
    if (tensor > 0) member->has_several = 1;
    if (member->has_several)
        member->stated = (cx_shape){0};
    else if (stated.ndim > 0)
        member->stated = stated;
}

void cx_member_state_shape(cx_member *member, const cx_json *next)
{
    const cx_json *config = cx_json_get(next, "config");
    const cx_json *shape = cx_json_get(cx_json_get(next, "build_config"), "input_shape");
    if (cx_json_is_null(shape)) shape = cx_json_get(config, "batch_input_shape");
    if (cx_json_is_null(shape)) shape = cx_json_get(config, "batch_shape");
    cx_member_note_shape(member, shape, 0);
}
