/* clients.c - connections and their deadlines. */
#include "serve/clients.h"

#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#include "base/mem.h"
#include "base/threads.h"

enum { TICK = 200 }; /* milliseconds */

static const int seconds[] = {
    [CX_PHASE_ASKING] = 15,
    [CX_PHASE_SENDING] = 60,
    [CX_PHASE_WAITING] = 0, /* no end */
    [CX_PHASE_READING] = 300,
};

struct cx_client {
    cx_client *next;
    int fd;
    cx_phase phase;
    time_t since;
};

struct cx_clients {
    pthread_mutex_t lock;
    pthread_cond_t end;
    cx_thread *thread;
    cx_client *first;
    cx_desk *desk;
    int ending;
};

static struct timespec now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t;
}

/* A connection that is shut down looks to the server as if the client had gone. */
static void end_late(cx_clients *c, time_t time)
{
    for (cx_client *one = c->first; one; one = one->next)
        if (seconds[one->phase] && time - one->since > seconds[one->phase])
            shutdown(one->fd, SHUT_RDWR);
}

static void keep_order(void *arg)
{
    cx_clients *c = arg;
    pthread_mutex_lock(&c->lock);
    while (!c->ending) {
        struct timespec t = now();
        end_late(c, t.tv_sec);
        pthread_mutex_unlock(&c->lock);
        cx_desk_look(c->desk);
        pthread_mutex_lock(&c->lock);
        t.tv_nsec += TICK * 1000000;
        if (t.tv_nsec >= 1000000000) t.tv_sec++, t.tv_nsec -= 1000000000;
        if (!c->ending) pthread_cond_timedwait(&c->end, &c->lock, &t);
    }
    pthread_mutex_unlock(&c->lock);
}

int cx_clients_new(cx_clients **out, cx_desk *desk, cvs_error *err)
{
    pthread_condattr_t attr;
    cx_clients *c = cx_calloc(1, sizeof *c);
    *out = NULL;
    if (!c) return cx_no_memory(err, sizeof *c);
    c->desk = desk;
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->end, &attr);
    pthread_condattr_destroy(&attr);
    int rc = cx_thread_start(&c->thread, keep_order, c, err);
    if (rc < 0)
        cx_clients_free(c);
    else
        *out = c;
    return rc;
}

void cx_clients_free(cx_clients *c)
{
    if (!c) return;
    pthread_mutex_lock(&c->lock);
    c->ending = 1;
    pthread_cond_broadcast(&c->end);
    pthread_mutex_unlock(&c->lock);
    cx_thread_join(c->thread);
    pthread_cond_destroy(&c->end);
    pthread_mutex_destroy(&c->lock);
    cx_free(c);
}

cx_client *cx_clients_add(cx_clients *c, int fd)
{
    cx_client *one = cx_calloc(1, sizeof *one);
    if (!one) return NULL;
    one->fd = fd;
    one->since = now().tv_sec;
    pthread_mutex_lock(&c->lock);
    one->next = c->first;
    c->first = one;
    pthread_mutex_unlock(&c->lock);
    return one;
}

void cx_clients_remove(cx_clients *c, cx_client *client)
{
    pthread_mutex_lock(&c->lock);
    for (cx_client **at = &c->first; *at; at = &(*at)->next)
        if (*at == client) {
            *at = client->next;
            break;
        }
    pthread_mutex_unlock(&c->lock);
    cx_free(client);
}

void cx_clients_enter(cx_clients *c, cx_client *client, cx_phase phase)
{
    if (!client) return;
    pthread_mutex_lock(&c->lock);
    client->phase = phase;
    client->since = now().tv_sec;
    pthread_mutex_unlock(&c->lock);
}
