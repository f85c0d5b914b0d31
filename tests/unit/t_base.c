/* t_base.c - errors, memory, text, JSON, files. */
#include "test.h"

#include <math.h>
#include <unistd.h>

#include "base/digits.h"
#include "base/file.h"
#include "base/journal.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

static void error_grows_outwards(void **state)
{
    (void)state;
    cvs_error err;
    assert_int_equal(cx_fail(&err, CVS_E_FORMAT, "a\nb %d", 3), CVS_E_FORMAT);
    cx_where(&err, CVS_E_FORMAT, "layer \"x\"");
    cx_where(&err, CVS_E_FORMAT, "%s", "model.h5");
    assert_string_equal(err.what, "a?b 3");
    assert_string_equal(err.where, "model.h5: layer \"x\"");
    assert_int_equal(cx_fail(NULL, CVS_E_IO, "x"), CVS_E_IO);
}

static void sizes_do_not_overflow(void **state)
{
    (void)state;
    size_t n;
    int64_t k;
    assert_int_equal(cx_mul_size(&n, 3, 4), 0);
    assert_int_equal(n, 12);
    assert_int_equal(cx_mul_size(&n, SIZE_MAX / 2, 3), 1);
    assert_int_equal(cx_mul_count(&k, -1, 3), 1);
    assert_int_equal(cx_mul_count(&k, INT64_MAX, 2), 1);
}

static void assert_digits(double v)
{
    char got[CX_DIGITS], want[CX_DIGITS];
    const int n = snprintf(want, sizeof want, "%.9g", v);
    assert_int_equal(cx_digits(got, v), n);
    assert_string_equal(got, want);
}

/* Also where nine digits end in the middle between two, and where a power of ten begins. */
static void digits_are_those_of_printf(void **state)
{
    static const double odd[] = {
        0,           -0.0,          5e-324,          1.7e308,  123456789.5, 0.1,
        1234567885., 999999999.5,   9.9999999949999, 1e21,     1e-13,       9.99999999e-5,
        1e-5,        0.5,           100000000.5,     1e15 / 3, 0x1p-24,     4503599627370497.5,
        1e22,        0.000123456789};
    uint64_t seed = 1;
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        assert_digits(odd[i]);
        assert_digits(-odd[i]);
    }
    for (int e = -30; e <= 30; e++)
        for (int k = -2; k <= 2; k++) assert_digits(pow(10, e) * (1 + k * 0x1p-52));
    for (int i = 0; i < 300000; i++) {
        double v;
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        memcpy(&v, &seed, sizeof v); /* any exponent */
        if (isfinite(v)) assert_digits(v);
        assert_digits((double)(int64_t)(seed >> 20) * 0x1p-40); /* as statistics are */
        assert_digits((double)(float)((double)(int64_t)seed * 0x1p-62));
        assert_digits((double)(seed >> 34) / 10 + 0.05); /* in the middle, or next to it */
    }
}

static void whole_numbers_have_all_digits(void **state)
{
    static const int64_t odd[] = {0, 7, -7, 10, -10, INT64_MAX, INT64_MIN, 1000000007};
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char got[CX_DIGITS], want[CX_DIGITS];
        assert_int_equal(cx_digits_int(got, odd[i]),
                         snprintf(want, sizeof want, "%lld", (long long)odd[i]));
        assert_string_equal(got, want);
    }
}

static void allocation_fails_when_told(void **state)
{
    (void)state;
    cvs_error err;
    cx_block b;
    cx_alloc_fail_from(2);
    void *p = cx_alloc(10);
    assert_non_null(p);
    assert_null(cx_alloc(10));
    assert_int_equal(cx_block_init(&b, 1000, &err), CVS_E_NOMEM);
    cx_alloc_fail_from(0);
    cx_free(p);
}

static void blocks_are_zero_and_aligned(void **state)
{
    (void)state;
    cvs_error err;
    const size_t sizes[] = {0, 1, 1000, 600 << 10, 5 << 20};
    for (size_t i = 0; i < 5; i++) {
        cx_block b;
        OK(cx_block_init(&b, sizes[i], &err));
        assert_int_equal((uintptr_t)b.data % 64, 0);
        for (size_t k = 0; k < sizes[i]; k += 997) assert_int_equal(((char *)b.data)[k], 0);
        cx_block_deinit(&b);
    }
}

static void thousands_have_commas(void **state)
{
    (void)state;
    char buf[32];
    assert_string_equal(cx_commas(buf, 3453121), "3,453,121");
    assert_string_equal(cx_commas(buf, 513), "513");
    assert_string_equal(cx_commas(buf, -1000), "-1,000");
}

static void nearest_names_are_hinted(void **state)
{
    (void)state;
    const char *names[] = {"conv2d_3", "max_pooling2d_2", "dense_10"};
    cvs_error err;
    cx_fail(&err, CVS_E_ARG, "x");
    cx_hint_nearest(&err, "conv2d_4", names, 3);
    assert_string_equal(err.hint, "did you mean conv2d_3?");
    cx_fail(&err, CVS_E_ARG, "x");
    cx_hint_nearest(&err, "zzz", names, 3);
    assert_string_equal(err.hint, "");
}

static void json_reads_pythons_numbers(void **state)
{
    (void)state;
    cvs_error err;
    cx_json *v;
    const char *text = "{\"a\": [1, 2.0, NaN, -Infinity, \"NaN, \\\"\"], \"b\": 1e3}";
    OK(cx_json_parse(&v, text, strlen(text), &err));
    cx_json *a = cx_json_get(v, "a");
    assert_int_equal(cx_json_size(a), 5);
    assert_int_equal(cx_json_int(cx_json_at(a, 1), -7), 2);
    assert_true(isnan(cx_json_number(cx_json_at(a, 2), 0)));
    assert_true(isinf(cx_json_number(cx_json_at(a, 3), 0)));
    assert_string_equal(cx_json_string(cx_json_at(a, 4), ""), "NaN, \"");
    assert_int_equal(cx_json_int(cx_json_get(v, "b"), 0), 1000);
    cx_json_free(v);
}

static void json_refuses_bad_text(void **state)
{
    (void)state;
    cvs_error err;
    cx_json *v;
    char deep[400];
    memset(deep, '[', sizeof deep);
    FAILS(cx_json_parse(&v, deep, sizeof deep, &err), CVS_E_FORMAT, "deeper");
    FAILS(cx_json_parse(&v, "hello", 5, &err), CVS_E_FORMAT, "JSON");
    FAILS(cx_json_parse(&v, "", 0, &err), CVS_E_FORMAT, "JSON");
    assert_null(v);
}

/* Three bytes of text can be two hundred of memory. */
static void json_has_a_million_values_at_most(void **state)
{
    (void)state;
    cvs_error err;
    cx_json *v;
    const size_t n = 2 * (size_t)CX_JSON_MAX_VALUES - 1; /* [0,0,...,0] */
    char *text = cx_alloc(n);
    assert_non_null(text);
    for (size_t i = 0; i < n; i++) text[i] = i % 2 ? '0' : ',';
    text[0] = '[';
    text[n - 1] = ']';
    OK(cx_json_parse(&v, text, n, &err));
    assert_int_equal(cx_json_size(v), CX_JSON_MAX_VALUES - 1);
    cx_json_free(v);
    text[n - 2] = '[';
    FAILS(cx_json_parse(&v, text, n, &err), CVS_E_FORMAT, "more than 1048576 values");
    cx_free(text);
}

static void json_prints(void **state)
{
    (void)state;
    cvs_error err;
    char *text;
    cx_json *o = cx_json_object();
    cx_json_put(o, "x", cx_json_of_number(0.25));
    cx_json_put(o, "bad", cx_json_of_string("\xff"));
    cx_json_put(o, "nan", cx_json_of_number(NAN));
    OK(cx_json_print(&text, o, &err));
    assert_string_equal(text, "{\n \"x\": 0.25,\n \"bad\": \"?\",\n \"nan\": null\n}\n");
    cx_free(text);
    o = cx_json_object();
    cx_json_put(o, "lost", NULL);
    assert_int_equal(cx_json_print(&text, o, &err), CVS_E_NOMEM);
}

static void json_prints_for_python(void **state)
{
    (void)state;
    static const char in[] =
        "{\"x\": NaN, \"name\": \"NaN\", \"NaN\": [-Infinity, \"a\\\"Infinity\", "
        "Infinity], \"e\": 0.1, \"n\": 3, \"m\": 2.0, \"u\": \"\xc3\xa9\"}";
    static const char out[] =
        "{\"x\": NaN, \"name\": \"NaN\", \"NaN\": [-Infinity, \"a\\\"Infinity\", "
        "Infinity], \"e\": 0.10000000000000001, \"n\": 3, \"m\": 2.0, \"u\": \"\\u00E9\"}";
    cvs_error err;
    cx_json *v;
    char *text;
    OK(cx_json_parse(&v, in, sizeof in - 1, &err));
    OK(cx_json_print_exact(&text, v, &err));
    assert_string_equal(text, out);
    cx_free(text);
    v = cx_json_array();
    cx_json_push(v, NULL);
    assert_int_equal(cx_json_print_exact(&text, v, &err), CVS_E_NOMEM);
}

static void json_clones_share_nothing(void **state)
{
    (void)state;
    cx_json *a = cx_json_object();
    cx_json_put(a, "in", cx_json_object());
    cx_json_put(cx_json_get(a, "in"), "x", cx_json_of_int(1));
    cx_json *b = cx_json_clone(a);
    cx_json_put(cx_json_get(b, "in"), "x", cx_json_of_int(2));
    assert_int_equal(cx_json_int(cx_json_get(cx_json_get(a, "in"), "x"), 0), 1);
    assert_int_equal(cx_json_int(cx_json_get(cx_json_get(b, "in"), "x"), 0), 2);
    cx_json_free(a);
    cx_json_free(b);
    assert_null(cx_json_clone(NULL));
}

static void json_writes_as_it_comes(void **state)
{
    (void)state;
    cvs_error err;
    char *text;
    cx_json *v;
    cx_json_writer w = {0};
    cx_json_open(&w, NULL, '{');
    cx_json_add_string(&w, "name", "a\"b\n\xff");
    cx_json_add_ints(&w, "shape", (int64_t[]){-1, 7}, 2);
    cx_json_open(&w, "list", '[');
    cx_json_add_number(&w, NULL, NAN);
    cx_json_add_number(&w, NULL, 0.25);
    cx_json_writer part = cx_json_part(&w), nothing = part;
    cx_json_open(&part, NULL, '[');
    cx_json_close(&part, ']');
    cx_json_add_part(&w, &nothing);
    cx_json_add_part(&w, &part);
    cx_json_close(&w, ']');
    cx_json_add_bool(&w, "dead", 1);
    cx_json_close(&w, '}');
    OK(cx_json_finish(&text, &w, &err));
    assert_string_equal(text, "{\n \"name\": \"a\\\"b\\n?\",\n \"shape\": [null, 7],\n"
                              " \"list\": [\n  null,\n  0.25,\n  []\n ],\n \"dead\": true\n}\n");
    OK(cx_json_parse(&v, text, strlen(text), &err));
    cx_json_free(v);
    cx_free(text);
}

static void file_is_whole_or_absent(void **state)
{
    (void)state;
    cvs_error err;
    char dir[] = "/tmp/convscope-test-XXXXXX", path[64];
    cx_bytes b;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/a/b", dir);
    OK(cx_make_dirs(path, &err));
    OK(cx_make_dirs(path, &err));
    snprintf(path, sizeof path, "%s/a/b/c", dir);
    OK(cx_file_write(path, (cx_piece[]){{"ab", 2}, {"c", 1}}, 2, &err));
    OK(cx_file_read(&b, path, 10, &err));
    assert_int_equal(b.size, 3);
    assert_memory_equal(b.data, "abc", 3);
    cx_bytes_deinit(&b);
    FAILS(cx_file_read(&b, path, 2, &err), CVS_E_FORMAT, "limit");
    FAILS(cx_file_read(&b, dir, 2, &err), CVS_E_IO, "regular");
    FAILS(cx_file_write("/nowhere/x", NULL, 0, &err), CVS_E_IO, "/nowhere/x");
    OK(cx_file_write(path, (cx_piece[]){{"new", 3}}, 1, &err)); /* over the old one */
    OK(cx_file_read(&b, path, 10, &err));
    assert_memory_equal(b.data, "new", 3);
    cx_bytes_deinit(&b);
    static char bytes[40 * 10000]; /* in many pieces, some of which are empty */
    cx_piece pieces[40] = {{0}};
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i % 251);
    for (size_t i = 0, at = 0; i < 40; i++, at += pieces[i - 1].size)
        if (i % 7) pieces[i] = (cx_piece){bytes + at, 200 * i + 4000};
    OK(cx_file_write(path, pieces, 40, &err));
    OK(cx_file_read(&b, path, sizeof bytes, &err));
    assert_int_equal(b.size, 34 * 4000 + 200 * (780 - 105));
    assert_memory_equal(b.data, bytes, b.size);
    cx_bytes_deinit(&b);
    FAILS(cx_file_write(dir, (cx_piece[]){{"x", 1}}, 1, &err), CVS_E_IO, dir); /* a folder stays */
    unlink(path);
    snprintf(path, sizeof path, "%s/a/b", dir);
    assert_int_equal(rmdir(path), 0); /* no temporary file is left */
}

static void put_record(const char *path, uint64_t key, char what, int64_t had)
{
    cvs_error err;
    cx_journal j;
    char record[5] = {what, what, what, what, what}, old[5];
    OK(cx_journal_open(&j, path, key, sizeof record, &err));
    assert_int_equal(j.count, had);
    for (int64_t i = 0; i < had; i++) {
        OK(cx_journal_read(&j, i, old, &err));
        assert_int_equal(old[4], 'a' + i);
    }
    OK(cx_journal_append(&j, record, &err));
    assert_int_equal(j.count, had + 1);
    cx_journal_close(&j);
}

static void a_journal_keeps_what_was_written_whole(void **state)
{
    (void)state;
    char path[] = "/tmp/convscope-test-XXXXXX";
    const int fd = mkstemp(path);
    cvs_error err;
    cx_journal j;
    put_record(path, 7, 'a', 0); /* over an empty file */
    put_record(path, 7, 'b', 1);
    const off_t two = lseek(fd, 0, SEEK_END);
    put_record(path, 7, 'c', 2);
    assert_int_equal(ftruncate(fd, two + 3), 0); /* killed while it was written */
    put_record(path, 7, 'c', 2);
    assert_int_equal(pwrite(fd, "x", 1, two - 9), 1); /* damaged: the end of what can be trusted */
    put_record(path, 7, 'b', 1);
    put_record(path, 8, 'a', 0); /* of another work */
    OK(cx_journal_open(&j, path, 8, 6, &err));
    assert_int_equal(j.count, 0); /* of other records */
    cx_journal_close(&j);
    cx_journal_close(&j);
    FAILS(cx_journal_open(&j, "/nowhere/x", 8, 6, &err), CVS_E_IO, "/nowhere/x");
    close(fd);
    unlink(path);
}

static void a_hash_tells_all_bytes_and_the_seed(void **state)
{
    (void)state;
    char text[20] = "0123456789012345678";
    const uint64_t hash = cx_hash(1, text, 19);
    assert_true(cx_hash(1, text, 19) == hash && cx_hash(2, text, 19) != hash);
    assert_true(cx_hash(1, text, 20) != hash && cx_hash(1, text, 18) != hash);
    for (int i = 0; i < 19; i++) {
        text[i] ^= 64;
        assert_true(cx_hash(1, text, 19) != hash);
        text[i] ^= 64;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_grows_outwards),
        cmocka_unit_test(sizes_do_not_overflow),
        cmocka_unit_test(digits_are_those_of_printf),
        cmocka_unit_test(whole_numbers_have_all_digits),
        cmocka_unit_test(allocation_fails_when_told),
        cmocka_unit_test(blocks_are_zero_and_aligned),
        cmocka_unit_test(thousands_have_commas),
        cmocka_unit_test(nearest_names_are_hinted),
        cmocka_unit_test(json_reads_pythons_numbers),
        cmocka_unit_test(json_refuses_bad_text),
        cmocka_unit_test(json_has_a_million_values_at_most),
        cmocka_unit_test(json_prints),
        cmocka_unit_test(json_prints_for_python),
        cmocka_unit_test(json_clones_share_nothing),
        cmocka_unit_test(json_writes_as_it_comes),
        cmocka_unit_test(file_is_whole_or_absent),
        cmocka_unit_test(a_journal_keeps_what_was_written_whole),
        cmocka_unit_test(a_hash_tells_all_bytes_and_the_seed),
    };
    return RUN(tests);
}
