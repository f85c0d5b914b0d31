/* resize.h - the two families of rules for a picture's new size. */
#ifndef CX_IMAGE_RESIZE_H
#define CX_IMAGE_RESIZE_H

#include "image/image.h"

/* Pillow's BILINEAR and BICUBIC: 8 bits in, 8 bits out, to the last bit. */
int cx_resize_pillow(cx_image *out, const cx_image *image, int width, int height, cvs_error *err);
int cx_resize_pillow_bicubic(cx_image *out, const cx_image *image, int width, int height,
                             cvs_error *err);

/* tf.image.resize without antialiasing; `out` holds height * width * channels numbers. */
int cx_resize_tf_bilinear(float *out, const cx_image *image, int width, int height, cvs_error *err);
int cx_resize_tf_bicubic(float *out, const cx_image *image, int width, int height, cvs_error *err);

#endif
