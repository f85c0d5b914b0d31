/* zip.h - zip files. The one home of minizip. */
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

#endif
