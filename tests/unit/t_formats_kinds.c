/* t_formats_kinds.c - .keras files, TensorFlow.js, weights beside their description, and kernels in
 * the orders of older Keras. */
#define _DEFAULT_SOURCE
#include "t_formats.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static char folder[] = "/tmp/t_kinds_XXXXXX";

/* --- .keras --- */

static void layers_are_found_by_class_and_number(void **state)
{
    (void)state;
    static const char *const names[] = {"v3.keras", "v3_packed.keras", "v3_old.keras"};
    for (int i = 0; i < 3; i++) {
        cvs_model *m = load(names[i]);
        assert_string_equal(m->keras_version, "3.8.0");
        assert_true(number(m, "a", 0, 71) == 71 / 64.0);
        assert_true(number(m, "a", 1, 1) == 1 / 64.0 + 1);
        assert_true(number(m, "inner/b", 1, 0) == 2);
        assert_true(number(m, "inner/c", 1, 0) == 3);
        assert_true(number(m, "d", 1, 3) == 3 / 64.0 + 4);
        assert_true(number(m, "last", 1, 0) == 5);
        cvs_model_free(m);
    }
}

static void a_layer_in_two_models_is_written_once(void **state)
{
    (void)state;
    cvs_model *m = load("two_paths.keras");
    assert_true(number(m, "shared", 1, 0) == 1);
    assert_true(number(m, "inner/shared", 1, 3) == 3 / 64.0 + 1);
    cvs_model_free(m);
}

static void tf_keras_counted_layers_with_weights_twice(void **state)
{
    (void)state;
    cvs_model *m = load("counted_twice.keras");
    assert_true(number(m, "a", 1, 0) == 1);
    assert_true(number(m, "b", 1, 0) == 2);
    assert_true(number(m, "c", 1, 0) == 3);
    cvs_model_free(m);
}

static void other_zips_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int code;
        const char *text;
    } cases[] = {{"v3_npz.keras", CVS_E_UNSUPPORTED, "model.weights.npz"},
                 {"v3_shards.keras", CVS_E_UNSUPPORTED, "several files"},
                 {"torch.keras", CVS_E_UNSUPPORTED, "PyTorch"},
                 {"other.keras", CVS_E_FORMAT, "not one that Keras wrote"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[1024];
        cvs_error err;
        cvs_model *m;
        FAILS(cx_load_model(&m, data_path(path, cases[i].name), NULL, &err), cases[i].code,
              cases[i].text);
        assert_null(m);
    }
}

/* Change a text in a file to another of the same length, wherever it stands, and write it into the
 * folder of this test. */
static char *write_changed(char changed[64], const char *name, const char *from, const char *to)
{
    char path[1024];
    cvs_error err;
    cx_bytes b;
    size_t n = strlen(from);
    int found = 0;
    assert_int_equal(n, strlen(to));
    OK(cx_file_read(&b, data_path(path, name), 1 << 20, &err));
    for (size_t i = 0; i + n <= b.size; i++)
        if (memcmp(b.data + i, from, n) == 0) {
            memcpy(b.data + i, to, n);
            found = 1;
        }
    assert_true(found);
    snprintf(changed, 64, "%s/%s", folder, cx_base_name(path));
    OK(cx_file_write(changed, &(cx_piece){b.data, b.size}, 1, &err));
    cx_bytes_deinit(&b);
    return changed;
}

static void changed_bytes_give_a_model_or_a_message(void **state)
{
    (void)state;
    static const char *const names[] = {"v3.keras", "v3_packed.keras", "weights.h5"};
    char path[1024], changed[64], json[1024];
    const cvs_load_options options = {data_path(json, "architecture.json")};
    uint32_t seed = 5;
    snprintf(changed, sizeof changed, "%s/flipped", folder);
    for (int i = 0; i < 90; i++) {
        cx_bytes b;
        cvs_model *m;
        cvs_error err = {0};
        OK(cx_file_read(&b, data_path(path, names[i % 3]), 1 << 20, &err));
        for (int k = 0; k <= i / 10; k++) {
            seed = seed * 1664525 + 1013904223;
            size_t at = (seed >> 8) % b.size;
            seed = seed * 1664525 + 1013904223;
            b.data[at] = (uint8_t)(seed >> 24);
        }
        OK(cx_file_write(changed, &(cx_piece){b.data, b.size}, 1, &err));
        int rc = cx_load_model(&m, changed, i % 3 == 2 ? &options : NULL, &err);
        assert_true(rc == 0 ? m != NULL : m == NULL && err.what[0] && err.code == rc);
        cvs_model_free(m);
        cx_bytes_deinit(&b);
    }
    unlink(changed);
}

/* --- weights and their description --- */

static void weights_alone_want_a_description(void **state)
{
    (void)state;
    char path[1024], json[1024];
    cvs_error err;
    cvs_model *m = load_with("weights.h5", "architecture.json");
    assert_string_equal(m->keras_version, "2.9.0");
    assert_true(number(m, "first", 0, 71) == 71 / 64.0);
    assert_true(number(m, "norm", 3, 2) == 2 / 64.0 + 4);
    cvs_model_free(m);
    /* a model of TensorFlow.js describes, too; a whole model's own description gives way */
    m = load_with("weights.h5", "../tfjs/model.json");
    assert_true(number(m, "last", 0, 359) == 359 / 64.0);
    cvs_model_free(m);
    m = load_with("packed.h5", "architecture.json");
    assert_true(number(m, "norm", 0, 2) == 2 / 64.0 + 1);
    cvs_model_free(m);

    data_path(path, "weights.h5");
    FAILS(cx_load_model(&m, path, NULL, &err), CVS_E_UNSUPPORTED, "weights only");
    data_path(json, "none.json");
    FAILS(cx_load_model(&m, path, &(cvs_load_options){json}, &err), CVS_E_IO, "");
    assert_string_equal(err.where, json);
    data_path(path, "architecture.json");
    FAILS(cx_load_model(&m, path, NULL, &err), CVS_E_UNSUPPORTED, "holds no weights");
    FAILS(cx_load_model(&m, data_path(path, "v3.keras"),
                        &(cvs_load_options){data_path(json, "architecture.json")}, &err),
          CVS_E_FORMAT, "\"a\"");
    FAILS(cx_load_model(&m, data_path(path, "before_keras1.h5"),
                        &(cvs_load_options){data_path(json, "architecture.json")}, &err),
          CVS_E_UNSUPPORTED, "before 1.0");
}

/* --- kernels of older Keras --- */

static void kernels_get_the_order_of_today(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int n;
    } cases[] = {{"keras1_conv1d.h5", 24},      {"keras1_conv1d_old.h5", 24},
                 {"keras1_th.h5", 72},          {"keras1_th_cube.h5", 81},
                 {"keras1_deconv_cube.h5", 81}, {"keras2_turned.h5", 72}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cvs_model *m = load(cases[i].name);
        for (int k = 0; k < cases[i].n; k++) assert_true(number(m, "conv", 0, k) == k / 64.0);
        cvs_model_free(m);
    }
}

/* --- TensorFlow.js --- */

static void tensorflow_js_is_read_over_files_and_quantized(void **state)
{
    (void)state;
    cvs_model *m = load("../tfjs/model.json");
    for (int i = 0; i < 72; i++) assert_true(number(m, "first", 0, i) == i / 64.0);
    assert_true(number(m, "first", 1, 3) == 3 / 64.0);
    assert_true(number(m, "norm", 0, 3) == 3 * 0.5 + 1);
    assert_true(number(m, "norm", 1, 3) == 7 * 0.25 - 1);
    assert_true(number(m, "norm", 2, 3) == 3 * 0.5 + 2);
    assert_true(number(m, "norm", 3, 3) == 7 + 4);
    assert_true(number(m, "last", 0, 359) == 359 / 64.0);
    cvs_model_free(m);
}

/* The model.json with a text changed, beside copies of the weights. */
static void assert_tfjs_fails(const char *from, const char *to, int code, const char *text)
{
    char path[1024], changed[64];
    cvs_error err;
    cvs_model *m;
    for (int i = 1; i <= 3; i++) {
        cx_bytes b;
        char name[16];
        snprintf(name, sizeof name, "../tfjs/%d.bin", i);
        OK(cx_file_read(&b, data_path(path, name), 1 << 20, &err));
        snprintf(changed, sizeof changed, "%s/%d.bin", folder, i);
        OK(cx_file_write(changed, &(cx_piece){b.data, b.size}, 1, &err));
        cx_bytes_deinit(&b);
    }
    write_changed(changed, "../tfjs/model.json", from, to);
    FAILS(cx_load_model(&m, changed, NULL, &err), code, text);
    assert_null(m);
}

static void tensorflow_js_that_lies_is_refused(void **state)
{
    (void)state;
    assert_tfjs_fails("\"1.bin\"", "\"/.bin\"", CVS_E_FORMAT, "not in the model's folder");
    assert_tfjs_fails("\"1.bin\"", "\"a/../\"", CVS_E_FORMAT, "not in the model's folder");
    assert_tfjs_fails("\"1.bin\"", "\"../.n\"", CVS_E_FORMAT, "not in the model's folder");
    assert_tfjs_fails("\"1.bin\"", "\"9.bin\"", CVS_E_IO, "");
    assert_tfjs_fails("\"2.bin\"", "\"1.bin\"", CVS_E_FORMAT, "their files only 202");
    assert_tfjs_fails("[120, 3]", "[121, 3]", CVS_E_FORMAT, "their files only");
    assert_tfjs_fails("[120, 3]", "[12, 30]", CVS_E_FORMAT, "(12, 30)");
    assert_tfjs_fails("[120, 3]", "[-1, -1]", CVS_E_FORMAT, "shape");
    assert_tfjs_fails("\"float16\"", "\"strings\"", CVS_E_UNSUPPORTED, "strings");
    assert_tfjs_fails("\"layers-model\"", "\"graph-model\" ", CVS_E_UNSUPPORTED, "graph models");
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"1.bin", "2.bin", "3.bin", "model.json", "v3.keras"};
    char path[64];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

int main(void)
{
    if (!getenv("CONVSCOPE_TEST_DATA")) {
        printf("1..0 # SKIP CONVSCOPE_TEST_DATA is not set\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_found_by_class_and_number),
        cmocka_unit_test(a_layer_in_two_models_is_written_once),
        cmocka_unit_test(tf_keras_counted_layers_with_weights_twice),
        cmocka_unit_test(other_zips_are_refused_by_name),
        cmocka_unit_test(changed_bytes_give_a_model_or_a_message),
        cmocka_unit_test(weights_alone_want_a_description),
        cmocka_unit_test(kernels_get_the_order_of_today),
        cmocka_unit_test(tensorflow_js_is_read_over_files_and_quantized),
        cmocka_unit_test(tensorflow_js_that_lies_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder) != 0;
}
