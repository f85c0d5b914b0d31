/* dispatch.c - the choice of the instruction set at run time. */
#include <stdatomic.h>
#include <string.h>

#include "kernels/set.h"

extern const cx_set cx_baseline_set;
#ifdef __x86_64__
extern const cx_set cx_avx2_set, cx_avx512_set;
#endif

/* Widest first. */
static const cx_set *const sets[] = {
#ifdef __x86_64__
    &cx_avx512_set,
    &cx_avx2_set,
#endif
    &cx_baseline_set,
};
enum { SETS = sizeof sets / sizeof sets[0] };

static const cx_set *_Atomic chosen;

static int processor_has(const cx_set *s)
{
#ifdef __x86_64__
    const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (s == &cx_avx2_set) return avx2;
    if (s == &cx_avx512_set)
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
#endif
    return s == &cx_baseline_set;
}

/* Threads that come here together find the same set, so it does not matter which of them stores
 * it. */
const cx_set *cx_set_now(void)
{
    const cx_set *s = atomic_load_explicit(&chosen, memory_order_acquire);
    if (s) return s;
    int i = 0;
    while (!processor_has(sets[i])) i++;
    atomic_store_explicit(&chosen, sets[i], memory_order_release);
    return sets[i];
}

const cx_set *cx_set_for(int64_t n)
{
    const cx_set *now = cx_set_now();
    for (int i = 0; i < SETS; i++)
        if (sets[i]->lanes <= now->lanes && (sets[i]->lanes <= n || i == SETS - 1)) return sets[i];
    return now;
}

int cx_is_whole(const float *y, int64_t channels)
{
    const size_t longest = CX_MAX_LANES * sizeof *y;
    return channels % CX_MAX_LANES == 0 && (uintptr_t)y % longest == 0;
}

const char *cx_kernels_name(void)
{
    return cx_set_now()->name;
}

int cx_kernels_use(const char *name, cvs_error *err)
{
    for (int i = 0; i < SETS; i++) {
        if (strcmp(sets[i]->name, name) != 0) continue;
        if (!processor_has(sets[i]))
            return cx_fail(err, CVS_E_ARG, "this processor has no %s", name);
        atomic_store(&chosen, sets[i]);
        return 0;
    }
    return cx_fail(err, CVS_E_ARG, "no instruction set is called \"%.40s\"", name);
}
