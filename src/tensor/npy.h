/* npy.h - NumPy's .npy files (format 1.0 written; 1.0 to 3.0 read). */
#ifndef CX_TENSOR_NPY_H
#define CX_TENSOR_NPY_H

#include "base/file.h"
#include "tensor/tensor.h"

/* The header of a .npy of `shape`, '<f4', C order: its length, a multiple of 64. The numbers follow
 * it in the file as they lie in memory on a little-endian machine. */
enum { CX_NPY_HEADER = 256 };
size_t cx_npy_header(char out[CX_NPY_HEADER], const cx_shape *shape);

/* A whole .npy, the caller's to cx_bytes_deinit(). */
int cx_npy_pack(cx_bytes *out, const float *data, const cx_shape *shape, cvs_error *err);
int cx_npy_write(const char *path, const float *data, const cx_shape *shape, cvs_error *err);

/* Read floats of 2, 4 or 8 bytes, integers of 1 to 8 bytes and booleans, either byte order, C or
 * Fortran order; the result is float32 in C order and the caller's to deinit. Memory is asked for
 * only after the file is known to hold that many numbers. */
int cx_npy_read(cx_tensor *out, const char *path, cvs_error *err);
int cx_npy_parse(cx_tensor *out, const uint8_t *bytes, size_t size, cvs_error *err);

/* The number that 16 bits of IEEE's binary16 are; exact. */
float cx_half_to_float(uint16_t bits);

/* Write several tensors as one .npz (a zip of .npy members, stored), at once. */
typedef struct cx_npz_entry {
    const char *name; /* without ".npy" */
    const float *data;
    cx_shape shape;
} cx_npz_entry;
int cx_npz_write(const char *path, const cx_npz_entry *entries, int n, cvs_error *err);

#endif
