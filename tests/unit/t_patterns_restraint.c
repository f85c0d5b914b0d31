/* t_patterns_restraint.c - what keeps a climb in check, against plain sums and central differences,
 * and the ways that a recipe does not have. */
#include "tiny.h"

#include <math.h>

#include "base/random.h"
#include "patterns/climb.h"

enum { HEIGHT = 5, WIDTH = 4, COLOURS = 3, ACROSS = WIDTH * COLOURS, ALL = HEIGHT * ACROSS };

static void picture(float x[ALL])
{
    for (int i = 0; i < ALL; i++) x[i] = (float)cx_random_normal(11, (uint64_t)i);
}

/* --- penalties --- */

typedef double (*penalty)(const float *x, double power, float *d);

static double variation(const float *x, double power, float *d)
{
    (void)power;
    return cx_restrain_variation(x, HEIGHT, WIDTH, COLOURS, 0.7, d);
}

static double size(const float *x, double power, float *d)
{
    return cx_restrain_size(x, ALL, 0.25, power, 0.7, d);
}

static void penalties_are_means_as_tf_keras_vis_has_them(void **state)
{
    (void)state;
    static const double powers[] = {1, 2, 6};
    float x[ALL];
    double sum = 0;
    picture(x);
    for (int y = 0; y < HEIGHT; y++)
        for (int i = 0; i < ACROSS; i++) {
            const double v = (double)x[y * ACROSS + i];
            if (y + 1 < HEIGHT) sum += fabs((double)x[(y + 1) * ACROSS + i] - v);
            if (i + COLOURS < ACROSS) sum += fabs((double)x[y * ACROSS + i + COLOURS] - v);
        }
    assert_true(fabs(variation(x, 1, NULL) - 0.7 * sum / ALL) < 1e-9);
    for (size_t k = 0; k < sizeof powers / sizeof *powers; k++) {
        double norm = 0;
        for (int i = 0; i < ALL; i++) norm += pow(fabs((double)x[i] - 0.25), powers[k]);
        norm = pow(norm, 1 / powers[k]) / pow(ALL, 1 / powers[k]);
        assert_true(fabs(size(x, powers[k], NULL) - 0.7 * norm) < 1e-9);
    }
}

static void penalties_have_their_derivative(void **state)
{
    (void)state;
    static const struct {
        penalty of;
        double power;
    } cases[] = {{variation, 1}, {size, 1}, {size, 2}, {size, 3}, {size, 6}, {size, 1.5}};
    float x[ALL], d[ALL];
    picture(x);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        for (int i = 0; i < ALL; i++) d[i] = 1; /* it is taken off what there is */
        cases[k].of(x, cases[k].power, d);
        for (int i = 0; i < ALL; i++) {
            const float was = x[i], step = 1e-3f;
            x[i] = was + step;
            const double above = cases[k].of(x, cases[k].power, NULL);
            x[i] = was - step;
            const double below = cases[k].of(x, cases[k].power, NULL);
            x[i] = was;
            const double slope = (above - below) / (2 * (double)step);
            if (fabs(slope - (1 - (double)d[i])) > 1e-4)
                fail_msg("case %d: by %d is %g, not %g", (int)k, i, 1 - (double)d[i], slope);
        }
    }
}

static void an_even_picture_has_no_penalty_and_no_slope(void **state)
{
    (void)state;
    float x[ALL], d[ALL] = {0};
    for (int i = 0; i < ALL; i++) x[i] = 0.25f;
    assert_true(size(x, 2, d) == 0);
    for (int i = 0; i < ALL; i++) assert_true(d[i] == 0);
    assert_true(variation(x, 1, NULL) == 0);
}

/* --- blurs --- */

static void a_blur_keeps_what_is_even_and_spreads_the_rest(void **state)
{
    (void)state;
    float x[ALL], room[ALL];
    double sum = 0, narrow, wide;
    for (int i = 0; i < ALL; i++) x[i] = 0.5f;
    cx_restrain_blur(x, HEIGHT, WIDTH, COLOURS, 1.3, room);
    for (int i = 0; i < ALL; i++) assert_true(fabsf(x[i] - 0.5f) < 1e-6f);
    picture(x);
    narrow = variation(x, 1, NULL);
    for (int i = 1; i < ALL; i += COLOURS) sum += (double)x[i];
    cx_restrain_blur(x, HEIGHT, WIDTH, COLOURS, 0.8, room);
    wide = variation(x, 1, NULL);
    for (int i = 1; i < ALL; i += COLOURS) sum -= (double)x[i];
    assert_true(fabs(sum) < 1e-5); /* a mirror at the edge loses nothing */
    assert_true(wide < narrow / 2);
}

/* Both blurs are Gauss windows: a wave of frequency f keeps exp(-2 (pi s f)²) of its height. */
static void waves_blur_as_pixels_do(void **state)
{
    (void)state;
    enum { SIDE_OF_WAVES = 32 };
    const int n = SIDE_OF_WAVES;
    const double sigma = 1.5, f = 4. / n, keeps = exp(-2 * pow(CX_PI * sigma * f, 2));
    float plane[SIDE_OF_WAVES * SIDE_OF_WAVES], blurred[SIDE_OF_WAVES * SIDE_OF_WAVES];
    float a[2 * SIDE_OF_WAVES * (SIDE_OF_WAVES / 2 + 1)], room[8192];
    cx_fourier w;
    for (int i = 0; i < n * n; i++)
        plane[i] = blurred[i] = (float)cos(2 * CX_PI * f * (i % n + 0.5)); /* even at the edge */
    OK(cx_fourier_init(&w, n, n, 1, &err));
    assert_true(cx_fourier_room(&w) <= 8192);
    cx_fourier_solve(&w, plane, a, room);
    cx_fourier_blur(&w, sigma, a);
    cx_fourier_paint(&w, a, plane, room);
    cx_restrain_blur(blurred, n, n, 1, sigma, room);
    for (int i = 0; i < n * n; i++) {
        const double want = keeps * cos(2 * CX_PI * f * (i % n + 0.5));
        assert_true(fabs((double)plane[i] - want) < 1e-5);
        assert_true(fabs((double)blurred[i] - want) < 1e-2); /* the window ends somewhere */
    }
    cx_fourier_deinit(&w);
}

/* --- in a climb --- */

static cvs_patterns *find(const cvs_model *m, const cvs_pattern_options *how)
{
    static const int64_t zero = 0;
    cvs_patterns *p;
    OK(cvs_patterns_find(&p, m, "conv", &zero, 1, how, &err));
    return p;
}

static double variation_of(const cvs_patterns *p)
{
    return cx_restrain_variation(p->data, p->height, p->width, p->channels, 1, NULL);
}

static void what_is_held_in_check_is_less(void **state)
{
    (void)state;
    static const char *const recipes[] = {"lucid", "maco", "tkv"};
    cvs_model *m = rectified(3);
    for (size_t k = 0; k < sizeof recipes / sizeof *recipes; k++) {
        cvs_pattern_options how = {.method = recipes[k],
                                   .objective = "layer(conv)",
                                   .variation = -1,
                                   .norm = -1,
                                   .steps = 100,
                                   .height = 24,
                                   .width = 24};
        cvs_patterns *free_one = find(m, &how);
        how.variation = 1;
        cvs_patterns *smooth = find(m, &how);
        if (!(variation_of(smooth) < variation_of(free_one)))
            fail_msg("%s: variation %g, then %g", recipes[k], variation_of(free_one),
                     variation_of(smooth));
        cvs_patterns_free(free_one);
        cvs_patterns_free(smooth);
    }
    cvs_pattern_options how = {.method = "book2", .steps = 40};
    cvs_patterns *free_one = find(m, &how);
    how.norm = 1e4;
    how.norm_power = 2;
    cvs_patterns *small = find(m, &how);
    double far = 0, near = 0;
    for (int i = 0; i < CELLS; i++) {
        far = fmax(far, fabs((double)free_one->data[i] - 0.5));
        near = fmax(near, fabs((double)small->data[i] - 0.5));
    }
    assert_true(near < far);
    cvs_patterns_free(free_one);
    cvs_patterns_free(small);
    cvs_model_free(m);
}

static void a_blur_smooths_what_grows(void **state)
{
    (void)state;
    static const char *const recipes[] = {"lucid", "tkv"};
    cvs_model *m = rectified(3);
    for (size_t k = 0; k < 2; k++) {
        cvs_pattern_options how = {.method = recipes[k],
                                   .objective = "layer(conv)",
                                   .steps = 40,
                                   .height = 24,
                                   .width = 24};
        cvs_patterns *sharp = find(m, &how);
        how.blur = 0.6;
        cvs_patterns *smooth = find(m, &how);
        if (!(variation_of(smooth) < variation_of(sharp) / 2))
            fail_msg("%s: variation %g, then %g", recipes[k], variation_of(sharp),
                     variation_of(smooth));
        cvs_patterns_free(sharp);
        cvs_patterns_free(smooth);
    }
    cvs_model_free(m);
}

static void octaves_take_all_steps_each(void **state)
{
    (void)state;
    static const char *const recipes[] = {"tkv", "book1", "book3"};
    cvs_model *m = rectified(3);
    for (size_t k = 0; k < sizeof recipes / sizeof *recipes; k++) {
        cvs_pattern_options how = {
            .method = recipes[k], .steps = 4, .octaves = 3, .height = 80, .width = 70};
        cvs_patterns *p = find(m, &how);
        assert_int_equal(p->steps[0], 12);
        assert_true(p->height == 80 && p->width == 70 && p->done == 1);
        cvs_patterns_free(p);
    }
    cvs_model_free(m);
}

static void ways_that_a_recipe_has_not_are_told(void **state)
{
    (void)state;
    static const struct {
        cvs_pattern_options how;
        const char *says;
    } cases[] = {
        {{.method = "lucid", .octaves = 2}, "no octaves"},
        {{.method = "maco", .octaves = 3}, "no octaves"},
        {{.method = "maco", .blur = 1}, "blur"},
        {{.method = "kernels", .blur = 1}, "nothing grows"},
        {{.method = "kernels", .variation = 1}, "nothing grows"},
        {{.method = "tkv", .octaves = 2, .octave_scale = 0.5}, "octaves"},
        {{.method = "tkv", .norm = 1, .norm_power = 0.5}, "power"},
    };
    static const int64_t zero = 0;
    cvs_model *m = rectified(3);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        cvs_patterns *p;
        assert_int_equal(cvs_patterns_find(&p, m, "conv", &zero, 1, &cases[k].how, &err),
                         CVS_E_ARG);
        assert_null(p);
        if (!strstr(err.what, cases[k].says)) fail_msg("%s", err.what);
    }
    cvs_model_free(m);
}

/* --- on the way from one objective to another --- */

/* The first of five versions climbs the one, the last the other, and the middle one both. */
static void t_goes_from_the_first_version_to_the_last(void **state)
{
    (void)state;
    static const int64_t zero = 0;
    static const char *const texts[] = {"(1 - t) * channel(conv, 0) + t * channel(conv, 1)", "t",
                                        "channel(conv, 0) + 0 * t"};
    cvs_model *m = rectified(3);
    cvs_pattern_options how = {.objective = texts[0], .versions = 5, .steps = 5};
    cvs_patterns *p, *one;
    OK(cvs_patterns_find(&p, m, NULL, &zero, 1, &how, &err));
    assert_int_equal(p->n, 5);
    for (int i = 0; i < 5; i++) {
        /* What the network makes of even noise is the same for all, but for t. */
        const double want = p->noise[0] + (p->noise[4] - p->noise[0]) * i / 4;
        assert_true(fabs(p->noise[i] - want) < 1e-6);
    }
    assert_true(p->noise[0] != p->noise[4]);
    how.versions = 1; /* t is 0 */
    OK(cvs_patterns_find(&one, m, NULL, &zero, 1, &how, &err));
    assert_memory_equal(one->data, p->data, CELLS * sizeof(float));
    cvs_patterns_free(one);
    cvs_patterns_free(p);
    how.objective = texts[1];
    assert_int_equal(cvs_patterns_find(&p, m, NULL, &zero, 1, &how, &err), CVS_E_ARG);
    assert_non_null(strstr(err.what, "no layer"));
    how.objective = texts[2];
    OK(cvs_patterns_find(&p, m, NULL, &zero, 1, &how, &err));
    cvs_patterns_free(p);
    how.objective = "channel(conv, 0) + t(1)";
    assert_int_equal(cvs_patterns_find(&p, m, NULL, &zero, 1, &how, &err), CVS_E_ARG);
    assert_non_null(strstr(err.what, "at 20"));
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(penalties_are_means_as_tf_keras_vis_has_them),
        cmocka_unit_test(penalties_have_their_derivative),
        cmocka_unit_test(an_even_picture_has_no_penalty_and_no_slope),
        cmocka_unit_test(a_blur_keeps_what_is_even_and_spreads_the_rest),
        cmocka_unit_test(waves_blur_as_pixels_do),
        cmocka_unit_test(what_is_held_in_check_is_less),
        cmocka_unit_test(a_blur_smooths_what_grows),
        cmocka_unit_test(octaves_take_all_steps_each),
        cmocka_unit_test(ways_that_a_recipe_has_not_are_told),
        cmocka_unit_test(t_goes_from_the_first_version_to_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
