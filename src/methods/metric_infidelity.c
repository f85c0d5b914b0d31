/* metric_infidelity.c - whether what the map says of a part is what the score loses without it
 * (Yeh et al. 2019): random squares are replaced by the baseline.
 *
 * A map has no unit, so it is first multiplied by the one number, not below 0, that makes it fit
 * best. What is left of the squared difference is given as a share of the squared losses: 0 where
 * the map tells them exactly, 1 where it tells nothing. */
#include <math.h>

#include "base/random.h"
#include "methods/trust.h"

enum { SQUARES = 64 };

typedef struct square {
    int64_t top, left, height, width;
} square;

/* Sides from a tenth to a third of the picture's. */
static square square_of(const cx_subject *s, int64_t i)
{
    const uint64_t stream = cx_random_stream(s->how.seed, 0x5c0a + (uint64_t)i);
    const cx_picture *p = &s->p;
    square q;
    const double side = 0.1 + cx_random_uniform(stream, 0) * (1.0 / 3 - 0.1);
    q.height = (int64_t)fmax(1, round(side * (double)p->height));
    q.width = (int64_t)fmax(1, round(side * (double)p->width));
    q.top = cx_random_below(stream, 1, p->height - q.height + 1);
    q.left = cx_random_below(stream, 2, p->width - q.width + 1);
    return q;
}

static void cover(void *arg, int64_t i, float *item)
{
    const cx_subject *s = arg;
    const cx_picture *p = &s->p;
    const square q = square_of(s, i);
    for (int64_t y = q.top; y < q.top + q.height; y++)
        for (int64_t x = q.left; x < q.left + q.width; x++)
            for (int64_t c = 0; c < p->channels; c++) {
                const int64_t pixel = y * p->width + x;
                item[pixel * p->cell + c * p->channel] = cx_subject_none(s, pixel, c);
            }
}

/* What the map says of the square: a derivative times the change, or the sum of what are shares of
 * the score already. */
static double told(const cx_subject *s, const square *q)
{
    const cvs_explanation *e = s->t->explanation;
    const cvs_method *m = cvs_method_find(e->method, NULL);
    const int is_derivative = e->is_pixels && m && m->shows_size;
    const cx_picture *p = &s->p;
    double sum = 0;
    for (int64_t y = q->top; y < q->top + q->height; y++)
        for (int64_t x = q->left; x < q->left + q->width; x++) {
            const int64_t pixel = y * p->width + x;
            if (!is_derivative) sum += (double)s->map[pixel];
            for (int64_t c = 0; is_derivative && c < p->channels; c++) {
                const float here = s->x[pixel * p->cell + c * p->channel];
                sum += (double)e->data[pixel * p->channels + c] *
                       ((double)here - (double)cx_subject_none(s, pixel, c));
            }
        }
    return sum;
}

static int measure(cx_subject *s, double *value, cvs_error *err)
{
    const int n = s->o->samples > 0 ? s->o->samples : SQUARES;
    double *score = cx_calloc((size_t)n, sizeof *score), ab = 0, aa = 0, bb = 0;
    int rc = 0;
    if (!score) TRY(cx_no_memory(err, (size_t)n * sizeof *score));
    TRY(cx_subject_score(s, n, cover, s, score, err));
    for (int i = 0; i < n; i++) {
        const square q = square_of(s, i);
        const double says = told(s, &q), loss = s->t->score - score[i];
        ab += says * loss;
        aa += says * says;
        bb += loss * loss;
    }
    /* With the factor ab / aa, the sum of squares is bb - ab² / aa. */
    if (bb > 0) *value = 1 - (aa > 0 && ab > 0 ? ab * ab / aa / bb : 0);
out:
    cx_free(score);
    return rc;
}

const cx_metric cx_metric_infidelity = {
    .about = {.name = "infidelity",
              .title = "Infidelity",
              .cite = "Yeh et al. 2019, On the (In)fidelity and Sensitivity of Explanations, "
                      "arXiv:1901.09392",
              .says = "what the map fails to tell of the losses when random squares are hidden: 0 "
                      "nothing, 1 all",
              .ranks = 1},
    .measure = measure,
};
