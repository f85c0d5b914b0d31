/* threads.c - the pool: workers sleep until a loop comes, then take items by an atomic counter. */
#define _GNU_SOURCE
#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "base/sanitizer.h"

typedef struct loop {
    cx_loop_body *body;
    void *arg;
    int n;
    atomic_int next;
} loop;

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER; /* held by whose loop the pool runs */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the rest */
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
static loop *current;
static unsigned generation; /* one up for each loop, so that a worker joins each only once */
static int wanted;          /* workers that the current loop may take */
static int inside;          /* workers in the current loop */
static int started;         /* workers that exist */
static atomic_int chosen;   /* by cx_threads_set; 0: one a core */

int cx_cores(void)
{
    static atomic_int known;
    int n = atomic_load(&known);
    if (n > 0) return n;
    cpu_set_t set;
    n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    if (n > CX_MAX_THREADS) n = CX_MAX_THREADS;
    atomic_store(&known, n);
    return n;
}

int cx_threads(void)
{
    int n = atomic_load(&chosen);
    return n > 0 ? n : cx_cores();
}

int cx_threads_set(int n, cvs_error *err)
{
    if (n < 0 || n > CX_MAX_THREADS)
        return cx_fail(err, CVS_E_ARG, "%d threads: it takes 1 to %d, or 0 for one a core", n,
                       CX_MAX_THREADS);
    atomic_store(&chosen, n);
    return 0;
}

static void work(loop *l, int worker)
{
    int i;
    while ((i = atomic_fetch_add(&l->next, 1)) < l->n) l->body(l->arg, i, worker);
}

static void *worker_main(void *arg)
{
    int worker = (int)(intptr_t)arg; /* 1 and up: the caller is 0 */
    unsigned seen = 0;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (seen == generation || !current || worker > wanted) {
            seen = generation;
            pthread_cond_wait(&wake, &lock);
        }
        seen = generation;
        loop *l = current;
        inside++;
        pthread_mutex_unlock(&lock);
        work(l, worker);
        pthread_mutex_lock(&lock);
        if (--inside == 0) pthread_cond_signal(&done);
    }
    return NULL;
}

/* Start workers up to n; fewer where the system has no more. Wants the lock. */
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

void cx_parallel(int n, cx_loop_body *body, void *arg)
{
    loop l = {.body = body, .arg = arg, .n = n};
    int helpers = (n < cx_threads() ? n : cx_threads()) - 1;
    if (helpers < 1 || pthread_mutex_trylock(&busy) != 0) {
        for (int i = 0; i < n; i++) body(arg, i, 0);
        return;
    }
    pthread_mutex_lock(&lock);
    start_workers(helpers);
    current = &l;
    wanted = helpers;
    generation++;
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&lock);

    work(&l, 0);

    pthread_mutex_lock(&lock);
    current = NULL;
    while (inside > 0) pthread_cond_wait(&done, &lock);
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&busy);
}

static pthread_mutex_t alone = PTHREAD_MUTEX_INITIALIZER;

void cx_alone_begin(void)
{
    pthread_mutex_lock(&alone);
}

void cx_alone_end(void)
{
    pthread_mutex_unlock(&alone);
}

struct cx_task {
    void (*body)(void *arg);
    void *arg;
    pthread_t thread;
    int threaded;
};

static void *task_main(void *arg)
{
    cx_task *task = arg;
    task->body(task->arg);
    return NULL;
}

cx_task *cx_task_start(void (*body)(void *arg), void *arg)
{
    cx_task *task = cx_alloc(sizeof *task);
    if (!task) return NULL;
    *task = (cx_task){.body = body, .arg = arg};
    /* A task is often the reading of a picture while a model loads. */
    task->threaded =
        !CX_ADDRESS_SANITIZER && pthread_create(&task->thread, NULL, task_main, task) == 0;
    if (!task->threaded) body(arg);
    return task;
}

void cx_task_finish(cx_task *task)
{
    if (!task) return;
    if (task->threaded) pthread_join(task->thread, NULL);
    cx_free(task);
}
