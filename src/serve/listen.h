/* listen.h - the socket at which the viewer is asked. */
#ifndef CX_SERVE_LISTEN_H
#define CX_SERVE_LISTEN_H

#include "base/error.h"

enum {
    CX_PORT = 8150, /* unless told; the next ones where it is taken … */
    CX_PORTS = 50,  /* … of so many */
};

/* Where it listens. */
typedef struct cx_listen {
    int fd;
    int port;
    int is_local;  /* nobody but this machine */
    char host[64]; /* as an address has it: "127.0.0.1", "[::1]" */
} cx_listen;

/* `host` is an IP address, or "localhost"; NULL: 127.0.0.1. Where `port`, or
 * CX_PORT for 0, is taken, it is one of the next; below 0: any that is free. */
int cx_listen_open(cx_listen *out, const char *host, int port, cvs_error *err);

#endif
