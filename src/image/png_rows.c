/* png_rows.c - the rows of a PNG file of 8-bit channels: unpacked by libdeflate, their filters
 * undone. libpng does the same at a third of the speed, a row at a time by zlib. */
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "image/codec.h"

/* The filters of the PNG specification. */
enum { NONE, SUB, UP, AVERAGE, PAETH };

/* Whichever of left, above and upper left (the corner) is nearest to left + above - corner; of
 * equals the first. Where the corner is not between the other two it is one of these, and `edge`
 * says so without the three distances. */
static inline int nearest(int left, int above, int corner)
{
    const int edge = 3 * corner - above - left;
    const int low = left < above ? left : above, high = left < above ? above : left;
    const int others = high <= edge ? low : corner;
    return edge <= low ? high : others;
}

/* One row of n bytes; `above` is the finished row over it. Each pixel waits for the one to its
 * left, so the channels of one are done side by side: their number is a constant here. All guesses
 * come before all sums, or gcc makes a choice a jump, which is mispredicted every time. */
static inline void undo(uint8_t *out, const uint8_t *in, const uint8_t *above, size_t n,
                        size_t channels, int filter)
{
    int left[4] = {0}, corner[4] = {0}, guess[4] = {0};
    for (size_t i = 0; i < n; i += channels) {
        for (size_t c = 0; c < channels; c++) {
            guess[c] = left[c];
            if (filter == AVERAGE) guess[c] = (left[c] + above[i + c]) / 2;
            if (filter == PAETH) guess[c] = nearest(left[c], above[i + c], corner[c]);
        }
        for (size_t c = 0; c < channels; c++) {
            corner[c] = above[i + c];
            left[c] = out[i + c] = (uint8_t)(in[i + c] + guess[c]);
        }
    }
}

#define UNDO(channels)                                                 \
    if (filter == SUB) undo(out, in, above, n, channels, SUB);         \
    if (filter == AVERAGE) undo(out, in, above, n, channels, AVERAGE); \
    if (filter == PAETH) undo(out, in, above, n, channels, PAETH)

static void undo_filter(uint8_t *out, const uint8_t *in, const uint8_t *above, size_t n,
                        int channels, int filter)
{
    switch (filter) {
    case NONE:
        memcpy(out, in, n);
        return;
    case UP:
        for (size_t i = 0; i < n; i++) out[i] = (uint8_t)(in[i] + above[i]);
        return;
    default:
        break;
    }
    switch (channels) {
    case 1:
        UNDO(1);
        return;
    case 2:
        UNDO(2);
        return;
    case 3:
        UNDO(3);
        return;
    default:
        UNDO(4);
    }
}

/* The rows, each after its filter's byte, become pixels in the same memory: a row is copied aside,
 * then undone to where it belongs, which is before it. 0 where a filter is none. */
static int undo_filters(uint8_t *rows, int height, size_t n, int channels, uint8_t *aside,
                        const uint8_t *zeros)
{
    const uint8_t *above = zeros;
    for (size_t y = 0; y < (size_t)height; y++) {
        uint8_t *out = rows + y * n;
        const int filter = rows[y * (n + 1)];
        if (filter > PAETH) return 0;
        memcpy(aside, rows + y * (n + 1) + 1, n);
        undo_filter(out, aside, above, n, channels, filter);
        above = out;
    }
    return 1;
}

int cx_png_unpack(cx_image *image, const uint8_t *packed, size_t size, cvs_error *err)
{
    const size_t n = (size_t)image->width * (size_t)image->channels;
    const size_t raw = (n + 1) * (size_t)image->height;
    size_t used;
    int rc = 0;
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    uint8_t *aside = cx_calloc(2, n);
    if (!d || !aside) TRY(cx_no_memory(err, 2 * n));
    TRY(cx_block_init(&image->block, raw, err));
    image->data = image->block.data;
    rc = libdeflate_zlib_decompress_ex(d, packed, size, image->data, raw, &used, NULL) ==
             LIBDEFLATE_SUCCESS &&
         used == size &&
         undo_filters(image->data, image->height, n, image->channels, aside, aside + n);
    if (rc == 0) cx_block_deinit(&image->block);
out:
    if (d) libdeflate_free_decompressor(d);
    cx_free(aside);
    return rc;
}
