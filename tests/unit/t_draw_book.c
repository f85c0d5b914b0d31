/* t_draw_book.c - the books' pictures against values worked out by hand or by R. */
#include "test.h"

#include <math.h>

#include "draw/book.h"

static cvs_error err;

/* A picture of channels that are written one after the other. */
typedef struct picture {
    float data[4096];
    cx_sheet sheet;
    cx_canvas canvas;
} picture;

static picture p;

static const cx_canvas *draw(cvs_style style, int64_t h, int64_t w, int64_t k, const float *planes)
{
    assert_true(h * w * k <= 4096);
    for (int64_t c = 0; c < k; c++)
        for (int64_t i = 0; i < h * w; i++) p.data[i * k + c] = planes ? planes[c * h * w + i] : 0;
    p.sheet = (cx_sheet){.name = "l", .data = p.data, .height = h, .width = w, .channels = k};
    cx_easel easel = {.canvas = p.canvas};
    OK(cx_sheet_paint(&easel, &p.sheet, style, &err));
    p.canvas = easel.canvas;
    return &p.canvas;
}

static int teardown(void **state)
{
    (void)state;
    cx_canvas_deinit(&p.canvas);
    return 0;
}

/* Mean 1, deviation sqrt(3): 64 z + 128 is 91.05 and 238.85. */
static const float one_hot[] = {0, 0, 0, 4, 5, 5, 5, 5};

static void py1_standardises_each_channel_and_stretches_the_canvas(void **state)
{
    /* Bytes 91, 238 and 0 (0 / 0) over 0 … 238: 91 / 238 * 256 = 97.9. */
    static const uint8_t want[2][4] = {{97, 97, 0, 0}, {97, 255, 0, 0}};
    (void)state;
    const cx_canvas *c = draw(CVS_STYLE_PY1, 2, 2, 2, one_hot);
    assert_int_equal(c->width, 4);
    assert_int_equal(c->height, 2);
    assert_memory_equal(c->data, want, sizeof want);
    assert_int_equal(c->palette[0], 0x44);
    assert_int_equal(c->palette[3 * 255], 0xfd);
}

static void py1_clips_and_cuts_off_fractions(void **state)
{
    /* 1 of 17 values is 4 deviations above the mean (255) and the others 0.25 below: 112. */
    float planes[17] = {[16] = 1};
    (void)state;
    const cx_canvas *c = draw(CVS_STYLE_PY1, 1, 17, 1, planes);
    assert_int_equal(c->data[0], 0);
    assert_int_equal(c->data[16], 255);
    planes[15] = -1; /* deviations ±2.9: 128 - 186 is cut to 0, the others are 128 */
    c = draw(CVS_STYLE_PY1, 1, 17, 1, planes);
    assert_int_equal(c->data[15], 0);
    assert_int_equal(c->data[0], (int)(128 / 255.0 * 256));
}

static void py1_drops_what_does_not_fill_a_row(void **state)
{
    (void)state;
    const cx_canvas *c = draw(CVS_STYLE_PY1, 3, 2, 33, NULL);
    assert_int_equal(c->width, 32);
    assert_int_equal(c->height, 6);
    for (int i = 0; i < 32 * 6; i++) assert_int_equal(c->data[i], 0);
}

static void py2_leaves_gaps_and_channels_that_sum_to_zero(void **state)
{
    static const float planes[] = {0, 0, 0, 4, -1, 1, 1, -1};
    static const uint8_t want[2][5] = {{97, 97, 0, 0, 1}, {97, 255, 0, 1, 0}};
    (void)state;
    const cx_canvas *c = draw(CVS_STYLE_PY2, 2, 2, 2, planes);
    assert_int_equal(c->width, 5);
    assert_int_equal(c->height, 2);
    assert_memory_equal(c->data, want, sizeof want);
    c = draw(CVS_STYLE_PY2, 7, 5, 40, NULL);
    assert_int_equal(c->width, 16 * 6 - 1);
    assert_int_equal(c->height, 2 * 8 - 1);
}

static void python_draws_nan_as_zero(void **state)
{
    static const float planes[] = {NAN, 1, 2, 3, 0, 0, 0, 4};
    (void)state;
    const cx_canvas *c = draw(CVS_STYLE_PY2, 2, 2, 2, planes);
    assert_int_equal(c->data[0], 0);
    assert_int_equal(c->data[1], 0);
    assert_int_equal(c->data[5 + 4], 255);
}

static unsigned dot(const cx_canvas *c, int x, int y)
{
    const uint8_t *d = c->data + 3 * (y * c->width + x);
    return (unsigned)d[0] << 16 | (unsigned)d[1] << 8 | d[2];
}

static void r1_gives_twelve_colours_over_each_channels_own_range(void **state)
{
    static const float planes[] = {0, 1, 2, 3, 7, 7, 7, 7, 10, 40, 30, 20};
    (void)state;
    const cx_canvas *c = draw(CVS_STYLE_R1, 2, 2, 3, planes);
    assert_int_equal(c->width, 3 * 58);
    assert_int_equal(c->height, 58);
    for (int i = 0; i < 58; i++) {
        assert_int_equal(dot(c, i, 0), 0xffffff);
        assert_int_equal(dot(c, 0, i), 0xffffff);
        assert_int_equal(dot(c, i, 57), 0xffffff);
        assert_int_equal(dot(c, 57, i), 0xffffff);
    }
    assert_int_equal(dot(c, 1, 1), 0x00a600);
    assert_int_equal(dot(c, 28, 28), 0x00a600);
    assert_int_equal(dot(c, 29, 28), 0x7acc00); /* a third belongs to the colour below */
    assert_int_equal(dot(c, 28, 29), 0xeab64e);
    assert_int_equal(dot(c, 56, 56), 0xf2f2f2);
    assert_int_equal(dot(c, 58 + 30, 30), 0xe6e600); /* one value: the middle */
    assert_int_equal(dot(c, 116 + 1, 1), 0x00a600);
    assert_int_equal(dot(c, 116 + 56, 1), 0xf2f2f2);
}

static void r1_draws_any_map_nearly_square(void **state)
{
    (void)state;
    /* 5 × 9 values: R 4.2 covers dots 4 … 53 across and 1 … 56 down. */
    const cx_canvas *c = draw(CVS_STYLE_R1, 5, 9, 1, NULL);
    assert_int_equal(dot(c, 3, 30), 0xffffff);
    assert_int_equal(dot(c, 4, 30), 0xe6e600);
    assert_int_equal(dot(c, 53, 30), 0xe6e600);
    assert_int_equal(dot(c, 54, 30), 0xffffff);
    assert_int_equal(dot(c, 30, 1), 0xe6e600);
    assert_int_equal(dot(c, 30, 56), 0xe6e600);
    c = draw(CVS_STYLE_R1, 1, 9, 1, NULL);
    assert_int_equal(dot(c, 1, 1), 0xe6e600);
    assert_int_equal(dot(c, 56, 56), 0xe6e600);
}

static void r1_leaves_what_is_no_number_white(void **state)
{
    static const float planes[] = {0, NAN, INFINITY, 1};
    (void)state;
    const cx_canvas *c = draw(CVS_STYLE_R1, 2, 2, 1, planes);
    assert_int_equal(dot(c, 10, 10), 0x00a600);
    assert_int_equal(dot(c, 40, 10), 0xffffff);
    assert_int_equal(dot(c, 10, 40), 0xffffff);
    assert_int_equal(dot(c, 40, 40), 0xf2f2f2);
}

static void r1_rows_are_whole(void **state)
{
    (void)state;
    const cx_canvas *c = draw(CVS_STYLE_R1, 4, 4, 40, NULL);
    assert_int_equal(c->width, 16 * 58);
    assert_int_equal(c->height, 2 * 58);
}

static void mfrow_is_rs(void **state)
{
    static const int64_t known[][3] = {{1, 1, 1},    {2, 2, 1},     {3, 2, 2},    {6, 2, 3},
                                       {7, 2, 4},    {10, 3, 4},    {12, 3, 4},   {16, 4, 4},
                                       {29, 5, 6},   {32, 5, 7},    {40, 5, 8},   {64, 7, 10},
                                       {128, 9, 15}, {256, 13, 20}, {512, 18, 29}};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        int64_t rows, columns;
        cx_book_mfrow(&rows, &columns, known[i][0]);
        assert_int_equal(rows, known[i][1]);
        assert_int_equal(columns, known[i][2]);
    }
}

static void r2_draws_all_channels_and_zero_sums_gray(void **state)
{
    static const float planes[] = {0, 1, 2, 3, 0, 0, 0, 0, -1, 1, 0, 0};
    (void)state;
    const cx_canvas *c = draw(CVS_STYLE_R2, 2, 2, 3, planes);
    assert_int_equal(c->width, 2 * 4);
    assert_int_equal(c->height, 2 * 4);
    assert_int_equal(dot(c, 0, 0), 0xffffff);
    assert_int_equal(dot(c, 1, 1), 0x00a600);
    assert_int_equal(dot(c, 2, 2), 0xf2f2f2);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(dot(c, 5 + i % 2, 1 + i / 2), 0xbebebe);
        assert_int_equal(dot(c, 1 + i % 2, 5 + i / 2), 0xbebebe);
        assert_int_equal(dot(c, 5 + i % 2, 5 + i / 2), 0xffffff); /* no fourth channel */
    }
}

static void what_is_no_style_fails(void **state)
{
    cx_canvas c;
    (void)state;
    FAILS(cx_book_draw(&c, &p.sheet, (cvs_style)9, &err), CVS_E_ARG, "style");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(py1_standardises_each_channel_and_stretches_the_canvas),
        cmocka_unit_test(py1_clips_and_cuts_off_fractions),
        cmocka_unit_test(py1_drops_what_does_not_fill_a_row),
        cmocka_unit_test(py2_leaves_gaps_and_channels_that_sum_to_zero),
        cmocka_unit_test(python_draws_nan_as_zero),
        cmocka_unit_test(r1_gives_twelve_colours_over_each_channels_own_range),
        cmocka_unit_test(r1_draws_any_map_nearly_square),
        cmocka_unit_test(r1_leaves_what_is_no_number_white),
        cmocka_unit_test(r1_rows_are_whole),
        cmocka_unit_test(mfrow_is_rs),
        cmocka_unit_test(r2_draws_all_channels_and_zero_sums_gray),
        cmocka_unit_test(what_is_no_style_fails),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
