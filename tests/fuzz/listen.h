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
    int rc = take_from(h5, fd, s, err);
    free(s);
    return rc;
}

#endif
