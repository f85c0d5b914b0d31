/* resize.c - a picture to a tensor of the size that a model takes. */
#include "image/resize.h"

#include "base/mem.h"
#include "image/codec.h"

/* Which source pixel each of `n` results is in Pillow's NEAREST. Pillow adds the step up, in double
 * precision; (o + 0.5) * step rounds differently at about one tie in 500. */
static void nearest_sources(int *source, int n, int n_source)
{
    double step = (double)n_source / n, at = step * 0.5;
    for (int o = 0; o < n; o++, at += step) source[o] = (int)at < n_source ? (int)at : n_source - 1;
}

static int resize_nearest(float *out, const cx_image *image, int width, int height, cvs_error *err)
{
    size_t n = (size_t)image->channels, row = (size_t)image->width * n;
    size_t entries = (size_t)width + (size_t)height;
    int *xs = cx_realloc_array(NULL, entries, sizeof *xs);
    if (!xs) return cx_no_memory(err, entries * sizeof *xs);
    int *ys = xs + width;
    nearest_sources(xs, width, image->width);
    nearest_sources(ys, height, image->height);
    for (int y = 0; y < height; y++) {
        const uint8_t *from = image->data + (size_t)ys[y] * row;
        for (int x = 0; x < width; x++, out += n)
            for (size_t c = 0; c < n; c++) out[c] = from[(size_t)xs[x] * n + c];
    }
    cx_free(xs);
    return 0;
}

static void copy(float *out, const cx_image *image)
{
    size_t size = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
    for (size_t i = 0; i < size; i++) out[i] = image->data[i];
}

static int resize_antialias(float *out, const cx_image *image, int width, int height,
                            cvs_error *err)
{
    cx_image resized;
    int rc = cx_resize_pillow(&resized, image, width, height, err);
    if (rc < 0) return rc;
    copy(out, &resized);
    cx_image_deinit(&resized);
    return 0;
}

static int resize_to(float *out, const cx_image *image, int width, int height, cvs_resize mode,
                     cvs_error *err)
{
    if (image->width == width && image->height == height) {
        copy(out, image);
        return 0;
    }
    switch (mode) {
    case CVS_RESIZE_NEAREST:
        return resize_nearest(out, image, width, height, err);
    case CVS_RESIZE_BILINEAR:
        return cx_resize_tf_bilinear(out, image, width, height, err);
    case CVS_RESIZE_BICUBIC:
        return cx_resize_tf_bicubic(out, image, width, height, err);
    case CVS_RESIZE_ANTIALIAS:
        return resize_antialias(out, image, width, height, err);
    }
    return cx_fail(err, CVS_E_ARG, "there is no resize mode %d", (int)mode);
}

int cx_image_resize(cx_tensor *out, const cx_image *image, int width, int height, cvs_resize mode,
                    cvs_error *err)
{
    int rc;
    *out = (cx_tensor){0};
    TRY(cx_image_check_size(width, height, err));
    TRY(cx_tensor_init(out, &(cx_shape){3, {height, width, image->channels}}, err));
    rc = resize_to(out->data, image, width, height, mode, err);
out:
    if (rc < 0) cx_tensor_deinit(out);
    return rc;
}
