/* guard.c - who may ask. */
#include "serve/guard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

enum { BAD = 400, WHO = 401, FORBIDDEN = 403 };

static int draw(void *out, size_t size, cvs_error *err)
{
    ssize_t n;
    do n = getrandom(out, size, 0);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)size) return 0;
    return cx_fail(err, CVS_E_IO, "the system gives no random bytes: %s", strerror(errno));
}

int cx_guard_draw(cx_guard *guard, cvs_error *err)
{
    unsigned char bytes[(CX_TOKEN - 1) / 2];
    int rc = draw(bytes, sizeof bytes, err);
    for (size_t i = 0; rc == 0 && i < sizeof bytes; i++)
        snprintf(guard->token + 2 * i, 3, "%02x", bytes[i]);
    return rc;
}

int cx_guard_number(uint64_t *out, cvs_error *err)
{
    return draw(out, sizeof *out, err);
}

void cx_guard_cookie(char out[32], const cx_guard *guard)
{
    snprintf(out, 32, "convscope_%d", guard->port);
}

int cx_guard_is_token(const cx_guard *guard, const char *text, size_t size)
{
    unsigned different = size != CX_TOKEN - 1;
    for (size_t i = 0; i < CX_TOKEN - 1; i++)
        different |= (unsigned char)guard->token[i] ^ (unsigned char)(i < size ? text[i] : 0);
    return !different;
}

/* A host of this machine, whatever the port: what a browser that was lured here by another name
 * does not say. */
static int is_this_machine(const char *host, int port)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    char want[64];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(want, sizeof want, "%s:%d", names[i], port);
        if (strcasecmp(host, want) == 0 || (port == 80 && strcasecmp(host, names[i]) == 0))
            return 1;
    }
    return 0;
}

static int check_host(int *status, const cx_guard *g, const cx_claims *c, cvs_error *err)
{
    *status = BAD;
    if (!c->host || !c->host[0]) return cx_fail(err, CVS_E_ARG, "the request names no host");
    /* Listening to others, it cannot know all names it goes by: there the token keeps them out. */
    if (g->token[0] || is_this_machine(c->host, g->port)) return 0;
    *status = FORBIDDEN;
    cx_fail(err, CVS_E_ARG, "this is not the host \"%.80s\"", c->host);
    cx_hint(err, "it answers at 127.0.0.1:%d alone", g->port);
    return CVS_E_ARG;
}

/* A link on another page may lead to the viewer's own page: a navigation, whose answer the other
 * page cannot read. Whatever else comes from another origin is refused. */
static int check_origin(int *status, const cx_claims *c, cvs_error *err)
{
    static const char scheme[] = "http://";
    const size_t n = sizeof scheme - 1;
    int own = 1;
    if (c->origin)
        own = strncasecmp(c->origin, scheme, n) == 0 && strcasecmp(c->origin + n, c->host) == 0;
    if (own && c->site && strcmp(c->site, "same-origin") != 0 && strcmp(c->site, "none") != 0)
        own = c->is_page && c->mode && strcmp(c->mode, "navigate") == 0;
    if (own) return 0;
    *status = FORBIDDEN;
    return cx_fail(err, CVS_E_ARG, "pages of another origin may not ask anything here");
}

/* The value of a cookie, and how long it is. */
static const char *find_cookie(size_t *size, const char *cookies, const char *name)
{
    const size_t n = strlen(name);
    while (cookies) {
        cookies += strspn(cookies, " ;");
        if (strncmp(cookies, name, n) == 0 && cookies[n] == '=') {
            *size = strcspn(cookies + n + 1, "; ");
            return cookies + n + 1;
        }
        cookies = strchr(cookies, ';');
    }
    return NULL;
}

static int has_token(const cx_guard *g, const cx_claims *c)
{
    static const char bearer[] = "Bearer ";
    const size_t n = sizeof bearer - 1;
    char name[32];
    size_t size;
    if (c->token) return cx_guard_is_token(g, c->token, strlen(c->token));
    if (c->authorization && strncasecmp(c->authorization, bearer, n) == 0)
        return cx_guard_is_token(g, c->authorization + n, strlen(c->authorization + n));
    cx_guard_cookie(name, g);
    const char *value = find_cookie(&size, c->cookie, name);
    return value && cx_guard_is_token(g, value, size);
}

int cx_guard_check(int *status, const cx_guard *g, const cx_claims *c, cvs_error *err)
{
    int rc;
    TRY(check_host(status, g, c, err));
    TRY(check_origin(status, c, err));
    if (g->token[0] && !has_token(g, c)) {
        *status = WHO;
        rc = cx_fail(err, CVS_E_ARG, "this viewer needs its token");
        cx_hint(err, "open the whole address that convscope printed");
    }
out:
    return rc;
}
