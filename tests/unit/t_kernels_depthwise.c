/* t_kernels_depthwise.c - depthwise convolution against the reference: any window, and those of
 * 3 × 3 in steps of 1 or 2, which have a way of their own. */
#include "t_kernels.h"
#include "t_windows.h"

typedef struct depthwise_case {
    cx_depthwise d;
    const float *x, *w;
    cx_epilogue e;
} depthwise_case;

static void call_depthwise(const void *arg, float *y, int ref)
{
    const depthwise_case *k = arg;
    void *workspace = malloc(cx_depthwise_workspace(&k->d));
    (ref ? cx_ref_depthwise_forward : cx_depthwise_forward)(&k->d, k->x, k->w, &k->e, y, workspace);
    free(workspace);
}

static void depthwise_equals_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 200; s++) {
        seed((uint64_t)s + 3000);
        depthwise_case k = {.d = {.window = random_window(14),
                                  .channels = pick(1, 50),
                                  .multiplier = pick(0, 3) ? 1 : pick(2, 3)}};
        const cx_window *win = &k.d.window;
        const int64_t width = k.d.channels * k.d.multiplier;
        float *x = numbers(win->batch * cells(win->in) * k.d.channels);
        float *w = numbers(cells(win->kernel) * width), *bias = numbers(width);
        k.x = x;
        k.w = w;
        k.e = (cx_epilogue){.bias = pick(0, 2) ? bias : NULL,
                            .low = pick(0, 1) ? 0 : -INFINITY,
                            .high = pick(0, 3) ? INFINITY : 2};
        char text[TEXT];
        int n = describe(text, s, win);
        snprintf(text + n, (size_t)(TEXT - n), " channels %d times %d", (int)k.d.channels,
                 (int)k.d.multiplier);
        expect_reference(call_depthwise, &k, win->batch * cells(win->out) * width, text);
        drop(x);
        drop(w);
        drop(bias);
    }
}

/* Any number of cells outside before the first, 0 to 2, and after the last. */
static cx_window plane(int64_t most)
{
    cx_window w = {.batch = pick(1, 3),
                   .in = {1, 1, 1},
                   .out = {1, 1, 1},
                   .kernel = {1, 3, 3},
                   .stride = {1, 1, 1},
                   .dilation = {1, 1, 1}};
    const int64_t step = pick(1, 2);
    for (int a = CX_HEIGHT; a <= CX_WIDTH; a++) {
        w.pad[a] = pick(0, 9) ? pick(0, 1) : 2;
        const int64_t after = pick(0, 9) ? pick(0, 1) : 2;
        const int64_t least = 3 - w.pad[a] - after;
        w.in[a] = pick(least > 1 ? least : 1, most);
        w.stride[a] = step;
        w.out[a] = (w.in[a] + w.pad[a] + after - 3) / step + 1;
    }
    return w;
}

static void check_plane(int s, const cx_window *w, int64_t channels)
{
    const int64_t cells_in = w->batch * cells(w->in), cells_out = w->batch * cells(w->out);
    float *x = numbers(cells_in * channels), *k = numbers(9 * channels);
    float *bias = numbers(channels), *scale = numbers(channels), *shift = numbers(channels);
    const int normed = (int)pick(0, 1);
    const depthwise_case c = {.d = {.window = *w, .channels = channels, .multiplier = 1},
                              .x = x,
                              .w = k,
                              .e = {.bias = pick(0, 1) ? bias : NULL,
                                    .scale = normed ? scale : NULL,
                                    .shift = normed ? shift : NULL,
                                    .low = pick(0, 1) ? 0 : -INFINITY,
                                    .high = pick(0, 1) ? 1 : INFINITY}};
    char text[TEXT];
    const int n = describe(text, s, w);
    snprintf(text + n, (size_t)(TEXT - n), " channels %d", (int)channels);
    expect_reference(call_depthwise, &c, cells_out * channels, text);
    drop(x);
    drop(k);
    drop(bias);
    drop(scale);
    drop(shift);
}

static void planes_equal_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 200; s++) {
        seed((uint64_t)s);
        const cx_window w = plane(s % 4 ? 12 : 40);
        check_plane(s, &w, pick(1, 70));
    }
}

/* Pixels that are a power of two apart. */
static void planes_of_many_channels_equal_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 20; s++) {
        seed((uint64_t)s + 1000);
        const cx_window w = plane(s % 4 ? 7 : 18);
        check_plane(s, &w, s % 3 ? 512 : 1024);
    }
}

/* A cell outside counts for nothing, whatever it would be multiplied with. */
static void weights_of_cells_outside_do_not_show(void **state)
{
    (void)state;
    enum { CHANNELS = 16, SIZE = 2 };
    float x[SIZE * SIZE * CHANNELS], w[9 * CHANNELS], y[SIZE * SIZE * CHANNELS];
    for (int i = 0; i < SIZE * SIZE * CHANNELS; i++) x[i] = 1;
    for (int i = 0; i < 9 * CHANNELS; i++) w[i] = i / CHANNELS == 0 ? NAN : 1;
    const cx_depthwise d = {.window = {.batch = 1,
                                       .in = {1, SIZE, SIZE},
                                       .out = {1, SIZE, SIZE},
                                       .kernel = {1, 3, 3},
                                       .stride = {1, 1, 1},
                                       .dilation = {1, 1, 1},
                                       .pad = {0, 1, 1}},
                            .channels = CHANNELS,
                            .multiplier = 1};
    const cx_epilogue none = {.low = -INFINITY, .high = INFINITY};
    for (size_t s = 0; s < sizeof set_names / sizeof set_names[0]; s++) {
        if (cx_kernels_use(set_names[s], NULL) < 0) continue;
        cx_depthwise_forward(&d, x, w, &none, y, NULL);
        for (int i = 0; i < SIZE * SIZE * CHANNELS; i++)
            if (i / CHANNELS == 3) /* the one whose first cell is inside */
                assert_true(isnan(y[i]));
            else
                assert_true(y[i] == 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depthwise_equals_the_reference),
        cmocka_unit_test(planes_equal_the_reference),
        cmocka_unit_test(planes_of_many_channels_equal_the_reference),
        cmocka_unit_test(weights_of_cells_outside_do_not_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
