/* picture.h - an input as a picture, whatever its order of axes: for methods that change parts of
 * it. */
#ifndef CX_METHODS_PICTURE_H
#define CX_METHODS_PICTURE_H

#include "methods/method.h"

typedef struct cx_picture {
    int64_t height, width, channels;
    int64_t cell, channel; /* floats from one pixel, and from one channel, to the next */
} cx_picture;

/* The input that is explained; CVS_E_UNSUPPORTED where it is no picture and no sequence. */
int cx_picture_of(cx_picture *out, const cx_question *q, cvs_error *err);

#endif
