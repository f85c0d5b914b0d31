/* png_read.c - PNG files, by libpng, as Pillow sees them: 16-bit colour keeps its high byte, but
 * 16-bit gray is Pillow's mode "I", whose conversion to 8 bits clips at 255. (Keras leaves such a
 * picture at 16 bits for color_mode "grayscale"; here gray is 8 bits always.) */
#include "image/codec.h"

#include <png.h>
#include <setjmp.h>
#include <string.h>

#include "base/mem.h"

enum { DEFLATE_RATIO = 1032 }; /* bytes that one byte of a deflate stream can stand for at most */

typedef struct reader {
    png_struct *png;
    png_info *info;
    jmp_buf jump;
    const uint8_t *bytes;
    size_t left;
    cx_image raw;   /* as libpng gives it: an index, or 16-bit gray as two bytes, or channels */
    cx_image image; /* as it is handed on */
    int orientation;
    int rc;
    cvs_error *err;
} reader;

/* --- what libpng calls --- */

static void on_error(png_struct *png, const char *message)
{
    reader *r = png_get_error_ptr(png);
    if (r->rc == 0) r->rc = cx_fail(r->err, CVS_E_FORMAT, "PNG: %s", message);
    longjmp(r->jump, 1);
}

static void on_warning(png_struct *png, const char *message)
{
    (void)png, (void)message;
}

static void on_read(png_struct *png, png_byte *to, size_t n)
{
    reader *r = png_get_io_ptr(png);
    if (n > r->left) {
        r->rc = cx_truncated(r->err, "PNG");
        png_error(png, "truncated");
    }
    memcpy(to, r->bytes, n);
    r->bytes += n;
    r->left -= n;
}

/* --- to 8-bit channels --- */

/* An index past the palette is gray: Pillow's palettes begin as a ramp. */
static int expand_palette(reader *r, int alpha)
{
    uint8_t colours[256][4];
    png_color *palette = NULL;
    png_byte *opacity = NULL;
    int n = 0, n_opacity = 0;
    for (int i = 0; i < 256; i++) {
        memset(colours[i], i, 3);
        colours[i][3] = 255;
    }
    png_get_PLTE(r->png, r->info, &palette, &n);
    for (int i = 0; i < n; i++) {
        colours[i][0] = palette[i].red;
        colours[i][1] = palette[i].green;
        colours[i][2] = palette[i].blue;
    }
    png_get_tRNS(r->png, r->info, &opacity, &n_opacity, NULL);
    for (int i = 0; i < n_opacity; i++) colours[i][3] = opacity[i];

    size_t channels = alpha && n_opacity > 0 ? 4 : 3;
    int rc = cx_image_init(&r->image, r->raw.width, r->raw.height, (int)channels, r->err);
    if (rc < 0) return rc;
    size_t pixels = (size_t)r->raw.width * (size_t)r->raw.height;
    for (size_t i = 0; i < pixels; i++)
        memcpy(r->image.data + i * channels, colours[r->raw.data[i]], channels);
    return 0;
}

static int clip_gray16(reader *r)
{
    int rc = cx_image_init(&r->image, r->raw.width, r->raw.height, 1, r->err);
    if (rc < 0) return rc;
    size_t pixels = (size_t)r->raw.width * (size_t)r->raw.height;
    for (size_t i = 0; i < pixels; i++)
        r->image.data[i] = r->raw.data[2 * i] ? 255 : r->raw.data[2 * i + 1];
    return 0;
}

/* A gray or RGB picture may name one colour that is transparent. Pillow compares the file's number
 * with the 8-bit pixel, whatever the file's depth is; so do we. */
static int apply_key(reader *r)
{
    png_color_16 *key = NULL;
    cx_image keyed;
    size_t n = (size_t)r->image.channels;
    png_get_tRNS(r->png, r->info, NULL, NULL, &key);
    if (!key) return 0;
    const int wanted[3] = {n == 1 ? key->gray : key->red, key->green, key->blue};
    int rc = cx_image_init(&keyed, r->image.width, r->image.height, 4, r->err);
    if (rc < 0) return rc;
    size_t pixels = (size_t)keyed.width * (size_t)keyed.height;
    for (size_t i = 0; i < pixels; i++) {
        const uint8_t *from = r->image.data + i * n;
        uint8_t *to = keyed.data + i * 4;
        int same = 1;
        for (size_t c = 0; c < 3; c++) to[c] = from[n == 1 ? 0 : c];
        for (size_t c = 0; c < n; c++) same &= from[c] == wanted[c];
        to[3] = same ? 0 : 255;
    }
    cx_image_deinit(&r->image);
    r->image = keyed;
    return 0;
}

/* --- reading --- */

static int read_header(reader *r, size_t size)
{
    png_set_read_fn(r->png, r, on_read);
    png_set_user_limits(r->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* ours say more clearly why */
    /* Of the chunks that can be done without, tRNS is always read, eXIf on demand: as one unknown
     * to libpng, which else asks for as much memory as the chunk claims to hold. */
    png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    if (r->orientation)
        png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_ALWAYS, (const png_byte *)"eXIf", 1);
    png_set_chunk_malloc_max(r->png, size);
    png_read_info(r->png, r->info);
    png_uint_32 height = png_get_image_height(r->png, r->info);
    uint64_t raw = (uint64_t)png_get_rowbytes(r->png, r->info) * height;
    if (raw / DEFLATE_RATIO <= size) return 0;
    return cx_fail(r->err, CVS_E_FORMAT,
                   "PNG: %zu bytes cannot hold %u x %u pixels: the file is "
                   "truncated",
                   size, png_get_image_width(r->png, r->info), height);
}

/* Tell libpng what is wanted, and make room for it. */
static int prepare(reader *r, const cx_wish *wish)
{
    int type = png_get_color_type(r->png, r->info), depth = png_get_bit_depth(r->png, r->info);
    int channels = png_get_channels(r->png, r->info);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_packing(r->png);
    if (type == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(r->png);
    if (type == PNG_COLOR_TYPE_GRAY && depth == 16)
        channels = 2; /* the two bytes */
    else if (depth == 16)
        png_set_strip_16(r->png);
    if (!wish->alpha && (type & PNG_COLOR_MASK_ALPHA)) {
        png_set_strip_alpha(r->png);
        channels--;
    }
    const unsigned width = png_get_image_width(r->png, r->info);
    const unsigned height = png_get_image_height(r->png, r->info);
    int rc = cx_image_check_most(width, height, wish->most, r->err);
    return rc < 0 ? rc : cx_image_init(&r->raw, (int)width, (int)height, channels, r->err);
}

static void read_rows(reader *r)
{
    size_t row = (size_t)r->raw.width * (size_t)r->raw.channels;
    int passes = png_set_interlace_handling(r->png);
    png_start_read_image(r->png);
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < r->raw.height; y++)
            png_read_row(r->png, r->raw.data + (size_t)y * row, NULL);
}

static int find_orientation(reader *r)
{
    png_unknown_chunk *chunks = NULL;
    int n = png_get_unknown_chunks(r->png, r->info, &chunks);
    r->orientation = 1;
    for (int i = 0; i < n; i++)
        if (memcmp(chunks[i].name, "eXIf", 4) == 0)
            return cx_exif_orientation(&r->orientation, chunks[i].data, chunks[i].size, r->err);
    return 0;
}

static int read_all(reader *r, size_t size, const cx_wish *wish)
{
    int rc;
    TRY(read_header(r, size));
    int type = png_get_color_type(r->png, r->info), depth = png_get_bit_depth(r->png, r->info);
    TRY(prepare(r, wish));
    read_rows(r);
    if (r->orientation) {
        png_read_end(r->png, r->info); /* eXIf may come after the pixels */
        TRY(find_orientation(r));
    }
    if (type == PNG_COLOR_TYPE_PALETTE) {
        TRY(expand_palette(r, wish->alpha));
    } else if (type == PNG_COLOR_TYPE_GRAY && depth == 16) {
        TRY(clip_gray16(r));
    } else {
        r->image = r->raw;
        r->raw = (cx_image){0};
    }
    if (wish->alpha && (type == PNG_COLOR_TYPE_GRAY || type == PNG_COLOR_TYPE_RGB))
        TRY(apply_key(r));
out:
    return rc;
}

/* libpng leaves by longjmp; what must survive that lies in *r, in the caller's frame. */
static int guarded(reader *r, size_t size, const cx_wish *wish)
{
    if (setjmp(r->jump)) return r->rc;
    r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, on_error, on_warning);
    if (r->png) r->info = png_create_info_struct(r->png);
    if (!r->info) return cx_no_memory(r->err, size);
    return read_all(r, size, wish);
}

int cx_png_decode(cx_image *out, int *orientation, const uint8_t *bytes, size_t size,
                  const cx_wish *wish, cvs_error *err)
{
    reader r = {.bytes = bytes, .left = size, .err = err, .orientation = orientation != NULL};
    int rc = guarded(&r, size, wish);
    if (r.png) png_destroy_read_struct(&r.png, &r.info, NULL);
    cx_image_deinit(&r.raw);
    if (rc < 0) cx_image_deinit(&r.image);
    *out = r.image;
    if (orientation && rc == 0) *orientation = r.orientation;
    return rc;
}
