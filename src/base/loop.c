/* loop.c - a loop begun in the background: its items are handed to whoever comes, by a counter. */
#define _GNU_SOURCE /* gettid */
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/threads.h"

struct cx_loop {
    cx_loop_body *body;
    void *arg;
    int n;
    cx_task *task;
    pid_t caller;    /* thread */
    atomic_int next; /* the first item that nobody has taken */
};

enum { NICE = 10 }; /* a tenth of what a thread gets that computes, where cores are scarce */

/* Do items until none is left. */
static void take_items(cx_loop *loop, int worker)
{
    int i;
    while ((i = atomic_fetch_add(&loop->next, 1)) < loop->n) loop->body(loop->arg, i, worker);
}

static void in_background(void *arg)
{
    cx_loop *loop = arg;
    /* On Linux that is of this thread; where there was none to be had, it is the caller's. */
    if (gettid() != loop->caller) (void)setpriority(PRIO_PROCESS, 0, NICE);
    take_items(loop, CX_MAX_THREADS);
}

static void help(void *arg, int i, int worker)
{
    (void)i;
    take_items(arg, worker);
}

cx_loop *cx_loop_start(int n, cx_loop_body *body, void *arg)
{
    cx_loop *loop = cx_alloc(sizeof *loop);
    if (!loop) return NULL;
    *loop = (cx_loop){.body = body, .arg = arg, .n = n, .caller = gettid()};
    /* Without a thread for it nothing is lost: all is done at the end. */
    loop->task = n > 0 ? cx_task_start(in_background, loop) : NULL;
    return loop;
}

void cx_loop_finish(cx_loop *loop)
{
    if (!loop) return;
    if (atomic_load(&loop->next) < loop->n) cx_parallel(cx_threads(), help, loop);
    cx_task_finish(loop->task);
    cx_free(loop);
}

void cx_loop_drop(cx_loop *loop)
{
    if (!loop) return;
    atomic_store(&loop->next, loop->n);
    cx_task_finish(loop->task);
    cx_free(loop);
}
