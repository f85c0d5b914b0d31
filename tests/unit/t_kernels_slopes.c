/* t_kernels_slopes.c - derivatives of activation functions: digits, slopes, corners. */
#include "t_kernels.h"

static const float extremes[] = {0,    -0.0f, 1e-30f, -1e-30f, 1e-6f,  -1e-6f, 88,
                                 -88,  103,   -103,   200,     -200,   3000,   -3000,
                                 1e9f, -1e9f, 1e9f,   1e30f,   -1e30f, 1e18f,  -1e18f};
enum { EXTREMES = sizeof extremes / sizeof extremes[0], SWEEP = 6000, POINTS = EXTREMES + SWEEP };

static const cx_activation parameters[] = {
    {.slope = 0, .limit = INFINITY, .threshold = 0},
    {.slope = 0, .limit = 6, .threshold = 0.5f},
    {.slope = 0.3f, .limit = 6, .threshold = 0},
    {.slope = 1 / 6.0f, .limit = INFINITY, .threshold = 1},
    {.slope = -0.2f, .limit = 3, .threshold = -0.5f},
};

enum { PARAMETERS = sizeof parameters / sizeof parameters[0] };

static cx_activation activation_of(int kind, int p)
{
    cx_activation a = parameters[p];
    a.kind = (cx_activation_kind)kind;
    if (kind == CX_ACT_CELU && a.slope <= 0) a.slope = 1; /* alpha divides */
    return a;
}

/* The extremes, then a sweep of -12 … 12 whose points avoid round numbers, where corners are. */
static void activation_input(float x[POINTS])
{
    memcpy(x, extremes, sizeof extremes);
    for (int i = 0; i < SWEEP; i++) x[EXTREMES + i] = -12 + 24 * ((float)i + 0.37f) / SWEEP;
}

/* To 1e-6 of the slope itself or of 1, the larger. The exponential of the extremes is infinite. */
static void expect_derivative(const cx_activation *a, const float *x, const float *y,
                              const float *dy, const char *what)
{
    static float want[POINTS], dx[POINTS];
    memcpy(dx, dy, sizeof dx);
    cx_ref_activation_backward(a, POINTS, x, y, dy, want);
    cx_activation_backward(a, POINTS, cx_activation_from_output(a) ? NULL : x, y, dx, dx);
    for (int i = 0; i < POINTS; i++) {
        const double error = fabs((double)dx[i] - (double)want[i]);
        const double room = 1e-6 * fmax(fabs((double)want[i]), fabs((double)dy[i]));
        if (!(error <= room) && dx[i] != want[i])
            fail_msg("%s, set %s: f'(%.9g) is %.9g, not %.9g", what, cx_kernels_name(),
                     (double)x[i], (double)dx[i], (double)want[i]);
    }
}

typedef struct slope_case {
    cx_activation a;
    int64_t n;
    const float *x, *y, *dy;
} slope_case;

static void call_activation(const void *arg, float *dx, int ref)
{
    const slope_case *k = arg;
    (ref ? cx_ref_activation_backward : cx_activation_backward)(&k->a, k->n, k->x, k->y, k->dy, dx);
}

static void derivatives_equal_the_reference(void **state)
{
    (void)state;
    for (int s = 0; s < 96; s++) {
        seed((uint64_t)s + 32000);
        slope_case k = {.a = activation_of(s % CX_ACT_SOFTMAX, (int)pick(0, PARAMETERS - 1)),
                        .n = pick(1, s % 5 ? 100 : 10000)};
        float *x = numbers(k.n), *y = numbers(k.n), *dy = numbers(k.n);
        char text[64];
        for (int64_t i = 0; i < k.n; i++) x[i] = x[i] * 3 + 0.01f; /* no corner */
        cx_activation_forward(&k.a, k.n, x, y);
        k.x = x;
        k.y = y;
        k.dy = dy;
        snprintf(text, sizeof text, "seed %d: activation %d of %d", s, (int)k.a.kind, (int)k.n);
        expect_reference(call_activation, &k, k.n, text);
        drop(x);
        drop(y);
        drop(dy);
    }
}

static void derivatives_are_accurate_to_1e_6(void **state)
{
    (void)state;
    static float x[POINTS], y[POINTS], dy[POINTS];
    activation_input(x);
    for (int i = 0; i < POINTS; i++) dy[i] = i % 3 ? 1 : -0.3f;
    for (size_t s = 0; s < sizeof set_names / sizeof set_names[0]; s++) {
        if (cx_kernels_use(set_names[s], NULL) < 0) continue;
        for (int kind = CX_ACT_LINEAR; kind < CX_ACT_SOFTMAX; kind++)
            for (int p = 0; p < PARAMETERS; p++) {
                const cx_activation a = activation_of(kind, p);
                char what[64];
                snprintf(what, sizeof what, "activation %d with parameters %d", kind, p);
                cx_activation_forward(&a, POINTS, x, y);
                expect_derivative(&a, x, y, dy, what);
            }
    }
}

static int near_corner(const cx_activation *a, float x, float h)
{
    const float corners[] = {0, a->threshold, -a->threshold,   a->limit,        1, -1,
                             3, -3,           0.5f / a->slope, -0.5f / a->slope};
    for (size_t i = 0; i < sizeof corners / sizeof corners[0]; i++)
        if (fabsf(x - corners[i]) <= 2 * h) return 1;
    return 0;
}

/* Central differences of 1/128 on both sides: the curve leaves 1e-5 f''' in doubt, 4e-4 of the celu
 * with the least alpha. */
static void derivatives_are_the_slopes_of_differences(void **state)
{
    (void)state;
    static float x[POINTS], moved[POINTS], y[POINTS], before[POINTS], after[POINTS], dx[POINTS];
    static float ones[POINTS];
    const float h = 1 / 128.0f;
    activation_input(x);
    for (int i = 0; i < POINTS; i++) ones[i] = 1;
    for (int kind = CX_ACT_LINEAR; kind < CX_ACT_SOFTMAX; kind++)
        for (int p = 0; p < PARAMETERS; p++) {
            const cx_activation a = activation_of(kind, p);
            for (int i = 0; i < POINTS; i++) moved[i] = x[i] - h;
            cx_ref_activation_forward(&a, POINTS, moved, before);
            for (int i = 0; i < POINTS; i++) moved[i] = x[i] + h;
            cx_ref_activation_forward(&a, POINTS, moved, after);
            cx_ref_activation_forward(&a, POINTS, x, y);
            cx_activation_backward(&a, POINTS, x, y, ones, dx);
            for (int i = EXTREMES; i < POINTS; i++) {
                const double slope = (double)(after[i] - before[i]) / (2 * (double)h);
                const double error = fabs(slope - (double)dx[i]);
                if (!(error <= 1e-3 * fmax(1, fabs(slope))) && !near_corner(&a, x[i], h))
                    fail_msg("activation %d with parameters %d: f'(%.9g) is %.9g, by differences "
                             "%.9g",
                             kind, p, (double)x[i], (double)dx[i], slope);
            }
        }
}

static void corners_are_as_tensorflow_has_them(void **state)
{
    (void)state;
    static const struct {
        cx_activation a;
        float x, slope;
    } corners[] = {
        {{CX_ACT_RELU, 0, INFINITY, 0}, 0, 0},
        {{CX_ACT_RELU, 0.25f, INFINITY, 0}, 0, 0.25f},
        {{CX_ACT_RELU, 0, 6, 0}, 6, 0},
        {{CX_ACT_RELU, 0, INFINITY, 1}, 1, 0},
        {{CX_ACT_ELU, 0.5f, INFINITY, 0}, 0, 0.5f},
        {{CX_ACT_CELU, 2, INFINITY, 0}, 0, 1},
        {{CX_ACT_SELU, 0, INFINITY, 0}, 0, 1.0507009873554805f},
        {{CX_ACT_HARD_SIGMOID, 1 / 6.0f, INFINITY, 0}, 3, 0},
        {{CX_ACT_HARD_SIGMOID, 1 / 6.0f, INFINITY, 0}, -3, 0},
        {{CX_ACT_HARD_SILU, 0, INFINITY, 0}, -3, 0},
        {{CX_ACT_HARD_SILU, 0, INFINITY, 0}, 3, 1},
        {{CX_ACT_SOFT_SHRINK, 0, INFINITY, 0.5f}, 0.5f, 0},
        {{CX_ACT_HARD_SHRINK, 0, INFINITY, 0.5f}, -0.5f, 0},
        {{CX_ACT_HARD_TANH, 0, INFINITY, 0}, 1, 0},
        {{CX_ACT_THRESHOLDED_RELU, 0, INFINITY, 1}, 1, 0},
    };
    for (size_t i = 0; i < sizeof corners / sizeof corners[0]; i++) {
        const float one = 1;
        float y, dx;
        cx_activation_forward(&corners[i].a, 1, &corners[i].x, &y);
        cx_activation_backward(&corners[i].a, 1, &corners[i].x, &y, &one, &dx);
        if (dx != corners[i].slope)
            fail_msg("corner %zu: %.9g, not %.9g", i, (double)dx, (double)corners[i].slope);
    }
}

/* A leak upwards to the left: two x have the same y. */
static void an_output_that_says_too_little_is_told(void **state)
{
    (void)state;
    cx_activation a = {.kind = CX_ACT_RELU, .limit = INFINITY};
    assert_true(cx_activation_from_output(&a));
    a.slope = -0.1f;
    assert_false(cx_activation_from_output(&a));
    a = (cx_activation){.kind = CX_ACT_RELU, .limit = INFINITY, .threshold = -1};
    assert_false(cx_activation_from_output(&a));
    a.kind = CX_ACT_SILU;
    assert_false(cx_activation_from_output(&a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivatives_equal_the_reference),
        cmocka_unit_test(derivatives_are_accurate_to_1e_6),
        cmocka_unit_test(derivatives_are_the_slopes_of_differences),
        cmocka_unit_test(corners_are_as_tensorflow_has_them),
        cmocka_unit_test(an_output_that_says_too_little_is_told),
    };
    return RUN(tests);
}
