/* initializer.h - the numbers that weights begin with, as Keras defines its initializers.
 *
 * The distributions are Keras', the numbers are not: its random generators cannot be had again. */
#ifndef CX_TENSOR_INITIALIZER_H
#define CX_TENSOR_INITIALIZER_H

#include "base/json.h"
#include "tensor/tensor.h"

typedef enum cx_initializer_kind {
    CX_INIT_CONSTANT,   /* a */
    CX_INIT_NORMAL,     /* mean a, deviation b */
    CX_INIT_TRUNCATED,  /* the same, drawn again where it is more than 2 deviations from the mean */
    CX_INIT_UNIFORM,    /* a … b */
    CX_INIT_SCALED,     /* variance a / fan: glorot, he, lecun and VarianceScaling */
    CX_INIT_ORTHOGONAL, /* a: the gain */
    CX_INIT_IDENTITY,   /* a: the gain */
    CX_INIT_UNKNOWN,    /* somebody's own */
} cx_initializer_kind;

typedef enum cx_fan { CX_FAN_IN, CX_FAN_OUT, CX_FAN_AVERAGE } cx_fan;

typedef struct cx_initializer {
    cx_initializer_kind kind;
    double a, b;
    cx_fan fan;                       /* of a scaled one */
    cx_initializer_kind distribution; /* and this: normal, truncated or uniform */
    char name[64];                    /* as the file has it */
} cx_initializer;

/* As Keras writes one: a name of any of its versions ("glorot_uniform", "GlorotUniform"), or an
 * object. What is not known is not a failure until it is drawn from. */
void cx_initializer_read(cx_initializer *out, const cx_json *v);
/* One by name that is known. */
cx_initializer cx_initializer_named(const char *name);

/* Fill `out`, of that shape, with numbers that depend on `seed` alone. CVS_E_UNSUPPORTED for one
 * that is not known, CVS_E_ARG for one that does not go with the shape. */
int cx_initializer_draw(float *out, const cx_initializer *how, const cx_shape *shape, uint64_t seed,
                        cvs_error *err);

#endif
