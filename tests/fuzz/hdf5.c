/* hdf5.c - a whole model file, its child process and all. */
#include <stdlib.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cvs_error err = {0};
    cvs_model *m;
    if (cvs_model_load(&m, fuzz_file(data, size), NULL, &err) == 0)
        fuzz_model(m);
    else if (m || err.what[0] == 0)
        abort();
    cvs_model_free(m);
    return 0;
}
