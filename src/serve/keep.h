/* keep.h - things that take long to make and are asked for again: made once, shared by whoever asks
 * meanwhile and later, dropped when newer ones need the room. Any thread may ask. */
#ifndef CX_SERVE_KEEP_H
#define CX_SERVE_KEEP_H

#include <stddef.h>

#include "base/error.h"

typedef struct cx_keep cx_keep;

/* How a thing is made, of `arg`; `*size` is about how many bytes it has. And how it is freed. */
typedef struct cx_keep_kind {
    int (*make)(void **out, size_t *size, void *arg, cvs_error *err);
    void (*free)(void *thing);
} cx_keep_kind;

/* Room for so many bytes and so many things that nobody uses; what is in use is not counted out. */
int cx_keep_new(cx_keep **out, size_t most_bytes, int most_things, cvs_error *err);
void cx_keep_free(cx_keep *keep); /* when nobody has any of it */

/* The thing of that key, which stays until it is let go. Where another thread is making it, waits
 * for that, and makes it itself if the other fails. `*out` is NULL on failure, which is not kept.
 * With `kind` NULL nothing is made: CVS_E_ARG where it is not there. */
int cx_keep_take(void **out, cx_keep *keep, const char *key, const cx_keep_kind *kind, void *arg,
                 cvs_error *err);
void cx_keep_let_go(cx_keep *keep, void *thing); /* NULL is allowed */

/* See all that is there; nobody else gets in meanwhile, so `see` has to be quick. */
void cx_keep_each(cx_keep *keep, void (*see)(void *arg, const void *thing), void *arg);

#endif
