/* superpixels.h - a picture cut into regions whose pixels lie together and look alike. */
#ifndef CX_METHODS_SUPERPIXELS_H
#define CX_METHODS_SUPERPIXELS_H

#include "methods/picture.h"

typedef struct cx_superpixels {
    int *region; /* of each pixel, 0 … n - 1; owned */
    int n;
} cx_superpixels;

/* About `wanted` regions, each in one piece; the same ones for the same picture. */
int cx_superpixels_find(cx_superpixels *out, const cx_picture *p, const float *x, int wanted,
                        cvs_error *err);
void cx_superpixels_deinit(cx_superpixels *s);

#endif
