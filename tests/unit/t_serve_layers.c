/* t_serve_layers.c - what the viewer answers about layers, against the library's own numbers. */
#include "t_serve.h"

#include <math.h>

#include "draw/byte_sheet.h"
#include "draw/colormap.h"
#include "graph/reach.h"

static const char shipped[] = "../../models/cats_and_dogs_small_2.h5";
static const char separable[] = "../golden/cases/depthwise_separable_keras38_h5/model.h5";
static const char channels_first[] = "../golden/cases/channels_first_v3/model.keras";

/* --- sheets --- */

static void figures_are_those_of_the_run(void **state)
{
    stage s;
    int64_t dims[6], n;
    cvs_stats whole, *each;
    (void)state;
    open_model(&s, shipped);
    cvs_run *run = compute(&s, "all");
    cx_json *a = ask_json(cx_answer_layer, &s, "max_pooling2d_3", "");
    (void)activation(run, "max_pooling2d_3", dims);
    OK(cvs_run_stats(&whole, &each, &n, run, cvs_model_find(s.m, "max_pooling2d_3", &err), 0,
                     &err));
    assert_true(cx_json_bool(cx_json_get(a, "is_map"), 0));
    assert_true(number(a, "height") == (double)dims[1] && number(a, "width") == (double)dims[2]);
    assert_true(number(a, "channels") == (double)dims[3] && n == dims[3]);
    NEAR(number(a, "max"), whole.max, 1e-8 * fabs(whole.max));
    NEAR(number(a, "mean"), whole.mean, 1e-8);
    NEAR(number(a, "sparsity"), whole.sparsity, 1e-8);
    const cx_json *lists = cx_json_get(a, "each");
    size_t dead = 0;
    for (int64_t c = 0; c < n; c++) {
        NEAR(item(lists, "std", c), each[c].std, 1e-8);
        dead += (size_t)each[c].dead;
    }
    assert_int_equal(cx_json_size(cx_json_get(lists, "dead")), dead);
    assert_true(number(a, "dead_channels") == (double)dead);
    cvs_free(each);
    cx_json_free(a);
    cvs_run_free(run);
    close_stage(&s);
}

/* Every byte of the sheet stands for the value that the run has there, within half a step. */
static void check_sheet(const stage *s, const char *layer, const cvs_run *run)
{
    int64_t dims[6];
    const float *x = activation(run, layer, dims);
    cx_json *a = ask_json(cx_answer_layer, s, layer, "");
    cx_image sheet = ask_png(cx_answer_sheet, s, layer, "", 1);
    const cx_json *g = cx_json_get(a, "sheet");
    const int64_t h = (int64_t)number(g, "height"), w = (int64_t)number(g, "width");
    const int64_t channels = (int64_t)number(g, "channels");
    const int64_t columns = (int64_t)number(g, "columns");
    assert_true(number(g, "shrink") == 1 && sheet.width == w * columns);
    for (int64_t c = 0; c < channels; c++) {
        const double low = item(g, "low", c), high = item(g, "high", c);
        for (int64_t i = 0; i < h * w; i++) {
            const int64_t row = c / columns * h + i / w, column = c % columns * w + i % w;
            const int q = sheet.data[row * sheet.width + column];
            NEAR(low + q * (high - low) / 254, (double)x[i * channels + c],
                 (high - low) / 507 + 1e-7 * fabs(high));
        }
    }
    cx_image_deinit(&sheet);
    cx_json_free(a);
}

static void sheets_hold_the_numbers(void **state)
{
    stage s;
    (void)state;
    open_model(&s, shipped);
    cvs_run *run = compute(&s, "all");
    check_sheet(&s, "conv2d_3", run);
    check_sheet(&s, "max_pooling2d_5", run);
    check_sheet(&s, "dense_10", run); /* a vector, on one range */
    cx_json *a = ask_json(cx_answer_layer, &s, "dense_10", "");
    int64_t dims[6];
    const float *x = activation(run, "dense_10", dims);
    assert_false(cx_json_bool(cx_json_get(a, "is_map"), 1));
    assert_null(cx_json_get(a, "each"));
    assert_int_equal(cx_json_size(cx_json_get(a, "values")), dims[1]);
    for (int64_t i = 0; i < dims[1]; i++) NEAR(item(a, "values", i), (double)x[i], 1e-8);
    cx_json_free(a);
    cvs_run_free(run);
    close_stage(&s);
}

static void numbers_come_as_they_are(void **state)
{
    stage s;
    int64_t dims[6];
    (void)state;
    open_model(&s, shipped);
    cvs_run *run = compute(&s, "all");
    const float *x = activation(run, "conv2d_6", dims);
    cx_tensor all = ask_npy(cx_answer_activation, &s, "conv2d_6", "");
    assert_int_equal(all.shape.ndim, 3);
    assert_memory_equal(all.shape.d, dims + 1, 3 * sizeof *dims);
    assert_memory_equal(all.data, x, (size_t)cx_shape_count(&all.shape) * sizeof *x);
    cx_tensor one = ask_npy(cx_answer_activation, &s, "conv2d_6", "channel=5");
    assert_int_equal(one.shape.ndim, 2);
    for (int64_t i = 0; i < dims[1] * dims[2]; i++) assert_true(one.data[i] == x[i * dims[3] + 5]);
    cx_tensor_deinit(&all);
    cx_tensor_deinit(&one);
    cvs_run_free(run);
    close_stage(&s);
}

static void a_channel_has_the_colours_of_its_values(void **state)
{
    stage s;
    int64_t dims[6];
    uint8_t rgb[3 * 255];
    (void)state;
    open_model(&s, shipped);
    cvs_run *run = compute(&s, "all");
    const float *x = activation(run, "conv2d_6", dims);
    cx_image image =
        ask_png(cx_answer_channel, &s, "conv2d_6", "channel=7&map=magma&zoom=3&low=0&high=0.5", 3);
    assert_int_equal(image.width, 3 * dims[2]);
    assert_int_equal(image.height, 3 * dims[1]);
    cx_colormap_fill(rgb, 255, CX_MAP_MAGMA);
    for (int64_t y = 0; y < image.height; y++)
        for (int64_t i = 0; i < image.width; i++) {
            const double v = (double)x[(y / 3 * dims[2] + i / 3) * dims[3] + 7];
            const int q = cx_byte_of(v, 0, 0.5);
            assert_memory_equal(image.data + 3 * (y * image.width + i), rgb + 3 * q, 3);
        }
    cx_image_deinit(&image);
    cvs_run_free(run);
    close_stage(&s);
}

/* --- one number --- */

/* All that the answer says of a sum adds up, the window is the input's, the number is the run's. */
static void check_sum(const stage *s, const cvs_run *run, const char *layer, const char *input,
                      int row, int column, int channel)
{
    char query[128];
    int64_t in[6], out[6];
    snprintf(query, sizeof query, "channel=%d&row=%d&column=%d", channel, row, column);
    cx_json *a = ask_json(cx_answer_pixel, s, layer, query);
    const float *x = activation(run, input, in), *y = activation(run, layer, out);
    const cx_json *window = cx_json_get(a, "window"), *shown = cx_json_get(a, "shown");
    const int64_t top = (int64_t)number(window, "row"), left = (int64_t)number(window, "column");
    const int64_t wide = (int64_t)number(window, "width");
    double sum = number(a, "bias") + number(a, "rest"), all = number(a, "bias"), size = 1e-6;
    assert_string_equal(cx_json_string(cx_json_get(a, "how"), ""), "sum");
    for (size_t i = 0; i < cx_json_size(shown); i++) {
        const cx_json *c = cx_json_at(shown, i), *cells = cx_json_get(c, "x");
        const int64_t of = (int64_t)number(c, "channel");
        double own = 0;
        for (size_t k = 0; k < cx_json_size(cells); k++) {
            const int64_t r = top + (int64_t)k / wide, q = left + (int64_t)k % wide;
            const int is_inside = r >= 0 && r < in[1] && q >= 0 && q < in[2];
            assert_int_equal(cx_json_is_null(cx_json_at(cells, k)), !is_inside);
            if (!is_inside) continue;
            NEAR(item(c, "x", (int64_t)k), (double)x[(r * in[2] + q) * in[3] + of], 1e-8);
            NEAR(item(c, "products", (int64_t)k),
                 item(c, "x", (int64_t)k) * item(c, "kernel", (int64_t)k), 1e-7);
            own += item(c, "products", (int64_t)k);
        }
        NEAR(number(c, "sum"), own, 1e-6);
        sum += number(c, "sum");
    }
    const cx_json *sums = cx_json_get(a, "sums");
    for (size_t i = 0; i < cx_json_size(sums); i++) {
        all += cx_json_number(cx_json_at(sums, i), 0);
        size += fabs(cx_json_number(cx_json_at(sums, i), 0));
    }
    NEAR(sum, number(a, "sum"), 1e-6 * size);
    NEAR(all, number(a, "sum"), 1e-6 * size);
    NEAR(number(a, "value"), (double)y[(row * out[2] + column) * out[3] + channel], 1e-8);
    NEAR(number(a, "result"), number(a, "value"), 2e-5 * size);
    cx_json_free(a);
}

static void a_sum_is_shown_as_it_is_made(void **state)
{
    stage s;
    (void)state;
    open_model(&s, shipped);
    cvs_run *run = compute(&s, "all,conv2d_3_input");
    check_sum(&s, run, "conv2d_3", "conv2d_3_input", 0, 0, 3);
    check_sum(&s, run, "conv2d_3", "conv2d_3_input", 147, 147, 31);
    check_sum(&s, run, "conv2d_5", "max_pooling2d_3", 20, 3, 100);
    check_sum(&s, run, "conv2d_6", "max_pooling2d_4", 14, 14, 127);
    cvs_run_free(run);
    close_stage(&s);
}

static void a_window_before_the_input_says_so(void **state)
{
    stage s;
    (void)state;
    open_model(&s, separable);
    cvs_run *run = compute(&s, "all");
    int64_t dims[6];
    const float *y = activation(run, "separable_conv2d_1", dims);
    char query[64];
    for (int64_t c = 0; c < dims[3]; c++) {
        snprintf(query, sizeof query, "channel=%lld&row=0&column=0", (long long)c);
        cx_json *a = ask_json(cx_answer_pixel, &s, "separable_conv2d_1", query);
        NEAR(number(a, "result"), (double)y[c], 1e-5);
        cx_json_free(a);
    }
    cvs_run_free(run);
    close_stage(&s);
}

static void poolings_name_the_winner(void **state)
{
    stage s;
    int64_t in[6];
    (void)state;
    open_model(&s, shipped);
    cvs_run *run = compute(&s, "all");
    const float *x = activation(run, "conv2d_4", in);
    for (int i = 0; i < 20; i++) {
        char query[64];
        snprintf(query, sizeof query, "channel=%d&row=%d&column=%d", 3 * i, i, 30 - i);
        cx_json *a = ask_json(cx_answer_pixel, &s, "max_pooling2d_3", query);
        assert_string_equal(cx_json_string(cx_json_get(a, "how"), ""), "largest");
        const int64_t r = (int64_t)item(cx_json_get(a, "window"), "winner", 0);
        const int64_t q = (int64_t)item(cx_json_get(a, "window"), "winner", 1);
        assert_true(r / 2 == i && q / 2 == 30 - i);
        NEAR((double)x[(r * in[2] + q) * in[3] + 3 * i], number(a, "value"), 1e-8);
        NEAR(number(a, "result"), number(a, "value"), 1e-8);
        cx_json_free(a);
    }
    cvs_run_free(run);
    close_stage(&s);
}

static void a_dense_layer_shows_what_adds_most(void **state)
{
    stage s;
    (void)state;
    open_model(&s, shipped);
    cvs_run *run = compute(&s, "all");
    int64_t dims[6];
    const float *x = activation(run, "flatten_2", dims);
    cx_json *a = ask_json(cx_answer_pixel, &s, "dense_10", "channel=17&shown=5");
    const cx_json *shown = cx_json_get(a, "shown");
    double before = HUGE_VAL, sum = number(a, "bias") + number(a, "rest");
    assert_int_equal(cx_json_size(shown), 5);
    assert_true(number(a, "rest_channels") == (double)dims[1] - 5);
    assert_null(cx_json_get(a, "sums")); /* 6,272 of them */
    for (size_t i = 0; i < 5; i++) {
        const cx_json *c = cx_json_at(shown, i);
        NEAR(item(c, "x", 0), (double)x[(int64_t)number(c, "channel")], 1e-8);
        assert_true(fabs(number(c, "sum")) <= before);
        before = fabs(number(c, "sum"));
        sum += number(c, "sum");
    }
    NEAR(sum, number(a, "sum"), 1e-5);
    NEAR(number(a, "result"), number(a, "value"), 1e-5);
    cx_json_free(a);
    /* Of what lies flat the place in the map is told. */
    a = ask_json(cx_answer_pixel, &s, "flatten_2", "channel=1000");
    const cx_json *from = cx_json_at(cx_json_get(a, "inputs"), 0);
    assert_string_equal(cx_json_string(cx_json_get(a, "how"), ""), "same");
    assert_true(number(from, "row") == 1 && number(from, "column") == 0);
    assert_true(number(from, "channel") == 1000 - 7 * 128);
    NEAR(number(from, "value"), (double)x[1000], 1e-8);
    cx_json_free(a);
    cvs_run_free(run);
    close_stage(&s);
}

static void what_a_number_sees_is_told(void **state)
{
    stage s;
    cx_sight sight;
    int64_t box[4];
    (void)state;
    open_model(&s, shipped);
    const int node = cvs_model_find(s.m, "conv2d_5", &err);
    OK(cx_sight_find(&sight, s.m, node, &(cx_shape){4, {1, 150, 150, 3}}, &err));
    cx_sight_range(&sight.rows, 4, &box[0], &box[2]);
    cx_sight_range(&sight.columns, 30, &box[1], &box[3]);
    cx_json *a = ask_json(cx_answer_pixel, &s, "conv2d_5", "channel=1&row=4&column=30");
    for (int i = 0; i < 4; i++) assert_true(item(a, "sees", i) == (double)box[i]);
    cx_json_free(a);
    close_stage(&s);
}

/* --- weights --- */

static void kernels_are_those_of_the_model(void **state)
{
    stage s;
    (void)state;
    open_model(&s, shipped);
    const cvs_model *m = s.m;
    const int node = cvs_model_find(m, "conv2d_4", &err);
    const cx_layer *l = &m->layers[m->nodes[node].layer];
    cx_json *a = ask_json(cx_answer_weights, &s, "conv2d_4", "channel=9");
    const cx_json *kernel = cx_json_get(a, "kernel");
    assert_true(item(kernel, "shape", 0) == 3 && item(kernel, "shape", 2) == 32);
    assert_int_equal(cx_json_size(cx_json_get(kernel, "numbers")), 3 * 3 * 32);
    for (int64_t i = 0; i < 3 * 3 * 32; i++)
        NEAR(item(kernel, "numbers", i), (double)l->w[0].data[i * 64 + 9], 1e-9);
    NEAR(number(a, "bias"), (double)l->w[1].data[9], 1e-9);
    NEAR(number(cx_json_get(a, "own"), "bias"), (double)l->w[1].data[9], 1e-9);
    assert_int_equal(cx_json_size(cx_json_get(a, "weights")), 2);
    cx_json_free(a);
    close_stage(&s);
}

/* --- derivatives --- */

/* By central differences along a few directions of the input. */
static double moved(cvs_run *run, const cx_tensor *x, const cx_tensor *d, double by, int layer,
                    int64_t at)
{
    const int64_t dims[] = {1, x->shape.d[0], x->shape.d[1], x->shape.d[2]};
    const int64_t n = cx_shape_count(&x->shape);
    float *y = malloc((size_t)n * sizeof *y);
    int64_t out[6];
    const float *a;
    int ndim;
    for (int64_t i = 0; i < n; i++) y[i] = x->data[i] + (float)by * d->data[i];
    OK(cvs_run_set_input(run, 0, y, dims, 4, &err));
    OK(cvs_run_forward(run, &err));
    OK(cvs_run_activation(&a, out, &ndim, run, layer, &err));
    free(y);
    return (double)a[at];
}

static void a_derivative_is_the_slope(void **state)
{
    stage s;
    int64_t dims[6];
    (void)state;
    open_model(&s, shipped);
    look_at_numbers(&s, 150, 150, 3);
    const int layer = cvs_model_find(s.m, "conv2d_6", &err);
    cvs_run *run = compute(&s, "all");
    const float *y = activation(run, "conv2d_6", dims);
    const int64_t n = dims[1] * dims[2] * dims[3];
    int64_t top = 0;
    for (int64_t i = 0; i < n; i++) top = y[i] > y[top] ? i : top;
    const int64_t channel = top % dims[3];
    char query[32];
    snprintf(query, sizeof query, "channel=%lld", (long long)channel);
    cx_json *a = ask_json(cx_answer_gradient, &s, "conv2d_6", query);
    cx_tensor d = ask_npy(cx_answer_gradient_npy, &s, "conv2d_6", query);
    cx_tensor x = ask_npy(cx_answer_activation, &s, "conv2d_3_input", "");
    const int64_t at =
        ((int64_t)number(a, "row") * dims[2] + (int64_t)number(a, "column")) * dims[3] + channel;
    for (int64_t i = channel; i < n; i += dims[3]) assert_true(y[at] >= y[i]);
    assert_true(y[at] > 0);
    NEAR(number(a, "value"), (double)y[at], 1e-8);
    double square = 0;
    for (int64_t i = 0; i < cx_shape_count(&d.shape); i++)
        square += (double)d.data[i] * (double)d.data[i];
    assert_true(square > 0);
    const double step = 1e-3 / sqrt(square); /* against kinks: a small one, along the slope */
    const double slope =
        (moved(run, &x, &d, step, layer, at) - moved(run, &x, &d, -step, layer, at)) / (2 * step);
    NEAR(slope / square, 1, 0.02);
    /* The picture has the sums of the colours. */
    cx_image png = ask_png(cx_answer_gradient_png, &s, "conv2d_6", query, 1);
    const double high = number(a, "high");
    assert_true(high > 0 && number(a, "low") == -high);
    for (int64_t i = 0; i < d.shape.d[0] * d.shape.d[1]; i++) {
        const double sum =
            (double)d.data[3 * i] + (double)d.data[3 * i + 1] + (double)d.data[3 * i + 2];
        NEAR(-high + png.data[i] * 2 * high / 254, sum, high / 253);
    }
    cx_image_deinit(&png);
    cx_tensor_deinit(&d);
    cx_tensor_deinit(&x);
    cx_json_free(a);
    cvs_run_free(run);
    close_stage(&s);
}

/* A derivative of a number of the first layer is its kernel, wherever channels are. */
static void a_first_layers_derivative_is_its_kernel(void **state)
{
    stage s;
    (void)state;
    open_model(&s, shipped);
    cx_tensor d = ask_npy(cx_answer_gradient_npy, &s, "conv2d_3", "channel=4&row=10&column=20");
    cx_tensor y = ask_npy(cx_answer_activation, &s, "conv2d_3", "channel=4");
    cx_json *a = ask_json(cx_answer_weights, &s, "conv2d_3", "channel=4");
    const int is_shut = y.data[10 * y.shape.d[1] + 20] <= 0;
    for (int64_t i = 0; i < cx_shape_count(&d.shape); i++) {
        const int64_t r = i / 3 / 150 - 10, q = i / 3 % 150 - 20;
        const int is_in = r >= 0 && r < 3 && q >= 0 && q < 3 && !is_shut;
        NEAR((double)d.data[i],
             is_in ? item(cx_json_get(a, "kernel"), "numbers", (r * 3 + q) * 3 + i % 3) : 0, 1e-6);
    }
    cx_json_free(a);
    cx_tensor_deinit(&y);
    cx_tensor_deinit(&d);
    close_stage(&s);
}

/* --- what makes no sense --- */

static void wrong_questions_are_told(void **state)
{
    stage s;
    cx_reply reply;
    (void)state;
    open_model(&s, shipped);
    expect(cx_answer_layer, &s, "conv2d_99", "", 404, CVS_E_ARG, "conv2d_99");
    expect(cx_answer_channel, &s, "conv2d_3", "", 0, CVS_E_ARG, "channel");
    expect(cx_answer_channel, &s, "conv2d_3", "channel=32", 0, CVS_E_ARG, "channel");
    expect(cx_answer_channel, &s, "conv2d_3", "channel=-1", 0, CVS_E_ARG, "channel");
    expect(cx_answer_channel, &s, "conv2d_3", "channel=1&map=mauve", 0, CVS_E_ARG, "map");
    expect(cx_answer_channel, &s, "conv2d_3", "channel=1&zoom=65", 0, CVS_E_ARG, "zoom");
    expect(cx_answer_pixel, &s, "conv2d_3", "channel=1&row=148&column=0", 0, CVS_E_ARG, "row");
    expect(cx_answer_pixel, &s, "conv2d_3", "channel=1&row=1", 0, CVS_E_ARG, "column");
    expect(cx_answer_pixel, &s, "conv2d_4", "channel=1&row=1&column=1&input_channel=32", 0,
           CVS_E_ARG, "input_channel");
    expect(cx_answer_weights, &s, "max_pooling2d_2", "", 0, CVS_E_UNSUPPORTED, "no weights");
    expect(cx_answer_gradient, &s, "conv2d_3", "channel=x", 0, CVS_E_ARG, "channel");
    FAILS(ask_with(cx_answer_layer, &reply, &s, "conv2d_3", "image=0123456789abcdef", NULL, NULL),
          CVS_E_ARG, "0123456789abcdef");
    assert_int_equal(reply.status, 404);
    FAILS(ask_with(cx_answer_sheet, &reply, &s, "conv2d_3", "x=1", NULL, NULL), CVS_E_ARG, "image");
    close_stage(&s);
}

/* Channels that come first lie last in answers. */
static void channels_first_is_turned(void **state)
{
    stage s;
    (void)state;
    open_model(&s, channels_first);
    for (int i = 0; i < s.m->n_nodes; i++) {
        const char *name = s.m->nodes[i].name;
        if (s.m->nodes[i].shape.ndim != 4 || s.m->nodes[i].shape.d[3] < 2) continue;
        cx_json *a = ask_json(cx_answer_pixel, &s, name, "channel=0&row=0&column=1");
        cx_tensor x = ask_npy(cx_answer_activation, &s, name, "channel=0");
        NEAR(number(a, "value"), (double)x.data[1], 1e-7 * fabs((double)x.data[1]));
        if (cx_json_get(a, "result")) NEAR(number(a, "result"), number(a, "value"), 1e-4);
        cx_tensor_deinit(&x);
        cx_json_free(a);
    }
    close_stage(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_those_of_the_run),
        cmocka_unit_test(sheets_hold_the_numbers),
        cmocka_unit_test(numbers_come_as_they_are),
        cmocka_unit_test(a_channel_has_the_colours_of_its_values),
        cmocka_unit_test(a_sum_is_shown_as_it_is_made),
        cmocka_unit_test(a_window_before_the_input_says_so),
        cmocka_unit_test(poolings_name_the_winner),
        cmocka_unit_test(a_dense_layer_shows_what_adds_most),
        cmocka_unit_test(what_a_number_sees_is_told),
        cmocka_unit_test(kernels_are_those_of_the_model),
        cmocka_unit_test(a_derivative_is_the_slope),
        cmocka_unit_test(a_first_layers_derivative_is_its_kernel),
        cmocka_unit_test(wrong_questions_are_told),
        cmocka_unit_test(channels_first_is_turned),
    };
    return RUN(tests);
}
