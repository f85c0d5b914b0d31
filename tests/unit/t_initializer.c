/* t_initializer.c - the distributions of Keras' initializers, how a layer finds its own, and new
 * models.
 *
 * Of 40,000 numbers a mean is known to a hundredth of their deviation, a deviation to a hundredth
 * of itself: 2 and 2.8 times what chance does. Seeds are fixed, so a test that passes always does.
 */
#include <math.h>

#include "t_layers.h"

#include "base/threads.h"
#include "formats/load.h"

enum { MOST = 40000 };

static cvs_error err;
static float w[MOST];

static cx_initializer read(const char *json)
{
    cx_initializer out;
    cx_json *v;
    OK(cx_json_parse(&v, json, strlen(json), &err));
    cx_initializer_read(&out, v);
    cx_json_free(v);
    return out;
}

/* That many numbers have this mean and deviation, and none is farther than `end` from the mean. */
static void expect(const char *json, const cx_shape *shape, double mean, double deviation,
                   double end)
{
    const int64_t n = cx_shape_count(shape);
    const cx_initializer how = read(json);
    double sum = 0, squares = 0, most = 0;
    OK(cx_initializer_draw(w, &how, shape, 7, &err));
    for (int64_t i = 0; i < n; i++) sum += (double)w[i];
    for (int64_t i = 0; i < n; i++) {
        squares += ((double)w[i] - mean) * ((double)w[i] - mean);
        most = fmax(most, fabs((double)w[i] - mean));
    }
    const double got = sqrt(squares / (double)n);
    if (!(fabs(sum / (double)n - mean) <= 0.01 * deviation) ||
        !(fabs(got - deviation) <= 0.01 * deviation) || !(most <= end * (1 + 1e-6)))
        fail_msg("%s: mean %g, deviation %g, farthest %g; not %g, %g, %g", json, sum / (double)n,
                 got, most, mean, deviation, end);
    if (isfinite(end) && deviation > 0) assert_true(most > 0.95 * end);
}

static void distributions_have_the_variance_that_keras_gives_them(void **state)
{
    (void)state;
    const cx_shape dense = {2, {400, 100}}, conv = {4, {5, 4, 20, 100}}, flat = {1, {MOST}};
    const double cut = 0.87962566103423978;
    expect("\"glorot_uniform\"", &dense, 0, sqrt(2.0 / 500), sqrt(6.0 / 500));
    expect("\"GlorotUniform\"", &conv, 0, sqrt(2.0 / 2400), sqrt(6.0 / 2400));
    expect("\"glorot_normal\"", &dense, 0, sqrt(2.0 / 500), 2 * sqrt(2.0 / 500) / cut);
    expect("\"he_uniform\"", &dense, 0, sqrt(2.0 / 400), sqrt(6.0 / 400));
    expect("\"HeNormal\"", &conv, 0, sqrt(2.0 / 400), 2 * sqrt(2.0 / 400) / cut);
    expect("\"lecun_uniform\"", &dense, 0, sqrt(1.0 / 400), sqrt(3.0 / 400));
    expect("\"lecun_normal\"", &conv, 0, sqrt(1.0 / 400), 2 * sqrt(1.0 / 400) / cut);
    expect("\"random_normal\"", &flat, 0, 0.05, INFINITY);
    expect("\"random_uniform\"", &flat, 0, 0.1 / sqrt(12), 0.05);
    expect("\"truncated_normal\"", &flat, 0, 0.05 * cut, 0.1);
    expect("{\"class_name\": \"RandomNormal\", \"config\": {\"mean\": 3, \"stddev\": 0.5}}", &flat,
           3, 0.5, INFINITY);
    expect("{\"class_name\": \"RandomUniform\", \"config\": {\"minval\": 1, \"maxval\": 3}}", &flat,
           2, 2 / sqrt(12), 1);
    expect("{\"class_name\": \"VarianceScaling\", \"config\": {\"scale\": 3.0, \"mode\": "
           "\"fan_out\", \"distribution\": \"uniform\"}}",
           &dense, 0, sqrt(3.0 / 100), sqrt(9.0 / 100));
    expect("{\"class_name\": \"VarianceScaling\", \"config\": {\"scale\": 2.0, \"mode\": "
           "\"fan_avg\", \"distribution\": \"untruncated_normal\"}}",
           &dense, 0, sqrt(2.0 / 250), INFINITY);
    expect("\"zeros\"", &flat, 0, 0, 0);
    expect("\"Ones\"", &flat, 1, 0, 0);
    expect("{\"class_name\": \"Constant\", \"config\": {\"value\": -2.5}}", &flat, -2.5, 0, 0);
}

static void orthogonal_is_orthogonal(void **state)
{
    (void)state;
    const cx_shape shapes[] = {{2, {30, 12}}, {2, {12, 30}}, {4, {3, 3, 2, 5}}};
    const cx_initializer how =
        read("{\"class_name\": \"Orthogonal\", \"config\": {\"gain\": 2.0, \"seed\": null}}");
    for (int k = 0; k < 3; k++) {
        const int columns = (int)shapes[k].d[shapes[k].ndim - 1];
        const int rows = (int)cx_shape_count(&shapes[k]) / columns;
        const int n = rows < columns ? rows : columns, size = rows < columns ? columns : rows;
        OK(cx_initializer_draw(w, &how, &shapes[k], 3, &err));
        for (int a = 0; a < n; a++)
            for (int b = 0; b < n; b++) {
                double dot = 0;
                for (int i = 0; i < size; i++)
                    dot += rows < columns ? (double)w[a * columns + i] * (double)w[b * columns + i]
                                          : (double)w[i * columns + a] * (double)w[i * columns + b];
                assert_true(fabs(dot - (a == b ? 4 : 0)) < 1e-5);
            }
    }
    const cx_shape flat = {1, {9}}, square = {2, {2, 3}};
    FAILS(cx_initializer_draw(w, &how, &flat, 1, &err), CVS_E_ARG, "two axes");
    const cx_initializer eye = read("\"Identity\""), own = read("\"my_init\"");
    OK(cx_initializer_draw(w, &eye, &square, 1, &err));
    assert_true(w[0] == 1 && w[1] == 0 && w[2] == 0 && w[3] == 0 && w[4] == 1 && w[5] == 0);
    FAILS(cx_initializer_draw(w, &eye, &flat, 1, &err), CVS_E_ARG, "two axes");
    FAILS(cx_initializer_draw(w, &own, &flat, 1, &err), CVS_E_UNSUPPORTED, "my_init");
}

static void a_seed_says_all(void **state)
{
    (void)state;
    static float other[MOST];
    const cx_shape flat = {1, {MOST}};
    const cx_initializer how = read("\"truncated_normal\"");
    OK(cx_threads_set(1, &err));
    OK(cx_initializer_draw(w, &how, &flat, 7, &err));
    OK(cx_threads_set(3, &err));
    OK(cx_initializer_draw(other, &how, &flat, 7, &err));
    OK(cx_threads_set(0, &err));
    assert_memory_equal(w, other, sizeof w);
    OK(cx_initializer_draw(other, &how, &flat, 8, &err));
    assert_memory_not_equal(w, other, sizeof w);
}

/* What a layer says of its weights, which may be of another name than the key. */
static void a_layer_knows_the_rules_of_its_weights(void **state)
{
    (void)state;
    static const struct {
        const char *class_name, *json, *weight, *initial;
        double l1, l2;
    } cases[] = {
        {"Dense", "{\"units\": 2}", "kernel", "glorot_uniform", 0, 0},
        {"Dense", "{\"units\": 2, \"init\": \"he_normal\"}", "kernel", "he_normal", 0, 0},
        {"Dense", "{\"units\": 2, \"kernel_initializer\": \"he_normal\"}", "bias", "zeros", 0, 0},
        {"Conv2D",
         "{\"filters\": 2, \"kernel_size\": 3, \"kernel_regularizer\": {\"class_name\": \"L2\", "
         "\"config\": {\"l2\": 0.5}}}",
         "kernel", "glorot_uniform", 0, 0.5},
        {"SeparableConv2D",
         "{\"filters\": 2, \"kernel_size\": 3, \"pointwise_initializer\": \"ones\", "
         "\"pointwise_regularizer\": {\"class_name\": \"L1L2\", \"config\": {\"l1\": 2, \"l2\": "
         "3}}}",
         "pointwise_kernel", "ones", 2, 3},
        {"Dense", "{\"units\": 2, \"bias_regularizer\": \"l1\"}", "bias", "zeros", 0.01, 0},
        {"BatchNormalization", "{\"gamma_initializer\": \"zeros\"}", "gamma", "zeros", 0, 0},
        {"BatchNormalization", "{\"gamma_initializer\": \"zeros\"}", "moving_variance", "ones", 0,
         0},
        {"MultiHeadAttention",
         "{\"num_heads\": 1, \"key_dim\": 2, \"kernel_initializer\": \"he_normal\"}",
         "attention_output/kernel", "he_normal", 0, 0},
        {"TimeDistributed",
         "{\"layer\": {\"class_name\": \"Dense\", \"config\": {\"units\": 2, "
         "\"kernel_initializer\": \"ones\"}}}",
         "kernel", "ones", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cx_arena *arena = cx_arena_new();
        cx_layer l;
        OK(make_layer(&l, arena, cases[i].class_name, cases[i].json, 3, &err));
        l.w[0].spec.name = cases[i].weight;
        const cx_weight_rule rule = cx_weight_rule_of(&l, 0);
        assert_string_equal(rule.initial.name, cases[i].initial);
        assert_true(rule.l1 == cases[i].l1 && rule.l2 == cases[i].l2);
        assert_null(l.untrainable);
        cx_arena_free(arena);
    }
}

static void what_training_cannot_do_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *json, *says;
    } cases[] = {
        {"{\"units\": 2, \"kernel_constraint\": {\"class_name\": \"MaxNorm\", \"config\": {}}}",
         "kernel_constraint MaxNorm"},
        {"{\"units\": 2, \"bias_regularizer\": \"mine\"}", "bias_regularizer mine"},
        {"{\"units\": 2, \"activity_regularizer\": \"l2\"}", "activity_regularizer l2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cx_arena *arena = cx_arena_new();
        cx_layer l;
        OK(make_layer(&l, arena, "Dense", cases[i].json, 3, &err));
        assert_non_null(l.untrainable);
        assert_non_null(strstr(l.untrainable, cases[i].says));
        cx_arena_free(arena);
    }
}

static const char network[] =
    "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"net\", \"layers\": ["
    "{\"class_name\": \"Conv2D\", \"config\": {\"name\": \"conv\", \"filters\": 4, "
    "\"kernel_size\": 3, \"batch_input_shape\": [null, 8, 8, 2]}},"
    "{\"class_name\": \"BatchNormalization\", \"config\": {\"name\": \"norm\"}},"
    "{\"class_name\": \"Flatten\", \"config\": {\"name\": \"flat\"}},"
    "{\"class_name\": \"Dense\", \"config\": {\"name\": \"dense\", \"units\": 1, "
    "\"kernel_initializer\": %s}}]}}";

static int create(cvs_model **out, const char *initial, uint64_t seed)
{
    char json[2048];
    snprintf(json, sizeof json, network, initial);
    return cx_load_new(out, json, strlen(json), seed, &err);
}

static void a_new_model_is_drawn(void **state)
{
    (void)state;
    cvs_model *m, *same, *other;
    OK(create(&m, "\"glorot_uniform\"", 5));
    OK(create(&same, "\"glorot_uniform\"", 5));
    OK(create(&other, "\"glorot_uniform\"", 6));
    assert_memory_equal(m->weights.data, same->weights.data, m->weights.size);
    assert_memory_not_equal(m->weights.data, other->weights.data, m->weights.size);
    const double limit = sqrt(6.0 / (9 * 2 + 9 * 4));
    const cx_layer *conv = &m->layers[1], *norm = &m->layers[2], *dense = &m->layers[4];
    for (int i = 0; i < 72; i++) assert_true(fabs((double)conv->w[0].data[i]) <= limit);
    for (int i = 0; i < 4; i++) {
        assert_true(conv->w[1].data[i] == 0);
        assert_true(norm->w[0].data[i] == 1 && norm->w[1].data[i] == 0);
        assert_true(norm->w[2].data[i] == 0 && norm->w[3].data[i] == 1);
    }
    /* Layers with the same distribution have not the same numbers. */
    assert_true(dense->w[0].data[0] / sqrt(6.0 / 145) != conv->w[0].data[0] / limit);
    cvs_model_free(m);
    cvs_model_free(same);
    cvs_model_free(other);
}

static void a_new_model_that_cannot_be_is_refused(void **state)
{
    (void)state;
    cvs_model *m;
    FAILS(create(&m, "\"mine\"", 1), CVS_E_UNSUPPORTED, "layer \"dense\"");
    assert_null(m);
    FAILS(create(&m, "\"mine\"", 1), CVS_E_UNSUPPORTED, "\"mine\"");
    FAILS(cx_load_new(&m, "{", 1, 1, &err), CVS_E_FORMAT, "");
    static const char odd[] =
        "{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": \"Odd\", "
        "\"config\": {\"name\": \"odd\", \"batch_input_shape\": [null, 4]}}]}}";
    FAILS(cx_load_new(&m, odd, strlen(odd), 1, &err), CVS_E_UNSUPPORTED, "Odd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distributions_have_the_variance_that_keras_gives_them),
        cmocka_unit_test(orthogonal_is_orthogonal),
        cmocka_unit_test(a_seed_says_all),
        cmocka_unit_test(a_layer_knows_the_rules_of_its_weights),
        cmocka_unit_test(what_training_cannot_do_is_known),
        cmocka_unit_test(a_new_model_is_drawn),
        cmocka_unit_test(a_new_model_that_cannot_be_is_refused),
    };
    return RUN(tests);
}
