/* t_methods.c - methods on networks so small that the answer is known. */
#include "tiny.h"

#include <math.h>

#include "methods/upsample.h"

/* Of a linear score each pixel's part is x w, whoever asks. */
static void attributions_of_a_linear_score_are_its_terms(void **state)
{
    (void)state;
    static const char *const methods[] = {"input-x-gradient", "integrated-gradients", "deeplift"};
    float x[CELLS], w[CELLS];
    cvs_model *m = linear(w);
    numbers(x);
    for (size_t k = 0; k < sizeof methods / sizeof *methods; k++) {
        cvs_explanation *e = explain(m, &(cvs_explain_options){.method = methods[k]});
        for (int i = 0; i < CELLS; i++)
            if (fabsf(e->data[i] - x[i] * w[i]) > 1e-5f)
                fail_msg("%s: [%d] is %g, not %g", methods[k], i, (double)e->data[i],
                         (double)(x[i] * w[i]));
        cvs_explanation_free(e);
    }
    cvs_model_free(m);
}

static void windows_of_one_pixel_tell_its_term(void **state)
{
    (void)state;
    float x[CELLS], w[CELLS];
    cvs_model *m = linear(w);
    numbers(x);
    cvs_explanation *e =
        explain(m, &(cvs_explain_options){.method = "occlusion", .window = 1, .stride = 1});
    for (int i = 0; i < CELLS; i++) assert_true(fabsf(e->data[i] - x[i] * w[i]) < 1e-5f);
    cvs_explanation_free(e);
    cvs_model_free(m);
}

static void what_must_add_up_does(void **state)
{
    (void)state;
    static const char *const methods[] = {"integrated-gradients", "deeplift", "lrp"};
    cvs_model *m = rectified(3);
    for (size_t k = 0; k < sizeof methods / sizeof *methods; k++) {
        cvs_explanation *e =
            explain(m, &(cvs_explain_options){.method = methods[k], .steps = 1000});
        if (!(fabs(sum(e) - e->score) < 2e-3 * fabs(e->score)))
            fail_msg("%s: %g of %g", methods[k], sum(e), e->score);
        assert_true(e->residual < 2e-3);
        cvs_explanation_free(e);
    }
    cvs_model_free(m);
}

static void every_rule_of_the_integral_is_exact_for_a_line(void **state)
{
    (void)state;
    float w[CELLS];
    cvs_model *m = linear(w);
    for (int rule = CVS_QUADRATURE_MIDPOINT; rule <= CVS_QUADRATURE_GAUSS; rule++) {
        cvs_explanation *e = explain(m, &(cvs_explain_options){.method = "integrated-gradients",
                                                               .steps = 3,
                                                               .quadrature = (cvs_quadrature)rule});
        assert_true(e->residual < 1e-5);
        cvs_explanation_free(e);
    }
    cvs_model_free(m);
}

static void a_linear_score_has_one_gradient_everywhere(void **state)
{
    (void)state;
    float w[CELLS];
    cvs_model *m = linear(w);
    cvs_explanation *e = explain(m, &(cvs_explain_options){.method = "smoothgrad", .steps = 7});
    for (int i = 0; i < CELLS; i++) assert_true(fabsf(e->data[i] - w[i]) < 1e-5f);
    cvs_explanation_free(e);
    e = explain(m, &(cvs_explain_options){.method = "vargrad", .steps = 7});
    for (int i = 0; i < CELLS; i++) assert_true(fabsf(e->data[i]) < 1e-5f);
    cvs_explanation_free(e);
    cvs_model_free(m);
}

/* Of a linear score the mean of (x - x0) w over references that are drawn: with one, exactly; with
 * two, between what each would give. */
static void expected_gradients_begin_from_references(void **state)
{
    (void)state;
    float x[CELLS], w[CELLS], references[2 * CELLS];
    cvs_model *m = linear(w);
    cvs_run *from;
    numbers(x);
    for (int i = 0; i < 2 * CELLS; i++) references[i] = (float)(i * 5 % 9) / 8;
    for (int n = 1; n <= 2; n++) {
        OK(cvs_run_new(&from, m, &(cvs_run_options){.batch = n}, &err));
        OK(cvs_run_set_input(from, 0, references, (const int64_t[]){n, SIDE, SIDE, 1}, 4, &err));
        cvs_explanation *e =
            explain(m, &(cvs_explain_options){
                           .method = "expected-gradients", .references = from, .steps = 400});
        for (int i = 0; i < CELLS; i++) {
            const double a = ((double)x[i] - (double)references[i]) * (double)w[i];
            const double b =
                ((double)x[i] - (double)references[(n - 1) * CELLS + i]) * (double)w[i];
            const double off = fabs((double)e->data[i] - (a + b) / 2);
            assert_true(off < 1e-4 + 0.1 * fabs(a - b)); /* half the draws are each one's, ± 10 % */
        }
        assert_true(e->residual < 1e-4);
        cvs_explanation_free(e);
        cvs_run_free(from);
    }
    cvs_model_free(m);
}

/* From one reference at many places it is integrated gradients, but for the draws. */
static void expected_gradients_come_near_the_integral(void **state)
{
    (void)state;
    float zeros[CELLS] = {0};
    cvs_model *m = rectified(3);
    cvs_run *from = run_on(m, zeros, NULL);
    double most = 0;
    cvs_explanation *many = explain(
        m,
        &(cvs_explain_options){.method = "expected-gradients", .references = from, .steps = 4000});
    cvs_explanation *ig =
        explain(m, &(cvs_explain_options){.method = "integrated-gradients", .steps = 1000});
    for (int i = 0; i < CELLS; i++) most = fmax(most, fabs((double)ig->data[i]));
    for (int i = 0; i < CELLS; i++)
        assert_true(fabs((double)many->data[i] - (double)ig->data[i]) < 0.05 * most);
    cvs_explanation_free(many);
    cvs_explanation_free(ig);
    cvs_run_free(from);
    cvs_model_free(m);
}

static void a_seed_gives_the_same_bytes_for_any_number_of_threads(void **state)
{
    (void)state;
    static const char *const methods[] = {"smoothgrad", "rise"};
    cvs_model *m = rectified(3);
    for (size_t k = 0; k < sizeof methods / sizeof *methods; k++) {
        const cvs_explain_options how = {.method = methods[k], .steps = 40, .seed = 5};
        OK(cvs_set_threads(1, &err));
        cvs_explanation *one = explain(m, &how);
        OK(cvs_set_threads(3, &err));
        cvs_explanation *three = explain(m, &how);
        assert_memory_equal(one->data, three->data, CELLS * sizeof(float));
        cvs_explanation_free(one);
        cvs_explanation_free(three);
    }
    OK(cvs_set_threads(0, &err));
    cvs_model_free(m);
}

static void what_is_stopped_keeps_what_it_has(void **state)
{
    (void)state;
    double done = 0;
    cvs_model *m = rectified(3);
    cvs_explanation *e = explain(m, &(cvs_explain_options){.method = "rise",
                                                           .steps = 100,
                                                           .memory = 1,
                                                           .progress = stop_at_once,
                                                           .progress_arg = &done});
    assert_true(e->done > 0 && e->done < 1 && e->done == done);
    cvs_explanation_free(e);
    cvs_model_free(m);
}

/* Without its only channel the score of this network is 0: the channel weighs 1, or -1 where the
 * score is negative. */
static void a_channel_weighs_what_the_score_loses_without_it(void **state)
{
    (void)state;
    const float *a;
    int64_t dims[CVS_MAX_DIMS];
    int ndim;
    cvs_model *m = rectified(1);
    cvs_explanation *e =
        explain(m, &(cvs_explain_options){.method = "ablationcam", .is_signed = 1});
    cvs_run *run = run_on(m, NULL, "conv");
    OK(cvs_run_forward(run, &err));
    OK(cvs_run_activation(&a, dims, &ndim, run, cvs_run_tap(run, 0), &err));
    assert_true(fabs(e->score) > 1e-3);
    for (int i = 0; i < CELLS; i++)
        assert_true(fabs((double)e->data[i] - (e->score > 0 ? 1 : -1) * (double)a[i]) < 1e-6);
    cvs_run_free(run);
    cvs_explanation_free(e);
    cvs_model_free(m);
}

static void hirescam_adds_up_to_a_score_that_is_linear_in_the_layer(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    cvs_explanation *g = explain(m, &(cvs_explain_options){.method = "hirescam", .is_signed = 1});
    assert_true(fabs(g->score) > 0.1 && fabs(sum(g) - g->score) < 1e-4);
    cvs_explanation_free(g);
    cvs_model_free(m);
}

static void guided_gradcam_is_the_product_of_the_two(void **state)
{
    (void)state;
    float large[CELLS];
    cvs_model *m = rectified(3);
    cvs_explanation *both = explain(m, &(cvs_explain_options){.method = "guided-gradcam"});
    cvs_explanation *fine = explain(m, &(cvs_explain_options){.method = "guided-backprop"});
    cvs_explanation *coarse = explain(m, &(cvs_explain_options){.method = "gradcam"});
    cx_upsample(coarse->data, 1, coarse->height, coarse->width, large, SIDE, SIDE);
    for (int i = 0; i < CELLS; i++)
        assert_true(fabsf(both->data[i] - fine->data[i] * large[i]) < 1e-6f);
    assert_string_equal(both->layer, coarse->layer);
    cvs_explanation_free(both);
    cvs_explanation_free(fine);
    cvs_explanation_free(coarse);
    cvs_model_free(m);
}

enum { CHANNELS = 3 };

/* What the convolution gives, and the derivative by it, each its own pixel's and channel's. */
static cvs_model *weighed(double a[CELLS][CHANNELS], double g[CELLS][CHANNELS])
{
    const cx_shape shape = {4, {CX_FREE, SIDE, SIDE, 1}};
    float w[CHANNELS + CELLS * CHANNELS], x[CELLS];
    cvs_model *m;
    int node;
    for (size_t i = 0; i < sizeof w / sizeof *w; i++) w[i] = (float)(i * 7 % 11) / 5 - 0.9f;
    numbers(x);
    for (int i = 0; i < CELLS; i++)
        for (int c = 0; c < CHANNELS; c++) {
            a[i][c] = (double)(x[i] * w[c]);
            g[i][c] = (double)w[CHANNELS + i * CHANNELS + c];
        }
    OK(cx_model_new(&m, "net", "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(&node, m, 0, "in", &shape, &err));
    node =
        add(m, "Conv2D", "conv", "{\"filters\": 3, \"kernel_size\": 1, \"use_bias\": false}", node);
    node = add(m, "Flatten", "flatten", "{}", node);
    node = add(m, "Dense", "dense", "{\"units\": 1, \"use_bias\": false}", node);
    close_model(m, node, w, (int)(sizeof w / sizeof *w));
    return m;
}

static void elementwise_gradcam_adds_what_is_positive(void **state)
{
    (void)state;
    double a[CELLS][CHANNELS], g[CELLS][CHANNELS];
    cvs_model *m = weighed(a, g);
    cvs_explanation *e = explain(m, &(cvs_explain_options){.method = "gradcam-elementwise"});
    for (int i = 0; i < CELLS; i++) {
        double want = 0;
        for (int c = 0; c < CHANNELS; c++) want += fmax(0, a[i][c] * g[i][c]);
        assert_true(fabs((double)e->data[i] - want) < 1e-5);
    }
    cvs_explanation_free(e);
    cvs_model_free(m);
}

/* The direction by the power method, its sign by what the channels give. */
static void eigengradcam_is_the_first_component_of_the_products(void **state)
{
    (void)state;
    double a[CELLS][CHANNELS], g[CELLS][CHANNELS], mean[CHANNELS] = {0}, v[CHANNELS] = {1, 2, 3};
    double want[CELLS], along = 0;
    cvs_model *m = weighed(a, g);
    for (int i = 0; i < CELLS; i++)
        for (int c = 0; c < CHANNELS; c++) mean[c] += a[i][c] * g[i][c] / CELLS;
    for (int round = 0; round < 500; round++) {
        double next[CHANNELS] = {0}, size = 0;
        for (int i = 0; i < CELLS; i++) {
            want[i] = 0;
            for (int c = 0; c < CHANNELS; c++) want[i] += (a[i][c] * g[i][c] - mean[c]) * v[c];
            for (int c = 0; c < CHANNELS; c++) next[c] += (a[i][c] * g[i][c] - mean[c]) * want[i];
        }
        for (int c = 0; c < CHANNELS; c++) size += next[c] * next[c];
        for (int c = 0; c < CHANNELS; c++) v[c] = next[c] / sqrt(size);
    }
    for (int i = 0; i < CELLS; i++)
        for (int c = 0; c < CHANNELS; c++) along += a[i][c] * want[i];
    cvs_explanation *e =
        explain(m, &(cvs_explain_options){.method = "eigengradcam", .is_signed = 1});
    for (int i = 0; i < CELLS; i++)
        assert_true(fabs((double)e->data[i] - (along < 0 ? -want[i] : want[i])) < 1e-4);
    cvs_explanation_free(e);
    cvs_model_free(m);
}

/* The mean of the squares is the square of the mean and what vargrad measures. */
static void squaregrad_is_the_spread_and_the_mean(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    cvs_explain_options how = {.method = "smoothgrad", .steps = 9};
    cvs_explanation *mean = explain(m, &how);
    how.method = "vargrad";
    cvs_explanation *spread = explain(m, &how);
    how.method = "squaregrad";
    cvs_explanation *squares = explain(m, &how);
    double moves = 0;
    for (int i = 0; i < CELLS; i++) {
        const double of = (double)mean->data[i] * (double)mean->data[i] + (double)spread->data[i];
        moves += (double)spread->data[i];
        assert_true(fabs((double)squares->data[i] - of) < 1e-5);
    }
    assert_true(moves > 1e-3);
    cvs_explanation_free(mean);
    cvs_explanation_free(spread);
    cvs_explanation_free(squares);
    cvs_model_free(m);
}

/* One channel: what comes back at the rectifier passes where it is positive, shut or not. */
static void deconvnet_passes_what_is_positive(void **state)
{
    (void)state;
    const cx_shape shape = {4, {CX_FREE, SIDE, SIDE, 1}};
    float w[1 + CELLS], x[CELLS];
    cvs_model *m;
    int node;
    w[0] = 0.5f;
    for (int i = 0; i < CELLS; i++) w[1 + i] = (float)(i * 3 % 5) - 1.5f;
    OK(cx_model_new(&m, "net", "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(&node, m, 0, "in", &shape, &err));
    node = add(m, "Conv2D", "conv",
               "{\"filters\": 1, \"kernel_size\": 1, \"use_bias\": false, "
               "\"activation\": \"relu\"}",
               node);
    node = add(m, "Flatten", "flatten", "{}", node);
    node = add(m, "Dense", "dense", "{\"units\": 1, \"use_bias\": false}", node);
    close_model(m, node, w, 1 + CELLS);
    numbers(x);
    cvs_explanation *d = explain(m, &(cvs_explain_options){.method = "deconvnet"});
    cvs_explanation *g = explain(m, &(cvs_explain_options){.method = "guided-backprop"});
    for (int i = 0; i < CELLS; i++) {
        const float back = 0.5f * fmaxf(0, w[1 + i]);
        assert_true(fabsf(d->data[i] - back) < 1e-6f);
        assert_true(fabsf(g->data[i] - (x[i] > 0 ? back : 0)) < 1e-6f);
    }
    cvs_explanation_free(d);
    cvs_explanation_free(g);
    cvs_model_free(m);
}

/* One cell in sixteen stands out of its channel: it weighs a sixteenth. */
static void fem_weighs_a_channel_by_the_cells_that_stand_out(void **state)
{
    (void)state;
    const cx_shape shape = {4, {CX_FREE, SIDE, SIDE, 1}};
    float x[CELLS] = {[5] = 8}, w[1 + CELLS] = {1};
    cvs_model *m;
    cvs_run *run;
    cvs_explanation *e;
    int node;
    OK(cx_model_new(&m, "net", "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(&node, m, 0, "in", &shape, &err));
    node =
        add(m, "Conv2D", "conv", "{\"filters\": 1, \"kernel_size\": 1, \"use_bias\": false}", node);
    node = add(m, "Flatten", "flatten", "{}", node);
    node = add(m, "Dense", "dense", "{\"units\": 1, \"use_bias\": false}", node);
    close_model(m, node, w, 1 + CELLS);
    run = run_on(m, x, NULL);
    OK(cvs_explain(&e, run, 0, &(cvs_explain_options){.method = "fem"}, &err));
    for (int i = 0; i < CELLS; i++) assert_true(fabsf(e->data[i] - (i == 5 ? 0.5f : 0)) < 1e-6f);
    cvs_explanation_free(e);
    cvs_run_free(run);
    cvs_model_free(m);
}

static void maps_are_enlarged_about_their_cells_middles(void **state)
{
    (void)state;
    static const float x[4] = {0, 4, 8, 12}, want[8] = {0, 1, 3, 4, 2, 3, 5, 6};
    float y[16];
    cx_upsample(x, 1, 2, 2, y, 4, 4);
    for (int i = 0; i < 8; i++) assert_true(fabsf(y[i] - want[i]) < 1e-6f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributions_of_a_linear_score_are_its_terms),
        cmocka_unit_test(windows_of_one_pixel_tell_its_term),
        cmocka_unit_test(what_must_add_up_does),
        cmocka_unit_test(every_rule_of_the_integral_is_exact_for_a_line),
        cmocka_unit_test(a_linear_score_has_one_gradient_everywhere),
        cmocka_unit_test(expected_gradients_begin_from_references),
        cmocka_unit_test(expected_gradients_come_near_the_integral),
        cmocka_unit_test(a_seed_gives_the_same_bytes_for_any_number_of_threads),
        cmocka_unit_test(what_is_stopped_keeps_what_it_has),
        cmocka_unit_test(a_channel_weighs_what_the_score_loses_without_it),
        cmocka_unit_test(hirescam_adds_up_to_a_score_that_is_linear_in_the_layer),
        cmocka_unit_test(guided_gradcam_is_the_product_of_the_two),
        cmocka_unit_test(elementwise_gradcam_adds_what_is_positive),
        cmocka_unit_test(eigengradcam_is_the_first_component_of_the_products),
        cmocka_unit_test(squaregrad_is_the_spread_and_the_mean),
        cmocka_unit_test(deconvnet_passes_what_is_positive),
        cmocka_unit_test(fem_weighs_a_channel_by_the_cells_that_stand_out),
        cmocka_unit_test(maps_are_enlarged_about_their_cells_middles),
    };
    return RUN(tests);
}
