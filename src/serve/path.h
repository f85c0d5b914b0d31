/* path.h - addresses, which strangers write: decoded with a check, and the route they lead to. */
#ifndef CX_SERVE_PATH_H
#define CX_SERVE_PATH_H

#include "serve/ask.h"

enum {
    CX_PATH_MAX = 4096, /* bytes of a path, or of one value in a query */
    CX_QUERY_MAX = 32,  /* pairs in a query */
    CX_PATH_ALLOW = 64, /* bytes for the methods of an address */
};

/* Decode %41 to A in place, a byte at least becoming one. CVS_E_ARG where an escape is none, or
 * stands for a 0. */
int cx_path_decode(char *text, cvs_error *err);

/* Where an address leads. */
typedef struct cx_path {
    const cx_route *route;
    char *part[CX_ASK_PARTS];  /* into `text`, decoded */
    char *text;                /* owned */
    int status;                /* on failure: 400, 404 or 405 … */
    char allow[CX_PATH_ALLOW]; /* … and for 405 the methods that there are: "GET, HEAD" */
} cx_path;

/* Find the route of what stands after /api/v1/, as it was sent. To be deinited in any case. */
int cx_path_find(cx_path *out, const char *method, const char *path, cvs_error *err);
void cx_path_deinit(cx_path *path);

/* A query, decoded pair by pair. */
typedef struct cx_query {
    char *pair[2 * CX_QUERY_MAX + 1]; /* keys and values, NULL-ended; owned */
    int n;
} cx_query;
/* One more pair, as it was sent; a value of NULL is empty. CVS_E_ARG where a key comes twice, there
 * are too many, or one is too long or no text. */
int cx_query_add(cx_query *query, const char *key, const char *value, cvs_error *err);
void cx_query_deinit(cx_query *query);

#endif
