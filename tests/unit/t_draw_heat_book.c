/* t_draw_heat_book.c - the books' overlays against what their libraries make, and against the same
 * rules in plain loops. */
#include "test.h"

#include <libdeflate.h>
#include <math.h>

#include "draw/heat.h"

static cvs_error err;

enum { W = 37, H = 29, MW = 7, MH = 5 };

/* A photograph and a map by formulas that all sides know; the map's numbers are at least low / 10
 * and at most 1. */
static void scene(cx_image *photo, float *map, int low)
{
    OK(cx_image_init(photo, W, H, 3, &err));
    uint8_t *p = photo->data;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++)
                *p++ = (uint8_t)((x * 9 + y * 5 + c * 60 + ((x * y) >> 2)) & 255);
    for (int i = 0; i < MH; i++)
        for (int j = 0; j < MW; j++) {
            int v = (i * 5 + j * 3) % 11;
            map[i * MW + j] = (float)(v > low ? v : low) / 10.0F;
        }
}

static void overlay(cx_canvas *out, const cx_image *photo, const float *map, cvs_style style)
{
    *out = (cx_canvas){0};
    OK(cx_heat_book(out, &(cx_heat_map){.data = map, .height = MH, .width = MW}, photo, style,
                    &err));
    assert_int_equal(out->width, W);
    assert_int_equal(out->height, H);
    assert_int_equal(out->channels, 3);
}

/* CRC-32 of the book's own lines with NumPy 1.24, matplotlib 3.6 and Pillow 9.4. */
static void py2_is_what_matplotlib_and_pillow_make(void **state)
{
    static const struct {
        int low;
        uint32_t want;
    } goldens[] = {{0, 0x760AC1F8}, {6, 0x52A3DE75}};
    (void)state;
    for (size_t i = 0; i < sizeof goldens / sizeof goldens[0]; i++) {
        cx_image photo;
        cx_canvas c;
        float map[MW * MH];
        scene(&photo, map, goldens[i].low);
        overlay(&c, &photo, map, CVS_STYLE_PY2);
        assert_int_equal(libdeflate_crc32(0, c.data, (size_t)3 * W * H), goldens[i].want);
        cx_canvas_deinit(&c);
        cx_image_deinit(&photo);
    }
}

/* MATLAB's jet as OpenCV has it: a trapezoid that rises over a quarter; halves go to even. */
static double jet_of(int i, int middle)
{
    double v = 382.5 - abs(4 * i - 255 * middle);
    return rint(v < 0 ? 0 : v > 255 ? 255 : v);
}

static double bilinear(const float *map, int y, int x)
{
    double v = (y + 0.5) * MH / H - 0.5, h = (x + 0.5) * MW / W - 0.5, sum = 0;
    for (int i = 0; i < MH; i++)
        for (int j = 0; j < MW; j++) {
            double a = fmin(fmax(v, 0), MH - 1), b = fmin(fmax(h, 0), MW - 1);
            sum += fmax(0, 1 - fabs(a - i)) * fmax(0, 1 - fabs(b - j)) * (double)map[i * MW + j];
        }
    return sum;
}

static void py1_adds_opencvs_jet_and_saturates(void **state)
{
    static const int middle[3] = {3, 2, 1};
    cx_image photo;
    cx_canvas out;
    float map[MW * MH];
    int n_other = 0, n_white = 0;
    (void)state;
    scene(&photo, map, 0);
    overlay(&out, &photo, map, CVS_STYLE_PY1);
    for (int i = 0; i < W * H; i++)
        for (int c = 0; c < 3; c++) {
            int level = (int)(255 * bilinear(map, i / W, i % W));
            double sum = fmin(255, jet_of(level, middle[c]) * 0.4 + photo.data[3 * i + c]);
            int diff = abs((int)lround(sum) - out.data[3 * i + c]);
            assert_true(diff <= 2); /* a level of jet is 1.6 */
            n_other += diff != 0;
            n_white += out.data[3 * i + c] == 255;
        }
    assert_true(n_other < 3 * W * H / 50); /* numbers that fall on a border of two levels */
    assert_true(n_white > 50);
    cx_canvas_deinit(&out);
    cx_image_deinit(&photo);
}

static double spline(double x)
{
    x = fabs(x);
    return x < 0.5 ? 0.75 - x * x : x < 1.5 ? (1.5 - x) * (1.5 - x) / 2 : 0;
}

/* Every dot from all cells at once, not axis by axis. */
static void r1_is_a_fifth_of_the_photograph_and_spline_cells_on_white(void **state)
{
    static const int bin_of[11] = {0, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19};
    static const uint32_t viridis[20] = {
        0x440154, 0x481568, 0x482677, 0x453781, 0x3f4788, 0x39558c, 0x32648e,
        0x2d718e, 0x287d8e, 0x238a8d, 0x1f968b, 0x20a386, 0x29af7f, 0x3cbc75,
        0x56c667, 0x74d055, 0x94d840, 0xb8de29, 0xdce318, 0xfde725,
    };
    cx_image photo;
    cx_canvas out;
    float map[MW * MH];
    (void)state;
    scene(&photo, map, 0);
    overlay(&out, &photo, map, CVS_STYLE_R1);
    for (int i = 0; i < W * H; i++) {
        double v = (i / W + 0.5) * MH / H, h = (i % W + 0.5) * MW / W;
        double rgb[3] = {0}, alpha = 0, sum = 0;
        for (int k = 0; k < MW * MH; k++) {
            double weight = spline(k / MW + 0.5 - v) * spline(k % MW + 0.5 - h);
            int bin = bin_of[lround(10 * (double)map[k])], a = bin * 255 / 19;
            for (int c = 0; c < 3; c++)
                rgb[c] += weight * a / 255 * (double)(viridis[bin] >> (16 - 8 * c) & 255);
            alpha += weight * a / 255;
            sum += weight;
        }
        for (int c = 0; c < 3; c++) {
            double want =
                0.2 * photo.data[3 * i + c] + 0.8 * (rgb[c] / sum + 255 * (1 - alpha / sum));
            assert_true(fabs(want - out.data[3 * i + c]) < 0.51);
        }
    }
    cx_canvas_deinit(&out);
    cx_image_deinit(&photo);
}

/* hcl.colors(256, "Spectral", rev = TRUE)[c(1, 64, 129, 256)], and cut()'s intervals, which are
 * closed above. */
static void r2_lays_spectral_cells_over_the_photograph(void **state)
{
    static const float map[4] = {-1, -0.505859375F, 0.0078125F, 1};
    static const uint8_t ink[4][3] = {
        {0x58, 0x4b, 0x9f}, {0x1c, 0xc2, 0xb3}, {0xfe, 0xfd, 0xbd}, {0xa7, 0x1b, 0x4b}};
    cx_image photo;
    cx_canvas out = {0};
    float unused[MW * MH];
    (void)state;
    scene(&photo, unused, 0);
    OK(cx_heat_book(&out, &(cx_heat_map){.data = map, .height = 2, .width = 2}, &photo,
                    CVS_STYLE_R2, &err));
    for (int i = 0; i < W * H; i++) {
        int cell = (i / W + 0.5 > H / 2.0) * 2 + (i % W + 0.5 > W / 2.0);
        if (2 * (i % W) + 1 == W || 2 * (i / W) + 1 == H) continue; /* on the border */
        for (int c = 0; c < 3; c++)
            assert_int_equal(out.data[3 * i + c],
                             lround(0.6 * photo.data[3 * i + c] + 0.4 * ink[cell][c]));
    }
    cx_canvas_deinit(&out);
    cx_image_deinit(&photo);
}

/* No map is so poor that an edition fails. */
static void empty_and_unfinished_maps_are_drawn(void **state)
{
    static const float maps[][MW * MH] = {{0}, {NAN, 1, 2}, {-3, -INFINITY, INFINITY}};
    (void)state;
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        for (int style = CVS_STYLE_PY1; style <= CVS_STYLE_R2; style++) {
            cx_image photo;
            cx_canvas c;
            float unused[MW * MH];
            scene(&photo, unused, 0);
            overlay(&c, &photo, maps[i], (cvs_style)style);
            cx_canvas_deinit(&c);
            cx_image_deinit(&photo);
        }
}

static void other_styles_and_maps_are_refused(void **state)
{
    cx_image photo;
    cx_canvas c = {0};
    float map[MW * MH];
    (void)state;
    scene(&photo, map, 0);
    FAILS(cx_heat_book(&c, &(cx_heat_map){.data = map, .height = 5, .width = 7}, &photo,
                       CVS_STYLE_DEFAULT, &err),
          CVS_E_ARG, "no style");
    FAILS(cx_heat_book(&c, &(cx_heat_map){.data = map, .height = 0, .width = 7}, &photo,
                       CVS_STYLE_PY1, &err),
          CVS_E_ARG, "no map");
    FAILS(cx_heat_book(&c, &(cx_heat_map){.data = map, .height = 1, .width = 1 << 20}, &photo,
                       CVS_STYLE_PY2, &err),
          CVS_E_UNSUPPORTED, "too large");
    cx_canvas_deinit(&c);
    cx_image_deinit(&photo);
}

static void running_out_of_memory_is_an_error(void **state)
{
    (void)state;
    for (int style = CVS_STYLE_PY1; style <= CVS_STYLE_R2; style++) {
        cx_image photo;
        float map[MW * MH];
        int rc = CVS_E_NOMEM;
        scene(&photo, map, 0);
        for (long n = 1; rc < 0; n++) {
            cx_canvas c = {0};
            cx_alloc_fail_from(n);
            rc = cx_heat_book(&c, &(cx_heat_map){.data = map, .height = MH, .width = MW}, &photo,
                              (cvs_style)style, &err);
            cx_alloc_fail_from(0);
            assert_true(rc == 0 || rc == CVS_E_NOMEM);
            cx_canvas_deinit(&c);
        }
        cx_image_deinit(&photo);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(py2_is_what_matplotlib_and_pillow_make),
        cmocka_unit_test(py1_adds_opencvs_jet_and_saturates),
        cmocka_unit_test(r1_is_a_fifth_of_the_photograph_and_spline_cells_on_white),
        cmocka_unit_test(r2_lays_spectral_cells_over_the_photograph),
        cmocka_unit_test(empty_and_unfinished_maps_are_drawn),
        cmocka_unit_test(other_styles_and_maps_are_refused),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return RUN(tests);
}
