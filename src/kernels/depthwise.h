/* depthwise.h - depthwise convolution in parts. */
#ifndef CX_KERNELS_DEPTHWISE_H
#define CX_KERNELS_DEPTHWISE_H

#include "kernels/set.h"

/* A depthwise convolution that is ready to be computed. */
typedef struct cx_depthwise_work {
    const cx_depthwise *d;
    cx_grid grid;
    const cx_epilogue *e;
    const cx_set *set;
    int is_plane;                /* vec_plane.c takes it */
    int64_t height, step, parts; /* rows that belong together, rows of a task, tasks of these */
} cx_depthwise_work;

cx_depthwise_work cx_depthwise_begin(const cx_depthwise *d, const float *x, const float *w,
                                     const cx_epilogue *e, float *y);
/* Rows from … to - 1, counted over all images but of one of them, by the calling thread; y is of
 * the first. */
void cx_depthwise_rows(const cx_depthwise_work *k, int64_t from, int64_t to, float *y);

#endif
