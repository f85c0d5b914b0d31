/* t_image_png_read.c - the rows of PNG files: every filter of every number of channels, and what is
 * refused. */
#include "test.h"

#include <libdeflate.h>

#include "base/mem.h"
#include "base/str.h"
#include "image/image.h"

enum { WIDTH = 29, HEIGHT = 23, MOST = 4 * WIDTH, NONE = 0, SUB, UP, AVERAGE, PAETH, MIXED };

/* --- a file --- */

static void add_number(cx_str *s, uint32_t v)
{
    const char bytes[4] = {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};
    cx_str_add_n(s, bytes, 4);
}

static void add_chunk(cx_str *s, const char *name, const void *data, size_t n)
{
    add_number(s, (uint32_t)n);
    const size_t from = s->len;
    cx_str_add_n(s, name, 4);
    if (n > 0) cx_str_add_n(s, data, n);
    add_number(s, libdeflate_crc32(0, s->data + from, s->len - from));
}

static void begin(cx_str *s, int channels)
{
    static const uint8_t types[] = {0, 0, 4, 2, 6};
    const uint8_t header[13] = {0, 0, 0, WIDTH, 0, 0, 0, HEIGHT, 8, types[channels]};
    *s = (cx_str){0};
    cx_str_add_n(s, "\x89PNG\r\n\x1a\n", 8);
    add_chunk(s, "IHDR", header, sizeof header);
}

/* What the specification has a filter guess, in its own words. */
static int guess(int filter, int a, int b, int c)
{
    const int p = a + b - c, pa = abs(p - a), pb = abs(p - b), pc = abs(p - c);
    switch (filter) {
    case SUB:
        return a;
    case UP:
        return b;
    case AVERAGE:
        return (a + b) / 2;
    case PAETH:
        return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
    default:
        return 0;
    }
}

/* A zlib stream of the rows; gives its length. */
static size_t pack(uint8_t *out, size_t room, const uint8_t *pixels, int channels, int filter)
{
    uint8_t rows[HEIGHT * (MOST + 1)], *at = rows;
    const int n = WIDTH * channels;
    for (int y = 0; y < HEIGHT; y++) {
        const uint8_t *row = pixels + y * n, *above = row - n;
        const int f = filter == MIXED ? y % MIXED : filter;
        *at++ = (uint8_t)f;
        for (int i = 0; i < n; i++) {
            const int left = i >= channels ? row[i - channels] : 0, up = y > 0 ? above[i] : 0;
            const int corner = i >= channels && y > 0 ? above[i - channels] : 0;
            *at++ = (uint8_t)(row[i] - guess(f, left, up, corner));
        }
    }
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
    const size_t size = libdeflate_zlib_compress(c, rows, (size_t)(at - rows), out, room);
    libdeflate_free_compressor(c);
    assert_true(size > 0);
    return size;
}

static void noise(uint8_t *out, int n)
{
    uint32_t seed = 7;
    for (int i = 0; i < n; i++) {
        seed = seed * 1664525U + 1013904223U;
        out[i] = (uint8_t)(i % 3 ? out[i / 2] + (seed >> 29) : seed >> 24);
    }
}

static int parse(cx_image *out, const cx_str *s, int exif, cvs_error *err)
{
    assert_false(s->failed);
    return cx_image_parse(out, (const uint8_t *)s->data, s->len, 0, exif, err);
}

/* --- tests --- */

static void every_filter_is_undone(void **state)
{
    uint8_t pixels[HEIGHT * MOST], packed[2 * HEIGHT * MOST];
    (void)state;
    noise(pixels, sizeof pixels);
    for (int channels = 1; channels <= 4; channels++)
        for (int filter = NONE; filter <= MIXED; filter++) {
            cvs_error err;
            cx_image image;
            cx_str s;
            const size_t n = pack(packed, sizeof packed, pixels, channels, filter);
            begin(&s, channels);
            for (size_t at = 0; at < n; at += 100) /* in pieces, as most writers do */
                add_chunk(&s, "IDAT", packed + at, n - at < 100 ? n - at : 100);
            add_chunk(&s, "IEND", NULL, 0);
            OK(parse(&image, &s, filter % 2, &err));
            assert_int_equal(image.channels, channels);
            if (memcmp(image.data, pixels, (size_t)(HEIGHT * WIDTH * channels)) != 0)
                fail_msg("%d channels, filter %d", channels, filter);
            cx_image_deinit(&image);
            cx_str_deinit(&s);
        }
}

/* The last word on what is damaged is libpng's, whoever has unpacked the rows. */
static void damaged_rows_are_refused(void **state)
{
    uint8_t pixels[HEIGHT * MOST], packed[2 * HEIGHT * MOST];
    cvs_error err;
    cx_image image;
    cx_str s;
    (void)state;
    noise(pixels, sizeof pixels);
    const size_t n = pack(packed, sizeof packed, pixels, 3, PAETH);

    begin(&s, 3); /* the stream goes on behind another chunk */
    add_chunk(&s, "IDAT", packed, n / 2);
    add_chunk(&s, "vpAg", "123456789", 9);
    add_chunk(&s, "IDAT", packed + n / 2, n - n / 2);
    add_chunk(&s, "IEND", NULL, 0);
    FAILS(parse(&image, &s, 0, &err), CVS_E_FORMAT, "PNG: ");
    FAILS(parse(&image, &s, 1, &err), CVS_E_FORMAT, "PNG: ");
    cx_str_deinit(&s);

    begin(&s, 3); /* its sum is another one */
    packed[n - 1] ^= 1;
    add_chunk(&s, "IDAT", packed, n);
    add_chunk(&s, "IEND", NULL, 0);
    FAILS(parse(&image, &s, 1, &err), CVS_E_FORMAT, "PNG: ");
    packed[n - 1] ^= 1;
    cx_str_deinit(&s);

    begin(&s, 3); /* a filter that there is not */
    add_chunk(&s, "IDAT", packed, pack(packed, sizeof packed, pixels, 3, MIXED + 1));
    add_chunk(&s, "IEND", NULL, 0);
    FAILS(parse(&image, &s, 0, &err), CVS_E_FORMAT, "PNG: ");
    cx_str_deinit(&s);

    begin(&s, 4); /* fewer rows than it says */
    add_chunk(&s, "IDAT", packed, pack(packed, sizeof packed, pixels, 3, SUB));
    add_chunk(&s, "IEND", NULL, 0);
    FAILS(parse(&image, &s, 0, &err), CVS_E_FORMAT, "PNG: ");
    cx_str_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_filter_is_undone),
        cmocka_unit_test(damaged_rows_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
