/* hdf5.c - a file that was read: finding things in it. */
#include "formats/hdf5.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "formats/hdf5_wire.h"

/* --- opening --- */

static int by_parent_and_name(const void *a, const void *b)
{
    const cx_h5_object *x = *(const cx_h5_object *const *)a, *y = *(const cx_h5_object *const *)b;
    if (x->parent != y->parent) return x->parent < y->parent ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int sort_objects(cx_h5 *h5, cvs_error *err)
{
    h5->sorted = cx_calloc(h5->n_objects, sizeof *h5->sorted);
    if (!h5->sorted) return cx_no_memory(err, h5->n_objects * sizeof *h5->sorted);
    for (size_t i = 0; i < h5->n_objects; i++) h5->sorted[i] = &h5->objects[i];
    qsort(h5->sorted, h5->n_objects, sizeof *h5->sorted, by_parent_and_name);
    return 0;
}

int cx_h5_probe(int fd, int64_t file_size)
{
    static const uint8_t signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    uint8_t bytes[8];
    for (int64_t at = 0; at <= file_size - 8; at = at ? at * 2 : 512) {
        if (cx_file_read_at(bytes, fd, sizeof bytes, at, NULL) < 0) return 0;
        if (memcmp(bytes, signature, sizeof bytes) == 0) return 1;
    }
    return 0;
}

int cx_h5_open(cx_h5 **out, int fd, cvs_error *err)
{
    struct stat st;
    int rc = 0;
    cx_h5 *h5 = cx_calloc(1, sizeof *h5);
    *out = NULL;
    if (!h5 || !(h5->arena = cx_arena_new())) {
        rc = cx_no_memory(err, sizeof *h5);
        goto out;
    }
    h5->fd = fd;
    if (fstat(fd, &st) < 0 || !cx_h5_probe(fd, st.st_size)) {
        rc = cx_fail(err, CVS_E_FORMAT, "not an HDF5 file");
        goto out;
    }
    h5->file_size = st.st_size;
    TRY(cx_h5_listen(h5, err));
    TRY(sort_objects(h5, err));
    *out = h5;
    h5 = NULL;
out:
    cx_h5_close(h5);
    return rc;
}

void cx_h5_close(cx_h5 *h5)
{
    if (!h5) return;
    cx_h5_reap(h5);
    cx_free(h5->objects);
    cx_free(h5->sorted);
    cx_free(h5->attributes);
    cx_arena_free(h5->arena);
    cx_free(h5);
}

/* --- finding --- */

typedef struct key {
    int parent;
    const char *name;
    size_t len;
} key;

static int compare_key(const void *a, const void *b)
{
    const key *k = a;
    const cx_h5_object *o = *(const cx_h5_object *const *)b;
    if (k->parent != o->parent) return k->parent < o->parent ? -1 : 1;
    int order = strncmp(k->name, o->name, k->len);
    return order ? order : o->name[k->len] ? -1 : 0;
}

const cx_h5_object *cx_h5_find(const cx_h5 *h5, const cx_h5_object *group, const char *path)
{
    const cx_h5_object *at = group ? group : h5->objects;
    while (at && *path) {
        key k = {(int)(at - h5->objects), path, strcspn(path, "/")};
        path += k.len;
        path += strspn(path, "/");
        if (k.len == 0) continue;
        const cx_h5_object *const *found =
            bsearch(&k, h5->sorted, h5->n_objects, sizeof *h5->sorted, compare_key);
        at = found ? *found : NULL;
    }
    return at;
}

const cx_h5_object *cx_h5_member(const cx_h5 *h5, const cx_h5_object *group, size_t i)
{
    const int parent = (int)(group - h5->objects);
    size_t first = 0, end = h5->n_objects;
    while (first < end) { /* the members of a group stand together */
        const size_t middle = first + (end - first) / 2;
        if (h5->sorted[middle]->parent < parent)
            first = middle + 1;
        else
            end = middle;
    }
    if (i >= h5->n_objects - first || h5->sorted[first + i]->parent != parent) return NULL;
    return h5->sorted[first + i];
}

static const cx_h5_attribute_record *find_attribute(const cx_h5 *h5, const cx_h5_object *group,
                                                    const char *name)
{
    const cx_h5_object *o = group ? group : h5->objects;
    for (int i = 0; i < o->n_attributes; i++) {
        const cx_h5_attribute_record *a = &h5->attributes[o->first_attribute + i];
        if (strcmp(a->name, name) == 0) return a;
    }
    return NULL;
}

/* The i-th piece of a long list. */
static const cx_h5_attribute_record *find_piece(const cx_h5 *h5, const cx_h5_object *group,
                                                const char *name, int i)
{
    char numbered[64];
    snprintf(numbered, sizeof numbered, "%s%d", name, i);
    return find_attribute(h5, group, numbered);
}

/* Keras splits a list of more than 64,512 bytes: an object's header has no room for more. */
int cx_h5_attribute(cx_h5_strings *out, cx_h5 *h5, const cx_h5_object *group, const char *name,
                    cvs_error *err)
{
    const cx_h5_attribute_record *a = find_attribute(h5, group, name);
    int n = 0;
    *out = (cx_h5_strings){0};
    if (a) {
        *out = (cx_h5_strings){1, a->n, a->item};
        return 0;
    }
    if (!find_piece(h5, group, name, 0)) return 0;
    for (int i = 0; (a = find_piece(h5, group, name, i)); i++)
        if (__builtin_add_overflow(n, a->n, &n)) return cx_no_memory(err, SIZE_MAX);
    const char **item = cx_arena_array(h5->arena, (size_t)n, sizeof *item);
    if (!item) return cx_no_memory(err, (size_t)n * sizeof *item);
    *out = (cx_h5_strings){1, n, item};
    for (int i = 0; (a = find_piece(h5, group, name, i)); i++) {
        memcpy(item, a->item, (size_t)a->n * sizeof *item);
        item += a->n;
    }
    return 0;
}

const char *cx_h5_text(const cx_h5 *h5, const cx_h5_object *group, const char *name)
{
    const cx_h5_attribute_record *a = find_attribute(h5, group, name);
    return a && a->n > 0 ? a->item[0] : NULL;
}

int64_t cx_h5_room(const cx_h5 *h5)
{
    return h5->file_size + h5->inline_bytes;
}

int cx_h5_read(float *out, const cx_h5 *h5, const cx_h5_object *dataset, cvs_error *err)
{
    int64_t count = cx_shape_count(&dataset->shape);
    size_t size = count > 0 ? (size_t)count * sizeof *out : 0;
    switch (dataset->storage) {
    case CX_H5_IN_FILE:
        return cx_file_read_at(out, h5->fd, size, dataset->offset, err);
    case CX_H5_INLINE:
        memcpy(out, dataset->data, size);
        return 0;
    case CX_H5_NOT_NUMBERS:
        return cx_fail(err, CVS_E_FORMAT, "it holds no numbers");
    case CX_H5_ELSEWHERE:
        return cx_fail(err, CVS_E_UNSUPPORTED, "its numbers are in another file");
    case CX_H5_TOO_LARGE:
        return cx_fail(err, CVS_E_FORMAT, "it is larger than a file of this size can hold");
    case CX_H5_UNREADABLE:
    case CX_H5_STORAGES:
        break;
    }
    return cx_fail(err, CVS_E_FORMAT, "its numbers cannot be read");
}

int64_t cx_h5_place(const cx_h5_object *dataset)
{
    int here = dataset->storage == CX_H5_IN_FILE && dataset->offset % (int64_t)sizeof(float) == 0;
    return here ? dataset->offset : -1;
}

int cx_h5_map(cx_mapping *out, const cx_h5 *h5, cvs_error *err)
{
    return cx_file_map(out, h5->fd, (size_t)h5->file_size, err);
}
