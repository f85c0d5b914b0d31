/* layout.h - where the channels of a layer lie on its sheet: geometry alone. */
#ifndef CX_DRAW_LAYOUT_H
#define CX_DRAW_LAYOUT_H

#include <stdint.h>

/* Maps are tiles with their number in a strip above; the numbers of a long vector are cells close
 * together, with numbers at the rows' starts and above the columns. Pixels. */
typedef struct cx_layout {
    int64_t channels, rows;
    int columns;
    int scale_x, scale_y;   /* a value is that many pixels wide and high … */
    int reduce_x, reduce_y; /* … or a pixel is the mean of that many values */
    int tile_width, tile_height;
    int pitch_x, pitch_y;  /* from one tile to the next */
    int strip;             /* height of the strip above a tile; 0 for cells */
    int left, top;         /* room for the numbers of rows and columns of cells */
    int group;             /* more room after every ten cells */
    int step_x, step_y;    /* every which column and row of cells has a number */
    int64_t width, height; /* of it all */
} cx_layout;

enum {
    CX_LABEL_SIZE = 11,  /* of the numbers of channels, pixels an em */
    CX_LABEL_DIGIT = 7,  /* width of their digits */
    CX_LABEL_STRIP = 15, /* and of a line of them, height */
    CX_LABEL_BASE = 4,   /* from the strip's lower edge to the baseline */
};

/* Lay out channels of height × width values, each at least 1. */
void cx_layout_plan(cx_layout *out, int64_t height, int64_t width, int64_t channels);

/* The top left corner of a channel's tile; its strip ends there. */
void cx_layout_tile(const cx_layout *layout, int64_t channel, int64_t *x, int64_t *y);

/* Pixels that the digits of `n` take. */
int cx_layout_digits(int64_t n);

#endif
