/* http_request.h - a request on its way, for the two files that speak HTTP. */
#ifndef CX_SERVE_HTTP_REQUEST_H
#define CX_SERVE_HTTP_REQUEST_H

#include <stdatomic.h>

#include "serve/clients.h"
#include "serve/http.h"
#include "serve/order.h"

struct MHD_Connection;
struct MHD_Daemon;

struct cx_http {
    struct MHD_Daemon *daemon;
    cx_viewer *viewer;
    cx_desk *desk;
    cx_clients *clients;
    cx_guard guard;
    uint64_t start; /* tells this server's answers from those of another time */
    atomic_int streams;
    atomic_size_t bodies; /* bytes of all that come in now */
};

typedef struct cx_request {
    cx_waiter waiter; /* first: one is the other */
    cx_http *http;
    struct MHD_Connection *connection;
    cx_client *client;
    cx_path path;
    cx_query query;
    const char *token; /* of the query; its pair stays in it */
    cx_bytes body;     /* its size grows to `expected` */
    size_t expected;
    int is_head, is_stream, is_waiting;
    int status;     /* of a refusal */
    char page[256]; /* the address of a file, after the slash … */
    int is_page;    /* … where it is one */
    cvs_error err;
} cx_request;

/* --- http_send.c: each ends the request, and gives what libmicrohttpd wants: 0 where the
 * connection is to be closed --- */

/* Tell request->err. */
int cx_http_refuse(cx_request *request, int status);
/* The answer to the order, which is done. */
int cx_http_give(cx_request *request);
/* What the client has already, if it has; *done says so. */
int cx_http_give_known(int *done, cx_request *request, const cx_order *order);
/* The events of the order, as they come. */
int cx_http_give_stream(cx_request *request);
/* A file of the page. */
int cx_http_give_page(cx_request *request);

/* The status for a cvs_status. */
int cx_http_status(int code);

#endif
