/* t_image_read.c - picture files: what Pillow sees in them, what is refused, and that no damage to
 * them does damage here. */
#include "test.h"

#include <libdeflate.h>
#include <unistd.h>

#include "base/mem.h"
#include "image/image.h"

/* CRC-32 of the pixels that Pillow 9.4 gives for these files as L, RGB and RGBA, and as RGB after
 * ImageOps.exif_transpose; printed by tests/data/images/make.py. */
static const struct golden {
    const char *name;
    uint32_t gray, rgb, rgba, upright;
} goldens[] = {
    {"baseline.jpg", 0xBA2EE95D, 0x41803E25, 0xDB3B49A4, 0x41803E25},
    {"progressive.jpg", 0x8BDBE189, 0xD8955D3E, 0xE0391AE5, 0x5018C182},
    {"gray.jpg", 0xD58B9DBC, 0xF95AE826, 0x37250F86, 0xF95AE826},
    {"cmyk.jpg", 0x59C129EB, 0x5D7325B7, 0xB51BF280, 0x5D7325B7},
    {"lossy.webp", 0xBEA3C328, 0x336FA347, 0x4278E965, 0xE2E0C55F},
    {"lossless.webp", 0x2C70E21A, 0x57991784, 0x4738F570, 0x57991784},
    {"animated.webp", 0x65446152, 0xC75DE9EB, 0x0C65695F, 0xC75DE9EB},
    {"turned.png", 0x2C70E21A, 0x57991784, 0x8DDA5F31, 0x5DECFE29},
    {"gray1.png", 0xC4CFAD67, 0x6AB18DFB, 0xDED5A667, 0x6AB18DFB},
    {"gray2_key.png", 0xEF3FF7AA, 0x9B8CDC75, 0x0DB65615, 0x9B8CDC75},
    {"gray16.png", 0x9A06BA44, 0x0C672E1F, 0x40A43E0C, 0x0C672E1F},
    {"gray_alpha16.png", 0x267B5924, 0x4114E719, 0xCCFCA6AB, 0x4114E719},
    {"rgb_key.png", 0x2C70E21A, 0x57991784, 0x46014FA7, 0x57991784},
    {"rgba16.png", 0x2C70E21A, 0x57991784, 0x4738F570, 0x57991784},
    {"palette4.png", 0xCEE83FD5, 0xE67D8425, 0xBFF56BAC, 0xE67D8425},
};
enum { N_GOLDENS = sizeof goldens / sizeof goldens[0] };

static const char *data_path(char buf[512], const char *name)
{
    const char *dir = getenv("CONVSCOPE_TEST_DATA");
    if (!dir) {
        printf("# CONVSCOPE_TEST_DATA is not set\n");
        skip();
    }
    snprintf(buf, 512, "%s/images/%s", dir, name);
    return buf;
}

static void load(cx_bytes *out, const char *name)
{
    cvs_error err;
    char path[512];
    OK(cx_file_read(out, data_path(path, name), 1 << 20, &err));
}

static uint32_t sum_of(const char *path, int channels, int exif, int sideways)
{
    cvs_error err;
    cx_image image;
    OK(cx_image_read(&image, path, channels, exif, &err));
    assert_int_equal(image.width, sideways ? 17 : 23);
    assert_int_equal(image.height, sideways ? 23 : 17);
    assert_int_equal(image.channels, channels);
    uint32_t sum = libdeflate_crc32(0, image.data, (size_t)(23 * 17 * channels));
    cx_image_deinit(&image);
    return sum;
}

static void pixels_are_pillows(void **state)
{
    (void)state;
    char path[512];
    for (int i = 0; i < N_GOLDENS; i++) {
        const struct golden *g = &goldens[i];
        data_path(path, g->name);
        uint32_t rgb = sum_of(path, 3, 0, 0);
        if (rgb != g->rgb) fail_msg("%s: RGB has sum %08X", g->name, rgb);
        uint32_t gray = sum_of(path, 1, 0, 0);
        if (gray != g->gray) fail_msg("%s: L has sum %08X", g->name, gray);
        uint32_t rgba = sum_of(path, 4, 0, 0);
        if (rgba != g->rgba) fail_msg("%s: RGBA has sum %08X", g->name, rgba);
    }
}

static void exif_turns_when_asked(void **state)
{
    (void)state;
    char path[512];
    for (int i = 0; i < N_GOLDENS; i++) {
        const struct golden *g = &goldens[i];
        data_path(path, g->name);
        uint32_t sum = sum_of(path, 3, 1, g->upright != g->rgb);
        if (sum != g->upright) fail_msg("%s: upright has sum %08X", g->name, sum);
    }
}

/* progressive.jpg has the orientation once, as a big-endian 16-bit number. */
static void all_eight_orientations_turn(void **state)
{
    (void)state;
    /* To which corner of the result the file's top left and top right go, as
     * ImageOps.exif_transpose of Pillow 9.4 does it: 0 top left, 1 top right, 2 bottom left, 3
     * bottom right. */
    static const int first_corner[9] = {0, 0, 1, 3, 2, 0, 1, 3, 2};
    static const int second_corner[9] = {0, 1, 0, 2, 3, 2, 3, 1, 0};
    cvs_error err;
    cx_bytes file;
    cx_image plain, turned;
    load(&file, "progressive.jpg");
    OK(cx_image_parse(&plain, file.data, file.size, 3, 0, &err));
    size_t at = 0;
    for (size_t i = 0; i + 4 < 100; i++)
        if (memcmp(file.data + i, "\x01\x12", 2) == 0) at = i + 9; /* tag, type, count, value */
    assert_int_equal(file.data[at], 6);
    for (int o = 1; o <= 8; o++) {
        file.data[at] = (uint8_t)o;
        OK(cx_image_parse(&turned, file.data, file.size, 3, 1, &err));
        int w = turned.width, h = turned.height;
        assert_int_equal(w, o >= 5 ? 17 : 23);
        const int corners[4] = {0, w - 1, (h - 1) * w, h * w - 1};
        assert_memory_equal(turned.data + corners[first_corner[o]] * 3, plain.data, 3);
        assert_memory_equal(turned.data + corners[second_corner[o]] * 3, plain.data + 22 * 3, 3);
        cx_image_deinit(&turned);
    }
    file.data[at] = 9; /* no such orientation: as if none were given */
    OK(cx_image_parse(&turned, file.data, file.size, 3, 1, &err));
    assert_int_equal(turned.width, 23);
    cx_image_deinit(&turned);
    cx_image_deinit(&plain);
    cx_bytes_deinit(&file);
}

/* Parse a copy that ends where the memory does, so that a sanitizer sees a byte too far. */
static int parse_copy(const uint8_t *bytes, size_t n, cvs_error *err)
{
    cx_image image;
    uint8_t *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    if (n > 0) memcpy(copy, bytes, n);
    int rc = cx_image_parse(&image, copy, n, 4, 1, err);
    if (rc < 0) assert_null(image.data);
    cx_image_deinit(&image);
    free(copy);
    return rc;
}

static void truncated_files_are_refused_at_every_length(void **state)
{
    (void)state;
    for (int i = 0; i < N_GOLDENS; i++) {
        cvs_error err;
        cx_bytes file;
        load(&file, goldens[i].name);
        for (size_t n = 0; n < file.size; n++) {
            int rc = parse_copy(file.data, n, &err);
            if (rc != CVS_E_FORMAT || !err.what[0])
                fail_msg("%s of %zu bytes: %d", goldens[i].name, n, rc);
            if (n > 100 && !strstr(err.what, "truncated"))
                fail_msg("%s of %zu bytes: %s", goldens[i].name, n, err.what);
        }
        cx_bytes_deinit(&file);
    }
}

/* Nobody looks past the last pixel when the orientation is not asked for, nor does Pillow. */
static void trailing_bytes_do_not_matter(void **state)
{
    (void)state;
    for (int i = 0; i < N_GOLDENS; i++) {
        cvs_error err;
        cx_bytes file;
        load(&file, goldens[i].name);
        uint8_t *longer = calloc(file.size + 1000, 1);
        assert_non_null(longer);
        memcpy(longer, file.data, file.size);
        OK(parse_copy(longer, file.size + 1000, &err));
        free(longer);
        cx_bytes_deinit(&file);
    }
    cvs_error err;
    cx_bytes file;
    cx_image image;
    load(&file, "turned.png");
    OK(cx_image_parse(&image, file.data, file.size - 12, 3, 0, &err)); /* without IEND */
    cx_image_deinit(&image);
    cx_bytes_deinit(&file);
}

static void damaged_files_do_no_damage(void **state)
{
    (void)state;
    for (int i = 0; i < N_GOLDENS; i++) {
        cvs_error err;
        cx_bytes file;
        load(&file, goldens[i].name);
        for (size_t n = 0; n < file.size; n++)
            for (int bit = 0; bit < 8; bit += 7) {
                file.data[n] ^= (uint8_t)(1 << bit);
                int rc = parse_copy(file.data, file.size, &err);
                if (rc < 0 && !err.what[0]) fail_msg("%s, byte %zu: no word", goldens[i].name, n);
                file.data[n] ^= (uint8_t)(1 << bit);
            }
        cx_bytes_deinit(&file);
    }
}

static void other_files_are_named(void **state)
{
    (void)state;
    cvs_error err;
    cx_image image;
#define PARSE(text) cx_image_parse(&image, (const uint8_t *)(text), sizeof(text) - 1, 3, 0, &err)
    FAILS(PARSE(""), CVS_E_FORMAT, "empty");
    FAILS(PARSE("hello, world"), CVS_E_FORMAT, "not a JPEG, PNG or WebP picture");
    assert_string_equal(err.hint, "");
    FAILS(PARSE("GIF89a\1\0\1\0"), CVS_E_FORMAT, "GIF");
    FAILS(PARSE("BM123456"), CVS_E_FORMAT, "BMP");
    FAILS(PARSE("II*\0\0\0"), CVS_E_FORMAT, "TIFF");
    FAILS(PARSE("MM\0*\0\0"), CVS_E_FORMAT, "TIFF");
    FAILS(PARSE("\0\0\0\x1c"
                "ftypavif"),
          CVS_E_FORMAT, "AVIF");
#undef PARSE
    FAILS(cx_image_read(&image, "/nonexistent.jpg", 3, 0, &err), CVS_E_IO, "/nonexistent.jpg");
    FAILS(cx_image_parse(&image, NULL, 0, 2, 0, &err), CVS_E_ARG, "1, 3 or 4");
    assert_true(cx_image_is_known((const uint8_t *)"\xFF\xD8\xFF\xE0", 4));
    assert_true(cx_image_is_known((const uint8_t *)"RIFF\0\0\0\0WEBPVP8 ", 16));
    assert_false(cx_image_is_known((const uint8_t *)"RIFF\0\0\0\0WAVEfmt ", 16));
    assert_false(cx_image_is_known((const uint8_t *)"\x89PNG\r\n", 6));
    assert_false(cx_image_is_known((const uint8_t *)"GIF89a", 6));
}

static void error_names_the_file(void **state)
{
    (void)state;
    cvs_error err;
    cx_image image;
    char path[] = "/tmp/convscope-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, "GIF89a", 6) == 6);
    FAILS(cx_image_read(&image, path, 3, 0, &err), CVS_E_FORMAT, "not a JPEG");
    assert_string_equal(err.where, path);
    close(fd);
    unlink(path);
}

/* The sizes in a header are those of an attacker. */
static void a_lower_limit_counts_pixels(void **state)
{
    static const char *const names[] = {"baseline.jpg", "gray16.png", "lossy.webp"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cvs_error err;
        cx_image image;
        cx_bytes file;
        load(&file, names[i]);
        OK(cx_image_parse(&image, file.data, file.size, 0, 0, &err));
        const int64_t n = (int64_t)image.width * image.height;
        cx_image_deinit(&image);
        OK(cx_image_parse_most(&image, file.data, file.size, 0, 0, n, &err));
        cx_image_deinit(&image);
        FAILS(cx_image_parse_most(&image, file.data, file.size, 0, 0, n - 1, &err), CVS_E_NOMEM,
              "over the limit");
        assert_null(image.data);
        cx_bytes_deinit(&file);
    }
}

static void promised_sizes_allocate_nothing(void **state)
{
    (void)state;
    cvs_error err;
    cx_image image;
    cx_bytes file;
    load(&file, "baseline.jpg");
    size_t sof = 0;
    for (size_t i = 0; i + 1 < file.size && !sof; i++)
        if (file.data[i] == 0xFF && file.data[i + 1] == 0xC0) sof = i;
    memcpy(file.data + sof + 5, "\x40\x00\x40\x00", 4); /* 16384 x 16384 */
    FAILS(cx_image_parse(&image, file.data, file.size, 3, 0, &err), CVS_E_FORMAT, "cannot hold");
    file.data[sof + 1] = 0xC9; /* packed by arithmetic coding */
    FAILS(cx_image_parse(&image, file.data, file.size, 3, 0, &err), CVS_E_FORMAT, "not believed");
    file.data[sof + 1] = 0xC0;
    memcpy(file.data + sof + 5, "\x00\x01\x76\x00", 4); /* 30208 wide */
    FAILS(cx_image_parse(&image, file.data, file.size, 3, 0, &err), CVS_E_NOMEM, "30208 x 1");
    cx_bytes_deinit(&file);

    load(&file, "lossless.webp");
    memcpy(file.data + 21, "\xff\xff\xff\x0f", 4); /* 16384 x 16384 */
    FAILS(cx_image_parse(&image, file.data, file.size, 3, 0, &err), CVS_E_FORMAT, "not believed");
    cx_bytes_deinit(&file);

    static const uint8_t png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x40\0\0\0\x20\0\x08\x02\0\0\0"
                                 "\xAD\x1C\xCB\x36\0\0\0\0IDAT\x35\xAF\x06\x1E";
    FAILS(cx_image_parse(&image, png, sizeof png - 1, 3, 0, &err), CVS_E_FORMAT, "cannot hold");
    static const uint8_t wide[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x79\x18\0\0\0\x01\x08\0\0\0\0"
                                  "\x64\xAA\x5D\x01\0\0\0\0IDAT\x35\xAF\x06\x1E";
    FAILS(cx_image_parse(&image, wide, sizeof wide - 1, 3, 0, &err), CVS_E_NOMEM, "31000 x 1");
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    for (int i = 0; i < N_GOLDENS; i++) {
        cvs_error err;
        cx_bytes file;
        cx_image image;
        load(&file, goldens[i].name);
        int n = 1;
        for (;; n++) {
            cx_alloc_fail_from(n);
            int rc = cx_image_parse(&image, file.data, file.size, 1, 1, &err);
            cx_alloc_fail_from(0);
            if (rc == 0) break;
            assert_int_equal(rc, CVS_E_NOMEM);
            assert_null(image.data);
        }
        assert_true(n >= 2);
        cx_image_deinit(&image);
        cx_bytes_deinit(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_are_pillows),
        cmocka_unit_test(exif_turns_when_asked),
        cmocka_unit_test(all_eight_orientations_turn),
        cmocka_unit_test(truncated_files_are_refused_at_every_length),
        cmocka_unit_test(trailing_bytes_do_not_matter),
        cmocka_unit_test(damaged_files_do_no_damage),
        cmocka_unit_test(other_files_are_named),
        cmocka_unit_test(error_names_the_file),
        cmocka_unit_test(a_lower_limit_counts_pixels),
        cmocka_unit_test(promised_sizes_allocate_nothing),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return RUN(tests);
}
