/* shuffle.h - numpy's shuffle, to draw the same pictures for validation as Keras does. */
#ifndef CX_TRAIN_SHUFFLE_H
#define CX_TRAIN_SHUFFLE_H

#include <stdint.h>

/* As numpy.random.RandomState(seed).shuffle(x), for n < 2^32. */
void cx_numpy_shuffle(int64_t *x, int64_t n, uint32_t seed);

#endif
