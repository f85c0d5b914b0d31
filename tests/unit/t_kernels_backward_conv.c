/* t_kernels_backward_conv.c - the gradients of convolutions and dense layers: against the reference
 * on seeded random shapes, and by what makes a gradient one. */
#include "t_kernels.h"
#include "t_windows.h"

/* An operation that is linear in x and in w, with numbers for all of them. */
typedef struct linear linear;
struct linear {
    cx_conv c;
    cx_conv_transpose t;
    cx_depthwise d;
    int64_t rows, in, out;
    void (*forward)(const linear *l, float *y);
    void (*data)(const linear *l, float *dx, int ref);
    void (*weights)(const linear *l, float *dw, int ref);
    int64_t n_x, n_w, n_y;
    float *x, *w, *dy, *start; /* start: dw before */
};

static const cx_epilogue none = {.low = -INFINITY, .high = INFINITY};

/* Workspace full of NaNs: what reads it before it writes spoils its result. */
static void *scratch(size_t size)
{
    void *p = malloc(size + 1);
    assert_non_null(p);
    memset(p, 0xff, size);
    return p;
}

/* --- convolution --- */

static void conv_forward(const linear *l, float *y)
{
    void *s = scratch(cx_conv_workspace(&l->c));
    cx_conv_forward(&l->c, l->x, l->w, &none, y, s);
    free(s);
}

static void conv_data(const linear *l, float *dx, int ref)
{
    void *s = scratch(cx_conv_backward_data_workspace(&l->c));
    (ref ? cx_ref_conv_backward_data : cx_conv_backward_data)(&l->c, l->dy, l->w, dx, s);
    free(s);
}

static void conv_weights(const linear *l, float *dw, int ref)
{
    void *s = scratch(cx_conv_backward_weights_workspace(&l->c));
    (ref ? cx_ref_conv_backward_weights : cx_conv_backward_weights)(&l->c, l->x, l->dy, dw, s);
    free(s);
}

static linear conv_of(const cx_conv *c)
{
    const cx_window *w = &c->window;
    return (linear){.c = *c,
                    .forward = conv_forward,
                    .data = conv_data,
                    .weights = conv_weights,
                    .n_x = w->batch * cells(w->in) * c->in_channels,
                    .n_w = cells(w->kernel) * (c->in_channels / c->groups) * c->out_channels,
                    .n_y = w->batch * cells(w->out) * c->out_channels};
}

/* --- transposed convolution --- */

static void transpose_forward(const linear *l, float *y)
{
    float *packed = numbers(l->n_w);
    void *s = scratch(cx_conv_transpose_workspace(&l->t));
    cx_conv_transpose_pack(&l->t, l->w, packed);
    cx_conv_transpose_forward(&l->t, l->x, packed, &none, y, s);
    drop(packed);
    free(s);
}

static void transpose_data(const linear *l, float *dx, int ref)
{
    void *s = scratch(cx_conv_transpose_backward_data_workspace(&l->t));
    (ref ? cx_ref_conv_transpose_backward_data : cx_conv_transpose_backward_data)(&l->t, l->dy,
                                                                                  l->w, dx, s);
    free(s);
}

static void transpose_weights(const linear *l, float *dw, int ref)
{
    void *s = scratch(cx_conv_transpose_backward_weights_workspace(&l->t));
    (ref ? cx_ref_conv_transpose_backward_weights
         : cx_conv_transpose_backward_weights)(&l->t, l->x, l->dy, dw, s);
    free(s);
}

static linear transpose_of(const cx_conv_transpose *t)
{
    const cx_window *w = &t->window;
    return (linear){.t = *t,
                    .forward = transpose_forward,
                    .data = transpose_data,
                    .weights = transpose_weights,
                    .n_x = w->batch * cells(w->out) * t->in_channels,
                    .n_w = cells(w->kernel) * t->in_channels * (t->out_channels / t->groups),
                    .n_y = w->batch * cells(w->in) * t->out_channels};
}

/* --- depthwise convolution --- */

static void depthwise_forward(const linear *l, float *y)
{
    void *s = scratch(cx_depthwise_workspace(&l->d));
    cx_depthwise_forward(&l->d, l->x, l->w, &none, y, s);
    free(s);
}

static void depthwise_data(const linear *l, float *dx, int ref)
{
    void *s = scratch(cx_depthwise_backward_data_workspace(&l->d));
    (ref ? cx_ref_depthwise_backward_data : cx_depthwise_backward_data)(&l->d, l->dy, l->w, dx, s);
    free(s);
}

static void depthwise_weights(const linear *l, float *dw, int ref)
{
    void *s = scratch(cx_depthwise_backward_weights_workspace(&l->d));
    (ref ? cx_ref_depthwise_backward_weights : cx_depthwise_backward_weights)(&l->d, l->x, l->dy,
                                                                              dw, s);
    free(s);
}

static linear depthwise_of(const cx_depthwise *d)
{
    const cx_window *w = &d->window;
    return (linear){.d = *d,
                    .forward = depthwise_forward,
                    .data = depthwise_data,
                    .weights = depthwise_weights,
                    .n_x = w->batch * cells(w->in) * d->channels,
                    .n_w = cells(w->kernel) * d->channels * d->multiplier,
                    .n_y = w->batch * cells(w->out) * d->channels * d->multiplier};
}

/* --- dense --- */

static void dense_forward(const linear *l, float *y)
{
    void *s = scratch(cx_dense_workspace(l->rows, l->in, l->out));
    cx_dense_forward(l->rows, l->in, l->out, l->x, l->w, &none, y, s);
    free(s);
}

static void dense_data(const linear *l, float *dx, int ref)
{
    void *s = scratch(cx_dense_backward_data_workspace(l->rows, l->in, l->out));
    (ref ? cx_ref_dense_backward_data : cx_dense_backward_data)(l->rows, l->in, l->out, l->dy, l->w,
                                                                dx, s);
    free(s);
}

static void dense_weights(const linear *l, float *dw, int ref)
{
    void *s = scratch(cx_dense_backward_weights_workspace(l->rows, l->in, l->out));
    (ref ? cx_ref_dense_backward_weights : cx_dense_backward_weights)(l->rows, l->in, l->out, l->x,
                                                                      l->dy, dw, s);
    free(s);
}

static linear dense_of(int64_t rows, int64_t in, int64_t out)
{
    return (linear){.rows = rows,
                    .in = in,
                    .out = out,
                    .forward = dense_forward,
                    .data = dense_data,
                    .weights = dense_weights,
                    .n_x = rows * in,
                    .n_w = in * out,
                    .n_y = rows * out};
}

/* --- the checks --- */

static void call_data(const void *arg, float *dx, int ref)
{
    const linear *l = arg;
    l->data(l, dx, ref);
}

static void call_weights(const void *arg, float *dw, int ref)
{
    const linear *l = arg;
    memcpy(dw, l->start, (size_t)l->n_w * sizeof *dw);
    l->weights(l, dw, ref);
}

static double product(const float *a, const float *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

static double length(const float *a, int64_t n)
{
    return sqrt(product(a, a, n));
}

static void expect_equal_products(double a, double b, double size, const char *what)
{
    if (fabs(a - b) > TOLERANCE * size)
        fail_msg("%s, set %s: %.9g is not %.9g", what, cx_kernels_name(), a, b);
}

/* What y is linear in, its gradient is adjoint to: <dy, y> = <dx, x> = <dw, w>. */
static void expect_adjoint(const linear *l, const char *what)
{
    float *y = numbers(l->n_y), *dx = numbers(l->n_x), *dw = numbers(l->n_w);
    memset(dw, 0, (size_t)l->n_w * sizeof *dw);
    l->forward(l, y);
    l->data(l, dx, 0);
    l->weights(l, dw, 0);
    const double same = product(l->dy, y, l->n_y);
    const double size = 1e-6 + length(l->dy, l->n_y) * length(y, l->n_y);
    expect_equal_products(product(dx, l->x, l->n_x), same, size, what);
    expect_equal_products(product(dw, l->w, l->n_w), same, size, what);
    drop(y);
    drop(dx);
    drop(dw);
}

static void check(linear l, const char *what)
{
    l.x = numbers(l.n_x);
    l.w = numbers(l.n_w);
    l.dy = numbers(l.n_y);
    l.start = numbers(l.n_w);
    char text[TEXT + 16];
    snprintf(text, sizeof text, "dx, %s", what);
    expect_reference(call_data, &l, l.n_x, text);
    snprintf(text, sizeof text, "dw, %s", what);
    expect_reference(call_weights, &l, l.n_w, text);
    snprintf(text, sizeof text, "<,>, %s", what);
    expect_adjoint(&l, text);
    drop(l.x);
    drop(l.w);
    drop(l.dy);
    drop(l.start);
}

static void check_conv(int seed_of, const cx_conv *c)
{
    char text[TEXT];
    int n = describe(text, seed_of, &c->window);
    snprintf(text + n, (size_t)(TEXT - n), " channels %d to %d groups %d", (int)c->in_channels,
             (int)c->out_channels, (int)c->groups);
    check(conv_of(c), text);
}

/* --- the tests --- */

/* Some cells behind the last window: nothing reads them, so their gradient is 0. */
static void leave_cells_unread(cx_window *w)
{
    for (int a = 0; a < CX_SPACE; a++)
        if (w->in[a] > 1) w->in[a] += pick(0, 2);
}

static void gradients_of_a_convolution_equal_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 200; s++) {
        seed((uint64_t)s + 10000);
        cx_conv c = {.window = random_window(9), .groups = pick(0, 3) ? 1 : pick(2, 4)};
        leave_cells_unread(&c.window);
        c.in_channels = c.groups * pick(1, c.groups > 1 ? 6 : 40);
        c.out_channels = c.groups * pick(1, c.groups > 1 ? 20 : 75);
        check_conv(s, &c);
    }
}

static void gradients_of_as_many_groups_as_channels_equal_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 30; s++) {
        seed((uint64_t)s + 11000);
        cx_conv c = {.window = random_window(9), .groups = pick(2, 40)};
        c.in_channels = c.groups;
        c.out_channels = c.groups * pick(1, 3);
        check_conv(s, &c);
    }
}

static cx_window plane(int64_t batch, int64_t size, int64_t kernel)
{
    const int64_t out = size - kernel + 1;
    return (cx_window){.batch = batch,
                       .in = {1, size, size},
                       .out = {1, out, out},
                       .kernel = {1, kernel, kernel},
                       .stride = {1, 1, 1},
                       .dilation = {1, 1, 1}};
}

/* Several parts, pieces and chunks: many places with few weights, then the reverse. */
static void gradients_that_are_shared_out_equal_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 6; s++) {
        seed((uint64_t)s + 12000);
        const cx_conv places = {.window = plane(pick(2, 5), pick(30, 50), pick(1, 3)),
                                .in_channels = pick(1, 5),
                                .out_channels = pick(1, 20),
                                .groups = 1};
        const cx_conv channels = {.window = plane(1, pick(3, 5), pick(1, 3)),
                                  .in_channels = pick(100, 200),
                                  .out_channels = pick(60, 200),
                                  .groups = 1};
        check_conv(s, &places);
        check_conv(s, &channels);
    }
}

static void gradients_of_a_transposed_convolution_equal_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 120; s++) {
        seed((uint64_t)s + 13000);
        cx_conv_transpose t = {.window = random_window(7), .groups = pick(0, 3) ? 1 : pick(2, 3)};
        leave_cells_unread(&t.window);
        t.in_channels = t.groups * pick(1, 20);
        t.out_channels = t.groups * pick(1, 30);
        char text[TEXT];
        int n = describe(text, s, &t.window);
        snprintf(text + n, (size_t)(TEXT - n), " channels %d to %d groups %d", (int)t.in_channels,
                 (int)t.out_channels, (int)t.groups);
        check(transpose_of(&t), text);
    }
}

static void gradients_of_a_depthwise_convolution_equal_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 120; s++) {
        seed((uint64_t)s + 14000);
        cx_depthwise d = {.window = random_window(s % 10 ? 12 : 40),
                          .channels = pick(1, 50),
                          .multiplier = pick(0, 3) ? 1 : pick(2, 3)};
        leave_cells_unread(&d.window);
        char text[TEXT];
        int n = describe(text, s, &d.window);
        snprintf(text + n, (size_t)(TEXT - n), " channels %d times %d", (int)d.channels,
                 (int)d.multiplier);
        check(depthwise_of(&d), text);
    }
}

static void gradients_of_a_dense_layer_equal_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 120; s++) {
        seed((uint64_t)s + 15000);
        const int64_t rows = s % 3 ? pick(1, 20) : pick(60, 150);
        const int64_t in = s % 10 ? pick(1, 200) : pick(1000, 3000), out = pick(1, 150);
        char text[TEXT];
        snprintf(text, TEXT, "seed %d: %d rows of %d to %d", s, (int)rows, (int)in, (int)out);
        check(dense_of(rows, in, out), text);
    }
}

typedef struct bias_case {
    int64_t rows, channels;
    const float *dy, *start;
} bias_case;

static void call_bias(const void *arg, float *db, int ref)
{
    const bias_case *k = arg;
    memcpy(db, k->start, (size_t)k->channels * sizeof *db);
    (ref ? cx_ref_bias_backward : cx_bias_backward)(k->rows, k->channels, k->dy, db);
}

static void the_gradient_of_a_bias_equals_the_reference(void **state)
{
    (void)state;
    for (int s = 1; s <= 60; s++) {
        seed((uint64_t)s + 16000);
        const int64_t rows = pick(1, s % 6 ? 100 : 20000), channels = pick(1, 150);
        float *dy = numbers(rows * channels), *start = numbers(channels);
        const bias_case k = {rows, channels, dy, start};
        char text[TEXT];
        snprintf(text, TEXT, "seed %d: bias of %d rows, channels %d", s, (int)rows, (int)channels);
        expect_reference(call_bias, &k, channels, text);
        drop(dy);
        drop(start);
    }
}

/* A kernel that fits nowhere has no output. */
static void without_an_output_dx_is_zero_and_dw_stays(void **state)
{
    (void)state;
    cx_conv c = {.window = plane(2, 3, 3), .in_channels = 5, .out_channels = 7, .groups = 1};
    c.window.out[CX_HEIGHT] = 0;
    linear l = conv_of(&c);
    float dx[2 * 9 * 5], dw[9 * 5 * 7], dy[1] = {0};
    l.dy = dy;
    l.x = dx;
    l.w = numbers(l.n_w);
    for (int i = 0; i < 9 * 5 * 7; i++) dw[i] = 3;
    for (int i = 0; i < 2 * 9 * 5; i++) dx[i] = 3;
    l.data(&l, dx, 0);
    l.weights(&l, dw, 0);
    for (int i = 0; i < 2 * 9 * 5; i++) assert_true(dx[i] == 0);
    for (int i = 0; i < 9 * 5 * 7; i++) assert_true(dw[i] == 3);
    drop(l.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_of_a_convolution_equal_the_reference),
        cmocka_unit_test(gradients_of_as_many_groups_as_channels_equal_the_reference),
        cmocka_unit_test(gradients_that_are_shared_out_equal_the_reference),
        cmocka_unit_test(gradients_of_a_transposed_convolution_equal_the_reference),
        cmocka_unit_test(gradients_of_a_depthwise_convolution_equal_the_reference),
        cmocka_unit_test(gradients_of_a_dense_layer_equal_the_reference),
        cmocka_unit_test(the_gradient_of_a_bias_equals_the_reference),
        cmocka_unit_test(without_an_output_dx_is_zero_and_dw_stays),
    };
    return RUN(tests);
}
