/* t_formats_unknown.c - models with layers that cannot be computed: described, and never run. */
#include "t_formats.h"

#include "base/file.h"

static cvs_error err;

static void assert_layer(const cvs_model *m, const char *name, const char *shape, int64_t params,
                         int is_unknown)
{
    char text[CX_SHAPE_TEXT];
    cvs_layer layer;
    int node = cvs_model_find(m, name, &err);
    assert_true(node >= 0);
    OK(cvs_model_layer(&layer, m, node, &err));
    assert_string_equal(cx_node_shape_text(text, &m->nodes[node].shape), shape);
    assert_int_equal(layer.params, params);
    assert_int_equal(layer.is_unknown, is_unknown);
}

static void what_comes_after_it_has_no_shape_but_its_numbers(void **state)
{
    (void)state;
    cvs_model *m = load("unknown.h5");
    assert_layer(m, "first", "(None, 6, 5, 4)", 76, 0);
    assert_layer(m, "odd", "?", 10, 1);
    assert_layer(m, "flat", "?", 0, 0);
    assert_layer(m, "last", "?", 363, 0);
    assert_non_null(
        m->layers[m->nodes[1].layer].w[0].data); /* of what is known, weights are there */
    cvs_model_free(m);
}

static void a_lambda_states_its_shape_and_a_nested_model_hands_it_on(void **state)
{
    (void)state;
    cvs_model *m = load("unknown_nested.h5");
    assert_layer(m, "inner/conv", "(None, 6, 5, 4)", 148, 0);
    assert_layer(m, "inner/odd", "?", 10, 1);
    assert_layer(m, "inner/lambda", "(None, 3, 2, 4)", 0, 1);
    assert_layer(m, "last", "(None, 3, 2, 2)", 74, 0);
    cvs_model_free(m);
}

static void keras3_states_every_shape_and_groups_in_groups_are_counted(void **state)
{
    (void)state;
    cvs_model *m = load("unknown.keras");
    assert_layer(m, "odd", "(None, 3, 2, 4)", 16, 1);
    assert_layer(m, "last", "(None, 3, 2, 2)", 74, 0);
    assert_int_equal(m->nodes[1].n_inputs, 2); /* a tensor among the keywords, too */
    cvs_model_free(m);
}

static void a_run_is_refused_with_the_layer_and_the_file(void **state)
{
    (void)state;
    cvs_model *m = load("unknown_nested.h5");
    cvs_run *run;
    FAILS(cvs_run_new(&run, m, NULL, &err), CVS_E_UNSUPPORTED, "layers of class Mine>Odd");
    assert_null(run);
    assert_non_null(strstr(err.where, "unknown_nested.h5: model \"inner\": layer \"odd\""));
    assert_int_equal(cvs_run_new(&run, m, NULL, NULL), CVS_E_UNSUPPORTED);
    cvs_model_free(m);
}

static void tables_and_the_chart_show_it(void **state)
{
    (void)state;
    const char *const files[] = {"unknown.h5", "unknown_nested.h5", "unknown.keras"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        cvs_model *m = load(files[i]);
        const char *path = "unknown.svg";
        cx_bytes svg;
        for (int style = CVS_SUMMARY_KERAS2; style <= CVS_SUMMARY_JSON; style++) {
            const cvs_summary_options o = {.style = (cvs_summary_style)style, .expand = 1};
            char *text;
            OK(cvs_model_summary(&text, m, &o, &err));
            assert_non_null(
                strstr(text, style == CVS_SUMMARY_JSON ? "\"supported\": false" : "Odd)"));
            cvs_free(text);
        }
        OK(cvs_graph_write(m, path, &err));
        OK(cx_file_read(&svg, path, 1 << 20, &err));
        svg.data[svg.size - 1] = 0;
        assert_non_null(strstr((char *)svg.data, "not supported"));
        cx_bytes_deinit(&svg);
        remove(path);
        cvs_model_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_after_it_has_no_shape_but_its_numbers),
        cmocka_unit_test(a_lambda_states_its_shape_and_a_nested_model_hands_it_on),
        cmocka_unit_test(keras3_states_every_shape_and_groups_in_groups_are_counted),
        cmocka_unit_test(a_run_is_refused_with_the_layer_and_the_file),
        cmocka_unit_test(tables_and_the_chart_show_it),
    };
    return RUN(tests);
}
