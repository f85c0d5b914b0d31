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
    int whole;       /* 1: libpng hands the packed rows over as they are, for png_rows.c */
    uint8_t *packed; /* these, with room for as many bytes as the file has */
    size_t n_packed, room;
    int is_over; /* other chunks have come behind them */
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

/* A chunk that libpng is not to look into, a piece of the packed rows or other. */
static int on_chunk(png_struct *png, png_unknown_chunk *chunk)
{
    reader *r = png_get_user_chunk_ptr(png);
    if (memcmp(chunk->name, "IDAT", 4) != 0) {
        r->is_over = r->n_packed > 0;
        return 0;
    }
    if (r->is_over || chunk->size > r->room - r->n_packed) return -1;
    if (chunk->size > 0) memcpy(r->packed + r->n_packed, chunk->data, chunk->size);
    r->n_packed += chunk->size;
    return 1;
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
    if (r->whole) {
        png_set_benign_errors(r->png, 1); /* that these rows are read by nobody is one */
        png_set_read_user_chunk_fn(r->png, r, on_chunk);
        png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_ALWAYS, (const png_byte *)"IDAT", 1);
    }
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
    if (rc < 0) return rc;
    if (!r->whole) return cx_image_init(&r->raw, (int)width, (int)height, channels, r->err);
    r->raw = (cx_image){.width = (int)width, .height = (int)height, .channels = channels};
    return cx_image_check_size((int)width, (int)height, r->err);
}

/* Rows that are what is wanted of them: of a byte a channel, from top to bottom. */
static int is_plain(const reader *r, const cx_wish *wish)
{
    return png_get_bit_depth(r->png, r->info) == 8 &&
           png_get_interlace_type(r->png, r->info) == PNG_INTERLACE_NONE &&
           (wish->alpha || !(png_get_color_type(r->png, r->info) & PNG_COLOR_MASK_ALPHA));
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

/* What is read becomes what is wanted. */
static int finish(reader *r, const cx_wish *wish)
{
    int type = png_get_color_type(r->png, r->info), depth = png_get_bit_depth(r->png, r->info);
    int rc = 0;
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

/* By libpng, row after row. */
static int read_all(reader *r, size_t size, const cx_wish *wish)
{
    int rc;
    TRY(read_header(r, size));
    TRY(prepare(r, wish));
    read_rows(r);
    if (r->orientation) {
        png_read_end(r->png, r->info); /* eXIf may come after the pixels */
        TRY(find_orientation(r));
    }
    rc = finish(r, wish);
out:
    return rc;
}

/* By libpng all but the rows, where these are plain: 1, or 0 where nothing was done. */
static int read_whole(reader *r, size_t size, const cx_wish *wish)
{
    int rc, unpacked = 0;
    r->packed = cx_alloc(size);
    if (!r->packed) TRY(cx_no_memory(r->err, size));
    r->room = size;
    TRY(read_header(r, size));
    if (!is_plain(r, wish)) return 0;
    TRY(prepare(r, wish));
    png_read_end(r->png, r->info);
    TRY(cx_png_unpack(&r->raw, r->packed, r->n_packed, r->err));
    if ((unpacked = rc) == 0) goto out;
    if (r->orientation) TRY(find_orientation(r));
    rc = finish(r, wish);
out:
    return rc < 0 ? rc : unpacked;
}

/* libpng leaves by longjmp; what must survive that lies in *r, in the caller's frame. */
static int guarded(reader *r, size_t size, const cx_wish *wish)
{
    if (setjmp(r->jump)) return r->rc;
    r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, on_error, on_warning);
    if (r->png) r->info = png_create_info_struct(r->png);
    if (!r->info) return cx_no_memory(r->err, size);
    return r->whole ? read_whole(r, size, wish) : read_all(r, size, wish);
}

static int attempt(reader *r, size_t size, const cx_wish *wish)
{
    int rc = guarded(r, size, wish);
    if (r->png) png_destroy_read_struct(&r->png, &r->info, NULL);
    cx_image_deinit(&r->raw);
    cx_free(r->packed);
    if (rc < 0) cx_image_deinit(&r->image);
    return rc;
}

/* Most files are read the fast way. With any other, damaged ones too, libpng has the last word. */
int cx_png_decode(cx_image *out, int *orientation, const uint8_t *bytes, size_t size,
                  const cx_wish *wish, cvs_error *err)
{
    const reader fresh = {
        .bytes = bytes, .left = size, .err = err, .orientation = orientation != NULL};
    reader r = fresh;
    r.whole = 1;
    int rc = attempt(&r, size, wish);
    if (rc < 1) {
        r = fresh;
        rc = attempt(&r, size, wish);
    }
    *out = r.image;
    if (rc < 0) return rc;
    if (orientation) *orientation = r.orientation;
    return 0;
}
