/* reference.h - every operation of kernels.h in plain loops with double sums: slow and plainly
 * right. Same signatures and rules; a workspace is not used and may be NULL. */
#ifndef CX_KERNELS_REFERENCE_H
#define CX_KERNELS_REFERENCE_H

#include "kernels/kernels.h"

void cx_ref_conv_forward(const cx_conv *c, const float *x, const float *w, const cx_epilogue *e,
                         float *y, void *workspace);
/* w as Keras stores it, not packed. */
void cx_ref_conv_transpose_forward(const cx_conv_transpose *c, const float *x, const float *w,
                                   const cx_epilogue *e, float *y, void *workspace);
void cx_ref_depthwise_forward(const cx_depthwise *d, const float *x, const float *w,
                              const cx_epilogue *e, float *y, void *workspace);
void cx_ref_dense_forward(int64_t rows, int64_t in, int64_t out, const float *x, const float *w,
                          const cx_epilogue *e, float *y, void *workspace);

void cx_ref_conv_backward_data(const cx_conv *c, const float *dy, const float *w, float *dx,
                               void *workspace);
void cx_ref_conv_backward_weights(const cx_conv *c, const float *x, const float *dy, float *dw,
                                  void *workspace);
void cx_ref_bias_backward(int64_t rows, int64_t channels, const float *dy, float *db);
void cx_ref_conv_transpose_backward_data(const cx_conv_transpose *c, const float *dy,
                                         const float *w, float *dx, void *workspace);
void cx_ref_conv_transpose_backward_weights(const cx_conv_transpose *c, const float *x,
                                            const float *dy, float *dw, void *workspace);
void cx_ref_depthwise_backward_data(const cx_depthwise *d, const float *dy, const float *w,
                                    float *dx, void *workspace);
void cx_ref_depthwise_backward_weights(const cx_depthwise *d, const float *x, const float *dy,
                                       float *dw, void *workspace);
void cx_ref_dense_backward_data(int64_t rows, int64_t in, int64_t out, const float *dy,
                                const float *w, float *dx, void *workspace);
void cx_ref_dense_backward_weights(int64_t rows, int64_t in, int64_t out, const float *x,
                                   const float *dy, float *dw, void *workspace);

void cx_ref_max_pool_forward(const cx_window *w, int64_t channels, const float *x, float *y);
void cx_ref_average_pool_forward(const cx_window *w, int64_t channels, const float *x, float *y);
void cx_ref_max_pool_backward(const cx_window *w, int64_t channels, const float *x, const float *y,
                              const float *dy, float *dx);
void cx_ref_average_pool_backward(const cx_window *w, int64_t channels, const float *dy, float *dx);
void cx_ref_global_max_forward(int64_t batch, int64_t positions, int64_t channels, const float *x,
                               float *y);
void cx_ref_global_average_forward(int64_t batch, int64_t positions, int64_t channels,
                                   const float *x, float *y);
void cx_ref_global_max_backward(int64_t batch, int64_t positions, int64_t channels, const float *x,
                                const float *y, const float *dy, float *dx);
void cx_ref_global_average_backward(int64_t batch, int64_t positions, int64_t channels,
                                    const float *dy, float *dx);

void cx_ref_affine_forward(int64_t rows, int64_t channels, const float *x, const float *scale,
                           const float *shift, float *y);
void cx_ref_affine_backward_weights(int64_t rows, int64_t channels, const float *x, const float *dy,
                                    float *dscale, float *dshift);
void cx_ref_binary_forward(cx_binary_op op, int64_t n, const float *a, const float *b, float *y);
void cx_ref_binary_backward(cx_binary_op op, int64_t n, const float *a, const float *b,
                            const float *dy, float *da, float *db);
void cx_ref_normalize_forward(cx_norm how, int64_t rows, int64_t n, double epsilon, const float *x,
                              float *y);
void cx_ref_normalize_backward(cx_norm how, int64_t rows, int64_t n, double epsilon, const float *x,
                               const float *dy, float *dx);
void cx_ref_activation_forward(const cx_activation *a, int64_t n, const float *x, float *y);
/* x may not be NULL here. */
void cx_ref_activation_backward(const cx_activation *a, int64_t n, const float *x, const float *y,
                                const float *dy, float *dx);
void cx_ref_softmax_forward(int log, int64_t outer, int64_t n, int64_t inner, const float *x,
                            float *y);
void cx_ref_softmax_backward(int log, int64_t outer, int64_t n, int64_t inner, const float *y,
                             const float *dy, float *dx);
void cx_ref_resize_forward(const cx_resize *r, const float *x, float *y);
void cx_ref_resize_backward(const cx_resize *r, const float *dy, float *dx);
void cx_ref_copy_box(const cx_box *b, const float *x, float *y);
void cx_ref_add_box(const cx_box *b, const float *x, float *y);

#endif
