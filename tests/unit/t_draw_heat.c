/* t_draw_heat.c - maps over photographs: places, colours, scales, sizes. */
#include "t_draw_heat.h"

#include <math.h>

/* A painted page and where the picture is on it. */
typedef struct page {
    cx_easel easel;
    int place[4];
} page;

static void paint(page *p, const cx_heat *heat, cx_heat_kind kind)
{
    *p = (page){0};
    OK(cx_heat_paint(&p->easel, heat, kind, p->place, &err));
    assert_int_equal(p->easel.canvas.channels, 3);
    assert_true(p->place[0] + p->place[2] < p->easel.canvas.width);
    assert_true(p->place[1] + p->place[3] < p->easel.canvas.height);
}

/* Pixel x, y of the picture. */
static const uint8_t *at(const page *p, int x, int y)
{
    const cx_canvas *c = &p->easel.canvas;
    return c->data + 3 * ((ptrdiff_t)(p->place[1] + y) * c->width + p->place[0] + x);
}

static const uint8_t viridis_end[3] = {0xfd, 0xe7, 0x24}, viridis_start[3] = {0x44, 0x01, 0x54};

/* Off the middle on purpose, and on a photograph that is no square, so that axes that were swapped
 * or cells that were shifted would show. */
static void the_hottest_pixel_is_the_middle_of_the_hottest_cell(void **state)
{
    enum { W = 451, H = 300, MW = 7, MH = 5, ROW = 1, COLUMN = 5 };
    float map[MW * MH] = {0};
    cx_image photo;
    page p;
    (void)state;
    noise(&photo, W, H, 3);
    map[ROW * MW + COLUMN] = 3;
    const cx_heat heat = {.map = {map, MH, MW, 0, 0}, .photo = &photo};
    for (int kind = CX_HEAT_MAP; kind <= CX_HEAT_OVERLAY; kind++) {
        double sum_x = 0, sum_y = 0;
        int n = 0;
        paint(&p, &heat, (cx_heat_kind)kind);
        assert_int_equal(p.place[2], W);
        assert_int_equal(p.place[3], H);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                uint8_t want[3];
                for (int c = 0; c < 3; c++) {
                    int under = photo.data[3 * (y * W + x) + c];
                    want[c] =
                        (uint8_t)lround(kind == CX_HEAT_MAP ? viridis_end[c]
                                                            : 0.25 * under + 0.75 * viridis_end[c]);
                }
                if (distance(at(&p, x, y), want) > 20) continue;
                sum_x += x + 0.5, sum_y += y + 0.5, n++;
            }
        assert_true(n > 0);
        assert_true(fabs(sum_x / n - (COLUMN + 0.5) * W / MW) < 1.5);
        assert_true(fabs(sum_y / n - (ROW + 0.5) * H / MH) < 1.5);
        cx_easel_deinit(&p.easel);
    }
    cx_image_deinit(&photo);
}

static void cold_places_are_the_photograph_itself(void **state)
{
    enum { W = 300, H = 200 };
    float map[8 * 8] = {0};
    cx_image photo;
    page p;
    (void)state;
    noise(&photo, W, H, 3);
    map[0] = 1;
    map[1] = -5; /* below 0 is not hot where signs do not matter */
    for (int is_signed = 0; is_signed < 2; is_signed++) {
        const cx_heat heat = {.map = {map, 8, 8, is_signed, 0}, .photo = &photo};
        paint(&p, &heat, CX_HEAT_OVERLAY);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                if (x >= 3 * W / 8 || y >= 2 * H / 8)
                    assert_memory_equal(at(&p, x, y), photo.data + 3 * (y * W + x), 3);
        assert_true(distance(at(&p, W / 16, H / 16), photo.data + 3 * (H / 16 * W + W / 16)) > 20);
        cx_easel_deinit(&p.easel);
    }
    cx_image_deinit(&photo);
}

static void signs_are_red_and_blue_about_a_zero_of_its_own(void **state)
{
    static const float map[3] = {-2, 0, 1};
    page p;
    (void)state;
    const cx_heat heat = {.map = {map, 1, 3, 1, 0}};
    paint(&p, &heat, CX_HEAT_MAP);
    const int y = p.place[3] / 2, third = p.place[2] / 3;
    const uint8_t *blue = at(&p, third / 2, y), *white = at(&p, third + third / 2, y);
    const uint8_t *red = at(&p, 2 * third + third / 2, y);
    assert_true(blue[2] > blue[0] + 80);
    assert_true(white[0] > 246 && white[1] > 246 && white[2] > 246);
    assert_true(red[0] > red[2] + 50);
    assert_true(red[1] > blue[1] + 50); /* half as far from zero is half as dark */
    cx_easel_deinit(&p.easel);

    static const float swapped[3] = {2, 0, -1};
    page q;
    const cx_heat other = {.map = {swapped, 1, 3, 1, 0}};
    paint(&q, &other, CX_HEAT_MAP);
    assert_true(at(&q, third / 2, y)[0] > at(&q, third / 2, y)[2] + 80);
    cx_easel_deinit(&q.easel);
}

/* Half way between a cell of 0 and one of 1 is a half, which viridis has in green: not the mixture
 * of its ends. */
static void numbers_are_interpolated_not_colours(void **state)
{
    static const float map[2] = {0, 1};
    static const uint8_t middle[3] = {0x20, 0x90, 0x8c};
    cx_image photo;
    page p;
    (void)state;
    noise(&photo, 400, 100, 3);
    cx_heat heat = {.map = {map, 1, 2, 0, 0}, .photo = &photo};
    paint(&p, &heat, CX_HEAT_MAP);
    assert_true(distance(at(&p, 200, 50), middle) < 8);
    assert_memory_equal(at(&p, 99, 50), viridis_start, 3);
    assert_memory_equal(at(&p, 300, 50), viridis_end, 3);
    cx_easel_deinit(&p.easel);

    heat.has_cells = 1;
    paint(&p, &heat, CX_HEAT_MAP);
    assert_memory_equal(at(&p, 199, 50), viridis_start, 3);
    assert_memory_equal(at(&p, 200, 50), viridis_end, 3);
    cx_easel_deinit(&p.easel);
    cx_image_deinit(&photo);
}

static void tiny_photographs_are_enlarged_and_huge_ones_reduced(void **state)
{
    static const struct {
        int width, height, channels, new_width, new_height;
    } sizes[] = {{28, 28, 1, 308, 308},   {32, 20, 3, 320, 200},      {224, 224, 3, 224, 224},
                 {451, 300, 4, 451, 300}, {4000, 1500, 3, 1024, 384}, {3, 2000, 2, 2, 1024}};
    static const float map[4] = {0, 1, 2, 3};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        cx_image photo;
        page p;
        noise(&photo, sizes[i].width, sizes[i].height, sizes[i].channels);
        const cx_heat heat = {.map = {map, 2, 2, 0, 0}, .photo = &photo};
        paint(&p, &heat, CX_HEAT_OVERLAY);
        assert_int_equal(p.place[2], sizes[i].new_width);
        assert_int_equal(p.place[3], sizes[i].new_height);
        cx_easel_deinit(&p.easel);
        cx_image_deinit(&photo);
    }
}

static void pixels_of_a_tiny_gray_photograph_are_squares(void **state)
{
    static const float map[1] = {0};
    cx_image photo;
    page p;
    (void)state;
    noise(&photo, 28, 28, 1);
    const cx_heat heat = {.map = {map, 1, 1, 0, 0}, .photo = &photo};
    paint(&p, &heat, CX_HEAT_OVERLAY);
    for (int y = 0; y < 308; y++)
        for (int x = 0; x < 308; x++)
            for (int c = 0; c < 3; c++)
                assert_int_equal(at(&p, x, y)[c], photo.data[y / 11 * 28 + x / 11]);
    cx_easel_deinit(&p.easel);
    cx_image_deinit(&photo);
}

static void what_is_no_number_has_a_colour_of_its_own_and_no_neighbours(void **state)
{
    static const uint8_t pink[3] = {0xff, 0x1f, 0xc7};
    float map[5 * 5] = {0};
    page p;
    cx_image photo;
    (void)state;
    noise(&photo, 200, 200, 3);
    map[12] = NAN;
    map[24] = INFINITY;
    map[0] = 1;
    const cx_heat heat = {.map = {map, 5, 5, 0, 0}, .photo = &photo};
    paint(&p, &heat, CX_HEAT_MAP);
    assert_memory_equal(at(&p, 100, 100), pink, 3);
    assert_memory_equal(at(&p, 180, 180), pink, 3);
    assert_memory_equal(at(&p, 60, 100), viridis_start, 3);
    assert_memory_equal(at(&p, 140, 100), viridis_start, 3);
    assert_true(distance(at(&p, 20, 20), viridis_end) < 30); /* infinity does not set the scale */
    cx_easel_deinit(&p.easel);
    cx_image_deinit(&photo);
}

static void a_line_lies_where_half_of_the_limit_is(void **state)
{
    static const float map[2] = {0, 1};
    cx_image photo;
    page p, q;
    (void)state;
    noise(&photo, 400, 100, 3);
    cx_heat heat = {.map = {map, 1, 2, 0, 0}, .photo = &photo};
    paint(&p, &heat, CX_HEAT_OVERLAY);
    heat.contour = 0.5;
    paint(&q, &heat, CX_HEAT_OVERLAY);
    for (int x = 0; x < 400; x++) {
        int differs = distance(at(&p, x, 50), at(&q, x, 50)) > 0;
        assert_int_equal(differs, x == 199 || x == 200);
    }
    assert_true(at(&q, 199, 50)[0] < 60);
    assert_true(at(&q, 200, 50)[0] > 200);
    cx_easel_deinit(&p.easel);
    cx_easel_deinit(&q.easel);
    cx_image_deinit(&photo);
}

/* 3 of 640 × 640 numbers on 64 pixels, where interpolation alone would step over them. */
static void numbers_finer_than_pixels_are_averaged_not_lost(void **state)
{
    enum { N = 640, SIDE = 320 };
    float *map = calloc((size_t)N * N, sizeof *map);
    cx_image photo;
    page p;
    (void)state;
    assert_non_null(map);
    noise(&photo, 16, 16, 3);
    for (int x = 100; x < 110; x++)
        for (int y = 0; y < N; y++) map[y * N + x] = 1;
    const cx_heat heat = {.map = {map, N, N, 0, 0.5}, .photo = &photo};
    paint(&p, &heat, CX_HEAT_MAP);
    assert_int_equal(p.place[2], SIDE);
    assert_memory_equal(at(&p, 52, 100), viridis_end, 3);
    assert_memory_equal(at(&p, 60, 100), viridis_start, 3);
    cx_easel_deinit(&p.easel);
    cx_image_deinit(&photo);
    free(map);
}

static void every_shape_of_map_can_be_drawn_alone(void **state)
{
    static const int sizes[][2] = {{1, 1}, {1, 120}, {120, 1}, {3, 5000}, {14, 14}, {600, 2}};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        page p;
        float *map = calloc((size_t)(sizes[i][0] * sizes[i][1]), sizeof *map);
        assert_non_null(map);
        const cx_heat heat = {.map = {map, sizes[i][0], sizes[i][1], 1, 0}, .title = "A map"};
        paint(&p, &heat, CX_HEAT_MAP);
        assert_in_range(p.place[2], 32, 1024);
        assert_in_range(p.place[3], 32, 1024);
        cx_easel_deinit(&p.easel);
        free(map);
    }
}

static void thin_photographs_are_drawn(void **state)
{
    static const int sizes[][2] = {{1, 1}, {1, 3000}, {5000, 2}, {7, 200}};
    static const float map[4] = {1, 2, 3, 4};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        cx_image photo;
        page p;
        noise(&photo, sizes[i][0], sizes[i][1], 3);
        const cx_heat heat = {.map = {map, 2, 2, 0, 0}, .photo = &photo, .contour = 0.5};
        paint(&p, &heat, CX_HEAT_OVERLAY);
        assert_in_range(p.place[2], 1, 1024);
        assert_in_range(p.place[3], 1, 1024);
        cx_easel_deinit(&p.easel);
        cx_image_deinit(&photo);
    }
}

/* --- numbers --- */

/* Of sizes 1 … 100, whose sum is 5050, those up to 98 make 4851 and up to 99 4950; 98 % is 4949. */
static void the_robust_limit_holds_98_percent_of_the_sum(void **state)
{
    float x[102], zero[3] = {0};
    double limit;
    (void)state;
    for (int i = 0; i < 100; i++) x[i] = (float)((i * 37 % 100 + 1) * (i % 2 ? -1 : 1));
    x[100] = NAN, x[101] = INFINITY;
    OK(cx_heat_robust_limit(&limit, x, 102, &err));
    assert_true(limit == 99);
    OK(cx_heat_robust_limit(&limit, zero, 3, &err));
    assert_true(limit == 0);
}

static void the_limit_is_the_largest_that_is_drawn(void **state)
{
    static const float map[4] = {-5, 2, INFINITY, NAN};
    (void)state;
    assert_true(cx_heat_limit(&(cx_heat_map){map, 2, 2, 0, 0}) == 2);
    assert_true(cx_heat_limit(&(cx_heat_map){map, 2, 2, 1, 0}) == 5);
    assert_true(cx_heat_limit(&(cx_heat_map){map, 2, 2, 1, 0.5}) == 0.5);
    assert_true(cx_heat_limit(&(cx_heat_map){map, 1, 1, 0, 0}) == 0);
}

/* --- failures --- */

static void nonsense_is_refused(void **state)
{
    static const float map[1] = {1};
    cx_easel easel = {0};
    cx_bytes png;
    (void)state;
    FAILS(cx_heat_draw(&png, &easel, &(cx_heat){.map = {map, 0, 4, 0, 0}}, CX_HEAT_MAP, &err),
          CVS_E_ARG, "0 × 4");
    FAILS(cx_heat_draw(&png, &easel, &(cx_heat){.map = {map, 1, 1, 0, NAN}}, CX_HEAT_MAP, &err),
          CVS_E_ARG, "no map");
    FAILS(cx_heat_draw(&png, &easel, &(cx_heat){.map = {map, 1, 1, 0, 0}}, CX_HEAT_OVERLAY, &err),
          CVS_E_ARG, "wants a photograph");
    cx_easel_deinit(&easel);
}

static void running_out_of_memory_is_an_error(void **state)
{
    static const float map[4] = {1, 2, 3, NAN};
    cx_image photo;
    int rc = CVS_E_NOMEM;
    (void)state;
    noise(&photo, 50, 40, 1);
    const cx_heat heat = {.map = {map, 2, 2, 0, 0}, .photo = &photo, .title = "A map"};
    for (long n = 1; rc < 0; n += 1 + n / 8) {
        cx_easel easel = {0};
        cx_bytes png = {0};
        cx_alloc_fail_from(n);
        rc = cx_heat_draw(&png, &easel, &heat, CX_HEAT_OVERLAY, &err);
        cx_alloc_fail_from(0);
        assert_true(rc == 0 || rc == CVS_E_NOMEM);
        cx_bytes_deinit(&png);
        cx_easel_deinit(&easel);
    }
    cx_image_deinit(&photo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hottest_pixel_is_the_middle_of_the_hottest_cell),
        cmocka_unit_test(cold_places_are_the_photograph_itself),
        cmocka_unit_test(signs_are_red_and_blue_about_a_zero_of_its_own),
        cmocka_unit_test(numbers_are_interpolated_not_colours),
        cmocka_unit_test(tiny_photographs_are_enlarged_and_huge_ones_reduced),
        cmocka_unit_test(pixels_of_a_tiny_gray_photograph_are_squares),
        cmocka_unit_test(what_is_no_number_has_a_colour_of_its_own_and_no_neighbours),
        cmocka_unit_test(a_line_lies_where_half_of_the_limit_is),
        cmocka_unit_test(numbers_finer_than_pixels_are_averaged_not_lost),
        cmocka_unit_test(every_shape_of_map_can_be_drawn_alone),
        cmocka_unit_test(the_robust_limit_holds_98_percent_of_the_sum),
        cmocka_unit_test(the_limit_is_the_largest_that_is_drawn),
        cmocka_unit_test(thin_photographs_are_drawn),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return RUN(tests);
}
