/* t_kernels_separable.c - a depthwise convolution and a pointwise one in a call: near the
 * reference, and the bytes of the two calls. */
#include "t_kernels.h"
#include "t_windows.h"

typedef struct separable_case {
    cx_separable s;
    const float *x, *w, *by;
    cx_epilogue between, e;
    const char *text;
} separable_case;

static int64_t pixels_of(const cx_window *w)
{
    return w->batch * cells(w->out);
}

/* The second as the layer that it is. */
static cx_conv second_of(const cx_separable *s)
{
    const cx_window *w = &s->depthwise.window;
    return (cx_conv){.window = {.batch = w->batch,
                                .in = {w->out[0], w->out[1], w->out[2]},
                                .out = {w->out[0], w->out[1], w->out[2]},
                                .kernel = {1, 1, 1},
                                .stride = {1, 1, 1},
                                .dilation = {1, 1, 1}},
                     .in_channels = s->depthwise.channels * s->depthwise.multiplier,
                     .out_channels = s->filters,
                     .groups = 1};
}

static void call_both(const separable_case *k, float *y, int ref)
{
    const cx_conv second = second_of(&k->s);
    float *between = numbers(pixels_of(&second.window) * second.in_channels);
    void *workspace = malloc(cx_conv_workspace(&second));
    (ref ? cx_ref_depthwise_forward : cx_depthwise_forward)(&k->s.depthwise, k->x, k->w,
                                                            &k->between, between, NULL);
    (ref ? cx_ref_conv_forward : cx_conv_forward)(&second, between, k->by, &k->e, y, workspace);
    free(workspace);
    drop(between);
}

static void call_separable(const void *arg, float *y, int ref)
{
    const separable_case *k = arg;
    const int64_t n = pixels_of(&k->s.depthwise.window) * k->s.filters;
    if (ref) {
        call_both(k, y, 1);
        return;
    }
    float *want = numbers(n);
    void *workspace = malloc(cx_separable_workspace(&k->s));
    cx_separable_forward(&k->s, k->x, k->w, &k->between, k->by, &k->e, y, workspace);
    call_both(k, want, 0);
    if (memcmp(y, want, (size_t)n * sizeof *y) != 0)
        fail_msg("%s, set %s, %d threads: other bytes than two calls", k->text, cx_kernels_name(),
                 cx_threads());
    free(workspace);
    drop(want);
}

/* Some of what an epilogue can be, with numbers of `arrays`. */
static cx_epilogue random_epilogue(const float *const arrays[3])
{
    const int normed = (int)pick(0, 1);
    return (cx_epilogue){.bias = pick(0, 1) ? arrays[0] : NULL,
                         .scale = normed ? arrays[1] : NULL,
                         .shift = normed ? arrays[2] : NULL,
                         .low = pick(0, 1) ? 0 : -INFINITY,
                         .high = pick(0, 1) ? 1 : INFINITY};
}

static void check(int s, const cx_separable *what)
{
    const cx_window *win = &what->depthwise.window;
    const int64_t channels = what->depthwise.channels,
                  depth = channels * what->depthwise.multiplier;
    float *x = numbers(win->batch * cells(win->in) * channels);
    float *w = numbers(cells(win->kernel) * depth), *by = numbers(depth * what->filters);
    float *of_depth[3], *of_filters[3];
    for (int i = 0; i < 3; i++) {
        of_depth[i] = numbers(depth);
        of_filters[i] = numbers(what->filters);
    }
    char text[TEXT];
    const int n = describe(text, s, win);
    snprintf(text + n, (size_t)(TEXT - n), " channels %d times %d to %d", (int)channels,
             (int)what->depthwise.multiplier, (int)what->filters);
    const separable_case k = {.s = *what,
                              .x = x,
                              .w = w,
                              .by = by,
                              .between = random_epilogue((const float *const *)of_depth),
                              .e = random_epilogue((const float *const *)of_filters),
                              .text = text};
    expect_reference(call_separable, &k, pixels_of(win) * what->filters, text);
    for (int i = 0; i < 3; i++) {
        drop(of_depth[i]);
        drop(of_filters[i]);
    }
    drop(x);
    drop(w);
    drop(by);
}

static void any_window_gives_the_bytes_of_two_calls(void **state)
{
    (void)state;
    int checked = 0;
    for (int s = 1; s <= 200; s++) {
        seed((uint64_t)s + 5000);
        const cx_separable what = {.depthwise = {.window = random_window(14),
                                                 .channels = pick(1, 50),
                                                 .multiplier = pick(0, 3) ? 1 : pick(2, 3)},
                                   .filters = pick(1, 90)};
        if (!cx_separable_pays(&what)) continue;
        check(s, &what);
        checked++;
    }
    assert_true(checked > 100);
}

/* 3 × 3 in steps of 1 or 2 with the cells that "same" puts outside. */
static cx_window same(int64_t batch, int64_t size, int64_t step)
{
    const int64_t out = (size + step - 1) / step, outside = (out - 1) * step + 3 - size;
    return (cx_window){.batch = batch,
                       .in = {1, size, size},
                       .out = {1, out, out},
                       .kernel = {1, 3, 3},
                       .stride = {1, step, step},
                       .dilation = {1, 1, 1},
                       .pad = {0, outside / 2, outside / 2}};
}

/* So many that rows go through the buffers in several bands, of one picture and of more, and so few
 * pixels that threads share the filters. */
static void large_layers_give_the_bytes_of_two_calls(void **state)
{
    (void)state;
    static const struct {
        int64_t batch, size, step, channels, filters;
    } cases[] = {{1, 56, 1, 64, 32},  {1, 41, 2, 160, 70}, {3, 30, 1, 100, 24}, {1, 14, 1, 512, 64},
                 {1, 7, 1, 256, 200}, {2, 14, 2, 256, 64}, {1, 3, 1, 1100, 80}, {1, 40, 1, 40, 7}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        seed(i + 9000);
        const cx_separable what = {
            .depthwise = {.window = same(cases[i].batch, cases[i].size, cases[i].step),
                          .channels = cases[i].channels,
                          .multiplier = 1},
            .filters = cases[i].filters};
        assert_true(cx_separable_pays(&what));
        check((int)i, &what);
    }
}

static void what_other_ways_are_for_is_left_to_them(void **state)
{
    (void)state;
    cx_separable s = {.depthwise = {.window = same(1, 8, 1), .channels = 16, .multiplier = 1},
                      .filters = 8};
    assert_true(cx_separable_pays(&s));
    s.filters = 2;
    assert_false(cx_separable_pays(&s));
    s.filters = 8;
    s.depthwise.window = same(1, 1, 1);
    assert_false(cx_separable_pays(&s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_window_gives_the_bytes_of_two_calls),
        cmocka_unit_test(large_layers_give_the_bytes_of_two_calls),
        cmocka_unit_test(what_other_ways_are_for_is_left_to_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
