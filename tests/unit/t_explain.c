/* t_explain.c - what is explained: goals, layers, the walk back and the words that go with a map.
 */
#include "tiny.h"

#include <math.h>

#include "graph/tail.h"
#include "methods/method.h"

/* --- networks by hand --- */

/* One dense layer on three numbers: the score of unit u is sum of x[i] w[i][u]. */
static cvs_model *dense(const char *json, const float *w, int n)
{
    const cx_shape shape = {2, {CX_FREE, 3}};
    cvs_model *m;
    int node;
    OK(cx_model_new(&m, "net", "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(&node, m, 0, "in", &shape, &err));
    node = add(m, "Dense", "dense", json, node);
    close_model(m, node, w, n);
    return m;
}

static cvs_run *fed(const cvs_model *m, const float *x, const int64_t *dims, int ndim)
{
    cvs_run *run;
    OK(cvs_run_new(&run, m, NULL, &err));
    OK(cvs_run_set_input(run, 0, x, dims, ndim, &err));
    return run;
}

/* The gradient of a dense layer's goal; the explanation is freed by the caller. */
static cvs_explanation *gradient(const cvs_model *m, const cvs_explain_options *o)
{
    static const float x[3] = {1, 2, 3};
    cvs_run *run = fed(m, x, (const int64_t[]){1, 3}, 2);
    cvs_explain_options how = *o;
    cvs_explanation *e;
    how.method = "gradient";
    OK(cvs_explain(&e, run, 0, &how, &err));
    cvs_run_free(run);
    return e;
}

static void expect(const cvs_explanation *e, double a, double b, double c)
{
    const double want[3] = {a, b, c};
    assert_int_equal(e->height * e->width * e->channels, 3);
    for (int i = 0; i < 3; i++)
        if (fabs((double)e->data[i] - want[i]) > 1e-6)
            fail_msg("[%d] is %g, not %g", i, (double)e->data[i], want[i]);
}

/* --- goals --- */

static const float two_units[] = {0.5f, -1, 0.25f, 2, -0.5f, 1}; /* by input, then by unit */

static void the_logit_of_a_softmax_has_the_weights_as_its_gradient(void **state)
{
    (void)state;
    cvs_model *m =
        dense("{\"units\": 2, \"activation\": \"softmax\", \"use_bias\": false}", two_units, 6);
    cvs_explanation *e = gradient(m, &(cvs_explain_options){.has_class = 1});
    expect(e, 0.5, 0.25, -0.5);
    assert_true(e->class_index == 0);
    assert_non_null(strstr(e->target, "before the final activation"));
    cvs_explanation_free(e);
    e = gradient(m, &(cvs_explain_options){0}); /* unit 1 has the larger score: 6 */
    expect(e, -1, 2, 1);
    assert_true(e->class_index == 1);
    assert_true(fabs(e->score - 6) < 1e-6);
    assert_true(fabs(e->probability - 1 / (1 + exp(-0.5 - 6))) < 1e-6);
    cvs_explanation_free(e);
    cvs_model_free(m);
}

static void the_probability_of_a_softmax_has_p_times_1_less_p_in_it(void **state)
{
    (void)state;
    cvs_model *m =
        dense("{\"units\": 2, \"activation\": \"softmax\", \"use_bias\": false}", two_units, 6);
    cvs_explanation *e =
        gradient(m, &(cvs_explain_options){.has_class = 1, .target = CVS_TARGET_PROBABILITY});
    const double p = e->probability, slope = p * (1 - p);
    expect(e, slope * 1.5, slope * -1.75, slope * -1.5);
    cvs_explanation_free(e);
    cvs_model_free(m);
}

static void one_sigmoid_has_two_sides(void **state)
{
    (void)state;
    static const float w[] = {1, -2, 0.5f}; /* the score of {1, 2, 3} is -1.5: class 0 */
    cvs_model *m = dense("{\"units\": 1, \"activation\": \"sigmoid\", \"use_bias\": false}", w, 3);
    cvs_explanation *e = gradient(m, &(cvs_explain_options){0});
    expect(e, -1, 2, -0.5);
    assert_true(e->class_index == 0);
    assert_true(fabs(e->probability - 1 / (1 + exp(-1.5))) < 1e-6);
    cvs_explanation_free(e);
    e = gradient(m, &(cvs_explain_options){.has_class = 1, .class_index = 1});
    expect(e, 1, -2, 0.5);
    cvs_explanation_free(e);
    cvs_model_free(m);
}

static void a_number_has_no_class_but_a_direction(void **state)
{
    (void)state;
    static const float w[] = {1, -2, 0.5f}, x[3] = {0};
    cvs_model *m = dense("{\"units\": 1, \"use_bias\": false}", w, 3);
    cvs_explanation *e = gradient(m, &(cvs_explain_options){.down = 1});
    expect(e, -1, 2, -0.5);
    assert_true(e->class_index == -1 && isnan(e->probability));
    cvs_explanation_free(e);
    cvs_run *run = fed(m, x, (const int64_t[]){1, 3}, 2);
    FAILS(cvs_explain(&e, run, 0, &(cvs_explain_options){.has_class = 1, .class_index = 3}, &err),
          CVS_E_ARG, "one number, no class");
    assert_null(e);
    cvs_run_free(run);
    cvs_model_free(m);
}

/* --- maps --- */

/* A convolution of one cell with two filters, then one dense unit on all. The unit reads filter 0
 * at the first cell with weight `a`, and filter 1 nowhere. */
static cvs_model *picture_model(float filter, float a, const char *activation)
{
    const cx_shape shape = {4, {CX_FREE, SIDE, SIDE, 1}};
    float w[2 + 2 + 2 * SIDE * SIDE] = {filter, 1};
    char json[128];
    cvs_model *m;
    int node;
    w[4] = a;
    OK(cx_model_new(&m, "net", "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(&node, m, 0, "in", &shape, &err));
    node = add(m, "Conv2D", "conv",
               "{\"filters\": 2, \"kernel_size\": 1, \"activation\": \"relu\"}", node);
    node = add(m, "MaxPooling2D", "pool", "{\"pool_size\": 1}", node);
    node = add(m, "Flatten", "flatten", "{}", node);
    snprintf(json, sizeof json, "{\"units\": 1, \"use_bias\": false, \"activation\": \"%s\"}",
             activation);
    node = add(m, "Dense", "dense", json, node);
    close_model(m, node, w, (int)(sizeof w / sizeof *w));
    return m;
}

static cvs_explanation *gradcam(const cvs_model *m, const cvs_explain_options *o)
{
    float x[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++) x[i] = (float)(i + 1);
    cvs_run *run = fed(m, x, (const int64_t[]){1, SIDE, SIDE, 1}, 4);
    cvs_explanation *e;
    OK(cvs_explain(&e, run, 0, o, &err));
    cvs_run_free(run);
    return e;
}

static void the_layer_before_the_last_pooling_is_looked_at(void **state)
{
    (void)state;
    cvs_model *m = picture_model(1, 16, "linear");
    cvs_explanation *e = gradcam(m, &(cvs_explain_options){0});
    assert_string_equal(e->layer, "conv");
    /* The mean of filter 0's derivative is 16 / 16. */
    for (int i = 0; i < SIDE * SIDE; i++) assert_true(fabsf(e->data[i] - (float)(i + 1)) < 1e-5f);
    assert_string_equal(e->notes, "");
    cvs_explanation_free(e);
    cvs_model_free(m);
}

static void a_map_of_what_speaks_against_is_kept_with_its_sign(void **state)
{
    (void)state;
    cvs_model *m = picture_model(1, -16, "linear");
    cvs_explanation *e = gradcam(m, &(cvs_explain_options){0});
    assert_true(e->data[5] == 0 && fabsf(e->raw[5] + 6) < 1e-5f);
    assert_non_null(strstr(e->notes, "no positive evidence"));
    cvs_explanation_free(e);
    e = gradcam(m, &(cvs_explain_options){.is_signed = 1});
    assert_true(e->is_signed && fabsf(e->data[5] + 6) < 1e-5f);
    cvs_explanation_free(e);
    cvs_model_free(m);
}

static void a_dead_layer_is_told(void **state)
{
    (void)state;
    cvs_model *m = picture_model(-1, 16, "linear");
    float *w = m->weights.data;
    w[1] = -1; /* the other filter too */
    cvs_explanation *e = gradcam(m, &(cvs_explain_options){0});
    assert_non_null(strstr(e->notes, "layer \"conv\" is dead"));
    cvs_explanation_free(e);
    cvs_model_free(m);
}

static void a_saturated_probability_is_told(void **state)
{
    (void)state;
    cvs_model *m = picture_model(1, 1e4f, "sigmoid");
    cvs_explanation *e = gradcam(m, &(cvs_explain_options){.target = CVS_TARGET_PROBABILITY});
    assert_non_null(strstr(e->notes, "saturated"));
    cvs_explanation_free(e);
    e = gradcam(m, &(cvs_explain_options){0}); /* the logit is not */
    assert_string_equal(e->notes, "");
    cvs_explanation_free(e);
    cvs_model_free(m);
}

static void numbers_that_are_none_are_told(void **state)
{
    (void)state;
    cvs_model *m = picture_model(NAN, 1, "linear");
    cvs_explanation *e = gradcam(m, &(cvs_explain_options){0});
    assert_non_null(strstr(e->notes, "no numbers"));
    cvs_explanation_free(e);
    cvs_model_free(m);
}

/* --- the walk --- */

static void a_node_that_is_read_twice_gets_the_sum(void **state)
{
    (void)state;
    static const float w[] = {1, 2, 3}, x[3] = {1, 1, 1};
    const cx_shape shape = {2, {CX_FREE, 3}};
    cvs_model *m;
    int in, twice[2], node;
    OK(cx_model_new(&m, "net", "Functional", "3.8.0", &err));
    OK(cx_model_add_input(&in, m, 0, "in", &shape, &err));
    twice[0] = twice[1] = in;
    node = add_on(m, "Multiply", "square", "{}", twice, 2);
    twice[0] = node;
    node = add_on(m, "Add", "add", "{}", twice, 2);
    node = add(m, "Dense", "dense", "{\"units\": 1, \"use_bias\": false}", node);
    close_model(m, node, w, 3);
    cvs_run *run = fed(m, x, (const int64_t[]){1, 3}, 2);
    cvs_explanation *e;
    OK(cvs_explain(&e, run, 0, &(cvs_explain_options){.method = "gradient"}, &err));
    expect(e, 3, 6, 9); /* w (2 x + 1) */
    cvs_explanation_free(e);
    cvs_run_free(run);
    cvs_model_free(m);
}

static void what_does_not_depend_on_a_source_is_refused(void **state)
{
    (void)state;
    static const float w[] = {1, 2, 3};
    cvs_model *m = dense("{\"units\": 1, \"activation\": \"sigmoid\", \"use_bias\": false}", w, 3);
    const cx_spot before = {1, 1}, after = {1, 0};
    cx_gradient *g;
    const cx_gradient_options o = {
        .to = &before, .n_to = 1, .from = &after, .n_from = 1, .keep = -1};
    FAILS(cx_gradient_new(&g, m, &o, &err), CVS_E_ARG, "does not depend on");
    assert_null(g);
    cvs_model_free(m);
}

static void a_tail_gives_what_the_whole_gives(void **state)
{
    (void)state;
    cvs_model *m = picture_model(1, 2, "sigmoid");
    const cx_spot to = {m->outputs[0], 1};
    float x[SIDE * SIDE];
    cvs_run *base, *tail;
    for (int i = 0; i < SIDE * SIDE; i++) x[i] = (float)(i + 1);
    OK(cx_run_new(&base, m, 1, 0, &err));
    OK(cx_tail_keep(base, 1, &to, &err));
    cx_run_keep(base, to.node);
    cx_run_keep_linear(base, to.node);
    OK(cx_run_plan(base, &err));
    OK(cvs_run_set_input(base, 0, x, (const int64_t[]){1, SIDE, SIDE, 1}, 4, &err));
    OK(cvs_run_forward(base, &err));
    OK(cx_tail_new(&tail, base, 0, 1, &to, 3, &err));
    const int64_t item = cx_shape_count(&base->slots[1].y.shape);
    tail->slots[1].y.data[item] = 10; /* filter 0 at the first cell of the second of three */
    OK(cvs_run_forward(tail, &err));
    const float *y = cx_spot_value(tail, &to)->data, whole = cx_spot_value(base, &to)->data[0];
    assert_true(y[0] == whole && y[2] == whole);
    assert_true(y[1] == 20);
    cvs_run_free(tail);
    cvs_run_free(base);
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_logit_of_a_softmax_has_the_weights_as_its_gradient),
        cmocka_unit_test(the_probability_of_a_softmax_has_p_times_1_less_p_in_it),
        cmocka_unit_test(one_sigmoid_has_two_sides),
        cmocka_unit_test(a_number_has_no_class_but_a_direction),
        cmocka_unit_test(the_layer_before_the_last_pooling_is_looked_at),
        cmocka_unit_test(a_map_of_what_speaks_against_is_kept_with_its_sign),
        cmocka_unit_test(a_dead_layer_is_told),
        cmocka_unit_test(a_saturated_probability_is_told),
        cmocka_unit_test(numbers_that_are_none_are_told),
        cmocka_unit_test(a_node_that_is_read_twice_gets_the_sum),
        cmocka_unit_test(what_does_not_depend_on_a_source_is_refused),
        cmocka_unit_test(a_tail_gives_what_the_whole_gives),
    };
    return RUN(tests);
}
