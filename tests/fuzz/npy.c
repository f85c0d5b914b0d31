/* npy.c - NumPy arrays. */
#include <stdlib.h>

#include "fuzz.h"
#include "tensor/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cvs_error err = {0};
    cx_tensor t;
    if (cx_npy_parse(&t, data, size, &err) < 0 && (t.data || err.what[0] == 0)) abort();
    cx_tensor_deinit(&t);
    return 0;
}
