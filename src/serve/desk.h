/* desk.h - orders for answers: which thread computes each, in what turn, and who waits for it. */
#ifndef CX_SERVE_DESK_H
#define CX_SERVE_DESK_H

#include "serve/ask.h"
#include "serve/path.h"

typedef struct cx_desk cx_desk;
typedef struct cx_order cx_order;

/* Somebody who waits. All is called and read under the desk's lock. */
typedef struct cx_waiter {
    struct cx_waiter *next; /* of those that wait for the same */
    cx_order *order;        /* NULL: for none */
    int fd;                 /* the connection, for cx_desk_look() */
    int asleep;             /* 1: until wake() is called */
    int is_gone;            /* 1: the client hung up */
    /* The answer is there, the stream goes on, or is_gone. It must not call the desk. */
    void (*wake)(struct cx_waiter *waiter);
} cx_waiter;

/* What is ordered: of a route that was found, whose path and query are copied, and a body, which is
 * taken over. The caller's to cx_order_drop(). */
int cx_order_new(cx_order **out, cx_viewer *viewer, const cx_path *path, const cx_query *query,
                 cx_bytes *body, cvs_error *err);
void cx_order_drop(cx_order *order); /* NULL is allowed */

/* Answer it here and now. */
void cx_order_answer(cx_order *order);

/* What came of it, once it is done: the answer, which is the order's, or what is wrong. */
int cx_order_result(const cx_reply **reply, const cvs_error **err, const cx_order *order);

/* Threads begin to work. */
int cx_desk_new(cx_desk **out, cvs_error *err);
/* Stop: nothing is begun any more, what runs is told to end, all who wait are woken. Then wait so
 * many milliseconds for the threads; 1 when they all have ended. */
int cx_desk_stop(cx_desk *desk, int milliseconds);
/* Waits as long as it takes. */
void cx_desk_free(cx_desk *desk);

/* Put an order in its lane, or let the waiter wait for an equal one that is there already. The
 * order is the desk's and the waiter's from now on, to be left. CVS_E_NOMEM where the lane is full,
 * and then it is still the caller's. */
int cx_desk_put(cx_desk *desk, cx_waiter *waiter, cx_order *order, cvs_error *err);

/* The waiter wants no more. An order for which nobody waits is stopped. NULL order is allowed. */
void cx_desk_leave(cx_desk *desk, cx_waiter *waiter);

/* Whether the order is done. If not, who was woken is not to wait on: the client has hung up, or
 * the desk is stopped. */
int cx_desk_is_done(cx_desk *desk, const cx_waiter *waiter);

/* Events of a stream: copy some to `buf`. 0: there are none yet, and the waiter is asleep (`sleep`
 * was called under the lock); -1: that was all. */
long cx_desk_read(cx_desk *desk, cx_waiter *waiter, char *buf, size_t size,
                  void (*sleep)(cx_waiter *waiter));

/* Wake those whose clients have hung up. To be called now and then. */
void cx_desk_look(cx_desk *desk);

#endif
