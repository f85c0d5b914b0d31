/* t_kernels.h - seeded numbers, and the comparison of a kernel with the reference on every
 * instruction set and for several numbers of threads. */
#ifndef T_KERNELS_H
#define T_KERNELS_H

#include "test.h"

#include <math.h>

#include "base/threads.h"
#include "kernels/reference.h"

/* --- numbers --- */

static uint64_t random_state;

static void seed(uint64_t n)
{
    random_state = n * 0x9e3779b97f4a7c15u + 1;
}

static uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state >> 11;
}

/* from … to, both ends included. */
static int64_t pick(int64_t from, int64_t to)
{
    return from + (int64_t)(random_bits() % (uint64_t)(to - from + 1));
}

/* n numbers in -1 … 1, a quarter of them 0 as after a relu. The block is exactly so large, and the
 * numbers are aligned as floats only, so a sanitizer sees a read past either end. */
static float *numbers(int64_t n)
{
    char *block = malloc((size_t)(n + 1) * sizeof(float));
    assert_non_null(block);
    float *x = (float *)(void *)block + 1;
    for (int64_t i = 0; i < n; i++)
        x[i] = pick(0, 3) ? (float)((double)pick(-1000000, 1000000) / 1e6) : 0;
    return x;
}

static void drop(float *x)
{
    free(x - 1);
}

/* --- comparison --- */

/* Floating point sums in another order: relative to the largest value of the result. */
#define TOLERANCE 1e-5

/* A kernel call: fills y by the kernels (ref 0) or the reference (ref 1). */
typedef void kernel_call(const void *arg, float *y, int ref);

static void expect_close(const float *y, const float *want, int64_t n, const char *what)
{
    double top = 1e-30;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(want[i]) && fabs((double)want[i]) > top) top = fabs((double)want[i]);
    for (int64_t i = 0; i < n; i++) {
        const int same = (isnan(y[i]) && isnan(want[i])) || y[i] == want[i] ||
                         fabs((double)y[i] - (double)want[i]) <= TOLERANCE * top;
        if (!same)
            fail_msg("%s, set %s, %d threads: number %lld of %lld is %.9g, not %.9g", what,
                     cx_kernels_name(), cx_threads(), (long long)i, (long long)n, (double)y[i],
                     (double)want[i]);
    }
}

static const char *const set_names[] = {"baseline", "avx2", "avx512"};

/* The call on every set that this processor has: close to the reference, the same bytes for 1, 2
 * and 3 threads, and nothing written before or after y. */
static void expect_reference(kernel_call *call, const void *arg, int64_t n, const char *what)
{
    enum { GUARD = 20 };
    float *want = numbers(n), *first = numbers(n), *block = numbers(n + 2 * GUARD);
    call(arg, want, 1);
    for (size_t s = 0; s < sizeof set_names / sizeof set_names[0]; s++) {
        if (cx_kernels_use(set_names[s], NULL) < 0) continue;
        for (int threads = 1; threads <= 3; threads++) {
            cx_threads_set(threads, NULL);
            for (int64_t i = 0; i < n + 2 * GUARD; i++) block[i] = 12345;
            call(arg, block + GUARD, 0);
            for (int i = 0; i < GUARD; i++)
                if (block[i] != 12345 || block[n + GUARD + i] != 12345)
                    fail_msg("%s, set %s: wrote outside its result", what, cx_kernels_name());
            if (threads == 1) {
                expect_close(block + GUARD, want, n, what);
                memcpy(first, block + GUARD, (size_t)n * sizeof *first);
            }
            if (memcmp(first, block + GUARD, (size_t)n * sizeof *first) != 0)
                fail_msg("%s, set %s: %d threads give other bytes than 1", what, cx_kernels_name(),
                         threads);
        }
    }
    cx_threads_set(0, NULL);
    drop(want);
    drop(first);
    drop(block);
}

#endif
