/* pattern_atlas.h - the patterns of a whole network on one picture: a band a layer. */
#ifndef CX_DRAW_PATTERN_ATLAS_H
#define CX_DRAW_PATTERN_ATLAS_H

#include "draw/pattern_tile.h"
#include "draw/sheet.h"

enum { CX_ATLAS_TILES = 12, CX_ATLAS_SIDE = 96 };

/* The telling patterns of one layer. */
typedef struct cx_atlas_band {
    char name[128], words[96];
    int n;
    int64_t numbers[CX_ATLAS_TILES];
    uint8_t tiles[CX_ATLAS_TILES][CX_ATLAS_SIDE * CX_ATLAS_SIDE * 3];
} cx_atlas_band;

/* Put a picture, squeezed to a square, behind the others of the band. */
int cx_atlas_band_add(cx_atlas_band *band, const cx_pattern *p, int64_t number, cvs_error *err);

/* Draw as PNG, the caller's to cx_bytes_deinit(). */
int cx_atlas_draw(cx_bytes *png, cx_easel *easel, const char *title, const char *subtitle,
                  const char *caption, const cx_atlas_band *bands, int n, cvs_error *err);

#endif
