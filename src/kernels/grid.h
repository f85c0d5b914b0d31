/* grid.h - the walk over the places of a sliding window, cut into runs of pixels that see the same
 * cells of the kernel: the long inner run of a row, and short ones at its padded ends. */
#ifndef CX_KERNELS_GRID_H
#define CX_KERNELS_GRID_H

#include "kernels/kernels.h"

/* Where a window's numbers lie. A cell is all channels of one position; its size is in floats. */
typedef struct cx_grid {
    const cx_window *window;
    const float *x, *w;
    float *y;
    int64_t x_cell, w_cell, y_cell;
    int64_t y_row; /* the row that y begins with */
} cx_grid;

/* Output pixels in a line whose windows have the same kernel cells inside the input. */
typedef struct cx_run {
    const float *x;           /* the first pixel's first cell inside */
    const float *w;           /* the kernel's cell for it */
    float *y;                 /* the first pixel */
    int64_t n;                /* pixels */
    int64_t x_pixel, y_pixel; /* floats from one to the next */
    int64_t taps[CX_SPACE], x_tap[CX_SPACE], w_tap[CX_SPACE]; /* kernel cells inside, and floats
                                                                from one to the next */
} cx_run;

typedef void cx_run_body(void *arg, const cx_run *run);

/* Rows of output pixels: batch * depth * height. */
int64_t cx_grid_rows(const cx_window *w);

/* Call body for all runs of pixels from … to - 1 of some rows. Pixels at an end of the rows make
 * runs down the column where that is longer. */
void cx_grid_runs(const cx_grid *g, int64_t row_from, int64_t row_to, int64_t from, int64_t to,
                  cx_run_body *body, void *arg);

#endif
