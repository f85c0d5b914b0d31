/* desk.c - lanes of orders, and threads that take them. */
#define _GNU_SOURCE /* POLLRDHUP */
#include "serve/desk.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/threads.h"
#include "serve/order.h"

/* A thread for passes, as each uses all cores; two for what takes long, so that a heatmap does not
 * wait for a pattern. */
static const struct {
    int threads, most; /* orders that wait */
} lanes[CX_LANES] = {
    [CX_LANE_NONE] = {0, 0},
    [CX_LANE_QUICK] = {2, 256},
    [CX_LANE_PASS] = {1, 128},
    [CX_LANE_LONG] = {2, 24},
};
enum { THREADS = 5, PATIENT = 5 /* as nice counts */ };

typedef struct worker {
    cx_desk *desk;
    cx_lane lane;
    cx_thread *thread;
} worker;

struct cx_desk {
    pthread_mutex_t lock;
    pthread_cond_t put, ended, drained;
    cx_order *first[CX_LANES]; /* that wait, the oldest first */
    cx_order *running;         /* in any order */
    worker workers[THREADS];
    int n_workers, n_alive;
    int stopping;
};

/* --- waiters --- */

static void wake(cx_waiter *w)
{
    if (!w->asleep) return;
    w->asleep = 0;
    w->wake(w);
}

static void wake_all(const cx_order *o)
{
    for (cx_waiter *w = o->waiters; w; w = w->next) wake(w);
}

static void wait_for(cx_order *o, cx_waiter *w)
{
    w->order = o;
    w->next = o->waiters;
    o->waiters = w;
}

/* --- orders in lists --- */

static cx_order *find_equal(const cx_desk *d, const cx_order *o)
{
    if (!cx_order_is_shared(o)) return NULL;
    for (cx_order *at = d->running; at; at = at->next)
        if (!at->stop && cx_order_equal(at, o)) return at;
    for (cx_order *at = d->first[o->route->lane]; at; at = at->next)
        if (cx_order_equal(at, o)) return at;
    return NULL;
}

static int append(cx_order **list, cx_order *o, int most)
{
    for (; *list; list = &(*list)->next)
        if (--most <= 0) return -1;
    *list = o;
    o->next = NULL;
    return 0;
}

static int take_out(cx_order **list, const cx_order *o)
{
    for (; *list; list = &(*list)->next)
        if (*list == o) {
            *list = o->next;
            return 1;
        }
    return 0;
}

/* --- what an answer asks, in its own thread --- */

static int is_stopped(const cx_ask *ask)
{
    const cx_order *o = ask->connection;
    return atomic_load(&o->stop);
}

static int send_event(const cx_ask *ask, const char *event, const char *data)
{
    cx_order *o = ask->connection;
    cx_desk *d = o->desk;
    pthread_mutex_lock(&d->lock);
    while (o->events.len > CX_ORDER_EVENTS && !o->stop) pthread_cond_wait(&d->drained, &d->lock);
    const int gone = o->stop;
    if (!gone) {
        cx_str_addf(&o->events, "event: %s\ndata: ", event);
        cx_str_add(&o->events, data);
        cx_str_add(&o->events, "\n\n");
        wake_all(o);
    }
    const int failed = o->events.failed;
    pthread_mutex_unlock(&d->lock);
    return gone || failed;
}

/* --- threads --- */

static cx_order *next_order(cx_desk *d, cx_lane lane)
{
    while (!d->stopping && !d->first[lane]) pthread_cond_wait(&d->put, &d->lock);
    if (d->stopping) return NULL;
    cx_order *o = d->first[lane];
    d->first[lane] = o->next;
    o->next = d->running;
    d->running = o;
    return o;
}

static void work(void *arg)
{
    worker *w = arg;
    cx_desk *d = w->desk;
    cx_order *o;
    /* Of this thread alone, as Linux has it: a pass goes before what takes minutes. */
    if (w->lane == CX_LANE_LONG) setpriority(PRIO_PROCESS, 0, PATIENT);
    pthread_mutex_lock(&d->lock);
    while ((o = next_order(d, w->lane))) {
        o->ask.is_stopped = is_stopped;
        o->ask.send = o->route->streams ? send_event : NULL;
        pthread_mutex_unlock(&d->lock);
        cx_order_answer(o);
        if (o->route->streams && o->rc < 0) cx_order_tell_error(o);
        pthread_mutex_lock(&d->lock);
        take_out(&d->running, o);
        o->is_done = 1;
        wake_all(o);
        cx_order_drop(o);
    }
    d->n_alive--;
    pthread_cond_broadcast(&d->ended);
    pthread_mutex_unlock(&d->lock);
}

static int start(cx_desk *d, cx_lane lane, cvs_error *err)
{
    worker *w = &d->workers[d->n_workers];
    *w = (worker){.desk = d, .lane = lane};
    pthread_mutex_lock(&d->lock);
    int rc = cx_thread_start(&w->thread, work, w, err);
    if (rc == 0) d->n_workers++, d->n_alive++;
    pthread_mutex_unlock(&d->lock);
    return rc;
}

int cx_desk_new(cx_desk **out, cvs_error *err)
{
    pthread_condattr_t attr;
    int rc = 0;
    cx_desk *d = *out = cx_calloc(1, sizeof *d);
    if (!d) return cx_no_memory(err, sizeof *d);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->put, NULL);
    pthread_cond_init(&d->drained, NULL);
    pthread_cond_init(&d->ended, &attr);
    pthread_condattr_destroy(&attr);
    for (int lane = 0; lane < CX_LANES; lane++)
        for (int i = 0; i < lanes[lane].threads; i++) TRY(start(d, (cx_lane)lane, err));
out:
    if (rc < 0) {
        cx_desk_free(d);
        *out = NULL;
    }
    return rc;
}

int cx_desk_stop(cx_desk *d, int milliseconds)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += milliseconds / 1000;
    end.tv_nsec += milliseconds % 1000 * 1000000L;
    if (end.tv_nsec >= 1000000000) end.tv_sec++, end.tv_nsec -= 1000000000;
    pthread_mutex_lock(&d->lock);
    d->stopping = 1;
    for (cx_order *o = d->running; o; o = o->next) {
        atomic_store(&o->stop, 1);
        wake_all(o);
    }
    for (int lane = 0; lane < CX_LANES; lane++)
        for (cx_order *o = d->first[lane]; o; o = o->next) {
            atomic_store(&o->stop, 1);
            wake_all(o);
        }
    pthread_cond_broadcast(&d->put);
    pthread_cond_broadcast(&d->drained);
    while (d->n_alive > 0 && pthread_cond_timedwait(&d->ended, &d->lock, &end) == 0) continue;
    const int all = d->n_alive == 0;
    pthread_mutex_unlock(&d->lock);
    return all;
}

void cx_desk_free(cx_desk *d)
{
    if (!d) return;
    cx_desk_stop(d, 0);
    for (int i = 0; i < d->n_workers; i++) cx_thread_join(d->workers[i].thread);
    for (int lane = 0; lane < CX_LANES; lane++)
        while (d->first[lane]) {
            cx_order *o = d->first[lane];
            d->first[lane] = o->next;
            cx_order_drop(o);
        }
    pthread_cond_destroy(&d->put);
    pthread_cond_destroy(&d->ended);
    pthread_cond_destroy(&d->drained);
    pthread_mutex_destroy(&d->lock);
    cx_free(d);
}

/* --- for those who wait --- */

int cx_desk_put(cx_desk *d, cx_waiter *w, cx_order *o, cvs_error *err)
{
    int rc = 0;
    pthread_mutex_lock(&d->lock);
    cx_order *equal = find_equal(d, o);
    if (d->stopping) {
        rc = cx_fail(err, CVS_E_NOMEM, "the viewer is ending");
    } else if (equal) {
        cx_order_drop(o);
        wait_for(cx_order_share(equal), w);
    } else if (append(&d->first[o->route->lane], o, lanes[o->route->lane].most) < 0) {
        rc = cx_fail(err, CVS_E_NOMEM, "too much is asked for at once");
        cx_hint(err, "come again in a moment");
    } else {
        o->desk = d;
        wait_for(cx_order_share(o), w);
        pthread_cond_broadcast(&d->put);
    }
    pthread_mutex_unlock(&d->lock);
    return rc;
}

void cx_desk_leave(cx_desk *d, cx_waiter *w)
{
    if (!w->order) return;
    pthread_mutex_lock(&d->lock);
    cx_order *o = w->order;
    cx_waiter **at = &o->waiters;
    while (*at && *at != w) at = &(*at)->next;
    if (*at) *at = w->next;
    if (!o->waiters && !o->is_done) {
        atomic_store(&o->stop, 1);
        if (take_out(&d->first[o->route->lane], o)) cx_order_drop(o);
        pthread_cond_broadcast(&d->drained);
    }
    w->order = NULL;
    w->asleep = 0;
    cx_order_drop(o);
    pthread_mutex_unlock(&d->lock);
}

int cx_desk_is_done(cx_desk *d, const cx_waiter *w)
{
    pthread_mutex_lock(&d->lock);
    const int done = w->order->is_done;
    pthread_mutex_unlock(&d->lock);
    return done;
}

long cx_desk_read(cx_desk *d, cx_waiter *w, char *buf, size_t size,
                  void (*sleep)(cx_waiter *waiter))
{
    pthread_mutex_lock(&d->lock);
    cx_order *o = w->order;
    long n = (long)(size < o->events.len ? size : o->events.len);
    if (n > 0) {
        memcpy(buf, o->events.data, (size_t)n);
        o->events.len -= (size_t)n;
        memmove(o->events.data, o->events.data + n, o->events.len);
        if (o->events.len <= CX_ORDER_EVENTS) pthread_cond_broadcast(&d->drained);
    } else if (o->is_done || w->is_gone || d->stopping || o->events.failed) {
        n = -1;
    } else {
        w->asleep = 1;
        sleep(w);
    }
    pthread_mutex_unlock(&d->lock);
    return n;
}

/* A client that shut its side down counts as gone: browsers do so when a page is left. */
static void look_at(cx_waiter *w)
{
    struct pollfd p = {.fd = w->fd, .events = POLLRDHUP};
    if (!w->asleep || poll(&p, 1, 0) <= 0 || !(p.revents & (POLLRDHUP | POLLERR | POLLHUP))) return;
    w->is_gone = 1;
    wake(w);
}

static void look_at_all(const cx_order *list)
{
    for (; list; list = list->next)
        for (cx_waiter *w = list->waiters; w; w = w->next) look_at(w);
}

void cx_desk_look(cx_desk *d)
{
    pthread_mutex_lock(&d->lock);
    look_at_all(d->running);
    for (int lane = 0; lane < CX_LANES; lane++) look_at_all(d->first[lane]);
    pthread_mutex_unlock(&d->lock);
}
