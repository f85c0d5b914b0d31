/* hdf5_stream.c - the bytes are what the child that reads an HDF5 file answers: a libhdf5 that was
 * taken over by its file can say anything. The file itself is there for the numbers in it. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>

#include "formats/hdf5_wire.h"

int real_listen(cx_h5 *h5, cvs_error *err);
#define cx_h5_listen real_listen
#include "formats/hdf5_listen.c"
#undef cx_h5_listen

#include "fuzz.h"

enum { FILE_SIZE = 1 << 16 };
static const uint8_t *answer;
static size_t answer_size;

/* In the place of the listener that starts a child. */
int cx_h5_listen(cx_h5 *h5, cvs_error *err)
{
    stream *s = malloc(sizeof *s);
    int fd = memfd_create("answer", MFD_CLOEXEC);
    if (!s || fd < 0 || write(fd, answer, answer_size) != (ssize_t)answer_size) abort();
    lseek(fd, 0, SEEK_SET);
    *s = (stream){.fd = fd, .err = err, .budget = 64 << 20};
    s->deadline = now_ms() + 10000;
    int rc = take_all(h5, s);
    close(fd);
    free(s);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t file[FILE_SIZE] = "\x89HDF\r\n\x1a\n";
    cvs_error err = {0};
    cvs_model *m;
    answer = data;
    answer_size = size;
    if (cvs_model_load(&m, fuzz_file(file, sizeof file), NULL, &err) == 0)
        fuzz_model(m);
    else if (m || err.what[0] == 0)
        abort();
    cvs_model_free(m);
    return 0;
}
