/* metric_road.c - remove and debias (Rong et al. 2022): pixels are taken out so that the hole
 * itself tells nothing. A removed pixel becomes a mean of its eight neighbours, of which those
 * beside it count 1/6 and those across the corner 1/12, all solved together, and a little noise.
 *
 * The value is (score without the least important - score without the most important) / 2, the
 * mean over 10, 20 … 90 % of the pixels. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "methods/trust.h"

enum { SHARES = 9, VARIANTS = 2 * SHARES, SWEEPS = 400 };

static const double noise = 0.01;       /* of the input's range */
static const double near_enough = 1e-3; /* the residual's length, as a share of its first */

/* One variant's place to work: a picture with a border of one, where nothing is. */
typedef struct room {
    float *memory;                               /* owned */
    float *value, *residual, *direction, *image; /* the border included */
    float *weight;                               /* of all neighbours that there are */
    uint8_t *hole;
    int64_t *pixels; /* of the hole, as places in the above */
    int64_t n, stride, cells;
} room;

typedef struct road {
    const cx_subject *s;
    room *rooms; /* one a variant of a batch */
    int n_rooms;
} road;

static int room_init(room *r, const cx_picture *p, cvs_error *err)
{
    r->stride = p->width + 2;
    r->cells = r->stride * (p->height + 2);
    const size_t n = (size_t)r->cells;
    r->memory = cx_calloc(n * 5, sizeof *r->memory);
    r->hole = cx_calloc(n, 1);
    r->pixels = cx_calloc(n, sizeof *r->pixels);
    if (!r->memory || !r->hole || !r->pixels) return cx_no_memory(err, n * 5 * sizeof(float));
    r->value = r->memory;
    r->residual = r->value + n;
    r->direction = r->residual + n;
    r->image = r->direction + n;
    r->weight = r->image + n;
    return 0;
}

static void room_deinit(room *r)
{
    cx_free(r->memory);
    cx_free(r->hole);
    cx_free(r->pixels);
}

/* The sum over a place's neighbours, with their weights. */
static float around(const float *v, int64_t at, int64_t stride)
{
    const float beside = v[at - 1] + v[at + 1] + v[at - stride] + v[at + stride];
    const float across =
        v[at - stride - 1] + v[at - stride + 1] + v[at + stride - 1] + v[at + stride + 1];
    return beside / 6 + across / 12;
}

/* Which pixels are taken out, and how much weight the neighbours of each place have. */
static void dig(room *r, const cx_subject *s, int64_t first, int64_t last)
{
    const cx_picture *p = &s->p;
    memset(r->hole, 0, (size_t)r->cells);
    memset(r->memory, 0, (size_t)r->cells * 5 * sizeof(float));
    for (int64_t y = 0; y < p->height; y++)
        for (int64_t x = 0; x < p->width; x++) r->value[(y + 1) * r->stride + x + 1] = 1;
    r->n = 0;
    for (int64_t i = first; i < last; i++) {
        const int64_t pixel = s->order[i];
        const int64_t at = (pixel / p->width + 1) * r->stride + pixel % p->width + 1;
        r->hole[at] = 1;
        r->weight[at] = around(r->value, at, r->stride);
        r->pixels[r->n++] = at;
    }
}

/* Where to begin: the mean of all that is known. */
static void begin(room *r, int64_t height, int64_t width)
{
    float *v = r->value;
    double mean = 0;
    int64_t known = 0;
    for (int64_t y = 1; y <= height; y++)
        for (int64_t x = 1; x <= width; x++) {
            const int64_t at = y * r->stride + x;
            if (r->hole[at]) continue;
            mean += (double)r->image[at];
            known++;
        }
    mean = known ? mean / (double)known : 0;
    for (int64_t i = 0; i < r->cells; i++) v[i] = r->hole[i] ? (float)mean : r->image[i];
}

/* D x - W x over the hole, of a vector that is 0 outside of it. */
static double apply(room *r, const float *x, float *y)
{
    double product = 0;
    for (int64_t i = 0; i < r->n; i++) {
        const int64_t at = r->pixels[i];
        y[at] = r->weight[at] * x[at] - around(x, at, r->stride);
        product += (double)y[at] * (double)x[at];
    }
    return product;
}

/* The equations are symmetric and positive definite, as every pixel hangs on one that is known: by
 * conjugate gradients (Hestenes and Stiefel 1952). */
static void fill(room *r, int64_t height, int64_t width)
{
    double old = 0, first;
    begin(r, height, width);
    for (int64_t i = 0; i < r->n; i++) {
        const int64_t at = r->pixels[i];
        r->residual[at] = around(r->value, at, r->stride) - r->weight[at] * r->value[at];
        r->direction[at] = r->residual[at];
        old += (double)r->residual[at] * (double)r->residual[at];
    }
    first = old;
    float *product = r->image; /* which has been read */
    for (int sweep = 0; sweep < SWEEPS && old > first * near_enough * near_enough; sweep++) {
        const double slope = apply(r, r->direction, product);
        double now = 0;
        if (!(slope > 0)) break;
        const float step = (float)(old / slope);
        for (int64_t i = 0; i < r->n; i++) {
            const int64_t at = r->pixels[i];
            r->value[at] += step * r->direction[at];
            r->residual[at] -= step * product[at];
            now += (double)r->residual[at] * (double)r->residual[at];
        }
        const float keep = (float)(now / old);
        for (int64_t i = 0; i < r->n; i++) {
            const int64_t at = r->pixels[i];
            r->direction[at] = r->residual[at] + keep * r->direction[at];
        }
        old = now;
    }
    memset(r->direction, 0, (size_t)r->cells * sizeof(float));
}

/* Variant i: the most important share of the pixels goes, or the least important one. */
static void vary(void *arg, int64_t i, float *item)
{
    const road *d = arg;
    const cx_subject *s = d->s;
    const cx_picture *p = &s->p;
    room *r = &d->rooms[i % d->n_rooms];
    const int64_t cut = s->n * (i % SHARES + 1) / (SHARES + 1);
    const uint64_t stream = cx_random_stream(s->how.seed, 0x0ad);
    dig(r, s, i < SHARES ? 0 : s->n - cut, i < SHARES ? cut : s->n);
    for (int64_t c = 0; c < p->channels; c++) {
        for (int64_t k = 0; k < s->n; k++)
            r->image[(k / p->width + 1) * r->stride + k % p->width + 1] =
                item[k * p->cell + c * p->channel];
        fill(r, p->height, p->width);
        for (int64_t k = 0; k < r->n; k++) {
            const int64_t at = r->pixels[k];
            const int64_t pixel = (at / r->stride - 1) * p->width + at % r->stride - 1;
            const uint64_t place = (uint64_t)(pixel * p->channels + c);
            item[pixel * p->cell + c * p->channel] =
                r->value[at] + (float)(noise * (double)s->range * cx_random_normal(stream, place));
        }
        memset(r->image, 0, (size_t)r->cells * sizeof(float));
    }
}

static int measure(cx_subject *s, double *value, cvs_error *err)
{
    road d = {.s = s, .n_rooms = s->scorer.batch < VARIANTS ? s->scorer.batch : VARIANTS};
    double score[VARIANTS], sum = 0;
    int rc = 0;
    d.rooms = cx_calloc((size_t)d.n_rooms, sizeof *d.rooms);
    if (!d.rooms) TRY(cx_no_memory(err, (size_t)d.n_rooms * sizeof *d.rooms));
    for (int i = 0; i < d.n_rooms; i++) TRY(room_init(&d.rooms[i], &s->p, err));
    TRY(cx_subject_score(s, VARIANTS, vary, &d, score, err));
    for (int i = 0; i < SHARES; i++) sum += (score[SHARES + i] - score[i]) / 2;
    *value = sum / SHARES;
out:
    for (int i = 0; d.rooms && i < d.n_rooms; i++) room_deinit(&d.rooms[i]);
    cx_free(d.rooms);
    return rc;
}

const cx_metric cx_metric_road = {
    .about = {.name = "road",
              .title = "ROAD",
              .cite = "Rong et al. 2022, A Consistent and Efficient Evaluation Strategy for "
                      "Attribution Methods, arXiv:2202.00449",
              .says = "how much more the score loses with the pixels that matter most than with "
                      "those that matter least, where holes are filled from around them",
              .more_is_better = 1,
              .ranks = 1},
    .measure = measure,
};
