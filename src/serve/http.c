/* http.c - requests in; http_send.c sends the answers out.
 *
 * One thread of libmicrohttpd reads and writes all sockets. It never waits: a request that has to
 * be computed is suspended until the desk wakes it, and a stream of events whenever there is none.
 */
#include "serve/http.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/mem.h"
#include "serve/http_request.h"

enum {
    IDLE = 15,          /* seconds in which nothing comes or goes */
    EACH = 64,          /* connections of one other machine */
    HEADERS = 32 << 10, /* bytes of a request's first line and headers */
    ALL_BODIES = 4 * CX_HTTP_MOST_BODY,
};

/* --- requests --- */

static int begin_stream(cx_request *r, cx_order *order)
{
    if (r->is_head) {
        cx_order_drop(order);
        return cx_http_give_stream(r);
    }
    if (atomic_fetch_add(&r->http->streams, 1) >= CX_HTTP_MOST_STREAMS) {
        atomic_fetch_sub(&r->http->streams, 1);
        cx_order_drop(order);
        cx_fail(&r->err, CVS_E_NOMEM, "there are %d streams of events already",
                CX_HTTP_MOST_STREAMS);
        return cx_http_refuse(r, MHD_HTTP_TOO_MANY_REQUESTS);
    }
    r->is_stream = 1;
    if (cx_desk_put(r->http->desk, &r->waiter, order, &r->err) < 0) {
        cx_order_drop(order);
        return cx_http_refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE);
    }
    return cx_http_give_stream(r);
}

/* Suspended before the desk knows of it, as it may be woken at once. */
static int wait_for(cx_request *r, cx_order *order)
{
    r->is_waiting = 1;
    cx_clients_enter(r->http->clients, r->client, CX_PHASE_WAITING);
    MHD_suspend_connection(r->connection);
    r->waiter.asleep = 1;
    if (cx_desk_put(r->http->desk, &r->waiter, order, &r->err) < 0) {
        cx_order_drop(order);
        r->status = MHD_HTTP_SERVICE_UNAVAILABLE;
        MHD_resume_connection(r->connection);
    }
    return MHD_YES;
}

/* All has come in. */
static int answer(cx_request *r)
{
    cx_order *order;
    int known;
    if (r->status) return cx_http_refuse(r, r->status);
    if (r->is_page) return cx_http_give_page(r);
    int rc = cx_order_new(&order, r->http->viewer, &r->path, &r->query, &r->body, &r->err);
    if (rc < 0) return cx_http_refuse(r, cx_http_status(rc));
    rc = cx_http_give_known(&known, r, order);
    if (known) {
        cx_order_drop(order);
        return rc;
    }
    if (r->path.route->streams) return begin_stream(r, order);
    if (r->path.route->lane != CX_LANE_NONE) return wait_for(r, order);
    r->waiter.order = order;
    cx_order_answer(order);
    return cx_http_give(r);
}

static int go_on(cx_request *r)
{
    if (r->status) return cx_http_refuse(r, r->status);
    if (cx_desk_is_done(r->http->desk, &r->waiter)) return cx_http_give(r);
    cx_fail(&r->err, CVS_E_NOMEM, "the viewer is ending");
    return cx_http_refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE);
}

static const char *header(const cx_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

static enum MHD_Result add_pair(void *arg, enum MHD_ValueKind kind, const char *key,
                                const char *value)
{
    cx_request *r = arg;
    (void)kind;
    if (r->err.code) return MHD_NO;
    if (cx_query_add(&r->query, key, value, &r->err) < 0) return MHD_NO;
    if (strcmp(r->query.pair[r->query.n - 2], "token") == 0)
        r->token = r->query.pair[r->query.n - 1];
    return MHD_YES;
}

/* What is wrong with a request as far as its first line and headers tell: a status, or 0. */
static int check(cx_request *r, const char *url, const char *method)
{
    const int is_get = r->is_head || strcmp(method, "GET") == 0;
    int status = MHD_HTTP_BAD_REQUEST;
    const cx_claims claims = {.host = header(r, "Host"),
                              .origin = header(r, "Origin"),
                              .site = header(r, "Sec-Fetch-Site"),
                              .mode = header(r, "Sec-Fetch-Mode"),
                              .cookie = header(r, "Cookie"),
                              .authorization = header(r, "Authorization"),
                              .token = r->token,
                              .is_page = is_get && strncmp(url, "/api/", 5) != 0};
    if (r->err.code) return cx_http_status(r->err.code);
    if (cx_guard_check(&status, &r->http->guard, &claims, &r->err) < 0) return status;
    if (is_get || strcmp(method, "POST") == 0) return 0;
    cx_fail(&r->err, CVS_E_ARG, "%.20s is not answered", method);
    return MHD_HTTP_METHOD_NOT_ALLOWED;
}

/* The length of a body that is to come: it has to be known, and so many may come at once. */
static int check_body(cx_request *r, int is_post)
{
    const char *length = header(r, "Content-Length");
    int64_t size = 0;
    const cx_ask ask = {.query = (const char *const[]){"Content-Length", length, NULL}};
    if (!is_post && !length && !header(r, "Transfer-Encoding")) return 0;
    if (!is_post) {
        if (length && strcmp(length, "0") == 0) return 0;
        cx_fail(&r->err, CVS_E_ARG, "a body comes with POST alone");
        return MHD_HTTP_BAD_REQUEST;
    }
    if (!length || header(r, "Transfer-Encoding")) {
        cx_fail(&r->err, CVS_E_ARG, "what is sent has to say its Content-Length");
        return MHD_HTTP_LENGTH_REQUIRED;
    }
    if (cx_ask_int(&size, &ask, "Content-Length", 0, 0, CX_HTTP_MOST_BODY, NULL) < 0) {
        cx_fail(&r->err, CVS_E_ARG, "at most %d MiB may be sent", CX_HTTP_MOST_BODY >> 20);
        return MHD_HTTP_CONTENT_TOO_LARGE;
    }
    if (atomic_load(&r->http->bodies) + (size_t)size > ALL_BODIES) {
        cx_fail(&r->err, CVS_E_NOMEM, "too much is sent at once");
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    }
    atomic_fetch_add(&r->http->bodies, (size_t)size);
    r->expected = (size_t)size;
    cx_clients_enter(r->http->clients, r->client, CX_PHASE_SENDING);
    return 0;
}

/* --- what libmicrohttpd calls --- */

static void wake_connection(cx_waiter *w)
{
    MHD_resume_connection(((cx_request *)w)->connection);
}

static cx_request *begin(cx_http *http, struct MHD_Connection *connection)
{
    cx_request *r = cx_calloc(1, sizeof *r);
    if (!r) return NULL;
    r->http = http;
    r->connection = connection;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    r->client = info ? info->socket_context : NULL;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    r->waiter = (cx_waiter){.fd = info ? info->connect_fd : -1, .wake = wake_connection};
    return r;
}

/* Where the request goes, and whether it may: a status, or 0. */
static int find(cx_request *r, const char *url, const char *method)
{
    static const char api[] = "/api/v1";
    const size_t n = sizeof api - 1;
    const int is_post = strcmp(method, "POST") == 0;
    int status = check(r, url, method);
    if (status) return status;
    r->is_page = strncmp(url, api, n) != 0 || (url[n] && url[n] != '/');
    if (r->is_page && is_post) {
        cx_fail(&r->err, CVS_E_ARG, "nothing can be sent here");
        snprintf(r->path.allow, sizeof r->path.allow, "GET, HEAD");
        return MHD_HTTP_METHOD_NOT_ALLOWED;
    }
    if (r->is_page) /* a longer name is none, cut off or not */
        snprintf(r->page, sizeof r->page, "%s", url[0] ? url + 1 : url);
    else if (cx_path_find(&r->path, method, url + n + (url[n] == '/'), &r->err) < 0)
        return r->path.status;
    return check_body(r, is_post);
}

/* The headers are there. A refusal of what has a body goes out at once, which ends the connection;
 * all else is answered when the request is complete. */
static int on_headers(cx_request *r, const char *url, const char *method)
{
    r->is_head = strcmp(method, "HEAD") == 0;
    MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, add_pair, r);
    r->status = find(r, url, method);
    if (r->status && (header(r, "Content-Length") || header(r, "Transfer-Encoding")))
        return cx_http_refuse(r, r->status);
    return MHD_YES;
}

/* The memory grows as the bytes come: who only says that many will come takes none. */
static int on_body(cx_request *r, const char *data, size_t size)
{
    if (size > r->expected - r->body.size) return MHD_NO;
    const size_t have = r->body.size, all = have + size;
    size_t room = 4096;
    while (room < have) room *= 2;
    if (!r->body.data || all > room) {
        while (room < all) room *= 2;
        uint8_t *more = cx_realloc_array(r->body.data, room, 1);
        if (!more) return MHD_NO;
        r->body.data = more;
    }
    memcpy(r->body.data + have, data, size);
    r->body.size = all;
    return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **context)
{
    cx_request *r = *context;
    (void)version;
    if (!r) {
        r = *context = begin(arg, connection);
        return r && on_headers(r, url, method) ? MHD_YES : MHD_NO;
    }
    if (*size) {
        const size_t n = *size;
        *size = 0;
        return on_body(r, data, n) ? MHD_YES : MHD_NO;
    }
    return (r->is_waiting ? go_on(r) : answer(r)) ? MHD_YES : MHD_NO;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode why)
{
    cx_http *http = arg;
    cx_request *r = *context;
    (void)connection, (void)why;
    if (!r) return;
    cx_desk_leave(http->desk, &r->waiter);
    if (r->is_stream) atomic_fetch_sub(&http->streams, 1);
    atomic_fetch_sub(&http->bodies, r->expected);
    cx_clients_enter(http->clients, r->client, CX_PHASE_ASKING);
    cx_path_deinit(&r->path);
    cx_query_deinit(&r->query);
    cx_bytes_deinit(&r->body);
    cx_free(r);
    *context = NULL;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **client,
                          enum MHD_ConnectionNotificationCode code)
{
    cx_http *http = arg;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*client) cx_clients_remove(http->clients, *client);
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *client = info ? cx_clients_add(http->clients, info->connect_fd) : NULL;
}

/* Addresses are decoded here, part by part. */
static size_t leave_escapes(void *arg, struct MHD_Connection *connection, char *text)
{
    (void)arg, (void)connection;
    return strlen(text);
}

/* --- the server --- */

int cx_http_new(cx_http **out, cx_viewer *viewer, int socket, const cx_guard *guard, cvs_error *err)
{
    cx_http *http = *out = cx_calloc(1, sizeof *http);
    int rc;
    if (!http) return cx_no_memory(err, sizeof *http);
    http->viewer = viewer;
    http->guard = *guard;
    TRY(cx_guard_number(&http->start, err));
    TRY(cx_desk_new(&http->desk, err));
    TRY(cx_clients_new(&http->clients, http->desk, err));
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, NULL, NULL,
        on_request, http, MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CX_HTTP_MOST_CLIENTS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, guard->token[0] ? (unsigned)EACH : 0U,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, http, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
    if (!http->daemon) rc = cx_fail(err, CVS_E_IO, "the server cannot begin");
out:
    if (rc < 0) {
        if (!http->daemon) close(socket);
        cx_http_free(http);
        *out = NULL;
    }
    return rc;
}

int cx_http_stop(cx_http *http, int milliseconds)
{
    if (!http->daemon) return cx_desk_stop(http->desk, milliseconds);
    const int socket = MHD_quiesce_daemon(http->daemon);
    const int all = cx_desk_stop(http->desk, milliseconds);
    MHD_stop_daemon(http->daemon);
    if (socket >= 0) close(socket);
    http->daemon = NULL;
    return all;
}

void cx_http_free(cx_http *http)
{
    if (!http) return;
    if (http->daemon) cx_http_stop(http, 0);
    cx_clients_free(http->clients);
    cx_desk_free(http->desk);
    cx_free(http);
}
