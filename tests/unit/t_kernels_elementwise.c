/* t_kernels_elementwise.c - activations, softmax, scale and shift, pairs of arrays and boxes
 * against the reference. */
#include "t_kernels.h"

#include <float.h>

static const float extremes[] = {
    0,    -0.0f, 1e-30f, -1e-30f, 1e-6f, -1e-6f, 0.5f, -0.5f, 1,      -1,     6,   -6,
    20,   -20,   87,     -87,     88.5f, -88.5f, 89,   -89,   103,    -103,   200, -200,
    3000, -3000, 1e9f,   -1e9f,   1e30f, -1e30f, NAN,  3,     0.125f, -0.125f};
enum { EXTREMES = sizeof extremes / sizeof extremes[0], SWEEP = 20000 };

/* The extremes, then a sweep of -30 … 30; not a multiple of any vector. */
static int64_t activation_input(float x[EXTREMES + SWEEP + 3])
{
    memcpy(x, extremes, sizeof extremes);
    for (int i = 0; i < SWEEP + 3; i++) x[EXTREMES + i] = -30 + 60 * (float)i / SWEEP;
    return EXTREMES + SWEEP + 3;
}

/* To 1e-6 of each number itself, or the absolute error where that is larger. */
static void expect_accurate(const char *what, double absolute, const float *x, const float *y,
                            const float *want, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const double error = fabs((double)y[i] - (double)want[i]);
        const double allowed = fmax(1e-6 * fabs((double)want[i]), absolute);
        if (!(error <= allowed) && !(isnan(y[i]) && isnan(want[i])) && y[i] != want[i])
            fail_msg("%s, set %s: f(%.9g) is %.9g, not %.9g", what, cx_kernels_name(), (double)x[i],
                     (double)y[i], (double)want[i]);
    }
}

static void activations_are_accurate_to_1e_6(void **state)
{
    (void)state;
    static float x[EXTREMES + SWEEP + 3], want[EXTREMES + SWEEP + 3], y[EXTREMES + SWEEP + 3];
    const int64_t n = activation_input(x);
    static const cx_activation parameters[] = {
        {.slope = 0, .limit = INFINITY, .threshold = 0.5f},
        {.slope = 0.3f, .limit = 6, .threshold = 0},
        {.slope = 1 / 6.0f, .limit = INFINITY, .threshold = 1},
    };
    for (size_t s = 0; s < sizeof set_names / sizeof set_names[0]; s++) {
        if (cx_kernels_use(set_names[s], NULL) < 0) continue;
        for (int kind = CX_ACT_LINEAR; kind < CX_ACT_SOFTMAX; kind++)
            for (int p = 0; p < 3; p++) {
                cx_activation a = parameters[p];
                a.kind = (cx_activation_kind)kind;
                if (kind == CX_ACT_CELU && a.slope == 0) a.slope = 1; /* alpha divides */
                /* e^x may be denormal; slope x + 0.5 cancels near 0. */
                const double absolute = kind == CX_ACT_HARD_SIGMOID ? 1e-7 : 2 * (double)FLT_MIN;
                char what[64];
                snprintf(what, sizeof what, "activation %d with parameters %d", kind, p);
                cx_ref_activation_forward(&a, n, x, want);
                cx_activation_forward(&a, n, x, y);
                expect_accurate(what, absolute, x, y, want, n);
                memcpy(y, x, sizeof y);
                cx_activation_forward(&a, n, y, y);
                expect_accurate("in place", absolute, x, y, want, n);
            }
    }
}

static void clamps_are_told_apart(void **state)
{
    (void)state;
    float low, high;
    cx_activation a = {.kind = CX_ACT_RELU, .limit = 6};
    assert_true(cx_activation_is_clamp(&a, &low, &high));
    assert_true(low == 0 && high == 6);
    a.slope = 0.1f;
    assert_false(cx_activation_is_clamp(&a, &low, &high));
    a.kind = CX_ACT_LINEAR;
    assert_true(cx_activation_is_clamp(&a, &low, &high));
    assert_true(isinf(low) && low < 0 && isinf(high) && high > 0);
    a.kind = CX_ACT_TANH;
    assert_false(cx_activation_is_clamp(&a, &low, &high));
}

static void relu_of_minus_infinity_is_0(void **state)
{
    (void)state;
    const cx_activation a = {.kind = CX_ACT_RELU, .limit = INFINITY};
    const float x[2] = {-INFINITY, INFINITY};
    float y[2];
    cx_activation_forward(&a, 2, x, y);
    assert_true(y[0] == 0 && y[1] == INFINITY);
}

/* --- softmax --- */

typedef struct softmax_case {
    int logarithm;
    int64_t outer, n, inner;
    const float *x;
} softmax_case;

static void call_softmax(const void *arg, float *y, int ref)
{
    const softmax_case *k = arg;
    (ref ? cx_ref_softmax_forward : cx_softmax_forward)(k->logarithm, k->outer, k->n, k->inner,
                                                        k->x, y);
}

static void softmax_equals_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 60; s++) {
        seed((uint64_t)s);
        softmax_case k = {(int)pick(0, 1), pick(1, 9), pick(1, 40), pick(1, 5), NULL};
        const int64_t n = k.outer * k.n * k.inner;
        float *x = numbers(n);
        for (int64_t i = 0; i < n; i++) x[i] *= 200; /* e^x would overflow */
        k.x = x;
        char text[64];
        snprintf(text, sizeof text, "seed %d: softmax over %d", s, (int)k.n);
        expect_reference(call_softmax, &k, n, text);
        drop(x);
    }
}

/* --- pairs, scale and shift --- */

typedef struct pair_case {
    cx_binary_op op;
    int64_t rows, channels;
    const float *a, *b, *c;
} pair_case;

static void call_binary(const void *arg, float *y, int ref)
{
    const pair_case *k = arg;
    (ref ? cx_ref_binary_forward : cx_binary_forward)(k->op, k->rows * k->channels, k->a, k->b, y);
}

static void call_affine(const void *arg, float *y, int ref)
{
    const pair_case *k = arg;
    (ref ? cx_ref_affine_forward : cx_affine_forward)(k->rows, k->channels, k->a, k->b, k->c, y);
}

static void pairs_and_scales_equal_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 60; s++) {
        seed((uint64_t)s);
        pair_case k = {
            (cx_binary_op)(s % 5), pick(1, s % 10 ? 50 : 3000), pick(1, 70), NULL, NULL, NULL};
        const int64_t n = k.rows * k.channels;
        float *a = numbers(n), *b = numbers(n), *c = numbers(n);
        if (pick(0, 1)) a[pick(0, n - 1)] = NAN;
        if (pick(0, 1)) b[pick(0, n - 1)] = NAN;
        k.a = a;
        k.b = b;
        k.c = c;
        char text[64];
        snprintf(text, sizeof text, "seed %d: op %d on %dx%d", s, (int)k.op, (int)k.rows,
                 (int)k.channels);
        expect_reference(call_binary, &k, n, text);
        expect_reference(call_affine, &k, n, text);
        drop(a);
        drop(b);
        drop(c);
    }
}

/* --- rows of a common measure --- */

typedef struct norm_case {
    cx_norm how;
    int64_t rows, n;
    const float *x;
} norm_case;

static void call_normalize(const void *arg, float *y, int ref)
{
    const norm_case *k = arg;
    (ref ? cx_ref_normalize_forward : cx_normalize_forward)(k->how, k->rows, k->n, 1e-6, k->x, y);
}

static void normalized_rows_equal_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 80; s++) {
        seed((uint64_t)s);
        norm_case k = {(cx_norm)(s % 4), pick(1, 60), pick(1, s % 8 ? 90 : 3000), NULL};
        float *x = numbers(k.rows * k.n);
        for (int64_t i = 0; i < k.n; i++) x[i] = s % 3 ? x[i] + 100 : 0; /* far off, or nothing */
        k.x = x;
        char text[64];
        snprintf(text, sizeof text, "seed %d: %d rows of %d by rule %d", s, (int)k.rows, (int)k.n,
                 (int)k.how);
        expect_reference(call_normalize, &k, k.rows * k.n, text);
        drop(x);
    }
}

/* --- images --- */

typedef struct resize_case {
    cx_resize r;
    const float *x;
} resize_case;

static void call_resize(const void *arg, float *y, int ref)
{
    const resize_case *k = arg;
    (ref ? cx_ref_resize_forward : cx_resize_forward)(&k->r, k->x, y);
}

static void resized_images_equal_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 60; s++) {
        seed((uint64_t)s);
        cx_resize r = {.batch = pick(1, 2), .channels = pick(1, 5)};
        r.how = (cx_interpolation)(s % 3);
        for (int a = 0; a < 2; a++) {
            r.in[a] = pick(1, 12);
            r.size[a] = pick(1, r.in[a]);
            r.from[a] = pick(0, r.in[a] - r.size[a]);
            /* Powers of two, so that no place falls on two sides of a tie by a rounding. */
            r.out[a] = (int64_t)1 << pick(0, 5);
        }
        float *x = numbers(r.batch * r.in[0] * r.in[1] * r.channels);
        const resize_case k = {r, x};
        char text[64];
        snprintf(text, sizeof text, "seed %d: rule %d from %dx%d to %dx%d", s, (int)r.how,
                 (int)r.size[0], (int)r.size[1], (int)r.out[0], (int)r.out[1]);
        expect_reference(call_resize, &k, r.batch * r.out[0] * r.out[1] * r.channels, text);
        drop(x);
    }
}

/* --- boxes --- */

static void boxes_are_copied_as_the_reference_does(void **state)
{
    (void)state;
    for (int s = 1; s <= 200; s++) {
        seed((uint64_t)s);
        cx_box b = {.ndim = (int)pick(0, CX_BOX_DIMS)};
        int order[CX_BOX_DIMS];
        int64_t size = 1, room = 1;
        for (int a = 0; a < b.ndim; a++) {
            b.size[a] = s % 20 ? pick(1, 4) : pick(0, 2);
            order[a] = a;
        }
        for (int a = b.ndim - 1; a > 0 && s % 2; a--) { /* a permutation of the source */
            const int other = (int)pick(0, a), kept = order[a];
            order[a] = order[other];
            order[other] = kept;
        }
        for (int a = b.ndim - 1; a >= 0; a--) {
            b.from[order[a]] = size;
            b.to[a] = room;
            size *= b.size[order[a]];
            room *= b.size[a] + pick(0, 1);
        }
        float *x = numbers(size), *y = numbers(room), *want = numbers(room);
        memcpy(y, want, (size_t)room * sizeof *y);
        cx_copy_box(&b, x, y);
        cx_ref_copy_box(&b, x, want);
        if (memcmp(y, want, (size_t)room * sizeof *y) != 0) fail_msg("seed %d", s);
        drop(x);
        drop(y);
        drop(want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations_are_accurate_to_1e_6),
        cmocka_unit_test(clamps_are_told_apart),
        cmocka_unit_test(relu_of_minus_infinity_is_0),
        cmocka_unit_test(softmax_equals_the_reference),
        cmocka_unit_test(pairs_and_scales_equal_the_reference),
        cmocka_unit_test(normalized_rows_equal_the_reference),
        cmocka_unit_test(resized_images_equal_the_reference),
        cmocka_unit_test(boxes_are_copied_as_the_reference_does),
    };
    return RUN(tests);
}
