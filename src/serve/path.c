/* path.c - addresses. */
#include "serve/path.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum { BAD = 400, NOT_FOUND = 404, NOT_ALLOWED = 405, SEGMENTS = 8 };

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int cx_path_decode(char *text, cvs_error *err)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        char c = *from;
        if (c == '%') {
            const int high = digit(from[1]), low = high < 0 ? -1 : digit(from[2]);
            if (low < 0) return cx_fail(err, CVS_E_ARG, "the address has an escape that is none");
            c = (char)(16 * high + low);
            from += 2;
        }
        if (!c) return cx_fail(err, CVS_E_ARG, "the address has an escape for a 0");
        *to++ = c;
    }
    *to = 0;
    return 0;
}

/* Cut at the slashes; how many parts there are, or -1 where they are too many. */
static int cut(char **segment, char *text)
{
    int n = 0;
    while (text) {
        if (n == SEGMENTS) return -1;
        segment[n++] = text;
        text = strchr(text, '/');
        if (text) *text++ = 0;
    }
    return n;
}

/* Whether a route's path is that of the segments; which of these its stars are. */
static int matches(int star[CX_ASK_PARTS], const char *path, char *const *segment, int n)
{
    int stars = 0;
    for (int i = 0; i < n; i++) {
        const char *end = strchr(path, '/');
        const size_t len = end ? (size_t)(end - path) : strlen(path);
        if ((i < n - 1) != (end != NULL)) return -1;
        if (len == 1 && path[0] == '*' && segment[i][0])
            star[stars++] = i;
        else if (strlen(segment[i]) != len || memcmp(segment[i], path, len) != 0)
            return -1;
        path += len + 1;
    }
    return stars;
}

static int serves(const cx_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void add_method(char allow[CX_PATH_ALLOW], const char *method)
{
    const size_t len = strlen(allow);
    snprintf(allow + len, CX_PATH_ALLOW - len, "%s%s%s", len ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

static int fail(cx_path *out, const char *path, const char *method, cvs_error *err)
{
    if (out->allow[0]) {
        out->status = NOT_ALLOWED;
        cx_fail(err, CVS_E_ARG, "%.20s is not for this address", method);
        cx_hint(err, "it takes %s", out->allow);
    } else {
        out->status = NOT_FOUND;
        cx_fail(err, CVS_E_ARG, "there is nothing at /api/v1/%.200s", path);
        cx_hint(err, "the routes are in docs/http-api.md");
    }
    return CVS_E_ARG;
}

int cx_path_find(cx_path *out, const char *method, const char *path, cvs_error *err)
{
    char *segment[SEGMENTS];
    int star[CX_ASK_PARTS];
    *out = (cx_path){.status = BAD};
    if (strlen(path) > CX_PATH_MAX) return cx_fail(err, CVS_E_ARG, "the address is too long");
    out->text = cx_strdup(path);
    if (!out->text) return cx_no_memory(err, strlen(path));
    const int n = cut(segment, out->text);
    for (int i = 0; n >= 0 && cx_route_at(i); i++) {
        const cx_route *route = cx_route_at(i);
        const int stars = matches(star, route->path, segment, n);
        if (stars < 0) continue;
        if (!serves(route, method)) {
            add_method(out->allow, route->method);
            continue;
        }
        for (int k = 0; k < stars; k++) {
            out->part[k] = segment[star[k]];
            int rc = cx_path_decode(out->part[k], err);
            if (rc < 0) return rc;
        }
        out->route = route;
        return 0;
    }
    return fail(out, path, method, err);
}

void cx_path_deinit(cx_path *path)
{
    cx_free(path->text);
    *path = (cx_path){0};
}

static int add_text(cx_query *q, const char *text, cvs_error *err)
{
    if (strlen(text) > CX_PATH_MAX) return cx_fail(err, CVS_E_ARG, "the query is too long");
    char *copy = cx_strdup(text);
    if (!copy) return cx_no_memory(err, strlen(text));
    q->pair[q->n++] = copy;
    return cx_path_decode(copy, err);
}

int cx_query_add(cx_query *q, const char *key, const char *value, cvs_error *err)
{
    int rc;
    if (q->n == 2 * CX_QUERY_MAX)
        return cx_fail(err, CVS_E_ARG, "the query has more than %d keys", CX_QUERY_MAX);
    TRY(add_text(q, key, err));
    TRY(add_text(q, value ? value : "", err));
    for (int i = 0; i < q->n - 2; i += 2)
        if (strcmp(q->pair[i], q->pair[q->n - 2]) == 0)
            return cx_fail(err, CVS_E_ARG, "the query says \"%.40s\" twice", q->pair[i]);
out:
    return rc;
}

void cx_query_deinit(cx_query *q)
{
    for (int i = 0; i < q->n; i++) cx_free(q->pair[i]);
    *q = (cx_query){0};
}
