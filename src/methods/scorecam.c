/* scorecam.c - Score-CAM (Wang et al. 2020) and its kin: the input is seen through each channel in
 * turn, and the class's probability for that weighs the channel, by a softmax over all of them.
 *
 *   Faster Score-CAM  only the channels that differ most from place to place are looked through
 *   SS-CAM            the mean over masks with noise of deviation 2
 *   IS-CAM            the mean over masks times 1/n, 2/n … 1 */
#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "methods/masks.h"

enum { FASTER_CHANNELS = 10, NOISY_MASKS = 35, INTEGRAL_MASKS = 10 };
#define DEVIATION 2.0

typedef struct job {
    cx_masks masks;
    int64_t *channels; /* that are looked through */
    int64_t n, samples;
    int is_noisy;
    uint64_t seed;
} job;

static void look(void *arg, int64_t i, float *item)
{
    const job *j = arg;
    const int64_t n = j->masks.p.height * j->masks.p.width, sample = i % j->samples;
    float *mask = cx_masks_of(&j->masks, j->channels[i / j->samples], i);
    if (j->is_noisy) {
        const uint64_t stream = cx_random_stream(j->seed, (uint64_t)i);
        for (int64_t k = 0; k < n; k++)
            mask[k] += (float)(DEVIATION * cx_random_normal(stream, (uint64_t)k));
    } else if (j->samples > 1) {
        for (int64_t k = 0; k < n; k++) mask[k] *= (float)(sample + 1) / (float)j->samples;
    }
    cx_masks_apply(&j->masks, mask, item);
}

/* --- channels --- */

typedef struct rated {
    double variance;
    int64_t channel;
} rated;

static int by_variance(const void *a, const void *b)
{
    const rated *x = a, *y = b;
    if (x->variance > y->variance || x->variance < y->variance)
        return x->variance > y->variance ? -1 : 1;
    return x->channel < y->channel ? -1 : 1;
}

static double variance_of(const cx_stack *a, int64_t c)
{
    const int64_t n = a->height * a->width;
    double sum = 0, squares = 0;
    for (int64_t p = 0; p < n; p++) {
        const double v = (double)a->data[p * a->channels + c];
        sum += v;
        squares += v * v;
    }
    return squares / (double)n - sum / (double)n * sum / (double)n;
}

/* The first n of all channels, in the order of their variance. */
static int choose_channels(job *j, cvs_error *err)
{
    const cx_stack *a = &j->masks.a;
    const size_t n = (size_t)a->channels;
    rated *all = cx_calloc(n, sizeof *all);
    j->channels = cx_calloc(n, sizeof *j->channels);
    if (!all || !j->channels) {
        cx_free(all);
        return cx_no_memory(err, n * sizeof *all);
    }
    for (int64_t c = 0; c < a->channels; c++) all[c] = (rated){variance_of(a, c), c};
    if (j->n < a->channels) qsort(all, n, sizeof *all, by_variance);
    for (int64_t i = 0; i < j->n; i++) j->channels[i] = all[i].channel;
    cx_free(all);
    return 0;
}

/* --- the whole --- */

/* The softmax of the channels' mean scores; channels that were not looked through weigh nothing. */
static void weigh(const job *j, const double *score, int64_t done, double *weights)
{
    double most = -INFINITY, all = 0;
    const int64_t n = done / j->samples;
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t s = 0; s < j->samples; s++) sum += score[i * j->samples + s];
        weights[j->channels[i]] = sum / (double)j->samples;
        most = fmax(most, sum / (double)j->samples);
    }
    for (int64_t i = 0; i < n; i++) {
        double *w = &weights[j->channels[i]];
        *w = exp(*w - most);
        all += *w;
    }
    for (int64_t i = 0; i < n; i++) weights[j->channels[i]] /= all;
}

static int explain(cx_question *q, int64_t most_channels, int64_t samples, int is_noisy,
                   cvs_error *err)
{
    job j = {.samples = samples, .is_noisy = is_noisy, .seed = q->o->seed};
    double *score = NULL, *weights = NULL;
    int64_t done;
    int rc;
    TRY(cx_masks_init(&j.masks, q, q->layers[0], samples * most_channels, err));
    const int64_t channels = j.masks.a.channels;
    j.n = channels < most_channels ? channels : most_channels;
    TRY(choose_channels(&j, err));
    score = cx_calloc((size_t)(j.n * samples), sizeof *score);
    weights = cx_calloc((size_t)channels, sizeof *weights);
    if (!score || !weights) TRY(cx_no_memory(err, (size_t)(j.n * samples) * sizeof *score));
    TRY(cx_scorer_run(&j.masks.seen, q, j.n * samples, look, &j, score, &done, err));
    weigh(&j, score, done, weights);
    TRY(cx_cam_answer(q, &j.masks.a, weights, err));
out:
    cx_masks_deinit(&j.masks);
    cx_free(j.channels);
    cx_free(score);
    cx_free(weights);
    return rc;
}

static int64_t steps_or(const cx_question *q, int64_t otherwise)
{
    return q->o->steps > 0 ? q->o->steps : otherwise;
}

static int explain_scorecam(cx_question *q, cvs_error *err)
{
    return explain(q, CX_MAX_CHANNELS, 1, 0, err);
}

static int explain_faster(cx_question *q, cvs_error *err)
{
    return explain(q, steps_or(q, FASTER_CHANNELS), 1, 0, err);
}

static int explain_sscam(cx_question *q, cvs_error *err)
{
    return explain(q, CX_MAX_CHANNELS, steps_or(q, NOISY_MASKS), 1, err);
}

static int explain_iscam(cx_question *q, cvs_error *err)
{
    return explain(q, CX_MAX_CHANNELS, steps_or(q, INTEGRAL_MASKS), 0, err);
}

#define MASKED(symbol, word, heading, paper, price, slow, function) \
    const cx_method cx_method_##symbol = {                          \
        .about = {.name = word,                                     \
                  .title = heading,                                 \
                  .cite = paper,                                    \
                  .needs = "a layer with a map, a picture",         \
                  .cost = price,                                    \
                  .is_slow = slow},                                 \
        .automatic = CVS_TARGET_PROBABILITY,                        \
        .uses_layers = 1,                                           \
        .weighs_channels = 1,                                       \
        .explain = function,                                        \
    }

MASKED(scorecam, "scorecam", "Score-CAM", "Wang et al. 2020, Score-CAM, arXiv:1910.01279",
       "1 pass forward for each channel of the layer", 0, explain_scorecam);
MASKED(faster_scorecam, "faster-scorecam", "Faster Score-CAM",
       "Li et al. 2020, Faster Score-CAM, github.com/tabayashi0117/Score-CAM",
       "10 passes forward, or --steps: the channels that vary most", 0, explain_faster);
MASKED(sscam, "sscam", "SS-CAM", "Wang et al. 2020, SS-CAM, arXiv:2006.14255",
       "35 passes forward, or --steps, for each channel of the layer", 1, explain_sscam);
MASKED(iscam, "iscam", "IS-CAM", "Naidu et al. 2020, IS-CAM, arXiv:2010.03023",
       "10 passes forward, or --steps, for each channel of the layer", 1, explain_iscam);
