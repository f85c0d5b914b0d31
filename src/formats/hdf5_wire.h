/* hdf5_wire.h - how the child that reads an HDF5 file tells its parent what is in it.
 *
 * A stream of records. Numbers are 64 bits in the machine's order, a text is its length and its
 * bytes. Objects are counted from 0, the root, in the order of their records; a parent comes before
 * what is in it. */
#ifndef CX_FORMATS_HDF5_WIRE_H
#define CX_FORMATS_HDF5_WIRE_H

#include <sys/types.h>

#include "formats/hdf5.h"

enum {
    CX_H5_MAX_OBJECTS = 200000,
    CX_H5_MAX_DEPTH = 48,
    CX_H5_MAX_TEXT = 64 << 20,    /* bytes of one attribute */
    CX_H5_MAX_STRINGS = 1000000,  /* of one attribute */
    CX_H5_INLINE_BASE = 24 << 20, /* bytes of all texts and numbers in the stream: this … */
    CX_H5_INLINE_FACTOR = 8,      /* … and so many times the file */
};

enum {
    CX_WIRE_GROUP = 'G',     /* parent, name */
    CX_WIRE_ATTRIBUTE = 'A', /* of the last object: name, number of strings, the strings */
    CX_WIRE_DATASET = 'D',   /* parent, name, axes, sizes, 1 for whole numbers, cx_h5_storage; with
                                CX_H5_IN_FILE the offset, with CX_H5_INLINE the numbers as float */
    CX_WIRE_END = 'E',       /* all was told */
    CX_WIRE_FAIL = 'F',      /* a text: why the file cannot be read */
    CX_WIRE_NO_MEMORY = 'M', /* a number: bytes that could not be had */
};

typedef struct cx_h5_attribute_record {
    const char *name;
    int n;
    const char *const *item;
} cx_h5_attribute_record;

struct cx_h5 {
    int fd;
    pid_t child; /* 0 when there is none to be waited for */
    int64_t file_size, inline_bytes;
    cx_arena *arena;
    cx_h5_object *objects;       /* as they came */
    const cx_h5_object **sorted; /* by parent and name */
    cx_h5_attribute_record *attributes;
    size_t n_objects, n_attributes;
};

/* Start the child and fill objects and attributes with what it says. */
int cx_h5_listen(cx_h5 *h5, cvs_error *err);
/* End the child, if it did not end by itself. */
void cx_h5_reap(cx_h5 *h5);

/* The child's whole life: read `fd`, write records to `out`, exit. `file_size` bounds what it may
 * use. */
_Noreturn void cx_h5_child(int fd, int out, int64_t file_size);

/* Bytes that the texts and numbers in the stream may have. A sparse file can claim any size. */
static inline int64_t cx_h5_budget(int64_t file_size)
{
    const int64_t most = (int64_t)1 << 40;
    return CX_H5_INLINE_BASE + CX_H5_INLINE_FACTOR * (file_size < most ? file_size : most);
}

/* Milliseconds that the child may compute: damaged files send libhdf5 in circles. A sound one of
 * that size takes less than a tenth of it. */
static inline int64_t cx_h5_cpu_ms(int64_t file_size)
{
    return 500 + (file_size >> 14);
}

/* Seconds after which reading a file of that size has gone wrong, however busy the machine. */
static inline unsigned cx_h5_seconds(int64_t file_size)
{
    int64_t seconds = 5 + (file_size >> 25);
    return seconds < 600 ? (unsigned)seconds : 600;
}

#endif
