/* journal.c - a header, then records, each with a sum that tells whether it was written whole. */
#define _POSIX_C_SOURCE 200809L
#include "base/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"

typedef struct header {
    char magic[8];
    uint64_t key, record;
} header;

uint64_t cx_hash(uint64_t seed, const void *data, size_t size)
{
    const unsigned char *p = data;
    uint64_t hash = cx_random_stream(seed, size);
    for (; size > 0; p += sizeof(uint64_t)) {
        uint64_t word = 0;
        const size_t n = size < sizeof word ? size : sizeof word;
        memcpy(&word, p, n);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
        hash ^= hash >> 29;
        size -= n;
    }
    return hash;
}

static int64_t place(const cx_journal *j, int64_t i)
{
    return (int64_t)sizeof(header) + i * (int64_t)(j->record + sizeof(uint64_t));
}

static int write_at(int fd, const void *data, size_t size, int64_t offset, cvs_error *err)
{
    const char *p = data;
    while (size > 0) {
        const ssize_t n = pwrite(fd, p, size, offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cx_fail(err, CVS_E_IO, "cannot write: %s", strerror(errno));
        p += n;
        offset += n;
        size -= (size_t)n;
    }
    return 0;
}

/* Whole records from the first on; what is behind them is cut off. */
static int count_records(cx_journal *j, cvs_error *err)
{
    void *record = cx_alloc(j->record);
    int rc = 0;
    if (!record) return cx_no_memory(err, j->record);
    while (cx_journal_read(j, j->count, record, NULL) == 0) j->count++;
    if (ftruncate(j->fd, place(j, j->count)) < 0)
        rc = cx_fail(err, CVS_E_IO, "cannot write: %s", strerror(errno));
    cx_free(record);
    return rc;
}

int cx_journal_open(cx_journal *out, const char *path, uint64_t key, size_t record, cvs_error *err)
{
    const header want = {"cxjourn1", key, record};
    header have;
    int rc;
    *out = (cx_journal){.record = record};
    out->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (out->fd < 0) {
        rc = cx_fail(err, CVS_E_IO, "cannot open: %s", strerror(errno));
        goto out;
    }
    if (cx_file_read_at(&have, out->fd, sizeof have, 0, NULL) < 0 ||
        memcmp(&have, &want, sizeof have) != 0) {
        if (ftruncate(out->fd, 0) < 0)
            TRY(cx_fail(err, CVS_E_IO, "cannot write: %s", strerror(errno)));
        rc = write_at(out->fd, &want, sizeof want, 0, err);
    } else {
        rc = count_records(out, err);
    }
out:
    if (rc == 0) return 0;
    cx_journal_close(out);
    return cx_where(err, rc, "%s", path);
}

void cx_journal_close(cx_journal *j)
{
    if (j->fd > 0) close(j->fd);
    *j = (cx_journal){0};
}

int cx_journal_read(const cx_journal *j, int64_t i, void *record, cvs_error *err)
{
    uint64_t sum;
    int rc;
    TRY(cx_file_read_at(record, j->fd, j->record, place(j, i), err));
    TRY(cx_file_read_at(&sum, j->fd, sizeof sum, place(j, i) + (int64_t)j->record, err));
    if (sum != cx_hash((uint64_t)i, record, j->record))
        rc = cx_fail(err, CVS_E_FORMAT, "record %lld is damaged", (long long)i);
out:
    return rc;
}

int cx_journal_append(cx_journal *j, const void *record, cvs_error *err)
{
    const uint64_t sum = cx_hash((uint64_t)j->count, record, j->record);
    int rc;
    TRY(write_at(j->fd, record, j->record, place(j, j->count), err));
    TRY(write_at(j->fd, &sum, sizeof sum, place(j, j->count) + (int64_t)j->record, err));
    j->count++;
out:
    return rc;
}
