/* data.h - where training gets its examples from: whoever has some gives a function that fills
 * batches of them. */
#ifndef CX_TRAIN_DATA_H
#define CX_TRAIN_DATA_H

#include <stdint.h>

#include "base/error.h"

/* Examples, numbered from 0, each an input of the model's shape and the index of a class. */
typedef struct cx_data {
    int64_t n;
    int n_classes;
    /* Fill `x` (count inputs on end, N x H x W x C in C order) and `label` (count of them, 0 …
     * n_classes - 1) with the examples `which`. What is drawn at random for an example, as its
     * augmentation is, depends on its number and on `epoch` alone, not on its place in a batch or
     * on calls before: so training that was stopped goes on with the same bytes. Called by one
     * thread at a time, which need not always be the same. Does not allocate once it is warm. */
    int (*fill)(void *self, const int64_t *which, int count, int64_t epoch, float *x,
                int64_t *label, cvs_error *err);
    void *self; /* for `fill` */
} cx_data;

#endif
