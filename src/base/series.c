/* series.c - a series: items that become ready one after the other while the caller computes, done
 * by workers of the pool that would wait otherwise.
 *
 * The caller's own loops may go on meanwhile. A worker that is at an item is missing there, and who
 * opens a loop does without: nobody waits for anybody, so on few cores, too, all are at work. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/threads.h"

struct cx_series {
    cx_loop_body *body;
    void *arg;
    int n, threads;
    int ready, next; /* items that may be done; the first that nobody has taken */
    int working;     /* workers of the pool that are at an item; these three under `lock` */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t idle = PTHREAD_COND_INITIALIZER;
static cx_series *open_one; /* of which the pool takes items; under `lock` */
static atomic_int there_is; /* whether one of these is ready, to be looked at without the lock */

/* The next item, or -1. */
static int take(cx_series *s)
{
    const int i = s->next < s->ready ? s->next++ : -1;
    if (s == open_one) atomic_store(&there_is, s->next < s->ready);
    return i;
}

int cx_series_help(int worker)
{
    if (!atomic_load(&there_is)) return 0;
    pthread_mutex_lock(&lock);
    cx_series *s = open_one;
    const int i = s && worker < s->threads ? take(s) : -1;
    if (i >= 0) s->working++;
    pthread_mutex_unlock(&lock);
    if (i < 0) return 0;
    s->body(s->arg, i, worker);
    pthread_mutex_lock(&lock);
    if (--s->working == 0) pthread_cond_broadcast(&idle);
    pthread_mutex_unlock(&lock);
    return 1;
}

static void take_items(void *arg, int n, int worker)
{
    cx_series *s = arg;
    int i;
    (void)n;
    do {
        pthread_mutex_lock(&lock);
        i = take(s);
        pthread_mutex_unlock(&lock);
        if (i >= 0) s->body(s->arg, i, worker);
    } while (i >= 0);
}

cx_series *cx_series_start(int n, cx_loop_body *body, void *arg)
{
    cx_series *s = cx_alloc(sizeof *s);
    if (!s) return NULL;
    *s = (cx_series){.body = body, .arg = arg, .n = n, .threads = cx_threads()};
    pthread_mutex_lock(&lock);
    if (!open_one) open_one = s; /* else the pool has another one's, and all is done at the end */
    pthread_mutex_unlock(&lock);
    return s;
}

void cx_series_ready(cx_series *s, int n)
{
    int more = 0;
    pthread_mutex_lock(&lock);
    if (n > s->ready) {
        s->ready = n;
        more = s == open_one && s->threads > 1;
        if (s == open_one) atomic_store(&there_is, 1);
    }
    pthread_mutex_unlock(&lock);
    if (more) cx_pool_wake();
}

/* From now on nobody comes in; wait for who is inside. */
static void end(cx_series *s)
{
    pthread_mutex_lock(&lock);
    if (open_one == s) {
        open_one = NULL;
        atomic_store(&there_is, 0);
    }
    while (s->working > 0) pthread_cond_wait(&idle, &lock);
    pthread_mutex_unlock(&lock);
    cx_free(s);
}

void cx_series_finish(cx_series *s)
{
    if (!s) return;
    pthread_mutex_lock(&lock);
    s->ready = s->n;
    pthread_mutex_unlock(&lock);
    cx_parallel(s->threads, take_items, s);
    end(s);
}

void cx_series_drop(cx_series *s)
{
    if (s) end(s);
}
