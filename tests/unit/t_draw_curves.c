/* t_draw_curves.c - the chart of lines: where a value lies, gaps, ranges, ticks. */
#include "test.h"

#include <math.h>

#include "base/mem.h"
#include "draw/curves.h"

static cvs_error err;

/* A painted chart. */
typedef struct chart {
    cx_easel easel;
    int plot[4];
    double range[4];
} chart;

static void paint(chart *c, const cx_curves *curves)
{
    *c = (chart){0};
    OK(cx_curves_paint(&c->easel, curves, c->plot, c->range, &err));
    assert_true(c->plot[0] + c->plot[2] <= c->easel.canvas.width);
    assert_true(c->plot[1] + c->plot[3] <= c->easel.canvas.height);
}

/* Whether the pixel where x, y lies has the colour of the first curve, a blue. */
static int is_drawn(const chart *c, double x, double y)
{
    double h = (x - c->range[0]) / (c->range[1] - c->range[0]) * (c->plot[2] - 1);
    double v = (c->range[3] - y) / (c->range[3] - c->range[2]) * (c->plot[3] - 1);
    const cx_canvas *page = &c->easel.canvas;
    const uint8_t *p =
        page->data + 3 * ((lround(v) + c->plot[1]) * page->width + lround(h) + c->plot[0]);
    return p[2] > p[0] + 100;
}

static void a_line_goes_through_its_points(void **state)
{
    static const double x[] = {0, 1, 2, 4}, y[] = {0, 8, 2, 6};
    const cx_curve curve = {"a curve", x, y, 4, 0, 0, 0};
    chart c;
    (void)state;
    paint(&c, &(cx_curves){.title = "A chart", .curves = &curve, .n = 1});
    assert_int_equal(c.easel.canvas.width, 800);
    assert_int_equal(c.easel.canvas.height, 500);
    for (int i = 0; i < 4; i++) assert_true(is_drawn(&c, x[i], y[i]));
    assert_true(is_drawn(&c, 3, 4));
    assert_false(is_drawn(&c, 3, 5));
    assert_false(is_drawn(&c, 1, 7));
    cx_easel_deinit(&c.easel);
}

static void a_value_that_is_none_is_a_gap(void **state)
{
    static const double x[] = {0, 1, 2, 3, 4}, y[] = {1, 1, NAN, 1, 1};
    const cx_curve curve = {NULL, x, y, 5, 0, 0, 0};
    chart c;
    (void)state;
    paint(&c, &(cx_curves){.curves = &curve, .n = 1, .low = 0, .high = 2});
    assert_true(is_drawn(&c, 0.5, 1));
    assert_false(is_drawn(&c, 1.5, 1));
    assert_false(is_drawn(&c, 2.5, 1));
    assert_true(is_drawn(&c, 3.5, 1));
    cx_easel_deinit(&c.easel);
}

/* Points alone, in the colour of another curve's place: the second is no longer blue. */
static void points_may_stand_alone_in_another_colour(void **state)
{
    static const double x[] = {0, 1, 2}, y[] = {1, 1, 1};
    cx_curve curve = {NULL, x, y, 3, .has_points = 1, .has_no_line = 1};
    const cx_curves curves = {.curves = &curve, .n = 1, .low = 0, .high = 2};
    chart c;
    (void)state;
    for (int colour = 0; colour < 3; colour++) {
        curve.colour = colour;
        paint(&c, &curves);
        assert_int_equal(is_drawn(&c, 1, 1), colour < 2);
        assert_false(is_drawn(&c, 0.5, 1));
        cx_easel_deinit(&c.easel);
    }
    assert_memory_not_equal(cx_curves_colour(0), cx_curves_colour(1), 3);
}

static void a_mark_is_an_upright_line(void **state)
{
    static const double x[] = {0, 1, 2}, y[] = {1, 1, 1};
    const cx_curve curve = {NULL, x, y, 3, 0, 0, 0};
    cx_curves curves = {.curves = &curve, .n = 1, .low = 0, .high = 2, .has_mark = 1};
    chart c;
    (void)state;
    for (int inside = 0; inside < 2; inside++) {
        curves.mark = inside ? 1.3 : 7;
        curves.mark_name = "best";
        paint(&c, &curves);
        const cx_canvas *page = &c.easel.canvas;
        int dark = 0;
        for (int h = c.plot[0] + 1; h < c.plot[0] + c.plot[2] - 1; h++) {
            const int64_t at = (int64_t)(c.plot[1] + c.plot[3] * 3 / 4) * page->width + h;
            dark += page->data[3 * at] < 160;
        }
        assert_int_equal(dark, inside);
        cx_easel_deinit(&c.easel);
    }
}

/* Marks reach further than the line. */
static void points_are_marked_where_one_wants_it(void **state)
{
    static const double x[] = {0, 1, 2}, y[] = {1, 1, 1};
    cx_curve curve = {NULL, x, y, 3, 0, 0, 0};
    const cx_curves curves = {.curves = &curve, .n = 1, .low = 0, .high = 2};
    chart c;
    (void)state;
    for (int points = 0; points < 2; points++) {
        curve.has_points = points;
        paint(&c, &curves);
        double pixel = (c.range[3] - c.range[2]) / (c.plot[3] - 1);
        assert_int_equal(is_drawn(&c, 1, 1 + 3 * pixel), points);
        assert_int_equal(is_drawn(&c, 1, 1 - 3 * pixel), points);
        assert_false(is_drawn(&c, 0.5, 1 + 3 * pixel));
        cx_easel_deinit(&c.easel);
    }
}

static void the_upright_axis_ends_at_round_numbers_or_where_one_wants_it(void **state)
{
    static const double x[] = {3, 7}, y[] = {0.13, 0.88};
    const cx_curve curve = {"c", x, y, 2, 1, 0, 0};
    chart c;
    (void)state;
    paint(&c, &(cx_curves){.curves = &curve, .n = 1});
    assert_true(c.range[0] == 3 && c.range[1] == 7);
    assert_true(fabs(c.range[2] - 0.1) < 1e-9 && fabs(c.range[3] - 0.9) < 1e-9);
    cx_easel_deinit(&c.easel);
    paint(&c, &(cx_curves){.curves = &curve, .n = 1, .low = 0.2, .high = 0.5});
    assert_true(c.range[2] == 0.2 && c.range[3] == 0.5);
    cx_easel_deinit(&c.easel);
}

static void steps_are_round(void **state)
{
    (void)state;
    assert_true(fabs(cx_curves_step(0, 1, 5) - 0.2) < 1e-12);
    assert_true(fabs(cx_curves_step(0, 1, 10) - 0.1) < 1e-12);
    assert_true(cx_curves_step(0, 70, 3) == 50);
    assert_true(cx_curves_step(-12000, 1e5, 4) == 50000);
    assert_true(fabs(cx_curves_step(0, 9e-7, 9) - 1e-7) < 1e-15);
}

/* Nothing, one point, the same points, far and small values, more curves than colours and than the
 * legend has lines. */
static void odd_curves_are_drawn(void **state)
{
    enum { MANY = 40 };
    static const double x[] = {1, 1, 1}, same[] = {5, 5, 5}, none[] = {NAN, INFINITY, NAN};
    static const double far[] = {-1e308, 1e308, 0}, small[] = {1e-310, 2e-310, 0};
    static const double steps[] = {0, 1e-9, 1e9};
    const double *const ys[] = {same, none, far, small, steps};
    cx_curve many[MANY];
    chart c;
    (void)state;
    paint(&c, &(cx_curves){0});
    cx_easel_deinit(&c.easel);
    for (size_t i = 0; i < sizeof ys / sizeof ys[0]; i++)
        for (int n = 1; n <= 3; n++) {
            const cx_curve a = {"a", x, ys[i], n, 1, 0, 0}, b = {"b", ys[i], x, n, 0, 0, 0};
            paint(&c, &(cx_curves){.curves = &a, .n = 1, .width = 320, .height = 240});
            cx_easel_deinit(&c.easel);
            paint(&c, &(cx_curves){.curves = &b, .n = 1});
            cx_easel_deinit(&c.easel);
        }
    for (int k = 0; k < MANY; k++) many[k] = (cx_curve){"many", steps, steps, 3, k % 2, 0, 0};
    paint(&c, &(cx_curves){.curves = many, .n = MANY, .caption = "small print", .x_name = "x"});
    cx_easel_deinit(&c.easel);
}

static void nonsense_is_refused(void **state)
{
    cx_easel easel = {0};
    cx_bytes png;
    (void)state;
    FAILS(cx_curves_draw(&png, &easel, &(cx_curves){.width = 10}, &err), CVS_E_ARG, "10 × 500");
    FAILS(cx_curves_draw(&png, &easel, &(cx_curves){.height = 100000}, &err), CVS_E_ARG, "100000");
    FAILS(cx_curves_draw(&png, &easel, &(cx_curves){.n = 65}, &err), CVS_E_ARG, "65 curves");
    cx_easel_deinit(&easel);
}

static void running_out_of_memory_is_an_error(void **state)
{
    static const double x[] = {0, 1}, y[] = {0, 1};
    const cx_curve curve = {"a curve", x, y, 2, 1, 0, 0};
    int rc = CVS_E_NOMEM;
    (void)state;
    for (long n = 1; rc < 0; n += 1 + n / 8) {
        cx_easel easel = {0};
        cx_bytes png = {0};
        cx_alloc_fail_from(n);
        rc = cx_curves_draw(&png, &easel, &(cx_curves){.curves = &curve, .n = 1}, &err);
        cx_alloc_fail_from(0);
        assert_true(rc == 0 || rc == CVS_E_NOMEM);
        cx_bytes_deinit(&png);
        cx_easel_deinit(&easel);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_goes_through_its_points),
        cmocka_unit_test(a_value_that_is_none_is_a_gap),
        cmocka_unit_test(points_are_marked_where_one_wants_it),
        cmocka_unit_test(points_may_stand_alone_in_another_colour),
        cmocka_unit_test(a_mark_is_an_upright_line),
        cmocka_unit_test(the_upright_axis_ends_at_round_numbers_or_where_one_wants_it),
        cmocka_unit_test(steps_are_round),
        cmocka_unit_test(odd_curves_are_drawn),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return RUN(tests);
}
