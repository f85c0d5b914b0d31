/* t_patterns_painting.c - from the numbers that grow to a model's input: each step against plain
 * sums and its own transpose. */
#include "tiny.h"

#include <math.h>

#include "base/random.h"
#include "image/image.h"
#include "patterns/painting.h"

static float random_at(uint64_t seed, int64_t i)
{
    return (float)cx_random_normal(seed, (uint64_t)i);
}

static double dot(const float *a, const float *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* --- waves --- */

static void waves_are_the_inverse_transform(void **state)
{
    (void)state;
    static const int64_t sizes[][2] = {{5, 6}, {4, 7}, {8, 8}, {1, 3}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        cx_fourier f;
        float a[200], plane[64], room[4096];
        OK(cx_fourier_init(&f, sizes[k][0], sizes[k][1], 1, &err));
        const int64_t n = cx_fourier_numbers(&f), h = f.height, w = f.width;
        assert_true(n <= 200 && cx_fourier_room(&f) <= 4096);
        for (int64_t i = 0; i < n; i++) a[i] = random_at(k, i);
        cx_fourier_paint(&f, a, plane, room);
        for (int64_t y = 0; y < h; y++)
            for (int64_t x = 0; x < w; x++) {
                double want = 0;
                for (int64_t i = 0; i < h; i++)
                    for (int64_t l = 0; l < f.half; l++) {
                        const double angle =
                            2 * CX_PI * ((double)(y * i) / (double)h + (double)(x * l) / (double)w);
                        const double twice = l == 0 || 2 * l == w ? 1 : 2;
                        want += twice * (double)f.scale[i * f.half + l] *
                                ((double)a[i * f.half + l] * cos(angle) -
                                 (double)a[n / 2 + i * f.half + l] * sin(angle));
                    }
                assert_true(fabs((double)plane[y * w + x] - want) < 1e-5);
            }
        cx_fourier_deinit(&f);
    }
}

static void derivatives_of_waves_are_their_transpose(void **state)
{
    (void)state;
    cx_fourier f;
    float a[100], d[100], plane[42], dplane[42], room[4096];
    OK(cx_fourier_init(&f, 7, 6, 0.8, &err));
    const int64_t n = cx_fourier_numbers(&f);
    for (int64_t i = 0; i < n; i++) a[i] = random_at(1, i);
    for (int64_t i = 0; i < 42; i++) dplane[i] = random_at(2, i);
    cx_fourier_paint(&f, a, plane, room);
    cx_fourier_back(&f, dplane, d, room);
    assert_true(fabs(dot(plane, dplane, 42) - dot(a, d, n)) < 1e-5);
    cx_fourier_deinit(&f);
}

/* --- views --- */

static cx_camera camera(cx_border border)
{
    return (cx_camera){.height = 6,
                       .width = 5,
                       .out_height = 6,
                       .out_width = 5,
                       .down = 1,
                       .right = 1,
                       .channels = 2,
                       .border = border};
}

static void a_straight_view_is_the_picture(void **state)
{
    (void)state;
    float x[60], y[60];
    for (int i = 0; i < 60; i++) x[i] = random_at(3, i);
    for (int b = CX_BORDER_GRAY; b <= CX_BORDER_MIRROR; b++) {
        const cx_camera c = camera((cx_border)b);
        cx_view_look(&c, &(cx_view){.zoom = 1}, x, y);
        for (int i = 0; i < 60; i++) assert_true(fabsf(x[i] - y[i]) < 1e-5f);
    }
}

static void a_view_that_wraps_moves_pixels_around(void **state)
{
    (void)state;
    float x[60], y[60];
    const cx_camera c = camera(CX_BORDER_WRAP);
    for (int i = 0; i < 60; i++) x[i] = random_at(4, i);
    cx_view_look(&c, &(cx_view){.zoom = 1, .down = 2, .right = -1}, x, y);
    for (int row = 0; row < 6; row++)
        for (int k = 0; k < 5; k++) {
            const int from = (row + 2) % 6 * 5 + (k + 4) % 5;
            assert_true(fabsf(y[(row * 5 + k) * 2 + 1] - x[from * 2 + 1]) < 1e-5f);
        }
}

static void derivatives_of_views_are_their_transpose(void **state)
{
    (void)state;
    float x[60], y[24], dy[24], dx[60];
    for (int i = 0; i < 60; i++) x[i] = random_at(5, i);
    for (int i = 0; i < 24; i++) dy[i] = random_at(6, i);
    for (int b = CX_BORDER_GRAY; b <= CX_BORDER_MIRROR; b++) {
        cx_camera c = camera((cx_border)b);
        const cx_view v = {.turn = 0.2, .zoom = 0.9, .down = 0.7, .right = -1.3};
        c.out_height = 4;
        c.out_width = 3;
        c.down = 6. / 4;
        cx_view_look(&c, &v, x, y);
        cx_view_back(&c, &v, dy, dx);
        assert_true(fabs(dot(y, dy, 24) - dot(x, dx, 60)) < 1e-4);
    }
}

/* --- units --- */

static void units_are_the_preprocessing(void **state)
{
    (void)state;
    for (int mode = CVS_PREPROCESS_RAW; mode <= CVS_PREPROCESS_CAFFE; mode++) {
        cx_units u;
        float v[3] = {10, 130, 250}, want[3], got[3], d[3] = {1, -2, 3}, back[3];
        memcpy(want, v, sizeof v);
        OK(cx_preprocess(want, 1, 3, (cvs_preprocess)mode, &err));
        OK(cx_units_init(&u, 3, (cvs_preprocess)mode, &err));
        cx_units_apply(&u, v, got);
        for (int c = 0; c < 3; c++) assert_true(fabsf(got[c] - want[c]) < 1e-4f);
        cx_units_back(&u, d, back);
        double there = 0;
        for (int c = 0; c < 3; c++) there += (double)((got[c] - u.shift[c]) * d[c]);
        assert_true(fabs(there - dot(v, back, 3)) < 1e-3);
    }
}

static void many_channels_have_one_scale(void **state)
{
    (void)state;
    cx_units u;
    float v[7], x[7];
    OK(cx_units_init(&u, 7, CVS_PREPROCESS_TF, &err));
    for (int i = 0; i < 7; i++) v[i] = (float)(i * 42);
    cx_units_apply(&u, v, x);
    for (int i = 0; i < 7; i++) assert_true(fabsf(x[i] - (v[i] / 127.5f - 1)) < 1e-5f);
    assert_int_equal(cx_units_init(&u, 7, CVS_PREPROCESS_CAFFE, &err), CVS_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waves_are_the_inverse_transform),
        cmocka_unit_test(derivatives_of_waves_are_their_transpose),
        cmocka_unit_test(a_straight_view_is_the_picture),
        cmocka_unit_test(a_view_that_wraps_moves_pixels_around),
        cmocka_unit_test(derivatives_of_views_are_their_transpose),
        cmocka_unit_test(units_are_the_preprocessing),
        cmocka_unit_test(many_channels_have_one_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
