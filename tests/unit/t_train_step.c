/* t_train_step.c - a step of training through whole networks: the derivative of the loss by every
 * weight against central differences, in training mode, with moments of the batch and the same
 * draws.
 *
 * Allowed: 2e-3 of the largest derivative of an array, and 2e-5, what rounding of the loss leaves.
 */
#include "t_train.h"
#include <stdlib.h>

static const double step = 1.0 / 128;

static void init(cx_trainer *t, const cvs_model *m, cx_loss loss, const double *class_weight)
{
    cx_trainer_options o = options_of(CX_SGD, loss.kind);
    o.loss = loss;
    o.class_weight = class_weight;
    o.optimizer.learning_rate = 1;
    OK(cx_trainer_init(t, m, &o, &err));
}

/* A step that changes weights by the derivative times `rate`; always with the same draws. */
static double take(cx_trainer *t, double rate)
{
    static const int64_t which[] = {3, 0, 7, 12, 5, 19};
    const cx_batch b = {&noise, which, 6, 0};
    cx_score score;
    t->optimizer.step = 0;
    OK(cx_trainer_reload(t, &err));
    OK(cx_trainer_step(&score, t, &b, rate, &err));
    return score.loss;
}

/* |w| has a corner at 0, on which no difference may sit. */
static void keep_off_the_corner(const cx_trainer *t)
{
    for (int i = 0; i < t->n_parameters; i++)
        for (int64_t k = 0; t->penalties[i].l1 > 0 && k < t->parameters[i].n; k++) {
            float *w = &t->parameters[i].w[k];
            if (fabsf(*w) < 2 * (float)step) *w = copysignf(2 * (float)step, *w);
        }
}

static void check(const cvs_model *m, cx_loss loss, const double *class_weight)
{
    enum { MOST = 4096 };
    static float before[MOST], g[MOST];
    cx_trainer t;
    init(&t, m, loss, class_weight);
    keep_off_the_corner(&t);
    int64_t total = 0, at = 0;
    for (int i = 0; i < t.n_parameters; i++) total += t.parameters[i].n;
    assert_true(total > 100 && total < MOST);
    for (int i = 0; i < t.n_parameters; at += t.parameters[i++].n)
        memcpy(before + at, t.parameters[i].w, (size_t)t.parameters[i].n * sizeof(float));
    (void)take(&t, 1);
    at = 0;
    for (int i = 0; i < t.n_parameters; at += t.parameters[i++].n)
        for (int64_t k = 0; k < t.parameters[i].n; k++) {
            g[at + k] = before[at + k] - t.parameters[i].w[k];
            t.parameters[i].w[k] = before[at + k];
        }
    at = 0;
    for (int i = 0; i < t.n_parameters; at += t.parameters[i++].n) {
        double largest = 0, worst = 0;
        for (int64_t k = 0; k < t.parameters[i].n; k++) {
            float *w = &t.parameters[i].w[k];
            *w = before[at + k] + (float)step;
            const double up = take(&t, 0);
            *w = before[at + k] - (float)step;
            const double down = take(&t, 0);
            *w = before[at + k];
            const double want = (up - down) / (2 * step);
            largest = fmax(largest, fabs(want));
            worst = fmax(worst, fabs(want - (double)g[at + k]));
        }
        if (!(worst <= 2e-3 * largest + 2e-5))
            fail_msg("layer %s: off by %g, the largest is %g",
                     t.variant.model.layers[t.layer_of[i]].name, worst, largest);
    }
    cx_trainer_deinit(&t);
}

static void every_weight_has_the_derivative_of_the_loss(void **state)
{
    (void)state;
    const double weights[] = {1.5, 0.25};
    cvs_model *m = everything_and(SIGMOID);
    check(m, (cx_loss){.kind = CX_BINARY_CROSSENTROPY, .smoothing = 0.1}, weights);
    check(m, (cx_loss){.kind = CX_MEAN_SQUARED_ERROR}, NULL);
    cvs_model_free(m);
    m = everything_and(SOFTMAX);
    check(m, (cx_loss){.kind = CX_CATEGORICAL_CROSSENTROPY}, NULL);
    check(m, (cx_loss){.kind = CX_SPARSE_CATEGORICAL_CROSSENTROPY}, weights);
    /* A loss that the last activation does not belong to goes through it. */
    check(m, (cx_loss){.kind = CX_BINARY_CROSSENTROPY}, NULL);
    cvs_model_free(m);
    m = everything_and(LAYER("Dense", "dense2", ", \"units\": 2"));
    check(m, (cx_loss){.kind = CX_CATEGORICAL_CROSSENTROPY, .from_logits = 1}, NULL);
    cvs_model_free(m);
}

/* Layers whose work on weights is done before the call, and one that is called twice. */
static void so_it_is_in_other_networks(void **state)
{
    (void)state;
    cvs_model *m = model_of(LAYER("Conv2DTranspose", "up", ", \"filters\": 3, \"kernel_size\": 2" FIRST) "," LAYER(
        "LayerNormalization", "layer_norm",
        "") "," LAYER("SeparableConv2D", "sep",
                      ", \"filters\": 4, \"kernel_size\": 3, \"activation\": "
                      "\"swish\"") "," LAYER("GroupNormalization", "group_norm",
                                             ", \"groups\": 2") "," LAYER("DepthwiseConv2D",
                                                                          "depth",
                                                                          ", \"kernel_size\": "
                                                                          "3") "," LAYER("Gauss"
                                                                                         "ianNo"
                                                                                         "ise",
                                                                                         "nois"
                                                                                         "e",
                                                                                         ", "
                                                                                         "\"std"
                                                                                         "dev\""
                                                                                         ": "
                                                                                         "0.1") "," LAYER("GlobalAveragePooling2D",
                                                                                                          "mean",
                                                                                                          "") "," SIGMOID);
    check(m, (cx_loss){.kind = CX_BINARY_CROSSENTROPY}, NULL);
    cvs_model_free(m);
}

static void a_fused_loss_is_that_of_the_probability(void **state)
{
    (void)state;
    cvs_model *m = everything_and(SIGMOID);
    cx_trainer t;
    init(&t, m, (cx_loss){.kind = CX_BINARY_CROSSENTROPY}, NULL);
    assert_int_equal(t.loss.from_logits, 1);
    const double fused = take(&t, 0);
    t.loss.from_logits = 0;
    const float *y = t.gradient->run->slots[t.output].y.data;
    const cx_loss plain = {.kind = CX_BINARY_CROSSENTROPY};
    double penalty = 0;
    for (int i = 0; i < t.n_parameters; i++)
        for (int64_t k = 0; k < t.parameters[i].n; k++) {
            const double w = (double)t.parameters[i].w[k];
            penalty += t.penalties[i].l1 * fabs(w) + t.penalties[i].l2 * w * w;
        }
    assert_true(penalty > 0.01);
    assert_true(fabs(fused - penalty - cx_loss_value(&plain, 6, 1, y, t.label, NULL, NULL)) < 1e-6);
    cx_trainer_deinit(&t);
    cvs_model_free(m);
}

/* A rule that does nothing makes every step go its own way. */
static void a_pooling_undoes_the_relu_before_it_as_two_steps_do(void **state)
{
    (void)state;
    static float own[8192];
    const cx_rule none = {0};
    cvs_model *m = model_of(LAYER(
        "Conv2D", "conv1",
        ", \"filters\": 5, \"kernel_size\": 3, \"activation\": "
        "\"relu\"" FIRST) "," LAYER("MaxPooling2D", "pool1",
                                    "") "," LAYER("Conv2D", "conv2",
                                                  ", \"filters\": 4, \"kernel_size\": 1, "
                                                  "\"activation\": "
                                                  "\"relu\"") "," LAYER("MaxPooling2D", "pool2",
                                                                        ", \"pool_size\": 2, "
                                                                        "\"strides\": 1, "
                                                                        "\"padding\": "
                                                                        "\"same\"") "," LAYER("Flat"
                                                                                              "ten",
                                                                                              "fla"
                                                                                              "t",
                                                                                              "") "," SIGMOID);
    cx_trainer t;
    init(&t, m, (cx_loss){.kind = CX_BINARY_CROSSENTROPY}, NULL);
    (void)take(&t, 0);
    assert_int_equal(t.gradient->steps[1].rectified, 1);
    assert_int_equal(t.gradient->steps[3].rectified, 1);
    for (int k = 0; k < 2; k++) {
        const size_t size = t.derivatives.size;
        assert_true(size <= sizeof own);
        memset(t.derivatives.data, 0, size);
        OK(cx_gradient_forward(t.gradient, &err));
        cx_gradient_seed(t.gradient, 0)->data[1] = 1;
        OK(cx_gradient_backward(t.gradient, k ? &none : NULL, &err));
        if (k)
            assert_memory_equal(own, t.derivatives.data, size);
        else
            memcpy(own, t.derivatives.data, size);
    }
    assert_true(own[0] != 0);
    cx_trainer_deinit(&t);
    cvs_model_free(m);
}

/* With a rate of 1 a step of descent takes the derivative itself. */
static void derivatives_are_counted_by_their_size(void **state)
{
    (void)state;
    enum { MOST = 4096 };
    static float before[MOST];
    cvs_model *m = everything_and(SIGMOID);
    cx_trainer t;
    init(&t, m, (cx_loss){.kind = CX_BINARY_CROSSENTROPY}, NULL);
    const int layer = t.layer_of[0];
    const cx_spread *s = &t.spread[layer];
    int64_t want[CX_SPREAD_BINS] = {0}, n = 0, off = 0;
    assert_true(isnan(s->squares));
    for (int i = 0; i < t.n_parameters && t.layer_of[i] == layer; n += t.parameters[i++].n)
        memcpy(before + n, t.parameters[i].w, (size_t)t.parameters[i].n * sizeof(float));
    t.is_watched = 1;
    (void)take(&t, 1);
    assert_true(n > 20 && s->n == n && s->squares > 0);
    const double unit = 8 * sqrt(s->squares / (double)n) / CX_SPREAD_BINS;
    n = 0;
    for (int i = 0; i < t.n_parameters && t.layer_of[i] == layer; n += t.parameters[i++].n)
        for (int64_t k = 0; k < t.parameters[i].n; k++) {
            const double g = (double)(before[n + k] - t.parameters[i].w[k]);
            want[(int)fmin(fmax(g / unit + CX_SPREAD_BINS / 2.0, 0), CX_SPREAD_BINS - 1)]++;
        }
    for (int i = 0; i < CX_SPREAD_BINS; i++) off += llabs(want[i] - s->bins[i]);
    assert_true(off <= 4); /* on an edge a rounding decides */
    t.is_watched = 0;
    (void)take(&t, 1);
    for (int i = 0; i < CX_SPREAD_BINS; i++) assert_int_equal(s->bins[i], 0);
    cx_trainer_deinit(&t);
    cvs_model_free(m);
}

static void what_is_frozen_stays(void **state)
{
    (void)state;
    static const char *const names[] = {"conv1", "norm1", "dense1"};
    cvs_model *m = everything_and(SIGMOID);
    cx_trainer t;
    cx_trainer_options o = options_of(CX_ADAM, CX_BINARY_CROSSENTROPY);
    o.freeze = names;
    o.n_freeze = 3;
    OK(cx_trainer_init(&t, m, &o, &err));
    (void)take(&t, 1);
    for (int i = 0; i < m->n_layers; i++) {
        const cx_layer *l = &m->layers[i];
        int frozen = 0;
        for (int k = 0; k < 3; k++) frozen |= strcmp(l->name, names[k]) == 0;
        for (int k = 0; k < l->n_weights; k++) {
            const size_t size = (size_t)cx_shape_count(&l->w[k].spec.shape) * sizeof(float);
            const int same = memcmp(l->w[k].data, t.variant.w[i][k], size) == 0;
            if (same != frozen) fail_msg("%s %s", l->name, same ? "stayed" : "changed");
        }
    }
    cx_trainer_deinit(&t);
    const char *wrong = "conv9";
    o.freeze = &wrong;
    o.n_freeze = 1;
    FAILS(cx_trainer_init(&t, m, &o, &err), CVS_E_ARG, "conv9");
    static const char *const all[] = {"conv1", "conv2", "norm1", "norm2", "dense1", "dense2"};
    o.freeze = all;
    o.n_freeze = 6;
    FAILS(cx_trainer_init(&t, m, &o, &err), CVS_E_ARG, "no layer");
    cvs_model_free(m);
}

/* Nothing that is trained lies before it, so it is on no way back; it is in training even so. */
static void a_normalisation_after_frozen_layers_moves(void **state)
{
    (void)state;
    const char *name = "conv1";
    cvs_model *m = model_of(LAYER("Conv2D", "conv1", ", \"filters\": 16, \"kernel_size\": 3" FIRST) "," LAYER(
        "BatchNormalization", "norm1",
        ", \"scale\": false, \"center\": false, \"momentum\": 0.5") "," LAYER("Activation", "act1",
                                                                              ", \"activation\": "
                                                                              "\"relu\"") "," LAYER("MaxPooling2D",
                                                                                                    "pool1",
                                                                                                    "") "," LAYER("Flatten",
                                                                                                                  "flat",
                                                                                                                  "") "," SIGMOID);
    cx_trainer t;
    cx_trainer_options o = options_of(CX_SGD, CX_BINARY_CROSSENTROPY);
    o.freeze = &name;
    o.n_freeze = 1;
    OK(cx_trainer_init(&t, m, &o, &err));
    (void)take(&t, 0);
    for (int k = 0; k < 16; k++) {
        const float mean = t.variant.w[2][0][k], variance = t.variant.w[2][1][k];
        assert_true(mean != 0 && variance != 1);
        assert_true(t.gradient->run->slots[2].kept_numbers[k] == 2 * mean);
    }
    cx_trainer_deinit(&t);
    cvs_model_free(m);
}

static void steps_do_not_allocate(void **state)
{
    (void)state;
    cvs_model *m = everything_and(SIGMOID);
    cx_trainer t;
    init(&t, m, (cx_loss){.kind = CX_BINARY_CROSSENTROPY}, NULL);
    for (int i = 0; i < 2; i++) (void)take(&t, 0.1);
    const long before = cx_alloc_count();
    for (int i = 0; i < 5; i++) (void)take(&t, 0.1);
    assert_int_equal(cx_alloc_count(), before);
    cx_trainer_deinit(&t);
    cvs_model_free(m);
}

static void what_does_not_go_together_is_refused(void **state)
{
    (void)state;
    cx_trainer t;
    cx_trainer_options o = options_of(CX_SGD, CX_BINARY_CROSSENTROPY);
    cvs_model *m = everything_and(SIGMOID);
    o.loss.from_logits = 1;
    FAILS(cx_trainer_init(&t, m, &o, &err), CVS_E_ARG, "sigmoid");
    o.loss = (cx_loss){.kind = CX_CATEGORICAL_CROSSENTROPY};
    FAILS(cx_trainer_init(&t, m, &o, &err), CVS_E_ARG, "one output");
    o.loss = (cx_loss){.kind = CX_BINARY_CROSSENTROPY};
    o.n_classes = 3;
    FAILS(cx_trainer_init(&t, m, &o, &err), CVS_E_ARG, "3 classes");
    o.n_classes = 2;
    o.batch = 0;
    FAILS(cx_trainer_init(&t, m, &o, &err), CVS_E_ARG, "batch");
    o.batch = 2;
    const double weights[] = {1, -1};
    o.class_weight = weights;
    FAILS(cx_trainer_init(&t, m, &o, &err), CVS_E_ARG, "class 1");
    o.class_weight = NULL;
    cvs_model_free(m);
    m = model_of(LAYER("RandomFlip", "flip", FIRST) "," LAYER("Flatten", "flat", "") "," SIGMOID);
    FAILS(cx_trainer_init(&t, m, &o, &err), CVS_E_UNSUPPORTED, "layer \"flip\"");
    cvs_model_free(m);
    m = model_of(LAYER("Conv2D", "conv", ", \"filters\": 1, \"kernel_size\": 1" FIRST));
    FAILS(cx_trainer_init(&t, m, &o, &err), CVS_E_UNSUPPORTED, "(None, n)");
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_weight_has_the_derivative_of_the_loss),
        cmocka_unit_test(so_it_is_in_other_networks),
        cmocka_unit_test(a_fused_loss_is_that_of_the_probability),
        cmocka_unit_test(a_pooling_undoes_the_relu_before_it_as_two_steps_do),
        cmocka_unit_test(derivatives_are_counted_by_their_size),
        cmocka_unit_test(what_is_frozen_stays),
        cmocka_unit_test(a_normalisation_after_frozen_layers_moves),
        cmocka_unit_test(steps_do_not_allocate),
        cmocka_unit_test(what_does_not_go_together_is_refused),
    };
    return RUN(tests);
}
