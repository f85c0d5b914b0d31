/* measure.h - time, medians (clock.h), and the multiply-add peak of the instruction set in use. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <string.h>

#include "clock.h"

#include "base/threads.h"
#include "kernels/kernels.h"

enum { MAX_ROUNDS = 1000 };

/* --- the peak --- */

enum { CHAINS = 12, STEPS = 20000, BURSTS = 2 };

/* Twelve independent chains of multiply-adds, more than any processor needs to be busy; the empty
 * asm keeps the compiler from seeing through them. */
#define PEAK(set, lanes, keep)                                         \
    typedef float set##_vec __attribute__((vector_size(lanes * 4)));   \
    set static void peak_##set(void *arg, int i, int worker)           \
    {                                                                  \
        (void)arg, (void)i, (void)worker;                              \
        set##_vec sum[CHAINS] = {{0}}, by = {0};                       \
        for (int s = 0; s < STEPS; s++) {                              \
            _Pragma("GCC unroll 12") for (int c = 0; c < CHAINS; c++)  \
            {                                                          \
                sum[c] += by * by;                                     \
                __asm__ volatile("" : "+" keep(sum[c]), "+" keep(by)); \
            }                                                          \
        }                                                              \
    }
#define baseline
#ifdef __x86_64__
#define avx2   __attribute__((target("avx2,fma")))
#define avx512 __attribute__((target("avx512f")))
PEAK(baseline, 4, "x")
PEAK(avx2, 8, "x")
PEAK(avx512, 16, "v")
#else
PEAK(baseline, 4, "w")
#endif

/* Floating point operations a second of one burst. */
static inline double peak(void)
{
    cx_loop_body *body = peak_baseline;
    int lanes = 4;
#ifdef __x86_64__
    if (!strcmp(cx_kernels_name(), "avx2")) body = peak_avx2, lanes = 8;
    if (!strcmp(cx_kernels_name(), "avx512")) body = peak_avx512, lanes = 16;
#endif
    const int bursts = BURSTS * cx_threads();
    const double start = now();
    cx_parallel(bursts, body, NULL);
    return 2.0 * lanes * CHAINS * STEPS * bursts / (now() - start);
}

#endif
