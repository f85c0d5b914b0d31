/* hdf5_stream.c - the bytes are what the child that reads an HDF5 file answers (answer.c). The rest
 * of the file is there for the numbers in it. */
#include <string.h>

#include "fuzz.h"

enum { FILE_SIZE = 1 << 16, SIGNATURE = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t file[FILE_SIZE] = "\x89HDF\r\n\x1a\n";
    if (size > FILE_SIZE - SIGNATURE) return 0;
    memcpy(file + SIGNATURE, data, size);
    memset(file + SIGNATURE + size, 0, FILE_SIZE - SIGNATURE - size);
    fuzz_load(fuzz_file(file, sizeof file));
    return 0;
}
