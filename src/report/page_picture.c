/* page_picture.c - photographs, what the network sees of them, and tiles, as small files. */
#include <math.h>

#include "image/webp_film.h"
#include "report/page.h"

enum { LARGEST = 640 }; /* side of a photograph on the page, pixels */

static uint8_t byte_of(float v)
{
    return (uint8_t)(v >= 0 && v <= 255 ? v + 0.5F : v > 255 ? 255 : 0);
}

/* Pixels of three colours, lossy. */
static int pack(cx_page_picture *out, const uint8_t *rgb, int width, int height, cvs_error *err)
{
    out->width = width;
    out->height = height;
    return cx_webp_still(&out->bytes, rgb, width, height, err);
}

int cx_page_resized(cx_page_picture *out, const cx_image *image, int width, int height,
                    cvs_resize mode, cvs_error *err)
{
    cx_image colour = {0};
    cx_tensor pixels = {0};
    cx_block bytes = {0};
    int rc;
    TRY(cx_image_convert(&colour, image, 3, err));
    TRY(cx_image_resize(&pixels, &colour, width, height, mode, err));
    const int64_t n = cx_shape_count(&pixels.shape);
    TRY(cx_block_init(&bytes, (size_t)n, err));
    for (int64_t i = 0; i < n; i++) ((uint8_t *)bytes.data)[i] = byte_of(pixels.data[i]);
    TRY(pack(out, bytes.data, width, height, err));
out:
    cx_block_deinit(&bytes);
    cx_tensor_deinit(&pixels);
    cx_image_deinit(&colour);
    return rc;
}

int cx_page_photo(cx_page_picture *out, const cx_image *image, cvs_error *err)
{
    const int side = image->width > image->height ? image->width : image->height;
    const double scale = side > LARGEST ? (double)LARGEST / side : 1;
    const int w = (int)lround(image->width * scale), h = (int)lround(image->height * scale);
    return cx_page_resized(out, image, w > 0 ? w : 1, h > 0 ? h : 1, CVS_RESIZE_ANTIALIAS, err);
}

static int image_of(cx_image *out, const float *x, int64_t h, int64_t w, int64_t channels,
                    cvs_error *err)
{
    const int n = channels == 3 ? 3 : 1;
    int rc = cx_image_init(out, (int)w, (int)h, n, err);
    for (int64_t i = 0; rc == 0 && i < h * w; i++)
        for (int c = 0; c < n; c++) out->data[i * n + c] = byte_of(255 * x[i * channels + c]);
    return rc;
}

int cx_page_tile(cx_page_picture *out, const float *x, int64_t h, int64_t w, int64_t channels,
                 cvs_error *err)
{
    cx_image image = {0};
    int rc;
    TRY(image_of(&image, x, h, w, channels, err));
    const cx_png png = {.width = image.width,
                        .height = image.height,
                        .channels = image.channels,
                        .data = image.data};
    TRY(cx_png_encode(&out->bytes, &png, err));
    out->width = image.width;
    out->height = image.height;
out:
    cx_image_deinit(&image);
    return rc;
}

int cx_page_pattern(cx_page_picture *out, const float *x, int64_t h, int64_t w, int64_t channels,
                    cvs_error *err)
{
    cx_image image = {0};
    int rc = image_of(&image, x, h, w, channels, err);
    if (rc == 0) rc = cx_page_photo(out, &image, err);
    cx_image_deinit(&image);
    return rc;
}
