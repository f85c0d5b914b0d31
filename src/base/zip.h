/* zip.h - zip files, written and read. The one home of minizip. */
#ifndef CX_BASE_ZIP_H
#define CX_BASE_ZIP_H

#include "base/file.h"

/* One member: the pieces, one after the other, under a UTF-8 name. */
typedef struct cx_zip_member {
    const char *name;
    const cx_piece *pieces;
    int n;
} cx_zip_member;

/* Write the members, stored and dated 1980-01-01, so that the same content gives the same bytes;
 * the file appears whole or not at all. CVS_E_UNSUPPORTED where they want the zip64 extension (4
 * GiB or 65,535 members), CVS_E_ARG for a name that is empty or over CX_ZIP_MAX_NAME bytes. */
enum { CX_ZIP_MAX_NAME = 4096 };
int cx_zip_write(const char *path, const cx_zip_member *members, int n, cvs_error *err);

/* A zip file to be read; strangers' are welcome. */
typedef struct cx_zip cx_zip;

/* Read the list of members of the file that is open as `fd`, which must stay open until
 * cx_zip_close. */
int cx_zip_open(cx_zip **out, int fd, cvs_error *err);
void cx_zip_close(cx_zip *zip);

int cx_zip_count(const cx_zip *zip);
const char *cx_zip_name(const cx_zip *zip, int i); /* borrowed; NULL past the end */
/* Whether there is a member of that name. */
int cx_zip_has(const cx_zip *zip, const char *name);

/* One member, stored or deflated, into memory. Nothing is asked for before its size is known to be
 * at most `limit` and possible for the bytes that are there; a member that is not what its entry
 * says is refused. */
int cx_zip_read(cx_bytes *out, cx_zip *zip, const char *name, size_t limit, cvs_error *err);
/* The same into a file without a name, in memory, whose descriptor is the caller's to close(). */
int cx_zip_extract(int *fd, cx_zip *zip, const char *name, size_t limit, cvs_error *err);

#endif
