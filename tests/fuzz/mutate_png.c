/* mutate_png.c - a mutator for libFuzzer that mends the checksums of a PNG's chunks: libpng looks
 * at none whose is wrong. */
#include <string.h>
#include <zlib.h>

#include "fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

enum { SIGNATURE = 8, AROUND = 12 }; /* of a chunk: its length, kind and checksum */

static uint32_t get(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, max_size);
    if (seed % 16 == 0) return size;
    for (size_t at = SIGNATURE; at + AROUND <= size;) {
        size_t n = get(data + at);
        if (n > size - at - AROUND) break;
        uint32_t sum = (uint32_t)crc32(0, data + at + 4, (unsigned)n + 4);
        at += n + AROUND;
        for (int i = 0; i < 4; i++) data[at - 4 + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
    }
    return size;
}
