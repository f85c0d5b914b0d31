/* npz.c - NumPy's .npz: a zip of .npy members. */
#include <stdio.h>

#include "base/zip.h"
#include "tensor/npy.h"

/* All that a member needs until the file is written. */
typedef struct slot {
    char name[CX_ZIP_MAX_NAME + 1];
    char header[CX_NPY_HEADER];
    cx_piece pieces[2];
} slot;

int cx_npz_write(const char *path, const cx_npz_entry *entries, int n, cvs_error *err)
{
    slot *slots = cx_calloc((size_t)n, sizeof *slots);
    cx_zip_member *members = cx_calloc((size_t)n, sizeof *members);
    int rc;
    if (!slots || !members) {
        rc = cx_no_memory(err, (size_t)n * sizeof *slots);
        goto out;
    }
    for (int i = 0; i < n; i++) {
        const cx_npz_entry *e = &entries[i];
        slot *s = &slots[i];
        int64_t count = cx_shape_count(&e->shape);
        int len = snprintf(s->name, sizeof s->name, "%s.npy", e->name);
        if (count < 0 || len < 0 || (size_t)len >= sizeof s->name) {
            rc = cx_fail(err, CVS_E_ARG, "%s cannot be a member of a .npz",
                         count < 0 ? "a shape with free sizes" : "a name of that length");
            goto out;
        }
        s->pieces[0] = (cx_piece){s->header, cx_npy_header(s->header, &e->shape)};
        s->pieces[1] = (cx_piece){e->data, (size_t)count * sizeof *e->data};
        members[i] = (cx_zip_member){s->name, s->pieces, 2};
    }
    rc = cx_zip_write(path, members, n, err);
out:
    cx_free(members);
    cx_free(slots);
    return rc;
}
