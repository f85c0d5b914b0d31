/* image.h - photographs: decoded, resized and turned to tensors exactly as Keras' loaders do it. */
#ifndef CX_IMAGE_IMAGE_H
#define CX_IMAGE_IMAGE_H

#include "base/file.h"
#include "tensor/tensor.h"

enum {
    CX_IMAGE_MAX_SIDE = 30000,
    CX_IMAGE_MAX_PIXELS = 200 * 1000 * 1000,
    CX_IMAGE_MAX_FILE = 256 << 20,
};

/* 8-bit pixels, rows from the top, channels interleaved: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA.
 */
typedef struct cx_image {
    int width, height, channels;
    uint8_t *data; /* width * height * channels */
    cx_block
        block; /* its memory: on huge pages a large photograph is read in a third of the time */
} cx_image;

int cx_image_init(cx_image *out, int width, int height, int channels, cvs_error *err);
void cx_image_deinit(cx_image *image);

/* Read a JPEG, PNG or WebP, told by its bytes. `channels` is 1 (as Pillow's convert("L")), 3 (RGB,
 * alpha dropped), 4, or 0 for those that the file has. `exif`: turn it as its EXIF orientation
 * says. Memory is asked for only after the header was read and its sizes are within the limits
 * above. */
int cx_image_read(cx_image *out, const char *path, int channels, int exif, cvs_error *err);
int cx_image_parse(cx_image *out, const uint8_t *bytes, size_t size, int channels, int exif,
                   cvs_error *err);
/* The same with a lower limit: no more pixels than `most`. */
int cx_image_parse_most(cx_image *out, const uint8_t *bytes, size_t size, int channels, int exif,
                        int64_t most, cvs_error *err);

/* The same picture with 1, 3 or 4 channels, by Pillow's rules: alpha is dropped, never blended. */
int cx_image_convert(cx_image *out, const cx_image *image, int channels, cvs_error *err);

/* Whether these first bytes are those of a picture that cx_image_parse knows. */
int cx_image_is_known(const uint8_t *bytes, size_t size);

/* Resize to height × width as `mode` says and give float32 values in 0 … 255 of shape (height,
 * width, channels): whole numbers where the rule is Pillow's, fractions where it is TensorFlow's,
 * whose bicubic overshoots a little and is not clipped. A picture that has that size already is
 * only converted. */
int cx_image_resize(cx_tensor *out, const cx_image *image, int width, int height, cvs_resize mode,
                    cvs_error *err);

/* Turn values 0 … 255 (n pixels of `channels`) into a model's input, in place. Modes that want
 * three channels fail with another number. */
int cx_preprocess(float *x, int64_t n, int channels, cvs_preprocess mode, cvs_error *err);

/* --- PNG out --- */

/* What packing a picture needs, kept for the next one. A thread has one of its own; all zero is a
 * new one. */
typedef struct cx_png_scratch {
    cx_block rows;
    void *deflate;
} cx_png_scratch;
void cx_png_scratch_deinit(cx_png_scratch *scratch);

/* A picture to be written: 8-bit with a palette (`palette` of 3 * n_colours bytes), or gray, RGB,
 * RGBA by `channels` where palette is NULL. `text` are pairs of an ASCII key and a UTF-8 value for
 * tEXt (iTXt where it is not ASCII), NULL-ended; may be NULL. */
typedef struct cx_png {
    int width, height, channels;
    const uint8_t *data;
    const uint8_t *palette;
    int n_colours;
    const char *const *text;
    cx_png_scratch *scratch; /* may be NULL */
} cx_png;
int cx_png_encode(cx_bytes *out, const cx_png *png, cvs_error *err);

#endif
