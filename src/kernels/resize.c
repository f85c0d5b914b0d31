/* resize.c - images of another size as TensorFlow's tf.image.resize makes them: half-pixel centres,
 * no antialiasing. Rows of the result are shared out to threads. */
#include <math.h>
#include <string.h>

#include "base/threads.h"
#include "kernels/kernels.h"

enum { TAPS = 4, TABLE = 1024 /* TensorFlow rounds the place between pixels of a cubic to that */ };

/* Which pixels of the source make one of the result, and by how much. */
typedef struct taps {
    int n;
    int64_t at[TAPS];
    float weight[TAPS];
} taps;

static int64_t inside(int64_t i, int64_t n)
{
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

static taps two_of(float at, int64_t n)
{
    const float low = floorf(at);
    return (taps){.n = 2,
                  .at = {inside((int64_t)low, n), inside((int64_t)low + 1, n)},
                  .weight = {1 - (at - low), at - low}};
}

/* Keys' kernel with a = -0.5 at a distance d, and at d + 1. */
static float near_weight(float d)
{
    return (1.5f * d - 2.5f) * d * d + 1;
}

static float far_weight(float d)
{
    d += 1;
    return ((-0.5f * d + 2.5f) * d - 4) * d + 2;
}

/* Pixels outside weigh nothing, and the others make up for them. */
static taps four_of(float at, int64_t n)
{
    const float low = floorf(at), d = (float)lrintf((at - low) * TABLE) / TABLE;
    taps t = {.n = 4,
              .weight = {far_weight(d), near_weight(d), near_weight(1 - d), far_weight(1 - d)}};
    float sum = 0;
    for (int i = 0; i < TAPS; i++) {
        const int64_t pixel = (int64_t)low - 1 + i;
        t.at[i] = inside(pixel, n);
        if (t.at[i] != pixel) t.weight[i] = 0;
        sum += t.weight[i];
    }
    for (int i = 0; i < TAPS; i++) t.weight[i] /= sum;
    return t;
}

/* Of one axis: place o of `out` in a part of `size` pixels that begins at `from`. */
static taps taps_of(const cx_resize *r, int axis, int64_t o)
{
    const int64_t n = r->size[axis];
    const float scale = (float)n / (float)r->out[axis], centre = ((float)o + 0.5f) * scale;
    taps t = {.n = 1, .at = {inside((int64_t)floorf(centre), n)}, .weight = {1}};
    if (r->how == CX_BILINEAR) t = two_of(centre - 0.5f, n);
    if (r->how == CX_BICUBIC) t = four_of(centre - 0.5f, n);
    for (int i = 0; i < t.n; i++) t.at[i] += r->from[axis];
    return t;
}

typedef struct job {
    const cx_resize *r;
    const float *x;
    float *y;
} job;

/* One pixel from its neighbours. */
static void blend(const cx_resize *r, const float *image, const taps *v, const taps *h, float *y)
{
    memset(y, 0, (size_t)r->channels * sizeof *y);
    for (int i = 0; i < v->n; i++)
        for (int k = 0; k < h->n; k++) {
            const float *pixel = image + (v->at[i] * r->in[1] + h->at[k]) * r->channels;
            const float weight = v->weight[i] * h->weight[k];
            for (int64_t c = 0; c < r->channels; c++) y[c] += weight * pixel[c];
        }
}

static void run_row(void *arg, int i, int worker)
{
    (void)worker;
    const job *j = arg;
    const cx_resize *r = j->r;
    const int64_t image = i / r->out[0] * r->in[0] * r->in[1] * r->channels;
    const taps v = taps_of(r, 0, i % r->out[0]);
    float *y = j->y + i * r->out[1] * r->channels;
    for (int64_t o = 0; o < r->out[1]; o++, y += r->channels) {
        const taps h = taps_of(r, 1, o);
        blend(r, j->x + image, &v, &h, y);
    }
}

void cx_resize_forward(const cx_resize *r, const float *x, float *y)
{
    job j = {r, x, y};
    cx_parallel((int)(r->batch * r->out[0]), run_row, &j);
}

/* --- backward --- */

typedef struct back {
    const cx_resize *r;
    const float *dy;
    float *dx;
} back;

/* What row `o` of dy gives to a row of dx, by how much it weighs there. */
static void unblend(const cx_resize *r, float weight, const float *dy, float *dx)
{
    for (int64_t o = 0; o < r->out[1]; o++, dy += r->channels) {
        const taps h = taps_of(r, 1, o);
        for (int k = 0; k < h.n; k++) {
            float *pixel = dx + h.at[k] * r->channels;
            const float share = weight * h.weight[k];
            for (int64_t c = 0; c < r->channels; c++) pixel[c] += share * dy[c];
        }
    }
}

/* A row of dx looks for the rows of dy that were made from it: those whose centre falls at most two
 * pixels away, and one more for rounding. */
static void run_row_back(void *arg, int i, int worker)
{
    (void)worker;
    const back *j = arg;
    const cx_resize *r = j->r;
    const int64_t row = i % r->in[0], image = i / r->in[0] * r->out[0];
    const int64_t width = r->out[1] * r->channels;
    const double step = (double)r->out[0] / (double)r->size[0], at = (double)(row - r->from[0]);
    float *dx = j->dx + i * r->in[1] * r->channels;
    memset(dx, 0, (size_t)(r->in[1] * r->channels) * sizeof *dx);
    const int64_t first = inside((int64_t)floor((at - 3) * step), r->out[0]);
    const int64_t last = inside((int64_t)ceil((at + 4) * step), r->out[0]);
    for (int64_t o = first; o <= last; o++) {
        const taps v = taps_of(r, 0, o);
        float weight = 0;
        for (int k = 0; k < v.n; k++)
            if (v.at[k] == row) weight += v.weight[k];
        if (weight != 0) unblend(r, weight, j->dy + (image + o) * width, dx);
    }
}

void cx_resize_backward(const cx_resize *r, const float *dy, float *dx)
{
    back j = {r, dy, dx};
    cx_parallel((int)(r->batch * r->in[0]), run_row_back, &j);
}
