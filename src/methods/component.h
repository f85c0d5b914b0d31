/* component.h - the first principal component of numbers in rows. */
#ifndef CX_METHODS_COMPONENT_H
#define CX_METHODS_COMPONENT_H

#include "base/error.h"

#include <stdint.h>

/* The place of each of n rows of k numbers along the direction in which they differ most. Its sign
 * is free: the one that goes with `along`, a number a row, or where that is NULL with the rows'
 * sums. */
int cx_first_component(float *out, const float *rows, int64_t n, int64_t k, const double *along,
                       cvs_error *err);

#endif
