/* tensor.h - shapes and dense float32 arrays in C order. */
#ifndef CX_TENSOR_TENSOR_H
#define CX_TENSOR_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"

enum { CX_MAX_DIMS = CVS_MAX_DIMS };

/* A size that is not known yet: the batch of a model, or Keras' None. */
enum { CX_FREE = -1 };

typedef struct cx_shape {
    int ndim;
    int64_t d[CX_MAX_DIMS];
} cx_shape;

/* Numbers in a shape; -1 when a size is free or negative or the product is over the limit of 2^40,
 * beyond which no tensor makes sense here. */
int64_t cx_shape_count(const cx_shape *s);
/* The same over axes from … to - 1. */
int64_t cx_shape_count_range(const cx_shape *s, int from, int to);
int cx_shape_equal(const cx_shape *a, const cx_shape *b);
int cx_shape_is_known(const cx_shape *s); /* no free size */

/* "(None, 148, 148, 32)" as Python writes it. Gives buf back. */
enum { CX_SHAPE_TEXT = 128 };
char *cx_shape_text(char buf[CX_SHAPE_TEXT], const cx_shape *s);

/* A tensor is a shape and where its numbers lie. Who owns them is said by who made it:
 * cx_tensor_init allocates, a view borrows. */
typedef struct cx_tensor {
    cx_shape shape;
    float *data;
    cx_block block; /* its own memory; all zero for a view */
} cx_tensor;

int cx_tensor_init(cx_tensor *out, const cx_shape *shape, cvs_error *err); /* zeros */
void cx_tensor_deinit(cx_tensor *t);
cx_tensor cx_tensor_view(float *data, const cx_shape *shape);

#endif
