/* heat_bytes.h - a heatmap as a gray picture of bytes. */
#ifndef CX_REPORT_HEAT_BYTES_H
#define CX_REPORT_HEAT_BYTES_H

#include "draw/byte_sheet.h"

/* Bytes as draw/byte_sheet.h has them, from 0 to limit, or from -limit to limit where the map has a
 * sign. */
typedef struct cx_heat_bytes {
    cx_bytes gray; /* height × width of them; owned */
    int64_t height, width;
    int is_signed;
    double limit, peak; /* the scale's end, the largest size */
} cx_heat_bytes;

/* Of what an explanation shows; a cell is the mean of several numbers where there are more than
 * `most` of them. `out->gray` is the caller's to cx_bytes_deinit(). */
int cx_heat_bytes_of(cx_heat_bytes *out, const cvs_explanation *e, int64_t most, cvs_error *err);
int cx_heat_bytes_png(cx_bytes *out, const cx_heat_bytes *b, cvs_error *err);

#endif
