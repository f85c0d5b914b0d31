/* eigencam.c - Eigen-CAM (Muhammad and Yeasin 2020): the first principal component of what the
 * channels give, by power iteration; with the derivative, Eigen-Grad-CAM. */
#include <math.h>

#include "methods/method.h"

enum { MOST_STEPS = 2000 };

/* Of row p: its product with the direction v, less what all rows have in common. */
static double project(const cx_cam *cam, const double *mean, const double *v, int64_t p,
                      int times_g)
{
    const int64_t k = cam->channels;
    double sum = 0;
    for (int64_t c = 0; c < k; c++) {
        const double a = (double)cam->a[p * k + c] * (times_g ? (double)cam->g[p * k + c] : 1);
        sum += (a - mean[c]) * v[c];
    }
    return sum;
}

/* v becomes M'M v, of length 1; gives the length it had. */
static double step(const cx_cam *cam, const double *mean, double *v, double *next, int times_g)
{
    const int64_t n = cam->height * cam->width, k = cam->channels;
    double length = 0;
    for (int64_t c = 0; c < k; c++) next[c] = 0;
    for (int64_t p = 0; p < n; p++) {
        const double s = project(cam, mean, v, p, times_g);
        for (int64_t c = 0; c < k; c++) {
            const double a = (double)cam->a[p * k + c] * (times_g ? (double)cam->g[p * k + c] : 1);
            next[c] += s * (a - mean[c]);
        }
    }
    for (int64_t c = 0; c < k; c++) length += next[c] * next[c];
    length = sqrt(length);
    for (int64_t c = 0; c < k; c++) v[c] = length > 0 ? next[c] / length : 0;
    return length;
}

/* The sign of a component is free: the one that goes with the mean of the channels. */
static int component(const cx_cam *cam, float *map, int times_g, cvs_error *err)
{
    const int64_t n = cam->height * cam->width, k = cam->channels;
    double *mean = cx_calloc((size_t)k * 3, sizeof *mean);
    if (!mean) return cx_no_memory(err, (size_t)k * 3 * sizeof *mean);
    double *v = mean + k, *next = v + k, length = 0, before, along = 0;
    for (int64_t p = 0; p < n; p++)
        for (int64_t c = 0; c < k; c++)
            mean[c] +=
                (double)cam->a[p * k + c] * (times_g ? (double)cam->g[p * k + c] : 1) / (double)n;
    for (int64_t c = 0; c < k; c++) v[c] = 1 + (double)(c * 7 % 11) / 11;
    for (int i = 0; i < MOST_STEPS; i++) {
        before = length;
        length = step(cam, mean, v, next, times_g);
        if (fabs(length - before) <= 1e-15 * length && i > 50) break;
    }
    for (int64_t p = 0; p < n; p++) {
        double all = 0;
        for (int64_t c = 0; c < k; c++) all += (double)cam->a[p * k + c];
        const double s = project(cam, mean, v, p, times_g);
        map[p] = (float)s;
        along += s * all;
    }
    for (int64_t p = 0; along < 0 && p < n; p++) map[p] = -map[p];
    cx_free(mean);
    return 0;
}

static int combine(const cx_cam *cam, float *map, cvs_error *err)
{
    return component(cam, map, 0, err);
}

static int combine_grad(const cx_cam *cam, float *map, cvs_error *err)
{
    return component(cam, map, 1, err);
}

const cx_method cx_method_eigencam = {
    .about = {.name = "eigencam",
              .title = "Eigen-CAM",
              .cite = "Muhammad and Yeasin 2020, Eigen-CAM, arXiv:2008.00299",
              .needs = "a layer with a map; is the same for every class",
              .cost = "1 pass forward"},
    .automatic = CVS_TARGET_LOGIT,
    .uses_layers = 1,
    .has_no_goal = 1,
    .combine = combine,
};

const cx_method cx_method_eigengradcam = {
    .about = {.name = "eigengradcam",
              .title = "Eigen-Grad-CAM",
              .cite = "Muhammad and Yeasin 2020, arXiv:2008.00299, times the derivative",
              .needs = "a layer with a map",
              .cost = "1 pass forward, back to the layer"},
    .automatic = CVS_TARGET_LOGIT,
    .uses_layers = 1,
    .combine = combine_grad,
};
