/* colormap.h - colours for numbers. */
#ifndef CX_DRAW_COLORMAP_H
#define CX_DRAW_COLORMAP_H

#include <stdint.h>

typedef enum cx_colormap {
    CX_MAP_VIRIDIS,   /* for sizes: even steps to the eye, also in gray and to the colour-blind */
    CX_MAP_MAGMA,     /* the same from black */
    CX_MAP_DIVERGING, /* for signs: blue below, white at the middle, red above, equally light */
    CX_MAP_GRAY,
    CX_MAP_JET, /* the books' heatmaps */
} cx_colormap;

/* The 256 colours that matplotlib calls by these names (all but the diverging map, our own). */
enum { CX_MAP_SIZE = 256 };

/* Fill n * 3 bytes with n colours spread evenly over the map, red first. For 256 they are
 * matplotlib's bytes. */
void cx_colormap_fill(uint8_t *rgb, int n, cx_colormap map);

/* Which of n colours a number in 0 … 1 gets by matplotlib's rule. */
int cx_colormap_index(double x, int n);

/* R's terrain.colors(n), n * 3 bytes, the same bytes for every n. */
void cx_terrain_colors(uint8_t *rgb, int n);

/* matplotlib's jet at t in 0 … 1: red, green, blue in 0 … 1. */
void cx_jet(double rgb[3], double t);

/* OpenCV's COLORMAP_JET, which is MATLAB's, not matplotlib's. */
void cx_opencv_jet(uint8_t rgb[3 * CX_MAP_SIZE]);

/* R's hcl.colors(n, "Spectral"), n * 3 bytes, the same bytes: from red to blue. */
void cx_spectral_colors(uint8_t *rgb, int n);

#endif
