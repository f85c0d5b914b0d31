/* t_graph.c - building, planning and running networks made by hand. */
#include "test.h"

#include "graph/run.h"

static cvs_error err;

static int add(cvs_model *m, const char *class_name, const char *name, const char *config, int from)
{
    const cx_config_context context = {.keras_major = 2};
    cx_json *json;
    int layer, node;
    OK(cx_json_parse(&json, config, strlen(config), &err));
    OK(cx_model_add_layer(&layer, m, 0, class_name, name, json, &context, &err));
    cx_json_free(json);
    OK(cx_model_add_node(&node, m, layer, &from, 1, &err));
    return node;
}

/* input -> a (conv 3x3, 2 filters) -> b (pool) -> c (flatten) -> d (dense, 1 unit, sigmoid), with
 * weights 0.01, 0.02, … */
static cvs_model *chain(int64_t side)
{
    cvs_model *m;
    int input, node;
    OK(cx_model_new(&m, "tiny", "Sequential", "2.3.0", &err));
    cx_shape shape = {4, {CX_FREE, side, side, 1}};
    OK(cx_model_add_input(&input, m, 0, "in", &shape, &err));
    node = add(m, "Conv2D", "a",
               "{\"filters\": 2, \"kernel_size\": [3, 3], \"activation\": \"relu\"}", input);
    node = add(m, "MaxPooling2D", "b", "{\"pool_size\": [2, 2]}", node);
    if (side > 0) {
        node = add(m, "Flatten", "c", "{}", node);
        node = add(m, "Dense", "d", "{\"units\": 1, \"activation\": \"sigmoid\"}", node);
    }
    OK(cx_model_set_outputs(m, &node, 1, &err));
    OK(cx_block_init(&m->weights, 4096, &err));
    float *w = m->weights.data;
    for (int i = 0; i < 1024; i++) w[i] = 0.01f * (float)(i % 17 - 8);
    for (int i = 0; i < m->n_layers; i++)
        for (int k = 0; k < m->layers[i].n_weights; k++) {
            m->layers[i].w[k].data = w;
            w += cx_shape_count(&m->layers[i].w[k].spec.shape);
        }
    OK(cx_model_finish(m, &err));
    return m;
}

static void feed(cvs_run *run, int64_t h, int64_t w)
{
    float x[64 * 64];
    int64_t dims[] = {1, h, w, 1};
    for (int i = 0; i < h * w; i++) x[i] = (float)(i % 13) / 13;
    OK(cvs_run_set_input(run, 0, x, dims, 4, &err));
}

static void shapes_and_params_are_keras(void **state)
{
    (void)state;
    cvs_model *m = chain(8);
    cvs_layer l;
    OK(cvs_model_layer(&l, m, cvs_model_find(m, "a", &err), &err));
    assert_int_equal(l.ndim, 4);
    assert_int_equal(l.shape[0], -1);
    assert_int_equal(l.shape[1], 6);
    assert_int_equal(l.shape[3], 2);
    assert_int_equal(l.params, 3 * 3 * 2 + 2);
    OK(cvs_model_layer(&l, m, cvs_model_find(m, "d", &err), &err));
    assert_int_equal(l.params, 18 + 1);
    FAILS(cvs_model_find(m, "e", &err), CVS_E_ARG, "no layer \"e\"");
    cvs_model_free(m);
}

static void only_needed_nodes_run(void **state)
{
    (void)state;
    cvs_model *m = chain(8);
    cvs_run *run;
    OK(cvs_run_new(&run, m, &(cvs_run_options){.taps = "a,b"}, &err));
    assert_int_equal(run->n_steps, 1); /* the convolution's call does the pooling */
    assert_int_equal(cvs_run_tap_count(run), 2);
    cvs_run_free(run);
    OK(cvs_run_new(&run, m, &(cvs_run_options){.taps = "conv+pool"}, &err));
    assert_int_equal(cvs_run_tap_count(run), 2);
    cvs_run_free(run);
    OK(cvs_run_new(&run, m, &(cvs_run_options){.taps = "all"}, &err));
    assert_int_equal(cvs_run_tap_count(run), 4);
    assert_int_equal(run->n_steps, 2); /* Flatten costs nothing */
    cvs_run_free(run);
    FAILS(cvs_run_new(&run, m, &(cvs_run_options){.taps = "a,,b"}, &err), CVS_E_ARG, "empty");
    FAILS(cvs_run_new(&run, m, &(cvs_run_options){.taps = "zz"}, &err), CVS_E_ARG, "zz");
    assert_null(run);
    cvs_model_free(m);
}

static void memory_is_reused_and_results_are_not(void **state)
{
    (void)state;
    cvs_model *m = chain(40);
    cvs_run *output, *all;
    const float *a, *b;
    int64_t dims[CVS_MAX_DIMS];
    int ndim, last = cvs_model_output(m, 0);
    OK(cvs_run_new(&output, m, NULL, &err));
    OK(cvs_run_new(&all, m, &(cvs_run_options){.taps = "all"}, &err));
    assert_true(output->memory_size < all->memory_size);
    feed(output, 40, 40);
    feed(all, 40, 40);
    OK(cvs_run_forward(output, &err));
    OK(cvs_run_forward(all, &err));
    OK(cvs_run_activation(&a, dims, &ndim, output, last, &err));
    OK(cvs_run_activation(&b, dims, &ndim, all, last, &err));
    assert_true(a[0] == b[0] && a[0] > 0 && a[0] < 1);
    FAILS(cvs_run_activation(&a, dims, &ndim, output, 1, &err), CVS_E_ARG, "keep");
    cvs_run_free(output);
    cvs_run_free(all);
    cvs_model_free(m);
}

static void steady_state_allocates_nothing(void **state)
{
    (void)state;
    cvs_model *m = chain(20);
    cvs_run *run;
    OK(cvs_run_new(&run, m, NULL, &err));
    feed(run, 20, 20);
    OK(cvs_run_forward(run, &err));
    long before = cx_alloc_count();
    for (int i = 0; i < 10; i++) {
        feed(run, 20, 20);
        OK(cvs_run_forward(run, &err));
    }
    assert_int_equal(cx_alloc_count(), before);
    cvs_run_free(run);
    cvs_model_free(m);
}

static void free_sizes_take_the_inputs(void **state)
{
    (void)state;
    cvs_model *m = chain(CX_FREE);
    cvs_run *run;
    const float *a;
    int64_t dims[CVS_MAX_DIMS];
    int ndim;
    OK(cvs_run_new(&run, m, NULL, &err));
    FAILS(cvs_run_forward(run, &err), CVS_E_ARG, "no input yet");
    feed(run, 10, 12);
    OK(cvs_run_forward(run, &err));
    OK(cvs_run_activation(&a, dims, &ndim, run, cvs_model_output(m, 0), &err));
    assert_int_equal(dims[1], 4);
    assert_int_equal(dims[2], 5);
    feed(run, 30, 40);
    OK(cvs_run_forward(run, &err));
    OK(cvs_run_activation(&a, dims, &ndim, run, cvs_model_output(m, 0), &err));
    assert_int_equal(dims[1], 14);
    FAILS(cvs_run_set_input(run, 0, a, (int64_t[]){1, 2, 2, 1}, 4, &err), CVS_E_FORMAT, "a");
    cvs_run_free(run);
    cvs_model_free(m);
}

static void a_batch_can_be_changed(void **state)
{
    (void)state;
    cvs_model *m = chain(20);
    cvs_run *run, *one;
    const float *a, *b;
    int64_t dims[CVS_MAX_DIMS];
    const int last = cvs_model_output(m, 0);
    int ndim;
    static float x[3 * 20 * 20];
    for (int i = 0; i < 1200; i++) x[i] = (float)(i % 37) / 37;
    OK(cvs_run_new(&run, m, NULL, &err));
    OK(cvs_run_new(&one, m, NULL, &err));
    OK(cvs_run_set_input(run, 0, x, (int64_t[]){3, 20, 20, 1}, 4, &err));
    OK(cvs_run_forward(run, &err));
    OK(cvs_run_set_batch(run, 1, &err));
    FAILS(cvs_run_activation(&a, dims, &ndim, run, last, &err), CVS_E_ARG, "not been computed");
    feed(run, 20, 20);
    feed(one, 20, 20);
    OK(cvs_run_forward(run, &err));
    OK(cvs_run_forward(one, &err));
    OK(cvs_run_activation(&a, dims, &ndim, run, last, &err));
    OK(cvs_run_activation(&b, dims, &ndim, one, last, &err));
    assert_true(dims[0] == 1 && a[0] == b[0]);
    OK(cvs_run_set_batch(run, 2, &err));
    OK(cvs_run_set_input(run, 0, x, (int64_t[]){2, 20, 20, 1}, 4, &err));
    OK(cvs_run_forward(run, &err));
    OK(cvs_run_activation(&a, dims, &ndim, run, last, &err));
    assert_int_equal(dims[0], 2);
    FAILS(cvs_run_set_batch(run, 0, &err), CVS_E_ARG, "batch of 0");
    cvs_run_free(run);
    cvs_run_free(one);
    cvs_model_free(m);
}

static void wrong_inputs_are_refused(void **state)
{
    (void)state;
    cvs_model *m = chain(8);
    cvs_run *run;
    float x[64] = {0};
    OK(cvs_run_new(&run, m, NULL, &err));
    FAILS(cvs_run_set_input(run, 0, x, (int64_t[]){1, 8, 8, 3}, 4, &err), CVS_E_ARG,
          "(None, 8, 8, 1)");
    FAILS(cvs_run_set_input(run, 0, x, (int64_t[]){1, 8, 8}, 3, &err), CVS_E_ARG, "(1, 8, 8)");
    FAILS(cvs_run_set_input(run, 0, x, (int64_t[]){(1LL << 32) + 1, 8, 8, 1}, 4, &err), CVS_E_ARG,
          "(4294967297, 8, 8, 1)");
    FAILS(cvs_run_set_input(run, 1, x, (int64_t[]){1, 8, 8, 1}, 4, &err), CVS_E_ARG, "input 1");
    FAILS(cvs_run_set_image(run, 0, 0, "/nowhere/x.png", NULL, &err), CVS_E_IO, "/nowhere/x.png");
    cvs_run_free(run);
    cvs_model_free(m);
}

/* left (2 numbers) and right (any number of them), one after the other. */
static cvs_model *two_inputs(void)
{
    const cx_config_context context = {.keras_major = 2};
    const cx_shape left = {2, {CX_FREE, 2}}, right = {2, {CX_FREE, CX_FREE}};
    cvs_model *m;
    int nodes[2], layer, out;
    OK(cx_model_new(&m, "two", "Functional", "2.9.0", &err));
    OK(cx_model_add_input(&nodes[0], m, 0, "left", &left, &err));
    OK(cx_model_add_input(&nodes[1], m, 0, "right", &right, &err));
    OK(cx_model_add_layer(&layer, m, 0, "Concatenate", "both", NULL, &context, &err));
    OK(cx_model_add_node(&out, m, layer, nodes, 2, &err));
    OK(cx_model_set_outputs(m, &out, 1, &err));
    OK(cx_model_finish(m, &err));
    return m;
}

static void assert_output(cvs_run *run, const float *want, int n)
{
    const float *y;
    int64_t dims[CVS_MAX_DIMS];
    int ndim;
    OK(cvs_run_forward(run, &err));
    OK(cvs_run_activation(&y, dims, &ndim, run, 2, &err));
    assert_int_equal(dims[0] * dims[1], n);
    for (int i = 0; i < n; i++) assert_true(y[i] == want[i]);
}

static void inputs_stay_while_others_change_their_shape(void **state)
{
    (void)state;
    static const float x[] = {1, 2, 3, 4, 5, 6};
    cvs_model *m = two_inputs();
    cvs_run *run;
    assert_int_equal(cvs_model_find_input(m, "right", &err), 1);
    FAILS(cvs_model_find_input(m, "rigth", &err), CVS_E_ARG, "no input \"rigth\"");
    assert_string_equal(err.hint, "it has left, right");
    OK(cvs_run_new(&run, m, NULL, &err));
    FAILS(cvs_run_forward(run, &err), CVS_E_ARG, "no input yet");
    OK(cvs_run_set_input(run, 0, x, (int64_t[]){1, 2}, 2, &err)); /* before there is a plan */
    FAILS(cvs_run_forward(run, &err), CVS_E_ARG, "\"right\" has nothing");
    OK(cvs_run_set_input(run, 1, x, (int64_t[]){1, 1}, 2, &err));
    assert_output(run, (float[]){1, 2, 1}, 3);
    OK(cvs_run_set_input(run, 1, x, (int64_t[]){1, 3}, 2, &err));
    assert_output(run, (float[]){1, 2, 1, 2, 3}, 5);
    OK(cvs_run_set_input(run, 1, x, (int64_t[]){2, 1}, 2, &err)); /* another batch: left is lost */
    FAILS(cvs_run_forward(run, &err), CVS_E_ARG, "\"left\" has nothing for place 0");
    OK(cvs_run_set_input(run, 0, x + 2, (int64_t[]){2, 2}, 2, &err));
    assert_output(run, (float[]){3, 4, 1, 5, 6, 2}, 6);
    cvs_run_free(run);
    cvs_model_free(m);
}

/* A model with its own Rescaling takes pixel values as they are. */
static void own_rescaling_wants_raw_pixels(void **state)
{
    (void)state;
    const cx_shape shape = {4, {CX_FREE, 8, 8, 3}};
    const char *firsts[][2] = {{"Rescaling", "{\"scale\": 0.004}"},
                               {"Normalization", "{\"mean\": [1, 2, 3], \"variance\": [1, 1, 1]}"},
                               {"Flatten", "{}"}};
    const cvs_preprocess wanted[] = {CVS_PREPROCESS_RAW, CVS_PREPROCESS_RAW, CVS_PREPROCESS_UNIT};
    for (int i = 0; i < 3; i++) {
        cvs_model *m;
        int node;
        const char *why;
        OK(cx_model_new(&m, "m", "Sequential", "2.9.0", &err));
        OK(cx_model_add_input(&node, m, 0, "in", &shape, &err));
        node = add(m, "Dropout", "d", "{\"rate\": 0.1}", node); /* does nothing here */
        node = add(m, firsts[i][0], "first", firsts[i][1], node);
        OK(cx_model_set_outputs(m, &node, 1, &err));
        OK(cx_model_finish(m, &err));
        assert_int_equal(cvs_model_preprocess(m, 0, &why), wanted[i]);
        assert_int_equal(strstr(why, "rescaling") != NULL, wanted[i] == CVS_PREPROCESS_RAW);
        cvs_model_free(m);
    }
}

/* The layout of Keras 2 (to 2.6), at Python's width: fields cut and padded at columns 29, 55, 65.
 */
static void summary_is_keras_2(void **state)
{
    (void)state;
    cvs_model *m = chain(8);
    char *text;
    OK(cvs_model_summary(&text, m, &(cvs_summary_options){.width = 65}, &err));
    assert_string_equal(text,
                        "Model: \"tiny\"\n"
                        "_________________________________________________________________\n"
                        "Layer (type)                 Output Shape              Param #   \n"
                        "=================================================================\n"
                        "a (Conv2D)                   (None, 6, 6, 2)           20        \n"
                        "_________________________________________________________________\n"
                        "b (MaxPooling2D)             (None, 3, 3, 2)           0         \n"
                        "_________________________________________________________________\n"
                        "c (Flatten)                  (None, 18)                0         \n"
                        "_________________________________________________________________\n"
                        "d (Dense)                    (None, 1)                 19        \n"
                        "=================================================================\n"
                        "Total params: 39\n"
                        "Trainable params: 39\n"
                        "Non-trainable params: 0\n"
                        "_________________________________________________________________\n");
    cvs_free(text);
    FAILS(cvs_model_summary(&text, m, &(cvs_summary_options){.width = 7}, &err), CVS_E_ARG,
          "width");
    cvs_model_free(m);
}

/* As Keras 3.8 draws it with line_length 65. */
static void summary_is_keras_3(void **state)
{
    (void)state;
    cvs_model *m = chain(8);
    char *text;
    const cvs_summary_options table = {.style = CVS_SUMMARY_KERAS3, .width = 65};
    OK(cvs_model_summary(&text, m, &table, &err));
    const char *start = "Model: \"tiny\"\n"
                        "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┓\n"
                        "┃ Layer (type)               ┃ Output Shape        ┃    Param # ┃\n"
                        "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━┩\n"
                        "│ a (Conv2D)                 │ (None, 6, 6, 2)     │         20 │\n";
    assert_memory_equal(text, start, strlen(start));
    assert_non_null(strstr(text, " Total params: 39 (156.00 B)\n"));
    cvs_free(text);
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_and_params_are_keras),
        cmocka_unit_test(only_needed_nodes_run),
        cmocka_unit_test(memory_is_reused_and_results_are_not),
        cmocka_unit_test(steady_state_allocates_nothing),
        cmocka_unit_test(free_sizes_take_the_inputs),
        cmocka_unit_test(a_batch_can_be_changed),
        cmocka_unit_test(wrong_inputs_are_refused),
        cmocka_unit_test(inputs_stay_while_others_change_their_shape),
        cmocka_unit_test(own_rescaling_wants_raw_pixels),
        cmocka_unit_test(summary_is_keras_2),
        cmocka_unit_test(summary_is_keras_3),
    };
    return RUN(tests);
}
