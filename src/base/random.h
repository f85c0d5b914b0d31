/* random.h - random numbers that depend on a seed and a place alone, so that any thread may ask for
 * any of them in any order. */
#ifndef CX_BASE_RANDOM_H
#define CX_BASE_RANDOM_H

#include <stdint.h>

#define CX_PI 3.14159265358979323846

/* 64 random bits of the i-th place of a stream: Vigna's SplitMix64 as a hash of a counter. */
uint64_t cx_random_bits(uint64_t seed, uint64_t i);

/* Even over [0, 1). */
double cx_random_uniform(uint64_t seed, uint64_t i);

/* Mean 0, deviation 1 (Box and Muller 1958). */
double cx_random_normal(uint64_t seed, uint64_t i);

/* 0 … n - 1. */
int64_t cx_random_below(uint64_t seed, uint64_t i, int64_t n);

/* The seed of a stream within another one. */
uint64_t cx_random_stream(uint64_t seed, uint64_t which);

#endif
