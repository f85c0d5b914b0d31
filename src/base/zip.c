/* zip.c - minizip, writing into memory, so that a file is put in its place whole. */
#include "base/zip.h"

#include <limits.h>
#include <minizip/zip.h>
#include <string.h>

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
