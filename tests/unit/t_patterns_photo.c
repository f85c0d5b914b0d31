/* t_patterns_photo.c - a photograph as waves, as pixels, and as what a picture is compared with. */
#include "tiny.h"

#include <math.h>

#include "base/random.h"
#include "patterns/dream.h"
#include "patterns/leak.h"

static float even(uint64_t seed, int64_t i)
{
    return (float)cx_random_uniform(seed, (uint64_t)i);
}

/* --- waves --- */

static void waves_paint_the_photograph_they_were_found_from(void **state)
{
    (void)state;
    static const int sizes[][3] = {{24, 31, 3}, {17, 16, 1}, {150, 60, 7}};
    static const cvs_dream_kind kinds[] = {CVS_DREAM, CVS_INVERT};
    for (int k = 0; k < 6; k++) {
        const int *s = sizes[k % 3];
        cx_painting p;
        const cx_recipe *r = cx_dream_recipe(kinds[k / 3], NULL, &err);
        OK(cx_painting_init(&p, r, s[0], s[1], s[2], CVS_PREPROCESS_UNIT, &err));
        const int64_t all = p.height * p.width * s[2], n = s[0] * s[1] * s[2];
        float *start = cx_calloc((size_t)n, sizeof *start);
        float *whole = cx_calloc((size_t)all, sizeof *whole);
        float *numbers = cx_calloc((size_t)p.n, sizeof *numbers);
        float *room = cx_calloc(p.room, sizeof *room);
        for (int64_t i = 0; i < n; i++) start[i] = 1.F / 512 + even(3, i) * 510.F / 512;
        cx_painting_begin(&p, start, numbers, whole, room);
        memset(whole, 0, (size_t)all * sizeof *whole);
        cx_painting_draw(&p, numbers, whole, room);
        for (int y = 0; y < s[0]; y++)
            for (int i = 0; i < s[1] * s[2]; i++) {
                const float got = whole[((y + p.margin) * p.width + p.margin) * s[2] + i];
                assert_true(fabsf(got - start[y * s[1] * s[2] + i]) < 1e-5f);
            }
        cx_free(start);
        cx_free(whole);
        cx_free(numbers);
        cx_free(room);
        cx_painting_deinit(&p);
    }
}

static void units_lead_back_to_pixels(void **state)
{
    (void)state;
    for (int mode = CVS_PREPROCESS_RAW; mode <= CVS_PREPROCESS_CAFFE; mode++) {
        cx_units u;
        float v[3] = {10, 130, 250}, x[3], back[3];
        OK(cx_units_init(&u, 3, (cvs_preprocess)mode, &err));
        cx_units_apply(&u, v, x);
        cx_units_invert(&u, x, back);
        for (int c = 0; c < 3; c++) assert_true(fabsf(back[c] - v[c]) < 1e-3f);
    }
}

/* --- what compares --- */

/* The value for x where the reference is another picture; its derivative by x into d. */
static double compare(const char *text, const cvs_model *m, const float *x, float *d)
{
    const cx_spot from = {m->inputs[0], 0};
    cx_gradient_options how = {.batch = 1, .from = &from, .n_from = 1, .keep = -1};
    const int64_t zero = 0;
    double value;
    cx_objective *o;
    cx_gradient *g;
    OK(cx_objective_new(&o, m, text, 0, &err));
    how.to = cx_objective_spots(o, &how.n_to);
    OK(cx_gradient_new(&g, m, &how, &err));
    numbers(cx_run_input(g->run, 0, 0, 1)->data);
    OK(cx_gradient_forward(g, &err));
    OK(cx_objective_refer(o, g->run, &err));
    if (x) memcpy(cx_run_input(g->run, 0, 0, 1)->data, x, CELLS * sizeof *x);
    OK(cx_gradient_forward(g, &err));
    OK(cx_objective_measure(o, g->run, g, &zero, 1, 1, &value, &err));
    OK(cx_gradient_backward(g, NULL, &err));
    memcpy(d, cx_gradient_result(g, 0)->data, CELLS * sizeof *d);
    cx_gradient_free(g);
    cx_objective_free(o);
    return value;
}

static void comparisons_have_their_derivative(void **state)
{
    (void)state;
    static const char *const texts[] = {"like(conv)", "like(conv, 3)", "same(pool)",
                                        "stronger(conv)", "inner(conv)"};
    cvs_model *m = rectified(3);
    float x[CELLS], d[CELLS], unused[CELLS];
    for (int i = 0; i < CELLS; i++) x[i] = even(5, i) - 0.3f;
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        double largest = 0;
        compare(texts[k], m, x, d);
        for (int i = 0; i < CELLS; i++) largest = fmax(largest, fabs((double)d[i]));
        assert_true(largest > 1e-4);
        for (int i = 0; i < CELLS; i++) {
            const float was = x[i], step = 1e-3f;
            x[i] = was + step;
            const double above = compare(texts[k], m, x, unused);
            x[i] = was - step;
            const double below = compare(texts[k], m, x, unused);
            x[i] = was;
            const double slope = (above - below) / (2 * (double)step);
            if (fabs(slope - (double)d[i]) > 2e-2 * largest)
                fail_msg("%s: by %d is %g, not %g", texts[k], i, (double)d[i], slope);
        }
    }
    assert_true(fabs(compare("stronger(conv)", m, NULL, unused) - 1) < 1e-6);
    assert_true(fabs(compare("same(conv)", m, NULL, unused)) < 1e-12);
    cvs_model_free(m);
}

static void shut_rectifiers_let_through_what_opens_them(void **state)
{
    (void)state;
    const cx_activation relu6 = {CX_ACT_RELU, 0, 6, 0}, elu = {CX_ACT_ELU, 1, 0, 0};
    float y[6] = {0, 0, 3, 3, 6, 6}, dy[6] = {1, -1, 1, -1, 1, -1}, dx[6];
    static const float want[6] = {0.25f, 0, 1, -1, 0, -0.25f};
    const cx_tensor t = {.data = y, .shape = {1, {6}}};
    double leak = 0.25;
    assert_int_equal(cx_leak_activation(&leak, 0, &relu6, NULL, &t, dy, dx, &err), 1);
    assert_memory_equal(dx, want, sizeof want);
    assert_int_equal(cx_leak_activation(&leak, 0, &elu, NULL, &t, dy, dx, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waves_paint_the_photograph_they_were_found_from),
        cmocka_unit_test(units_lead_back_to_pixels),
        cmocka_unit_test(comparisons_have_their_derivative),
        cmocka_unit_test(shut_rectifiers_let_through_what_opens_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
