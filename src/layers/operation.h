/* operation.h - the kinds that only operations become. They have namesakes among the layers, so
 * they are not in the table: cx_operation_read finds them. */
#ifndef CX_LAYERS_OPERATION_H
#define CX_LAYERS_OPERATION_H

#include "layers/layer.h"

enum {
    CX_OP_ADD,
    CX_OP_SUBTRACT,
    CX_OP_MULTIPLY,
    CX_OP_DIVIDE,
    CX_OP_MAXIMUM,
    CX_OP_MINIMUM,
    CX_OP_POWER,
    CX_N_ARITHMETIC
};

/* Of two tensors, and of a tensor and a constant, which is "left" or "right" in the configuration:
 * a number, or nested lists. */
extern const cx_layer_kind cx_operation_arithmetic[2][CX_N_ARITHMETIC];

/* x[…]; "items" are what the brackets hold, in Keras 2's or 3's words. */
extern const cx_layer_kind cx_operation_slice;
/* Tensors of one shape, one after the other along a new "axis". */
extern const cx_layer_kind cx_operation_stack;
/* One half of the "axis", times the sigmoid of the other. */
extern const cx_layer_kind cx_operation_glu;

#endif
