/* shuffle.c - the Mersenne Twister (Matsumoto and Nishimura 1998, MT19937) and what numpy's
 * RandomState draws from it. */
#include "train/shuffle.h"

enum { N = 624, M = 397 };

typedef struct twister {
    uint32_t state[N];
    int at;
} twister;

static void begin(twister *t, uint32_t seed)
{
    t->state[0] = seed;
    for (uint32_t i = 1; i < N; i++)
        t->state[i] = 1812433253U * (t->state[i - 1] ^ t->state[i - 1] >> 30) + i;
    t->at = N;
}

static void refill(twister *t)
{
    for (int i = 0; i < N; i++) {
        uint32_t y = (t->state[i] & 0x80000000U) | (t->state[(i + 1) % N] & 0x7fffffffU);
        t->state[i] = t->state[(i + M) % N] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfU : 0);
    }
    t->at = 0;
}

static uint32_t next(twister *t)
{
    if (t->at == N) refill(t);
    uint32_t y = t->state[t->at++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680U;
    y ^= y << 15 & 0xefc60000U;
    return y ^ y >> 18;
}

/* 0 … most: numbers of as many bits are drawn until one is not too large. */
static uint32_t up_to(twister *t, uint32_t most)
{
    uint32_t mask = most, v;
    for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
    do {
        v = next(t) & mask;
    } while (v > most);
    return v;
}

void cx_numpy_shuffle(int64_t *x, int64_t n, uint32_t seed)
{
    twister t;
    begin(&t, seed);
    for (int64_t i = n - 1; i > 0; i--) {
        const uint32_t k = up_to(&t, (uint32_t)i);
        const int64_t kept = x[i];
        x[i] = x[k];
        x[k] = kept;
    }
}
