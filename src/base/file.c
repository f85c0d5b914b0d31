/* file.c - files. Only this and journal.c open one for writing. */
#define _GNU_SOURCE /* renameat2, fallocate */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"

static int io_error(cvs_error *err, const char *path, const char *verb)
{
    int rc = cx_fail(err, CVS_E_IO, "cannot %s: %s", verb, strerror(errno));
    return cx_where(err, rc, "%s", path);
}

void cx_bytes_deinit(cx_bytes *bytes)
{
    cx_free(bytes->data);
    *bytes = (cx_bytes){0};
}

/* Open a regular file for reading and tell its size. */
static int open_regular(int *fd, int64_t *size, const char *path, cvs_error *err)
{
    struct stat st;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) return io_error(err, path, "open");
    if (fstat(*fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(*fd);
        *fd = -1;
        return cx_where(err, cx_fail(err, CVS_E_IO, "not a regular file"), "%s", path);
    }
    *size = st.st_size;
    return 0;
}

int cx_file_size(int64_t *out, const char *path, cvs_error *err)
{
    int fd;
    int rc = open_regular(&fd, out, path, err);
    if (rc == 0) close(fd);
    return rc;
}

int cx_file_read_at(void *out, int fd, size_t size, int64_t offset, cvs_error *err)
{
    char *p = out;
    while (size > 0) {
        size_t part = size > INT_MAX ? INT_MAX : size;
        ssize_t n = pread(fd, p, part, offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cx_fail(err, CVS_E_IO, "cannot read: %s", strerror(errno));
        if (n == 0)
            return cx_fail(err, CVS_E_FORMAT, "the file ends before byte %lld",
                           (long long)offset + (long long)size);
        p += n;
        offset += n;
        size -= (size_t)n;
    }
    return 0;
}

int cx_file_read(cx_bytes *out, const char *path, size_t limit, cvs_error *err)
{
    int fd = -1, rc;
    int64_t size = 0;
    *out = (cx_bytes){0};
    TRY(open_regular(&fd, &size, path, err));
    if ((uint64_t)size > limit) {
        rc = cx_fail(err, CVS_E_FORMAT, "%lld bytes are more than the limit of %zu",
                     (long long)size, limit);
        cx_where(err, rc, "%s", path);
        goto out;
    }
    out->data = cx_alloc((size_t)size);
    if (!out->data) {
        rc = cx_no_memory(err, (size_t)size);
        goto out;
    }
    out->size = (size_t)size;
    rc = cx_file_read_at(out->data, fd, (size_t)size, 0, err);
    if (rc < 0) cx_where(err, rc, "%s", path);
out:
    if (fd >= 0) close(fd);
    if (rc < 0) cx_bytes_deinit(out);
    return rc;
}

int cx_file_map(cx_mapping *out, int fd, size_t size, cvs_error *err)
{
    *out = (cx_mapping){0};
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) return cx_fail(err, CVS_E_IO, "cannot map: %s", strerror(errno));
    *out = (cx_mapping){data, size};
    return 0;
}

void cx_mapping_deinit(cx_mapping *m)
{
    if (m->data) munmap((void *)(uintptr_t)m->data, m->size);
    *m = (cx_mapping){0};
}

/* Write them with as few calls as the system takes. */
static int write_all(int fd, const cx_piece *pieces, int n)
{
    enum { AT_ONCE = 16 };
    size_t done = 0; /* of pieces[i] */
    for (int i = 0; i < n;) {
        struct iovec part[AT_ONCE];
        int parts = 0;
        for (; parts < AT_ONCE && i + parts < n; parts++) {
            const cx_piece *p = &pieces[i + parts];
            part[parts] = (struct iovec){(void *)(uintptr_t)p->data, p->size};
        }
        if (done > 0) part[0].iov_base = (char *)part[0].iov_base + done;
        part[0].iov_len -= done;
        const ssize_t k = writev(fd, part, parts);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return -1;
        done += (size_t)k;
        while (i < n && done >= pieces[i].size) done -= pieces[i++].size;
    }
    return 0;
}

/* Have the disk's blocks of a large file chosen at once: ext4 takes half as long to write it
 * then, in one call, as with a reservation for each. A wish: what cannot be had, the write says. */
static void announce(int fd, const cx_piece *pieces, int n)
{
    const off_t least = 256 << 10, most = (off_t)1 << 40;
    off_t size = 0;
    for (int i = 0; i < n && size < most; i++)
        size += pieces[i].size < (size_t)most ? (off_t)pieces[i].size : most;
    if (size >= least && size < most) (void)!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size);
}

/* Give a finished file its name. Where another has it they change places at once and the old one
 * goes: a plain rename over it makes ext4 write the data to the disk there and then, which costs
 * more than all the work before. */
static int give_name(const char *temporary, const char *path)
{
    struct stat st;
    if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode)) return rename(temporary, path);
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_EXCHANGE) == 0)
        return unlink(temporary);
    return rename(temporary, path);
}

int cx_file_write(const char *path, const cx_piece *pieces, int n, cvs_error *err)
{
    char temporary[PATH_MAX];
    int fd, rc = 0;
    int len = snprintf(temporary, sizeof temporary, "%s.%ld.part", path, (long)getpid());
    if (len < 0 || (size_t)len >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return io_error(err, path, "write");
    }
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return io_error(err, path, "write");
    announce(fd, pieces, n);
    int failed = write_all(fd, pieces, n);
    int why = errno;
    if (close(fd) < 0 && !failed) failed = -1, why = errno;
    if (!failed && give_name(temporary, path) < 0) failed = -1, why = errno;
    if (failed) {
        unlink(temporary);
        errno = why;
        rc = io_error(err, path, "write");
    }
    return rc;
}

int cx_make_dirs(const char *path, cvs_error *err)
{
    char buf[PATH_MAX];
    struct stat st;
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof buf) {
        errno = len ? ENAMETOOLONG : ENOENT;
        return io_error(err, path, "make the folder");
    }
    memcpy(buf, path, len + 1);
    for (char *p = buf + 1;; p++) {
        if (*p && *p != '/') continue;
        char kept = *p;
        *p = 0;
        if (mkdir(buf, 0777) < 0 && errno != EEXIST) return io_error(err, path, "make the folder");
        *p = kept;
        if (!kept) break;
    }
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return 0;
    errno = ENOTDIR;
    return io_error(err, path, "make the folder");
}

const char *cx_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
