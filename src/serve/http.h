/* http.h - HTTP, by libmicrohttpd: requests in, answers out. The one home of that library. */
#ifndef CX_SERVE_HTTP_H
#define CX_SERVE_HTTP_H

#include "serve/guard.h"
#include "serve/viewer.h"

enum {
    CX_HTTP_MOST_BODY = 32 << 20, /* bytes that may be sent */
    CX_HTTP_MOST_STREAMS = 16,    /* streams of events at once */
    CX_HTTP_MOST_CLIENTS = 400,   /* connections; others wait to be accepted */
};

typedef struct cx_http cx_http;

/* Answer on a socket that listens, which is taken over. */
int cx_http_new(cx_http **out, cx_viewer *viewer, int socket, const cx_guard *guard,
                cvs_error *err);
/* Let nobody in any more, end what runs, and wait so many milliseconds for that; 1 when nothing
 * runs any more. */
int cx_http_stop(cx_http *http, int milliseconds);
void cx_http_free(cx_http *http); /* waits as long as it takes */

#endif
