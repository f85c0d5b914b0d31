/* dead.h - how often channels are dead on a folder of pictures. */
#ifndef CX_CLI_DEAD_H
#define CX_CLI_DEAD_H

#include "cli/job.h"
#include "cli/work.h"

/* A layer that the work's run keeps, and of each of its channels the share of pictures in which it
 * is dead. */
typedef struct cx_dead_layer {
    int layer;
    double *share; /* owned */
    int64_t n;
} cx_dead_layer;

typedef struct cx_dead {
    cx_dead_layer *layers; /* owned */
    int n, pictures;
} cx_dead;

/* Run all pictures of a folder. Files that cannot be read are complained of and left out. */
int cx_dead_count(cx_dead *out, cx_work *work, cx_job *job, const char *folder, cvs_error *err);
void cx_dead_deinit(cx_dead *dead);

/* A layer's shares; NULL where there are none. */
const cx_dead_layer *cx_dead_of(const cx_dead *dead, int layer);

#endif
