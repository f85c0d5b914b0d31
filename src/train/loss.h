/* loss.h - what training makes small, and how often the network is right. */
#ifndef CX_TRAIN_LOSS_H
#define CX_TRAIN_LOSS_H

#include <stdint.h>

#include "base/error.h"

typedef enum cx_loss_kind {
    CX_BINARY_CROSSENTROPY,
    CX_CATEGORICAL_CROSSENTROPY,
    CX_SPARSE_CATEGORICAL_CROSSENTROPY,
    CX_MEAN_SQUARED_ERROR,
} cx_loss_kind;

typedef struct cx_loss {
    cx_loss_kind kind;
    int from_logits;  /* 1: of numbers before a sigmoid or softmax */
    double smoothing; /* Keras' label_smoothing: 0 … 1; not of the sparse kind */
} cx_loss;

/* By Keras' name, "binary_crossentropy", or a shorter one, "bce", "mse". */
int cx_loss_by_name(cx_loss_kind *out, const char *name, cvs_error *err);
const char *cx_loss_name(cx_loss_kind kind); /* static */

/* The activation whose argument the loss can be computed from, "sigmoid"; NULL: none. Static. */
const char *cx_loss_activation(cx_loss_kind kind);

/* Whether the loss is defined for n outputs and so many classes. */
int cx_loss_check(const cx_loss *l, int64_t n, int n_classes, cvs_error *err);

/* Mean over the rows of weight[r] times the loss of y[r][0 … n - 1] against the class label[r];
 * weight NULL: 1. As Keras 3 has it, the sum is divided by the number of rows, not by that of
 * their weights. One output is compared with the label as a number, several with the label as a
 * vector of a single 1. `dy`, which may be NULL, is filled with the derivative. */
double cx_loss_value(const cx_loss *l, int64_t rows, int64_t n, const float *y,
                     const int64_t *label, const double *weight, float *dy);

/* How many rows are right, as Keras' "accuracy" counts: one output is right when it is above 0.5
 * where the label is 1 and not where it is 0; of several the first of the largest is to be the
 * label's. It looks at what the model gives, also where that is a logit. */
int64_t cx_count_right(int64_t rows, int64_t n, const float *y, const int64_t *label);

#endif
