/* hdf5.c - a whole model file, the child that reads it and all. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_load(fuzz_file(data, size));
    return 0;
}
