/* pattern_tile.h - one pattern as a tile of a sheet. */
#ifndef CX_DRAW_PATTERN_TILE_H
#define CX_DRAW_PATTERN_TILE_H

#include <stdint.h>

#include "base/error.h"

/* A picture of height × width × channels values 0 … 1; of many channels three are shown. */
typedef struct cx_pattern {
    const float *shown;
    int64_t height, width, channels;
    int is_pixelated; /* 1: enlarged, each value is a square: weights, which are no photograph */
} cx_pattern;

/* The tile's sides: small pictures are enlarged to `side`, large ones made as small as `most`. */
void cx_pattern_tile_size(const cx_pattern *p, int side, int most, int *width, int *height);

/* Fill width × height pixels of red, green, blue, rows `stride` bytes apart: enlarged with cubics,
 * made smaller by means. */
int cx_pattern_tile_draw(const cx_pattern *p, int width, int height, uint8_t *to, int64_t stride,
                         cvs_error *err);

#endif
