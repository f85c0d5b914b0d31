/* image.c - pixel buffers. */
#include "image/image.h"

#include "base/mem.h"

int cx_image_init(cx_image *out, int width, int height, int channels, cvs_error *err)
{
    *out = (cx_image){0};
    if (channels < 1 || channels > 4)
        return cx_fail(err, CVS_E_ARG, "%d channels: a picture has 1 to 4", channels);
    if (width < 1 || height < 1)
        return cx_fail(err, CVS_E_FORMAT, "the picture has no pixels (%d x %d)", width, height);
    if (width > CX_IMAGE_MAX_SIDE || height > CX_IMAGE_MAX_SIDE ||
        (int64_t)width * height > CX_IMAGE_MAX_PIXELS)
        return cx_fail(err, CVS_E_NOMEM,
                       "a picture of %d x %d is over the limits: %d on a side, %d million pixels",
                       width, height, CX_IMAGE_MAX_SIDE, CX_IMAGE_MAX_PIXELS / 1000000);
    size_t size = (size_t)width * (size_t)height * (size_t)channels;
    out->data = cx_calloc(size, 1);
    if (!out->data) return cx_no_memory(err, size);
    out->width = width;
    out->height = height;
    out->channels = channels;
    return 0;
}

void cx_image_deinit(cx_image *image)
{
    cx_free(image->data);
    *image = (cx_image){0};
}
