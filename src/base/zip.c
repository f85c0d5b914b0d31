/* zip.c - minizip: writing into memory, so that a file is put in its place whole; reading with
 * limits. */
#define _GNU_SOURCE
#include "base/zip.h"

#include <limits.h>
#include <minizip/unzip.h>
#include <minizip/zip.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    /* Around a member: local header 30 bytes, entry of the directory 46, its name in both. */
    MEMBER_EXTRA = 30 + 46,
    END_RECORD = 22,
    MAX_MEMBERS = 65534,
    FIRST_OF_JANUARY_1980 = 0x00210000, /* MS-DOS date in the upper half, midnight in the lower */
    UTF8_NAMES = 1 << 11,               /* general purpose bit of the format's appendix D */
    MADE_BY = 20,                       /* version of the format */
};

/* --- writing --- */

/* Where minizip writes: a block of the final size, for that is known before. */
typedef struct sink {
    cx_block block;
    uint64_t at, end;
} sink;

static voidpf sink_open(voidpf opaque, const void *name, int mode)
{
    (void)name;
    (void)mode;
    return opaque;
}

static uLong sink_read(voidpf opaque, voidpf stream, void *buf, uLong size)
{
    sink *s = stream;
    (void)opaque;
    if (size > s->end - s->at) size = s->end - s->at;
    memcpy(buf, (char *)s->block.data + s->at, size);
    s->at += size;
    return size;
}

static uLong sink_write(voidpf opaque, voidpf stream, const void *buf, uLong size)
{
    sink *s = stream;
    (void)opaque;
    if (size > s->block.size - s->at) return 0;
    memcpy((char *)s->block.data + s->at, buf, size);
    s->at += size;
    if (s->at > s->end) s->end = s->at;
    return size;
}

static ZPOS64_T sink_tell(voidpf opaque, voidpf stream)
{
    (void)opaque;
    return ((sink *)stream)->at;
}

static long sink_seek(voidpf opaque, voidpf stream, ZPOS64_T offset, int origin)
{
    sink *s = stream;
    uint64_t from = origin == ZLIB_FILEFUNC_SEEK_CUR ? s->at : 0;
    (void)opaque;
    if (origin == ZLIB_FILEFUNC_SEEK_END) from = s->end;
    if (offset > s->end || from > s->end - offset) return -1;
    s->at = from + offset;
    return 0;
}

static int sink_close(voidpf opaque, voidpf stream)
{
    (void)opaque;
    (void)stream;
    return 0;
}

/* Bytes of the whole file; refuses what would not fit the plain format. */
static int zip_size(size_t *out, const cx_zip_member *members, int n, cvs_error *err)
{
    uint64_t size = END_RECORD;
    int fits = n <= MAX_MEMBERS;
    *out = 0;
    for (int i = 0; i < n; i++) {
        size_t name = strlen(members[i].name);
        if (name == 0 || name > CX_ZIP_MAX_NAME)
            return cx_fail(err, CVS_E_ARG, "a zip member's name has %zu bytes, not 1 to %d", name,
                           CX_ZIP_MAX_NAME);
        size += MEMBER_EXTRA + 2 * name;
        for (int k = 0; k < members[i].n && fits; k++) {
            fits = members[i].pieces[k].size < UINT32_MAX - END_RECORD;
            size += members[i].pieces[k].size;
            fits = fits && size < UINT32_MAX;
        }
    }
    *out = (size_t)size;
    return fits ? 0
                : cx_fail(err, CVS_E_UNSUPPORTED,
                          "a zip of 4 GiB or over %d members is not written", MAX_MEMBERS);
}

static int add_member(zipFile zip, const cx_zip_member *m)
{
    const zip_fileinfo info = {.dosDate = FIRST_OF_JANUARY_1980};
    int rc =
        zipOpenNewFileInZip4_64(zip, m->name, &info, NULL, 0, NULL, 0, NULL, 0, 0, 0, -MAX_WBITS,
                                DEF_MEM_LEVEL, Z_DEFAULT_STRATEGY, NULL, 0, MADE_BY, UTF8_NAMES, 0);
    for (int k = 0; k < m->n && rc == ZIP_OK; k++)
        rc = zipWriteInFileInZip(zip, m->pieces[k].data, (unsigned)m->pieces[k].size);
    return rc == ZIP_OK ? zipCloseFileInZip(zip) : rc;
}

int cx_zip_write(const char *path, const cx_zip_member *members, int n, cvs_error *err)
{
    sink s = {0};
    size_t size;
    int rc, failed = 0;
    TRY(zip_size(&size, members, n, err));
    TRY(cx_block_init(&s.block, size, err));
    zlib_filefunc64_def functions = {sink_open, sink_read,  sink_write, sink_tell,
                                     sink_seek, sink_close, sink_close, &s};
    zipFile zip = zipOpen2_64(path, APPEND_STATUS_CREATE, NULL, &functions);
    if (!zip) { /* it asks for nothing but memory */
        rc = cx_no_memory(err, size);
        goto out;
    }
    for (int i = 0; i < n && !failed; i++) failed = add_member(zip, &members[i]) != ZIP_OK;
    failed = zipClose(zip, NULL) != ZIP_OK || failed;
    rc = failed ? cx_no_memory(err, size)
                : cx_file_write(path, &(cx_piece){s.block.data, s.end}, 1, err);
out:
    cx_block_deinit(&s.block);
    return rc;
}

/* --- reading --- */

enum {
    MAX_READ_MEMBERS = 65536,
    MAX_RATIO = 1032, /* deflate's best: 258 bytes for 2 bits */
    CHUNK = 1 << 16,
    ENCRYPTED = 1, /* general purpose bit */
};

typedef struct entry {
    const char *name;
    unz64_file_pos place;
    uint64_t size, packed;
    int is_stored, is_odd; /* odd: encrypted, or packed in a way that is not here */
} entry;

struct cx_zip {
    int fd;
    uint64_t at, end; /* where minizip reads in the file; the file's size */
    unzFile unzip;
    cx_arena *arena;
    entry *entries;
    int n;
};

static uLong source_read(voidpf opaque, voidpf stream, void *buf, uLong size)
{
    cx_zip *zip = stream;
    (void)opaque;
    if (size > zip->end - zip->at) size = zip->end - zip->at;
    if (cx_file_read_at(buf, zip->fd, size, (int64_t)zip->at, NULL) < 0) return 0;
    zip->at += size;
    return size;
}

static uLong source_write(voidpf opaque, voidpf stream, const void *buf, uLong size)
{
    (void)opaque;
    (void)stream;
    (void)buf;
    (void)size;
    return 0;
}

static ZPOS64_T source_tell(voidpf opaque, voidpf stream)
{
    (void)opaque;
    return ((cx_zip *)stream)->at;
}

static long source_seek(voidpf opaque, voidpf stream, ZPOS64_T offset, int origin)
{
    cx_zip *zip = stream;
    uint64_t from = origin == ZLIB_FILEFUNC_SEEK_CUR ? zip->at : 0;
    (void)opaque;
    if (origin == ZLIB_FILEFUNC_SEEK_END) from = zip->end;
    if (offset > zip->end || from > zip->end - offset) return -1;
    zip->at = from + offset;
    return 0;
}

static int damaged(cvs_error *err)
{
    return cx_fail(err, CVS_E_FORMAT, "the zip file is damaged or cut off");
}

static int read_entry(entry *e, cx_zip *zip, cvs_error *err)
{
    unz_file_info64 info;
    char name[CX_ZIP_MAX_NAME + 1] = "";
    if (unzGetCurrentFileInfo64(zip->unzip, &info, name, sizeof name, NULL, 0, NULL, 0) != UNZ_OK ||
        unzGetFilePos64(zip->unzip, &e->place) != UNZ_OK)
        return damaged(err);
    if (info.size_filename > CX_ZIP_MAX_NAME || strlen(name) != info.size_filename)
        return cx_fail(err, CVS_E_FORMAT, "the zip file has a member whose name is not possible");
    e->name = cx_arena_strdup(zip->arena, name);
    e->size = info.uncompressed_size;
    e->packed = info.compressed_size;
    e->is_stored = info.compression_method == 0;
    e->is_odd = (info.flag & ENCRYPTED) || (!e->is_stored && info.compression_method != Z_DEFLATED);
    return e->name ? 0 : cx_no_memory(err, sizeof name);
}

static int read_entries(cx_zip *zip, cvs_error *err)
{
    unz_global_info64 global;
    int rc = 0;
    if (unzGetGlobalInfo64(zip->unzip, &global) != UNZ_OK) return damaged(err);
    if (global.number_entry > MAX_READ_MEMBERS)
        return cx_fail(err, CVS_E_FORMAT, "the zip file has more than %d members",
                       MAX_READ_MEMBERS);
    zip->entries = cx_arena_array(zip->arena, global.number_entry, sizeof *zip->entries);
    if (!zip->entries) return cx_no_memory(err, global.number_entry * sizeof *zip->entries);
    for (uint64_t i = 0; i < global.number_entry; i++) {
        if ((i ? unzGoToNextFile(zip->unzip) : unzGoToFirstFile(zip->unzip)) != UNZ_OK)
            return damaged(err);
        TRY(read_entry(&zip->entries[zip->n], zip, err));
        zip->n++;
    }
out:
    return rc;
}

int cx_zip_open(cx_zip **out, int fd, cvs_error *err)
{
    struct stat st;
    int rc = 0;
    cx_zip *zip = cx_calloc(1, sizeof *zip);
    *out = NULL;
    if (!zip || !(zip->arena = cx_arena_new())) {
        rc = cx_no_memory(err, sizeof *zip);
        goto out;
    }
    zip->fd = fd;
    zip->end = fstat(fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
    zlib_filefunc64_def functions = {sink_open,   source_read, source_write, source_tell,
                                     source_seek, sink_close,  sink_close,   zip};
    zip->unzip = unzOpen2_64("", &functions);
    if (!zip->unzip) {
        rc = damaged(err);
        goto out;
    }
    TRY(read_entries(zip, err));
    *out = zip;
    zip = NULL;
out:
    cx_zip_close(zip);
    return rc;
}

void cx_zip_close(cx_zip *zip)
{
    if (!zip) return;
    if (zip->unzip) unzClose(zip->unzip);
    cx_arena_free(zip->arena);
    cx_free(zip);
}

int cx_zip_count(const cx_zip *zip)
{
    return zip->n;
}

const char *cx_zip_name(const cx_zip *zip, int i)
{
    return i >= 0 && i < zip->n ? zip->entries[i].name : NULL;
}

int cx_zip_has(const cx_zip *zip, const char *name)
{
    for (int i = 0; i < zip->n; i++)
        if (strcmp(zip->entries[i].name, name) == 0) return 1;
    return 0;
}

/* The entry of that name, if what it says of itself is possible. Readers differ in which of two
 * members of one name they take, so there may be one only. */
static int find_entry(entry **out, cx_zip *zip, const char *name, size_t limit, cvs_error *err)
{
    entry *e = NULL;
    for (int i = 0; i < zip->n; i++) {
        if (strcmp(zip->entries[i].name, name) != 0) continue;
        if (e) return cx_fail(err, CVS_E_FORMAT, "the zip file has two members %s", name);
        e = &zip->entries[i];
    }
    *out = e;
    if (!e) return cx_fail(err, CVS_E_FORMAT, "the zip file has no member %s", name);
    if (e->is_odd)
        return cx_fail(err, CVS_E_UNSUPPORTED,
                       "it is encrypted or packed in a way that is not supported");
    if (e->packed > zip->end || (e->is_stored && e->size != e->packed) ||
        e->size / MAX_RATIO > e->packed)
        return cx_fail(err, CVS_E_FORMAT, "it cannot have the size that the zip file states");
    if (e->size > limit)
        return cx_fail(err, CVS_E_FORMAT, "it has %llu bytes unpacked, at most %zu are read",
                       (unsigned long long)e->size, limit);
    return 0;
}

static int write_all(int fd, const uint8_t *p, size_t n, cvs_error *err)
{
    while (n > 0) {
        ssize_t k = write(fd, p, n);
        if (k < 0) return cx_no_memory(err, n);
        p += k;
        n -= (size_t)k;
    }
    return 0;
}

/* Unpack a member into `to`, which has room for it, or where that is NULL to `fd`. */
static int unpack(cx_zip *zip, entry *e, uint8_t *to, int fd, cvs_error *err)
{
    uint8_t chunk[CHUNK];
    uint64_t left = e->size;
    int rc = 0, got = 1;
    if (unzGoToFilePos64(zip->unzip, &e->place) != UNZ_OK ||
        unzOpenCurrentFile(zip->unzip) != UNZ_OK)
        return damaged(err);
    while (rc == 0 && left > 0) {
        got = unzReadCurrentFile(zip->unzip, chunk, left < CHUNK ? (unsigned)left : CHUNK);
        if (got <= 0) break;
        if (to)
            memcpy(to + (e->size - left), chunk, (size_t)got);
        else
            rc = write_all(fd, chunk, (size_t)got, err);
        left -= (uint64_t)got;
    }
    int checked = unzCloseCurrentFile(zip->unzip) == UNZ_OK;
    return rc < 0 ? rc : left > 0 || !checked ? damaged(err) : 0;
}

int cx_zip_read(cx_bytes *out, cx_zip *zip, const char *name, size_t limit, cvs_error *err)
{
    entry *e;
    int rc;
    *out = (cx_bytes){0};
    TRY(find_entry(&e, zip, name, limit, err));
    out->data = cx_alloc(e->size + 1); /* so that nothing is a block, too */
    out->size = e->size;
    TRY(out->data ? unpack(zip, e, out->data, -1, err) : cx_no_memory(err, e->size));
out:
    if (rc < 0) cx_bytes_deinit(out);
    return rc < 0 ? cx_where(err, rc, "%s", name) : 0;
}

int cx_zip_extract(int *fd, cx_zip *zip, const char *name, size_t limit, cvs_error *err)
{
    entry *e;
    int rc, made = -1;
    *fd = -1;
    TRY(find_entry(&e, zip, name, limit, err));
    made = memfd_create(name, MFD_CLOEXEC);
    TRY(made >= 0 ? unpack(zip, e, NULL, made, err) : cx_no_memory(err, e->size));
    *fd = made;
    made = -1;
out:
    if (made >= 0) close(made);
    return rc < 0 ? cx_where(err, rc, "%s", name) : 0;
}
