/* hdf5_fork.h - how the fuzzer has children read HDF5 files at a small part of the price.
 *
 * A child forked from a fuzzer takes 50 ms of CPU time: the fuzzer is large, and libhdf5 has to
 * wake up. So a small program (hdf5_server.c), where libhdf5 is awake, forks one for every file.
 * The child is the real one in its real fence, but for its last act: it leaves behind which
 * branches it took; and its time is shorter. */
#ifndef HDF5_FORK_H
#define HDF5_FORK_H

#include <stdint.h>
#include <sys/types.h>

/* What the server finds open. */
enum {
    FORK_ORDERS = 3,   /* a socket: an order comes with a file and the end of a pipe; back go the
                          child's number and, when it is gone, what waitpid() says */
    FORK_BRANCHES = 4, /* shared memory of FORK_MAX_BRANCHES bytes: a count for each */
    FORK_MAX_BRANCHES = 1 << 14,
};

typedef struct fork_order {
    int fd[2]; /* the file, and where to tell what is in it */
    int64_t file_size;
} fork_order;

#endif
