/* png.c - PNG pictures. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_picture(cx_png_decode, data, size);
    return 0;
}
