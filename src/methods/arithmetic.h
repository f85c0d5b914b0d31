/* arithmetic.h - how one number of a layer came about: what was read, by what it was multiplied,
 * what it adds up to and what the activation makes of that. */
#ifndef CX_METHODS_ARITHMETIC_H
#define CX_METHODS_ARITHMETIC_H

#include "methods/map.h"

typedef enum cx_made {
    CX_MADE_GIVEN,     /* a number of the model's input */
    CX_MADE_READ,      /* from a window, see cx_reads */
    CX_MADE_SCALED,    /* x scale + shift */
    CX_MADE_ACTIVATED, /* by a function of one number, or of all channels at a place */
    CX_MADE_MOVED,     /* the same number stands elsewhere in an input */
    CX_MADE_COMBINED,  /* of the numbers at the same place of all inputs */
    CX_MADE_OTHERWISE, /* nobody can tell more */
} cx_made;

/* A place in what a layer gives, as cx_stack has it. */
typedef struct cx_place {
    int64_t row, column, channel;
} cx_place;

/* An input of the layer, and what it has at the place that counts. */
typedef struct cx_operand {
    int node;
    int64_t height, width, channels;
    int has_value; /* 0: it has no place that is the same */
    cx_place place;
    double value;
} cx_operand;

typedef struct cx_arithmetic {
    int node;
    cx_place place;
    double value; /* in the run */
    cx_made made;
    cx_operand *operands; /* owned */
    int n_operands;

    /* CX_MADE_READ: cells of the window, row after row, each with the channels that are read. Cells
     * outside the input count for nothing. */
    cx_reads reads;
    int64_t top, left, high, wide; /* the window; its first cell may lie before the input */
    int64_t cells;
    char *inside;           /* of each cell: 1 in the input; owned, and the three below */
    float *x, *kernel;      /* cells × reads.channels; kernel NULL but for sums */
    double *sums;           /* of each channel that is read, over the cells; of sums */
    int64_t winner;         /* of the largest: the first such cell; -1: none is inside */
    double scale, shift;    /* CX_MADE_SCALED */
    double sum;             /* what comes out before the activation */
    const char *activation; /* its Keras name; NULL: none. Static */
    double result;          /* what comes out; NAN: nobody can tell */
} cx_arithmetic;

/* Of a run that has been computed and keeps the node and what it reads; slot 0. */
int cx_arithmetic_of(cx_arithmetic *out, const cvs_run *run, int node, const cx_place *place,
                     cvs_error *err);
void cx_arithmetic_deinit(cx_arithmetic *a);

/* Which of the channels that are read add most in size: at most `most` of them, the largest first;
 * gives their number. */
int64_t cx_arithmetic_strongest(const cx_arithmetic *a, int64_t *channels, int64_t most);

#endif
