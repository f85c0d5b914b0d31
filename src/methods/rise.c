/* rise.c - RISE (Petsiuk et al. 2018): the class's probability for many randomly masked copies; a
 * pixel is worth the mean over the masks that show it, less the worth of the least one: what all
 * have in common says nothing about where. */
#include <math.h>

#include "base/random.h"
#include "methods/picture.h"
#include "methods/scorer.h"

enum { MASKS = 2000, GRID = 7 };

typedef struct masks {
    cx_picture p;
    uint64_t seed;
} masks;

/* One mask: a grid of cells on and off, made smooth and shifted by less than a cell. */
typedef struct one_mask {
    float on[GRID * GRID];
    int64_t cell_h, cell_w, shift_y, shift_x;
} one_mask;

static one_mask mask_of(const masks *m, int64_t i)
{
    const uint64_t stream = cx_random_stream(m->seed, (uint64_t)i);
    one_mask k = {.cell_h = (m->p.height + GRID - 1) / GRID,
                  .cell_w = (m->p.width + GRID - 1) / GRID};
    for (int c = 0; c < GRID * GRID; c++) k.on[c] = cx_random_uniform(stream, (uint64_t)c) < 0.5;
    k.shift_y = cx_random_below(stream, GRID * GRID, k.cell_h);
    k.shift_x = cx_random_below(stream, GRID * GRID + 1, k.cell_w);
    return k;
}

/* The place of a pixel between two rows or columns of the grid. */
static double between(int64_t pixel, int64_t cell, int *low, int *high)
{
    double at = ((double)pixel + 0.5) * GRID / (double)((GRID + 1) * cell) - 0.5;
    if (at < 0) at = 0;
    if (at > GRID - 1) at = GRID - 1;
    *low = (int)at;
    *high = *low + 1 < GRID ? *low + 1 : *low;
    return at - *low;
}

static float shown(const one_mask *k, int64_t y, int64_t x)
{
    int top, bottom, left, right;
    const double v = between(y + k->shift_y, k->cell_h, &top, &bottom);
    const double u = between(x + k->shift_x, k->cell_w, &left, &right);
    const double above =
        (double)k->on[top * GRID + left] * (1 - u) + (double)k->on[top * GRID + right] * u;
    const double below =
        (double)k->on[bottom * GRID + left] * (1 - u) + (double)k->on[bottom * GRID + right] * u;
    return (float)(above * (1 - v) + below * v);
}

static void hide(void *arg, int64_t i, float *item)
{
    const masks *m = arg;
    const one_mask k = mask_of(m, i);
    for (int64_t y = 0; y < m->p.height; y++)
        for (int64_t x = 0; x < m->p.width; x++) {
            const float share = shown(&k, y, x);
            float *pixel = item + (y * m->p.width + x) * m->p.cell;
            for (int64_t c = 0; c < m->p.channels; c++) pixel[c * m->p.channel] *= share;
        }
}

static void gather(const masks *m, const double *score, int64_t n, float *map, double *sums)
{
    const int64_t pixels = m->p.height * m->p.width;
    double *shares = sums + pixels;
    for (int64_t i = 0; i < n; i++) {
        const one_mask k = mask_of(m, i);
        for (int64_t y = 0, at = 0; y < m->p.height; y++)
            for (int64_t x = 0; x < m->p.width; x++, at++) {
                const double share = (double)shown(&k, y, x);
                sums[at] += share * score[i];
                shares[at] += share;
            }
    }
    double least = INFINITY;
    for (int64_t k = 0; k < pixels; k++) {
        sums[k] = shares[k] > 0 ? sums[k] / shares[k] : 0;
        least = fmin(least, sums[k]);
    }
    for (int64_t k = 0; k < pixels; k++) map[k] = (float)(sums[k] - least);
}

static int explain(cx_question *q, cvs_error *err)
{
    const int64_t n = q->o->steps > 0 ? q->o->steps : MASKS;
    masks m = {.seed = q->o->seed};
    cx_scorer hidden = {0};
    double *score = NULL, *sums = NULL;
    int64_t done;
    int rc;
    TRY(cx_picture_of(&m.p, q, err));
    score = cx_calloc((size_t)n, sizeof *score);
    sums = cx_calloc((size_t)(m.p.height * m.p.width) * 2, sizeof *sums);
    if (!score || !sums) TRY(cx_no_memory(err, (size_t)n * sizeof *score));
    TRY(cx_scorer_init(&hidden, q, -1, n, err));
    TRY(cx_scorer_run(&hidden, q, n, hide, &m, score, &done, err));
    TRY(cx_answer_map(q, m.p.height, m.p.width, err));
    gather(&m, score, done, q->e->data, sums);
out:
    cx_scorer_deinit(&hidden);
    cx_free(score);
    cx_free(sums);
    return rc;
}

const cx_method cx_method_rise = {
    .about = {.name = "rise",
              .title = "RISE",
              .cite = "Petsiuk et al. 2018, RISE, arXiv:1806.07421",
              .needs = "a picture",
              .cost = "2000 passes forward, or --steps",
              .is_slow = 1},
    .automatic = CVS_TARGET_PROBABILITY,
    .explain = explain,
};
