/* heat_sheet.h - overlays side by side: methods by classes or by layers. */
#ifndef CX_DRAW_HEAT_SHEET_H
#define CX_DRAW_HEAT_SHEET_H

#include "draw/heat.h"

/* Which maps have one scale: a map's colours alone say nothing about its size. */
typedef enum cx_heat_scales {
    CX_SCALES_OWN, /* each has its own limit, or largest size */
    CX_SCALES_ROW, /* one a row: a method's maps of several classes */
    CX_SCALES_ONE, /* one for all */
} cx_heat_scales;

typedef struct cx_heat_cell {
    cx_heat_map map;
    const char *words; /* instead of a picture, "no positive evidence"; "" leaves the place free;
                          NULL: draw the map */
    const char *name;  /* below the picture, where row and column do not say it; or NULL */
} cx_heat_cell;

/* What is drawn. All is borrowed; title, subtitle and caption may be NULL. */
typedef struct cx_heat_sheet {
    const char *title, *subtitle, *caption;
    const cx_image *photo;
    int rows, columns;
    const char *const *row_names, *const *column_names;
    const cx_heat_cell *cells; /* rows × columns */
    cx_heat_scales scales;
} cx_heat_sheet;

/* Draw as PNG, the caller's to cx_bytes_deinit(). */
int cx_heat_sheet_draw(cx_bytes *png, cx_easel *easel, const cx_heat_sheet *s, cvs_error *err);

/* The same as the easel's pixels. `places` (NULL is allowed) gets x, y, width, height of each
 * cell's picture. */
int cx_heat_sheet_paint(cx_easel *easel, const cx_heat_sheet *s, int (*places)[4], cvs_error *err);

#endif
