/* http_send.c - answers as libmicrohttpd sends them, and the headers that keep browsers careful. */
#include <stdio.h>
#include <string.h>

#include <microhttpd.h>

#include "base/journal.h"
#include "base/mem.h"
#include "serve/http_request.h"
#include "serve/web.h"

enum { BLOCK = 32 << 10 }; /* of a stream */

/* --- answers --- */

static const char page_policy[] =
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "style-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static void add(struct MHD_Response *response, const char *name, const char *value)
{
    if (value && value[0]) MHD_add_response_header(response, name, value);
}

static int send_response(cx_request *r, int status, struct MHD_Response *response)
{
    if (!response) return MHD_NO;
    add(response, "X-Content-Type-Options", "nosniff");
    add(response, "Referrer-Policy", "no-referrer");
    add(response, "Cross-Origin-Resource-Policy", "same-origin");
    add(response, "Cross-Origin-Opener-Policy", "same-origin");
    add(response, "X-Frame-Options", "DENY");
    cx_clients_enter(r->http->clients, r->client,
                     r->is_stream ? CX_PHASE_WAITING : CX_PHASE_READING);
    enum MHD_Result ok = MHD_queue_response(r->connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return (int)ok;
}

static void free_text(void *text)
{
    cx_free(text);
}

int cx_http_refuse(cx_request *r, int status)
{
    char *text;
    if (cx_order_error_text(&text, &r->err, 0, NULL) < 0) return MHD_NO;
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(strlen(text), text, free_text);
    if (!response) {
        cx_free(text);
        return MHD_NO;
    }
    add(response, "Content-Type", "application/json");
    add(response, "Cache-Control", "no-store");
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE || status == MHD_HTTP_TOO_MANY_REQUESTS)
        add(response, "Retry-After", "2");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        add(response, "Allow", r->path.allow[0] ? r->path.allow : "GET, HEAD, POST");
    if (status == MHD_HTTP_UNAUTHORIZED) add(response, "WWW-Authenticate", "Bearer");
    return send_response(r, status, response);
}

int cx_http_status(int code)
{
    switch (code) {
    case CVS_E_ARG:
        return MHD_HTTP_BAD_REQUEST;
    case CVS_E_FORMAT:
        return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
    case CVS_E_UNSUPPORTED:
        return MHD_HTTP_UNPROCESSABLE_CONTENT;
    case CVS_E_NOMEM:
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    default:
        return MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
}

/* The name of an answer for a client that has it already: of this server and of what was asked, as
 * an answer depends on nothing else. */
static void tag_of(char out[40], const cx_request *r, const cx_order *order)
{
    snprintf(out, 40, "\"%016llx\"",
             (unsigned long long)cx_hash(r->http->start, &(uint64_t){cx_order_hash(order)}, 8));
}

static int has_tag(const cx_request *r, const char *tag)
{
    const char *have = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "If-None-Match");
    return have && strstr(have, tag);
}

static int not_modified(cx_request *r, const char *tag)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!response) return MHD_NO;
    add(response, "ETag", tag);
    add(response, "Cache-Control", "private, no-cache");
    return send_response(r, MHD_HTTP_NOT_MODIFIED, response);
}

int cx_http_give_known(int *done, cx_request *r, const cx_order *order)
{
    char tag[40];
    *done = 0;
    if (!cx_order_is_shared(order)) return MHD_YES;
    tag_of(tag, r, order);
    *done = has_tag(r, tag);
    return *done ? not_modified(r, tag) : MHD_YES;
}

static void drop_order(void *order)
{
    cx_order_drop(order);
}

/* The order is done: its answer is sent from where it lies. */
int cx_http_give(cx_request *r)
{
    cx_order *order = r->waiter.order;
    const cx_reply *reply;
    const cvs_error *err;
    char tag[40];
    const int rc = cx_order_result(&reply, &err, order);
    if (rc < 0) {
        r->err = *err;
        return cx_http_refuse(r, reply->status ? reply->status : cx_http_status(rc));
    }
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        reply->size, reply->data, drop_order, cx_order_share(order));
    if (!response) {
        cx_order_drop(order);
        return MHD_NO;
    }
    add(response, "Content-Type", reply->type ? reply->type : "application/json");
    add(response, "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    if (cx_order_is_shared(order) && !reply->is_fleeting) {
        tag_of(tag, r, order);
        add(response, "ETag", tag);
        add(response, "Cache-Control", "private, no-cache");
    } else {
        add(response, "Cache-Control", "no-store");
    }
    return send_response(r, reply->status ? reply->status : MHD_HTTP_OK, response);
}

/* --- streams --- */

static void sleep_connection(cx_waiter *w)
{
    MHD_suspend_connection(((cx_request *)w)->connection);
}

static ssize_t read_stream(void *arg, uint64_t at, char *buf, size_t size)
{
    cx_request *r = arg;
    (void)at;
    const long n = cx_desk_read(r->http->desk, &r->waiter, buf, size, sleep_connection);
    return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)n;
}

int cx_http_give_stream(cx_request *r)
{
    struct MHD_Response *response =
        r->is_head
            ? MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT)
            : MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream, r, NULL);
    if (!response) return MHD_NO;
    add(response, "Content-Type", "text/event-stream");
    add(response, "Cache-Control", "no-store");
    return send_response(r, MHD_HTTP_OK, response);
}

/* --- the page --- */

/* Whoever has come with the token goes on without it: it stays in no history. */
static int keep_token(cx_request *r)
{
    char cookie[160], name[32];
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!response) return MHD_NO;
    cx_guard_cookie(name, &r->http->guard);
    snprintf(cookie, sizeof cookie, "%s=%s; Path=/; HttpOnly; SameSite=Strict", name,
             r->http->guard.token);
    add(response, "Set-Cookie", cookie);
    add(response, "Location", "/");
    add(response, "Cache-Control", "no-store");
    return send_response(r, MHD_HTTP_SEE_OTHER, response);
}

int cx_http_give_page(cx_request *r)
{
    const cx_web_file *file = cx_web_find(r->page);
    if (r->token && r->http->guard.token[0]) return keep_token(r);
    char tag[40];
    if (!file) {
        cx_fail(&r->err, CVS_E_ARG, "there is nothing at /%.200s", r->page);
        cx_hint(&r->err, "the page is at /, the interface at /api/v1/");
        return cx_http_refuse(r, MHD_HTTP_NOT_FOUND);
    }
    const size_t size = (size_t)(file->end - file->data);
    snprintf(tag, sizeof tag, "\"%016llx\"", (unsigned long long)cx_hash(0, file->data, size));
    if (has_tag(r, tag)) return not_modified(r, tag);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        size, (void *)(uintptr_t)file->data, MHD_RESPMEM_PERSISTENT);
    if (!response) return MHD_NO;
    add(response, "Content-Type", cx_web_type(file));
    add(response, "Content-Security-Policy", page_policy);
    add(response, "Cache-Control", "no-cache");
    add(response, "ETag", tag);
    return send_response(r, MHD_HTTP_OK, response);
}
