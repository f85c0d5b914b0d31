/* exif.c - the way up of a photograph, as the camera noted it. */
#include "image/codec.h"

#include <string.h>

#include <libexif/exif-data.h>

#include "base/mem.h"

enum { MAX_EXIF = 0xFFFF }; /* what a JPEG marker can hold; libexif looks at no more */

static int read_orientation(int *out, const uint8_t *exif, size_t size, cvs_error *err)
{
    ExifData *data = exif_data_new_from_data(exif, (unsigned)size);
    if (!data) return cx_no_memory(err, size);
    const ExifEntry *e = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    int value = 0;
    if (e && e->format == EXIF_FORMAT_SHORT && e->components == 1)
        value = exif_get_short(e->data, exif_data_get_byte_order(data));
    *out = value >= 1 && value <= 8 ? value : 1;
    exif_data_unref(data);
    return 0;
}

/* libexif wants the six bytes that JPEG puts before the data; PNG and WebP do without them. */
int cx_exif_orientation(int *out, const uint8_t *exif, size_t size, cvs_error *err)
{
    static const char head[6] = "Exif";
    *out = 1;
    if (size > MAX_EXIF - sizeof head) size = MAX_EXIF - sizeof head;
    if (size >= sizeof head && memcmp(exif, head, sizeof head) == 0)
        return read_orientation(out, exif, size, err);
    uint8_t *whole = cx_alloc(sizeof head + size);
    if (!whole) return cx_no_memory(err, sizeof head + size);
    memcpy(whole, head, sizeof head);
    memcpy(whole + sizeof head, exif, size);
    int rc = read_orientation(out, whole, sizeof head + size, err);
    cx_free(whole);
    return rc;
}

/* EXIF's eight ways are a mirror left to right, a mirror top to bottom and a swap of the axes. As
 * steps through the source: where the result's first pixel lies and what a step right and a step
 * down are worth there. */
int cx_image_turn(cx_image *image, int orientation, cvs_error *err)
{
    static const struct {
        int from_right, from_bottom, swapped;
    } ways[9] = {[2] = {1, 0, 0}, [3] = {1, 1, 0}, [4] = {0, 1, 0}, [5] = {0, 0, 1},
                 [6] = {0, 1, 1}, [7] = {1, 1, 1}, [8] = {1, 0, 1}};
    if (orientation <= 1 || orientation > 8) return 0;

    cx_image turned;
    int swapped = ways[orientation].swapped, w = image->width, h = image->height;
    int rc = cx_image_init(&turned, swapped ? h : w, swapped ? w : h, image->channels, err);
    if (rc < 0) return rc;
    ptrdiff_t n = image->channels, row = (ptrdiff_t)w * n;
    ptrdiff_t x_step = ways[orientation].from_right ? -n : n;
    ptrdiff_t y_step = ways[orientation].from_bottom ? -row : row;
    const uint8_t *start = image->data;
    if (x_step < 0) start += row - n;
    if (y_step < 0) start += row * (h - 1);
    ptrdiff_t right = swapped ? y_step : x_step, down = swapped ? x_step : y_step;
    uint8_t *to = turned.data;
    for (ptrdiff_t y = 0; y < turned.height; y++)
        for (ptrdiff_t x = 0; x < turned.width; x++, to += n)
            memcpy(to, start + y * down + x * right, (size_t)n);
    cx_image_deinit(image);
    *image = turned;
    return 0;
}
