/* heat_bytes.c - a heatmap as bytes, on the scale that pictures of it have. */
#include "report/heat_bytes.h"

#include "draw/heat.h"
#include "methods/trust.h"

int cx_heat_bytes_of(cx_heat_bytes *out, const cvs_explanation *e, int64_t most, cvs_error *err)
{
    float *x = NULL, *small = NULL;
    int rc, k = 1;
    *out = (cx_heat_bytes){0};
    TRY(cx_explanation_places(&x, &out->is_signed, e, err));
    while ((e->height / k) * (e->width / k) > most) k++;
    out->height = cx_reduced(e->height, k);
    out->width = cx_reduced(e->width, k);
    if (k > 1) TRY(cx_reduce(&small, x, e->height, e->width, 1, k, err));
    const float *shown = small ? small : x;
    const int64_t n = out->height * out->width;
    const cx_heat_map whole = {shown, 1, n, out->is_signed, 0};
    out->peak = out->limit = cx_heat_limit(&whole);
    /* Attributions to pixels get a scale that a few hot ones do not stretch. */
    if (e->is_pixels) TRY(cx_heat_robust_limit(&out->limit, shown, n, err));
    out->gray.data = cx_alloc((size_t)n);
    if (!out->gray.data) TRY(cx_no_memory(err, (size_t)n));
    out->gray.size = (size_t)n;
    const double low = out->is_signed ? -out->limit : 0;
    for (int64_t i = 0; i < n; i++)
        out->gray.data[i] = cx_byte_of((double)shown[i], low, out->limit);
out:
    cx_free(small);
    cx_free(x);
    return rc;
}

int cx_heat_bytes_png(cx_bytes *out, const cx_heat_bytes *b, cvs_error *err)
{
    return cx_gray_png(out, b->gray.data, b->height, b->width, err);
}
