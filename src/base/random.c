/* random.c - random numbers by hashing a counter. */
#include "base/random.h"

#include <math.h>

uint64_t cx_random_bits(uint64_t seed, uint64_t i)
{
    uint64_t z = seed + (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

double cx_random_uniform(uint64_t seed, uint64_t i)
{
    return (double)(cx_random_bits(seed, i) >> 11) * 0x1p-53;
}

double cx_random_normal(uint64_t seed, uint64_t i)
{
    const double two_pi = 6.283185307179586;
    const double u = 1 - cx_random_uniform(seed, 2 * i), v = cx_random_uniform(seed, 2 * i + 1);
    return sqrt(-2 * log(u)) * cos(two_pi * v);
}

int64_t cx_random_below(uint64_t seed, uint64_t i, int64_t n)
{
    return (int64_t)(cx_random_uniform(seed, i) * (double)n);
}

uint64_t cx_random_stream(uint64_t seed, uint64_t which)
{
    return cx_random_bits(cx_random_bits(seed, which), ~which);
}
