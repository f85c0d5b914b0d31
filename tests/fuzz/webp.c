/* webp.c - WebP pictures. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_picture(cx_webp_decode, data, size);
    return 0;
}
