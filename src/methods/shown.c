/* shown.c - what is drawn of an explanation, and measured. */
#include <math.h>

#include "methods/trust.h"

static int has_evidence(const cvs_explanation *e)
{
    for (int64_t i = 0; i < e->height * e->width; i++)
        if (e->data[i] > 0) return 1;
    return 0;
}

/* NaN stays: nothing is above it. */
static float largest_size(const float *x, int64_t channels)
{
    float largest = 0;
    for (int64_t c = 0; c < channels; c++) {
        const float size = fabsf(x[c]);
        if (size > largest || isnan(size)) largest = size;
    }
    return largest;
}

static float sum(const float *x, int64_t channels)
{
    double all = 0;
    for (int64_t c = 0; c < channels; c++) all += (double)x[c];
    return (float)all;
}

int cx_explanation_places(float **out, int *is_signed, const cvs_explanation *e, cvs_error *err)
{
    const cvs_method *method = cvs_method_find(e->method, NULL);
    const int is_blank = !e->is_pixels && e->raw && !has_evidence(e);
    const int64_t n = e->height * e->width;
    const float *x = is_blank ? e->raw : e->data;
    *is_signed = is_blank || (e->is_signed && !(method && method->shows_size));
    *out = cx_calloc((size_t)n, sizeof **out);
    if (!*out) return cx_no_memory(err, (size_t)n * sizeof **out);
    for (int64_t i = 0; i < n; i++, x += e->channels) {
        if (!e->is_pixels)
            (*out)[i] = *x;
        else
            (*out)[i] = *is_signed ? sum(x, e->channels) : largest_size(x, e->channels);
    }
    return 0;
}
