/* vec_set.c - the table of one instruction set. */
#include "kernels/vector.h"

#define TEXT_(name) #name
#define TEXT(name)  TEXT_(name)

extern const cx_set CX_NAME(set);

const cx_set CX_NAME(set) = {
    .name = TEXT(CX_SET),
    .lanes = CX_VL,
    .vectors = CX_MANY_REGISTERS ? 4 : 2,
    .conv = CX_NAME(conv),
#if CX_MANY_REGISTERS
    .conv_pair = CX_NAME(conv_pair),
#endif
    .conv_few = CX_NAME(conv_few),
    .winograd_weights = CX_NAME(winograd_weights),
    .winograd_in = CX_NAME(winograd_in),
    .winograd_out = CX_NAME(winograd_out),
    .winograd_derivatives = CX_NAME(winograd_derivatives),
    .winograd_gradient = CX_NAME(winograd_gradient),
    .fence = CX_NAME(fence),
    .depthwise = CX_NAME(depthwise),
#if CX_MANY_REGISTERS
    .depthwise_plane = CX_NAME(depthwise_plane),
#endif
    .max_pool = CX_NAME(max_pool),
    .average_pool = CX_NAME(average_pool),
    .max_pool_back = CX_NAME(max_pool_back),
    .average_pool_back = CX_NAME(average_pool_back),
    .max_pool_back_tiles = CX_NAME(max_pool_back_tiles),
    .dense_row = CX_NAME(dense_row),
    .dots = CX_NAME(dots),
    .column_sum = CX_NAME(column_sum),
    .column_max = CX_NAME(column_max),
    .column_dot = CX_NAME(column_dot),
    .column_centred = CX_NAME(column_centred),
    .moments_back = CX_NAME(moments_back),
    .affine = CX_NAME(affine),
    .binary = CX_NAME(binary),
    .binary_back = CX_NAME(binary_back),
    .activation = CX_NAME(activation),
    .activation_back = CX_NAME(activation_back),
    .update = CX_NAME(update),
};
