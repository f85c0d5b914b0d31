/* order.h - what one order is, for those who handle it. */
#ifndef CX_SERVE_ORDER_H
#define CX_SERVE_ORDER_H

#include <stdatomic.h>

#include "base/str.h"
#include "serve/desk.h"

enum {
    CX_LANES = CX_LANE_LONG + 1,
    CX_ORDER_EVENTS = 1 << 20, /* bytes that a slow reader may leave, before the answer waits */
};

struct cx_order {
    cx_order *next; /* in the desk's list that it is in */
    const cx_route *route;
    cx_ask ask;
    char *text; /* all that ask points to but the body; owned */
    size_t text_size;
    const char *query[2 * CX_QUERY_MAX + 1];
    cx_bytes body;
    cx_desk *desk;
    cx_waiter *waiters; /* this and the next two: under the desk's lock */
    int is_done;
    cx_str events; /* that were sent and not read yet */
    atomic_int stop, users;
    cx_reply reply;
    int rc;
    cvs_error err;
};

cx_order *cx_order_share(cx_order *order);

/* Whether others who ask the same may wait for this one; whether two ask the same. */
int cx_order_is_shared(const cx_order *order);
int cx_order_equal(const cx_order *a, const cx_order *b);

/* A number that two orders have in common where they ask the same. */
uint64_t cx_order_hash(const cx_order *order);

/* Of a stream that failed: its last event. */
void cx_order_tell_error(cx_order *order);

/* {"error": {"what", "hint"}} */
int cx_order_error_text(char **out, const cvs_error *error, int is_line, cvs_error *err);

#endif
