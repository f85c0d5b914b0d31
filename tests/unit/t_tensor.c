/* t_tensor.c - shapes, tensors, statistics. */
#include "test.h"

#include <math.h>

#include "tensor/stats.h"

#define SHAPE(...) (&(cx_shape){sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), {__VA_ARGS__}})

static uint32_t seed;
static float uniform(void) /* -1 … 1 */
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) * 0x1p-23f - 1;
}

/* --- shapes --- */

static void shapes_read_as_python_writes_them(void **state)
{
    (void)state;
    char buf[CX_SHAPE_TEXT];
    assert_string_equal(cx_shape_text(buf, SHAPE(-1, 148, 148, 32)), "(None, 148, 148, 32)");
    assert_string_equal(cx_shape_text(buf, SHAPE(7)), "(7,)");
    assert_string_equal(cx_shape_text(buf, &(cx_shape){0}), "()");
}

static void shape_counts_refuse_nonsense(void **state)
{
    (void)state;
    const int64_t big = (int64_t)1 << 40;
    assert_int_equal(cx_shape_count(SHAPE(2, 3, 4)), 24);
    assert_int_equal(cx_shape_count_range(SHAPE(2, 3, 4), 1, 3), 12);
    assert_int_equal(cx_shape_count(&(cx_shape){0}), 1);
    assert_int_equal(cx_shape_count(SHAPE(2, -1)), -1);
    assert_int_equal(cx_shape_count(SHAPE(big)), big);
    assert_int_equal(cx_shape_count(SHAPE(big, 2)), -1);
    assert_int_equal(cx_shape_count(SHAPE(INT64_MAX, INT64_MAX)), -1);
    assert_true(cx_shape_equal(SHAPE(1, 2), SHAPE(1, 2)));
    assert_false(cx_shape_equal(SHAPE(1, 2), SHAPE(1, 2, 1)));
    assert_false(cx_shape_is_known(SHAPE(-1, 2)));
}

static void tensors_are_zero_or_refused(void **state)
{
    (void)state;
    cvs_error err;
    cx_tensor t;
    OK(cx_tensor_init(&t, SHAPE(3, 5), &err));
    for (int i = 0; i < 15; i++) assert_true(t.data[i] == 0);
    cx_tensor_deinit(&t);
    FAILS(cx_tensor_init(&t, SHAPE(-1, 5), &err), CVS_E_NOMEM, "(None, 5)");
    assert_null(t.data);
}

/* --- statistics --- */

static void near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12 * (1 + fabs(b)))) fail_msg("%.17g is not %.17g", a, b);
}

/* The definition, in plain loops. */
static cvs_stats naive(const float *x, int64_t n, int64_t step)
{
    cvs_stats s = {.min = INFINITY, .max = -INFINITY};
    for (int64_t i = 0; i < n; i++) {
        double v = (double)x[i * step];
        s.n_nan += isnan(v) != 0;
        s.n_inf += isinf(v) != 0;
        if (!isfinite(v)) continue;
        s.count++;
        s.min = fmin(s.min, v);
        s.max = fmax(s.max, v);
        s.mean += v;
        s.sparsity += v <= 0;
    }
    s.mean /= (double)s.count;
    s.sparsity /= (double)s.count;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(x[i * step]))
            s.std += ((double)x[i * step] - s.mean) * ((double)x[i * step] - s.mean);
    s.std = sqrt(s.std / (double)s.count);
    return s;
}

static void same(const cvs_stats *a, const cvs_stats *b)
{
    near(a->min, b->min);
    near(a->max, b->max);
    near(a->mean, b->mean);
    near(a->std, b->std);
    near(a->sparsity, b->sparsity);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->n_nan, b->n_nan);
    assert_int_equal(a->n_inf, b->n_inf);
}

static void stats_are_what_they_are_defined_to_be(void **state)
{
    (void)state;
    const int64_t cases[][2] = {{1, 1},    {1, 40},   {700, 1}, {257, 3},
                                {256, 16}, {513, 33}, {10, 130}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        int64_t positions = cases[k][0], channels = cases[k][1];
        float *x = test_malloc((size_t)(positions * channels) * sizeof *x);
        cvs_stats *s = test_malloc((size_t)channels * sizeof *s), whole, wanted;
        for (int64_t i = 0; i < positions * channels; i++) x[i] = 1000 + uniform() * 1001;
        if (positions > 4)
            for (int64_t c = 0; c < channels; c++) {
                x[channels + c] = NAN;
                x[2 * channels + c] = c % 2 ? INFINITY : -INFINITY;
            }
        cx_stats_channels(s, x, positions, channels);
        for (int64_t c = 0; c < channels; c++) {
            wanted = naive(x + c, positions, channels);
            same(&s[c], &wanted);
        }
        cx_stats_pool(&whole, s, channels);
        wanted = naive(x, positions * channels, 1);
        same(&whole, &wanted);
        test_free(x);
        test_free(s);
    }
}

static void dead_is_constant_and_not_above_zero(void **state)
{
    (void)state;
    float x[4][6] = {
        {0, -2, 1, 0, 0, NAN}, {0, -2, 1, -1, 0, 0}, {0, -2, 1, 0, 0, 0}, {0, -2, 1, 0, 2, 0}};
    const int dead[6] = {1, 1, 0, 0, 0, 0};
    cvs_stats s[6], whole;
    cx_stats_channels(s, x[0], 4, 6);
    for (int c = 0; c < 6; c++) assert_int_equal(s[c].dead, dead[c]);
    assert_true(s[1].std == 0);
    assert_true(s[2].sparsity == 0);
    cx_stats_pool(&whole, s, 6);
    assert_int_equal(whole.dead, 0);
    cx_stats_pool(&whole, s, 1);
    assert_int_equal(whole.dead, 1);
}

static void stats_of_nothing_are_zero(void **state)
{
    (void)state;
    const float x[3] = {NAN, INFINITY, -INFINITY};
    cvs_stats s[3], whole;
    cx_stats_channels(s, x, 1, 3);
    cx_stats_pool(&whole, s, 3);
    assert_int_equal(s[0].n_nan, 1);
    assert_int_equal(s[1].n_inf, 1);
    assert_int_equal(whole.count, 0);
    assert_int_equal(whole.n_inf, 2);
    assert_true(whole.min == 0 && whole.max == 0 && whole.mean == 0 && whole.std == 0);
    assert_int_equal(whole.dead, 0);
    cx_stats_pool(&whole, NULL, 0);
    assert_int_equal(whole.count, 0);
}

static void stats_far_from_zero_keep_their_digits(void **state)
{
    (void)state;
    static float x[1000];
    for (int i = 0; i < 1000; i++) x[i] = 16777216.0f - (float)(i % 2);
    cvs_stats s;
    cx_stats_channels(&s, x, 1000, 1);
    near(s.mean, 16777215.5);
    near(s.std, 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_read_as_python_writes_them),
        cmocka_unit_test(shape_counts_refuse_nonsense),
        cmocka_unit_test(tensors_are_zero_or_refused),
        cmocka_unit_test(stats_are_what_they_are_defined_to_be),
        cmocka_unit_test(dead_is_constant_and_not_above_zero),
        cmocka_unit_test(stats_of_nothing_are_zero),
        cmocka_unit_test(stats_far_from_zero_keep_their_digits),
    };
    return RUN(tests);
}
