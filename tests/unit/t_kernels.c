/* t_kernels.c - sliding windows and dense layers against the reference, on seeded random shapes. */
#include "t_kernels.h"
#include "t_windows.h"

/* A bias and limits, or neither. */
static cx_epilogue random_epilogue(const float *bias)
{
    return (cx_epilogue){.bias = pick(0, 2) ? bias : NULL,
                         .low = pick(0, 1) ? 0 : -INFINITY,
                         .high = pick(0, 3) ? INFINITY : 2};
}

/* --- convolution --- */

typedef struct conv_case {
    cx_conv c;
    const float *x, *w;
    cx_epilogue e;
} conv_case;

static void call_conv(const void *arg, float *y, int ref)
{
    const conv_case *k = arg;
    void *workspace = malloc(cx_conv_workspace(&k->c));
    (ref ? cx_ref_conv_forward : cx_conv_forward)(&k->c, k->x, k->w, &k->e, y, workspace);
    free(workspace);
}

static void check_conv(int seed_of, const cx_conv *c)
{
    const cx_window *win = &c->window;
    float *x = numbers(win->batch * cells(win->in) * c->in_channels);
    float *w = numbers(cells(win->kernel) * (c->in_channels / c->groups) * c->out_channels);
    float *bias = numbers(c->out_channels);
    conv_case k = {*c, x, w, random_epilogue(bias)};
    char text[TEXT];
    int n = describe(text, seed_of, win);
    snprintf(text + n, (size_t)(TEXT - n), " channels %d to %d groups %d bias %d",
             (int)c->in_channels, (int)c->out_channels, (int)c->groups, k.e.bias != NULL);
    expect_reference(call_conv, &k, win->batch * cells(win->out) * c->out_channels, text);
    drop(x);
    drop(w);
    drop(bias);
}

static void convolution_equals_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 250; s++) {
        seed((uint64_t)s);
        cx_conv c = {.window = random_window(9), .groups = pick(0, 3) ? 1 : pick(2, 4)};
        c.in_channels = c.groups * pick(1, c.groups > 1 ? 6 : 20);
        c.out_channels = c.groups * pick(1, c.groups > 1 ? 20 : 75);
        check_conv(s, &c);
    }
}

/* Sums longer than a pass, rows that are cut, maps of one cell. */
static void convolution_of_many_channels_equals_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 30; s++) {
        seed((uint64_t)s + 1000);
        const int64_t size = pick(1, 5), kernel = pick(1, size < 3 ? size : 3);
        const int64_t out = size - kernel + 1;
        cx_conv c = {.window = {.batch = pick(1, 2),
                                .in = {1, size, size},
                                .out = {1, out, out},
                                .kernel = {1, kernel, kernel},
                                .stride = {1, 1, 1},
                                .dilation = {1, 1, 1}},
                     .in_channels = pick(60, 700),
                     .out_channels = pick(1, 130),
                     .groups = 1};
        check_conv(s, &c);
    }
}

/* One to four, and five for comparison: depths with and without a rest by the vector. */
static void convolution_into_few_channels_equals_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 60; s++) {
        seed((uint64_t)s + 3000);
        const cx_conv c = {.window = random_window(s % 2 ? 9 : 25),
                           .in_channels = pick(15, 70),
                           .out_channels = 1 + s % 5,
                           .groups = 1};
        check_conv(s, &c);
    }
}

static void long_rows_are_cut_without_a_trace(void **state)
{
    (void)state;
    for (int s = 1; s <= 10; s++) {
        seed((uint64_t)s + 2000);
        const int64_t width = pick(300, 900), kernel = pick(1, 5);
        cx_conv c = {.window = {.batch = 1,
                                .in = {1, 1, width},
                                .out = {1, 1, width},
                                .kernel = {1, 1, kernel},
                                .stride = {1, 1, 1},
                                .dilation = {1, 1, pick(1, 9)},
                                .pad = {0, 0, 0}},
                     .in_channels = pick(1, 40),
                     .out_channels = pick(1, 70),
                     .groups = 1};
        c.window.pad[CX_WIDTH] = (kernel - 1) * c.window.dilation[CX_WIDTH];
        check_conv(s, &c);
    }
}

static void a_nan_spoils_what_sees_it_and_no_more(void **state)
{
    (void)state;
    float x[9] = {1, 2, 3, 4, NAN, 6, 7, 8, 9}, w[4] = {1, 1, 1, 1}, y[9];
    cx_conv c = {.window = {.batch = 1,
                            .in = {1, 3, 3},
                            .out = {1, 3, 3},
                            .kernel = {1, 2, 2},
                            .stride = {1, 1, 1},
                            .dilation = {1, 1, 1}},
                 .in_channels = 1,
                 .out_channels = 1,
                 .groups = 1};
    const cx_epilogue relu6 = {.low = 0, .high = 6};
    void *workspace = malloc(cx_conv_workspace(&c));
    for (size_t s = 0; s < sizeof set_names / sizeof set_names[0]; s++) {
        if (cx_kernels_use(set_names[s], NULL) < 0) continue;
        cx_conv_forward(&c, x, w, &relu6, y, workspace);
        for (int i = 0; i < 9; i++) {
            const int sees = i == 0 || i == 1 || i == 3 || i == 4;
            assert_int_equal(isnan(y[i]) != 0, sees);
        }
        cx_max_pool_forward(&c.window, 1, x, y);
        for (int i = 0; i < 9; i++)
            assert_int_equal(isnan(y[i]) != 0, i == 0 || i == 1 || i == 3 || i == 4);
    }
    free(workspace);
}

/* --- transposed convolution --- */

typedef struct transpose_case {
    cx_conv_transpose c;
    const float *x, *w, *packed;
    cx_epilogue e;
} transpose_case;

static void call_transpose(const void *arg, float *y, int ref)
{
    const transpose_case *k = arg;
    void *workspace = malloc(cx_conv_transpose_workspace(&k->c));
    if (ref)
        cx_ref_conv_transpose_forward(&k->c, k->x, k->w, &k->e, y, NULL);
    else
        cx_conv_transpose_forward(&k->c, k->x, k->packed, &k->e, y, workspace);
    free(workspace);
}

/* The window of a convolution, whose input may be larger than what it reads: some of the output of
 * the transposed one is then bare. */
static void transposed_convolution_equals_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 250; s++) {
        seed((uint64_t)s + 3000);
        cx_conv_transpose c = {.window = random_window(7), .groups = pick(0, 3) ? 1 : pick(2, 3)};
        cx_window *win = &c.window;
        c.in_channels = c.groups * pick(1, 20);
        c.out_channels = c.groups * pick(1, 40);
        for (int a = 0; a < CX_SPACE; a++)
            if (win->in[a] > 1) win->in[a] += pick(0, 2);
        const int64_t n_w = cells(win->kernel) * c.in_channels * c.out_channels / c.groups;
        float *x = numbers(win->batch * cells(win->out) * c.in_channels);
        float *w = numbers(n_w), *packed = numbers(n_w), *bias = numbers(c.out_channels);
        cx_conv_transpose_pack(&c, w, packed);
        transpose_case k = {c, x, w, packed, random_epilogue(bias)};
        char text[TEXT];
        int n = describe(text, s, win);
        snprintf(text + n, (size_t)(TEXT - n), " channels %d to %d groups %d bias %d",
                 (int)c.in_channels, (int)c.out_channels, (int)c.groups, k.e.bias != NULL);
        expect_reference(call_transpose, &k, win->batch * cells(win->in) * c.out_channels, text);
        drop(x);
        drop(w);
        drop(packed);
        drop(bias);
    }
}

/* --- dense --- */

typedef struct dense_case {
    int64_t rows, in, out;
    const float *x, *w;
    cx_epilogue e;
} dense_case;

static void call_dense(const void *arg, float *y, int ref)
{
    const dense_case *k = arg;
    void *workspace = malloc(cx_dense_workspace(k->rows, k->in, k->out));
    (ref ? cx_ref_dense_forward : cx_dense_forward)(k->rows, k->in, k->out, k->x, k->w, &k->e, y,
                                                    workspace);
    free(workspace);
}

static void dense_equals_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 120; s++) {
        seed((uint64_t)s + 4000);
        const int large = s % 10 == 0;
        dense_case k = {
            .rows = pick(0, 1) ? 1 : pick(1, 40), .in = pick(1, 300), .out = pick(1, 150)};
        if (large) k = (dense_case){.rows = 1, .in = pick(5000, 20000), .out = pick(1, 40)};
        float *x = numbers(k.rows * k.in), *w = numbers(k.in * k.out), *bias = numbers(k.out);
        k.x = x;
        k.w = w;
        k.e = random_epilogue(bias);
        char text[TEXT];
        snprintf(text, TEXT, "seed %d: %d rows of %d to %d", s, (int)k.rows, (int)k.in, (int)k.out);
        expect_reference(call_dense, &k, k.rows * k.out, text);
        drop(x);
        drop(w);
        drop(bias);
    }
}

/* What a row gives does not tell in which batch it was. */
static void dense_is_the_same_in_any_batch(void **state)
{
    (void)state;
    for (int s = 1; s <= 40; s++) {
        seed((uint64_t)s + 4500);
        const int large = s % 8 == 0;
        const int64_t rows = pick(2, 20), in = large ? pick(16000, 20000) : pick(1, 1500);
        const int64_t out = large ? pick(1, 40) : pick(1, 150);
        float *x = numbers(rows * in), *w = numbers(in * out), *bias = numbers(out);
        float *y = malloc((size_t)(rows * out) * sizeof *y);
        float *one = malloc((size_t)out * sizeof *one);
        for (int64_t i = 0; i < rows * in; i += pick(1, 3)) x[i] = 0; /* those are left out */
        dense_case k = {rows, in, out, x, w, random_epilogue(bias)};
        call_dense(&k, y, 0);
        k.rows = 1;
        for (int64_t r = 0; r < rows; r++, k.x += in) {
            call_dense(&k, one, 0);
            if (memcmp(one, y + r * out, (size_t)out * sizeof *y) != 0)
                fail_msg("seed %d: row %d of %d, %d to %d", s, (int)r, (int)rows, (int)in,
                         (int)out);
        }
        free(y);
        free(one);
        drop(x);
        drop(w);
        drop(bias);
    }
}

/* --- pooling --- */

typedef struct pool_case {
    cx_window w;
    int64_t channels;
    int mean;
    const float *x;
} pool_case;

static void call_pool(const void *arg, float *y, int ref)
{
    const pool_case *k = arg;
    if (k->mean)
        (ref ? cx_ref_average_pool_forward : cx_average_pool_forward)(&k->w, k->channels, k->x, y);
    else
        (ref ? cx_ref_max_pool_forward : cx_max_pool_forward)(&k->w, k->channels, k->x, y);
}

static void pooling_equals_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 200; s++) {
        seed((uint64_t)s + 5000);
        pool_case k = {random_window(14), pick(1, 50), (int)pick(0, 1), NULL};
        const int64_t n = k.w.batch * cells(k.w.in) * k.channels;
        float *x = numbers(n);
        if (pick(0, 3) == 0) x[pick(0, n - 1)] = NAN;
        k.x = x;
        char text[TEXT];
        int at = describe(text, s, &k.w);
        snprintf(text + at, (size_t)(TEXT - at), " channels %d mean %d", (int)k.channels, k.mean);
        expect_reference(call_pool, &k, k.w.batch * cells(k.w.out) * k.channels, text);
        drop(x);
    }
}

typedef struct global_case {
    int64_t batch, positions, channels;
    int mean;
    const float *x;
} global_case;

static void call_global(const void *arg, float *y, int ref)
{
    const global_case *k = arg;
    if (k->mean)
        (ref ? cx_ref_global_average_forward : cx_global_average_forward)(k->batch, k->positions,
                                                                          k->channels, k->x, y);
    else
        (ref ? cx_ref_global_max_forward : cx_global_max_forward)(k->batch, k->positions,
                                                                  k->channels, k->x, y);
}

static void global_pooling_equals_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 80; s++) {
        seed((uint64_t)s + 6000);
        global_case k = {pick(1, 3), pick(1, s % 8 ? 90 : 2000), pick(1, 150), (int)pick(0, 1),
                         NULL};
        float *x = numbers(k.batch * k.positions * k.channels);
        k.x = x;
        char text[TEXT];
        snprintf(text, TEXT, "seed %d: batch %d of %d positions, channels %d mean %d", s,
                 (int)k.batch, (int)k.positions, (int)k.channels, k.mean);
        expect_reference(call_global, &k, k.batch * k.channels, text);
        drop(x);
    }
}

/* A float sum stops growing by 1.5 at 2^25. */
static void long_means_do_not_lose_digits(void **state)
{
    (void)state;
    const int64_t n = 20000000;
    float *x = malloc((size_t)n * sizeof *x), y;
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) x[i] = 1.5f;
    cx_global_average_forward(1, n, 1, x, &y);
    assert_true(y == 1.5f);
    free(x);
}

/* --- the choice of the set --- */

static void sets_are_chosen_by_name(void **state)
{
    (void)state;
    cvs_error err;
    FAILS(cx_kernels_use("mmx", &err), CVS_E_ARG, "\"mmx\"");
    OK(cx_kernels_use("baseline", &err));
    assert_string_equal(cx_kernels_name(), "baseline");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolution_equals_the_reference),
        cmocka_unit_test(convolution_of_many_channels_equals_the_reference),
        cmocka_unit_test(convolution_into_few_channels_equals_the_reference),
        cmocka_unit_test(long_rows_are_cut_without_a_trace),
        cmocka_unit_test(a_nan_spoils_what_sees_it_and_no_more),
        cmocka_unit_test(transposed_convolution_equals_the_reference),
        cmocka_unit_test(dense_equals_the_reference),
        cmocka_unit_test(dense_is_the_same_in_any_batch),
        cmocka_unit_test(pooling_equals_the_reference),
        cmocka_unit_test(global_pooling_equals_the_reference),
        cmocka_unit_test(long_means_do_not_lose_digits),
        cmocka_unit_test(sets_are_chosen_by_name),
    };
    return RUN(tests);
}
