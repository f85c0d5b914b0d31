/* file.h - files: read whole with a limit, written whole or not at all. */
#ifndef CX_BASE_FILE_H
#define CX_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The bytes of a file, the caller's to cx_bytes_deinit(). */
typedef struct cx_bytes {
    uint8_t *data;
    size_t size;
} cx_bytes;
void cx_bytes_deinit(cx_bytes *bytes);

/* Read a whole regular file of at most `limit` bytes. */
int cx_file_read(cx_bytes *out, const char *path, size_t limit, cvs_error *err);

/* Size of a regular file; CVS_E_IO when there is none to read. */
int cx_file_size(int64_t *out, const char *path, cvs_error *err);

/* Read exactly `size` bytes at `offset`, CVS_E_FORMAT when the file is shorter. */
int cx_file_read_at(void *out, int fd, size_t size, int64_t offset, cvs_error *err);

/* A file's bytes as memory, read when they are touched. They change with the file, and whoever
 * touches bytes that were cut off since is killed by a signal: for files that stay as they are. */
typedef struct cx_mapping {
    const uint8_t *data;
    size_t size;
} cx_mapping;
int cx_file_map(cx_mapping *out, int fd, size_t size, cvs_error *err);
void cx_mapping_deinit(cx_mapping *m); /* a zero mapping is legal */

/* One piece of what is to be written. */
typedef struct cx_piece {
    const void *data;
    size_t size;
} cx_piece;

/* Write the pieces, one after the other, to a temporary file beside `path`, then rename it: the
 * name holds the old content or all of the new, never a part. */
int cx_file_write(const char *path, const cx_piece *pieces, int n, cvs_error *err);

/* Make a folder and those above it; one that is there is fine. */
int cx_make_dirs(const char *path, cvs_error *err);

/* The part of a path after its last slash. Borrowed. */
const char *cx_base_name(const char *path);

#endif
