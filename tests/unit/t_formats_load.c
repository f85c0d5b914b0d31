/* t_formats_load.c - whole models: weights in their places, other kinds of files refused by name.
 */
#define _DEFAULT_SOURCE
#include "t_formats.h"

#include <unistd.h>

#include "base/file.h"
#include "listing.h"

static void a_plain_model_has_its_weights(void **state)
{
    (void)state;
    static const char *const names[] = {"plain.h5", "packed.h5"};
    for (int k = 0; k < 2; k++) {
        cvs_model *m = load(names[k]);
        assert_string_equal(m->name, "plain");
        assert_string_equal(m->keras_version, "2.9.0");
        assert_int_equal(m->n_nodes, 5);
        assert_true(number(m, "first", 0, 71) == 71 / 64.0);
        assert_true(number(m, "first", 1, 3) == 3 / 64.0);
        assert_true(number(m, "norm", 0, 2) == 2 / 64.0 + 1);
        assert_true(number(m, "norm", 1, 2) == 2 / 64.0 + 2);
        assert_true(number(m, "norm", 2, 2) == 2);
        assert_true(number(m, "norm", 3, 2) == 2 / 64.0 + 4);
        assert_true(number(m, "last", 0, 359) == 359 / 64.0);
        const float *last = m->layers[m->nodes[4].layer].w[0].data;
        const uint8_t *at = (const uint8_t *)last;
        if (k == 0) /* used where they stand in the file */
            assert_true(at > m->file.data && at < m->file.data + m->file.size);
        else
            assert_int_equal((uintptr_t)last % 64, 0);
        cvs_model_free(m);
    }
}

/* Frozen layers' weights stand at the end of a nested model's group, a random state nowhere. */
static void a_nested_model_in_part_frozen_has_its_weights(void **state)
{
    (void)state;
    cvs_model *m = load("nested.h5");
    for (int w = 0; w < 4; w++) assert_true(number(m, "inner/norm#1", w, 1) == 1 / 64.0 + w + 1);
    assert_true(number(m, "inner/conv", 0, 8) == 8 / 64.0 + 5);
    assert_true(number(m, "inner/conv", 1, 0) == 6);
    assert_true(number(m, "shared#1", 1, 3) == 3 / 64.0);
    cvs_model_free(m);
}

static void a_weight_without_a_name_is_no_random_state(void **state)
{
    (void)state;
    cvs_model *m = load("unnamed.h5");
    assert_true(number(m, "scale", 0, 0) == 1);
    assert_true(number(m, "scale", 0, 1) == 1 / 64.0 + 1);
    cvs_model_free(m);
}

static void kernels_of_theano_are_turned_round(void **state)
{
    (void)state;
    cvs_model *m = load("theano.h5");
    /* the cell (0, 0) was stored as (2, 2); input and output channels stay */
    for (int i = 0; i < 8; i++) assert_true(number(m, "conv", 0, i) == (64 + i) / 64.0);
    assert_true(number(m, "conv", 0, 33) == 33 / 64.0);
    cvs_model_free(m);
}

static void write_file(const char *path, const void *data, size_t size)
{
    cvs_error err;
    OK(cx_file_write(path, &(cx_piece){data, size}, 1, &err));
}

static void other_files_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        int code;
        const char *text;
    } cases[] = {
        {"", 0, CVS_E_FORMAT, "empty"},
        {"words in a file", 15, CVS_E_FORMAT, "not a model file"},
        {"PK\3\4 and so on", 14, CVS_E_FORMAT, "zip file is damaged"},
        {" {\"class_name\": 1}", 18, CVS_E_UNSUPPORTED, "holds no weights"},
        {" {\"colour\": 1}", 14, CVS_E_FORMAT, "not a model's"},
        {"\x08\x07\x12\x04keras", 9, CVS_E_UNSUPPORTED, "ONNX"},
        {"\x1c\0\0\0TFL3\0\0", 10, CVS_E_UNSUPPORTED, "Lite"},
        {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, CVS_E_FORMAT, "picture"},
    };
    char folder[] = "/tmp/t_formats_XXXXXX", path[64];
    cvs_error err;
    cvs_model *m;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/model.h5", folder);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file(path, cases[i].bytes, cases[i].size);
        FAILS(cx_load_model(&m, path, NULL, &err), cases[i].code, cases[i].text);
        assert_null(m);
        assert_string_equal(err.where, path);
    }
    unlink(path);
    FAILS(cx_load_model(&m, path, NULL, &err), CVS_E_IO, "cannot open");
    FAILS(cx_load_model(&m, folder, NULL, &err), CVS_E_IO, "not a regular file");
    rmdir(folder);
}

static void hdf5_that_is_no_model_is_refused(void **state)
{
    (void)state;
    char path[1024];
    cvs_error err;
    cvs_model *m;
    data_path(path, "elsewhere.h5");
    FAILS(cx_load_model(&m, path, NULL, &err), CVS_E_FORMAT, "not one that Keras wrote");
}

/* Change a text in a file to another of the same length wherever it stands, and load. */
static int load_changed(cvs_model **out, const char *from, const char *to, cvs_error *err)
{
    char path[1024], changed[] = "/tmp/t_formats_XXXXXX";
    cx_bytes b;
    size_t n = strlen(from);
    int found = 0, fd;
    assert_int_equal(n, strlen(to));
    data_path(path, "plain.h5");
    assert_int_equal(cx_file_read(&b, path, 1 << 20, err), 0);
    for (size_t i = 0; i + n <= b.size; i++)
        if (memcmp(b.data + i, from, n) == 0) {
            memcpy(b.data + i, to, n);
            found = 1;
        }
    assert_true(found);
    fd = mkstemp(changed);
    assert_true(fd >= 0);
    close(fd);
    write_file(changed, b.data, b.size);
    int rc = cx_load_model(out, changed, NULL, err);
    unlink(changed);
    cx_bytes_deinit(&b);
    return rc;
}

static void file_and_configuration_must_agree(void **state)
{
    (void)state;
    cvs_error err;
    cvs_model *m;
    FAILS(load_changed(&m, "\"kernel_size\": [3, 3]", "\"kernel_size\": [5, 3]", &err),
          CVS_E_FORMAT, "kernel:0 has shape (3, 3, 2, 4), the configuration says (5, 3, 2, 4)");
    assert_non_null(strstr(err.where, "layer \"first\""));
    FAILS(load_changed(&m, "first/bias:0", "first/bias:1", &err), CVS_E_FORMAT,
          "names first/bias:1 but does not hold it");
    FAILS(load_changed(&m, "model_weights", "nodel_weights", &err), CVS_E_FORMAT, "model_weights");
    FAILS(load_changed(&m, "\"axis\": [3]", "\"scale\": 0 ", &err), CVS_E_FORMAT,
          "has 4 weights, the configuration asks for 3");
    FAILS(load_changed(&m, "\"axis\": [3]}", "\"axis\": [3]]", &err), CVS_E_FORMAT,
          "not valid JSON");
    FAILS(load_changed(&m, "\"units\": 3", "\"units\": 4", &err), CVS_E_FORMAT, "(120, 4)");
    /* groups are paired by order where a name is not there */
    OK(load_changed(&m, "\"name\": \"first\"", "\"name\": \"fresh\"", &err));
    assert_true(number(m, "fresh", 0, 71) == 71 / 64.0);
    cvs_model_free(m);
}

static void no_memory_is_an_error_everywhere(void **state)
{
    (void)state;
    char path[1024];
    cvs_error err;
    cvs_model *m;
    int rc = CVS_E_NOMEM;
    data_path(path, "nested.h5");
    for (long n = 1; rc < 0; n += 3) {
        assert_true(n < 10000);
        cx_alloc_fail_from(n);
        rc = cx_load_model(&m, path, NULL, &err);
        cx_alloc_fail_from(0);
        if (rc < 0 && rc != CVS_E_NOMEM)
            assert_non_null(strstr(err.what, "HDF5")); /* the child's */
    }
    cvs_model_free(m);
}

/* A model or a message, whatever the bytes. */
static void flipped_bytes_give_a_model_or_a_message(void **state)
{
    (void)state;
    char path[1024], changed[] = "/tmp/t_formats_XXXXXX";
    uint32_t seed = 3;
    int fd = mkstemp(changed);
    assert_true(fd >= 0);
    close(fd);
    data_path(path, "nested.h5");
    for (int i = 0; i < 100; i++) {
        cx_bytes b;
        cvs_model *m;
        cvs_error err = {0};
        OK(cx_file_read(&b, path, 1 << 20, &err));
        for (int k = 0; k <= i / 10; k++) {
            seed = seed * 1664525 + 1013904223;
            size_t at = (seed >> 8) % b.size;
            seed = seed * 1664525 + 1013904223;
            b.data[at] = (uint8_t)(seed >> 24);
        }
        write_file(changed, b.data, b.size);
        int rc = cx_load_model(&m, changed, NULL, &err);
        assert_true(rc == 0 ? m != NULL : m == NULL && err.what[0] && err.code == rc);
        cvs_model_free(m);
        cx_bytes_deinit(&b);
    }
    unlink(changed);
}

/* --- the big folder of data --- */

static int ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

/* EXPECTED.tsv: file, verdict, reason. A truncated last byte and the like may go either way. */
static void malformed_files_get_their_verdicts(void **state)
{
    (void)state;
    const char *shared = getenv("CONVSCOPE_SHARED");
    char path[1024], verdict[16], name[128];
    cx_bytes table;
    cvs_error err;
    int n = 0;
    if (!shared) {
        print_message("# skipped: CONVSCOPE_SHARED is not set\n");
        return;
    }
    snprintf(path, sizeof path, "%s/data/malformed/EXPECTED.tsv", shared);
    OK(cx_file_read(&table, path, 1 << 20, &err));
    table.data[table.size - 1] = 0;
    for (char *line = (char *)table.data; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (sscanf(line, "%127s %15s", name, verdict) != 2 || strcmp(name, "file") == 0) continue;
        cvs_model *m;
        snprintf(path, sizeof path, "%s/data/malformed/%s", shared, name);
        int rc = cx_load_model(&m, path, NULL, &err);
        if (rc == 0) rc = cx_model_can_run(m, &err);
        if (rc < 0) assert_true(err.what[0] != 0);
        if ((rc == 0) == (strcmp(verdict, "reject") == 0) && strcmp(verdict, "any") != 0)
            fail_msg("%s: %d %s, expected %s", name, rc, rc < 0 ? err.what : "", verdict);
        cvs_model_free(m);
        n++;
    }
    assert_true(n >= 30);
    cx_bytes_deinit(&table);
}

static void real_models_load(void **state)
{
    (void)state;
    const char *shared = getenv("CONVSCOPE_SHARED");
    char folder[1024], path[2048];
    cvs_error err;
    int n = 0;
    if (!shared) {
        print_message("# skipped: CONVSCOPE_SHARED is not set\n");
        return;
    }
    snprintf(folder, sizeof folder, "%s/data/models", shared);
    listing in = list_folder(folder);
    for (int i = 0; i < in.n; i++) {
        const char *name = in.at[i]->d_name;
        cvs_model *m;
        if (!ends_with(name, ".h5") && !ends_with(name, ".hdf5") && !ends_with(name, ".keras") &&
            !ends_with(name, "_tfjs"))
            continue;
        snprintf(path, sizeof path, "%s/%s%s", folder, name,
                 ends_with(name, "_tfjs") ? "/model.json" : "");
        if (ends_with(path, "_weights.h5")) {
            FAILS(cx_load_model(&m, path, NULL, &err), CVS_E_UNSUPPORTED, "weights only");
            continue;
        }
        OK(cx_load_model(&m, path, NULL, &err));
        cvs_model_free(m);
        n++;
    }
    listing_free(&in);
    assert_true(n >= 14);
}

int main(void)
{
    if (!getenv("CONVSCOPE_TEST_DATA")) {
        printf("1..0 # SKIP CONVSCOPE_TEST_DATA is not set\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_model_has_its_weights),
        cmocka_unit_test(a_nested_model_in_part_frozen_has_its_weights),
        cmocka_unit_test(a_weight_without_a_name_is_no_random_state),
        cmocka_unit_test(kernels_of_theano_are_turned_round),
        cmocka_unit_test(other_files_are_refused_by_name),
        cmocka_unit_test(hdf5_that_is_no_model_is_refused),
        cmocka_unit_test(file_and_configuration_must_agree),
        cmocka_unit_test(no_memory_is_an_error_everywhere),
        cmocka_unit_test(flipped_bytes_give_a_model_or_a_message),
        cmocka_unit_test(malformed_files_get_their_verdicts),
        cmocka_unit_test(real_models_load),
    };
    return RUN(tests);
}
