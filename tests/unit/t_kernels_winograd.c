/* t_kernels_winograd.c - the fast way through 3 × 3 convolutions against the reference, within 1e-5
 * of the largest number of a result; and convolutions with a pooling after them. */
#include "t_kernels.h"
#include "t_windows.h"

#include "kernels/winograd.h"

typedef struct fast_case {
    cx_conv c;
    const float *x, *w; /* or dy */
    cx_epilogue e;
    int back;
    cx_window pool;
    int whole; /* the pooling's input is wanted too */
} fast_case;

static cx_window square(int64_t batch, int64_t height, int64_t width, int64_t pad)
{
    return (cx_window){.batch = batch,
                       .in = {1, height, width},
                       .out = {1, height - 2 + 2 * pad, width - 2 + 2 * pad},
                       .kernel = {1, 3, 3},
                       .stride = {1, 1, 1},
                       .dilation = {1, 1, 1},
                       .pad = {0, pad, pad}};
}

static cx_window halved(const cx_window *w, int same)
{
    return (cx_window){.batch = w->batch,
                       .in = {1, w->out[1], w->out[2]},
                       .out = {1, (w->out[1] + same) / 2, (w->out[2] + same) / 2},
                       .kernel = {1, 2, 2},
                       .stride = {1, 2, 2},
                       .dilation = {1, 1, 1}};
}

/* A bias, a scale and limits, or not. The upper one is not far below the sums, since errors are
 * measured by the largest number that is left. */
static cx_epilogue random_epilogue(const float *numbers_of, int64_t channels)
{
    cx_epilogue e = {.bias = pick(0, 2) ? numbers_of : NULL,
                     .low = pick(0, 1) ? 0 : -INFINITY,
                     .high = pick(0, 3) ? INFINITY : 20};
    if (pick(0, 1)) {
        e.scale = numbers_of + channels;
        e.shift = numbers_of + 2 * channels;
    }
    return e;
}

static float *transformed(const cx_conv *c, const float *w, int back)
{
    const cx_conv way = back ? cx_winograd_back(c) : *c;
    float *u = malloc(cx_winograd_weights_size(&way));
    assert_non_null(u);
    cx_winograd_weights(&way, w, back, u);
    return u;
}

static void call_fast(const void *arg, float *y, int ref)
{
    const fast_case *k = arg;
    cx_conv c = k->c;
    if (ref && k->back) {
        cx_ref_conv_backward_data(&c, k->x, k->w, y, NULL);
        return;
    }
    if (ref) {
        cx_ref_conv_forward(&c, k->x, k->w, &k->e, y, NULL);
        return;
    }
    float *u = transformed(&c, k->w, k->back);
    c.transformed = u;
    const cx_conv way = k->back ? cx_winograd_back(&c) : c;
    void *workspace = malloc(cx_winograd_workspace(&way));
    assert_true(cx_winograd_fits(&way));
    if (k->back)
        cx_conv_backward_data(&c, k->x, k->w, y, workspace);
    else
        cx_conv_forward(&c, k->x, NULL, &k->e, y, workspace);
    free(workspace);
    free(u);
}

static void check(int s, const cx_conv *c, int back)
{
    const int64_t *from = back ? c->window.out : c->window.in;
    const int64_t *to = back ? c->window.in : c->window.out;
    const int64_t in = back ? c->out_channels : c->in_channels;
    const int64_t out = back ? c->in_channels : c->out_channels;
    float *x = numbers(c->window.batch * cells(from) * in);
    float *w = numbers(9 * in * out), *more = numbers(3 * out);
    const fast_case k = {.c = *c, .x = x, .w = w, .e = random_epilogue(more, out), .back = back};
    char text[TEXT];
    int n = describe(text, s, &c->window);
    snprintf(text + n, (size_t)(TEXT - n), " channels %d to %d%s", (int)c->in_channels,
             (int)c->out_channels, back ? " back" : "");
    expect_reference(call_fast, &k, c->window.batch * cells(to) * out, text);
    drop(x);
    drop(w);
    drop(more);
}

static cx_conv random_conv(int64_t widest, int64_t size)
{
    const int64_t pad = pick(0, 1), least = pad ? 1 : 3;
    return (cx_conv){.window = square(pick(1, 3), pick(least, size), pick(least, size), pad),
                     .in_channels = pick(1, widest),
                     .out_channels = pick(1, widest),
                     .groups = 1};
}

static void the_fast_way_equals_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 120; s++) {
        seed((uint64_t)s + 100);
        const cx_conv c = random_conv(s % 4 ? 40 : 150, 13);
        check(s, &c, s % 3 == 0);
    }
}

/* Sizes whose last tiles have one, two, three and four rows and columns. */
static void every_edge_is_right(void **state)
{
    (void)state;
    for (int64_t size = 1; size <= 13; size++)
        for (int64_t pad = size < 3; pad <= 2; pad++) {
            seed((uint64_t)(size * 3 + pad));
            const cx_conv c = {
                square(1, size, 14 - size < 3 ? 3 : 14 - size, pad), 5, 18, 1, 0, NULL};
            check((int)size, &c, 0);
            check((int)size, &c, 1);
        }
}

/* More tiles than a block has, and more than one block of output channels. */
static void many_tiles_and_channels_are_shared_out(void **state)
{
    (void)state;
    for (int s = 1; s <= 4; s++) {
        seed((uint64_t)s + 900);
        const cx_conv c = {square(s, 30, 41, s % 2), 20 * s, 30 + 37 * s, 1, 0, NULL};
        check(s, &c, s > 2);
    }
}

/* Long sums of numbers of one sign, where rounding grows most. */
static void long_sums_keep_their_digits(void **state)
{
    (void)state;
    seed(77);
    const cx_conv c = {square(1, 10, 10, 1), 600, 20, 1, 0, NULL};
    float *x = numbers(100 * 600), *w = numbers(9 * 600 * 20);
    for (int i = 0; i < 100 * 600; i++) x[i] = fabsf(x[i]);
    for (int i = 0; i < 9 * 600 * 20; i++) w[i] = fabsf(w[i]);
    const fast_case k = {.c = c, .x = x, .w = w, .e = {.low = -INFINITY, .high = INFINITY}};
    expect_reference(call_fast, &k, 100 * 20, "long sums");
    drop(x);
    drop(w);
}

/* A picture of a batch has the bytes that it has alone. */
static void the_batch_does_not_show(void **state)
{
    (void)state;
    seed(5);
    const cx_conv c = {square(5, 21, 19, 0), 24, 70, 1, 0, NULL};
    const int64_t one_x = 21 * 19 * 24, one_y = 19 * 17 * 70;
    float *x = numbers(5 * one_x), *w = numbers(9 * 24 * 70);
    float *all = numbers(5 * one_y), *alone = numbers(one_y);
    fast_case k = {.c = c, .x = x, .w = w, .e = {.low = 0, .high = INFINITY}};
    call_fast(&k, all, 0);
    k.c.window.batch = 1;
    for (int i = 0; i < 5; i++) {
        k.x = x + i * one_x;
        call_fast(&k, alone, 0);
        assert_memory_equal(alone, all + i * one_y, (size_t)one_y * sizeof *alone);
    }
    drop(x);
    drop(w);
    drop(all);
    drop(alone);
}

static void the_choice_is_by_shape(void **state)
{
    (void)state;
    cx_conv c = {square(1, 36, 36, 0), 64, 128, 1, 0, NULL};
    assert_true(cx_conv_transformed_size(&c, 0) > 0);
    assert_true(cx_conv_transformed_size(&c, 1) > 0);
    c.window.batch = 7;
    assert_true(cx_conv_transformed_size(&c, 0) > 0);
    c.exact = 1;
    assert_int_equal(cx_conv_transformed_size(&c, 0), 0);
    assert_int_equal(cx_conv_transformed_size(&c, 1), 0);
    c.exact = 0;
    c.in_channels = 3;
    assert_int_equal(cx_conv_transformed_size(&c, 0), 0);
    c.in_channels = 1 << 20;
    assert_int_equal(cx_conv_transformed_size(&c, 0), 0);
    c.in_channels = 64;
    c.window.stride[CX_WIDTH] = 2;
    assert_int_equal(cx_conv_transformed_size(&c, 0), 0);
    c.window = square(1, 7, 7, 1);
    assert_int_equal(cx_conv_transformed_size(&c, 0), 0);
}

/* --- the gradient of the weights --- */

typedef struct gradient_case {
    cx_conv c;
    const float *x, *dy;
} gradient_case;

/* Of any shape that it can, with a workspace full of NaNs; dw begins as ones. */
static void call_gradient(const void *arg, float *dw, int ref)
{
    const gradient_case *k = arg;
    const int64_t n = 9 * k->c.in_channels * k->c.out_channels;
    for (int64_t i = 0; i < n; i++) dw[i] = 1;
    if (ref) {
        cx_ref_conv_backward_weights(&k->c, k->x, k->dy, dw, NULL);
        return;
    }
    const size_t size = cx_winograd_backward_workspace(&k->c);
    void *workspace = malloc(size);
    assert_non_null(workspace);
    memset(workspace, 0xff, size);
    cx_winograd_backward_weights(&k->c, k->x, k->dy, dw, workspace);
    free(workspace);
}

static void check_gradient(const cx_conv *c, int s)
{
    const int64_t batch = c->window.batch, in = c->in_channels, out = c->out_channels;
    float *x = numbers(batch * cells(c->window.in) * in);
    float *dy = numbers(batch * cells(c->window.out) * out);
    const gradient_case k = {*c, x, dy};
    char text[TEXT];
    const int n = describe(text, s, &c->window);
    snprintf(text + n, (size_t)(TEXT - n), " channels %d to %d, the gradient", (int)in, (int)out);
    expect_reference(call_gradient, &k, 9 * in * out, text);
    drop(x);
    drop(dy);
}

static void the_gradient_of_the_weights_equals_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 60; s++) {
        seed((uint64_t)s + 11000);
        const cx_conv c = random_conv(70, 24);
        check_gradient(&c, s);
    }
    for (int64_t edge = 3; edge <= 11; edge++)
        for (int64_t pad = 0; pad <= 2; pad++) {
            seed((uint64_t)(edge * 3 + pad));
            const cx_conv c = {square(2, edge, 14 - edge, pad), 3, 17, 1, 0, NULL};
            check_gradient(&c, (int)edge);
        }
    /* More tiles than are transformed at a time, by either rule. */
    seed(12000);
    check_gradient(&(cx_conv){square(3, 34, 30, 0), 16, 33, 1, 0, NULL}, 1);
    check_gradient(&(cx_conv){square(2, 40, 41, 1), 100, 130, 1, 0, NULL}, 2);
}

static void the_gradient_goes_the_fast_way_where_it_pays(void **state)
{
    (void)state;
    cx_conv c = {square(4, 34, 34, 0), 64, 64, 1, 0, NULL};
    assert_true(cx_winograd_weights_pays(&c));
    assert_true(cx_conv_backward_weights_workspace(&c) >= cx_winograd_backward_workspace(&c));
    c.exact = 1;
    assert_false(cx_winograd_weights_pays(&c));
    c.exact = 0;
    c.in_channels = 3;
    assert_false(cx_winograd_weights_pays(&c));
    c.in_channels = 1 << 10;
    c.out_channels = 1 << 10; /* 151 MB of sums */
    assert_false(cx_winograd_weights_pays(&c));
}

/* --- with a pooling --- */

/* In two calls, and in one: both results, or the pooling's alone. */
enum { APART, TOGETHER, STREAMING };
static void call_pooled(const fast_case *k, float *y, float *pooled, int how)
{
    cx_conv c = k->c;
    float *u = NULL;
    if (k->back) u = transformed(&c, k->w, 0);
    c.transformed = u;
    const size_t apart = cx_conv_workspace(&c), size = cx_conv_pooled_workspace(&c);
    const size_t fast = cx_winograd_fits(&c) ? cx_winograd_workspace(&c) : 0;
    const size_t larger = apart > size ? apart : size;
    void *workspace = malloc(fast > larger ? fast : larger);
    if (how != APART) {
        const cx_pooled to = {&k->pool, pooled, how == STREAMING};
        cx_conv_pooled_forward(&c, k->x, k->w, &k->e, y, &to, workspace);
    } else {
        cx_conv_forward(&c, k->x, k->w, &k->e, y, workspace);
        cx_max_pool_forward(&k->pool, c.out_channels, y, pooled);
    }
    free(workspace);
    free(u);
}

enum { LINE = 16 }; /* floats */

static void check_pooled(const fast_case *k, const char *text)
{
    const int64_t n = k->c.window.batch * k->c.out_channels;
    const int64_t n_y = n * cells(k->c.window.out), n_pooled = n * cells(k->pool.out);
    float *room = numbers(n_y + LINE), *want = numbers(n_y);
    float *y = room + LINE - (uintptr_t)room % (LINE * sizeof *y) / sizeof *y;
    float *pooled = numbers(n_pooled), *want_pooled = numbers(n_pooled);
    assert_true(cx_conv_pools(&k->c, &k->pool));
    for (size_t s = 0; s < sizeof set_names / sizeof set_names[0]; s++) {
        if (cx_kernels_use(set_names[s], NULL) < 0) continue;
        call_pooled(k, want, want_pooled, APART);
        for (int threads = 1; threads <= 3; threads++) {
            cx_threads_set(threads, NULL);
            memset(y, 0x55, (size_t)n_y * sizeof *y);
            memset(pooled, 0x55, (size_t)n_pooled * sizeof *pooled);
            call_pooled(k, k->whole ? y : NULL, pooled, threads == 1 ? TOGETHER : STREAMING);
            if (memcmp(pooled, want_pooled, (size_t)n_pooled * sizeof *pooled) != 0 ||
                (k->whole && memcmp(y, want, (size_t)n_y * sizeof *y) != 0))
                fail_msg("%s, set %s, %d threads: other bytes than in two calls", text,
                         cx_kernels_name(), threads);
        }
        cx_threads_set(0, NULL);
    }
    drop(room);
    drop(want);
    drop(pooled);
    drop(want_pooled);
}

static void check_random_pooled(fast_case *k, int s)
{
    k->pool = halved(&k->c.window, (int)pick(0, 1));
    float *x = numbers(k->c.window.batch * cells(k->c.window.in) * k->c.in_channels);
    float *w = numbers(cells(k->c.window.kernel) * k->c.in_channels * k->c.out_channels);
    float *more = numbers(3 * k->c.out_channels);
    k->x = x;
    k->w = w;
    k->e = random_epilogue(more, k->c.out_channels);
    char text[TEXT];
    int n = describe(text, s, &k->c.window);
    snprintf(text + n, (size_t)(TEXT - n), " channels %d to %d", (int)k->c.in_channels,
             (int)k->c.out_channels);
    check_pooled(k, text);
    drop(x);
    drop(w);
    drop(more);
}

/* First layers, whose windows are all inside: these go two rows at a time. */
static void two_rows_at_a_time_give_the_same_bytes(void **state)
{
    (void)state;
    for (int s = 1; s <= 90; s++) {
        seed((uint64_t)s + 9000);
        const int64_t groups = pick(1, 2);
        fast_case k = {.c = {.groups = groups,
                             .in_channels = groups * pick(2, 4),
                             .out_channels = groups * (s % 3 ? pick(5, 70) : 2 * LINE)},
                       .whole = (int)pick(0, 1)};
        cx_window *w = &k.c.window;
        *w = square(pick(1, 2), 1, 1, 0);
        for (int a = CX_HEIGHT; a <= CX_WIDTH; a++) {
            w->kernel[a] = pick(1, 5);
            w->stride[a] = pick(1, 2);
            w->dilation[a] = pick(1, 2);
            w->out[a] = pick(1, a == CX_WIDTH ? 30 : 7);
            w->in[a] = (w->out[a] - 1) * w->stride[a] + (w->kernel[a] - 1) * w->dilation[a] + 1;
        }
        check_random_pooled(&k, s);
    }
}

static void a_pooling_in_the_same_call_gives_the_same_bytes(void **state)
{
    (void)state;
    for (int s = 1; s <= 90; s++) {
        seed((uint64_t)s + 7000);
        fast_case k = {.c = random_conv(70, 14), .back = s % 3 != 0, .whole = (int)pick(0, 1)};
        if (s % 3 == 0) { /* the direct way */
            do {
                k.c.window = random_window(9);
            } while (k.c.window.in[CX_DEPTH] > 1);
            k.c.groups = pick(1, 2);
            k.c.in_channels = k.c.groups * pick(2, 20);
            k.c.out_channels = k.c.groups * pick(1, 40);
        }
        if (s % 4 == 0) k.c.out_channels = LINE * k.c.groups; /* what can go past the caches */
        if (k.c.out_channels < 5) k.c.out_channels += 4 * k.c.groups; /* few go another way */
        check_random_pooled(&k, s);
    }
}

static void other_poolings_are_left_alone(void **state)
{
    (void)state;
    const cx_conv c = {square(1, 9, 9, 0), 16, 16, 1, 0, NULL};
    cx_window pool = halved(&c.window, 0);
    assert_true(cx_conv_pools(&c, &pool));
    pool.stride[CX_WIDTH] = 1;
    assert_false(cx_conv_pools(&c, &pool));
    pool = halved(&c.window, 0);
    pool.kernel[CX_HEIGHT] = 3;
    assert_false(cx_conv_pools(&c, &pool));
    pool = halved(&c.window, 0);
    pool.pad[CX_WIDTH] = 1;
    assert_false(cx_conv_pools(&c, &pool));
    pool = halved(&c.window, 0);
    cx_conv few = c;
    few.out_channels = 4;
    assert_false(cx_conv_pools(&few, &pool));
    cx_conv depthwise = c;
    depthwise.groups = 16;
    assert_false(cx_conv_pools(&depthwise, &pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fast_way_equals_the_reference),
        cmocka_unit_test(every_edge_is_right),
        cmocka_unit_test(many_tiles_and_channels_are_shared_out),
        cmocka_unit_test(long_sums_keep_their_digits),
        cmocka_unit_test(the_batch_does_not_show),
        cmocka_unit_test(the_choice_is_by_shape),
        cmocka_unit_test(the_gradient_of_the_weights_equals_the_reference),
        cmocka_unit_test(the_gradient_goes_the_fast_way_where_it_pays),
        cmocka_unit_test(a_pooling_in_the_same_call_gives_the_same_bytes),
        cmocka_unit_test(two_rows_at_a_time_give_the_same_bytes),
        cmocka_unit_test(other_poolings_are_left_alone),
    };
    return RUN(tests);
}
