/* units.c - the preprocessing of pixels, which is affine, as a matrix found by trying it out. */
#include <string.h>

#include "image/image.h"
#include "patterns/painting.h"

static int try_pixel(float *x, int channels, int lit, cvs_preprocess mode, cvs_error *err)
{
    memset(x, 0, (size_t)channels * sizeof *x);
    if (lit >= 0) x[lit] = 255;
    return cx_preprocess(x, 1, channels, mode, err);
}

int cx_units_init(cx_units *out, int channels, cvs_preprocess mode, cvs_error *err)
{
    float x[CX_COLOURS_MIXED];
    const int n = channels <= CX_COLOURS_MIXED ? channels : 1;
    int rc;
    *out = (cx_units){.channels = channels, .mixes = channels <= CX_COLOURS_MIXED};
    TRY(try_pixel(out->shift, n, -1, mode, err));
    for (int k = 0; k < n; k++) {
        TRY(try_pixel(x, n, k, mode, err));
        for (int c = 0; c < n; c++) out->m[c][k] = (x[c] - out->shift[c]) / 255;
    }
    out->gain = out->m[0][0];
out:
    return rc;
}

void cx_units_apply(const cx_units *u, const float *v, float *x)
{
    for (int c = 0; c < u->channels; c++) {
        x[c] = u->mixes ? u->shift[c] : u->shift[0] + u->gain * v[c];
        for (int k = 0; u->mixes && k < u->channels; k++) x[c] += u->m[c][k] * v[k];
    }
}

void cx_units_back(const cx_units *u, const float *dx, float *dv)
{
    for (int k = 0; k < u->channels; k++) {
        dv[k] = u->mixes ? 0 : u->gain * dx[k];
        for (int c = 0; u->mixes && c < u->channels; c++) dv[k] += u->m[c][k] * dx[c];
    }
}
