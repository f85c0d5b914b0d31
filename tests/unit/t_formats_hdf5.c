/* t_formats_hdf5.c - what is in an HDF5 file, and that damage in one stays a message. */
#define _DEFAULT_SOURCE
#include "test.h"

#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "formats/hdf5.h"

static int open_data(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/formats/%s", getenv("CONVSCOPE_TEST_DATA"), name);
    int fd = open(path, O_RDONLY);
    if (fd < 0) fail_msg("%s is not there", path);
    return fd;
}

static void groups_attributes_and_numbers_are_found(void **state)
{
    (void)state;
    cvs_error err;
    cx_h5 *h5;
    cx_h5_strings names;
    float bias[4];
    int fd = open_data("plain.h5");
    OK(cx_h5_open(&h5, fd, &err));
    assert_string_equal(cx_h5_text(h5, NULL, "keras_version"), "2.9.0");
    assert_null(cx_h5_text(h5, NULL, "none"));
    const cx_h5_object *first = cx_h5_find(h5, NULL, "model_weights/first");
    assert_non_null(first);
    OK(cx_h5_attribute(&names, h5, first, "weight_names", &err));
    assert_int_equal(names.n, 2);
    assert_string_equal(names.item[1], "first/bias:0");
    const cx_h5_object *o = cx_h5_find(h5, first, "/first//bias:0");
    assert_non_null(o);
    assert_true(o->is_dataset);
    assert_int_equal(o->storage, CX_H5_IN_FILE);
    assert_int_equal(o->shape.ndim, 1);
    OK(cx_h5_read(bias, h5, o, &err));
    for (int i = 0; i < 4; i++) assert_true(bias[i] == (float)i / 64);
    assert_null(cx_h5_find(h5, first, "first/bias"));
    assert_null(cx_h5_find(h5, o, "first"));
    assert_null(cx_h5_find(h5, NULL, "optimizer_weights"));
    cx_h5_close(h5);
    close(fd);
}

static void an_empty_list_of_numbers_is_an_empty_list(void **state)
{
    (void)state;
    cvs_error err;
    cx_h5 *h5;
    cx_h5_strings names;
    int fd = open_data("plain.h5");
    OK(cx_h5_open(&h5, fd, &err));
    OK(cx_h5_attribute(&names, h5, cx_h5_find(h5, NULL, "model_weights/flat"), "weight_names",
                       &err));
    assert_int_equal(names.found, 1);
    assert_int_equal(names.n, 0);
    cx_h5_close(h5);
    close(fd);
}

static void long_lists_are_joined_from_pieces(void **state)
{
    (void)state;
    cvs_error err;
    cx_h5 *h5;
    cx_h5_strings names;
    int fd = open_data("pieces.h5");
    OK(cx_h5_open(&h5, fd, &err));
    OK(cx_h5_attribute(&names, h5, NULL, "layer_names", &err));
    assert_int_equal(names.n, 3);
    assert_string_equal(names.item[0], "one");
    assert_string_equal(names.item[1], "three");
    assert_string_equal(names.item[2], "five");
    OK(cx_h5_attribute(&names, h5, NULL, "weight_names", &err));
    assert_int_equal(names.found, 0);
    assert_string_equal(cx_h5_text(h5, NULL, "text"), "a text");
    cx_h5_close(h5);
    close(fd);
}

/* Each array of packed.h5 is stored in another way; plain.h5 has them as they are wanted. */
static void packed_numbers_are_the_plain_ones(void **state)
{
    (void)state;
    static const char *const paths[] = {"first/first/kernel:0",    "first/first/bias:0",
                                        "norm/norm/gamma:0",       "norm/norm/beta:0",
                                        "norm/norm/moving_mean:0", "norm/norm/moving_variance:0",
                                        "last/last/kernel:0",      "last/last/bias:0"};
    cvs_error err;
    cx_h5 *packed, *plain;
    int fds[2] = {open_data("packed.h5"), open_data("plain.h5")};
    OK(cx_h5_open(&packed, fds[0], &err));
    OK(cx_h5_open(&plain, fds[1], &err));
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        float a[360], b[360];
        const cx_h5_object *x =
            cx_h5_find(packed, cx_h5_find(packed, NULL, "model_weights"), paths[i]);
        const cx_h5_object *y =
            cx_h5_find(plain, cx_h5_find(plain, NULL, "model_weights"), paths[i]);
        assert_non_null(x);
        assert_int_equal(x->storage, CX_H5_INLINE);
        assert_true(cx_shape_equal(&x->shape, &y->shape));
        OK(cx_h5_read(a, packed, x, &err));
        OK(cx_h5_read(b, plain, y, &err));
        assert_memory_equal(a, b, (size_t)cx_shape_count(&x->shape) * sizeof *a);
    }
    cx_h5_close(packed);
    cx_h5_close(plain);
    close(fds[0]);
    close(fds[1]);
}

static void other_files_and_vast_claims_are_refused(void **state)
{
    (void)state;
    cvs_error err;
    cx_h5 *h5;
    float x[16];
    int fd = open_data("elsewhere.h5");
    OK(cx_h5_open(&h5, fd, &err));
    FAILS(cx_h5_read(x, h5, cx_h5_find(h5, NULL, "outside"), &err), CVS_E_UNSUPPORTED,
          "another file");
    FAILS(cx_h5_read(x, h5, cx_h5_find(h5, NULL, "text"), &err), CVS_E_FORMAT, "no numbers");
    FAILS(cx_h5_read(x, h5, cx_h5_find(h5, NULL, "vast"), &err), CVS_E_FORMAT,
          "larger than a file");
    assert_null(cx_h5_find(h5, NULL, "link"));
    assert_null(cx_h5_find(h5, NULL, "soft"));
    cx_h5_close(h5);
    close(fd);
}

static void a_group_inside_itself_ends(void **state)
{
    (void)state;
    cvs_error err;
    cx_h5 *h5;
    int fd = open_data("hostile.h5");
    FAILS(cx_h5_open(&h5, fd, &err), CVS_E_FORMAT, "nested too deeply");
    assert_null(h5);
    close(fd);
}

/* --- damage --- */

static int temporary(char path[32])
{
    snprintf(path, 32, "/tmp/t_formats_XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    return fd;
}

static void put(int fd, const uint8_t *data, size_t size)
{
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    assert_int_equal(pwrite(fd, data, size, 0), size);
}

/* Opening gives a file or one line of error; a file's numbers can be read or not, and that is all.
 */
static void survive(int fd)
{
    cvs_error err = {0};
    cx_h5 *h5;
    int rc = cx_h5_open(&h5, fd, &err);
    if (rc < 0) {
        assert_true(err.what[0] != 0);
        assert_null(h5);
        return;
    }
    const cx_h5_object *o = cx_h5_find(h5, NULL, "model_weights/last/last/kernel:0");
    if (o && o->is_dataset && cx_shape_count(&o->shape) == 360) {
        float x[360];
        cx_h5_read(x, h5, o, NULL);
    }
    cx_h5_close(h5);
}

static void read_data(cx_bytes *out, const char *name)
{
    char path[1024];
    cvs_error err;
    snprintf(path, sizeof path, "%s/formats/%s", getenv("CONVSCOPE_TEST_DATA"), name);
    OK(cx_file_read(out, path, 1 << 20, &err));
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    (void)state;
    cx_bytes whole;
    cvs_error err;
    cx_h5 *h5;
    char path[32];
    int fd = temporary(path);
    read_data(&whole, "plain.h5");
    for (size_t n = 0; n < whole.size; n += n < 64 ? 9 : whole.size / 23) {
        put(fd, whole.data, n);
        assert_int_equal(cx_h5_open(&h5, fd, &err), CVS_E_FORMAT);
        assert_true(err.what[0] != 0);
    }
    cx_bytes_deinit(&whole);
    close(fd);
}

static void flipped_bytes_never_do_harm(void **state)
{
    (void)state;
    static const char *const names[] = {"plain.h5", "packed.h5"};
    char path[32];
    int fd = temporary(path);
    uint32_t seed = 7;
    for (int i = 0; i < 100; i++) {
        cx_bytes b;
        read_data(&b, names[i % 2]);
        for (int k = 0; k < 1 + i / 10; k++) {
            seed = seed * 1664525 + 1013904223;
            size_t at = (seed >> 8) % b.size;
            seed = seed * 1664525 + 1013904223;
            b.data[at] = (uint8_t)(seed >> 24);
        }
        put(fd, b.data, b.size);
        survive(fd);
        cx_bytes_deinit(&b);
    }
    close(fd);
}

static void other_files_are_told_at_once(void **state)
{
    (void)state;
    cvs_error err;
    cx_h5 *h5;
    char path[32];
    int fd = temporary(path);
    put(fd, (const uint8_t *)"no such thing", 13);
    FAILS(cx_h5_open(&h5, fd, &err), CVS_E_FORMAT, "not an HDF5 file");
    assert_int_equal(cx_h5_probe(fd, 13), 0);
    close(fd);
}

int main(void)
{
    if (!getenv("CONVSCOPE_TEST_DATA")) {
        printf("1..0 # SKIP CONVSCOPE_TEST_DATA is not set\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_attributes_and_numbers_are_found),
        cmocka_unit_test(an_empty_list_of_numbers_is_an_empty_list),
        cmocka_unit_test(long_lists_are_joined_from_pieces),
        cmocka_unit_test(packed_numbers_are_the_plain_ones),
        cmocka_unit_test(other_files_and_vast_claims_are_refused),
        cmocka_unit_test(a_group_inside_itself_ends),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(flipped_bytes_never_do_harm),
        cmocka_unit_test(other_files_are_told_at_once),
    };
    return RUN(tests);
}
