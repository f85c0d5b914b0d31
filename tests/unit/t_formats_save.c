/* t_formats_save.c - models saved: what cannot be, what the trainer changes, and files of other
 * shapes than the golden ones. */
#define _DEFAULT_SOURCE
#include "t_formats.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/threads.h"
#include "formats/hdf5.h"
#include "formats/hdf5_write.h"
#include "formats/save.h"
#include "graph/variant.h"

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static cvs_model *load_saved(const char *name)
{
    cvs_error err;
    cvs_model *m;
    OK(cx_load_model(&m, in_folder(name), NULL, &err));
    unlink(in_folder(name));
    return m;
}

static void assert_same_weights(const cvs_model *a, const cvs_model *b)
{
    assert_int_equal(a->n_layers, b->n_layers);
    for (int i = 0; i < a->n_layers; i++) {
        const cx_layer *x = &a->layers[i], *y = &b->layers[i];
        assert_int_equal(x->n_weights, y->n_weights);
        for (int w = 0; w < x->n_weights; w++)
            assert_memory_equal(x->w[w].data, y->w[w].data,
                                (size_t)cx_shape_count(&x->w[w].spec.shape) * sizeof(float));
    }
}

static void odd_files_come_back(void **state)
{
    (void)state;
    static const char *const files[] = {
        "plain.h5",     "packed.h5",        "nested.h5",       "theano.h5",
        "keras1_th.h5", "keras2_turned.h5", "two_paths.keras", "counted_twice.keras",
        "v3_old.keras", "v3_packed.keras"};
    static const char *const forms[] = {"a.h5", "a.keras"};
    cvs_error err;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        for (int k = 0; k < 2; k++) {
            cvs_model *m = load(files[i]);
            if (k == 1 && m->keras_version[0] == '1') {
                cvs_model_free(m);
                continue;
            }
            OK(cx_save_model(m, NULL, in_folder(forms[k]), &err));
            cvs_model *saved = load_saved(forms[k]);
            assert_same_weights(m, saved);
            cvs_model_free(saved);
            cvs_model_free(m);
        }
}

static void what_cannot_be_saved_is_named(void **state)
{
    (void)state;
    cvs_error err;
    cvs_model *m = load("unknown.h5");
    FAILS(cx_save_model(m, NULL, in_folder("a.h5"), &err), CVS_E_UNSUPPORTED, "unknown.h5");
    assert_true(access(in_folder("a.h5"), F_OK) < 0);
    cvs_model_free(m);
    static const char *const keras1[] = {"keras1_th_cube.h5", "keras1_deconv_cube.h5",
                                         "keras1_conv1d.h5"};
    for (int i = 0; i < 3; i++) {
        m = load(keras1[i]);
        FAILS(cx_save_model(m, NULL, in_folder("a.h5"), &err), CVS_E_UNSUPPORTED, "layer \"");
        FAILS(cx_save_model(m, NULL, in_folder("a.keras"), &err), CVS_E_UNSUPPORTED, "Keras 1");
        FAILS(cx_save_model(m, NULL, in_folder("a.json"), &err), CVS_E_UNSUPPORTED, "Keras 1");
        cvs_model_free(m);
    }
    m = load("plain.h5");
    FAILS(cx_save_model(m, NULL, in_folder("h5"), &err), CVS_E_ARG, ".keras");
    FAILS(cx_save_model(m, NULL, in_folder("a.pb"), &err), CVS_E_ARG, "a.pb");
    FAILS(cx_save_model(m, NULL, in_folder("none/a.h5"), &err), CVS_E_IO, "cannot write");
    m->layers[m->nodes[1].layer].w[0].data = NULL;
    FAILS(cx_save_model(m, NULL, in_folder("a.h5"), &err), CVS_E_ARG, "no numbers yet");
    cvs_model_free(m);
}

/* A trainer works on a variant, whose weights are its own. */
static void changed_weights_are_saved(void **state)
{
    (void)state;
    cvs_error err;
    cx_variant v;
    cvs_model *m = load("plain.h5");
    const int first = m->nodes[cx_model_find_node(m, "first", &err)].layer;
    OK(cx_variant_init(&v, m, &err));
    v.w[first][0][71] = 12.5F;
    OK(cx_save_model(&v.model, NULL, in_folder("b.h5"), &err));
    cvs_model *saved = load_saved("b.h5");
    assert_true(saved->layers[first].w[0].data[71] == 12.5F);
    assert_true(saved->layers[first].w[0].data[70] == m->layers[first].w[0].data[70]);
    cvs_model_free(saved);
    cx_variant_deinit(&v);
    cvs_model_free(m);
}

/* Freezing moves the weights of a nested model: what training changes comes first. */
static void flags_of_now_are_saved(void **state)
{
    (void)state;
    static const char *const forms[] = {"f.h5", "f.keras"};
    cvs_error err;
    for (int k = 0; k < 2; k++)
        for (int whole = 0; whole < 2; whole++) {
            cvs_model *m = load("nested.h5");
            int frozen = 0;
            for (int i = 0; i < m->n_layers; i++) {
                if (m->entries[m->layers[i].entry].module == 0) continue;
                m->layers[i].trainable = 0;
                frozen++;
            }
            if (whole) m->modules[1].trainable = 0;
            assert_true(frozen > 0);
            OK(cx_save_model(m, NULL, in_folder(forms[k]), &err));
            cvs_model *saved = load_saved(forms[k]);
            assert_same_weights(m, saved);
            for (int i = 0; i < m->n_layers; i++)
                if (m->layers[i].n_weights > 0)
                    assert_int_equal(saved->layers[i].trainable, m->layers[i].trainable);
            assert_int_equal(saved->modules[1].trainable, !whole);
            cvs_model_free(saved);
            cvs_model_free(m);
        }
}

static void the_training_configuration_is_written_where_given(void **state)
{
    (void)state;
    static const char config[] = "{\"loss\": \"binary_crossentropy\"}";
    const cx_save_options options = {.training_config = config};
    cvs_error err;
    cvs_model *m = load("plain.h5");
    for (int given = 0; given < 2; given++) {
        cx_h5 *h5;
        OK(cx_save_h5(m, given ? &options : NULL, in_folder("c.h5"), &err));
        int fd = open(in_folder("c.h5"), O_RDONLY);
        OK(cx_h5_open(&h5, fd, &err));
        const char *text = cx_h5_text(h5, NULL, "training_config");
        if (given)
            assert_string_equal(text, config);
        else
            assert_null(text);
        assert_string_equal(cx_h5_text(h5, NULL, "backend"), "tensorflow");
        cx_h5_close(h5);
        close(fd);
    }
    unlink(in_folder("c.h5"));
    cvs_model_free(m);
}

static void arrays_in_what_was_saved_can_be_used_in_place(void **state)
{
    (void)state;
    cvs_error err;
    cvs_model *m = load("plain.h5");
    OK(cx_save_model(m, NULL, in_folder("d.h5"), &err));
    cvs_model *saved = load_saved("d.h5");
    for (int i = 0; i < saved->n_layers; i++)
        for (int w = 0; w < saved->layers[i].n_weights; w++) {
            const uint8_t *at = (const uint8_t *)saved->layers[i].w[w].data;
            if (cx_shape_count(&saved->layers[i].w[w].spec.shape) < 64) continue;
            assert_true(at > saved->file.data && at < saved->file.data + saved->file.size);
            assert_int_equal((at - saved->file.data) % 64, 0);
        }
    cvs_model_free(saved);
    cvs_model_free(m);
}

static void what_hdf5_cannot_hold_is_said_at_the_end(void **state)
{
    (void)state;
    const cx_shape shape = {1, {2}};
    const float numbers[2] = {1, 2};
    cvs_error err;
    cx_bytes bytes;
    cx_h5_writer *w;
    OK(cx_h5_writer_new(&w, &err));
    cx_h5_put_floats(w, "/a/b", &shape, numbers);
    cx_h5_put_floats(w, "/a/b", &shape, numbers);
    cx_h5_put_group(w, "/c");
    FAILS(cx_h5_writer_finish(&bytes, w, &err), CVS_E_UNSUPPORTED, "/a/b");
    assert_null(bytes.data);
    const size_t most = 64512;
    char *name = cx_alloc(most + 2);
    memset(name, 'x', most + 1);
    name[most + 1] = 0;
    OK(cx_h5_writer_new(&w, &err));
    cx_h5_put_texts(w, "/", "layer_names", (const char *const *)&name, 1);
    FAILS(cx_h5_writer_finish(&bytes, w, &err), CVS_E_UNSUPPORTED, "64513 bytes");
    name[most] = 0;
    OK(cx_h5_writer_new(&w, &err));
    cx_h5_put_texts(w, "/", "layer_names", (const char *const *)&name, 1);
    OK(cx_h5_writer_finish(&bytes, w, &err));
    cx_bytes_deinit(&bytes);
    cx_free(name);
}

typedef struct crowd {
    const cvs_model *m;
    int failed[8];
} crowd;

static void save_and_load(void *arg, int i, int worker)
{
    crowd *c = arg;
    char path[128];
    cvs_model *m = NULL;
    (void)worker;
    snprintf(path, sizeof path, "%s/%d.%s", folder, i, i % 2 ? "h5" : "keras");
    c->failed[i] =
        cx_save_model(c->m, NULL, path, NULL) < 0 || cx_load_model(&m, path, NULL, NULL) < 0;
    cvs_model_free(m);
    unlink(path);
}

/* libhdf5 itself would not stand it. */
static void threads_may_save_side_by_side(void **state)
{
    (void)state;
    cvs_error err;
    crowd c = {.m = load("plain.h5")};
    OK(cvs_set_threads(4, &err));
    cx_parallel(8, save_and_load, &c);
    for (int i = 0; i < 8; i++) assert_int_equal(c.failed[i], 0);
    OK(cvs_set_threads(0, &err));
    cvs_model_free((cvs_model *)(uintptr_t)c.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_files_come_back),
        cmocka_unit_test(what_cannot_be_saved_is_named),
        cmocka_unit_test(changed_weights_are_saved),
        cmocka_unit_test(flags_of_now_are_saved),
        cmocka_unit_test(the_training_configuration_is_written_where_given),
        cmocka_unit_test(arrays_in_what_was_saved_can_be_used_in_place),
        cmocka_unit_test(what_hdf5_cannot_hold_is_said_at_the_end),
        cmocka_unit_test(threads_may_save_side_by_side),
    };
    snprintf(folder, sizeof folder, "/tmp/convscope-save-XXXXXX");
    if (!mkdtemp(folder)) return 1;
    int failed = RUN(tests);
    rmdir(folder);
    return failed;
}
