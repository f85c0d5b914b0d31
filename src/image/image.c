/* image.c - pixel buffers, and picture files told apart by their first bytes. */
#include "image/image.h"

#include <string.h>

#include "base/mem.h"
#include "image/codec.h"

/* --- buffers --- */

enum { FREE_PIXELS = 16000000, PIXELS_PER_BYTE = 1024 };

int cx_image_check_size(int width, int height, cvs_error *err)
{
    if (width < 1 || height < 1)
        return cx_fail(err, CVS_E_FORMAT, "a picture of %d x %d has no pixels", width, height);
    if (width > CX_IMAGE_MAX_SIDE || height > CX_IMAGE_MAX_SIDE ||
        (int64_t)width * height > CX_IMAGE_MAX_PIXELS)
        return cx_fail(err, CVS_E_NOMEM,
                       "a picture of %d x %d is over the limits: %d on a side, %d million pixels",
                       width, height, CX_IMAGE_MAX_SIDE, CX_IMAGE_MAX_PIXELS / 1000000);
    return 0;
}

int cx_image_check_most(unsigned width, unsigned height, int64_t most, cvs_error *err)
{
    if (most == 0 || (uint64_t)width * height <= (uint64_t)most) return 0;
    return cx_fail(err, CVS_E_NOMEM,
                   "a picture of %u x %u pixels is over the limit of %lld million", width, height,
                   (long long)most / 1000000);
}

int cx_image_check_packing(const char *kind, unsigned width, unsigned height, size_t size,
                           cvs_error *err)
{
    const uint64_t pixels = (uint64_t)width * height;
    if (pixels <= FREE_PIXELS || (pixels - FREE_PIXELS) / PIXELS_PER_BYTE <= size) return 0;
    return cx_fail(err, CVS_E_FORMAT, "%s: %u x %u pixels in %zu bytes are not believed", kind,
                   width, height, size);
}

int cx_image_init(cx_image *out, int width, int height, int channels, cvs_error *err)
{
    *out = (cx_image){0};
    if (channels < 1 || channels > 4)
        return cx_fail(err, CVS_E_ARG, "%d channels: a picture has 1 to 4", channels);
    int rc = cx_image_check_size(width, height, err);
    if (rc < 0) return rc;
    size_t size = (size_t)width * (size_t)height * (size_t)channels;
    rc = cx_block_init(&out->block, size, err);
    if (rc < 0) return rc;
    out->data = out->block.data;
    out->width = width;
    out->height = height;
    out->channels = channels;
    return 0;
}

void cx_image_deinit(cx_image *image)
{
    cx_block_deinit(&image->block);
    *image = (cx_image){0};
}

/* --- channels --- */

/* ITU-R 601-2 in 16-bit fixed point, as Pillow. */
static uint8_t luma(const uint8_t *rgb)
{
    return (uint8_t)((rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U + 32768U) >> 16);
}

static void convert_pixels(uint8_t *to, int to_channels, const uint8_t *from, int from_channels,
                           size_t pixels)
{
    for (; pixels > 0; pixels--, to += to_channels, from += from_channels) {
        if (to_channels == 1)
            to[0] = from_channels >= 3 ? luma(from) : from[0];
        else if (from_channels >= 3)
            memcpy(to, from, 3);
        else
            memset(to, from[0], 3);
        if (to_channels == 4)
            to[3] = from_channels == 2 ? from[1] : from_channels == 4 ? from[3] : 255;
    }
}

int cx_image_convert(cx_image *out, const cx_image *image, int channels, cvs_error *err)
{
    int rc = cx_image_init(out, image->width, image->height, channels, err);
    if (rc < 0) return rc;
    convert_pixels(out->data, channels, image->data, image->channels,
                   (size_t)image->width * (size_t)image->height);
    return 0;
}

/* --- files --- */

typedef struct kind {
    const char *name;
    cx_decode *decode; /* NULL: known by name only */
    int at[2];         /* where the first bytes … */
    const char *bytes[2];
    size_t n[2]; /* … of each piece are, and how many */
} kind;

static const kind kinds[] = {
    {"JPEG", cx_jpeg_decode, {0}, {"\xFF\xD8\xFF"}, {3}},
    {"PNG", cx_png_decode, {0}, {"\x89PNG\r\n\x1A\n"}, {8}},
    {"WebP", cx_webp_decode, {0, 8}, {"RIFF", "WEBP"}, {4, 4}},
    {"GIF", NULL, {0}, {"GIF8"}, {4}},
    {"BMP", NULL, {0}, {"BM"}, {2}},
    {"TIFF", NULL, {0}, {"II*\0"}, {4}},
    {"TIFF", NULL, {0}, {"MM\0*"}, {4}},
    {"HEIC or AVIF", NULL, {4}, {"ftyp"}, {4}},
};

static const kind *find_kind(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const kind *k = &kinds[i];
        int same = 1;
        for (int p = 0; p < 2; p++)
            same &= size >= (size_t)k->at[p] + k->n[p] &&
                    (k->n[p] == 0 || memcmp(bytes + k->at[p], k->bytes[p], k->n[p]) == 0);
        if (same) return k;
    }
    return NULL;
}

int cx_image_is_known(const uint8_t *bytes, size_t size)
{
    const kind *k = find_kind(bytes, size);
    return k && k->decode;
}

static int unknown(const kind *k, size_t size, cvs_error *err)
{
    if (size == 0) return cx_fail(err, CVS_E_FORMAT, "the file is empty");
    int rc = cx_fail(err, CVS_E_FORMAT, "not a JPEG, PNG or WebP picture");
    if (k) cx_hint(err, "it is a %s file: save it as PNG first", k->name);
    return rc;
}

int cx_truncated(cvs_error *err, const char *kind_name)
{
    return cx_fail(err, CVS_E_FORMAT, "%s: the file is truncated", kind_name);
}

int cx_image_parse(cx_image *out, const uint8_t *bytes, size_t size, int channels, int exif,
                   cvs_error *err)
{
    return cx_image_parse_most(out, bytes, size, channels, exif, 0, err);
}

int cx_image_parse_most(cx_image *out, const uint8_t *bytes, size_t size, int channels, int exif,
                        int64_t most, cvs_error *err)
{
    cx_image image = {0};
    int orientation = 1, rc;
    *out = (cx_image){0};
    if (channels < 0 || channels > 4 || channels == 2)
        return cx_fail(err, CVS_E_ARG, "a picture is read to 1, 3 or 4 channels, not %d", channels);
    const kind *k = find_kind(bytes, size);
    if (!k || !k->decode) return unknown(k, size, err);
    const cx_wish wish = {.alpha = channels == 4 || channels == 0, .most = most};
    TRY(k->decode(&image, exif ? &orientation : NULL, bytes, size, &wish, err));
    if (channels == 0 || channels == image.channels) {
        *out = image;
        image = (cx_image){0};
    } else {
        TRY(cx_image_convert(out, &image, channels, err));
    }
    rc = cx_image_turn(out, orientation, err);
out:
    cx_image_deinit(&image);
    if (rc < 0) cx_image_deinit(out);
    return rc;
}

int cx_image_read(cx_image *out, const char *path, int channels, int exif, cvs_error *err)
{
    cx_bytes file;
    *out = (cx_image){0};
    int rc = cx_file_read(&file, path, CX_IMAGE_MAX_FILE, err);
    if (rc < 0) return rc;
    rc = cx_image_parse(out, file.data, file.size, channels, exif, err);
    if (rc < 0) cx_where(err, rc, "%s", path);
    cx_bytes_deinit(&file);
    return rc;
}
