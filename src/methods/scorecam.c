/* scorecam.c - Score-CAM (Wang et al. 2020): the input is seen through each channel in turn, and
 * the class's probability for that weighs the channel, by a softmax over all of them. */
#include <math.h>

#include "methods/picture.h"
#include "methods/scorer.h"
#include "methods/upsample.h"

typedef struct masks {
    cx_stack a;
    cx_picture p;
    float *room; /* a mask for each variant of a batch; owned */
    int batch;
} masks;

/* The input times what the channel gives, from 0 to 1. */
static void mask(void *arg, int64_t i, float *item)
{
    const masks *m = arg;
    const cx_picture *p = &m->p;
    const int64_t n = p->height * p->width;
    float *map = m->room + i % m->batch * n;
    cx_upsample(m->a.data + i, m->a.channels, m->a.height, m->a.width, map, p->height, p->width);
    cx_stretch(map, n);
    for (int64_t c = 0; c < p->channels; c++)
        for (int64_t k = 0; k < n; k++) item[k * p->cell + c * p->channel] *= map[k];
}

static void weigh(cvs_explanation *e, const cx_stack *a, const double *score, int64_t n)
{
    const int64_t cells = a->height * a->width;
    double most = -INFINITY, sum = 0;
    for (int64_t c = 0; c < n; c++) most = fmax(most, score[c]);
    for (int64_t c = 0; c < n; c++) sum += exp(score[c] - most);
    for (int64_t p = 0; p < cells; p++) {
        double value = 0;
        for (int64_t c = 0; c < n; c++)
            value += exp(score[c] - most) / sum * (double)a->data[p * a->channels + c];
        e->data[p] = (float)value;
    }
}

static int explain(cx_question *q, cvs_error *err)
{
    cx_scorer seen = {0};
    cvs_run *base = NULL;
    masks m = {0};
    double *score = NULL;
    int64_t done;
    int rc;
    const int layer = q->layers[0];
    TRY(cx_picture_of(&m.p, q, err));
    TRY(cx_question_run(&base, q, layer, err));
    TRY(cx_stack_of(&m.a, q->model, layer, &base->slots[layer].y, 0, err));
    score = cx_calloc((size_t)m.a.channels, sizeof *score);
    if (!score) TRY(cx_no_memory(err, (size_t)m.a.channels * sizeof *score));
    TRY(cx_scorer_init(&seen, q, -1, m.a.channels, err));
    m.batch = seen.batch;
    const size_t n = (size_t)(m.p.height * m.p.width) * (size_t)m.batch;
    m.room = cx_calloc(n, sizeof *m.room);
    if (!m.room) TRY(cx_no_memory(err, n * sizeof *m.room));
    TRY(cx_scorer_run(&seen, q, m.a.channels, mask, &m, score, &done, err));
    TRY(cx_answer_map(q, m.a.height, m.a.width, err));
    weigh(q->e, &m.a, score, done);
    TRY(cx_answer_cut_off(q, err));
out:
    cx_scorer_deinit(&seen);
    cx_stack_deinit(&m.a);
    cvs_run_free(base);
    cx_free(m.room);
    cx_free(score);
    return rc;
}

const cx_method cx_method_scorecam = {
    .about = {.name = "scorecam",
              .title = "Score-CAM",
              .cite = "Wang et al. 2020, Score-CAM, arXiv:1910.01279",
              .needs = "a layer with a map, a picture",
              .cost = "1 pass forward for each channel of the layer"},
    .automatic = CVS_TARGET_PROBABILITY,
    .uses_layers = 1,
    .explain = explain,
};
