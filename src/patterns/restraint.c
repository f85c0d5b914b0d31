/* restraint.c - penalties with their derivatives, and a blur. */
#include "patterns/restraint.h"

#include <math.h>

#include "patterns/view.h"

/* --- neighbours --- */

/* From number i to the one `next` of it; the derivative of |difference| at 0 is taken as -1. */
static double step_between(const float *x, int64_t i, int64_t next, float slope, float *d)
{
    const float sign = x[i + next] > x[i] ? slope : -slope;
    if (d) {
        d[i] += sign;
        d[i + next] -= sign;
    }
    return fabs((double)x[i + next] - (double)x[i]);
}

double cx_restrain_variation(const float *x, int64_t height, int64_t width, int64_t channels,
                             double weight, float *d)
{
    const int64_t across = width * channels, n = height * across;
    const float slope = (float)(weight / (double)n);
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        if (i % across + channels < across) sum += step_between(x, i, channels, slope, d);
        if (i + across < n) sum += step_between(x, i, across, slope, d);
    }
    return weight * sum / (double)n;
}

/* --- sizes --- */

/* The usual powers without the cost of pow(). */
static double raised(double x, double power)
{
    return power == 0 ? 1 : power == 1 ? x : power == 2 ? x * x : pow(x, power);
}

double cx_restrain_size(const float *x, int64_t n, double gray, double power, double weight,
                        float *d)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += raised(fabs((double)x[i] - gray), power);
    sum /= (double)n;
    const double size = pow(sum, 1 / power);
    if (!d || !(sum > 0)) return weight * size;
    const double slope = weight / (double)n * size / sum;
    for (int64_t i = 0; i < n; i++) {
        const double off = (double)x[i] - gray, by = slope * raised(fabs(off), power - 1);
        d[i] -= (float)(off > 0 ? by : -by);
    }
    return weight * size;
}

/* --- edges --- */

/* One line of n numbers that lie `step` apart. */
static void blur_line(const float *x, float *y, int64_t n, int64_t step, const double *window,
                      int64_t radius)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t k = -radius; k <= radius; k++)
            sum += window[k < 0 ? -k : k] * (double)x[cx_view_mirrored(i + k, n) * step];
        y[i * step] = (float)sum;
    }
}

void cx_restrain_blur(float *x, int64_t height, int64_t width, int64_t channels, double sigma,
                      float *room)
{
    enum { MOST = 64 };
    double window[MOST + 1], whole = 1;
    const int64_t radius = (int64_t)fmin(ceil(3 * sigma), MOST), across = width * channels;
    window[0] = 1;
    for (int64_t k = 1; k <= radius; k++) {
        window[k] = exp(-(double)(k * k) / (2 * sigma * sigma));
        whole += 2 * window[k];
    }
    for (int64_t k = 0; k <= radius; k++) window[k] /= whole;
    for (int64_t y = 0; y < height; y++)
        for (int64_t c = 0; c < channels; c++)
            blur_line(x + y * across + c, room + y * across + c, width, channels, window, radius);
    for (int64_t i = 0; i < across; i++) blur_line(room + i, x + i, height, across, window, radius);
}
