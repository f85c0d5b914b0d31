/* order.c - one order. */
#include "serve/order.h"

#include <stdio.h>
#include <string.h>

#include "base/journal.h"

/* Put a text behind the others, which all lie in one piece that has room. */
static const char *put(cx_order *o, const char *text)
{
    const size_t n = strlen(text) + 1;
    char *to = o->text + o->text_size;
    memcpy(to, text, n);
    o->text_size += n;
    return to;
}

int cx_order_new(cx_order **out, cx_viewer *viewer, const cx_path *path, const cx_query *query,
                 cx_bytes *body, cvs_error *err)
{
    size_t size = 1;
    cx_order *o = *out = cx_calloc(1, sizeof *o);
    if (!o) return cx_no_memory(err, sizeof *o);
    for (int i = 0; i < CX_ASK_PARTS; i++) size += path->part[i] ? strlen(path->part[i]) + 1 : 0;
    for (int i = 0; i < query->n; i++) size += strlen(query->pair[i]) + 1;
    o->text = cx_alloc(size);
    if (!o->text) {
        cx_free(o);
        *out = NULL;
        return cx_no_memory(err, size);
    }
    for (int i = 0; i < CX_ASK_PARTS; i++)
        if (path->part[i]) o->ask.part[i] = put(o, path->part[i]);
    for (int i = 0; i < query->n; i++) o->query[i] = put(o, query->pair[i]);
    o->route = path->route;
    o->ask.viewer = viewer;
    o->ask.query = o->query;
    o->ask.connection = o;
    o->body = *body;
    *body = (cx_bytes){0};
    o->ask.body = o->body.data;
    o->ask.body_size = o->body.size;
    atomic_store(&o->users, 1);
    return 0;
}

cx_order *cx_order_share(cx_order *o)
{
    atomic_fetch_add(&o->users, 1);
    return o;
}

void cx_order_drop(cx_order *o)
{
    if (!o || atomic_fetch_sub(&o->users, 1) > 1) return;
    cx_reply_deinit(&o->reply);
    cx_bytes_deinit(&o->body);
    cx_str_deinit(&o->events);
    cx_free(o->text);
    cx_free(o);
}

int cx_order_is_shared(const cx_order *o)
{
    return strcmp(o->route->method, "GET") == 0 && !o->route->streams;
}

int cx_order_equal(const cx_order *a, const cx_order *b)
{
    return a->route == b->route && a->text_size == b->text_size &&
           memcmp(a->text, b->text, a->text_size) == 0;
}

uint64_t cx_order_hash(const cx_order *o)
{
    const uint64_t route = cx_hash(0, o->route->path, strlen(o->route->path));
    return cx_hash(route, o->text, o->text_size);
}

static int never(const cx_ask *ask)
{
    (void)ask;
    return 0;
}

void cx_order_answer(cx_order *o)
{
    if (!o->ask.is_stopped) o->ask.is_stopped = never;
    o->rc = o->route->answer(&o->reply, &o->ask, &o->err);
}

int cx_order_result(const cx_reply **reply, const cvs_error **err, const cx_order *o)
{
    *reply = &o->reply;
    *err = &o->err;
    return o->rc;
}

/* What is wrong in one line, with the place before it. */
static void add_error(cx_json_writer *w, const cvs_error *error)
{
    char what[sizeof error->where + sizeof error->what + 3];
    snprintf(what, sizeof what, "%s%s%s", error->where, error->where[0] ? ": " : "", error->what);
    cx_json_add_string(w, "what", what);
    cx_json_add_string(w, "hint", error->hint);
}

int cx_order_error_text(char **out, const cvs_error *error, int is_line, cvs_error *err)
{
    cx_json_writer w = {0};
    cx_json_open(&w, NULL, '{');
    cx_json_open(&w, "error", '{');
    add_error(&w, error);
    cx_json_close(&w, '}');
    cx_json_close(&w, '}');
    int rc = cx_json_finish(out, &w, err);
    /* Of an event the data are one line; text in JSON has no line ends of its own. */
    for (char *c = rc == 0 && is_line ? *out : NULL; c && *c; c++)
        if (*c == '\n') *c = c[1] ? ' ' : 0;
    return rc;
}

void cx_order_tell_error(cx_order *o)
{
    char *text;
    if (cx_order_error_text(&text, &o->err, 1, NULL) < 0) return;
    o->ask.send(&o->ask, "error", text);
    cx_free(text);
}
