/* t_layers_call.c - models whose channels come first give what those give whose channels come last,
 * in their own order of axes; pictures and statistics find the channels. */
#include "test.h"

#include "base/mem.h"
#include "methods/map.h"

enum { HEIGHT = 6, WIDTH = 5, CHANNELS = 3, CELLS = HEIGHT * WIDTH };

static cvs_error err;

static int add(cvs_model *m, const char *class_name, const char *config, int from)
{
    const cx_config_context context = {.keras_major = 3};
    cx_json *json;
    int layer, node;
    OK(cx_json_parse(&json, config, strlen(config), &err));
    OK(cx_model_add_layer(&layer, m, 0, class_name, class_name, json, &context, &err));
    cx_json_free(json);
    OK(cx_model_add_node(&node, m, layer, &from, 1, &err));
    return node;
}

static void close_model(cvs_model *m, int output)
{
    OK(cx_model_set_outputs(m, &output, 1, &err));
    OK(cx_block_init(&m->weights, 1 << 16, &err));
    float *w = m->weights.data;
    for (int i = 0; i < (1 << 14); i++) w[i] = 0.05f * (float)(i * 7 % 23 + 1);
    for (int i = 0; i < m->n_layers; i++)
        for (int k = 0; k < m->layers[i].n_weights; k++) {
            m->layers[i].w[k].data = w;
            w += cx_shape_count(&m->layers[i].w[k].spec.shape);
        }
    OK(cx_model_finish(m, &err));
}

/* The same network for either order of axes. */
static cvs_model *network(int first)
{
    static const char *const configs[][2] = {
        {"{\"filters\": 4, \"kernel_size\": [3, 2], \"padding\": \"same\"}",
         "{\"filters\": 4, \"kernel_size\": [3, 2], \"padding\": \"same\","
         " \"data_format\": \"channels_first\"}"},
        {"{\"axis\": 3}", "{\"axis\": 1}"},
        {"{\"activation\": \"tanh\"}", "{\"activation\": \"tanh\"}"},
        {"{}", "{\"data_format\": \"channels_first\"}"},
        {"{\"data_format\": \"channels_last\"}", "{\"data_format\": \"channels_first\"}"},
        {"{\"units\": 2}", "{\"units\": 2}"},
    };
    static const char *const classes[] = {
        "Conv2D", "BatchNormalization", "Activation", "MaxPooling2D", "Flatten", "Dense"};
    const cx_shape last_shape = {4, {CX_FREE, HEIGHT, WIDTH, CHANNELS}};
    const cx_shape first_shape = {4, {CX_FREE, CHANNELS, HEIGHT, WIDTH}};
    cvs_model *m;
    int node;
    OK(cx_model_new(&m, "net", "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(&node, m, 0, "in", first ? &first_shape : &last_shape, &err));
    for (int i = 0; i < 6; i++) node = add(m, classes[i], configs[i][first], node);
    close_model(m, node);
    return m;
}

/* A run of it on the same numbers. */
static cvs_run *computed(const cvs_model *m, int first)
{
    float x[CELLS * CHANNELS];
    const int64_t dims[2][4] = {{1, HEIGHT, WIDTH, CHANNELS}, {1, CHANNELS, HEIGHT, WIDTH}};
    cvs_run *run;
    for (int i = 0; i < CELLS; i++)
        for (int c = 0; c < CHANNELS; c++)
            x[first ? c * CELLS + i : i * CHANNELS + c] = (float)((i * 3 + c * 5) % 11) / 11;
    OK(cvs_run_new(&run, m, &(cvs_run_options){.taps = "all"}, &err));
    OK(cvs_run_set_input(run, 0, x, dims[first], 4, &err));
    OK(cvs_run_forward(run, &err));
    return run;
}

static void expect_same(float a, float b)
{
    if (!(a == b)) fail_msg("%.9g and %.9g", (double)a, (double)b);
}

static void channels_first_gives_the_same_numbers(void **state)
{
    (void)state;
    cvs_model *models[] = {network(0), network(1)};
    cvs_run *runs[] = {computed(models[0], 0), computed(models[1], 1)};
    for (int node = 1; node < models[0]->n_nodes; node++) {
        const cx_tensor *last, *first;
        OK(cx_run_output(&last, runs[0], node, &err));
        OK(cx_run_output(&first, runs[1], node, &err));
        const int n = last->shape.ndim;
        const int64_t channels = last->shape.d[n - 1];
        const int64_t cells = cx_shape_count(&last->shape) / channels;
        assert_int_equal(first->shape.d[1], channels);
        assert_int_equal(cx_node_channel_axis(models[0], node), n - 1);
        assert_int_equal(cx_node_channel_axis(models[1], node), 1);
        for (int64_t i = 0; i < cells; i++)
            for (int64_t c = 0; c < channels; c++)
                expect_same(first->data[c * cells + i], last->data[i * channels + c]);
    }
    for (int i = 0; i < 2; i++) {
        cvs_run_free(runs[i]);
        cvs_model_free(models[i]);
    }
}

static void maps_of_channels_first_are_turned(void **state)
{
    (void)state;
    cvs_model *models[] = {network(0), network(1)};
    cvs_run *runs[] = {computed(models[0], 0), computed(models[1], 1)};
    for (int node = 1; node < models[0]->n_nodes; node++) {
        cx_map last, first;
        OK(cx_map_of(&last, runs[0], node, 0, &err));
        OK(cx_map_of(&first, runs[1], node, 0, &err));
        assert_int_equal(first.stack.height, last.stack.height);
        assert_int_equal(first.stack.width, last.stack.width);
        assert_int_equal(first.stack.channels, last.stack.channels);
        for (int64_t i = 0; i < cx_shape_count(&last.y.shape); i++)
            expect_same(first.stack.data[i], last.stack.data[i]);
        OK(cx_map_measure(&last, &err));
        OK(cx_map_measure(&first, &err));
        for (int64_t c = 0; c < last.stack.channels; c++)
            assert_true(first.each[c].mean == last.each[c].mean);
        cx_map_deinit(&last);
        cx_map_deinit(&first);
    }
    for (int i = 0; i < 2; i++) {
        cvs_run_free(runs[i]);
        cvs_model_free(models[i]);
    }
}

static void pictures_are_put_in_the_order_of_the_model(void **state)
{
    (void)state;
    char path[1024];
    cvs_model *models[] = {network(0), network(1)};
    cvs_run *runs[2];
    snprintf(path, sizeof path, "%s/images/baseline.jpg", getenv("CONVSCOPE_TEST_DATA"));
    for (int i = 0; i < 2; i++) {
        OK(cvs_run_new(&runs[i], models[i], NULL, &err));
        OK(cvs_run_set_image(runs[i], 0, 0, path, NULL, &err));
    }
    const float *last = cx_run_input(runs[0], 0, 0, 1)->data,
                *first = cx_run_input(runs[1], 0, 0, 1)->data;
    for (int i = 0; i < CELLS; i++)
        for (int c = 0; c < CHANNELS; c++)
            expect_same(first[c * CELLS + i], last[i * CHANNELS + c]);
    for (int i = 0; i < 2; i++) {
        cvs_run_free(runs[i]);
        cvs_model_free(models[i]);
    }
}

/* What a thread prepares for a run is what the run would make of the picture. */
static void a_picture_can_be_fitted_before_there_is_a_run(void **state)
{
    (void)state;
    char path[1024];
    cvs_input *photo, *fit;
    cvs_run *runs[2];
    const cvs_image_options how = {CVS_PREPROCESS_TF, CVS_RESIZE_ANTIALIAS, 0};
    const size_t size = (size_t)CELLS * CHANNELS * sizeof(float);
    snprintf(path, sizeof path, "%s/images/baseline.jpg", getenv("CONVSCOPE_TEST_DATA"));
    OK(cvs_input_load(&photo, path, 0, &err));
    for (int first = 0; first < 2; first++) {
        cvs_model *m = network(first);
        OK(cvs_input_fit(&fit, photo, m, 0, &how, &err));
        for (int i = 0; i < 2; i++) {
            OK(cvs_run_new(&runs[i], m, &(cvs_run_options){.batch = 2}, &err));
            OK(cvs_run_set(runs[i], 0, 1, i ? fit : photo, &how, &err));
        }
        assert_memory_equal(cx_run_input(runs[0], 0, 1, 1)->data + CELLS * CHANNELS,
                            cx_run_input(runs[1], 0, 1, 1)->data + CELLS * CHANNELS, size);
        cvs_run_free(runs[0]);
        cvs_run_free(runs[1]);
        cvs_input *again;
        FAILS(cvs_input_fit(&again, fit, m, 0, NULL, &err), CVS_E_ARG, "a tensor already");
        FAILS(cvs_input_fit(&again, photo, m, 1, NULL, &err), CVS_E_ARG, "no input 1");
        assert_null(again);
        for (int n = 1, rc = CVS_E_NOMEM; rc < 0; n++) {
            cvs_input_free(again);
            cx_alloc_fail_from(n);
            rc = cvs_input_fit(&again, photo, m, 0, &how, &err);
            cx_alloc_fail_from(0);
            assert_true(rc == 0 ? n > 3 : rc == CVS_E_NOMEM && !again);
        }
        cvs_input_free(again);
        cvs_input_free(fit);
        cvs_model_free(m);
    }
    cvs_input_free(photo);
}

static void an_input_has_the_order_that_layers_want(void **state)
{
    (void)state;
    const char *conv = "{\"filters\": 1, \"kernel_size\": 1, \"data_format\": \"channels_first\"}";
    const cx_shape shape = {4, {CX_FREE, 3, 4, 4}};
    cvs_model *m;
    int in, scaled, turned;
    OK(cx_model_new(&m, "net", "Functional", "3.8.0", &err));
    OK(cx_model_add_input(&in, m, 0, "in", &shape, &err));
    scaled = add(m, "Rescaling", "{\"scale\": 2}", in);
    turned = add(m, "Permute", "{\"dims\": [2, 3, 1]}", add(m, "Conv2D", conv, scaled));
    close_model(m, turned);
    assert_int_equal(cx_node_channel_axis(m, in), 1);
    assert_int_equal(cx_node_channel_axis(m, scaled), 1);
    assert_int_equal(cx_node_channel_axis(m, turned), 3);
    cvs_model_free(m);
}

static void layers_without_weights_are_prepared_too(void **state)
{
    (void)state;
    const cx_shape shape = {2, {CX_FREE, 2}};
    const float x[2] = {3, 4};
    const float *y;
    int64_t dims[CVS_MAX_DIMS] = {1, 2};
    cvs_model *m;
    cvs_run *run;
    int node, ndim;
    OK(cx_model_new(&m, "net", "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(&node, m, 0, "in", &shape, &err));
    close_model(m, add(m, "Normalization", "{\"mean\": [1, 2], \"variance\": 4}", node));
    OK(cvs_run_new(&run, m, NULL, &err));
    OK(cvs_run_set_input(run, 0, x, dims, 2, &err));
    OK(cvs_run_forward(run, &err));
    OK(cvs_run_activation(&y, dims, &ndim, run, 1, &err));
    expect_same(y[0], 1);
    expect_same(y[1], 1);
    cvs_run_free(run);
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels_first_gives_the_same_numbers),
        cmocka_unit_test(maps_of_channels_first_are_turned),
        cmocka_unit_test(a_picture_can_be_fitted_before_there_is_a_run),
        cmocka_unit_test(pictures_are_put_in_the_order_of_the_model),
        cmocka_unit_test(an_input_has_the_order_that_layers_want),
        cmocka_unit_test(layers_without_weights_are_prepared_too),
    };
    return RUN(tests);
}
