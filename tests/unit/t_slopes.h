/* t_slopes.h - a derivative against differences of the forward. */
#ifndef T_SLOPES_H
#define T_SLOPES_H

#include "t_kernels.h"

/* Steps of 1/4, so that many are equal. */
static void make_coarse(float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) x[i] = rintf(x[i] * 4) / 4;
}

/* A forward of the reference. */
typedef void forward_call(const void *arg, const float *x, float *y);

static double dot(const float *a, const float *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* dx is the slope of the sum of dy f(x), by central differences of 1/128 on both sides: numbers
 * about 1 in float leave 2e-5 of it in doubt and the curve 6e-5 f''', so 2e-3 of the largest. */
static void expect_slopes(forward_call *f, const void *arg, const float *x, int64_t n_x,
                          const float *dy, int64_t n_y, const float *dx, const char *what)
{
    const float h = 1 / 128.0f;
    float *moved = numbers(n_x), *y = numbers(n_y);
    double top = 1e-3;
    for (int64_t i = 0; i < n_x; i++) top = fmax(top, fabs((double)dx[i]));
    memcpy(moved, x, (size_t)n_x * sizeof *x);
    for (int64_t i = 0; i < n_x; i++) {
        moved[i] = x[i] + h;
        f(arg, moved, y);
        double slope = dot(dy, y, n_y);
        moved[i] = x[i] - h;
        f(arg, moved, y);
        slope = (slope - dot(dy, y, n_y)) / (2 * (double)h);
        moved[i] = x[i];
        if (!(fabs(slope - (double)dx[i]) <= 2e-3 * top))
            fail_msg("%s: slope %lld is %.6g, by differences %.6g", what, (long long)i,
                     (double)dx[i], slope);
    }
    drop(moved);
    drop(y);
}

#endif
