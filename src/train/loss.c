/* loss.c - the losses of Keras 3 with TensorFlow below it: values and derivatives.
 *
 * From logits, the cross entropies are computed without a logarithm of a probability. From
 * probabilities, these are first brought between 1e-7 and 1 - 1e-7, outside of which the derivative
 * is 0 as that of TensorFlow's clip_by_value. (Keras 2 also added 1e-7 in the logarithm of the
 * binary one.) */
#include "train/loss.h"

#include <math.h>

#include "base/str.h"

static const double epsilon = 1e-7;

static const struct {
    const char *name, *shorter, *activation;
    cx_loss_kind kind;
} table[] = {
    {"binary_crossentropy", "bce", "sigmoid", CX_BINARY_CROSSENTROPY},
    {"categorical_crossentropy", "cce", "softmax", CX_CATEGORICAL_CROSSENTROPY},
    {"sparse_categorical_crossentropy", "scce", "softmax", CX_SPARSE_CATEGORICAL_CROSSENTROPY},
    {"mean_squared_error", "mse", NULL, CX_MEAN_SQUARED_ERROR},
};
enum { N_LOSSES = sizeof table / sizeof *table };

int cx_loss_by_name(cx_loss_kind *out, const char *name, cvs_error *err)
{
    const char *names[N_LOSSES];
    for (int i = 0; i < N_LOSSES; i++) {
        names[i] = table[i].name;
        if (!cx_streq(name, table[i].name) && !cx_streq(name, table[i].shorter)) continue;
        *out = table[i].kind;
        return 0;
    }
    cx_fail(err, CVS_E_ARG, "no loss is called \"%.80s\"", name);
    cx_hint_nearest(err, name, names, N_LOSSES);
    return CVS_E_ARG;
}

const char *cx_loss_name(cx_loss_kind kind)
{
    return table[kind].name;
}

const char *cx_loss_activation(cx_loss_kind kind)
{
    return table[kind].activation;
}

int cx_loss_check(const cx_loss *l, int64_t n, int n_classes, cvs_error *err)
{
    const int is_softmax =
        l->kind == CX_CATEGORICAL_CROSSENTROPY || l->kind == CX_SPARSE_CATEGORICAL_CROSSENTROPY;
    if (!(l->smoothing >= 0 && l->smoothing <= 1))
        return cx_fail(err, CVS_E_ARG, "label smoothing of %g: it takes 0 to 1", l->smoothing);
    if (l->smoothing > 0 && l->kind == CX_SPARSE_CATEGORICAL_CROSSENTROPY) {
        cx_fail(err, CVS_E_ARG, "%s has no label smoothing", cx_loss_name(l->kind));
        cx_hint(err, "categorical_crossentropy is the same loss and has it");
        return CVS_E_ARG;
    }
    if (n == 1 && is_softmax) {
        cx_fail(err, CVS_E_ARG, "%s of one output is always 0", cx_loss_name(l->kind));
        cx_hint(err, "binary_crossentropy is for one output");
        return CVS_E_ARG;
    }
    if (n == 1 && n_classes > 2 && l->kind == CX_BINARY_CROSSENTROPY)
        return cx_fail(err, CVS_E_ARG, "one output for %d classes", n_classes);
    if (n > 1 && n_classes > n)
        return cx_fail(err, CVS_E_ARG, "%lld outputs for %d classes", (long long)n, n_classes);
    return 0;
}

/* --- one row --- */

/* One row of a loss: y and the class it should be, and the derivative times `scale` into dy. */
typedef struct row {
    const cx_loss *loss;
    int64_t n, label;
    const float *y;
    float *dy; /* or NULL */
    double scale;
} row;

static double target(const row *r, int64_t i)
{
    const double s = r->loss->smoothing, t = r->n == 1 ? (double)r->label : i == r->label;
    if (s <= 0) return t;
    if (r->loss->kind == CX_BINARY_CROSSENTROPY) return t * (1 - s) + 0.5 * s;
    if (r->loss->kind == CX_CATEGORICAL_CROSSENTROPY) return t * (1 - s) + s / (double)r->n;
    return t;
}

static void give(const row *r, int64_t i, double dy)
{
    if (r->dy) r->dy[i] = (float)(r->scale * dy);
}

/* Brought inside; `inside` tells whether it was there, ends included. A NaN stays. */
static double clip(double p, int *inside)
{
    const double q = p < epsilon ? epsilon : p > 1 - epsilon ? 1 - epsilon : p;
    *inside = q == p;
    return q;
}

static double binary(const row *r)
{
    double sum = 0;
    for (int64_t i = 0; i < r->n; i++) {
        const double y = (double)r->y[i], t = target(r, i);
        if (r->loss->from_logits) {
            sum += fmax(y, 0) - y * t + log1p(exp(-fabs(y))) + 0 * y; /* fmax drops a NaN */
            give(r, i, (1 / (1 + exp(-y)) - t) / (double)r->n);
        } else {
            int inside;
            const double p = clip(y, &inside);
            sum -= t * log(p) + (1 - t) * log(1 - p);
            give(r, i, inside ? (p - t) / (p * (1 - p)) / (double)r->n : 0);
        }
    }
    return sum / (double)r->n;
}

/* The largest; a NaN where there is one. */
static double largest(const row *r)
{
    double most = (double)r->y[0];
    for (int64_t i = 1; i < r->n; i++)
        if (!((double)r->y[i] <= most)) most = (double)r->y[i];
    return most;
}

static double softmax_of_logits(const row *r)
{
    const double most = largest(r);
    double sum = 0, value = 0, targets = 0;
    for (int64_t i = 0; i < r->n; i++) sum += exp((double)r->y[i] - most);
    for (int64_t i = 0; i < r->n; i++) {
        const double t = target(r, i);
        targets += t;
        value -= t * ((double)r->y[i] - most - log(sum));
    }
    for (int64_t i = 0; i < r->n; i++)
        give(r, i, targets * exp((double)r->y[i] - most) / sum - target(r, i));
    return value;
}

/* Keras first divides the row by its sum, then clips. */
static double softmax_of_probabilities(const row *r)
{
    double sum = 0, value = 0, through = 0; /* through: what goes back through the sum */
    int inside;
    for (int64_t i = 0; i < r->n; i++) sum += (double)r->y[i];
    for (int64_t i = 0; i < r->n; i++) {
        const double q = clip((double)r->y[i] / sum, &inside), t = target(r, i);
        value -= t * log(q);
        if (inside) through += t;
    }
    for (int64_t i = 0; i < r->n; i++) {
        const double q = clip((double)r->y[i] / sum, &inside);
        give(r, i, (through - (inside ? target(r, i) / q : 0)) / sum);
    }
    return value;
}

/* The sparse one clips first, and TensorFlow then takes the logarithms for logits, so that the row
 * is divided by its sum after all. */
static double sparse_of_probabilities(const row *r)
{
    double sum = 0, own = 0;
    int inside;
    for (int64_t i = 0; i < r->n; i++) {
        const double p = clip((double)r->y[i], &inside);
        sum += p;
        if (i == r->label) own = p;
    }
    for (int64_t i = 0; i < r->n; i++) {
        (void)clip((double)r->y[i], &inside);
        give(r, i, inside ? 1 / sum - (i == r->label ? 1 / own : 0) : 0);
    }
    return log(sum) - log(own);
}

static double squares(const row *r)
{
    double sum = 0;
    for (int64_t i = 0; i < r->n; i++) {
        const double d = (double)r->y[i] - target(r, i);
        sum += d * d;
        give(r, i, 2 * d / (double)r->n);
    }
    return sum / (double)r->n;
}

static double value_of(const row *r)
{
    const cx_loss *l = r->loss;
    switch (l->kind) {
    case CX_BINARY_CROSSENTROPY:
        return binary(r);
    case CX_CATEGORICAL_CROSSENTROPY:
        return l->from_logits ? softmax_of_logits(r) : softmax_of_probabilities(r);
    case CX_SPARSE_CATEGORICAL_CROSSENTROPY:
        return l->from_logits ? softmax_of_logits(r) : sparse_of_probabilities(r);
    case CX_MEAN_SQUARED_ERROR:
        break;
    }
    return squares(r);
}

double cx_loss_value(const cx_loss *l, int64_t rows, int64_t n, const float *y,
                     const int64_t *label, const double *weight, float *dy)
{
    double sum = 0;
    for (int64_t i = 0; i < rows; i++) {
        const double w = weight ? weight[i] : 1;
        const row r = {l, n, label[i], y + i * n, dy ? dy + i * n : NULL, w / (double)rows};
        sum += w * value_of(&r);
    }
    return sum / (double)rows;
}

int64_t cx_count_right(int64_t rows, int64_t n, const float *y, const int64_t *label)
{
    int64_t right = 0;
    for (int64_t r = 0; r < rows; r++, y += n) {
        int64_t most = 0;
        for (int64_t i = 1; i < n; i++)
            if (y[i] > y[most]) most = i;
        right += (n == 1 ? (int64_t)(y[0] > 0.5f) : most) == label[r];
    }
    return right;
}
