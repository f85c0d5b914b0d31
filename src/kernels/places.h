/* places.h - the walk that gradients of weights take: kernel cell by kernel cell, over the places
 * of the output that see the cell inside the input. */
#ifndef CX_KERNELS_PLACES_H
#define CX_KERNELS_PLACES_H

#include "kernels/kernels.h"

enum {
    CX_BATCH,
    CX_PLACE = 1 + CX_SPACE, /* axes of a place of the output: the batch, then the window's */
};

typedef struct cx_places {
    int64_t from[CX_PLACE], to[CX_PLACE];
} cx_places;

int64_t cx_places_all(const cx_window *w); /* how many the output has */

/* The output cut into chunks of nearly equal size, long ones along the rows. */
typedef struct cx_chunks {
    int64_t step[CX_PLACE], n[CX_PLACE];
    int64_t all;
} cx_chunks;
cx_chunks cx_chunks_of(const cx_window *w, int64_t most); /* places in one */
cx_places cx_chunk(const cx_chunks *c, const cx_window *w, int64_t index);

cx_places cx_chunk_whole(const cx_window *w); /* all of it */

/* Where the numbers lie, as in cx_grid. dy may be a copy of some places only. */
typedef struct cx_walk {
    const cx_window *window;
    const cx_places *chunk, *held; /* the places to sum over; those that dy has, on end */
    const float *x, *dy;
    float *dw;
    int64_t x_cell, dy_cell, dw_cell;
    int joined; /* take the cells of a row together where all of them are inside */
} cx_walk;

/* Kernel cells side by side, and places that see them all. */
typedef struct cx_sum {
    const float *x, *dy; /* of the first place; x for the first cell */
    float *dw;           /* of the first cell */
    int64_t cells;
    int64_t n[CX_PLACE], x_step[CX_PLACE], dy_step[CX_PLACE]; /* places, and floats from one to
                                                                 the next */
} cx_sum;

typedef void cx_sum_body(void *arg, const cx_sum *sum);

void cx_walk_sums(const cx_walk *walk, cx_sum_body *body, void *arg);

#endif
