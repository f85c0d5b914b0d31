/* occlusion.c - occlusion (Zeiler and Fergus 2013): a window is covered, and what the class's
 * probability loses is written where the window was; where windows overlap, the mean. */
#include "methods/picture.h"
#include "methods/scorer.h"

typedef struct windows {
    cx_picture p;
    const float *baseline; /* NULL: zeros */
    int64_t height, width, stride, across;
} windows;

static void cover(void *arg, int64_t i, float *item)
{
    const windows *w = arg;
    const cx_picture *p = &w->p;
    const int64_t top = i / w->across * w->stride, left = i % w->across * w->stride;
    for (int64_t y = top; y < top + w->height; y++)
        for (int64_t x = left; x < left + w->width; x++)
            for (int64_t c = 0; c < p->channels; c++) {
                const int64_t at = (y * p->width + x) * p->cell + c * p->channel;
                item[at] = w->baseline ? w->baseline[at] : 0;
            }
}

static void spread(const windows *w, const double *score, double whole, int64_t n, float *map,
                   float *count)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t top = i / w->across * w->stride, left = i % w->across * w->stride;
        for (int64_t y = top; y < top + w->height; y++)
            for (int64_t x = left; x < left + w->width; x++) {
                map[y * w->p.width + x] += (float)(whole - score[i]);
                count[y * w->p.width + x]++;
            }
    }
    for (int64_t k = 0; k < w->p.height * w->p.width; k++)
        if (count[k] > 0) map[k] /= count[k];
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int explain(cx_question *q, cvs_error *err)
{
    windows w = {.baseline = q->o->baseline};
    cx_scorer covered = {0};
    double *score = NULL;
    float *count = NULL;
    int64_t done;
    int rc;
    TRY(cx_picture_of(&w.p, q, err));
    const int64_t longer = w.p.height > w.p.width ? w.p.height : w.p.width;
    const int64_t side = q->o->window > 0 ? q->o->window : longer / 14 > 8 ? longer / 14 : 8;
    w.height = least(side, w.p.height);
    w.width = least(side, w.p.width);
    w.stride = q->o->stride > 0 ? q->o->stride : side > 1 ? side / 2 : 1;
    w.across = (w.p.width - w.width) / w.stride + 1;
    const int64_t n = w.across * ((w.p.height - w.height) / w.stride + 1);
    score = cx_calloc((size_t)n, sizeof *score);
    count = cx_calloc((size_t)(w.p.height * w.p.width), sizeof *count);
    if (!score || !count) TRY(cx_no_memory(err, (size_t)n * sizeof *score));
    TRY(cx_scorer_init(&covered, q, -1, n, err));
    TRY(cx_scorer_run(&covered, q, n, cover, &w, score, &done, err));
    TRY(cx_answer_map(q, w.p.height, w.p.width, err));
    spread(&w, score, q->e->score, done, q->e->data, count);
out:
    cx_scorer_deinit(&covered);
    cx_free(score);
    cx_free(count);
    return rc;
}

const cx_method cx_method_occlusion = {
    .about = {.name = "occlusion",
              .title = "Occlusion",
              .cite = "Zeiler and Fergus 2013, Visualizing and Understanding, arXiv:1311.2901",
              .needs = "a picture; --window, --stride, --baseline",
              .cost = "1 pass forward for each window",
              .is_signed = 1,
              .is_slow = 1},
    .automatic = CVS_TARGET_PROBABILITY,
    .explain = explain,
};
