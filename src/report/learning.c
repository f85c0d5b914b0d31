/* learning.c - curves.png: accuracy and loss, as they were and smoothed. */
#include "report/learning.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"

/* Exponentially, as the book does: s = 0.8 s + 0.2 x, from the first number on. */
static void smooth(double *out, const double *x, int n)
{
    const double keep = 0.8;
    for (int i = 0; i < n; i++) out[i] = i == 0 ? x[0] : keep * out[i - 1] + (1 - keep) * x[i];
}

static void fill(cx_learning *l, const cvs_training *t)
{
    l->chart[0].title = "Accuracy";
    l->chart[1].title = "Loss";
    for (int i = 0; i < l->n; i++) {
        const cvs_epoch *e = cvs_training_epoch(t, i);
        l->x[i] = i + 1;
        l->chart[0].raw[CX_TRAINED][i] = e->accuracy;
        l->chart[0].raw[CX_VALIDATED][i] = e->val_accuracy;
        l->chart[1].raw[CX_TRAINED][i] = e->loss;
        l->chart[1].raw[CX_VALIDATED][i] = e->val_loss;
        l->has_validation |= !isnan(e->val_loss);
    }
    for (int c = 0; c < CX_LEARNING_CHARTS; c++)
        for (int s = 0; s < CX_SERIES; s++) smooth(l->chart[c].smooth[s], l->chart[c].raw[s], l->n);
}

int cx_learning_init(cx_learning *out, const cvs_training *t, cvs_error *err)
{
    const int64_t n = cvs_training_epoch_count(t), best = cvs_training_best(t);
    const size_t arrays = 1 + 2 * CX_LEARNING_CHARTS * CX_SERIES;
    *out = (cx_learning){.n = (int)n, .best = NAN};
    out->x = cx_calloc(arrays * (size_t)n + 1, sizeof *out->x);
    if (!out->x) return cx_no_memory(err, arrays * (size_t)n * sizeof *out->x);
    double *at = out->x + n;
    for (int c = 0; c < CX_LEARNING_CHARTS; c++)
        for (int s = 0; s < CX_SERIES; s++) {
            out->chart[c].raw[s] = at;
            out->chart[c].smooth[s] = at + n;
            at += 2 * n;
        }
    fill(out, t);
    if (best >= 0) out->best = (double)best + 1;
    snprintf(out->best_name, sizeof out->best_name, "best: epoch %lld", (long long)best + 1);
    return 0;
}

void cx_learning_deinit(cx_learning *l)
{
    cx_free(l->x);
    *l = (cx_learning){0};
}

void cx_learning_curves(cx_curve out[CX_LEARNING_CURVES], int *n, const cx_learning *l, int chart)
{
    static const char *const names[CX_SERIES] = {"training", "validation"};
    const cx_learning_chart *c = &l->chart[chart];
    const int series = l->has_validation ? CX_SERIES : 1;
    for (int s = 0; s < series; s++) {
        out[s] = (cx_curve){names[s], l->x, c->smooth[s], .n = l->n, .colour = s + 1};
        out[series + s] = (cx_curve){"each epoch", l->x, c->raw[s], .n = l->n};
        out[series + s].colour = s + 1;
        out[series + s].has_points = out[series + s].has_no_line = 1;
    }
    *n = 2 * series;
}

int cx_learning_png(cx_bytes *out, const cx_learning *l, int width, int height, cvs_error *err)
{
    cx_curves charts[CX_LEARNING_CHARTS];
    cx_curve curves[CX_LEARNING_CHARTS][CX_LEARNING_CURVES];
    for (int c = 0; c < CX_LEARNING_CHARTS; c++) {
        charts[c] =
            (cx_curves){.title = l->chart[c].title,
                        .subtitle = "lines: smoothed, 0.8 of the line so far and 0.2 of the epoch",
                        .x_name = "epoch",
                        .curves = curves[c],
                        .width = width,
                        .height = height,
                        .has_mark = !isnan(l->best),
                        .mark = l->best,
                        .mark_name = l->best_name};
        cx_learning_curves(curves[c], &charts[c].n, l, c);
    }
    return cx_curves_draw_row(out, charts, CX_LEARNING_CHARTS, "Learning curves", err);
}
