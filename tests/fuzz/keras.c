/* keras.c - a whole .keras file but for libhdf5: what it would say of model.weights.h5 stands in
 * that member itself (answer.c). */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_load(fuzz_file(data, size));
    return 0;
}
