/* input.h - what a file holds for a model, for those who draw it. */
#ifndef CX_GRAPH_INPUT_H
#define CX_GRAPH_INPUT_H

#include "image/image.h"

struct cvs_input {
    cx_image picture; /* as the file has it */
    cx_tensor tensor; /* or this */
};

/* The picture, or one that shows the tensor's first image, from its smallest number to its largest;
 * without data where a tensor is no image. The caller's to cx_image_deinit(). */
int cx_input_picture(cx_image *out, const cvs_input *input, cvs_error *err);

#endif
