/* t_train_folder.c - a folder of pictures as a data set: which files, in which order, which of them
 * for validation, the same bytes for any number of threads, and batches made ahead. */
#define _DEFAULT_SOURCE
#include "test.h"

#include "remove_tree.h"

#include "base/mem.h"
#include "base/str.h"
#include "base/threads.h"
#include "train/ahead.h"
#include "train/folder.h"
#include "train/shuffle.h"

static char root[64];

static const char *in_root(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

/* A picture of 6 x 5 whose pixels say which it is. */
static void make_picture(const char *name, int number)
{
    uint8_t pixels[6 * 5 * 3];
    cvs_error err;
    cx_bytes bytes;
    for (int i = 0; i < 90; i++) pixels[i] = (uint8_t)(number * 7 + i);
    const cx_png png = {.width = 6, .height = 5, .channels = 3, .data = pixels};
    OK(cx_png_encode(&bytes, &png, &err));
    OK(cx_file_write(in_root(name), &(cx_piece){bytes.data, bytes.size}, 1, &err));
    cx_bytes_deinit(&bytes);
}

static void make_text(const char *name)
{
    cvs_error err;
    OK(cx_file_write(in_root(name), &(cx_piece){"no picture", 10}, 1, &err));
}

/* The classes are b and c; in byte order A comes before a, 10 before 9. */
static int make_root(void **state)
{
    cvs_error err;
    char name[64];
    (void)state;
    snprintf(root, sizeof root, "/tmp/convscope-folder-XXXXXX");
    if (!mkdtemp(root)) return -1;
    OK(cx_make_dirs(in_root("b/sub"), &err));
    OK(cx_make_dirs(in_root("b/sub dir"), &err));
    OK(cx_make_dirs(in_root("c"), &err));
    OK(cx_make_dirs(in_root(".hidden"), &err));
    make_picture(".hidden/x.png", 99);
    make_picture("x.png", 98);
    make_picture("b/a10.png", 0);
    make_picture("b/a9.PNG", 1);
    make_picture("b/A.png", 2);
    make_picture("b/sub/a.png", 3);
    make_picture("b/sub dir/z.png", 4);
    make_text("b/notes.txt");
    make_text("c/broken.jpg");
    make_text("c/old.bmp");
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "c/%d.png", i);
        make_picture(name, 10 + i);
    }
    return 0;
}

static int remove_root(void **state)
{
    (void)state;
    remove_tree(root);
    return 0;
}

static const cx_folder_options usual = {
    .width = 6, .height = 5, .channels = 3, .preprocess = CVS_PREPROCESS_RAW};

static cx_folder *open_folder(const cx_folder_options *o)
{
    cvs_error err;
    cx_folder *f;
    OK(cx_folder_open(&f, root, o, &err));
    return f;
}

static void assert_paths(const cx_folder *f, cx_part part, const char *const *want, int n)
{
    assert_int_equal(cx_folder_count(f, part), n);
    for (int i = 0; i < n; i++)
        assert_string_equal(cx_folder_path(f, part, i) + strlen(root) + 1, want[i]);
}

static void pictures_come_in_the_order_of_keras(void **state)
{
    (void)state;
    static const char *const want[] = {"b/A.png",         "b/a10.png", "b/a9.PNG", "b/sub/a.png",
                                       "b/sub dir/z.png", "c/0.png",   "c/1.png",  "c/2.png",
                                       "c/3.png",         "c/4.png",   "c/5.png"};
    const char *why;
    cx_folder *f = open_folder(&usual);
    assert_int_equal(cx_folder_classes(f), 2);
    assert_string_equal(cx_folder_class(f, 0), "b");
    assert_string_equal(cx_folder_class(f, 1), "c");
    assert_null(cx_folder_class(f, 2));
    assert_paths(f, CX_TRAINING, want, 11);
    for (int i = 0; i < 11; i++) assert_int_equal(cx_folder_label(f, CX_TRAINING, i), i >= 5);
    assert_string_equal(cx_folder_skipped(&why, f, 0) + strlen(root), "/c/broken.jpg");
    assert_non_null(strstr(why, "not a JPEG, PNG or WebP"));
    assert_string_equal(cx_folder_skipped(&why, f, 1) + strlen(root), "/c/old.bmp");
    assert_null(cx_folder_skipped(&why, f, 2));
    cx_folder_free(f);
}

/* int(0.4 * 5) of b, int(0.4 * 8) of c, of which 0 … 2 are the first. */
static void the_first_of_each_class_are_for_validation(void **state)
{
    (void)state;
    static const char *const want[] = {"b/A.png", "b/a10.png", "c/0.png", "c/1.png", "c/2.png"};
    cx_folder_options o = usual;
    o.share = 0.4;
    cx_folder *f = open_folder(&o);
    assert_paths(f, CX_VALIDATION, want, 5);
    assert_int_equal(cx_folder_count(f, CX_TRAINING), 6);
    cx_folder_free(f);
}

/* numpy.random.RandomState(1337).shuffle(numpy.arange(1000)), and 0 with 10. */
static void numpys_shuffle_is_followed(void **state)
{
    (void)state;
    static const int64_t first[] = {977, 15, 56, 801, 747, 811, 115, 845, 457, 259};
    static const int64_t last[] = {167, 232, 860, 189, 151};
    static const int64_t ten[] = {2, 8, 4, 9, 1, 6, 7, 3, 0, 5};
    int64_t x[1000], sum = 0;
    for (int i = 0; i < 1000; i++) x[i] = i;
    cx_numpy_shuffle(x, 1000, 1337);
    for (int i = 0; i < 1000; i++) sum += i * x[i];
    assert_memory_equal(x, first, sizeof first);
    assert_memory_equal(x + 995, last, sizeof last);
    assert_int_equal(sum, 253262704);
    for (int i = 0; i < 10; i++) x[i] = i;
    cx_numpy_shuffle(x, 10, 0);
    assert_memory_equal(x, ten, sizeof ten);
}

/* Thirteen files, broken ones too, shuffled; the last int(0.25 * 13) are for validation. */
static void a_shuffled_split_is_numpys(void **state)
{
    (void)state;
    static const char *const files[] = {
        "b/A.png", "b/a10.png", "b/a9.PNG", "b/sub/a.png", "b/sub dir/z.png",
        "c/0.png", "c/1.png",   "c/2.png",  "c/3.png",     "c/4.png",
        "c/5.png", NULL,        NULL};
    const char *want[3];
    int64_t order[13];
    int n = 0;
    cx_folder_options o = usual;
    for (int i = 0; i < 13; i++) order[i] = i;
    cx_numpy_shuffle(order, 13, 7);
    for (int i = 10; i < 13; i++)
        if (files[order[i]]) want[n++] = files[order[i]];
    o.share = 0.25;
    o.split = CX_SPLIT_SHUFFLED;
    o.seed = 7;
    cx_folder *f = open_folder(&o);
    assert_true(n > 0);
    assert_paths(f, CX_VALIDATION, want, n);
    assert_int_equal(cx_folder_count(f, CX_TRAINING), 11 - n);
    cx_folder_free(f);
}

static void batches_hold_the_pictures(void **state)
{
    (void)state;
    const int64_t which[] = {6, 1, 0};
    static const int number[] = {11, 0, 2}, label_of[] = {1, 0, 0};
    cx_folder_options o = usual;
    float x[3 * 90];
    int64_t label[3];
    cvs_error err;
    for (int unit = 0; unit < 2; unit++) {
        o.preprocess = unit ? CVS_PREPROCESS_UNIT : CVS_PREPROCESS_RAW;
        cx_folder *f = open_folder(&o);
        cx_folder_view view = {.folder = f};
        const cx_data data = cx_folder_data(&view);
        assert_int_equal(data.n, 11);
        assert_int_equal(data.n_classes, 2);
        OK(data.fill(data.self, which, 3, 0, x, label, &err));
        for (int k = 0; k < 3; k++) {
            assert_int_equal(label[k], label_of[k]);
            for (int i = 0; i < 90; i++) {
                const float v = (float)(uint8_t)(number[k] * 7 + i);
                assert_true(x[90 * k + i] == (unit ? v / 255.0F : v));
            }
        }
        const int64_t beyond = 11;
        FAILS(data.fill(data.self, &beyond, 1, 0, x, label, &err), CVS_E_ARG, "no example 11");
        cx_folder_free(f);
    }
}

/* All examples of an epoch in one batch. */
static void fill_all(float *x, const cx_folder_options *o, const cx_augment *a, int64_t epoch,
                     int64_t memory)
{
    int64_t which[11], label[11];
    cvs_error err;
    cx_folder_options with = *o;
    with.memory = memory;
    cx_folder *f = open_folder(&with);
    cx_folder_view view = {.folder = f, .augment = a, .seed = 5};
    const cx_data data = cx_folder_data(&view);
    assert_int_equal(cx_folder_uncached(f),
                     memory ? 13 - memory / (o->resize ? 12 * 9 * 4 : 108) : 0);
    for (int i = 0; i < 11; i++) which[i] = i;
    OK(data.fill(data.self, which, 11, epoch, x, label, &err));
    cx_folder_free(f);
}

/* Resized, of whole numbers or not, varied or not: from memory or decoded anew, by one thread or
 * four. */
static void memory_and_threads_change_no_byte(void **state)
{
    (void)state;
    enum { SIZE = 11 * 9 * 12 };
    float *want = cx_calloc(SIZE, sizeof *want), *got = cx_calloc(SIZE, sizeof *got);
    const cx_augment *const ways[] = {NULL, &cx_augment_generator, &cx_augment_layers};
    cvs_error err;
    for (int mode = 0; mode < 2; mode++)
        for (int w = 0; w < 3; w++) {
            const cx_folder_options o = {.width = 12,
                                         .height = 9,
                                         .channels = 1,
                                         .preprocess = CVS_PREPROCESS_TF,
                                         .resize = mode ? CVS_RESIZE_BILINEAR : CVS_RESIZE_NEAREST};
            OK(cvs_set_threads(1, &err));
            fill_all(want, &o, ways[w], 3, 0);
            OK(cvs_set_threads(4, &err));
            fill_all(got, &o, ways[w], 3, mode ? 2 * 12 * 9 * 4 : 3 * 108);
            assert_memory_equal(got, want, SIZE * sizeof *got);
            fill_all(got, &o, ways[w], 4, 0);
            assert_true(!ways[w] == (memcmp(got, want, SIZE * sizeof *got) == 0));
        }
    OK(cvs_set_threads(0, &err));
    cx_free(want);
    cx_free(got);
}

static void batches_made_ahead_are_the_same(void **state)
{
    (void)state;
    static const int64_t which[4][3] = {{0, 1, 2}, {5, 4, 3}, {6, 7, 8}, {9, 10, 0}};
    cx_folder *f = open_folder(&usual);
    cx_folder_view view = {.folder = f, .augment = &cx_augment_generator, .seed = 1};
    const cx_data plain = cx_folder_data(&view);
    float x[270], y[270];
    int64_t a[3], b[3];
    cvs_error err;
    cx_ahead *ahead;
    OK(cx_ahead_new(&ahead, &plain, 90, 3, &err));
    const cx_data data = cx_ahead_data(ahead);
    assert_int_equal(data.n, 11);
    for (int step = 0; step < 200; step++) {
        const int k = step % 4, count = 1 + step % 3;
        OK(data.fill(data.self, which[k], count, step, x, a, &err));
        OK(plain.fill(plain.self, which[k], count, step, y, b, &err));
        assert_memory_equal(x, y, (size_t)count * 90 * sizeof *x);
        assert_memory_equal(a, b, (size_t)count * sizeof *a);
        /* Sometimes another one is asked for than was announced, or none was. */
        if (step % 7 != 3)
            cx_ahead_expect(ahead, which[(step + 1 + (step % 5 == 4)) % 4], 1 + (step + 1) % 3,
                            step + 1);
    }
    cx_ahead_free(ahead);
    FAILS(cx_ahead_new(&ahead, &plain, INT64_MAX / 2, 3, &err), CVS_E_ARG, "not possible");
    cx_folder_free(f);
}

/* A file that goes away after it was found. */
static void what_vanishes_later_is_named(void **state)
{
    (void)state;
    const int64_t which[] = {0, 10, 1};
    float x[270];
    int64_t label[3];
    cvs_error err;
    cx_folder_options o = usual;
    o.memory = 1;
    cx_folder *f = open_folder(&o);
    cx_folder_view view = {.folder = f};
    cx_data data = cx_folder_data(&view);
    cx_ahead *ahead;
    OK(cx_ahead_new(&ahead, &data, 90, 3, &err));
    const cx_data later = cx_ahead_data(ahead);
    unlink(in_root("c/5.png"));
    FAILS(data.fill(data.self, which, 3, 0, x, label, &err), CVS_E_IO, "c/5.png");
    cx_ahead_expect(ahead, which, 3, 0);
    FAILS(later.fill(later.self, which, 3, 0, x, label, &err), CVS_E_IO, "c/5.png");
    make_picture("c/5.png", 15);
    OK(later.fill(later.self, which, 3, 0, x, label, &err));
    cx_ahead_free(ahead);
    cx_folder_free(f);
}

static void folders_without_classes_are_refused(void **state)
{
    (void)state;
    cvs_error err;
    cx_folder *f;
    cx_folder_options o = usual;
    FAILS(cx_folder_open(&f, in_root("none"), &o, &err), CVS_E_IO, "cannot open");
    FAILS(cx_folder_open(&f, in_root("c"), &o, &err), CVS_E_FORMAT, "0 subfolders");
    assert_null(f);
    OK(cx_make_dirs(in_root(".hidden/empty"), &err));
    FAILS(cx_folder_open(&f, in_root(".hidden"), &o, &err), CVS_E_FORMAT, "no pictures");
    make_text(".hidden/empty/a.png");
    FAILS(cx_folder_open(&f, in_root(".hidden"), &o, &err), CVS_E_FORMAT, "1 cannot be read");
    cx_folder *other = open_folder(&usual);
    o.classes_of = other;
    FAILS(cx_folder_open(&f, in_root(".hidden"), &o, &err), CVS_E_FORMAT, "other classes");
    OK(cx_folder_open(&f, root, &o, &err));
    cx_folder_free(f);
    cx_folder_free(other);
    o = usual;
    o.share = 1;
    FAILS(cx_folder_open(&f, root, &o, &err), CVS_E_ARG, "share");
    o = usual;
    o.channels = 2;
    FAILS(cx_folder_open(&f, root, &o, &err), CVS_E_ARG, "channels");
    o = usual;
    o.height = 0;
    FAILS(cx_folder_open(&f, root, &o, &err), CVS_E_ARG, "not possible");
    o = usual;
    o.channels = 1;
    o.preprocess = CVS_PREPROCESS_CAFFE;
    FAILS(cx_folder_open(&f, root, &o, &err), CVS_E_ARG, "3 channels");
}

static void memory_may_run_out(void **state)
{
    (void)state;
    const int64_t which[] = {0, 5};
    assert_int_equal(cvs_set_threads(1, NULL), 0);
    for (long n = 1; n < 100000; n += n < 64 ? 1 : n / 4) {
        cvs_error err = {0};
        cx_folder *f;
        cx_ahead *ahead = NULL;
        float x[180];
        int64_t label[2];
        cx_alloc_fail_from(n);
        int rc = cx_folder_open(&f, root, &usual, &err);
        cx_folder_view view = {.folder = f, .augment = &cx_augment_layers};
        cx_data data = {0};
        if (rc == 0) data = cx_folder_data(&view);
        if (rc == 0) rc = cx_ahead_new(&ahead, &data, 90, 2, &err);
        if (rc == 0) {
            const cx_data later = cx_ahead_data(ahead);
            cx_ahead_expect(ahead, which, 2, 0);
            rc = later.fill(later.self, which, 2, 0, x, label, &err);
        }
        cx_alloc_fail_from(0);
        cx_ahead_free(ahead);
        cx_folder_free(f);
        if (rc == 0) break;
        if (rc != CVS_E_NOMEM || err.code != CVS_E_NOMEM)
            fail_msg("allocation %ld: %d %s: %s", n, rc, err.where, err.what);
    }
    assert_int_equal(cvs_set_threads(0, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numpys_shuffle_is_followed),
#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)
        IN_ROOT(pictures_come_in_the_order_of_keras),
        IN_ROOT(the_first_of_each_class_are_for_validation),
        IN_ROOT(a_shuffled_split_is_numpys),
        IN_ROOT(batches_hold_the_pictures),
        IN_ROOT(memory_and_threads_change_no_byte),
        IN_ROOT(batches_made_ahead_are_the_same),
        IN_ROOT(what_vanishes_later_is_named),
        IN_ROOT(folders_without_classes_are_refused),
        IN_ROOT(memory_may_run_out),
    };
    return RUN(tests);
}
