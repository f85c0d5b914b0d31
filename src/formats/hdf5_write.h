/* hdf5_write.h - an HDF5 file made in memory.
 *
 * What is written is our own, so libhdf5 works in this process here. It is not made for threads:
 * from cx_h5_writer_new to cx_h5_writer_finish no other thread writes. */
#ifndef CX_FORMATS_HDF5_WRITE_H
#define CX_FORMATS_HDF5_WRITE_H

#include "base/file.h"
#include "tensor/tensor.h"

typedef struct cx_h5_writer cx_h5_writer;

int cx_h5_writer_new(cx_h5_writer **out, cvs_error *err);

/* Groups above what is written appear with it. Failures wait until cx_h5_writer_finish. */
void cx_h5_put_group(cx_h5_writer *w, const char *path); /* one that is there is fine */
void cx_h5_put_floats(cx_h5_writer *w, const char *path, const cx_shape *shape, const float *data);

/* An attribute of the group `path` ("/": the root), a text of any length. */
void cx_h5_put_text(cx_h5_writer *w, const char *path, const char *name, const char *text);

/* A list of texts as an attribute, as Keras writes one: of fixed width, and in pieces name0, name1,
 * … where it is too long for one. */
void cx_h5_put_texts(cx_h5_writer *w, const char *path, const char *name, const char *const *texts,
                     size_t n);

/* The bytes of the file, the caller's to cx_bytes_deinit; frees the writer in any case. */
int cx_h5_writer_finish(cx_bytes *out, cx_h5_writer *w, cvs_error *err);

#endif
