/* metric_deletion.c - what the score does as pixels are taken out, or put in, in the order in which
 * the map says they matter (Petsiuk et al. 2018). Both curves come from the same pass. */
#include <math.h>

#include "methods/trust.h"

enum { POINTS = 100 };

typedef struct curves {
    const cx_subject *s;
    float *blurred; /* the input, of which nothing can be told; owned */
    int64_t steps;
} curves;

/* --- a picture of which little can be told --- */

/* One pass of a Gauss window of `radius` along an axis; windows are cut at the border. */
static void blur_axis(const float *x, float *y, int64_t lines, int64_t line, int64_t n,
                      int64_t step, int radius)
{
    const double sigma = radius > 0 ? radius : 1;
    for (int64_t l = 0; l < lines; l++)
        for (int64_t i = 0; i < n; i++) {
            double sum = 0, weights = 0;
            for (int64_t k = -radius; k <= radius; k++) {
                if (i + k < 0 || i + k >= n) continue;
                const double weight = exp(-0.5 * (double)(k * k) / (sigma * sigma));
                sum += weight * (double)x[l * line + (i + k) * step];
                weights += weight;
            }
            y[l * line + i * step] = (float)(sum / weights);
        }
}

/* The paper's window, 11 wide with a deviation of 5 on 224 pixels, in proportion. */
static int blur(curves *c, cvs_error *err)
{
    const cx_picture *p = &c->s->p;
    const int64_t n = c->s->n, side = p->height > p->width ? p->height : p->width;
    const int radius = (int)lround(5.0 * (double)side / 224) + (side < 23);
    float *room = cx_calloc((size_t)(n * 2), sizeof *room);
    c->blurred = cx_calloc((size_t)(n * p->channels), sizeof *c->blurred);
    if (!room || !c->blurred) {
        cx_free(room);
        return cx_no_memory(err, (size_t)(n * p->channels) * sizeof *c->blurred);
    }
    for (int64_t k = 0; k < p->channels; k++) {
        for (int64_t i = 0; i < n; i++) room[i] = c->s->x[i * p->cell + k * p->channel];
        blur_axis(room, room + n, p->height, p->width, p->width, 1, radius);
        blur_axis(room + n, room, p->width, 1, p->height, p->width, radius);
        for (int64_t i = 0; i < n; i++) c->blurred[i * p->cell + k * p->channel] = room[i];
    }
    cx_free(room);
    return 0;
}

/* --- the curves --- */

/* First all of deletion, then all of insertion; the i-th point has i / steps of the pixels. */
static void vary(void *arg, int64_t i, float *item)
{
    const curves *c = arg;
    const cx_picture *p = &c->s->p;
    const int inserts = i > c->steps;
    const int64_t point = inserts ? i - c->steps - 1 : i, cut = c->s->n * point / c->steps;
    const int64_t first = inserts ? cut : 0, last = inserts ? c->s->n : cut;
    for (int64_t r = first; r < last; r++) {
        const int64_t pixel = c->s->order[r];
        for (int64_t k = 0; k < p->channels; k++) {
            const int64_t at = pixel * p->cell + k * p->channel;
            item[at] = inserts ? c->blurred[at] : cx_subject_none(c->s, pixel, k);
        }
    }
}

static int draw_curves(cx_subject *s, cvs_error *err)
{
    curves c = {.s = s, .steps = s->o->points > 0 ? s->o->points : POINTS};
    const int64_t n = c.steps + 1;
    cvs_trust *t = s->t;
    int rc;
    TRY(blur(&c, err));
    t->share = cx_calloc((size_t)(3 * n), sizeof *t->share);
    if (!t->share) TRY(cx_no_memory(err, (size_t)(3 * n) * sizeof *t->share));
    t->deletion = t->share + n;
    t->insertion = t->share + 2 * n;
    for (int64_t i = 0; i < n; i++) t->share[i] = (double)i / (double)c.steps;
    TRY(cx_subject_score(s, 2 * n, vary, &c, t->deletion, err));
    t->n_points = (int)n;
out:
    cx_free(c.blurred);
    return rc;
}

/* The mean height of a curve, by trapezoids. */
static double area(const double *y, int n)
{
    double sum = 0;
    for (int i = 1; i < n; i++) sum += (y[i - 1] + y[i]) / 2;
    return sum / (n - 1);
}

static int deletion(cx_subject *s, double *value, cvs_error *err)
{
    int rc = s->t->n_points > 0 ? 0 : draw_curves(s, err);
    if (rc == 0) *value = area(s->t->deletion, s->t->n_points);
    return rc;
}

static int insertion(cx_subject *s, double *value, cvs_error *err)
{
    int rc = s->t->n_points > 0 ? 0 : draw_curves(s, err);
    if (rc == 0) *value = area(s->t->insertion, s->t->n_points);
    return rc;
}

const cx_metric cx_metric_deletion = {
    .about = {.name = "deletion",
              .title = "Deletion",
              .cite = "Petsiuk et al. 2018, RISE, arXiv:1806.07421",
              .says = "mean score while the pixels that matter most are taken out first: low if "
                      "they do matter",
              .ranks = 1},
    .measure = deletion,
};

const cx_metric cx_metric_insertion = {
    .about = {.name = "insertion",
              .title = "Insertion",
              .cite = "Petsiuk et al. 2018, RISE, arXiv:1806.07421",
              .says = "mean score while a blurred picture gets its pixels back, those that matter "
                      "most first: high if they do matter",
              .more_is_better = 1,
              .ranks = 1},
    .measure = insertion,
};
