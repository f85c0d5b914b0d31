/* t_kernels_pool_backward.c - derivatives of poolings against the reference and against differences
 * of the forward. */
#include "t_slopes.h"
#include "t_windows.h"

typedef struct pool_case {
    cx_window w;
    int64_t channels;
    int mean;
    const float *x, *y, *dy;
} pool_case;

static void pool_forward(const void *arg, const float *x, float *y)
{
    const pool_case *k = arg;
    (k->mean ? cx_ref_average_pool_forward : cx_ref_max_pool_forward)(&k->w, k->channels, x, y);
}

/* Windows with no cell inside give 0, for -INFINITY has no differences. */
static void finite_forward(const void *arg, const float *x, float *y)
{
    const pool_case *k = arg;
    pool_forward(arg, x, y);
    for (int64_t i = 0; i < k->w.batch * cells(k->w.out) * k->channels; i++)
        if (isinf(y[i])) y[i] = 0;
}

static void call_pool(const void *arg, float *dx, int ref)
{
    const pool_case *k = arg;
    if (k->mean)
        (ref ? cx_ref_average_pool_backward : cx_average_pool_backward)(&k->w, k->channels, k->dy,
                                                                        dx);
    else
        (ref ? cx_ref_max_pool_backward : cx_max_pool_backward)(&k->w, k->channels, k->x, k->y,
                                                                k->dy, dx);
}

static void call_rectified(const void *arg, float *dx, int ref)
{
    const pool_case *k = arg;
    const int64_t n = k->w.batch * cells(k->w.out) * k->channels;
    if (!ref) {
        cx_max_pool_relu_backward(&k->w, k->channels, k->x, k->y, k->dy, dx);
        return;
    }
    float *masked = numbers(n);
    for (int64_t i = 0; i < n; i++) masked[i] = k->y[i] > 0 ? k->dy[i] : 0;
    cx_ref_max_pool_backward(&k->w, k->channels, k->x, k->y, masked, dx);
    drop(masked);
}

static void check_pool(int seed_of, pool_case k)
{
    const int64_t n_x = k.w.batch * cells(k.w.in) * k.channels;
    const int64_t n_y = k.w.batch * cells(k.w.out) * k.channels;
    float *x = numbers(n_x), *y = numbers(n_y), *dy = numbers(n_y);
    char text[TEXT];
    const int n = describe(text, seed_of, &k.w);
    snprintf(text + n, (size_t)(TEXT - n), " channels %d mean %d", (int)k.channels, k.mean);
    make_coarse(x, n_x);
    pool_forward(&k, x, y);
    k.x = x;
    k.y = y;
    k.dy = dy;
    expect_reference(call_pool, &k, n_x, text);
    if (!k.mean) expect_reference(call_rectified, &k, n_x, text);
    drop(x);
    drop(y);
    drop(dy);
}

static void pooling_equals_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 200; s++) {
        seed((uint64_t)s + 20000);
        check_pool(s, (pool_case){random_window(14), pick(1, 50), s % 2, NULL, NULL, NULL});
    }
}

/* Windows side by side have a way of their own; a relu before them is undone with either. */
static void pooling_of_tiles_equals_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 60; s++) {
        seed((uint64_t)s + 22000);
        cx_window w = {.batch = pick(1, 3)};
        for (int a = 0; a < CX_SPACE; a++) {
            w.kernel[a] = w.stride[a] = a == 0 && s % 3 ? 1 : s % 2 ? 2 : pick(1, 4);
            w.dilation[a] = 1;
            w.out[a] = a == 0 && s % 3 ? 1 : pick(1, s % 7 ? 6 : 60);
            w.in[a] = w.out[a] * w.kernel[a] + (s % 5 ? 0 : pick(0, w.kernel[a] - 1));
        }
        check_pool(s, (pool_case){w, pick(1, 50), 0, NULL, NULL, NULL});
    }
}

/* Inputs so large that more than one task shares them, cut along each of the three axes. */
static void pooling_in_bands_equals_the_reference(void **state)
{
    (void)state;
    for (int s = 0; s < 12; s++) {
        seed((uint64_t)s + 21000);
        cx_window w = {.batch = pick(1, 2)};
        const int64_t size[3][CX_SPACE] = {{30, 20, 20}, {1, 90, 60}, {1, 1, 5000}};
        for (int a = 0; a < CX_SPACE; a++) {
            const int used = size[s % 3][a] > 1;
            w.in[a] = size[s % 3][a];
            w.kernel[a] = used ? pick(1, 3) : 1;
            w.stride[a] = used ? pick(1, 3) : 1;
            w.dilation[a] = 1;
            w.pad[a] = used ? pick(0, w.kernel[a] - 1) : 0;
            w.out[a] = (w.in[a] + 2 * w.pad[a] - w.kernel[a]) / w.stride[a] + 1;
        }
        check_pool(s, (pool_case){w, 17, s / 3 % 2, NULL, NULL, NULL});
    }
}

static void pooling_has_the_slopes_of_differences(void **state)
{
    (void)state;
    for (int s = 1; s <= 40; s++) {
        seed((uint64_t)s + 22000);
        pool_case k = {random_window(4), pick(1, 3), s % 2, NULL, NULL, NULL};
        k.w.batch = 1;
        const int64_t n_x = cells(k.w.in) * k.channels, n_y = cells(k.w.out) * k.channels;
        float *x = numbers(n_x), *y = numbers(n_y), *dy = numbers(n_y), *dx = numbers(n_x);
        for (int64_t i = 0; i < n_x; i++) x[i] = (float)i / 16; /* no two closer than a step */
        for (int64_t i = n_x - 1; i > 0; i--) {
            const int64_t other = pick(0, i);
            const float kept = x[i];
            x[i] = x[other];
            x[other] = kept;
        }
        pool_forward(&k, x, y);
        k.x = x;
        k.y = y;
        k.dy = dy;
        call_pool(&k, dx, 0);
        expect_slopes(finite_forward, &k, x, n_x, dy, n_y, dx, k.mean ? "mean" : "largest");
        drop(x);
        drop(y);
        drop(dy);
        drop(dx);
    }
}

static void first_of_equal_cells_gets_all(void **state)
{
    (void)state;
    const cx_window w = {.batch = 1,
                         .in = {1, 2, 3},
                         .out = {1, 1, 2},
                         .kernel = {1, 2, 2},
                         .stride = {1, 1, 1},
                         .dilation = {1, 1, 1}};
    const float x[6] = {1, 5, 5, 5, 5, 2}, y[2] = {5, 5}, dy[2] = {3, 4};
    const float want[6] = {0, 7, 0, 0, 0, 0}, want_global[6] = {0, 0.75f, 0.75f, 0.75f, 0.75f, 0};
    float dx[6];
    cx_max_pool_backward(&w, 1, x, y, dy, dx);
    assert_memory_equal(dx, want, sizeof want);
    cx_global_max_backward(1, 6, 1, x, y, dy, dx);
    assert_memory_equal(dx, want_global, sizeof want_global);
}

typedef struct global_case {
    int64_t batch, positions, channels;
    int mean;
    const float *x, *y, *dy;
} global_case;

static void call_global(const void *arg, float *dx, int ref)
{
    const global_case *k = arg;
    if (k->mean)
        (ref ? cx_ref_global_average_backward : cx_global_average_backward)(k->batch, k->positions,
                                                                            k->channels, k->dy, dx);
    else
        (ref ? cx_ref_global_max_backward
             : cx_global_max_backward)(k->batch, k->positions, k->channels, k->x, k->y, k->dy, dx);
}

static void global_pooling_equals_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 60; s++) {
        seed((uint64_t)s + 23000);
        global_case k = {pick(1, 3), pick(1, s % 10 ? 60 : 3000), pick(1, 150), s % 2, NULL, NULL,
                         NULL};
        const int64_t n_x = k.batch * k.positions * k.channels, n_y = k.batch * k.channels;
        float *x = numbers(n_x), *y = numbers(n_y), *dy = numbers(n_y);
        char text[64];
        make_coarse(x, n_x);
        cx_ref_global_max_forward(k.batch, k.positions, k.channels, x, y);
        k.x = x;
        k.y = y;
        k.dy = dy;
        snprintf(text, sizeof text, "seed %d: %dx%dx%d mean %d", s, (int)k.batch, (int)k.positions,
                 (int)k.channels, k.mean);
        expect_reference(call_global, &k, n_x, text);
        drop(x);
        drop(y);
        drop(dy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pooling_equals_the_reference),
        cmocka_unit_test(pooling_of_tiles_equals_the_reference),
        cmocka_unit_test(pooling_in_bands_equals_the_reference),
        cmocka_unit_test(pooling_has_the_slopes_of_differences),
        cmocka_unit_test(first_of_equal_cells_gets_all),
        cmocka_unit_test(global_pooling_equals_the_reference),
    };
    return RUN(tests);
}
