/* t_graph_fast.c - what makes runs fast and must not show: transformed weights, layers computed
 * together. */
#include "tiny.h"

#include <math.h>

#include "base/threads.h"
#include "graph/gradient.h"
#include "graph/variant.h"

enum { BATCH = 3, EDGE = 24, DEPTH = 16, INPUT = EDGE * EDGE * DEPTH, UNITS = 5 };

static float noise(int i)
{
    return (float)((i * 7919 + i / 13 * 104729) % 2001 - 1000) / 1000;
}

static cvs_model *begin_network(int *node)
{
    const cx_shape shape = {4, {CX_FREE, EDGE, EDGE, DEPTH}};
    cvs_model *m;
    OK(cx_model_new(&m, "net", "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(node, m, 0, "in", &shape, &err));
    return m;
}

static cvs_model *end_network(cvs_model *m, int node)
{
    OK(cx_model_set_outputs(m, &node, 1, &err));
    OK(cx_block_init(&m->weights, 1 << 18, &err));
    float *w = m->weights.data;
    for (int i = 0; i < m->n_layers; i++)
        for (int k = 0; k < m->layers[i].n_weights; k++) {
            const int64_t n = cx_shape_count(&m->layers[i].w[k].spec.shape);
            m->layers[i].w[k].data = w;
            for (int64_t j = 0; j < n; j++) *w++ = noise((int)j + k) / (n > 200 ? 8 : 1);
            if (m->layers[i].w[k].spec.frozen) /* a mean, or a variance */
                for (int64_t j = 1; j <= n; j++) w[-j] = fabsf(w[-j]) + 0.1f;
        }
    OK(cx_model_finish(m, &err));
    return m;
}

/* Two convolutions that are worth transforming, with a normalisation between them or an activation
 * by itself, poolings, a dense layer. */
static cvs_model *network(void)
{
    int node;
    cvs_model *m = begin_network(&node);
    node = add(m, "Conv2D", "a",
               "{\"filters\": 20, \"kernel_size\": 3, \"padding\": \"same\", "
               "\"activation\": \"relu\"}",
               node);
    node = add(m, "MaxPooling2D", "pool_a", "{}", node);
    node =
        add(m, "Conv2D", "b", "{\"filters\": 70, \"kernel_size\": 3, \"padding\": \"same\"}", node);
    node = add(m, "BatchNormalization", "norm", "{}", node);
    node = add(m, "ReLU", "relu", "{\"max_value\": 6}", node);
    node = add(m, "MaxPooling2D", "pool_b", "{}", node);
    node = add(m, "DepthwiseConv2D", "c", "{\"kernel_size\": 3, \"use_bias\": false}", node);
    node = add(m, "BatchNormalization", "norm_c", "{}", node);
    node = add(m, "Flatten", "flatten", "{}", node);
    node = add(m, "Dense", "dense", "{\"units\": 5}", node);
    return end_network(m, node);
}

/* Depthwise convolutions with what follows them in MobileNets, and without some of it. */
static cvs_model *mobile(void)
{
    int node;
    cvs_model *m = begin_network(&node);
    node = add(m, "DepthwiseConv2D", "a", "{\"kernel_size\": 3, \"padding\": \"same\"}", node);
    node = add(m, "BatchNormalization", "norm_a", "{}", node);
    node = add(m, "ReLU", "relu_a", "{\"max_value\": 6}", node);
    node =
        add(m, "Conv2D", "b", "{\"filters\": 40, \"kernel_size\": 1, \"use_bias\": false}", node);
    node = add(m, "BatchNormalization", "norm_b", "{}", node);
    node = add(m, "Activation", "swish_b", "{\"activation\": \"swish\"}", node);
    node = add(m, "DepthwiseConv2D", "c",
               "{\"kernel_size\": 3, \"strides\": 2, \"activation\": \"relu\"}", node);
    node = add(m, "Conv2D", "d", "{\"filters\": 20, \"kernel_size\": 1, \"activation\": \"relu\"}",
               node);
    node = add(m, "SeparableConv2D", "e", "{\"filters\": 24, \"kernel_size\": 3}", node);
    node = add(m, "DepthwiseConv2D", "f", "{\"kernel_size\": 3, \"activation\": \"tanh\"}", node);
    node = add(m, "Conv2D", "g", "{\"filters\": 8, \"kernel_size\": 1}", node);
    node = add(m, "DepthwiseConv2D", "h", "{\"kernel_size\": 3}", node);
    node = add(m, "Conv2D", "i", "{\"filters\": 9, \"kernel_size\": 1, \"strides\": 2}", node);
    node = add(m, "Flatten", "flatten", "{}", node);
    node = add(m, "Dense", "dense", "{\"units\": 5}", node);
    return end_network(m, node);
}

static cvs_run *run_of(const cvs_model *m, const cvs_run_options *o)
{
    cvs_run *run;
    float *x = malloc(BATCH * INPUT * sizeof *x);
    for (int i = 0; i < BATCH * INPUT; i++) x[i] = noise(i);
    OK(cvs_run_new(&run, m, o, &err));
    OK(cvs_run_set_input(run, 0, x, (int64_t[]){run->batch, EDGE, EDGE, DEPTH}, 4, &err));
    OK(cvs_run_forward(run, &err));
    free(x);
    return run;
}

static const float *output(const cvs_run *run, const char *layer, int64_t *n)
{
    const float *y;
    int64_t dims[CVS_MAX_DIMS];
    int ndim;
    OK(cvs_run_activation(&y, dims, &ndim, run, cvs_model_find(run->model, layer, &err), &err));
    *n = 1;
    for (int i = 0; i < ndim; i++) *n *= dims[i];
    return y;
}

static double largest_difference(const float *a, const float *b, int64_t n)
{
    double top = 0, most = 0;
    for (int64_t i = 0; i < n; i++) {
        top = fmax(top, fabs((double)a[i]));
        most = fmax(most, fabs((double)a[i] - (double)b[i]));
    }
    return most / top;
}

static void the_fast_way_is_taken_and_is_near_the_exact_one(void **state)
{
    (void)state;
    static const char *const layers[] = {"a", "pool_a", "b", "norm", "relu", "pool_b", "dense"};
    cvs_model *m = network();
    cvs_run *fast = run_of(m, &(cvs_run_options){.taps = "all", .batch = BATCH});
    cvs_run *exact = run_of(m, &(cvs_run_options){.taps = "all", .batch = BATCH, .exact = 1});
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        int64_t n;
        const float *a = output(fast, layers[i], &n), *b = output(exact, layers[i], &n);
        assert_true(largest_difference(a, b, n) < 1e-5);
        if (i == 0) assert_true(memcmp(a, b, (size_t)n * sizeof *a) != 0);
    }
    cvs_run_free(fast);
    cvs_run_free(exact);
    cvs_model_free(m);
}

/* The convolutions of a run for one picture and for three, and with 1, 2 and 3 threads. */
static void neither_batch_nor_threads_show(void **state)
{
    (void)state;
    cvs_model *m = network();
    int64_t n;
    cvs_run *one = run_of(m, &(cvs_run_options){.taps = "pool_b"});
    const float *want = output(one, "pool_b", &n);
    for (int threads = 1; threads <= 3; threads++) {
        int64_t all;
        OK(cx_threads_set(threads, &err));
        cvs_run *run = run_of(m, &(cvs_run_options){.taps = "pool_b", .batch = BATCH});
        assert_memory_equal(output(run, "pool_b", &all), want, (size_t)n * sizeof *want);
        cvs_run_free(run);
    }
    OK(cx_threads_set(0, &err));
    cvs_run_free(one);
    cvs_model_free(m);
}

static void make_run(void *arg)
{
    cvs_run **run = arg;
    *run = run_of((*run)->model, NULL);
}

static void threads_share_the_transformed_weights(void **state)
{
    (void)state;
    enum { N = 4 };
    cvs_model *m = network();
    struct cvs_run of = {.model = m};
    cvs_run *runs[N];
    cx_task *tasks[N];
    int64_t n;
    for (int i = 0; i < N; i++) {
        runs[i] = &of;
        tasks[i] = cx_task_start(make_run, &runs[i]);
    }
    for (int i = 0; i < N; i++) cx_task_finish(tasks[i]);
    for (int i = 1; i < N; i++)
        assert_memory_equal(output(runs[0], "dense", &n), output(runs[i], "dense", &n),
                            UNITS * sizeof(float));
    for (int i = 0; i < N; i++) cvs_run_free(runs[i]);
    cvs_model_free(m);
}

static void check_changed_weights(const cvs_run_options *options)
{
    cvs_model *m = network();
    cx_variant v;
    int64_t n;
    OK(cx_variant_init(&v, m, &err));
    cvs_run *run = run_of(&v.model, options);
    cvs_run *plain = run_of(m, options);
    assert_memory_equal(output(run, "a", &n), output(plain, "a", &n), 64 * sizeof(float));
    const int layer = m->nodes[cvs_model_find(m, "a", &err)].layer;
    for (int i = 0; i < 9 * DEPTH * 20; i++) v.w[layer][0][i] *= 2;
    for (int i = 0; i < 20; i++) v.w[layer][1][i] *= 2;
    OK(cx_variant_prepare(&v, &err));
    OK(cvs_run_forward(run, &err));
    const float *twice = output(run, "a", &n), *once = output(plain, "a", &n);
    for (int64_t i = 0; i < n; i++) assert_true(twice[i] == 2 * once[i]);
    cvs_run_free(run);
    cvs_run_free(plain);
    cx_variant_deinit(&v);
    cvs_model_free(m);
}

static void changed_weights_are_transformed_again(void **state)
{
    (void)state;
    OK(cx_threads_set(1, &err));
    check_changed_weights(&(cvs_run_options){.taps = "a"});
    /* And where they are computed picture after picture. */
    check_changed_weights(&(cvs_run_options){.taps = "a,pool_b", .batch = BATCH});
    OK(cx_threads_set(0, &err));
}

/* For each list of taps and two pictures. */
static void expect_bytes_of_all(const cvs_model *m, const char *const *taps, int n_taps, int exact)
{
    cvs_run *all = run_of(m, &(cvs_run_options){.taps = "all", .batch = 2, .exact = exact});
    for (int i = 0; i < n_taps; i++) {
        cvs_run *run = run_of(m, &(cvs_run_options){.taps = taps[i], .batch = 2, .exact = exact});
        for (int k = 0; k < cvs_run_tap_count(run); k++) {
            const char *name = m->nodes[cvs_run_tap(run, k)].name;
            int64_t n;
            const float *got = output(run, name, &n);
            assert_memory_equal(got, output(all, name, &n), (size_t)n * sizeof *got);
        }
        cvs_run_free(run);
    }
    cvs_run_free(all);
}

/* Calls that do the work of several layers: the bytes are those of each by itself, whoever looks.
 */
static void layers_in_one_call_give_the_same_bytes(void **state)
{
    (void)state;
    static const char *const taps[] = {"a",    "pool_a", "b",     "norm",
                                       "relu", "pool_b", "a,b,c", "dense"};
    static const char *const mobile_taps[] = {"a", "relu_a", "b",     "norm_b", "swish_b", "c",
                                              "d", "c,d",    "b,f,h", "e,i",    "dense"};
    cvs_model *m = network(), *depthwise = mobile();
    for (int exact = 0; exact < 2; exact++)
        for (int threads = 1; threads <= 3; threads++) {
            OK(cx_threads_set(threads, &err));
            expect_bytes_of_all(m, taps, sizeof taps / sizeof *taps, exact);
            expect_bytes_of_all(depthwise, mobile_taps, sizeof mobile_taps / sizeof *mobile_taps,
                                exact);
        }
    OK(cx_threads_set(0, &err));
    cvs_model_free(m);
    cvs_model_free(depthwise);
}

static void what_nobody_looks_at_is_not_stored(void **state)
{
    (void)state;
    cvs_model *m = network();
    cvs_run *run = run_of(m, NULL);
    assert_int_equal(run->n_steps, 4); /* a, b, c and dense, with what is after them */
    assert_null(run->slots[cvs_model_find(m, "a", &err)].y.data);
    assert_null(run->slots[cvs_model_find(m, "norm", &err)].y.data);
    assert_non_null(run->slots[cvs_model_find(m, "pool_b", &err)].y.data);
    cvs_run_free(run);
    run = run_of(m, &(cvs_run_options){.taps = "norm"});
    assert_int_equal(run->n_steps, 2);
    cvs_run_free(run);
    run = run_of(m, &(cvs_run_options){.taps = "b,pool_b"});
    assert_int_equal(run->n_steps, 5); /* norm with nothing, relu, pool_b by themselves */
    cvs_run_free(run);
    cvs_model_free(m);
}

static int steps_of(const cvs_model *m, const char *taps)
{
    cvs_run *run = run_of(m, &(cvs_run_options){.taps = taps});
    const int n = run->n_steps;
    cvs_run_free(run);
    return n;
}

static void a_depthwise_convolution_takes_the_one_after_it(void **state)
{
    (void)state;
    cvs_model *m = mobile();
    /* a, c, e; f, which has an activation that is no clamp, and g; h and i, which leaves out
     * pixels; dense. */
    assert_int_equal(steps_of(m, "dense"), 8);
    assert_int_equal(steps_of(m, "swish_b"), 1);
    assert_int_equal(steps_of(m, "b"), 1);
    assert_int_equal(steps_of(m, "relu_a,b"), 2);
    assert_int_equal(steps_of(m, "a,b"), 4);
    cvs_run *run = run_of(m, NULL);
    assert_null(run->slots[cvs_model_find(m, "relu_a", &err)].y.data);
    assert_null(run->slots[cvs_model_find(m, "norm_b", &err)].y.data);
    cvs_run_free(run);
    cvs_model_free(m);
}

/* --- the way back --- */

static cx_gradient *gradient_of(const cvs_model *m, int exact, float *const *dw)
{
    const cx_spot to = {cvs_model_output(m, 0), 0}, from = {0, 0};
    cx_gradient *g;
    float *x = malloc(INPUT * sizeof *x);
    for (int i = 0; i < INPUT; i++) x[i] = noise(i);
    OK(cx_gradient_new(&g, m,
                       &(cx_gradient_options){.batch = 1,
                                              .exact = exact,
                                              .to = &to,
                                              .n_to = 1,
                                              .from = &from,
                                              .n_from = 1,
                                              .keep = -1,
                                              .dw = dw},
                       &err));
    OK(cvs_run_set_input(g->run, 0, x, (int64_t[]){1, EDGE, EDGE, DEPTH}, 4, &err));
    free(x);
    return g;
}

static const float *pass(cx_gradient *g)
{
    OK(cx_gradient_forward(g, &err));
    for (int i = 0; i < UNITS; i++) cx_gradient_seed(g, 0)->data[i] = (float)(i + 1);
    OK(cx_gradient_backward(g, NULL, &err));
    return cx_gradient_result(g, 0)->data;
}

static void gradients_go_the_fast_way_too(void **state)
{
    (void)state;
    cvs_model *m = network();
    cx_gradient *fast = gradient_of(m, 0, NULL), *exact = gradient_of(m, 1, NULL);
    const float *a = pass(fast), *b = pass(exact);
    assert_true(memcmp(a, b, INPUT * sizeof *a) != 0);
    assert_true(largest_difference(a, b, INPUT) < 1e-5);
    const long before = cx_alloc_count();
    for (int i = 0; i < 3; i++) (void)pass(fast);
    assert_int_equal(cx_alloc_count(), before);
    cx_gradient_free(fast);
    cx_gradient_free(exact);
    cvs_model_free(m);
}

/* Training changes weights between passes and tells nobody. */
static void weights_may_change_between_passes_that_ask_for_their_derivatives(void **state)
{
    (void)state;
    cvs_model *m = network();
    cx_variant v;
    OK(cx_variant_init(&v, m, &err));
    const int layer = m->nodes[cvs_model_find(m, "b", &err)].layer;
    float *sums = calloc(9 * 20 * 70, sizeof *sums);
    float **dw = calloc((size_t)m->n_layers * CX_MAX_WEIGHTS, sizeof *dw);
    dw[layer * CX_MAX_WEIGHTS] = sums;
    cx_gradient *training = gradient_of(&v.model, 0, dw);
    float *first = malloc(INPUT * sizeof *first);
    memcpy(first, pass(training), INPUT * sizeof *first);
    for (int i = 0; i < 9 * 20 * 70; i++) v.w[layer][0][i] += noise(i) / 50;
    const float *second = pass(training);
    assert_true(largest_difference(first, second, INPUT) > 1e-3);
    cx_gradient *fresh = gradient_of(&v.model, 1, NULL);
    assert_true(largest_difference(pass(fresh), second, INPUT) < 1e-5);
    const long before = cx_alloc_count();
    (void)pass(training);
    assert_int_equal(cx_alloc_count(), before);
    cx_gradient_free(training);
    cx_gradient_free(fresh);
    cx_variant_deinit(&v);
    cvs_model_free(m);
    free(first);
    free(sums);
    free(dw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fast_way_is_taken_and_is_near_the_exact_one),
        cmocka_unit_test(neither_batch_nor_threads_show),
        cmocka_unit_test(threads_share_the_transformed_weights),
        cmocka_unit_test(changed_weights_are_transformed_again),
        cmocka_unit_test(layers_in_one_call_give_the_same_bytes),
        cmocka_unit_test(what_nobody_looks_at_is_not_stored),
        cmocka_unit_test(a_depthwise_convolution_takes_the_one_after_it),
        cmocka_unit_test(gradients_go_the_fast_way_too),
        cmocka_unit_test(weights_may_change_between_passes_that_ask_for_their_derivatives),
    };
    return RUN(tests);
}
