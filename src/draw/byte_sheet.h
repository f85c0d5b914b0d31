/* byte_sheet.h - numbers as gray pictures of bytes, from which they can be told again. */
#ifndef CX_DRAW_BYTE_SHEET_H
#define CX_DRAW_BYTE_SHEET_H

#include "base/file.h"
#include "base/mem.h"

enum {
    CX_LEVELS_OF_BYTE = 254, /* steps from the lowest number to the highest … */
    CX_NO_NUMBER = 255,      /* … and what is neither */
};

/* The byte q for which low + q (high - low) / CX_LEVELS_OF_BYTE is nearest to v; of a v beyond the
 * ends that of the end. */
uint8_t cx_byte_of(double v, double low, double high);

/* Channels side by side, row after row of them, each on its own range. */
typedef struct cx_byte_sheet {
    int64_t height, width; /* of a channel */
    int channels, columns; /* and how many are in a row */
    float *low, *high;     /* of each channel, over its finite numbers; 0 where it has none */
    cx_block ranges;       /* where these lie */
    int64_t sheet_height, sheet_width;
    cx_block bytes; /* sheet_height × sheet_width */
} cx_byte_sheet;

/* Of the first `channels` of `stride` that lie in x: height × width × stride numbers. The sheet is
 * about as high as wide. With `is_common` all have the range of all their numbers, as channels of
 * one number each want it. */
int cx_byte_sheet_init(cx_byte_sheet *out, const float *x, int64_t height, int64_t width,
                       int64_t stride, int channels, int is_common, cvs_error *err);
void cx_byte_sheet_deinit(cx_byte_sheet *s); /* a zero sheet is legal */

/* height × width bytes as a gray PNG. */
int cx_gray_png(cx_bytes *out, const uint8_t *gray, int64_t height, int64_t width, cvs_error *err);
int cx_byte_sheet_png(cx_bytes *out, const cx_byte_sheet *s, cvs_error *err);

/* Means of k × k cells of h × w × c numbers, edges with fewer; the caller's to cx_free(). */
int cx_reduce(float **out, const float *x, int64_t h, int64_t w, int64_t c, int k, cvs_error *err);
/* How many cells of k there are in n. */
int64_t cx_reduced(int64_t n, int k);

#endif
