/* listen.c - a socket that listens. */
#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "serve/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"

enum { BACKLOG = 256 };

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} address;

static int read_host(address *out, socklen_t *size, cx_listen *l, const char *host, cvs_error *err)
{
    if (!host || cx_streq(host, "localhost")) host = "127.0.0.1";
    *out = (address){0};
    if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        *size = sizeof out->v4;
        l->is_local = (ntohl(out->v4.sin_addr.s_addr) >> 24) == 127;
        snprintf(l->host, sizeof l->host, "%s", host);
        return 0;
    }
    if (inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1) {
        out->v6.sin6_family = AF_INET6;
        *size = sizeof out->v6;
        l->is_local = IN6_IS_ADDR_LOOPBACK(&out->v6.sin6_addr);
        snprintf(l->host, sizeof l->host, "[%s]", host);
        return 0;
    }
    cx_fail(err, CVS_E_ARG, "\"%.60s\" is no address of this machine", host);
    cx_hint(err, "give a number, as 192.168.1.5, or 0.0.0.0 for all");
    return CVS_E_ARG;
}

static int try_port(cx_listen *l, address *a, socklen_t size, int port)
{
    const int yes = 1;
    l->fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->fd < 0) return errno;
    /* The connections of a viewer that has just ended do not keep the port. */
    setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (a->any.sa_family == AF_INET)
        a->v4.sin_port = htons((uint16_t)port);
    else
        a->v6.sin6_port = htons((uint16_t)port);
    if (bind(l->fd, &a->any, size) == 0 && listen(l->fd, BACKLOG) == 0) return 0;
    const int failed = errno;
    close(l->fd);
    l->fd = -1;
    return failed;
}

int cx_listen_open(cx_listen *out, const char *host, int port, cvs_error *err)
{
    address a, bound;
    socklen_t size, bound_size = sizeof bound;
    const int first = port > 0 ? port : port < 0 ? 0 : CX_PORT;
    const int n = port < 0 ? 1 : CX_PORTS;
    int failed = EADDRINUSE;
    *out = (cx_listen){.fd = -1};
    int rc = read_host(&a, &size, out, host, err);
    if (rc < 0) return rc;
    for (int i = 0; i < n && first + i < 65536 && failed == EADDRINUSE; i++)
        failed = try_port(out, &a, size, first + i);
    if (!failed && getsockname(out->fd, &bound.any, &bound_size) < 0) failed = errno;
    if (failed) {
        if (out->fd >= 0) close(out->fd);
        out->fd = -1;
        cx_fail(err, CVS_E_IO, "cannot listen at %s:%d: %s", out->host, first, strerror(failed));
        if (failed == EADDRINUSE) cx_hint(err, "take another --port");
        return CVS_E_IO;
    }
    out->port = ntohs(bound.any.sa_family == AF_INET ? bound.v4.sin_port : bound.v6.sin6_port);
    return 0;
}
