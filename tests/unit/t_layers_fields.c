/* t_layers_fields.c - configurations: types, defaults, ranges, wrappers, spellings, activations. */
#include "t_layers.h"

#include <math.h>

typedef struct thing {
    int64_t whole, sides[CX_SPACE];
    double number;
    int flag, word, only;
    cx_activation activation;
} thing;

#define AT(member) offsetof(thing, member)
static const char *const words[] = {"nearest", "bilinear", NULL};
static const cx_field fields[] = {
    {"whole|old_whole", CX_INT, AT(whole), NAN, 1, 100, NULL},
    {"sides", CX_INTS, AT(sides), 7, 1, 9, NULL},
    {"number", CX_NUMBER, AT(number), 0.5, 0, 10, NULL},
    {"flag", CX_BOOL, AT(flag), 1, 0, 1, NULL},
    {"word", CX_WORD, AT(word), 1, 0, 0, words},
    {"only", CX_BOOL, AT(only), 0, 0, 0, NULL},
    {"activation", CX_ACTIVATION, AT(activation), 0, 0, 0, NULL},
    {0},
};

static int read_as(thing *out, const char *json, int major, cvs_error *err)
{
    const cx_config_context context = {major};
    cx_json *config;
    int rc = cx_json_parse(&config, json, strlen(json), err);
    memset(out, 0x55, sizeof *out);
    if (rc == 0) rc = cx_fields_read(out, fields, 2, config, &context, err);
    cx_json_free(config);
    return rc;
}

static int read_thing(thing *out, const char *json, cvs_error *err)
{
    return read_as(out, json, 3, err);
}

static void defaults_fill_what_is_missing_or_null(void **state)
{
    (void)state;
    cvs_error err;
    thing t;
    OK(read_thing(&t, "{\"whole\": 3, \"number\": null, \"name\": \"x\"}", &err));
    assert_int_equal(t.whole, 3);
    assert_int_equal(t.sides[0], 7);
    assert_int_equal(t.sides[1], 7);
    assert_int_equal(t.sides[2], 1);
    assert_true(t.number == 0.5);
    assert_int_equal(t.flag, 1);
    assert_int_equal(t.word, 1);
    assert_int_equal(t.activation.kind, CX_ACT_LINEAR);
}

static void every_type_is_read(void **state)
{
    (void)state;
    cvs_error err;
    thing t;
    OK(read_thing(&t,
                  "{\"old_whole\": 4.0, \"sides\": [2, 3], \"number\": 2.5, \"flag\": false,"
                  " \"word\": \"nearest\", \"activation\": \"relu\"}",
                  &err));
    assert_int_equal(t.whole, 4);
    assert_int_equal(t.sides[0], 2);
    assert_int_equal(t.sides[1], 3);
    assert_int_equal(t.sides[2], 1);
    assert_true(t.number == 2.5);
    assert_int_equal(t.flag, 0);
    assert_int_equal(t.word, 0);
    assert_int_equal(t.activation.kind, CX_ACT_RELU);
}

static void wrapped_values_are_unwrapped(void **state)
{
    (void)state;
    cvs_error err;
    thing t;
    OK(read_thing(&t,
                  "{\"whole\": [5], \"sides\": {\"class_name\": \"__tuple__\", \"items\": [2, 4]},"
                  " \"number\": {\"class_name\": \"__numpy__\", \"config\": {\"value\": [0.25],"
                  " \"dtype\": \"float32\"}}}",
                  &err));
    assert_int_equal(t.whole, 5);
    assert_int_equal(t.sides[1], 4);
    assert_true(t.number == 0.25);
}

static void bad_values_are_named(void **state)
{
    (void)state;
    cvs_error err;
    thing t;
    static const struct {
        const char *json;
        int code;
        const char *text;
    } bad[] = {
        {"{}", CVS_E_FORMAT, "whole: missing"},
        {"{\"whole\": \"a\"}", CVS_E_FORMAT, "whole: a number is wanted, not a string"},
        {"{\"whole\": 1.5}", CVS_E_FORMAT, "whole: a whole number is wanted, not 1.5"},
        {"{\"whole\": 0}", CVS_E_FORMAT, "whole: 0 is out of range (1 to 100)"},
        {"{\"old_whole\": 101}", CVS_E_FORMAT, "old_whole: 101 is out of range (1 to 100)"},
        {"{\"whole\": [1, 2]}", CVS_E_UNSUPPORTED, "whole: one number is supported, not a list"},
        {"{\"whole\": 1, \"sides\": [1, 2, 3]}", CVS_E_FORMAT,
         "sides: 2 numbers are wanted, not 3"},
        {"{\"whole\": 1, \"sides\": [1, 0]}", CVS_E_FORMAT, "sides: 0 is out of range (1 to 9)"},
        {"{\"whole\": 1, \"sides\": {}}", CVS_E_FORMAT, "sides: a number is wanted, not an object"},
        {"{\"whole\": 1, \"number\": NaN}", CVS_E_FORMAT, "number: nan is out of range (0 to 10)"},
        {"{\"whole\": 1, \"flag\": \"yes\"}", CVS_E_FORMAT, "flag: true or false is wanted"},
        {"{\"whole\": 1, \"only\": true}", CVS_E_UNSUPPORTED, "only: true is not supported"},
        {"{\"whole\": 1, \"word\": 3}", CVS_E_FORMAT, "word: a string is wanted, not a number"},
        {"{\"whole\": 1, \"word\": \"lanczos3\"}", CVS_E_UNSUPPORTED,
         "word: \"lanczos3\" is not supported"},
        {"{\"whole\": 1, \"word\": \"lanczos3\"}", CVS_E_UNSUPPORTED, "nearest, bilinear"},
        {"{\"whole\": 1, \"activation\": \"rellu\"}", CVS_E_UNSUPPORTED,
         "activation: \"rellu\" is not supported"},
        {"{\"whole\": 1, \"activation\": \"rellu\"}", CVS_E_UNSUPPORTED, "did you mean relu"},
        {"{\"whole\": 1, \"activation\": 3}", CVS_E_FORMAT, "activation: a name is wanted"},
        {"{\"whole\": 1, \"activation\": {\"class_name\": \"Dense\", \"config\": {}}}",
         CVS_E_UNSUPPORTED, "activation: Dense is not supported"},
        {"{\"whole\": 1, \"activation\": {\"class_name\": \"Softmax\", \"config\": {\"axis\": 1}}}",
         CVS_E_UNSUPPORTED, "activation: this Softmax is not supported"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        FAILS(read_thing(&t, bad[i].json, &err), bad[i].code, bad[i].text);
}

static void every_activation_of_keras_is_known(void **state)
{
    (void)state;
    cvs_error err;
    const cx_config_context context = {3};
    static const char *const names[] = {
        "linear",      "relu",        "relu6",        "leaky_relu", "elu",         "selu",
        "softplus",    "softsign",    "sigmoid",      "tanh",       "exponential", "softmax",
        "log_softmax", "swish",       "silu",         "mish",       "gelu",        "hard_tanh",
        "hard_silu",   "hard_swish",  "hard_sigmoid", "celu",       "squareplus",  "log_sigmoid",
        "soft_shrink", "hard_shrink", "tanh_shrink",  "sparse_plus"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cx_activation a;
        OK(cx_activation_by_name(&a, names[i], &context, &err));
    }
}

static void activations_have_keras_parameters(void **state)
{
    (void)state;
    cvs_error err;
    thing t;
    OK(read_thing(&t, "{\"whole\": 1, \"activation\": \"leaky_relu\"}", &err));
    assert_true(t.activation.kind == CX_ACT_RELU && t.activation.slope == 0.2f);
    assert_true(isinf(t.activation.limit));
    OK(read_thing(&t, "{\"whole\": 1, \"activation\": \"relu6\"}", &err));
    assert_true(t.activation.kind == CX_ACT_RELU && t.activation.limit == 6);
    OK(read_thing(&t, "{\"whole\": 1, \"activation\": \"gelu\"}", &err));
    assert_int_equal(t.activation.kind, CX_ACT_GELU);
    const char *hard = "{\"whole\": 1, \"activation\": \"hard_sigmoid\"}";
    OK(read_as(&t, hard, 2, &err));
    assert_true(t.activation.slope == 0.2f);
    OK(read_as(&t, hard, 3, &err));
    assert_true(t.activation.slope == 1.0f / 6);
}

static void activations_may_be_objects(void **state)
{
    (void)state;
    cvs_error err;
    thing t;
    OK(read_thing(&t,
                  "{\"whole\": 1, \"activation\": {\"module\": \"builtins\", \"class_name\": "
                  "\"function\", \"config\": \"swish\", \"registered_name\": \"function\"}}",
                  &err));
    assert_int_equal(t.activation.kind, CX_ACT_SILU);
    OK(read_thing(&t,
                  "{\"whole\": 1, \"activation\": {\"class_name\": \"ReLU\", \"config\": "
                  "{\"max_value\": 4.0, \"negative_slope\": 0.5}}}",
                  &err));
    assert_true(t.activation.kind == CX_ACT_RELU && t.activation.limit == 4);
    assert_true(t.activation.slope == 0.5f);
    OK(read_thing(&t,
                  "{\"whole\": 1, \"activation\": {\"class_name\": \"LeakyReLU\", \"config\": "
                  "{\"alpha\": 0.1}}}",
                  &err));
    assert_true(t.activation.slope == 0.1f && isinf(t.activation.limit));
    OK(read_thing(&t,
                  "{\"whole\": 1, \"activation\": {\"class_name\": \"Softmax\", \"config\": "
                  "{\"axis\": -1}}}",
                  &err));
    assert_int_equal(t.activation.kind, CX_ACT_SOFTMAX);
}

static void keras_1_names_are_read(void **state)
{
    (void)state;
    cvs_error err;
    cx_shape out;
    const cx_shape in = {4, {-1, 8, 9, 3}};
    const char *json =
        "{\"nb_filter\": 5, \"nb_row\": 3, \"nb_col\": 2, \"border_mode\": \"valid\","
        " \"subsample\": [2, 1], \"bias\": true, \"dim_ordering\": \"tf\"}";
    OK(infer_shape(&out, "Convolution2D", json, &in, 1, &err));
    assert_true(cx_shape_equal(&out, &(cx_shape){4, {-1, 3, 8, 5}}));
    FAILS(infer_shape(&out, "Convolution2D", "{\"nb_filter\": 5, \"nb_row\": 3}", &in, 1, &err),
          CVS_E_FORMAT, "kernel_size: missing");
    OK(infer_shape(&out, "MaxPooling1D", "{\"pool_length\": 3, \"stride\": 2}",
                   &(cx_shape){3, {-1, 8, 4}}, 1, &err));
    assert_int_equal(out.d[1], 3);
    OK(infer_shape(&out, "Dense", "{\"output_dim\": 6}", &(cx_shape){2, {-1, 8}}, 1, &err));
    assert_int_equal(out.d[1], 6);
    OK(infer_shape(&out, "ZeroPadding2D", "{\"padding\": [1, 2, 3, 4]}", &in, 1, &err));
    assert_true(cx_shape_equal(&out, &(cx_shape){4, {-1, 11, 16, 3}}));
    OK(infer_shape(&out, "ZeroPadding2D", "{\"padding\": {\"top_pad\": 2, \"right_pad\": 1}}", &in,
                   1, &err));
    assert_true(cx_shape_equal(&out, &(cx_shape){4, {-1, 10, 10, 3}}));
}

static void table_finds_by_name_and_alias(void **state)
{
    (void)state;
    assert_null(cx_layer_kind_find("Lambda"));
    assert_null(cx_layer_kind_find(NULL));
    assert_null(cx_layer_kind_at(-1));
    assert_string_equal(cx_layer_kind_find("Convolution2D")->class_name, "Conv2D");
    for (int i = 0; cx_layer_kind_at(i); i++)
        assert_ptr_equal(cx_layer_kind_find(cx_layer_kind_at(i)->class_name), cx_layer_kind_at(i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_fill_what_is_missing_or_null),
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(wrapped_values_are_unwrapped),
        cmocka_unit_test(bad_values_are_named),
        cmocka_unit_test(every_activation_of_keras_is_known),
        cmocka_unit_test(activations_have_keras_parameters),
        cmocka_unit_test(activations_may_be_objects),
        cmocka_unit_test(keras_1_names_are_read),
        cmocka_unit_test(table_finds_by_name_and_alias),
    };
    return RUN(tests);
}
