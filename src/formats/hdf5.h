/* hdf5.h - what is in an HDF5 file: groups, their string attributes, arrays of numbers.
 *
 * libhdf5 is not made for hostile files: bytes of their choice can crash it. So a child process
 * with little memory and time reads the file and tells what it found; here the file's own bytes
 * are never parsed, and whatever the child says is checked again. */
#ifndef CX_FORMATS_HDF5_H
#define CX_FORMATS_HDF5_H

#include "base/file.h"
#include "tensor/tensor.h"

/* Where the numbers of a dataset are, or why they cannot be had. */
typedef enum cx_h5_storage {
    CX_H5_IN_FILE,     /* little-endian float32, one after the other, in the file itself */
    CX_H5_INLINE,      /* were packed or of another type; converted while reading */
    CX_H5_NOT_NUMBERS, /* text, records, … */
    CX_H5_ELSEWHERE,   /* in another file: refused, a model must not make us open it */
    CX_H5_TOO_LARGE,   /* claims more numbers than a file of this size can hold */
    CX_H5_UNREADABLE,  /* damaged, or packed with a filter that is not here */
    CX_H5_STORAGES
} cx_h5_storage;

/* A group or a dataset. Borrowed from the file until cx_h5_close. */
typedef struct cx_h5_object {
    const char *name; /* the last part of its path */
    int parent;       /* index of the group it is in; -1 for the root */
    int is_dataset;
    int is_integer; /* a dataset of whole numbers */
    cx_shape shape; /* of a dataset */
    cx_h5_storage storage;
    int64_t offset; /* CX_H5_IN_FILE */
    float *data;    /* CX_H5_INLINE */
    int first_attribute, n_attributes;
} cx_h5_object;

/* The strings of an attribute, borrowed like objects. */
typedef struct cx_h5_strings {
    int found; /* 0: there is no such attribute */
    int n;
    const char *const *item;
} cx_h5_strings;

typedef struct cx_h5 cx_h5;

/* 1 when the file begins like HDF5 (at 0, or after a user block). */
int cx_h5_probe(int fd, int64_t file_size);

/* Read what is in the file; `fd` must stay open until cx_h5_close. optimizer_weights is left out:
 * it is as large as the model and nothing wants it. */
int cx_h5_open(cx_h5 **out, int fd, cvs_error *err);
void cx_h5_close(cx_h5 *h5);

/* The object at a path like "a/b" below a group (NULL: the root), NULL when there is none. */
const cx_h5_object *cx_h5_find(const cx_h5 *h5, const cx_h5_object *group, const char *path);

/* The i-th member of a group, by name; NULL past the end. */
const cx_h5_object *cx_h5_member(const cx_h5 *h5, const cx_h5_object *group, size_t i);

/* A string attribute of a group (NULL: the root), its pieces joined where Keras split a long one
 * into name0, name1, … */
int cx_h5_attribute(cx_h5_strings *out, cx_h5 *h5, const cx_h5_object *group, const char *name,
                    cvs_error *err);

/* Its first string, NULL when there is none. */
const char *cx_h5_text(const cx_h5 *h5, const cx_h5_object *group, const char *name);

/* Copy the numbers of a dataset, cx_shape_count(&dataset->shape) of them. */
int cx_h5_read(float *out, const cx_h5 *h5, const cx_h5_object *dataset, cvs_error *err);

/* Where in the file the numbers of a dataset stand as a float array, -1 when they do not (packed,
 * of another type, at an odd place). */
int64_t cx_h5_place(const cx_h5_object *dataset);

/* Map the file, so that such places can be used. It outlives the cx_h5. */
int cx_h5_map(cx_mapping *out, const cx_h5 *h5, cvs_error *err);

/* An upper bound for the numbers that all datasets together can hold, in bytes. */
int64_t cx_h5_room(const cx_h5 *h5);

#endif
