/* heat.h - maps of numbers over photographs: where in the picture a number is large. */
#ifndef CX_DRAW_HEAT_H
#define CX_DRAW_HEAT_H

#include "draw/canvas.h"
#include "draw/sheet.h"
#include "image/image.h"

/* height × width numbers, stretched over the whole photograph whatever its shape. Those that are
 * not finite are not drawn, and the picture says so. */
typedef struct cx_heat_map {
    const float *data;
    int64_t height, width;
    int is_signed; /* 1: from blue at -limit over white at 0 to red at limit; 0: from 0 to limit */
    double limit;  /* the end of the scale; 0: the largest size in the map */
} cx_heat_map;

typedef enum cx_heat_kind {
    CX_HEAT_MAP,     /* the map's colours alone, at the photograph's size */
    CX_HEAT_OVERLAY, /* over the photograph, the more opaque the larger the number */
} cx_heat_kind;

/* What is drawn. All is borrowed; any text may be NULL. */
typedef struct cx_heat {
    cx_heat_map map;
    const cx_image *photo; /* any number of channels; NULL: there is none, and the map's cells are
                              drawn as squares */
    const char *title;     /* "Grad-CAM: African elephant 0.91" */
    const char *subtitle;  /* model and layer */
    const char *note;      /* a diagnosis, "no positive evidence" */
    const char *caption;   /* small print */
    double contour;        /* a line where the size is that share of the limit; 0: none */
    int has_cells;         /* 1: cells with sharp edges instead of smooth colours */
} cx_heat;

/* Draw as PNG, the caller's to cx_bytes_deinit(). A photograph is drawn at its own size, but a tiny
 * one larger by a whole factor and a huge one smaller. */
int cx_heat_draw(cx_bytes *png, cx_easel *easel, const cx_heat *heat, cx_heat_kind kind,
                 cvs_error *err);

/* The same as the easel's pixels. `place` (NULL is allowed) gets where the photograph lies: x, y,
 * width, height. */
int cx_heat_paint(cx_easel *easel, const cx_heat *heat, cx_heat_kind kind, int place[4],
                  cvs_error *err);

/* Draw the overlay of a book's edition at the photograph's size, without words: red, green, blue.
 * CVS_E_ARG for a style that is no book's. */
int cx_heat_book(cx_canvas *out, const cx_heat_map *map, const cx_image *photo, cvs_style style,
                 cvs_error *err);

/* --- numbers --- */

/* The limit that cuts off a few hot pixels: the size up to which sizes, summed from the smallest,
 * make 98 % of their whole sum, as Captum chooses it. 0 where all is 0. */
int cx_heat_robust_limit(double *out, const float *x, int64_t n, cvs_error *err);

/* The map's limit, or its largest size where it has none; 0 where there is nothing above 0. */
double cx_heat_limit(const cx_heat_map *map);

#endif
