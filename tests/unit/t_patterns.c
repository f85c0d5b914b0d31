/* t_patterns.c - patterns: objectives, and the whole chain from the numbers that grow to the value,
 * against central differences. */
#include "tiny.h"

#include <math.h>

#include "base/random.h"
#include "graph/reach.h"
#include "patterns/climb.h"
#include "tensor/npy.h"

static float random_at(uint64_t seed, int64_t i)
{
    return (float)cx_random_normal(seed, (uint64_t)i);
}

/* --- objectives --- */

static void refuse(const cvs_model *m, const char *text, const char *why)
{
    cx_objective *o = NULL;
    assert_int_equal(cx_objective_new(&o, m, text, 0, &err), CVS_E_ARG);
    assert_null(o);
    if (!strstr(err.what, why) && !strstr(err.where, why))
        fail_msg("%s: \"%s\" (%s) has no \"%s\"", text, err.what, err.where, why);
}

static void what_makes_no_sense_is_told_with_its_place(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    refuse(m, "", "at 1");
    refuse(m, "3 + 4", "no layer");
    refuse(m, "channel(conv, 1", "at 16: )");
    refuse(m, "channel conv", "at 9: (");
    refuse(m, "canal(conv, 1)", "no such function");
    refuse(m, "channel(conv)", "too few");
    refuse(m, "channel(conv, 1, 2)", "too many");
    refuse(m, "channel(conv, one)", "a number is wanted, not one");
    refuse(m, "channel(conv, )", "missing");
    refuse(m, "2 * (channel(conv, 1) - 1", ") is missing");
    refuse(m, "channel(conv, 1) channel(conv, 2)", "at 18: not expected");
    refuse(m, "channel(conf, 1)", "at 1");
    cvs_model_free(m);
}

/* The value of the network's pictures, and its derivative by the input. */
static double measure(cx_objective *o, const cvs_model *m, const float *x, int n, int group,
                      float *d)
{
    const cx_spot from = {m->inputs[0], 0};
    cx_gradient_options how = {.batch = n, .from = &from, .n_from = 1, .keep = -1};
    const int64_t each[4] = {0, 1, 2, 1};
    double values[4], sum = 0;
    cx_gradient *g;
    how.to = cx_objective_spots(o, &how.n_to);
    OK(cx_gradient_new(&g, m, &how, &err));
    cx_tensor *input = cx_run_input(g->run, 0, 0, n);
    memcpy(input->data, x, (size_t)(n * CELLS) * sizeof *x);
    OK(cx_gradient_forward(g, &err));
    if (cx_objective_wants_reference(o)) OK(cx_objective_refer(o, g->run, &err));
    OK(cx_objective_measure(o, g->run, g, each, n, group, values, &err));
    OK(cx_gradient_backward(g, NULL, &err));
    memcpy(d, cx_gradient_result(g, 0)->data, (size_t)(n * CELLS) * sizeof *d);
    for (int i = 0; i < n; i++) sum += values[i] / group;
    cx_gradient_free(g);
    return sum;
}

static void objectives_are_algebra(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double a, b, c; /* the value of channels 0 and 1, a v0 + b v1 + c v0 v1 */
    } cases[] = {
        {"channel(conv, 0)", 1, 0, 0},
        {" channel( conv , 0 ) * 2 - channel(conv,1)", 2, -1, 0},
        {"-(channel(conv, 0) - 3 * channel(conv, 1)) / 2", -0.5, 1.5, 0},
        {"channel(conv, 0) * channel(conv, 1)", 0, 0, 1},
    };
    cvs_model *m = rectified(3);
    float x[CELLS], d[CELLS];
    double v[2];
    numbers(x);
    for (int c = 0; c < 2; c++) {
        cx_objective *o;
        OK(cx_objective_new(&o, m, c ? "channel(conv, 1)" : "channel(conv, 0)", 1, &err));
        v[c] = measure(o, m, x, 1, 1, d);
        cx_objective_free(o);
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cx_objective *o;
        OK(cx_objective_new(&o, m, cases[i].text, 1, &err));
        const double want = cases[i].a * v[0] + cases[i].b * v[1] + cases[i].c * v[0] * v[1];
        assert_true(fabs(measure(o, m, x, 1, 1, d) - want) < 1e-6);
        cx_objective_free(o);
    }
    cvs_model_free(m);
}

static void every_function_has_its_derivative(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "channel(conv, #)",
        "middle(conv, 1) / 2",
        "neuron(conv, 1)",
        "neuron(conv, 2, 1, 3)",
        "layer(conv)",
        "direction(conv, direction.npy)",
        "direction(conv, direction.npy, 2)",
        "class(0)",
        "diversity(conv)",
        "inner(conv)",
        "t * diversity(conv)",
        "channel(conv, 0) * layer(pool) - 0.5 * class(0) / (2 + layer(conv))",
    };
    cvs_model *m = rectified(3);
    float x[2 * CELLS], d[2 * CELLS], unused[2 * CELLS];
    const float v[3] = {1, -2, 0.5f};
    OK(cx_npy_write("direction.npy", v, &(cx_shape){1, {3}}, &err));
    for (int i = 0; i < 2 * CELLS; i++) x[i] = random_at(7, i);
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        cx_objective *o;
        double largest = 0;
        OK(cx_objective_new(&o, m, texts[k], k % 2, &err));
        const int group = strstr(texts[k], "diversity") ? 2 : 1;
        measure(o, m, x, 2, group, d);
        for (int i = 0; i < 2 * CELLS; i++) largest = fmax(largest, fabs((double)d[i]));
        assert_true(largest > 1e-4);
        for (int i = 0; i < 2 * CELLS; i++) {
            const float was = x[i], step = 1e-3f;
            x[i] = was + step;
            const double above = measure(o, m, x, 2, group, unused);
            x[i] = was - step;
            const double below = measure(o, m, x, 2, group, unused);
            x[i] = was;
            const double slope = (above - below) / (2 * (double)step);
            if (fabs(slope - (double)d[i]) > 2e-2 * largest)
                fail_msg("%s: by %d is %g, not %g", texts[k], i, (double)d[i], slope);
        }
        cx_objective_free(o);
    }
    remove("direction.npy");
    cvs_model_free(m);
}

static void what_is_shut_has_a_slope_until_it_opens(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    cx_objective *cured, *plain;
    float x[CELLS], d[CELLS], *w = (float *)(uintptr_t)m->layers[m->nodes[1].layer].w[0].data;
    for (int i = 0; i < 4; i++) w[3 * i] = -1; /* filter 0 is the negated sum of four pixels */
    for (int i = 0; i < CELLS; i++) x[i] = 0.5f;
    OK(cx_objective_new(&cured, m, "channel(conv, 0)", 1, &err));
    OK(cx_objective_new(&plain, m, "channel(conv, 0)", 0, &err));
    assert_true(measure(plain, m, x, 1, 1, d) == 0 && d[5] == 0);
    /* 9 places see four pixels, 6 at the edges two, the corner one. */
    assert_true(fabs(measure(cured, m, x, 1, 1, d) + (9 * 2 + 6 * 1 + 0.5) / 16) < 1e-6);
    assert_true(fabs((double)d[5] + 4 / 16.) < 1e-6);
    x[0] = -9; /* one place opens: from now on shut ones have no say */
    const double open = measure(plain, m, x, 1, 1, d);
    assert_true(open > 0 && fabs(measure(cured, m, x, 1, 1, d) - open) < 1e-6);
    assert_true(fabs((double)d[5] + 1 / 16.) < 1e-6 && d[15] == 0);
    cx_objective_free(cured);
    cx_objective_free(plain);
    cvs_model_free(m);
}

static void what_does_not_exist_is_told_when_measured(void **state)
{
    (void)state;
    static const char *const texts[] = {"channel(conv, 3)", "neuron(conv, 0, 4, 0)"};
    cvs_model *m = rectified(3);
    for (size_t k = 0; k < 2; k++) {
        cvs_patterns *p;
        const cvs_pattern_options how = {.objective = texts[k]};
        assert_int_equal(cvs_patterns_find(&p, m, NULL, NULL, 1, &how, &err), CVS_E_ARG);
        assert_null(p);
    }
    cvs_model_free(m);
}

/* --- the whole chain --- */

/* numbers → picture → view → input → network → value, and all the way back. */
static void the_whole_chain_has_its_derivative(void **state)
{
    (void)state;
    static const char *const recipes[] = {"lucid", "maco", "tkv", "book2"};
    cvs_model *m = rectified(3);
    for (size_t k = 0; k < sizeof recipes / sizeof *recipes; k++) {
        cx_painting p;
        cx_objective *o;
        float n[400], dn[400], picture[200], dpicture[200], input[CELLS], d[CELLS], room[9000];
        double largest = 0;
        const cx_recipe *r = cx_recipe_find(recipes[k], &err);
        OK(cx_painting_init(&p, r, SIDE, SIDE, 1, CVS_PREPROCESS_UNIT, &err));
        OK(cx_objective_new(&o, m, "channel(conv, 0) + channel(conv, 1)", 1, &err));
        assert_true(p.n <= 400 && p.room <= 9000 && p.height * p.width <= 200);
        const cx_view v = {.turn = p.margin ? 0.1 : 0, .zoom = p.margin ? 1.05 : 1};
        cx_painting_start(&p, 3, n);
        for (int64_t i = 0; i < p.n && r->paint == CX_PAINT_WAVES; i++) n[i] *= 100;
        cx_painting_draw(&p, n, picture, room);
        cx_painting_show(&p, &v, picture, input, room);
        measure(o, m, input, 1, 1, d);
        cx_painting_show_back(&p, &v, d, dpicture, room);
        cx_painting_draw_back(&p, n, picture, dpicture, dn, room);
        for (int64_t i = 0; i < p.n; i++) largest = fmax(largest, fabs((double)dn[i]));
        assert_true(largest > 0);
        for (int64_t i = 0; i < p.n; i++) {
            const float was = n[i], step = r->top > 1 ? 0.5f : 1e-2f;
            double at[2];
            for (int s = 0; s < 2; s++) {
                n[i] = was + (s ? step : -step);
                cx_painting_draw(&p, n, picture, room);
                cx_painting_show(&p, &v, picture, input, room);
                at[s] = measure(o, m, input, 1, 1, d);
            }
            n[i] = was;
            const double slope = (at[1] - at[0]) / (2 * (double)step);
            if (fabs(slope - (double)dn[i]) > 1e-2 * largest)
                fail_msg("%s: by %d is %g, not %g", recipes[k], (int)i, (double)dn[i], slope);
        }
        cx_objective_free(o);
        cx_painting_deinit(&p);
    }
    cvs_model_free(m);
}

static void kernels_are_the_weights(void **state)
{
    (void)state;
    static const int64_t channels[] = {2, 0};
    cvs_model *m = rectified(3);
    const cvs_pattern_options how = {.method = "kernels"};
    const float *w = m->layers[m->nodes[1].layer].w[0].data;
    cvs_patterns *p;
    OK(cvs_patterns_find(&p, m, "conv", channels, 2, &how, &err));
    assert_true(p->n == 2 && p->height == 2 && p->width == 2 && p->channels == 1);
    for (int i = 0; i < 2; i++) {
        float most = 0;
        for (int k = 0; k < 4; k++) most = fmaxf(most, fabsf(w[k * 3 + channels[i]]));
        for (int k = 0; k < 4; k++) {
            const float v = w[k * 3 + channels[i]];
            assert_true(p->data[i * 4 + k] == v);
            assert_true(fabsf(p->shown[i * 4 + k] - (0.5f + v / most / 2)) < 1e-6f);
        }
    }
    cvs_patterns_free(p);
    assert_int_equal(cvs_patterns_find(&p, m, "pool", channels, 1, &how, &err), CVS_E_UNSUPPORTED);
    cvs_model_free(m);
}

static cvs_patterns *find(const cvs_model *m, const cvs_pattern_options *how, int n)
{
    static const int64_t channels[] = {0, 1, 2};
    cvs_patterns *p;
    OK(cvs_patterns_find(&p, m, "conv", channels, n, how, &err));
    return p;
}

static void climbing_raises_what_is_climbed(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    for (int i = 0; cvs_recipe_at(i); i++) {
        if (cvs_recipe_at(i)->steps == 0) continue;
        cvs_pattern_options how = {
            .method = cvs_recipe_at(i)->name, .objective = "neuron(conv, #)", .steps = 1};
        cvs_patterns *first = find(m, &how, 3);
        how.steps = 60;
        cvs_patterns *last = find(m, &how, 3);
        for (int c = 0; c < 3; c++) {
            /* The books begin where a rectifier may be shut, and stay there. */
            if (last->climbed[c] > first->climbed[c]) continue;
            if (cvs_recipe_at(i)->is_book && first->climbed[c] == 0) continue;
            fail_msg("%s: from %g to %g", how.method, first->climbed[c], last->climbed[c]);
        }
        for (int64_t k = 0; k < last->n * last->shown_height * last->shown_width; k++)
            assert_true(last->shown[k] >= 0 && last->shown[k] <= 1);
        cvs_patterns_free(first);
        cvs_patterns_free(last);
    }
    cvs_model_free(m);
}

static void a_seed_gives_the_same_bytes_for_any_number_of_threads(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    const cvs_pattern_options how = {.steps = 20, .seed = 9};
    cvs_patterns *want = find(m, &how, 3);
    for (int threads = 1; threads <= 3; threads++) {
        OK(cvs_set_threads(threads, &err));
        cvs_patterns *got = find(m, &how, 3);
        assert_memory_equal(got->data, want->data,
                            (size_t)(3 * got->height * got->width) * sizeof(float));
        cvs_patterns_free(got);
    }
    OK(cvs_set_threads(0, &err));
    cvs_patterns_free(want);
    cvs_model_free(m);
}

/* A channel's picture is the same whoever else climbs. */
static void channels_do_not_see_each_other(void **state)
{
    (void)state;
    static const int64_t second = 1;
    cvs_model *m = rectified(3);
    const cvs_pattern_options how = {.steps = 20};
    cvs_patterns *all = find(m, &how, 3), *one;
    OK(cvs_patterns_find(&one, m, "conv", &second, 1, &how, &err));
    assert_memory_equal(one->data, all->data + CELLS, CELLS * sizeof(float));
    cvs_patterns_free(all);
    cvs_patterns_free(one);
    cvs_model_free(m);
}

static void versions_that_are_kept_apart_differ(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    const cvs_pattern_options how = {
        .steps = 30, .versions = 3, .objective = "channel(conv, #) + 0.1 * diversity(conv)"};
    cvs_patterns *p = find(m, &how, 2);
    assert_int_equal(p->n, 6);
    assert_int_equal(p->channel[2], 0);
    assert_int_equal(p->channel[3], 1);
    assert_memory_not_equal(p->data, p->data + CELLS, CELLS * sizeof(float));
    cvs_patterns_free(p);
    cvs_model_free(m);
}

static void what_is_stopped_keeps_what_it_has(void **state)
{
    (void)state;
    double done = 0;
    cvs_model *m = rectified(3);
    const cvs_pattern_options how = {.progress = stop_at_once, .progress_arg = &done};
    cvs_patterns *p = find(m, &how, 3);
    assert_true(p->done > 0 && p->done < 1 && p->done == done);
    assert_int_equal(p->steps[0], 1);
    cvs_patterns_free(p);
    cvs_model_free(m);
}

/* A unit behind a convolution of 2 and a pooling of 2 sees 3 pixels. */
static void reach_is_what_a_unit_sees(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    const cx_shape shape = {4, {1, 16, 16, 1}};
    int64_t reach;
    OK(cx_reach(&reach, m, &(cx_spot){1, 1}, &shape, &err));
    assert_int_equal(reach, 2);
    OK(cx_reach(&reach, m, &(cx_spot){2, 0}, &shape, &err));
    assert_in_range(reach, 2, 3);
    cvs_model_free(m);
}

/* Layers before Flatten take any size; the dense one does not. */
static void pictures_may_be_larger_than_the_model_says(void **state)
{
    (void)state;
    static const int64_t zero = 0;
    cvs_model *m = rectified(3);
    cvs_pattern_options how = {.steps = 2, .height = 11, .width = 9};
    cvs_patterns *p = find(m, &how, 1);
    assert_true(p->height == 11 && p->width == 9);
    cvs_patterns_free(p);
    how.objective = "class(0)";
    OK(cvs_patterns_find(&p, m, NULL, &zero, 1, &how, &err));
    assert_true(p->height == 11 && p->width == 9); /* the model sees it made smaller */
    cvs_patterns_free(p);
    cvs_model_free(m);
}

/* As networks for MNIST are often written: rows and columns, to which a Reshape adds the channel.
 */
static void a_model_without_an_axis_of_channels_sees_gray(void **state)
{
    (void)state;
    const cx_shape shape = {3, {CX_FREE, 8, 8}}, own = {3, {1, 8, 8}};
    const float w[4] = {1, -1, 1, -1};
    const cvs_pattern_options how = {.steps = 20};
    const int64_t zero = 0;
    int64_t reach;
    cvs_patterns *p;
    cvs_model *m;
    int node;
    OK(cx_model_new(&m, "net", "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(&node, m, 0, "in", &shape, &err));
    node = add(m, "Reshape", "reshape", "{\"target_shape\": [8, 8, 1]}", node);
    node =
        add(m, "Conv2D", "conv", "{\"filters\": 1, \"kernel_size\": 2, \"use_bias\": false}", node);
    close_model(m, node, w, 4);
    OK(cx_reach(&reach, m, &(cx_spot){node, 0}, &own, &err));
    assert_int_equal(reach, 2);
    OK(cvs_patterns_find(&p, m, "conv", &zero, 1, &how, &err));
    assert_true(p->height == 8 && p->width == 8 && p->channels == 1);
    assert_true(p->response[0] > p->noise[0] + 0.1);
    cvs_patterns_free(p);
    cvs_model_free(m);
}

static void a_sequence_is_no_picture(void **state)
{
    (void)state;
    const cx_shape shape = {3, {CX_FREE, 8, 2}};
    const float w[4] = {1, -1, 1, -1};
    const int64_t zero = 0;
    cvs_patterns *p;
    cvs_model *m;
    int node;
    OK(cx_model_new(&m, "net", "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(&node, m, 0, "in", &shape, &err));
    node =
        add(m, "Conv1D", "conv", "{\"filters\": 1, \"kernel_size\": 2, \"use_bias\": false}", node);
    close_model(m, node, w, 4);
    FAILS(cvs_patterns_find(&p, m, "conv", &zero, 1, NULL, &err), CVS_E_UNSUPPORTED, "no picture");
    assert_null(p);
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_makes_no_sense_is_told_with_its_place),
        cmocka_unit_test(objectives_are_algebra),
        cmocka_unit_test(every_function_has_its_derivative),
        cmocka_unit_test(what_is_shut_has_a_slope_until_it_opens),
        cmocka_unit_test(what_does_not_exist_is_told_when_measured),
        cmocka_unit_test(the_whole_chain_has_its_derivative),
        cmocka_unit_test(kernels_are_the_weights),
        cmocka_unit_test(climbing_raises_what_is_climbed),
        cmocka_unit_test(a_seed_gives_the_same_bytes_for_any_number_of_threads),
        cmocka_unit_test(channels_do_not_see_each_other),
        cmocka_unit_test(versions_that_are_kept_apart_differ),
        cmocka_unit_test(what_is_stopped_keeps_what_it_has),
        cmocka_unit_test(reach_is_what_a_unit_sees),
        cmocka_unit_test(pictures_may_be_larger_than_the_model_says),
        cmocka_unit_test(a_model_without_an_axis_of_channels_sees_gray),
        cmocka_unit_test(a_sequence_is_no_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
