/* heat_field.h - what pictures of heat share: a photograph and a map at the size they are drawn. */
#ifndef CX_DRAW_HEAT_FIELD_H
#define CX_DRAW_HEAT_FIELD_H

#include "draw/heat.h"
#include "draw/words.h"

/* Colour and opacity of each level; zero's is the first one, or of signed maps the middle one. */
typedef struct cx_heat_inks {
    uint8_t rgb[3 * CX_LEVELS], opacity[CX_LEVELS];
    uint8_t not_finite; /* opacity of the accent */
} cx_heat_inks;
void cx_heat_inks_choose(cx_heat_inks *out, int is_signed, cx_heat_kind kind);

/* Make the levels of a canvas those colours as they look on white. */
void cx_heat_palette(cx_canvas *canvas, const cx_heat_inks *inks);

/* The size of a picture whose longer side is at most `most`, or, where a whole factor can make it
 * larger, at least about `least`. */
void cx_heat_fit(int *width, int *height, int64_t from_width, int64_t from_height, int least,
                 int most);

/* The photograph as RGB of that size. */
int cx_heat_photo(cx_image *out, const cx_image *photo, int width, int height, cvs_error *err);

/* The map at that size: NaN where it is not finite. A map of finer cells than pixels is averaged,
 * then numbers are linear between the cells' centres. */
int cx_heat_resize(float *out, const cx_heat_map *map, int64_t width, int64_t height, int has_cells,
                   cvs_error *err);

/* Which ends of a scale numbers lie beyond. */
enum { CX_CUT_ABOVE = 1, CX_CUT_BELOW = 2 };

/* What is known of a map's numbers. */
typedef struct cx_heat_facts {
    double low, high; /* of the finite ones */
    int64_t n_nan, n_inf, n_finite;
    double limit; /* of the scale */
    int cuts;     /* its ends that numbers lie beyond */
} cx_heat_facts;
cx_heat_facts cx_heat_measure(const cx_heat_map *map);

/* Check a map's sizes. */
int cx_heat_check(const cx_heat_map *map, cvs_error *err);

/* A map of that size on a photograph of that size, at x, y of a canvas of red, green and blue. */
typedef struct cx_heat_tile {
    const cx_image *photo; /* RGB */
    const float *field;    /* NULL: the photograph alone */
    const cx_heat_inks *inks;
    double limit, contour;
    int is_signed;
} cx_heat_tile;
void cx_heat_tile_draw(cx_canvas *canvas, const cx_heat_tile *tile, int x, int y);

/* The bar of a scale in the canvas' levels. `limit` 0: it differs between maps, and `own` says
 * whose it is. */
void cx_heat_bar(cx_pen *p, int x, int y, int width, const cx_heat_facts *f, int is_signed,
                 const char *own);

#endif
