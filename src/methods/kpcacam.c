/* kpcacam.c - KPCA-CAM (Karmani et al. 2024): the first kernel principal component (Schölkopf et
 * al. 1998) of what a layer's places give, with the kernel tanh(x y / K + 1) of K channels. */
#include <math.h>

#include "base/threads.h"
#include "methods/method.h"

enum { MOST_PLACES = 4096, MOST_STEPS = 5000 }; /* the kernel has a number for each pair */

typedef struct kernel {
    const cx_cam *cam;
    const double *mean; /* of each channel */
    double *value;      /* n × n */
    int64_t n;
} kernel;

static void fill_row(void *arg, int i, int worker)
{
    const kernel *k = arg;
    const int64_t channels = k->cam->channels;
    const float *x = k->cam->a + i * channels;
    (void)worker;
    for (int64_t j = 0; j < k->n; j++) {
        const float *y = k->cam->a + j * channels;
        double sum = 0;
        for (int64_t c = 0; c < channels; c++)
            sum += ((double)x[c] - k->mean[c]) * ((double)y[c] - k->mean[c]);
        k->value[i * k->n + j] = tanh(sum / (double)channels + 1);
    }
}

/* Take away what all rows, and all columns, have in common. */
static void centre(kernel *k, double *rows)
{
    double all = 0;
    for (int64_t i = 0; i < k->n; i++) {
        rows[i] = 0;
        for (int64_t j = 0; j < k->n; j++) rows[i] += k->value[i * k->n + j] / (double)k->n;
        all += rows[i] / (double)k->n;
    }
    for (int64_t i = 0; i < k->n; i++)
        for (int64_t j = 0; j < k->n; j++) k->value[i * k->n + j] += all - rows[i] - rows[j];
}

/* v becomes (K + shift) v of length 1; gives v'(K v) of the old v. */
static double step(const kernel *k, double *v, double *next, double shift)
{
    double along = 0, length = 0;
    for (int64_t i = 0; i < k->n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < k->n; j++) sum += k->value[i * k->n + j] * v[j];
        along += sum * v[i];
        next[i] = sum + shift * v[i];
        length += next[i] * next[i];
    }
    length = sqrt(length);
    for (int64_t i = 0; i < k->n; i++) v[i] = length > 0 ? next[i] / length : 0;
    return along;
}

/* The largest eigenvalue and its vector of length 1. This kernel has negative ones too: where the
 * one of largest size is negative, all are raised by that much. */
static double largest(const kernel *k, double *v, double *next)
{
    double value = 0, shift = 0;
    for (int attempt = 0; attempt < 2; attempt++) {
        double before = 0, length = 0;
        for (int64_t i = 0; i < k->n; i++) {
            v[i] = 1 + (double)(i * 7 % 11) / 11;
            length += v[i] * v[i];
        }
        for (int64_t i = 0; i < k->n; i++) v[i] /= sqrt(length);
        for (int s = 0; s < MOST_STEPS; s++) {
            value = step(k, v, next, shift);
            if (s > 50 && fabs(value - before) <= 1e-14 * fabs(value)) break;
            before = value;
        }
        if (value >= 0 || attempt) break;
        shift = -value;
    }
    return value;
}

static int combine(const cx_cam *cam, float *map, cvs_error *err)
{
    kernel k = {.cam = cam, .n = cam->height * cam->width};
    const size_t n = (size_t)k.n;
    double *mean = NULL, *room = NULL, along = 0;
    int rc = 0;
    if (k.n > MOST_PLACES)
        return cx_fail(
            err, CVS_E_UNSUPPORTED,
            "KPCA-CAM compares every place with every other: a map of %lld × %lld is too "
            "large, %d places are the most",
            (long long)cam->height, (long long)cam->width, MOST_PLACES);
    mean = cx_calloc((size_t)cam->channels, sizeof *mean);
    room = cx_calloc(n * 3, sizeof *room);
    k.value = cx_calloc(n * n, sizeof *k.value);
    if (!mean || !room || !k.value) TRY(cx_no_memory(err, n * n * sizeof *k.value));
    for (int64_t i = 0; i < k.n * cam->channels; i++)
        mean[i % cam->channels] += (double)cam->a[i] / (double)k.n;
    k.mean = mean;
    cx_parallel((int)k.n, fill_row, &k);
    double *v = room, *next = room + n, *sums = room + 2 * n;
    centre(&k, next);
    const double size = sqrt(fmax(0, largest(&k, v, next)));
    for (int64_t i = 0; i < k.n * cam->channels; i++) sums[i / cam->channels] += (double)cam->a[i];
    for (int64_t p = 0; p < k.n; p++) along += v[p] * sums[p];
    for (int64_t p = 0; p < k.n; p++) map[p] = (float)((along < 0 ? -size : size) * v[p]);
out:
    cx_free(mean);
    cx_free(room);
    cx_free(k.value);
    return rc;
}

const cx_method cx_method_kpcacam = {
    .about = {.name = "kpcacam",
              .title = "KPCA-CAM",
              .cite = "Karmani et al. 2024, KPCA-CAM, arXiv:2410.00267",
              .needs = "a layer with a map of 64 × 64 at most; is the same for every class",
              .cost = "1 pass forward"},
    .automatic = CVS_TARGET_LOGIT,
    .uses_layers = 1,
    .has_no_goal = 1,
    .combine = combine,
};
