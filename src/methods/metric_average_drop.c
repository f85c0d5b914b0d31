/* metric_average_drop.c - what the score does when the picture is seen through the map: times 1
 * where the evidence is strongest, times 0 where there is none (Chattopadhay et al. 2018). */
#include <math.h>

#include "methods/trust.h"

typedef struct seen {
    const cx_subject *s;
    float *mask; /* owned */
} seen;

static void look_through(void *arg, int64_t i, float *item)
{
    const seen *v = arg;
    const cx_picture *p = &v->s->p;
    (void)i;
    for (int64_t c = 0; c < p->channels; c++)
        for (int64_t k = 0; k < v->s->n; k++) item[k * p->cell + c * p->channel] *= v->mask[k];
}

static int score_of_masked(cx_subject *s, double *score, cvs_error *err)
{
    seen v = {s, cx_calloc((size_t)s->n, sizeof *v.mask)};
    int rc = 0;
    if (!v.mask) TRY(cx_no_memory(err, (size_t)s->n * sizeof *v.mask));
    cx_subject_mask(s, v.mask);
    TRY(cx_subject_score(s, 1, look_through, &v, score, err));
out:
    cx_free(v.mask);
    return rc;
}

/* Of a score that is not above 0 there is no share to lose. */
static int average_drop(cx_subject *s, double *value, cvs_error *err)
{
    double masked;
    int rc = score_of_masked(s, &masked, err);
    if (rc == 0 && s->t->score > 0) *value = fmax(0, s->t->score - masked) / s->t->score;
    return rc;
}

static int increase(cx_subject *s, double *value, cvs_error *err)
{
    double masked;
    int rc = score_of_masked(s, &masked, err);
    if (rc == 0) *value = masked > s->t->score;
    return rc;
}

const cx_metric cx_metric_average_drop = {
    .about = {.name = "average-drop",
              .title = "Average drop",
              .cite = "Chattopadhay et al. 2018, Grad-CAM++, arXiv:1710.11063",
              .says = "share of the score that is lost when only what the map shows is seen",
              .ranks = 1},
    .measure = average_drop,
};

const cx_metric cx_metric_increase = {
    .about = {.name = "increase",
              .title = "Increase",
              .cite = "Chattopadhay et al. 2018, Grad-CAM++, arXiv:1710.11063",
              .says = "share of the inputs whose score rises when only what the map shows is seen",
              .more_is_better = 1,
              .ranks = 1},
    .measure = increase,
};
