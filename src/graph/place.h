/* place.h - buffers with places in one block, where a place is used again once the buffer that had
 * it is not read any more. */
#ifndef CX_GRAPH_PLACE_H
#define CX_GRAPH_PLACE_H

#include <stddef.h>

typedef struct cx_placed {
    size_t offset, size;
    int until; /* the last step that uses it */
} cx_placed;

typedef struct cx_places {
    cx_placed *live; /* by rising offset; room for all that live at once, the caller's */
    int n;
    size_t end; /* bytes that the block wants */
} cx_places;

/* The size of a buffer with so many floats: a multiple of a cache line, as offsets are. */
size_t cx_place_size(size_t n_floats);

/* The lowest place for `size` bytes from step `now` on until the end of step `until`. Steps are
 * given in rising order. */
size_t cx_place(cx_places *p, size_t size, int now, int until);

#endif
