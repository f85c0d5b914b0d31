/* t_image_png_write.c - PNG files that are written: right for another reader, the same every time.
 */
#include "test.h"

#include <png.h>

#include "base/mem.h"
#include "image/image.h"

/* Pixels that no filter makes trivial, by a formula. */
static uint8_t value_at(int i)
{
    return (uint8_t)((i * 7 + (i >> 3) * 13) & 255);
}

/* Read with libpng's simplified reader, which shares no code with the writer; compare. */
static void reads_back(const cx_png *png, png_uint_32 format, int channels)
{
    cvs_error err;
    cx_bytes file;
    png_image image = {.version = PNG_IMAGE_VERSION};
    OK(cx_png_encode(&file, png, &err));
    assert_true(png_image_begin_read_from_memory(&image, file.data, file.size));
    assert_int_equal(image.width, png->width);
    assert_int_equal(image.height, png->height);
    image.format = format;
    uint8_t *back = malloc(PNG_IMAGE_SIZE(image));
    assert_non_null(back);
    assert_true(png_image_finish_read(&image, NULL, back, 0, NULL));
    for (int i = 0; i < png->width * png->height; i++)
        for (int c = 0; c < channels; c++) {
            int want =
                png->palette ? png->palette[png->data[i] * 3 + c] : png->data[i * channels + c];
            if (back[i * channels + c] != want)
                fail_msg("pixel %d, channel %d: %d, not %d", i, c, back[i * channels + c], want);
        }
    free(back);
    cx_bytes_deinit(&file);
}

static void every_kind_reads_back(void **state)
{
    (void)state;
    static const png_uint_32 formats[] = {0, PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB,
                                          PNG_FORMAT_RGBA};
    static const int sizes[][2] = {{1, 1}, {1, 9}, {9, 1}, {37, 23}};
    uint8_t data[37 * 23 * 4];
    for (int i = 0; i < (int)sizeof data; i++) data[i] = value_at(i);
    for (size_t s = 0; s < 4; s++)
        for (int c = 1; c <= 4; c++)
            reads_back(
                &(cx_png){.width = sizes[s][0], .height = sizes[s][1], .channels = c, .data = data},
                formats[c], c);
}

static void palettes_read_back(void **state)
{
    (void)state;
    uint8_t palette[256 * 3], data[37 * 23];
    for (int i = 0; i < 256; i++) {
        palette[i * 3] = (uint8_t)i;
        palette[i * 3 + 1] = (uint8_t)(255 - i);
        palette[i * 3 + 2] = value_at(i);
    }
    static const int counts[] = {1, 12, 256};
    for (size_t k = 0; k < 3; k++) {
        for (int i = 0; i < 37 * 23; i++) data[i] = (uint8_t)(value_at(i) % counts[k]);
        reads_back(&(cx_png){.width = 37,
                             .height = 23,
                             .channels = 1,
                             .data = data,
                             .palette = palette,
                             .n_colours = counts[k]},
                   PNG_FORMAT_RGB, 3);
    }
}

static int contains(const cx_bytes *file, const char *text, size_t n)
{
    for (size_t i = 0; i + n <= file->size; i++)
        if (memcmp(file->data + i, text, n) == 0) return 1;
    return 0;
}

static void texts_are_latin_or_utf8(void **state)
{
    (void)state;
    cvs_error err;
    cx_bytes file;
    const char *text[] = {"Software", "convscope", "Title", "K\xc3\xa4tzchen", NULL};
    cx_png png = {
        .width = 1, .height = 1, .channels = 1, .data = (const uint8_t *)"x", .text = text};
    OK(cx_png_encode(&file, &png, &err));
    assert_true(contains(&file, "tEXtSoftware\0convscope", 22));
    assert_true(contains(&file, "iTXtTitle\0\0\0", 12));
    assert_true(contains(&file, "K\xc3\xa4tzchen", 9));
    assert_false(contains(&file, "tIME", 4));
    cx_bytes_deinit(&file);
}

static void same_bytes_every_time(void **state)
{
    (void)state;
    cvs_error err;
    cx_bytes a, b;
    uint8_t data[64 * 64 * 3];
    for (int i = 0; i < (int)sizeof data; i++) data[i] = value_at(i);
    cx_png png = {.width = 64, .height = 64, .channels = 3, .data = data};
    OK(cx_png_encode(&a, &png, &err));
    OK(cx_png_encode(&b, &png, &err));
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    cx_bytes_deinit(&a);
    cx_bytes_deinit(&b);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    cvs_error err;
    cx_bytes file;
    const uint8_t data[3] = {0};
    cx_png png = {.width = 0, .height = 1, .channels = 1, .data = data};
    FAILS(cx_png_encode(&file, &png, &err), CVS_E_FORMAT, "0 x 1 has no pixels");
    png = (cx_png){.width = 1, .height = 30001, .channels = 1, .data = data};
    FAILS(cx_png_encode(&file, &png, &err), CVS_E_NOMEM, "over the limits");
    png = (cx_png){.width = 1, .height = 1, .channels = 1, .data = data, .palette = data};
    FAILS(cx_png_encode(&file, &png, &err), CVS_E_ARG, "palette of 0");
    const char *text[] = {"", "a key must not be empty", NULL};
    png = (cx_png){.width = 1, .height = 1, .channels = 1, .data = data, .text = text};
    FAILS(cx_png_encode(&file, &png, &err), CVS_E_ARG, "cannot write a PNG");
    assert_null(file.data);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    cvs_error err;
    cx_bytes file;
    const char *text[] = {"a", "b", NULL};
    cx_png png = {
        .width = 1, .height = 1, .channels = 1, .data = (const uint8_t *)"x", .text = text};
    int n = 1;
    for (;; n++) {
        cx_alloc_fail_from(n);
        int rc = cx_png_encode(&file, &png, &err);
        cx_alloc_fail_from(0);
        if (rc == 0) break;
        assert_int_equal(rc, CVS_E_NOMEM);
        assert_null(file.data);
    }
    assert_true(n > 3);
    cx_bytes_deinit(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_reads_back),   cmocka_unit_test(palettes_read_back),
        cmocka_unit_test(texts_are_latin_or_utf8), cmocka_unit_test(same_bytes_every_time),
        cmocka_unit_test(nonsense_is_refused),     cmocka_unit_test(no_memory_is_an_error),
    };
    return RUN(tests);
}
