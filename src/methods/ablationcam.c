/* ablationcam.c - Ablation-CAM (Desai and Ramaswamy 2020): a channel weighs what the score loses
 * without it. Only the layers after it are computed again. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "methods/scorer.h"

typedef struct channels {
    int64_t cells, n, cell, channel; /* floats from one to the next */
} channels;

static void take_out(void *arg, int64_t i, float *item)
{
    const channels *k = arg;
    for (int64_t p = 0; p < k->cells; p++) item[p * k->cell + i * k->channel] = 0;
}

/* Which channels carry most, and how much. */
static void tell_heaviest(cx_question *q, const double *weights, int64_t n)
{
    enum { SHOWN = 5 };
    int64_t best[SHOWN];
    char text[SHOWN * 48] = "";
    int found = 0;
    for (int i = 0; i < SHOWN && i < n; i++) {
        int64_t next = -1;
        for (int64_t c = 0; c < n; c++) {
            int is_told = 0;
            for (int k = 0; k < found; k++) is_told |= best[k] == c;
            if (!is_told && (next < 0 || weights[c] > weights[next])) next = c;
        }
        if (next < 0 || !(weights[next] > 0)) break;
        best[found++] = next;
        const size_t at = strlen(text);
        snprintf(text + at, sizeof text - at, "%s%lld (%.3g %%)", i ? ", " : "", (long long)next,
                 100 * weights[next]);
    }
    if (found)
        cx_answer_note(q,
                       "channels that carry most, and the share of the score that goes with "
                       "each: %s",
                       text);
}

static int explain(cx_question *q, cvs_error *err)
{
    const int layer = q->layers[0];
    cx_scorer without = {0};
    cx_stack a = {0};
    double *score = NULL;
    int64_t done;
    cvs_run *base = NULL;
    int rc;
    TRY(cx_question_run(&base, q, layer, err));
    TRY(cx_stack_of(&a, q->model, layer, &base->slots[layer].y, 0, err));
    const int first = cx_node_channel_axis(q->model, layer) == 1;
    channels k = {.cells = a.height * a.width, .n = a.channels};
    k.cell = first ? 1 : k.n;
    k.channel = first ? k.cells : 1;
    score = cx_calloc((size_t)k.n, sizeof *score);
    if (!score) TRY(cx_no_memory(err, (size_t)k.n * sizeof *score));
    TRY(cx_scorer_init(&without, q, layer, k.n, err));
    TRY(cx_scorer_run(&without, q, k.n, take_out, &k, score, &done, err));
    /* The paper divides by the score, which turns the map round where that is negative. */
    const double whole = fabs(q->e->score) > 0 ? fabs(q->e->score) : 1;
    for (int64_t c = 0; c < k.n; c++) score[c] = c < done ? (q->e->score - score[c]) / whole : 0;
    TRY(cx_cam_answer(q, &a, score, err));
    tell_heaviest(q, score, k.n);
out:
    cx_scorer_deinit(&without);
    cx_stack_deinit(&a);
    cvs_run_free(base);
    cx_free(score);
    return rc;
}

const cx_method cx_method_ablationcam = {
    .about = {.name = "ablationcam",
              .title = "Ablation-CAM",
              .cite = "Desai and Ramaswamy 2020, Ablation-CAM, WACV",
              .needs = "a layer with a map",
              .cost = "1 pass of the layers after it for each channel"},
    .automatic = CVS_TARGET_LOGIT,
    .uses_layers = 1,
    .weighs_channels = 1,
    .explain = explain,
};
