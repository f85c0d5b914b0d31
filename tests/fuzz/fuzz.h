/* fuzz.h - a target: one function that takes bytes of any kind and may not crash, hang, leak or
 * read what it did not write. libFuzzer calls it with bytes of its own making, replay.c with the
 * files of the corpus. */
#ifndef FUZZ_H
#define FUZZ_H

#include "graph/model.h"
#include "image/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes as a file; its name, valid until the next call. */
const char *fuzz_file(const void *data, size_t size);

/* A name in $TMPDIR for mkstemp or mkdtemp. */
void fuzz_name(char *out, size_t size);

/* The bytes as a file of that name, which stays open as *fd; -1 before the first time. */
void fuzz_put(int *fd, const char *name, const void *data, size_t size);

/* Everything that a picture goes through with this decoder. */
void fuzz_picture(cx_decode *decode, const uint8_t *data, size_t size);

/* Ask a finished model for its tables and, where that is little work, compute it. */
void fuzz_model(const cvs_model *m);

/* Load the model in a file, and ask it all that. */
void fuzz_load(const char *path);

#endif
