/* view.h - a picture looked at askew: moved, turned, nearer or farther. A pattern that survives
 * that is no accident of single pixels. */
#ifndef CX_PATTERNS_VIEW_H
#define CX_PATTERNS_VIEW_H

#include <stdint.h>

/* What lies beyond a picture's edge. */
typedef enum cx_border { CX_BORDER_GRAY, CX_BORDER_WRAP, CX_BORDER_MIRROR } cx_border;

typedef struct cx_camera {
    int64_t height, width;         /* of the picture */
    int64_t out_height, out_width; /* of what is seen */
    double down, right;            /* pixels of the picture for one that is seen */
    int64_t channels;
    cx_border border;
    float gray; /* of CX_BORDER_GRAY */
} cx_camera;

/* How it is held: a turn about the middle in radians, how much larger things look, and a shift of
 * the picture in its own pixels. */
typedef struct cx_view {
    double turn, zoom, down, right;
} cx_view;

/* What is seen, with bilinear interpolation; both have channels last. */
void cx_view_look(const cx_camera *c, const cx_view *v, const float *picture, float *seen);

/* The derivative: fills dpicture. */
void cx_view_back(const cx_camera *c, const cx_view *v, const float *dseen, float *dpicture);

#endif
