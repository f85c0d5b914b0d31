/* threads.c - how many threads there are to be, locks for everybody, and threads for one task. The
 * pool is in pool.c. */
#define _GNU_SOURCE
#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "base/mem.h"
#include "base/sanitizer.h"

double cx_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static atomic_int chosen; /* by cx_threads_set; 0: one a core */

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

struct cx_thread {
    cx_task task;
};

int cx_thread_start(cx_thread **out, void (*body)(void *arg), void *arg, cvs_error *err)
{
    cx_thread *t = *out = cx_alloc(sizeof *t);
    if (!t) return cx_no_memory(err, sizeof *t);
    t->task = (cx_task){.body = body, .arg = arg};
    if (pthread_create(&t->task.thread, NULL, task_main, &t->task) == 0) return 0;
    cx_free(t);
    *out = NULL;
    return cx_fail(err, CVS_E_NOMEM, "the system has no thread left");
}

void cx_thread_join(cx_thread *t)
{
    if (!t) return;
    pthread_join(t->task.thread, NULL);
    cx_free(t);
}
