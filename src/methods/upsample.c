/* upsample.c - bilinear interpolation of one map. */
#include "methods/upsample.h"

/* Where a pixel lies between two cells. */
typedef struct place {
    int64_t low, high;
    float share; /* of the high one */
} place;

static place place_of(int64_t pixel, int64_t cells, int64_t pixels)
{
    const double at = ((double)pixel + 0.5) * (double)cells / (double)pixels - 0.5;
    const double inside = at < 0 ? 0 : at > (double)(cells - 1) ? (double)(cells - 1) : at;
    const int64_t low = (int64_t)inside;
    return (place){low, low + 1 < cells ? low + 1 : low, (float)(inside - (double)low)};
}

void cx_upsample(const float *x, int64_t step, int64_t h, int64_t w, float *y, int64_t to_h,
                 int64_t to_w)
{
    for (int64_t r = 0; r < to_h; r++) {
        const place v = place_of(r, h, to_h);
        for (int64_t c = 0; c < to_w; c++) {
            const place u = place_of(c, w, to_w);
            const float *top = x + v.low * w * step, *bottom = x + v.high * w * step;
            const float a = top[u.low * step], b = top[u.high * step];
            const float d = bottom[u.low * step], e = bottom[u.high * step];
            const float above = a + (b - a) * u.share, below = d + (e - d) * u.share;
            *y++ = above + (below - above) * v.share;
        }
    }
}

int cx_stretch(float *x, int64_t n)
{
    float low = x[0], high = x[0];
    for (int64_t i = 1; i < n; i++) {
        if (x[i] < low) low = x[i];
        if (x[i] > high) high = x[i];
    }
    for (int64_t i = 0; i < n; i++) x[i] = high > low ? (x[i] - low) / (high - low) : 0;
    return high > low;
}
