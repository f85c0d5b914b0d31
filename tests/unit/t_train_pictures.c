/* t_train_pictures.c - folders as the public header has them, the book's network, what is written
 * of training, films. */
#define _GNU_SOURCE
#include "test.h"

#include "remove_tree.h"
#include <math.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "image/image.h"

static cvs_error err;
static char root[64];

enum { SIDE = 12, PER_CLASS = 5 };

static const char *in_root(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

/* Stripes that stand are of the one class, stripes that lie of the other. */
static void make_picture(const char *name, int lies, int number)
{
    uint8_t pixels[SIDE * SIDE * 3];
    cx_bytes bytes;
    for (int i = 0; i < SIDE * SIDE; i++)
        for (int c = 0; c < 3; c++)
            pixels[3 * i + c] =
                (uint8_t)(((lies ? i / SIDE : i % SIDE) / 2 + number) % 2 ? 230 - c : 20 + number);
    const cx_png png = {.width = SIDE, .height = SIDE, .channels = 3, .data = pixels};
    OK(cx_png_encode(&bytes, &png, &err));
    OK(cx_file_write(in_root(name), &(cx_piece){bytes.data, bytes.size}, 1, &err));
    cx_bytes_deinit(&bytes);
}

static int make_root(void **state)
{
    char name[64];
    (void)state;
    snprintf(root, sizeof root, "/tmp/convscope-pictures-XXXXXX");
    if (!mkdtemp(root)) return -1;
    OK(cx_make_dirs(in_root("data/lying"), &err));
    OK(cx_make_dirs(in_root("data/standing"), &err));
    OK(cx_make_dirs(in_root("other/lying"), &err));
    for (int i = 0; i < PER_CLASS; i++)
        for (int lies = 0; lies < 2; lies++) {
            snprintf(name, sizeof name, "data/%s/%d.png", lies ? "lying" : "standing", i);
            make_picture(name, lies, i);
        }
    make_picture("other/lying/0.png", 1, 0);
    OK(cx_file_write(in_root("data/lying/broken.png"), &(cx_piece){"no", 2}, 1, &err));
    return 0;
}

static int remove_root(void **state)
{
    (void)state;
    remove_tree(root);
    return 0;
}

static const cvs_folder_options usual = {.height = SIDE, .width = SIDE, .channels = 3};

static cvs_folder *open_folder(const cvs_folder_options *o)
{
    cvs_folder *f;
    OK(cvs_folder_open(&f, in_root("data"), o, NULL, &err));
    return f;
}

static void a_folder_tells_its_classes_and_what_it_skipped(void **state)
{
    (void)state;
    cvs_folder_options o = usual;
    const char *why;
    o.share = 0.4;
    cvs_folder *f = open_folder(&o);
    assert_int_equal(cvs_folder_class_count(f), 2);
    assert_string_equal(cvs_folder_class(f, 0), "lying");
    assert_string_equal(cvs_folder_class(f, 1), "standing");
    assert_null(cvs_folder_class(f, 2));
    /* Of six files, the one that cannot be read counted, two are for validation; of five, two. */
    assert_int_equal(cvs_folder_validation(f).n, 4);
    assert_int_equal(cvs_folder_training(f).n, 6);
    assert_int_equal(cvs_folder_class_size(f, 0), 3);
    assert_int_equal(cvs_folder_class_size(f, 1), 3);
    assert_non_null(strstr(cvs_folder_skipped(&why, f, 0), "broken.png"));
    assert_non_null(why);
    assert_null(cvs_folder_skipped(&why, f, 1));
    cvs_folder_free(f);
}

static void wrong_options_are_told(void **state)
{
    (void)state;
    cvs_folder_options o = usual;
    cvs_folder *f, *first = open_folder(&usual);
    o.augment = "boook";
    FAILS(cvs_folder_open(&f, in_root("data"), &o, NULL, &err), CVS_E_ARG, "mean book");
    assert_null(f);
    o = usual;
    o.channels = 2;
    FAILS(cvs_folder_open(&f, in_root("data"), &o, NULL, &err), CVS_E_ARG, "channels");
    o.channels = -1;
    FAILS(cvs_folder_open(&f, in_root("data"), &o, NULL, &err), CVS_E_ARG, "channels");
    FAILS(cvs_folder_open(&f, in_root("other"), &usual, first, &err), CVS_E_FORMAT,
          "other classes");
    FAILS(cvs_folder_open(&f, in_root("nowhere"), &usual, NULL, &err), CVS_E_IO, "nowhere");
    cvs_folder_free(first);
}

static void batches_made_ahead_have_the_same_bytes(void **state)
{
    (void)state;
    enum { BATCH = 3, SIZE = SIDE * SIDE * 3 };
    static const int64_t order[3][BATCH] = {{4, 0, 9}, {1, 2, 3}, {8, 7, 6}};
    static float plain[BATCH * SIZE], ahead[BATCH * SIZE];
    cvs_folder_options o = usual;
    int64_t label[BATCH], other[BATCH];
    o.augment = "layers";
    o.seed = 5;
    cvs_folder *f = open_folder(&o);
    o.batch = BATCH;
    cvs_folder *g = open_folder(&o);
    const cvs_data a = cvs_folder_training(f), b = cvs_folder_training(g);
    assert_null(a.expect);
    for (int epoch = 0; epoch < 2; epoch++)
        for (int i = 0; i < 3; i++) {
            /* The last one announced is another than the one that is asked for. */
            b.expect(b.self, order[i == 1 ? 0 : (i + 1) % 3], BATCH, epoch);
            OK(a.fill(a.self, order[i], BATCH, epoch, plain, label, &err));
            OK(b.fill(b.self, order[i], BATCH, epoch, ahead, other, &err));
            assert_memory_equal(plain, ahead, sizeof plain);
            assert_memory_equal(label, other, sizeof label);
        }
    cvs_folder_free(f);
    cvs_folder_free(g);
}

static void the_book_s_network_is_the_book_s(void **state)
{
    (void)state;
    static const char *const names[] = {
        "conv2d_3",  "max_pooling2d_2", "conv2d_4", "max_pooling2d_3",
        "conv2d_5",  "max_pooling2d_4", "conv2d_6", "max_pooling2d_5",
        "flatten_2", "dense_10",        "dense_11",
    };
    char *json;
    cvs_model *m;
    cvs_layer layer;
    int64_t params = 0;
    OK(cvs_architecture_book(&json, 2, 0, &err));
    OK(cvs_model_create(&m, json, strlen(json), 1, &err));
    assert_string_equal(cvs_model_name(m), "sequential_3");
    assert_int_equal(cvs_model_layer_count(m), 12);
    for (int i = 0; i < 11; i++) {
        OK(cvs_model_layer(&layer, m, i + 1, &err));
        assert_string_equal(layer.name, names[i]);
        params += layer.params;
    }
    assert_int_equal(params, 3453121);
    cvs_model_free(m);
    cvs_free(json);
    OK(cvs_architecture_book(&json, 7, 0.5, &err));
    OK(cvs_model_create(&m, json, strlen(json), 1, &err));
    assert_true(cvs_model_find(m, "dropout_1", &err) > 0);
    assert_string_equal(cvs_model_output_activation(m, 0), "softmax");
    cvs_model_free(m);
    cvs_free(json);
    FAILS(cvs_architecture_book(&json, 1, 0, &err), CVS_E_ARG, "classes");
    FAILS(cvs_architecture_book(&json, 2, 1, &err), CVS_E_ARG, "dropout");
}

static const char network[] =
    "{\"class_name\": \"Sequential\", \"keras_version\": \"2.4.0\", \"config\": {\"name\": "
    "\"net\", \"layers\": ["
    "{\"class_name\": \"Conv2D\", \"config\": {\"name\": \"conv\", \"filters\": 4, "
    "\"kernel_size\": 3, \"activation\": \"relu\", \"batch_input_shape\": [null, 12, 12, 3]}},"
    "{\"class_name\": \"Flatten\", \"config\": {\"name\": \"flat\"}},"
    "{\"class_name\": \"Dense\", \"config\": {\"name\": \"dense\", \"units\": 1, "
    "\"activation\": \"sigmoid\"}}]}}";

static void a_new_head_leaves_the_rest_as_it_is(void **state)
{
    (void)state;
    static float x[SIDE * SIDE * 3];
    static const int64_t dims[] = {1, SIDE, SIDE, 3};
    const cvs_run_options taps = {.taps = "conv"};
    const float *a, *b;
    int64_t shape[CVS_MAX_DIMS], count = 1;
    int ndim;
    cvs_model *m, *made;
    cvs_run *run, *other;
    cvs_layer layer;
    for (int i = 0; i < SIDE * SIDE * 3; i++) x[i] = (float)(i % 17) / 17;
    OK(cvs_model_create(&m, network, sizeof network - 1, 1, &err));
    FAILS(cvs_model_new_head(&made, m, 1, 2, &err), CVS_E_ARG, "classes");
    OK(cvs_model_new_head(&made, m, 5, 2, &err));
    assert_string_equal(cvs_model_output_activation(made, 0), "softmax");
    OK(cvs_run_new(&run, m, &taps, &err));
    OK(cvs_run_new(&other, made, &taps, &err));
    OK(cvs_run_set_input(run, 0, x, dims, 4, &err));
    OK(cvs_run_set_input(other, 0, x, dims, 4, &err));
    OK(cvs_run_forward(run, &err));
    OK(cvs_run_forward(other, &err));
    const int conv = cvs_model_find(m, "conv", &err);
    OK(cvs_run_activation(&a, shape, &ndim, run, conv, &err));
    OK(cvs_run_activation(&b, shape, &ndim, other, conv, &err));
    for (int i = 0; i < ndim; i++) count *= shape[i];
    assert_memory_equal(a, b, (size_t)count * sizeof *a);
    OK(cvs_model_layer(&layer, made, cvs_model_output(made, 0), &err));
    assert_int_equal(layer.shape[1], 5);
    cvs_run_free(run);
    cvs_run_free(other);
    cvs_model_free(m); /* the new one does not need it */
    cvs_model_free(made);
}

static void training_is_told_and_filmed(void **state)
{
    (void)state;
    cvs_folder *f = open_folder(&usual);
    const cvs_data data = cvs_folder_training(f);
    const cvs_train_options o = {.epochs = 2, .batch = 4, .optimizer = "adam"};
    cvs_model *m, *saved;
    cvs_training *t;
    cvs_film *film;
    cx_bytes text;
    OK(cvs_model_create(&m, network, sizeof network - 1, 1, &err));
    OK(cvs_training_new(&t, m, &data, NULL, &o, &err));
    const int conv = cvs_model_find(m, "conv", &err), flat = cvs_model_find(m, "flat", &err);
    assert_true(isnan(cvs_training_gradient(t, conv)));
    OK(cvs_training_run(t, &err));
    assert_true(cvs_training_gradient(t, conv) > 0);
    assert_true(isnan(cvs_training_gradient(t, flat)));
    OK(cvs_training_save(t, in_root("net.h5"), &err));
    OK(cvs_model_load(&saved, in_root("net.h5"), NULL, &err));
    OK(cx_file_read(&text, in_root("net.h5"), 1 << 20, &err));
    assert_non_null(memmem(text.data, text.size, "\"class_name\": \"Adam\"", 20));
    cx_bytes_deinit(&text);

    OK(cvs_history_write(t, in_root("out"), &err));
    OK(cx_file_read(&text, in_root("out/history.csv"), 1 << 20, &err));
    assert_memory_equal(text.data, "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate\n0,",
                        58);
    cx_bytes_deinit(&text);

    OK(cvs_film_new(&film, in_root("out"), NULL, &err));
    FAILS(cvs_film_shoot(film, m, 1, "first", NULL, NULL, &err), CVS_E_ARG, "photograph");
    OK(cvs_film_probe(film, in_root("data/lying/0.png"), &err));
    FAILS(cvs_film_write(film, 2, &err), CVS_E_ARG, "no frame");
    OK(cvs_film_shoot(film, m, 1, "first", NULL, NULL, &err));
    OK(cvs_film_shoot(film, saved, 3, "last", "more", t, &err));
    OK(cvs_film_write(film, 3, &err));
    OK(cx_file_read(&text, in_root("out/film.webp"), 1 << 24, &err));
    assert_memory_equal(text.data + 8, "WEBP", 4);
    cx_bytes_deinit(&text);
    cvs_film_free(film);
    cvs_training_free(t);
    cvs_model_free(saved);
    cvs_model_free(m);
    cvs_folder_free(f);
}

/* Whatever allocation fails: an error, or a frame, and nothing lost. */
static void a_frame_without_memory_is_an_error(void **state)
{
    (void)state;
    cvs_model *m;
    cvs_film *film;
    OK(cvs_model_create(&m, network, sizeof network - 1, 1, &err));
    for (long n = 1, rc = -1; rc < 0; n += 7) {
        OK(cvs_film_new(&film, in_root("out"), NULL, &err));
        OK(cvs_film_probe(film, in_root("data/lying/0.png"), &err));
        cx_alloc_fail_from(n);
        rc = cvs_film_shoot(film, m, 1, "first", NULL, NULL, &err);
        cx_alloc_fail_from(0);
        assert_true(rc == 0 || rc == CVS_E_NOMEM);
        cvs_film_free(film);
        assert_true(n < 100000);
    }
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_tells_its_classes_and_what_it_skipped),
        cmocka_unit_test(wrong_options_are_told),
        cmocka_unit_test(batches_made_ahead_have_the_same_bytes),
        cmocka_unit_test(the_book_s_network_is_the_book_s),
        cmocka_unit_test(a_new_head_leaves_the_rest_as_it_is),
        cmocka_unit_test(training_is_told_and_filmed),
        cmocka_unit_test(a_frame_without_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
