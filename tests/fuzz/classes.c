/* classes.c - class names, one a line. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cvs_error err = {0};
    cvs_classes *c;
    size_t length = 0;
    if (cvs_classes_load(&c, fuzz_file(data, size), &err) < 0) {
        if (c || err.what[0] == 0) abort();
        return 0;
    }
    for (int i = 0; i < cvs_classes_count(c); i++) length += strlen(cvs_classes_name(c, i));
    if (length > size || cvs_classes_name(c, -1) || cvs_classes_name(c, cvs_classes_count(c)))
        abort();
    cvs_classes_free(c);
    return 0;
}
