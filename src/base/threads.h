/* threads.h - one pool of threads for the process. */
#ifndef CX_BASE_THREADS_H
#define CX_BASE_THREADS_H

#include "base/error.h"

enum { CX_MAX_THREADS = 256 };

/* Cores that this process may run on, asked once. */
int cx_cores(void);
/* Threads that a parallel loop uses, the caller's own counted: set by cx_threads_set, else one a
 * core that this process may run on. */
int cx_threads(void);
int cx_threads_set(int n, cvs_error *err);

/* The same for a loop that is begun here: 1 within another one. */
int cx_threads_here(void);

/* Seconds of a clock that goes forward alone; where it begins says nothing. */
double cx_seconds(void);

/* The body of a parallel loop: does item `i`. `worker` is 0 … cx_threads() - 1 and no two items
 * run with the same one at once, so it can choose a scratch buffer. */
typedef void cx_loop_body(void *arg, int i, int worker);

/* Run body for 0 … n - 1, in any order, and return when all are done. Items must write to places
 * of their own and not depend on who runs them: then the result is the same for every number of
 * threads. Each thread begins with the same part of the items in every loop, the caller with the
 * first of them, and helps others then: so what it wrote in one loop it may find in its cache in
 * the next. Where the pool is taken (a loop in a loop, or another thread's loop), the caller runs
 * all items itself as worker 0; so whoever may be called side by side keeps scratch per caller. */
void cx_parallel(int n, cx_loop_body *body, void *arg);
/* The same with so many threads at most: worker is less. */
void cx_parallel_by(int most, int n, cx_loop_body *body, void *arg);

/* The one lock for what two threads must not do at once, as calls of libraries that are not made
 * for several. Not within itself. */
void cx_alone_begin(void);
void cx_alone_end(void);

/* Something done by a thread of its own while the caller does other work. */
typedef struct cx_task cx_task;
/* Start body(arg). Where the system has no thread left it is done at once, here. NULL: no memory,
 * and nothing was done. */
cx_task *cx_task_start(void (*body)(void *arg), void *arg);
void cx_task_finish(cx_task *task); /* waits, then frees; NULL is allowed */

/* A loop as cx_parallel's, begun by a thread of low priority while the caller does other work, and
 * ended by everybody. So no core waits for another, and a machine that is busy with that work loses
 * nothing. Its bodies run beside each other and beside the caller: as worker CX_MAX_THREADS in the
 * background, else as cx_parallel says. */
typedef struct cx_loop cx_loop;
cx_loop *cx_loop_start(int n, cx_loop_body *body,
                       void *arg); /* NULL: no memory, nothing was done */
/* Do what is left with the pool, wait for the rest, free. NULL is allowed in both. */
void cx_loop_finish(cx_loop *loop);
void cx_loop_drop(cx_loop *loop); /* the same, but items that nobody has begun are forgotten */

/* A loop whose items become ready one after the other, in order, while the caller does other work,
 * loops too: workers of the pool take them where they would wait for the next loop, and at the end
 * everybody. With one thread all are done at the end. Bodies run beside the caller and each other,
 * as worker 0 … cx_threads() - 1 as it was at the start, no two items with the same one at once. */
typedef struct cx_series cx_series;
cx_series *cx_series_start(int n, cx_loop_body *body,
                           void *arg);          /* NULL: no memory, nothing was done */
void cx_series_ready(cx_series *series, int n); /* the first n may be done */
/* Do what is left, ready or not, wait for the rest, free. NULL is allowed in both. */
void cx_series_finish(cx_series *series);
void cx_series_drop(
    cx_series *series); /* the same, but items that nobody has begun are forgotten */

/* A thread that lives until body(arg) ends; CVS_E_NOMEM where the system has none left. To be
 * joined, which waits for that and frees. */
typedef struct cx_thread cx_thread;
int cx_thread_start(cx_thread **out, void (*body)(void *arg), void *arg, cvs_error *err);
void cx_thread_join(cx_thread *thread); /* NULL is allowed */

#endif
