/* t_formats_zip.c - zip files of others: read within limits, lies found out. */
#define _DEFAULT_SOURCE
#include "test.h"

#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/zip.h"

static char folder[] = "/tmp/t_zip_XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/a.zip", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_bytes(const uint8_t *data, size_t size)
{
    cvs_error err;
    OK(cx_file_write(path, &(cx_piece){data, size}, 1, &err));
}

static int open_zip(cx_zip **zip, FILE **file, cvs_error *err)
{
    *file = fopen(path, "rb");
    assert_non_null(*file);
    return cx_zip_open(zip, fileno(*file), err);
}

/* Read one member of the file at `path`. */
static int read_member(cx_bytes *out, const char *name, size_t limit, cvs_error *err)
{
    cx_zip *zip;
    FILE *file;
    *out = (cx_bytes){0};
    int rc = open_zip(&zip, &file, err);
    if (rc == 0) rc = cx_zip_read(out, zip, name, limit, err);
    cx_zip_close(zip);
    fclose(file);
    return rc;
}

static void write_two(void)
{
    cvs_error err;
    const cx_piece one = {"first words", 11}, two = {"second", 6};
    const cx_zip_member members[] = {{"one.txt", &one, 1}, {"folder/two.txt", &two, 1}};
    OK(cx_zip_write(path, members, 2, &err));
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    cvs_error err;
    cx_zip *zip;
    FILE *file;
    cx_bytes b;
    char back[6];
    int fd;
    write_two();
    OK(open_zip(&zip, &file, &err));
    assert_int_equal(cx_zip_count(zip), 2);
    assert_string_equal(cx_zip_name(zip, 1), "folder/two.txt");
    assert_null(cx_zip_name(zip, 2));
    assert_true(cx_zip_has(zip, "one.txt"));
    assert_false(cx_zip_has(zip, "two.txt"));
    OK(cx_zip_read(&b, zip, "one.txt", 11, &err));
    assert_int_equal(b.size, 11);
    assert_memory_equal(b.data, "first words", 11);
    cx_bytes_deinit(&b);
    OK(cx_zip_extract(&fd, zip, "folder/two.txt", 100, &err));
    OK(cx_file_read_at(back, fd, 6, 0, &err));
    assert_memory_equal(back, "second", 6);
    close(fd);
    FAILS(cx_zip_read(&b, zip, "one.txt", 10, &err), CVS_E_FORMAT, "11 bytes unpacked, at most 10");
    assert_string_equal(err.where, "one.txt");
    FAILS(cx_zip_read(&b, zip, "none", 10, &err), CVS_E_FORMAT, "no member none");
    cx_zip_close(zip);
    fclose(file);
}

/* --- files of our own making, byte by byte --- */

typedef struct bytes {
    uint8_t data[1024];
    size_t n;
} bytes;

static void put(bytes *b, uint32_t v, int size)
{
    for (int i = 0; i < size; i++) b->data[b->n++] = (uint8_t)(v >> 8 * i);
}

/* What an entry says of itself. */
typedef struct claim {
    int flags, method;
    uint32_t crc, packed, size;
} claim;

static void put_claim(bytes *b, const claim *c)
{
    put(b, 20, 2);
    put(b, (uint32_t)c->flags, 2);
    put(b, (uint32_t)c->method, 2);
    put(b, 0, 4); /* time */
    put(b, c->crc, 4);
    put(b, c->packed, 4);
    put(b, c->size, 4);
}

/* A zip of one member "a" that holds `data`, listed `times` times. */
static void write_claim(const claim *c, const void *data, size_t size, int times)
{
    bytes b = {.n = 0};
    put(&b, 0x04034b50, 4);
    put_claim(&b, c);
    put(&b, 1, 4); /* name of 1 byte, no extra field */
    put(&b, 'a', 1);
    memcpy(b.data + b.n, data, size);
    b.n += size;
    size_t start = b.n;
    for (int i = 0; i < times; i++) {
        put(&b, 0x02014b50, 4);
        put(&b, 20, 2);
        put_claim(&b, c);
        put(&b, 1, 2);
        for (int k = 0; k < 16; k++) put(&b, 0, 1);
        put(&b, 'a', 1);
    }
    size_t end = b.n;
    put(&b, 0x06054b50, 4);
    put(&b, 0, 4);
    put(&b, (uint32_t)times, 2);
    put(&b, (uint32_t)times, 2);
    put(&b, (uint32_t)(end - start), 4);
    put(&b, (uint32_t)start, 4);
    put(&b, 0, 2);
    write_bytes(b.data, b.n);
}

/* "abc" stored in deflate's way, and its checksum. */
static const uint8_t deflated_abc[] = {1, 3, 0, 0xfc, 0xff, 'a', 'b', 'c'};
static const uint32_t crc_abc = 0x352441c2;

static void deflated_members_are_unpacked(void **state)
{
    (void)state;
    cvs_error err;
    cx_bytes b;
    write_claim(&(claim){0, 8, crc_abc, 8, 3}, deflated_abc, 8, 1);
    OK(read_member(&b, "a", 100, &err));
    assert_int_equal(b.size, 3);
    assert_memory_equal(b.data, "abc", 3);
    cx_bytes_deinit(&b);
}

static void entries_that_lie_are_refused(void **state)
{
    (void)state;
    static const struct {
        claim claim;
        int times, code;
        const char *text;
    } cases[] = {
        {{0, 8, crc_abc, 8, 4}, 1, CVS_E_FORMAT, "damaged"},           /* larger than it is */
        {{0, 8, crc_abc, 8, 2}, 1, CVS_E_FORMAT, "damaged"},           /* smaller than it is */
        {{0, 8, 1, 8, 3}, 1, CVS_E_FORMAT, "damaged"},                 /* checksum */
        {{0, 0, crc_abc, 8, 3}, 1, CVS_E_FORMAT, "cannot have"},       /* stored and yet smaller */
        {{0, 8, crc_abc, 8, 1 << 20}, 1, CVS_E_FORMAT, "cannot have"}, /* beyond deflate */
        {{0, 0, crc_abc, 1 << 20, 1 << 20}, 1, CVS_E_FORMAT, "cannot have"},
        {{1, 8, crc_abc, 8, 3}, 1, CVS_E_UNSUPPORTED, "encrypted"},
        {{0, 12, crc_abc, 8, 3}, 1, CVS_E_UNSUPPORTED, "packed in a way"},
        {{0, 8, crc_abc, 8, 3}, 2, CVS_E_FORMAT, "two members"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cvs_error err;
        cx_bytes b;
        write_claim(&cases[i].claim, deflated_abc, sizeof deflated_abc, cases[i].times);
        FAILS(read_member(&b, "a", 1 << 24, &err), cases[i].code, cases[i].text);
        assert_null(b.data);
    }
}

static void cut_files_are_refused(void **state)
{
    (void)state;
    cvs_error err;
    cx_bytes whole, b;
    write_two();
    OK(cx_file_read(&whole, path, 1 << 16, &err));
    /* minizip does without the last bytes of the end record */
    for (size_t n = 0; n < whole.size; n++) {
        write_bytes(whole.data, n);
        int rc = read_member(&b, "one.txt", 100, &err);
        assert_int_equal(rc, n + 4 < whole.size ? CVS_E_FORMAT : rc);
        if (rc == 0) assert_memory_equal(b.data, "first words", 11);
        cx_bytes_deinit(&b);
    }
    cx_bytes_deinit(&whole);
}

static void changed_bytes_give_the_content_or_a_message(void **state)
{
    (void)state;
    cvs_error err;
    cx_bytes whole;
    write_two();
    OK(cx_file_read(&whole, path, 1 << 16, &err));
    for (size_t at = 0; at < whole.size; at++)
        for (int bit = 0; bit < 8; bit++) {
            cx_bytes b;
            whole.data[at] ^= (uint8_t)(1 << bit);
            write_bytes(whole.data, whole.size);
            err = (cvs_error){0};
            int rc = read_member(&b, "one.txt", 100, &err);
            if (rc == 0) assert_memory_equal(b.data, "first words", 11);
            if (rc < 0) assert_true(err.code == rc && err.what[0] != 0);
            cx_bytes_deinit(&b);
            whole.data[at] ^= (uint8_t)(1 << bit);
        }
    cx_bytes_deinit(&whole);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    cvs_error err;
    cx_bytes b;
    int rc = CVS_E_NOMEM;
    write_two();
    for (long n = 1; rc < 0; n++) {
        cx_alloc_fail_from(n);
        rc = read_member(&b, "one.txt", 100, &err);
        cx_alloc_fail_from(0);
        assert_true(rc == 0 || rc == CVS_E_NOMEM);
    }
    cx_bytes_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(deflated_members_are_unpacked),
        cmocka_unit_test(entries_that_lie_are_refused),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(changed_bytes_give_the_content_or_a_message),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder) != 0;
}
