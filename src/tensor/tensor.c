/* tensor.c - shapes and tensors. */
#include "tensor/tensor.h"

#include <stdio.h>
#include <string.h>

static const int64_t most = (int64_t)1 << 40;

int64_t cx_shape_count_range(const cx_shape *s, int from, int to)
{
    int64_t n = 1;
    for (int i = from; i < to; i++)
        if (cx_mul_count(&n, n, s->d[i]) || n > most) return -1;
    return n;
}

int64_t cx_shape_count(const cx_shape *s)
{
    return cx_shape_count_range(s, 0, s->ndim);
}

int cx_shape_equal(const cx_shape *a, const cx_shape *b)
{
    return a->ndim == b->ndim && memcmp(a->d, b->d, (size_t)a->ndim * sizeof a->d[0]) == 0;
}

int cx_shape_is_known(const cx_shape *s)
{
    for (int i = 0; i < s->ndim; i++)
        if (s->d[i] < 0) return 0;
    return 1;
}

char *cx_shape_text(char buf[CX_SHAPE_TEXT], const cx_shape *s)
{
    size_t n = 0;
    buf[n++] = '(';
    for (int i = 0; i < s->ndim; i++) {
        const char *gap = i ? ", " : "";
        int k = s->d[i] < 0
                    ? snprintf(buf + n, CX_SHAPE_TEXT - n, "%sNone", gap)
                    : snprintf(buf + n, CX_SHAPE_TEXT - n, "%s%lld", gap, (long long)s->d[i]);
        n += (size_t)k;
        if (n > CX_SHAPE_TEXT - 3) n = CX_SHAPE_TEXT - 3; /* not with 6 axes of 2^40 */
    }
    memcpy(buf + n, s->ndim == 1 ? ",)" : ")", s->ndim == 1 ? 3 : 2);
    return buf;
}

int cx_tensor_init(cx_tensor *out, const cx_shape *shape, cvs_error *err)
{
    int64_t n = cx_shape_count(shape);
    *out = (cx_tensor){.shape = *shape};
    if (n < 0) {
        char text[CX_SHAPE_TEXT];
        return cx_fail(err, CVS_E_NOMEM, "a tensor of shape %s is too large",
                       cx_shape_text(text, shape));
    }
    int rc = cx_block_init(&out->block, (size_t)n * sizeof(float), err);
    out->data = out->block.data;
    return rc;
}

void cx_tensor_deinit(cx_tensor *t)
{
    cx_block_deinit(&t->block);
    *t = (cx_tensor){0};
}

cx_tensor cx_tensor_view(float *data, const cx_shape *shape)
{
    return (cx_tensor){.shape = *shape, .data = data};
}
