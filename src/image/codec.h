/* codec.h - what the files of this folder have in common. */
#ifndef CX_IMAGE_CODEC_H
#define CX_IMAGE_CODEC_H

#include "image/image.h"

/* Whether a picture of that size has pixels and is within the limits of image.h. */
int cx_image_check_size(int width, int height, cvs_error *err);
/* The same, and that it has no more pixels than `most`; 0: no other limit. */
int cx_image_check_most(unsigned width, unsigned height, int64_t most, cvs_error *err);

/* What is wanted of a picture. */
typedef struct cx_wish {
    int alpha;    /* 0: a reader may leave transparency out */
    int64_t most; /* pixels; 0: the limit of image.h */
} cx_wish;

/* For codes without a least number of bits for a pixel, where any number of equal ones takes a few
 * bytes: whether a picture may be that small. Any up to 16 million pixels may, a larger one has a
 * byte for every 1024 pixels beyond: a photograph has a hundred times as many. */
int cx_image_check_packing(const char *kind, unsigned width, unsigned height, size_t size,
                           cvs_error *err);

/* Decode to the channels that the file has, 1 to 4, as Pillow opens it. `orientation` gets 1 … 8 as
 * EXIF counts; NULL: nobody wants to know.
 */
typedef int cx_decode(cx_image *out, int *orientation, const uint8_t *bytes, size_t size,
                      const cx_wish *wish, cvs_error *err);
cx_decode cx_jpeg_decode, cx_png_decode, cx_webp_decode;

/* Unpack the whole zlib stream of a PNG file into a picture of 8-bit channels, not interlaced,
 * whose width, height and channels are set. 1; or 0, and no pixels, where something is wrong with
 * it, which libpng then says or forgives. */
int cx_png_unpack(cx_image *image, const uint8_t *packed, size_t size, cvs_error *err);

/* Pack n bytes of filtered rows, of `row` bytes each with pixels of `pixel`, into a zlib stream;
 * gives its length. `out` has room for cx_png_pack_bound(n), `tokens` for n or CX_PNG_TOKENS, the
 * lesser. */
enum { CX_PNG_TOKENS = 1 << 15 };
size_t cx_png_pack_bound(size_t n);
size_t cx_png_pack(uint8_t *out, uint32_t *tokens, const uint8_t *rows, size_t n, size_t pixel,
                   size_t row);

/* What the last word of every reader is for a file that was cut off. */
int cx_truncated(cvs_error *err, const char *kind);

/* The orientation in EXIF data, with or without "Exif\0\0" before them; 1, upright, where they do
 * not say or make no sense. */
int cx_exif_orientation(int *out, const uint8_t *exif, size_t size, cvs_error *err);

/* Turn a picture upright. */
int cx_image_turn(cx_image *image, int orientation, cvs_error *err);

#endif
