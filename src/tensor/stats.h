/* stats.h - numbers about tensors. */
#ifndef CX_TENSOR_STATS_H
#define CX_TENSOR_STATS_H

#include "tensor/tensor.h"

/* Statistics of each of `channels` interleaved channels: values x[p * channels + c] for p in
 * 0 … positions - 1. Sums in double, p in rising order: the same bytes always. `count` is of the
 * finite values; where there are none, every figure but n_nan and n_inf is 0. */
void cx_stats_channels(cvs_stats *out, const float *x, int64_t positions, int64_t channels);

/* All channels together, from the figures of each (by the formula for pooled moments). */
void cx_stats_pool(cvs_stats *out, const cvs_stats *parts, int64_t n);

#endif
