/* png_write.c - pictures to PNG: libpng writes the container, the rows are packed by png_pack.c
 * where a pixel is one byte, else by libdeflate. */
#include "image/codec.h"

#include <libdeflate.h>
#include <png.h>
#include <setjmp.h>
#include <string.h>

#include "base/mem.h"

enum {
    LEVEL = 1,          /* of libdeflate: the next one costs time and saves little */
    OVERHEAD = 4096,    /* room for all chunks but IDAT and long texts */
    IDAT_MAX = 1 << 30, /* a chunk's length has 31 bits */
};

/* --- rows --- */

/* The filters of the PNG specification that are used here. */
enum { FILTER_NONE, FILTER_SUB, FILTER_UP };

/* How well bytes will pack: the sum of their sizes as signed numbers, the specification's advice.
 */
static uint64_t roughness(const uint8_t *row, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += row[i] < 128 ? row[i] : 256U - row[i];
    return sum;
}

/* out = row less what is to the left (Sub) or above (Up); above the first row is 0. */
static void filter_row(uint8_t *out, const uint8_t *row, size_t n, size_t back,
                       const uint8_t *above)
{
    if (above) {
        for (size_t i = 0; i < n; i++) out[i] = (uint8_t)(row[i] - above[i]);
        return;
    }
    memcpy(out, row, back);
    for (size_t i = back; i < n; i++) out[i] = (uint8_t)(row[i] - row[i - back]);
}

/* Write every row with its filter byte before it. The palettes that are written here are colour
 * maps, whose neighbours are neighbours in colour: differences take a tenth less room than indices,
 * and no more time; to look for the best filter of each row would take longer than to pack it. */
static void filter_rows(uint8_t *out, const cx_png *png, uint8_t *spare)
{
    size_t n = (size_t)png->width * (size_t)png->channels;
    for (int y = 0; y < png->height; y++, out += n + 1) {
        const uint8_t *row = png->data + (size_t)y * n;
        if (png->palette) {
            out[0] = FILTER_SUB;
            filter_row(out + 1, row, n, 1, NULL);
            continue;
        }
        out[0] = FILTER_NONE;
        memcpy(out + 1, row, n);

        uint64_t best = roughness(row, n);
        for (int f = FILTER_SUB; f <= FILTER_UP; f++) {
            if (f == FILTER_UP && y == 0) break;
            filter_row(spare, row, n, (size_t)png->channels, f == FILTER_UP ? row - n : NULL);
            uint64_t r = roughness(spare, n);
            if (r >= best) continue;
            best = r;
            out[0] = (uint8_t)f;
            memcpy(out + 1, spare, n);
        }
    }
}

void cx_png_scratch_deinit(cx_png_scratch *scratch)
{
    if (scratch->deflate) libdeflate_free_compressor(scratch->deflate);
    cx_block_deinit(&scratch->rows);
    scratch->deflate = NULL;
}

/* Whether a sheet of channels can be expected. In pictures of three colours libdeflate finds much
 * more than what png_pack.c looks for. */
static int is_sheet(const cx_png *png)
{
    return png->channels == 1;
}

/* Bytes that raw ones may need when they are packed; 0: no memory. */
static size_t packed_bound(cx_png_scratch *scratch, const cx_png *png, size_t raw)
{
    if (is_sheet(png)) return cx_png_pack_bound(raw);
    if (!scratch->deflate) scratch->deflate = libdeflate_alloc_compressor(LEVEL);
    return scratch->deflate ? libdeflate_zlib_compress_bound(scratch->deflate, raw) : 0;
}

/* Filter and pack: *packed and *size become a zlib stream, which lies in the scratch memory. */
static int pack(const uint8_t **packed, size_t *size, cx_png_scratch *scratch, const cx_png *png,
                cvs_error *err)
{
    const size_t row = (size_t)png->width * (size_t)png->channels;
    const size_t raw = (row + 1) * (size_t)png->height;
    const size_t n_tokens = raw < CX_PNG_TOKENS ? raw : CX_PNG_TOKENS;
    const size_t before = n_tokens * sizeof(uint32_t) + raw + row;
    const size_t bound = packed_bound(scratch, png, raw);
    int rc = 0;
    if (bound == 0) return cx_no_memory(err, raw);
    if (scratch->rows.size < before + bound) {
        cx_block_deinit(&scratch->rows);
        TRY(cx_block_init(&scratch->rows, before + bound, err));
    }
    uint32_t *tokens = scratch->rows.data;
    uint8_t *rows = (uint8_t *)(tokens + n_tokens), *out = rows + raw + row;
    filter_rows(rows, png, rows + raw);
    *packed = out;
    *size = is_sheet(png) ? cx_png_pack(out, tokens, rows, raw, 1, row + 1)
                          : libdeflate_zlib_compress(scratch->deflate, rows, raw, out, bound);
    if (*size == 0) rc = cx_fail(err, CVS_E_ARG, "cannot pack a picture of %zu bytes", raw);
out:
    return rc;
}

/* --- container --- */

typedef struct writer {
    png_struct *png;
    png_info *info;
    jmp_buf jump;
    cx_bytes out;
    size_t cap;
    int rc;
    cvs_error *err;
} writer;

static void on_error(png_struct *png, const char *message)
{
    writer *w = png_get_error_ptr(png);
    if (w->rc == 0) w->rc = cx_fail(w->err, CVS_E_ARG, "cannot write a PNG: %s", message);
    longjmp(w->jump, 1);
}

static void on_warning(png_struct *png, const char *message)
{
    (void)png, (void)message;
}

static void on_write(png_struct *png, png_byte *bytes, size_t n)
{
    writer *w = png_get_io_ptr(png);
    if (n > w->cap - w->out.size) {
        size_t cap = w->out.size + n + OVERHEAD;
        uint8_t *grown = cx_realloc_array(w->out.data, cap, 1);
        if (!grown) {
            w->rc = cx_no_memory(w->err, cap);
            png_error(png, "out of memory");
        }
        w->out.data = grown;
        w->cap = cap;
    }
    memcpy(w->out.data + w->out.size, bytes, n);
    w->out.size += n;
}

static void on_flush(png_struct *png)
{
    (void)png;
}

/* tEXt is Latin-1: what is not ASCII goes into iTXt, which is UTF-8. */
static int is_ascii(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s >= 0x80) return 0;
    return 1;
}

static void add_texts(writer *w, const char *const *text)
{
    for (; text && text[0] && text[1]; text += 2) {
        char key[80], *value = cx_strdup(text[1]); /* libpng's struct is not const; it copies */
        if (!value) {
            w->rc = cx_no_memory(w->err, strlen(text[1]));
            png_error(w->png, "out of memory");
        }
        size_t n = strlen(text[0]);
        if (n >= sizeof key) n = sizeof key - 1;
        memcpy(key, text[0], n);
        key[n] = 0;
        png_text t = {.key = key, .text = value, .text_length = strlen(value)};
        t.compression = is_ascii(value) ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
        png_set_text(w->png, w->info, &t, 1);
        cx_free(value);
    }
}

static void write_chunks(writer *w, const cx_png *png, const uint8_t *packed, size_t size)
{
    static const int types[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
    png_color colours[256];
    png_set_write_fn(w->png, w, on_write, on_flush);
    png_set_IHDR(w->png, w->info, (png_uint_32)png->width, (png_uint_32)png->height, 8,
                 png->palette ? PNG_COLOR_TYPE_PALETTE : types[png->channels], PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (png->palette) {
        for (int i = 0; i < png->n_colours; i++) {
            const uint8_t *c = png->palette + (size_t)i * 3;
            colours[i] = (png_color){c[0], c[1], c[2]};
        }
        png_set_PLTE(w->png, w->info, colours, png->n_colours);
    }
    add_texts(w, png->text);
    png_write_info(w->png, w->info);
    for (size_t at = 0, n; at < size; at += n) {
        n = size - at < IDAT_MAX ? size - at : IDAT_MAX;
        png_write_chunk(w->png, (const png_byte *)"IDAT", packed + at, n);
    }
    png_write_chunk(w->png, (const png_byte *)"IEND", NULL, 0);
}

/* libpng leaves by longjmp; everything that must survive that lies in *w, in the caller's frame. */
static int write_container(writer *w, const cx_png *png, const uint8_t *packed, size_t size)
{
    if (setjmp(w->jump)) return w->rc;
    w->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, w, on_error, on_warning);
    if (w->png) w->info = png_create_info_struct(w->png);
    if (!w->info) return w->rc = cx_no_memory(w->err, sizeof *w);
    write_chunks(w, png, packed, size);
    return 0;
}

static int check(const cx_png *png, cvs_error *err)
{
    if (png->channels < 1 || png->channels > 4)
        return cx_fail(err, CVS_E_ARG, "%d channels: a picture has 1 to 4", png->channels);
    if (png->palette && (png->channels != 1 || png->n_colours < 1 || png->n_colours > 256))
        return cx_fail(err, CVS_E_ARG, "a palette of %d colours for %d channels cannot be written",
                       png->n_colours, png->channels);
    return cx_image_check_size(png->width, png->height, err);
}

int cx_png_encode(cx_bytes *out, const cx_png *png, cvs_error *err)
{
    cx_png_scratch own = {0};
    const uint8_t *packed = NULL;
    size_t size = 0;
    writer w = {.err = err};
    int rc;

    *out = (cx_bytes){0};
    TRY(check(png, err));
    TRY(pack(&packed, &size, png->scratch ? png->scratch : &own, png, err));
    w.cap = size + OVERHEAD;
    w.out.data = cx_alloc(w.cap);
    if (!w.out.data) {
        rc = cx_no_memory(err, w.cap);
        goto out;
    }
    TRY(write_container(&w, png, packed, size));
    *out = w.out;
    w.out = (cx_bytes){0};
out:
    if (w.png) png_destroy_write_struct(&w.png, &w.info);
    cx_bytes_deinit(&w.out);
    cx_png_scratch_deinit(&own);
    return rc;
}
