/* listen.h - formats/hdf5_listen.c for a target that says itself where a child's answer is: it
 * defines cx_h5_listen and has it end in listen_to. */
#ifndef LISTEN_H
#define LISTEN_H

#define _GNU_SOURCE
#include <stdlib.h>

#include "formats/hdf5_wire.h"

int real_listen(cx_h5 *h5, cvs_error *err);
#define cx_h5_listen real_listen
#include "formats/hdf5_listen.c"
#undef cx_h5_listen

/* As the real one: what is said on `fd`, under the limits for the file. */
static int listen_to(cx_h5 *h5, int fd, cvs_error *err)
{
    stream *s = malloc(sizeof *s);
    if (!s) abort();
    s->fd = fd;
    s->err = err;
    s->at = s->filled = 0;
    s->deadline = now_ms() + 1000 * (int64_t)(cx_h5_seconds(h5->file_size) + 1);
    s->budget = 2 * cx_h5_budget(h5->file_size);
    int rc = take_all(h5, s);
    free(s);
    return rc;
}

#endif
