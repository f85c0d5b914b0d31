/* t_image_png_pack.c - rows packed for PNG: another library unpacks them to what they were. */
#include "test.h"

#include <libdeflate.h>

#include "base/mem.h"
#include "image/codec.h"

static uint32_t random_state = 1;

static uint32_t random_bits(void)
{
    random_state = random_state * 1664525U + 1013904223U;
    return random_state >> 8;
}

/* Pack n bytes into memory of just the size that is asked for, and unpack; gives the packed size.
 */
static size_t there_and_back(const uint8_t *bytes, size_t n, size_t pixel, size_t row)
{
    const size_t bound = cx_png_pack_bound(n);
    uint8_t *packed = malloc(bound), *back = malloc(n), *copy = malloc(n);
    uint32_t *tokens = malloc((n < CX_PNG_TOKENS ? n : CX_PNG_TOKENS) * sizeof *tokens);
    assert_true(packed && back && copy && tokens);
    memcpy(copy, bytes, n);
    const size_t size = cx_png_pack(packed, tokens, copy, n, pixel, row);
    assert_true(size <= bound - 8); /* what is behind is for the last bits */
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    const enum libdeflate_result result =
        libdeflate_zlib_decompress(d, packed, size, back, n, NULL);
    if (result != LIBDEFLATE_SUCCESS || memcmp(back, bytes, n) != 0)
        fail_msg("%zu bytes in rows of %zu: %d", n, row, (int)result);
    libdeflate_free_decompressor(d);
    free(packed);
    free(back);
    free(copy);
    free(tokens);
    return size;
}

enum { BIG = 400000 };
static uint8_t bytes[BIG];

static void few_bytes(void **state)
{
    (void)state;
    for (size_t n = 1; n < 700; n++) {
        for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)(i % 97 < 40 ? 7 : random_bits() & 3);
        there_and_back(bytes, n, 1, n);
        there_and_back(bytes, n, 1, 97);
        memset(bytes, (int)(n & 255), n);
        there_and_back(bytes, n, 1, 10);
    }
}

/* Every number of bytes that repeat, from every distance that has a symbol. */
static void every_length_and_distance(void **state)
{
    (void)state;
    for (size_t row = 2; row <= 40000; row += 1 + row / 7) {
        size_t n = 0;
        for (; n < row; n++) bytes[n] = (uint8_t)random_bits();
        for (size_t length = 1; length < 600 && n + length < BIG; length += 1 + length / 40) {
            for (size_t i = 0; i < length; i++, n++) bytes[n] = bytes[n - row];
            bytes[n++] = (uint8_t)random_bits();
        }
        there_and_back(bytes, n, 1, row);
    }
}

static void noise_and_what_is_flat(void **state)
{
    (void)state;
    for (size_t i = 0; i < BIG; i++) bytes[i] = (uint8_t)random_bits();
    assert_true(there_and_back(bytes, BIG, 1, 501) < BIG + BIG / 50);
    memset(bytes, 0, BIG);
    assert_true(there_and_back(bytes, BIG, 1, 501) < BIG / 250);
    for (size_t i = 0; i < BIG; i++) bytes[i] = (uint8_t)(i % 501 / 9 * 31 + i / 501 / 9 * 17);
    assert_true(there_and_back(bytes, BIG, 1, 501) < BIG / 40); /* squares of 9 x 9 */
}

static void swap(size_t i, size_t k)
{
    const uint8_t b = bytes[i];
    bytes[i] = bytes[k];
    bytes[k] = b;
}

/* Each byte half as often as the one before: by counts alone its code would be of 30 bits. */
static void rare_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < BIG; i++) {
        const uint32_t r = random_bits() | 1U << 23;
        bytes[i] = (uint8_t)((size_t)__builtin_ctz(r) * 9 + (i & 1) * 100);
    }
    assert_true(there_and_back(bytes, BIG, 1, 501) < BIG / 2);
    uint32_t count = 1, next = 2;
    size_t n = 0;
    for (int v = 0; v < 19; v++) { /* more than all before together but one: the deepest tree */
        for (uint32_t i = 0; i < count; i++) bytes[n++] = (uint8_t)(v * 11);
        const uint32_t sum = count + next + 1;
        count = next;
        next = sum;
    }
    for (size_t i = n - 1; i > 0; i--) swap(i, random_bits() % (i + 1));
    for (int round = 0; round < 9; round++) /* so that nothing repeats and they stay bytes */
        for (size_t i = 1; i < n; i++)
            if (bytes[i] == bytes[i - 1]) swap(i, random_bits() % n);
    assert_true(there_and_back(bytes, n, 1, 40000) < n / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_bytes),
        cmocka_unit_test(every_length_and_distance),
        cmocka_unit_test(noise_and_what_is_flat),
        cmocka_unit_test(rare_bytes),
    };
    return RUN(tests);
}
