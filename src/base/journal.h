/* journal.h - a file that grows by records of one size, so that a long work which is killed can be
 * taken up again. */
#ifndef CX_BASE_JOURNAL_H
#define CX_BASE_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct cx_journal {
    int fd;        /* -1: none */
    size_t record; /* bytes of one */
    int64_t count; /* whole records */
} cx_journal;

/* Open or make the file. `key` stands for the work: a file of another work, another size of record
 * or none of ours is begun anew. A record that was cut off or damaged ends the file. */
int cx_journal_open(cx_journal *out, const char *path, uint64_t key, size_t record, cvs_error *err);
void cx_journal_close(cx_journal *j); /* of a zero journal too: fd 0 is never one */

/* The i-th record, and one more behind the last. */
int cx_journal_read(const cx_journal *j, int64_t i, void *record, cvs_error *err);
int cx_journal_append(cx_journal *j, const void *record, cvs_error *err);

/* 64 bits that stand for the bytes and for what `seed` stands for. No secret is safe with it. */
uint64_t cx_hash(uint64_t seed, const void *data, size_t size);

#endif
