/* pool.c - the pool of threads: workers wait for a loop, then take its items by an atomic counter.
 *
 * Loops of a small network follow each other within microseconds, and to wake a thread that sleeps
 * takes longer than many of them. So who waits looks for a while first and sleeps then: the time
 * for nothing is bounded, and nobody looks while no loops come. Where there are more threads than
 * cores to run them, looking would take the core from who works, and all sleep at once.
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

static struct {
    cx_loop_body *body;
    void *arg;
    int n, wanted; /* items; workers that it may take */
    atomic_int next;
} loop; /* written while the gate is shut and nobody is inside */

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

/* Look until the masked bits of the gate are other than `old`, for as long as patience lasts. If it
 * took much longer, the system gave the core to somebody else: then it is the same as with too many
 * threads of our own. */
static void look(unsigned mask, unsigned old)
{
    if (atomic_load(&crowd) > 0 || cx_threads() > cx_cores()) return;
    const int64_t end = nanoseconds() + patience;
    int64_t now;
    do {
        for (int i = 0; i < LOOKS; i++) {
            if ((atomic_load_explicit(&gate, memory_order_acquire) & mask) != old) return;
            pause_briefly();
        }
    } while ((now = nanoseconds()) < end);
    if (now > end + 4 * patience) atomic_store(&crowd, CROWDED);
}

static void take_items(int worker)
{
    const int n = loop.n;
    int i;
    within++;
    while ((i = atomic_fetch_add(&loop.next, 1)) < n) loop.body(loop.arg, i, worker);
    within--;
}

/* Into the loop of which the gate says `seen`, if it is still open. */
static void join(unsigned seen, int worker)
{
    while (!atomic_compare_exchange_weak(&gate, &seen, seen + 1))
        if (!(seen & OPEN)) return;
    if (worker <= loop.wanted) take_items(worker);
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
        look(which, seen);
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

/* And wait until all are out. */
static void shut_gate(void)
{
    unsigned inside;
    atomic_fetch_and(&gate, ~(unsigned)OPEN);
    while ((inside = atomic_load(&gate) & INSIDE) != 0) {
        look(INSIDE, inside);
        if ((atomic_load(&gate) & INSIDE) != inside) continue;
        atomic_store(&crowd, CROWDED); /* a worker waits for a core more likely than it works */
        pthread_mutex_lock(&lock);
        atomic_store(&caller_sleeps, 1);
        while (atomic_load(&gate) & INSIDE) pthread_cond_wait(&done, &lock);
        atomic_store(&caller_sleeps, 0);
        pthread_mutex_unlock(&lock);
    }
}

int cx_threads_here(void)
{
    return within ? 1 : cx_threads();
}

void cx_parallel(int n, cx_loop_body *body, void *arg)
{
    int helpers = (n < cx_threads() ? n : cx_threads()) - 1;
    if (helpers < 1 || within || pthread_mutex_trylock(&busy) != 0) {
        if (helpers > 0 && !within) atomic_store(&crowd, CROWDED);
        for (int i = 0; i < n; i++) body(arg, i, 0);
        return;
    }
    if (atomic_load(&crowd) > 0) atomic_fetch_sub(&crowd, 1);
    start_workers(helpers);
    loop.body = body;
    loop.arg = arg;
    loop.n = n;
    loop.wanted = helpers;
    atomic_store(&loop.next, 0);
    open_gate();
    take_items(0);
    shut_gate();
    pthread_mutex_unlock(&busy);
}
