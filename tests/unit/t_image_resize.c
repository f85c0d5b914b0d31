/* t_image_resize.c - a picture's new size: Pillow's rules to the byte, TensorFlow's rule. */
#include "test.h"

#include <libdeflate.h>
#include <math.h>

#include "base/mem.h"
#include "image/image.h"
#include "image/resize.h"

/* The test picture, by a formula that both sides know. */
static void draw(cx_image *out, int width, int height, int channels)
{
    cvs_error err;
    OK(cx_image_init(out, width, height, channels, &err));
    uint8_t *p = out->data;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                *p++ = (uint8_t)((x * 9 + y * 5 + c * 60 + ((x * y) >> 2)) & 255);
}

static uint32_t resized_sum(const cx_image *image, int width, int height, cvs_resize mode)
{
    cvs_error err;
    cx_tensor t;
    OK(cx_image_resize(&t, image, width, height, mode, &err));
    assert_true(cx_shape_equal(&t.shape, &(cx_shape){3, {height, width, image->channels}}));
    size_t n = (size_t)(width * height * image->channels);
    uint8_t *bytes = malloc(n);
    assert_non_null(bytes);
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)t.data[i];
        assert_true((float)bytes[i] == t.data[i]);
    }
    uint32_t sum = libdeflate_crc32(0, bytes, n);
    free(bytes);
    cx_tensor_deinit(&t);
    return sum;
}

/* CRC-32 of Image.resize((W, H), NEAREST), BILINEAR and BICUBIC of Pillow 9.4. 59 to 64 and the
 * like are sizes where nearest has ties; four channels are multiplied by their alpha for the last
 * two. */
static const struct {
    int width, height, channels, new_width, new_height;
    uint32_t nearest, bilinear, bicubic;
} goldens[] = {
    {37, 29, 3, 150, 150, 0xA8B2B957, 0xEC2EDE15, 0xA4C021F9},
    {37, 29, 3, 13, 11, 0x1B57B8AA, 0xCE2CB00B, 0x4860ACAA},
    {37, 29, 1, 37, 7, 0x194D69FF, 0x339E3849, 0x8F7E8700},
    {37, 29, 4, 20, 29, 0x40751D8A, 0x17F534A2, 0xDD9ED31A},
    {1, 1, 3, 5, 4, 0x18185BDD, 0x18185BDD, 0x18185BDD},
    {500, 374, 3, 150, 150, 0xB269EB8E, 0x0C7264EC, 0xD61B7042},
    {59, 41, 3, 64, 64, 0x8985813A, 0x8D8CD3FF, 0x310F471C},
};

static void nearest_and_antialias_are_pillows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goldens / sizeof goldens[0]; i++) {
        cx_image image;
        int w = goldens[i].new_width, h = goldens[i].new_height;
        draw(&image, goldens[i].width, goldens[i].height, goldens[i].channels);
        assert_int_equal(resized_sum(&image, w, h, CVS_RESIZE_NEAREST), goldens[i].nearest);
        assert_int_equal(resized_sum(&image, w, h, CVS_RESIZE_ANTIALIAS), goldens[i].bilinear);
        cx_image_deinit(&image);
    }
}

static void bicubic_can_be_pillows(void **state)
{
    cvs_error err;
    (void)state;
    for (size_t i = 0; i < sizeof goldens / sizeof goldens[0]; i++) {
        cx_image image, out;
        int w = goldens[i].new_width, h = goldens[i].new_height;
        draw(&image, goldens[i].width, goldens[i].height, goldens[i].channels);
        OK(cx_resize_pillow_bicubic(&out, &image, w, h, &err));
        assert_int_equal(libdeflate_crc32(0, out.data, (size_t)(w * h * out.channels)),
                         goldens[i].bicubic);
        cx_image_deinit(&out);
        cx_image_deinit(&image);
    }
}

/* 8 pixels to 150: result 37 lies at exactly 2, but Pillow's sum of steps stays a hair below. */
static void nearest_adds_its_steps_up(void **state)
{
    (void)state;
    cvs_error err;
    cx_image image;
    cx_tensor t;
    draw(&image, 8, 1, 1);
    OK(cx_image_resize(&t, &image, 150, 1, CVS_RESIZE_NEAREST, &err));
    assert_true(t.data[37] == (float)image.data[1]);
    assert_true(t.data[38] == (float)image.data[2]);
    cx_tensor_deinit(&t);
    cx_image_deinit(&image);
}

static void values_are(cvs_resize mode, int width, int height, const float *want)
{
    cvs_error err;
    cx_tensor t;
    uint8_t pixels[] = {0, 255};
    cx_image image = {.width = 2, .height = 1, .channels = 1, .data = pixels};
    if (height > width) image = (cx_image){.width = 1, .height = 2, .channels = 1, .data = pixels};
    OK(cx_image_resize(&t, &image, width, height, mode, &err));
    for (int i = 0; i < width * height; i++)
        if (fabsf(t.data[i] - want[i]) > 1e-4F)
            fail_msg("value %d: %g, not %g", i, (double)t.data[i], (double)want[i]);
    cx_tensor_deinit(&t);
}

/* By hand: results lie at -0.25, 0.25, 0.75, 1.25 between two pixels 0 and 255. */
static void bilinear_has_half_pixel_centres(void **state)
{
    (void)state;
    const float want[] = {0, 63.75F, 191.25F, 255};
    values_are(CVS_RESIZE_BILINEAR, 4, 1, want);
    values_are(CVS_RESIZE_BILINEAR, 1, 4, want);
}

/* By hand, Keys' a = -0.5: weights 0.8671875, 0.2265625 and -0.0703125 at 0.25, 0.75 and 1.25;
 * what lies outside is left out and the rest divided by its sum. Nothing is clipped. */
static void bicubic_renormalises_at_edges(void **state)
{
    (void)state;
    const float inner = 255 * 0.2265625F / 1.09375F;
    const float want[] = {-22.5F, inner, 255 - inner, 277.5F};
    values_are(CVS_RESIZE_BICUBIC, 4, 1, want);
    values_are(CVS_RESIZE_BICUBIC, 1, 4, want);
}

/* Shrinking without antialiasing skips pixels: 4 to 1 is the mean of the middle two. */
static void bilinear_does_not_antialias(void **state)
{
    (void)state;
    cvs_error err;
    cx_tensor t;
    uint8_t pixels[] = {200, 10, 20, 100};
    const cx_image image = {.width = 4, .height = 1, .channels = 1, .data = pixels};
    OK(cx_image_resize(&t, &image, 1, 1, CVS_RESIZE_BILINEAR, &err));
    assert_true(t.data[0] == 15);
    cx_tensor_deinit(&t);
    OK(cx_image_resize(&t, &image, 1, 1, CVS_RESIZE_ANTIALIAS, &err));
    assert_true(t.data[0] > 40); /* the whole row counts */
    cx_tensor_deinit(&t);
}

static void same_size_is_the_same_picture(void **state)
{
    (void)state;
    cx_image image;
    draw(&image, 19, 11, 3);
    uint32_t sum = libdeflate_crc32(0, image.data, 19 * 11 * 3);
    for (int mode = CVS_RESIZE_NEAREST; mode <= CVS_RESIZE_ANTIALIAS; mode++)
        assert_int_equal(resized_sum(&image, 19, 11, (cvs_resize)mode), sum);
    cx_image_deinit(&image);
}

static void flat_pictures_stay_flat(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {7, 200}, {64, 3}, {150, 150}};
    cvs_error err;
    for (int mode = CVS_RESIZE_NEAREST; mode <= CVS_RESIZE_ANTIALIAS; mode++)
        for (size_t s = 0; s < 4; s++) {
            cx_image image;
            cx_tensor t;
            int w = sizes[s][0], h = sizes[s][1];
            OK(cx_image_init(&image, 33, 21, 3, &err));
            memset(image.data, 255, 33 * 21 * 3);
            OK(cx_image_resize(&t, &image, w, h, (cvs_resize)mode, &err));
            for (int i = 0; i < w * h * 3; i++) assert_true(fabsf(t.data[i] - 255) < 1e-3F);
            cx_tensor_deinit(&t);
            cx_image_deinit(&image);
        }
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    cvs_error err;
    cx_image image;
    cx_tensor t;
    draw(&image, 3, 2, 1);
    FAILS(cx_image_resize(&t, &image, 0, 5, CVS_RESIZE_NEAREST, &err), CVS_E_FORMAT, "0 x 5");
    FAILS(cx_image_resize(&t, &image, 30001, 5, CVS_RESIZE_NEAREST, &err), CVS_E_NOMEM, "30001");
    FAILS(cx_image_resize(&t, &image, 5, 5, (cvs_resize)99, &err), CVS_E_ARG, "99");
    assert_null(t.data);
    cx_image_deinit(&image);
    FAILS(cx_image_init(&image, 20000, 20000, 3, &err), CVS_E_NOMEM, "20000 x 20000");
    FAILS(cx_image_init(&image, 2, 2, 5, &err), CVS_E_ARG, "5 channels");
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    cvs_error err;
    cx_image image;
    cx_tensor t;
    draw(&image, 9, 8, 4);
    for (int mode = CVS_RESIZE_NEAREST; mode <= CVS_RESIZE_ANTIALIAS; mode++) {
        int n = 1;
        for (;; n++) {
            cx_alloc_fail_from(n);
            int rc = cx_image_resize(&t, &image, 5, 5, (cvs_resize)mode, &err);
            cx_alloc_fail_from(0);
            if (rc == 0) break;
            assert_int_equal(rc, CVS_E_NOMEM);
            assert_null(t.data);
        }
        assert_true(n >= 3);
        cx_tensor_deinit(&t);
    }
    cx_image_deinit(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_and_antialias_are_pillows),
        cmocka_unit_test(bicubic_can_be_pillows),
        cmocka_unit_test(nearest_adds_its_steps_up),
        cmocka_unit_test(bilinear_has_half_pixel_centres),
        cmocka_unit_test(bicubic_renormalises_at_edges),
        cmocka_unit_test(bilinear_does_not_antialias),
        cmocka_unit_test(same_size_is_the_same_picture),
        cmocka_unit_test(flat_pictures_stay_flat),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return RUN(tests);
}
