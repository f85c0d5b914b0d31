/* t_npy.c - .npy and .npz files. */
#include "test.h"

#include <math.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "tensor/npy.h"

#define SHAPE(...) (&(cx_shape){sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), {__VA_ARGS__}})

/* --- in memory --- */

static void header_is_numpys(void **state)
{
    (void)state;
    char out[CX_NPY_HEADER], wanted[129];
    snprintf(wanted, sizeof wanted, "%-127s\n",
             "\x93NUMPY\x01_v_{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
    wanted[7] = wanted[9] = 0;
    assert_int_equal(cx_npy_header(out, SHAPE(2, 3)), 128);
    assert_memory_equal(out, wanted, 128);
    assert_int_equal(cx_npy_header(out, SHAPE(3)), 128);
    assert_non_null(strstr(out + 10, "'shape': (3,), }"));
    assert_int_equal(cx_npy_header(out, &(cx_shape){0}), 128);
    assert_non_null(strstr(out + 10, "'shape': (), }"));
}

static void longest_header_fits(void **state)
{
    (void)state;
    char out[CX_NPY_HEADER];
    const int64_t m = INT64_MAX;
    size_t n = cx_npy_header(out, SHAPE(m, m, m, m, m, m));
    assert_int_equal(n, 192);
    assert_int_equal(out[n - 1], '\n');
    assert_non_null(memchr(out, '}', n));
}

/* A .npy in memory: format `version`, a dictionary, a body. */
typedef struct file {
    uint8_t bytes[512];
    size_t size;
} file;

static file npy(int version, const char *dict, const void *body, size_t size)
{
    file f = {{0}, 0};
    size_t n = strlen(dict), at = version == 1 ? 10 : 12;
    memcpy(f.bytes, "\x93NUMPY", 6);
    f.bytes[6] = (uint8_t)version;
    f.bytes[8] = (uint8_t)n;
    memcpy(f.bytes + at, dict, n);
    if (size) memcpy(f.bytes + at + n, body, size);
    f.size = at + n + size;
    return f;
}

static void every_kind_of_number_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *descr, *bytes;
        int size;
        double value;
    } cases[] = {
        {"<f2", "\x00\xc1", 2, -2.5},
        {">f2", "\x7b\xff", 2, 65504},
        {"<f2", "\x01\x00", 2, 0x1p-24},
        {"<f2", "\x01\x80", 2, -0x1p-24},
        {"<f2", "\x00\xfc", 2, -INFINITY},
        {"<f4", "\x00\x00\x20\xc0", 4, -2.5},
        {">f4", "\xc0\x20\x00\x00", 4, -2.5},
        {"=f8", "\x00\x00\x00\x00\x00\x00\x04\xc0", 8, -2.5},
        {">f8", "\xc0\x04\x00\x00\x00\x00\x00\x00", 8, -2.5},
        {"|i1", "\xfe", 1, -2},
        {"<i2", "\x02\xff", 2, -254},
        {">i2", "\xff\x02", 2, -254},
        {"<i4", "\xfe\xff\xff\xff", 4, -2},
        {"<i8", "\xfe\xff\xff\xff\xff\xff\xff\xff", 8, -2},
        {"|u1", "\xfe", 1, 254},
        {"<u2", "\x02\xff", 2, 65282},
        {">u4", "\x80\x00\x00\x00", 4, 2147483648.0},
        {"<u8", "\x00\x00\x00\x00\x00\x00\x00\x80", 8, 9223372036854775808.0},
        {"|b1", "\x01", 1, 1},
        {"|b1", "\x00", 1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cvs_error err;
        cx_tensor t;
        char dict[100];
        snprintf(dict, sizeof dict, "{'shape': (), 'fortran_order': False, 'descr': '%s'}",
                 cases[i].descr);
        file f = npy(1 + (int)(i % 3), dict, cases[i].bytes, (size_t)cases[i].size);
        OK(cx_npy_parse(&t, f.bytes, f.size, &err));
        if ((double)*t.data != cases[i].value)
            fail_msg("%s: %g is not %g", cases[i].descr, (double)*t.data, cases[i].value);
        cx_tensor_deinit(&t);
    }
}

static void half_nan_stays_nan(void **state)
{
    (void)state;
    cvs_error err;
    cx_tensor t;
    file f = npy(1, "{'descr': '<f2', 'fortran_order': False, 'shape': (1,)}", "\x01\x7e", 2);
    OK(cx_npy_parse(&t, f.bytes, f.size, &err));
    assert_true(isnan(*t.data));
    cx_tensor_deinit(&t);
}

static void fortran_order_becomes_c_order(void **state)
{
    (void)state;
    cvs_error err;
    cx_tensor t;
    uint8_t body[24];
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4; k++) body[i + 2 * (j + 3 * k)] = (uint8_t)(12 * i + 4 * j + k);
    file f = npy(2, "{\"descr\":\"|u1\",\"fortran_order\":True,\"shape\":(2,3,4)}\n", body, 24);
    OK(cx_npy_parse(&t, f.bytes, f.size, &err));
    assert_true(cx_shape_equal(&t.shape, SHAPE(2, 3, 4)));
    for (int i = 0; i < 24; i++) assert_true(t.data[i] == (float)i);
    cx_tensor_deinit(&t);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    const float x[2] = {1, 2};
    file f = npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", x, sizeof x);
    cvs_error err;
    cx_tensor t;
    OK(cx_npy_parse(&t, f.bytes, f.size, &err));
    cx_tensor_deinit(&t);
    for (size_t n = 0; n < f.size; n++) {
        uint8_t *part = test_malloc(n); /* its own, so that a sanitizer sees a step too far */
        memcpy(part, f.bytes, n);
        assert_int_equal(cx_npy_parse(&t, part, n, &err), CVS_E_FORMAT);
        assert_null(t.data);
        test_free(part);
    }
    f.bytes[f.size++] = 0;
    FAILS(cx_npy_parse(&t, f.bytes, f.size, &err), CVS_E_FORMAT, "does not fit");
}

static void shortened_dictionaries_are_refused(void **state)
{
    (void)state;
    const char *whole = "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }";
    cvs_error err;
    cx_tensor t;
    char dict[100];
    for (size_t n = 0; n < strlen(whole); n++) {
        snprintf(dict, sizeof dict, "%.*s", (int)n, whole);
        file f = npy(3, dict, NULL, 0);
        assert_int_equal(cx_npy_parse(&t, f.bytes, f.size, &err), CVS_E_FORMAT);
    }
    file f = npy(3, whole, NULL, 0);
    OK(cx_npy_parse(&t, f.bytes, f.size, &err));
    assert_int_equal(cx_shape_count(&t.shape), 0);
    cx_tensor_deinit(&t);
}

static void hostile_dictionaries_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *dict;
        int code;
        const char *says;
    } cases[] = {
        {"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", CVS_E_UNSUPPORTED, "'|O'"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", CVS_E_UNSUPPORTED, "'<c8'"},
        {"{'descr': '', 'fortran_order': False, 'shape': (1,)}", CVS_E_UNSUPPORTED, "''"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", CVS_E_UNSUPPORTED,
         "structured"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1)}", CVS_E_UNSUPPORTED,
         "6 axes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", CVS_E_FORMAT, "a size"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1.5,)}", CVS_E_FORMAT, "a comma"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", CVS_E_FORMAT, "a comma"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 1}", CVS_E_FORMAT, "a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (,)}", CVS_E_FORMAT, "a size"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999999999999,)}",
         CVS_E_FORMAT, "2^40"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 1099511627776)}",
         CVS_E_FORMAT, "does not fit"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000,)}", CVS_E_FORMAT,
         "does not fit"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", CVS_E_FORMAT, "True or False"},
        {"{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}", CVS_E_FORMAT, "twice"},
        {"{'descr': '<f4', 'fortran_order': False}", CVS_E_FORMAT, "shape is missing"},
        {"{'fortran_order': False, 'shape': (1,)}", CVS_E_FORMAT, "descr is missing"},
        {"{'descr': '<f4', 'shape': (1,)}", CVS_E_FORMAT, "fortran_order is missing"},
        {"{'descr': '<f4', 'more': 1}", CVS_E_FORMAT, "'more' is unknown"},
        {"{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}", CVS_E_FORMAT, "a comma"},
        {"{'descr' '<f4'}", CVS_E_FORMAT, "a colon"},
        {"{'a key that is much too long': 1}", CVS_E_FORMAT, "shorter"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", CVS_E_FORMAT, "nothing more"},
        {"import os", CVS_E_FORMAT, "a dictionary"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cvs_error err;
        cx_tensor t;
        file f = npy(1, cases[i].dict, "\0\0\0\0", 4);
        FAILS(cx_npy_parse(&t, f.bytes, f.size, &err), cases[i].code, cases[i].says);
        assert_null(t.data);
    }
}

static void wrong_preambles_are_refused(void **state)
{
    (void)state;
    const char *dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (0,)}";
    cvs_error err;
    cx_tensor t;
    file f = npy(1, dict, NULL, 0);
    f.bytes[0] = 'x';
    FAILS(cx_npy_parse(&t, f.bytes, f.size, &err), CVS_E_FORMAT, "not a .npy");
    f = npy(4, dict, NULL, 0);
    FAILS(cx_npy_parse(&t, f.bytes, f.size, &err), CVS_E_UNSUPPORTED, "4.0");
    f = npy(2, dict, NULL, 0);
    f.bytes[11] = 0xff;
    FAILS(cx_npy_parse(&t, f.bytes, f.size, &err), CVS_E_FORMAT, "limit");
    f = npy(2, dict, NULL, 0);
    f.bytes[9] = 1;
    FAILS(cx_npy_parse(&t, f.bytes, f.size, &err), CVS_E_FORMAT, "ends in the npy header");
}

/* --- files --- */

static char *path_of(const char *name)
{
    static char dir[64], path[128];
    if (!dir[0]) {
        snprintf(dir, sizeof dir, "/tmp/convscope-test-XXXXXX");
        assert_non_null(mkdtemp(dir));
    }
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static int remove_files(void **state)
{
    (void)state;
    unlink(path_of("x.npy"));
    unlink(path_of("x.npz"));
    return rmdir(path_of("")); /* nothing else was left there */
}

static void npy_files_keep_every_bit(void **state)
{
    (void)state;
    cvs_error err;
    cx_tensor t;
    const float x[6] = {1.5f, -0.0f, NAN, INFINITY, 0x1p-149f, 3.4028235e38f};
    char *path = path_of("x.npy");
    OK(cx_npy_write(path, x, SHAPE(1, 3, 2), &err));
    OK(cx_npy_read(&t, path, &err));
    assert_true(cx_shape_equal(&t.shape, SHAPE(1, 3, 2)));
    assert_memory_equal(t.data, x, sizeof x);
    cx_tensor_deinit(&t);
    FAILS(cx_npy_write(path, x, SHAPE(-1, 2), &err), CVS_E_ARG, "free");
    FAILS(cx_npy_read(&t, path_of("absent"), &err), CVS_E_IO, "absent");
}

/* The checksum of zip files, a bit at a time. */
static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static void npz_is_the_same_zip_every_time(void **state)
{
    (void)state;
    cvs_error err;
    cx_bytes a, b;
    const float x[2] = {1, 2};
    const cx_npz_entry entries[] = {{"conv2d_3", x, {1, {2}}}, {"outer/\xc3\xa9", x, {2, {1, 1}}}};
    char *path = path_of("x.npz");
    OK(cx_npz_write(path, entries, 2, &err));
    OK(cx_file_read(&a, path, 4096, &err));
    OK(cx_npz_write(path, entries, 2, &err));
    OK(cx_file_read(&b, path, 4096, &err));
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);

    uint32_t crc;
    const char first[] = "PK\x03\x04\x14\0\0\x08\0\0\0\0\x21\0"; /* stored, UTF-8, 1980-01-01 */
    assert_memory_equal(a.data, first, 14);
    assert_memory_equal(a.data + 30, "conv2d_3.npy\x93NUMPY", 18);
    assert_memory_equal(a.data + 30 + 12 + 128, x, sizeof x);
    memcpy(&crc, a.data + 14, 4);
    assert_int_equal(crc, crc32_of(a.data + 30 + 12, 128 + sizeof x));
    assert_memory_equal(a.data + a.size - 22, "PK\x05\x06\0\0\0\0\2\0\2\0", 12);
    cx_bytes_deinit(&a);
    cx_bytes_deinit(&b);
}

static void npz_refuses_what_a_zip_cannot_hold(void **state)
{
    (void)state;
    cvs_error err;
    const float x = 1;
    static char name[5000];
    memset(name, 'n', sizeof name - 1);
    char *path = path_of("absent.npz");
    FAILS(cx_npz_write(path, &(cx_npz_entry){name, &x, {0}}, 1, &err), CVS_E_ARG, "length");
    FAILS(cx_npz_write(path, &(cx_npz_entry){"x", &x, {1, {-1}}}, 1, &err), CVS_E_ARG, "free");
    FAILS(cx_npz_write(path, &(cx_npz_entry){"x", &x, {1, {1 << 30}}}, 1, &err), CVS_E_UNSUPPORTED,
          "4 GiB");
    assert_int_not_equal(access(path, F_OK), 0);
}

static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    cvs_error err;
    const float x[2] = {1, 2};
    char *path = path_of("x.npz");
    int rc = CVS_E_NOMEM;
    long n;
    for (n = 1; rc == CVS_E_NOMEM; n++) {
        cx_alloc_fail_from(n);
        rc = cx_npz_write(path, &(cx_npz_entry){"x", x, {1, {2}}}, 1, &err);
        cx_alloc_fail_from(0);
    }
    assert_int_equal(rc, 0);
    assert_true(n > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_is_numpys),
        cmocka_unit_test(longest_header_fits),
        cmocka_unit_test(every_kind_of_number_is_read),
        cmocka_unit_test(half_nan_stays_nan),
        cmocka_unit_test(fortran_order_becomes_c_order),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(shortened_dictionaries_are_refused),
        cmocka_unit_test(hostile_dictionaries_are_refused),
        cmocka_unit_test(wrong_preambles_are_refused),
        cmocka_unit_test(npy_files_keep_every_bit),
        cmocka_unit_test(npz_is_the_same_zip_every_time),
        cmocka_unit_test(npz_refuses_what_a_zip_cannot_hold),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, remove_files);
}
