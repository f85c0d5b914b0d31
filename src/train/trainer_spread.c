/* trainer_spread.c - how derivatives are distributed. */
#include <math.h>
#include <string.h>

#include "train/trainer.h"

static void fill_bins(cx_spread *s, const cx_parameter *p)
{
    const double scale = CX_SPREAD_BINS / (2.0 * CX_SPREAD_REACH) / sqrt(s->squares / (double)s->n);
    for (int64_t i = 0; i < p->n; i++) {
        const double at = (double)p->g[i] * scale + CX_SPREAD_BINS / 2.0;
        s->bins[(int)fmin(fmax(at, 0), CX_SPREAD_BINS - 1)]++;
    }
}

void cx_trainer_spread(cx_trainer *t)
{
    for (int i = 0; i < t->n_parameters; i++) t->spread[t->layer_of[i]] = (cx_spread){0};
    for (int i = 0; i < t->n_parameters; i++) {
        const cx_parameter *p = &t->parameters[i];
        t->spread[t->layer_of[i]].squares += cx_sum_of_squares(p->n, p->g);
        t->spread[t->layer_of[i]].n += p->n;
    }
    for (int i = 0; i < t->n_parameters && t->is_watched; i++) {
        cx_spread *s = &t->spread[t->layer_of[i]];
        if (s->squares > 0 && isfinite(s->squares)) fill_bins(s, &t->parameters[i]);
    }
}
