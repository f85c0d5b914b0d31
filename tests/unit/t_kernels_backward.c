/* t_kernels_backward.c - derivatives of scales, pairs, softmax, norms and what moves numbers:
 * against the reference, against differences of the forward, and as the adjoint of what is linear.
 */
#include "t_slopes.h"

#include "layers/layer.h"

/* --- scale and shift, pairs --- */

typedef struct rows_case {
    int64_t rows, channels;
    int what; /* 1: scale, 2: shift, 3: both */
    const float *x, *dy, *start;
} rows_case;

static void call_weights(const void *arg, float *sums, int ref)
{
    const rows_case *k = arg;
    memcpy(sums, k->start, (size_t)(2 * k->channels) * sizeof *sums);
    (ref ? cx_ref_affine_backward_weights : cx_affine_backward_weights)(
        k->rows, k->channels, k->what & 1 ? k->x : NULL, k->dy, k->what & 1 ? sums : NULL,
        k->what & 2 ? sums + k->channels : NULL);
}

static void call_scale(const void *arg, float *dx, int ref)
{
    const rows_case *k = arg;
    (ref ? cx_ref_affine_forward : cx_affine_forward)(k->rows, k->channels, k->dy, k->start, NULL,
                                                      dx);
}

static void sums_for_scale_and_shift_equal_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 60; s++) {
        seed((uint64_t)s + 24000);
        rows_case k = {pick(1, s % 10 ? 50 : 3000), pick(1, 90), 1 + s % 3, NULL, NULL, NULL};
        float *x = numbers(k.rows * k.channels), *dy = numbers(k.rows * k.channels);
        float *start = numbers(2 * k.channels);
        char text[64];
        k.x = x;
        k.dy = dy;
        k.start = start;
        snprintf(text, sizeof text, "seed %d: sums %d of %dx%d", s, k.what, (int)k.rows,
                 (int)k.channels);
        expect_reference(call_weights, &k, 2 * k.channels, text);
        expect_reference(call_scale, &k, k.rows * k.channels, text);
        drop(x);
        drop(dy);
        drop(start);
    }
}

typedef struct pair_case {
    cx_binary_op op;
    int64_t n;
    const float *a, *b, *dy;
} pair_case;

static void call_pair(const void *arg, float *both, int ref)
{
    const pair_case *k = arg;
    (ref ? cx_ref_binary_backward : cx_binary_backward)(k->op, k->n, k->a, k->b, k->dy, both,
                                                        both + k->n);
}

/* One side in the place of dy, then the other, alone. */
static void call_sides(const void *arg, float *both, int ref)
{
    const pair_case *k = arg;
    if (ref) {
        call_pair(arg, both, 1);
        return;
    }
    const int reads = k->op != CX_ADD && k->op != CX_SUBTRACT;
    const float *a = reads ? k->a : NULL, *b = reads ? k->b : NULL;
    memcpy(both, k->dy, (size_t)k->n * sizeof *both);
    cx_binary_backward(k->op, k->n, a, b, both, both, NULL);
    cx_binary_backward(k->op, k->n, a, b, k->dy, NULL, both + k->n);
}

static void pair_forward(const void *arg, const float *x, float *y)
{
    const pair_case *k = arg;
    cx_ref_binary_forward(k->op, k->n, x, x + k->n, y);
}

static void pairs_equal_the_reference_and_differences(void **state)
{
    (void)state;
    for (int s = 1; s <= 50; s++) {
        seed((uint64_t)s + 25000);
        const int64_t n = s % 10 < 5 ? pick(1, 60) : pick(1, 40000);
        float *x = numbers(2 * n), *dy = numbers(n), *both = numbers(2 * n);
        const pair_case k = {(cx_binary_op)(s % 5), n, x, x + n, dy};
        char text[64];
        snprintf(text, sizeof text, "seed %d: op %d on %d", s, (int)k.op, (int)n);
        make_coarse(x, 2 * n);
        expect_reference(call_pair, &k, 2 * n, text);
        expect_reference(call_sides, &k, 2 * n, text);
        if (n <= 60) {
            for (int64_t i = 0; i < n; i++) x[i] += 0.1f; /* no ties: they have no slope */
            call_pair(&k, both, 0);
            expect_slopes(pair_forward, &k, x, 2 * n, dy, n, both, text);
        }
        drop(x);
        drop(dy);
        drop(both);
    }
}

static void equal_sides_give_the_slope_to_the_first(void **state)
{
    (void)state;
    const float x[2] = {2, -3}, dy[2] = {5, 7}, none[2] = {0, 0};
    float da[2], db[2];
    for (int op = CX_MAXIMUM; op <= CX_MINIMUM; op++) {
        cx_binary_backward((cx_binary_op)op, 2, x, x, dy, da, db);
        assert_memory_equal(da, dy, sizeof dy);
        assert_memory_equal(db, none, sizeof none);
    }
}

/* --- softmax and rows of a common measure --- */

typedef struct line_case {
    int rule; /* of a softmax: whether its logarithm */
    int64_t outer, n, inner;
    double epsilon;
    const float *x, *y, *dy;
} line_case;

static void softmax_forward(const void *arg, const float *x, float *y)
{
    const line_case *k = arg;
    cx_ref_softmax_forward(k->rule, k->outer, k->n, k->inner, x, y);
}

/* The kernel in place. */
static void call_softmax(const void *arg, float *dx, int ref)
{
    const line_case *k = arg;
    if (ref) {
        cx_ref_softmax_backward(k->rule, k->outer, k->n, k->inner, k->y, k->dy, dx);
        return;
    }
    memcpy(dx, k->dy, (size_t)(k->outer * k->n * k->inner) * sizeof *dx);
    cx_softmax_backward(k->rule, k->outer, k->n, k->inner, k->y, dx, dx);
}

static void normalize_forward(const void *arg, const float *x, float *y)
{
    const line_case *k = arg;
    cx_ref_normalize_forward((cx_norm)k->rule, k->outer, k->n, k->epsilon, x, y);
}

static void call_normalize(const void *arg, float *dx, int ref)
{
    const line_case *k = arg;
    if (ref) {
        cx_ref_normalize_backward((cx_norm)k->rule, k->outer, k->n, k->epsilon, k->x, k->dy, dx);
        return;
    }
    memcpy(dx, k->dy, (size_t)(k->outer * k->n) * sizeof *dx);
    cx_normalize_backward((cx_norm)k->rule, k->outer, k->n, k->epsilon, k->x, dx, dx);
}

static void check_lines(int seed_of, line_case k, forward_call *forward, kernel_call *backward)
{
    const int64_t n = k.outer * k.n * k.inner;
    float *x = numbers(n), *y = numbers(n), *dy = numbers(n), *dx = numbers(n);
    char text[80];
    snprintf(text, sizeof text, "seed %d: rule %d on %dx%dx%d", seed_of, k.rule, (int)k.outer,
             (int)k.n, (int)k.inner);
    forward(&k, x, y);
    k.x = x;
    k.y = y;
    k.dy = dy;
    expect_reference(backward, &k, n, text);
    backward(&k, dx, 0);
    if (n < 200) expect_slopes(forward, &k, x, n, dy, n, dx, text);
    drop(x);
    drop(y);
    drop(dy);
    drop(dx);
}

static void softmax_equals_the_reference_and_differences(void **state)
{
    (void)state;
    for (int s = 1; s <= 60; s++) {
        seed((uint64_t)s + 26000);
        const line_case k = {.rule = s % 2,
                             .outer = pick(1, s % 3 ? 3 : 50),
                             .n = pick(1, s % 3 ? 9 : 40),
                             .inner = pick(1, 4)};
        check_lines(s, k, softmax_forward, call_softmax);
    }
}

/* Differences want a mild curve: an epsilon that counts, but for a length one that is far from it,
 * on either side, for there is a corner. */
static void normalized_rows_equal_the_reference_and_differences(void **state)
{
    (void)state;
    for (int s = 1; s <= 80; s++) {
        seed((uint64_t)s + 27000);
        const int many = s % 10 == 0;
        const double epsilon = s % 4 != CX_BY_LENGTH ? 0.5 : s % 8 < 4 ? 0.01 : 1000;
        const line_case k = {.rule = s % 4,
                             .outer = pick(1, many ? 400 : 3),
                             .n = many ? pick(200, 300) : pick(8, 30),
                             .inner = 1,
                             .epsilon = many ? 1e-5 : epsilon};
        check_lines(s, k, normalize_forward, call_normalize);
    }
}

/* --- images --- */

/* <dy, A x> = <A' dy, x>, to 1e-5 of the lengths' product. */
static void expect_adjoint(const float *x, const float *dx, int64_t n_x, const float *y,
                           const float *dy, int64_t n_y, const char *what)
{
    const double there = dot(dy, y, n_y), back = dot(dx, x, n_x);
    const double room = 1e-5 * sqrt(dot(dy, dy, n_y) * dot(y, y, n_y)) + 1e-12;
    if (!(fabs(there - back) <= room))
        fail_msg("%s, set %s: %.9g there, %.9g back", what, cx_kernels_name(), there, back);
}

typedef struct resize_case {
    cx_resize r;
    const float *dy;
} resize_case;

static void call_resize(const void *arg, float *dx, int ref)
{
    const resize_case *k = arg;
    (ref ? cx_ref_resize_backward : cx_resize_backward)(&k->r, k->dy, dx);
}

/* A part of an image to another size, which is a power of two where places must not fall on two
 * sides of a tie by a rounding. */
static cx_resize random_resize(int seed_of, int exact)
{
    cx_resize r = {.batch = pick(1, 2), .channels = pick(1, 5)};
    r.how = (cx_interpolation)(seed_of % 3);
    for (int a = 0; a < 2; a++) {
        r.in[a] = pick(1, exact ? 12 : 60);
        r.size[a] = pick(1, r.in[a]);
        r.from[a] = pick(0, r.in[a] - r.size[a]);
        r.out[a] = exact ? (int64_t)1 << pick(0, 5) : pick(1, 90);
    }
    return r;
}

static void resizing_equals_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 60; s++) {
        seed((uint64_t)s + 28000);
        const cx_resize r = random_resize(s, 1);
        float *dy = numbers(r.batch * r.out[0] * r.out[1] * r.channels);
        const resize_case k = {r, dy};
        char text[80];
        snprintf(text, sizeof text, "seed %d: rule %d from %dx%d to %dx%d", s, (int)r.how,
                 (int)r.size[0], (int)r.size[1], (int)r.out[0], (int)r.out[1]);
        expect_reference(call_resize, &k, r.batch * r.in[0] * r.in[1] * r.channels, text);
        drop(dy);
    }
}

static void resizing_is_adjoint_to_its_forward(void **state)
{
    (void)state;
    for (int s = 1; s <= 150; s++) {
        seed((uint64_t)s + 29000);
        const cx_resize r = random_resize(s, 0);
        const int64_t n_x = r.batch * r.in[0] * r.in[1] * r.channels;
        const int64_t n_y = r.batch * r.out[0] * r.out[1] * r.channels;
        float *x = numbers(n_x), *dx = numbers(n_x), *y = numbers(n_y), *dy = numbers(n_y);
        char text[80];
        snprintf(text, sizeof text, "seed %d: rule %d from %dx%d to %dx%d", s, (int)r.how,
                 (int)r.size[0], (int)r.size[1], (int)r.out[0], (int)r.out[1]);
        cx_resize_forward(&r, x, y);
        cx_resize_backward(&r, dy, dx);
        expect_adjoint(x, dx, n_x, y, dy, n_y, text);
        drop(x);
        drop(dx);
        drop(y);
        drop(dy);
    }
}

/* --- boxes and broadcasting --- */

static void boxes_are_added_as_the_reference_does(void **state)
{
    (void)state;
    for (int s = 1; s <= 200; s++) {
        seed((uint64_t)s + 30000);
        cx_box b = {.ndim = (int)pick(0, CX_BOX_DIMS)};
        int64_t x_size = 1, y_size = 1;
        for (int a = b.ndim - 1; a >= 0; a--) {
            b.size[a] = s % 20 ? pick(1, 4) : pick(0, 2);
            b.from[a] = x_size;                         /* on end, or now and then with gaps */
            b.to[a] = pick(0, 2) ? y_size : pick(0, 2); /* 0, or overlapping */
            x_size += b.size[a] > 0 ? (b.size[a] - 1) * b.from[a] + pick(0, 1) : 0;
            y_size += b.size[a] > 0 ? (b.size[a] - 1) * b.to[a] : 0;
        }
        float *x = numbers(x_size), *y = numbers(y_size), *want = numbers(y_size);
        char text[32];
        snprintf(text, sizeof text, "seed %d", s);
        memcpy(y, want, (size_t)y_size * sizeof *y);
        cx_add_box(&b, x, y);
        cx_ref_add_box(&b, x, want);
        expect_close(y, want, y_size, text);
        drop(x);
        drop(y);
        drop(want);
    }
}

/* Shapes of up to CX_MAX_DIMS axes; `from` has 1 in some places, or lacks axes after its batch. */
static void random_shapes(cx_shape *from, cx_shape *to)
{
    *to = (cx_shape){.ndim = (int)pick(1, CX_MAX_DIMS)};
    for (int i = 0; i < to->ndim; i++) to->d[i] = pick(1, 5);
    *from = *to;
    for (int i = 1; i < to->ndim; i++)
        if (pick(0, 1)) from->d[i] = 1;
    while (from->ndim > 1 && from->d[1] == 1 && pick(0, 1)) {
        for (int i = 1; i + 1 < from->ndim; i++) from->d[i] = from->d[i + 1];
        from->ndim--;
    }
}

static void broadcasting_is_adjoint_to_its_forward(void **state)
{
    (void)state;
    for (int s = 1; s <= 300; s++) {
        seed((uint64_t)s + 31000);
        cx_shape from, to;
        random_shapes(&from, &to);
        const int64_t n_x = cx_shape_count(&from), n_y = cx_shape_count(&to);
        float *x = numbers(n_x), *dx = numbers(n_x), *y = numbers(n_y), *dy = numbers(n_y);
        char a[CX_SHAPE_TEXT], b[CX_SHAPE_TEXT], text[2 * CX_SHAPE_TEXT + 16];
        snprintf(text, sizeof text, "%s to %s", cx_shape_text(a, &from), cx_shape_text(b, &to));
        cx_broadcast(x, &from, &to, y);
        cx_broadcast_backward(dy, &from, &to, dx);
        expect_adjoint(x, dx, n_x, y, dy, n_y, text);
        drop(x);
        drop(dx);
        drop(y);
        drop(dy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_for_scale_and_shift_equal_the_reference),
        cmocka_unit_test(pairs_equal_the_reference_and_differences),
        cmocka_unit_test(equal_sides_give_the_slope_to_the_first),
        cmocka_unit_test(softmax_equals_the_reference_and_differences),
        cmocka_unit_test(normalized_rows_equal_the_reference_and_differences),
        cmocka_unit_test(resizing_equals_the_reference),
        cmocka_unit_test(resizing_is_adjoint_to_its_forward),
        cmocka_unit_test(boxes_are_added_as_the_reference_does),
        cmocka_unit_test(broadcasting_is_adjoint_to_its_forward),
    };
    return RUN(tests);
}
