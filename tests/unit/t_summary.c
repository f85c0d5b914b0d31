/* t_summary.c - the tables of models as Keras prints them. */
#include "test.h"

#include "base/file.h"
#include "base/json.h"
#include "formats/config.h"

static cvs_error err;

static cvs_model *build(const char *json, size_t len, const char *version)
{
    cvs_model *m;
    cx_json *root;
    OK(cx_json_parse(&root, json, len, &err));
    int rc = cx_config_build(&m, root, version, &err);
    cx_json_free(root);
    if (rc == CVS_E_UNSUPPORTED) {
        printf("# skipped: %s: %s\n", err.where, err.what);
        skip();
    }
    OK(rc);
    return m;
}

static cx_bytes read_golden(const char *name, const char *ending)
{
    char path[1024];
    cx_bytes bytes;
    const char *data = getenv("CONVSCOPE_TEST_DATA");
    assert_non_null(data);
    snprintf(path, sizeof path, "%s/../golden/summaries/%s%s", data, name, ending);
    OK(cx_file_read(&bytes, path, 1 << 20, &err));
    return bytes;
}

/* What Keras 3.8 printed, and what we make of the same model. */
static void is_keras_38(const char *name)
{
    cx_bytes json = read_golden(name, ".json"), expected = read_golden(name, ".txt");
    cvs_model *m = build((char *)json.data, json.size, "3.8.0");
    char *text;
    const cvs_summary_options table = {.style = CVS_SUMMARY_KERAS3, .width = 65};
    OK(cvs_model_summary(&text, m, &table, &err));
    if (strlen(text) != expected.size || memcmp(text, expected.data, expected.size) != 0)
        fail_msg("%s:\n%s", name, text);
    cvs_free(text);
    cvs_model_free(m);
    cx_bytes_deinit(&json);
    cx_bytes_deinit(&expected);
}

static void chain_is_as_keras_38_draws_it(void **state)
{
    (void)state;
    is_keras_38("seqbook");
}

static void nested_models_are_as_keras_38_draws_them(void **state)
{
    (void)state;
    is_keras_38("nested");
}

static void shared_layers_are_as_keras_38_draws_them(void **state)
{
    (void)state;
    is_keras_38("shared");
}

static void normalizations_are_as_keras_38_draws_them(void **state)
{
    (void)state;
    is_keras_38("norms");
}

static void channels_first_is_as_keras_38_draws_it(void **state)
{
    (void)state;
    is_keras_38("chfirst");
}

/* Two images go through one nested model, which hands its first input on as a second output. */
#define TENSOR(name, call, tensor) "[\"" name "\"," #call "," #tensor ",{}]"
#define INPUT(name)                                                                         \
    "{\"class_name\":\"InputLayer\",\"name\":\"" name "\",\"inbound_nodes\":[],\"config\":" \
    "{\"name\":\"" name "\",\"batch_input_shape\":[null,8,8,1]}}"
#define LAYER(class, name, config, calls)                                                          \
    "{\"class_name\":\"" class "\",\"name\":\"" name "\",\"config\":{\"name\":\"" name "\"" config \
                               "},\"inbound_nodes\":[" calls "]}"
static const char siamese[] =
    "{\"class_name\":\"Functional\",\"config\":{\"name\":\"twins\",\"layers\":[" INPUT("a") "," INPUT(
        "b") ",{\"class_name\":\"Functional\",\"name\":\"eye\",\"inbound_nodes\":["
             "[" TENSOR("a", 0, 0) "],[" TENSOR(
                 "b", 0,
                 0) "]],"
                    "\"config\":{\"name\":\"eye\",\"layers\":[" INPUT("x") "," LAYER(
                        "Conv2D", "c", ",\"filters\":2,\"kernel_size\":[3,3]",
                        "[" TENSOR(
                            "x", 0,
                            0) "]") "," LAYER("GlobalMaxPooling2D", "g", "",
                                              "[" TENSOR(
                                                  "c", 0,
                                                  0) "]") "],"
                                                          "\"input_layers\":[[\"x\",0,0]],\"output_"
                                                          "layers\":[[\"g\",0,0],[\"c\",0,0]]}}"
                                                          "," LAYER(
                                                              "Subtract", "difference", "",
                                                              "[" TENSOR("eye", 1, 0) "," TENSOR(
                                                                  "eye", 2,
                                                                  0) "]") "," LAYER("Add", "sum",
                                                                                    "",
                                                                                    "[" TENSOR(
                                                                                        "eye", 1,
                                                                                        1) "," TENSOR("eye",
                                                                                                      2,
                                                                                                      1) "]") "],"
                                                                                                              "\"input_layers\":[[\"a\",0,0],[\"b\",0,0]],"
                                                                                                              "\"output_layers\":[[\"difference\",0,0],[\"sum\",0,0]]}}";

/* Columns 32, 53, 65 and 98; a box around the layers of a nested model. */
static void keras_2_boxes_nested_models(void **state)
{
    (void)state;
    cvs_model *m = build(siamese, sizeof siamese - 1, "2.6.0");
    char *text;
    OK(cvs_model_summary(&text, m, &(cvs_summary_options){.expand = 1}, &err));
    const char *rows = "Layer (type)                    Output Shape         Param #     Connected "
                       "to                     \n"
                       "==========================================================================="
                       "=======================\n"
                       "a (InputLayer)                  [(None, 8, 8, 1)]    0                     "
                       "                       \n"
                       "___________________________________________________________________________"
                       "_______________________\n"
                       "b (InputLayer)                  [(None, 8, 8, 1)]    0                     "
                       "                       \n"
                       "___________________________________________________________________________"
                       "_______________________\n"
                       "eye (Functional)                [(None, 2), (None, 6 20          a[0][0]   "
                       "                       \n"
                       "                                                                 b[0][0]   "
                       "                       \n"
                       "|¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯"
                       "¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯|\n"
                       "|x (InputLayer)                 [(None, 8, 8, 1)]    0                     "
                       "                      |\n"
                       "|__________________________________________________________________________"
                       "______________________|\n"
                       "|c (Conv2D)                     (None, 6, 6, 2)      20                    "
                       "                      |\n"
                       "|__________________________________________________________________________"
                       "______________________|\n"
                       "|g (GlobalMaxPooling2D)         (None, 2)            0                     "
                       "                      |\n"
                       "¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯"
                       "¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯\n"
                       "difference (Subtract)           (None, 2)            0           eye[1][0] "
                       "                       \n"
                       "                                                                 eye[2][0] "
                       "                       \n"
                       "___________________________________________________________________________"
                       "_______________________\n"
                       "sum (Add)                       (None, 6, 6, 2)      0           eye[1][1] "
                       "                       \n"
                       "                                                                 eye[2][1] "
                       "                       \n"
                       "==========================================================================="
                       "=======================\n"
                       "Total params: 20\n";
    const char *found = strstr(text, "Layer (type)");
    assert_non_null(found);
    if (strncmp(found, rows, strlen(rows)) != 0) fail_msg("%s", text);
    cvs_free(text);
    cvs_model_free(m);
}

/* Keras 3 counts a nested model's calls from 0, and names no connection inside it. */
static void keras_3_indents_nested_models(void **state)
{
    (void)state;
    cvs_model *m = build(siamese, sizeof siamese - 1, "2.6.0");
    char *text;
    const cvs_summary_options table = {.style = CVS_SUMMARY_KERAS3, .width = 80, .expand = 1};
    OK(cvs_model_summary(&text, m, &table, &err));
    static const char *const lines[] = {
        "\n│ eye (Functional)      │ [(None, 2),       │          20 │ a[0][0], b[0][0]   │\n"
        "│                       │ (None, 6, 6, 2)]  │             │                    │\n",
        "\n│    └ x (InputLayer)   │ (None, 8, 8, 1)   │           0 │ -                  │\n",
        "\n│    └ g                │ (None, 2)         │           0 │ -                  │\n"
        "│ (GlobalMaxPooling2D)  │                   │             │                    │\n",
        "│ eye[0][0],         │\n",
        "│ eye[1][1]          │\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr(text, lines[i])) fail_msg("%s is not in\n%s", lines[i], text);
    cvs_free(text);
    cvs_model_free(m);
}

static void a_layer_on_sizes_that_differ_is_multiple(void **state)
{
    (void)state;
    static const char json[] =
        "{\"class_name\":\"Functional\",\"config\":{\"name\":\"m\",\"layers\":[" INPUT(
            "a") "," LAYER("MaxPooling2D", "p", ",\"pool_size\":[2,2]",
                           "[" TENSOR("a", 0, 0) "],[" TENSOR(
                               "p", 0, 0) "]") "],"
                                               "\"input_layers\":[[\"a\",0,0]],\"output_layers\":[["
                                               "\"p\",1,0]]}}";
    cvs_model *m = build(json, sizeof json - 1, "2.6.0");
    char *text;
    OK(cvs_model_summary(&text, m, NULL, &err));
    assert_non_null(strstr(text, "p (MaxPooling2D)                multiple             0           "
                                 "a[0][0] "));
    cvs_free(text);
    OK(cvs_model_summary(&text, m, &(cvs_summary_options){.style = CVS_SUMMARY_KERAS3}, &err));
    assert_non_null(strstr(text, "(None, 2, 2, 1)"));
    cvs_free(text);
    cvs_model_free(m);
}

/* Wherever memory ends, the call says so and leaves nothing behind. */
static void summaries_survive_the_end_of_memory(void **state)
{
    (void)state;
    cvs_model *m = build(siamese, sizeof siamese - 1, "2.6.0");
    char *text;
    for (int style = CVS_SUMMARY_KERAS2; style <= CVS_SUMMARY_KERAS3; style++) {
        const cvs_summary_options table = {.style = (cvs_summary_style)style, .expand = 1};
        int rc = CVS_E_NOMEM, n;
        for (n = 1; rc < 0; n++) {
            cx_alloc_fail_from(n);
            rc = cvs_model_summary(&text, m, &table, &err);
            cx_alloc_fail_from(0);
            assert_true(rc == 0 || (rc == CVS_E_NOMEM && !text));
        }
        assert_true(n > 4);
        cvs_free(text);
    }
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain_is_as_keras_38_draws_it),
        cmocka_unit_test(nested_models_are_as_keras_38_draws_them),
        cmocka_unit_test(shared_layers_are_as_keras_38_draws_them),
        cmocka_unit_test(normalizations_are_as_keras_38_draws_them),
        cmocka_unit_test(channels_first_is_as_keras_38_draws_it),
        cmocka_unit_test(keras_2_boxes_nested_models),
        cmocka_unit_test(keras_3_indents_nested_models),
        cmocka_unit_test(a_layer_on_sizes_that_differ_is_multiple),
        cmocka_unit_test(summaries_survive_the_end_of_memory),
    };
    return RUN(tests);
}
