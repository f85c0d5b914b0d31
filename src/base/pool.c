/* pool.c - the pool of threads: workers wait for a loop, then take its items by atomic counters.
 *
 * Loops of a small network follow each other within microseconds, and to wake a thread that sleeps
 * takes longer than many of them. So who waits looks for a while first and sleeps then: the time
 * for nothing is bounded, and nobody looks while no loops come. Where there are more threads than
 * cores to run them, looking would take the core from who works, and all sleep at once.
 *
 * Each thread has a share of the items, the same part of every loop, and helps with the others'
 * when it is done: so the rows that it wrote in one loop are mostly those that it reads in the
 * next, out of its own core's cache.
 *
 * All that a worker must know at once is in one word, `gate`: how many workers are inside the loop,
 * whether it still takes any, and which loop it is. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/pool.h"
#include "base/threads.h"

enum {
    INSIDE = 0x3ff, /* bits of gate: workers inside, … */
    OPEN = 0x400,   /* … whether they may come in, … */
    LOOP = 0x800,   /* … and one of this for each loop */
    LOOKS = 16,     /* between two views of the clock */
    CROWDED = 40,   /* loops for which nobody looks after threads were in each other's way */
};

/* Nanoseconds of looking: about what it costs to sleep and to be woken. */
static const int64_t patience = 50000;

/* A thread's items, in a line of the cache by itself. */
typedef struct share {
    atomic_int next;
    int end;
    char line[64 - 2 * sizeof(int)];
} share;

static struct {
    cx_loop_body *body;
    void *arg;
    int shares; /* threads that it may take */
} loop;         /* written while the gate is shut and nobody is inside, as are the shares */

static share shares[CX_MAX_THREADS] __attribute__((aligned(64)));

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER; /* held by whose loop the pool runs */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of those who sleep */
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
static atomic_uint gate;
static atomic_int asleep;        /* workers */
static atomic_int caller_sleeps; /* until nobody is inside */
static atomic_int crowd;         /* loops until somebody looks again */
static int started;              /* workers that exist; under busy */
static _Thread_local int within; /* loops that this thread is in */

static int64_t nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Look until the masked bits of the gate are other than `old`, for so many nanoseconds; 0 where
 * they never were. If it took much longer, the system gave the core to somebody else: then it is
 * the same as with too many threads of our own. */
static int look(unsigned mask, unsigned old, int64_t time)
{
    const int64_t end = nanoseconds() + time;
    int64_t now;
    do {
        for (int i = 0; i < LOOKS; i++) {
            if ((atomic_load_explicit(&gate, memory_order_acquire) & mask) != old) return 1;
            pause_briefly();
        }
    } while ((now = nanoseconds()) < end);
    if (now > end + 4 * patience) atomic_store(&crowd, CROWDED);
    return 0;
}

static int is_crowded(void)
{
    return atomic_load(&crowd) > 0 || cx_threads() > cx_cores();
}

/* Those of the thread's own share, then what others have left of theirs. */
static void take_items(int worker)
{
    const int n = loop.shares;
    within++;
    for (int k = 0; k < n; k++) {
        share *s = &shares[(worker + k) % n];
        int i;
        while ((i = atomic_fetch_add(&s->next, 1)) < s->end) loop.body(loop.arg, i, worker);
    }
    within--;
}

/* Into the loop of which the gate says `seen`, if it is still open. */
static void join(unsigned seen, int worker)
{
    while (!atomic_compare_exchange_weak(&gate, &seen, seen + 1))
        if (!(seen & OPEN)) return;
    if (worker < loop.shares) take_items(worker);
    const unsigned left = atomic_fetch_sub(&gate, 1) - 1;
    if ((left & (INSIDE | OPEN)) || !atomic_load(&caller_sleeps)) return;
    pthread_mutex_lock(&lock);
    pthread_cond_signal(&done);
    pthread_mutex_unlock(&lock);
}

/* Whoever goes to sleep says so before the last look at the gate, and whoever moves the gate does
 * so before looking for sleepers: so one of the two sees the other. */
static void sleep_until_moved(unsigned loop_seen)
{
    pthread_mutex_lock(&lock);
    atomic_fetch_add(&asleep, 1);
    while ((atomic_load(&gate) & ~(unsigned)(INSIDE | OPEN)) == loop_seen)
        pthread_cond_wait(&wake, &lock);
    atomic_fetch_sub(&asleep, 1);
    pthread_mutex_unlock(&lock);
}

/* An item of a series counts as one of a loop: loops in it are the worker's own affair. */
static int help_series(int worker)
{
    within++;
    const int helped = cx_series_help(worker);
    within--;
    return helped;
}

static void *worker_main(void *arg)
{
    const int worker = (int)(intptr_t)arg; /* 1 and up: the caller is 0 */
    const unsigned which = ~(unsigned)(INSIDE | OPEN);
    unsigned seen = 0;
    for (;;) {
        if (help_series(worker)) continue;
        if (!is_crowded()) look(which, seen, patience);
        unsigned now = atomic_load(&gate);
        if ((now & which) == seen) {
            sleep_until_moved(seen);
            now = atomic_load(&gate);
        }
        seen = now & which;
        if (now & OPEN) join(now, worker);
    }
    return NULL;
}

/* Start workers up to n; fewer where the system has no more. */
static void start_workers(int n)
{
    while (started < n) {
        pthread_t thread;
        pthread_attr_t attr;
        pthread_attr_init(&attr);
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        int failed = pthread_create(&thread, &attr, worker_main, (void *)(intptr_t)(started + 1));
        pthread_attr_destroy(&attr);
        if (failed) return;
        started++;
    }
}

static void wake_sleepers(void)
{
    if (atomic_load(&asleep) == 0) return;
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&lock);
}

static void open_gate(void)
{
    atomic_fetch_add(&gate, LOOP | OPEN); /* it is shut, and nobody is inside */
    wake_sleepers();
}

/* As if a loop had been opened in which there is nothing to do; one that is open stays so. */
void cx_pool_wake(void)
{
    atomic_fetch_add(&gate, LOOP);
    wake_sleepers();
}

/* And wait until all are out, in a loop that began `since`. A worker inside has an item, which
 * takes no longer than the loop has taken: one that takes longer waits for a core. */
static void shut_gate(int64_t since)
{
    unsigned inside;
    atomic_fetch_and(&gate, ~(unsigned)OPEN);
    while ((inside = atomic_load(&gate) & INSIDE) != 0) {
        const int crowded = is_crowded();
        if (!crowded && look(INSIDE, inside, nanoseconds() - since + patience)) continue;
        if (!crowded) atomic_store(&crowd, CROWDED);
        pthread_mutex_lock(&lock);
        atomic_store(&caller_sleeps, 1);
        while (atomic_load(&gate) & INSIDE) pthread_cond_wait(&done, &lock);
        atomic_store(&caller_sleeps, 0);
        pthread_mutex_unlock(&lock);
    }
}

static void share_out(int n, int threads)
{
    loop.shares = threads;
    for (int t = 0; t < threads; t++) {
        shares[t].end = (int)((int64_t)n * (t + 1) / threads);
        atomic_store_explicit(&shares[t].next, (int)((int64_t)n * t / threads),
                              memory_order_relaxed);
    }
}

static int less(int a, int b)
{
    return a < b ? a : b;
}

int cx_threads_here(void)
{
    return within ? 1 : cx_threads();
}

void cx_parallel(int n, cx_loop_body *body, void *arg)
{
    cx_parallel_by(CX_MAX_THREADS, n, body, arg);
}

void cx_parallel_by(int most, int n, cx_loop_body *body, void *arg)
{
    const int threads = less(less(n, cx_threads()), most);
    if (threads < 2 || within || pthread_mutex_trylock(&busy) != 0) {
        if (threads > 1 && !within) atomic_store(&crowd, CROWDED);
        for (int i = 0; i < n; i++) body(arg, i, 0);
        return;
    }
    if (atomic_load(&crowd) > 0) atomic_fetch_sub(&crowd, 1);
    start_workers(threads - 1);
    loop.body = body;
    loop.arg = arg;
    share_out(n, threads);
    const int64_t since = nanoseconds();
    open_gate();
    take_items(0);
    shut_gate(since);
    pthread_mutex_unlock(&busy);
}
