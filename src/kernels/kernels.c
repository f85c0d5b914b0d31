/* kernels.c - the operations, by the reference. */
#include <string.h>

#include "kernels/reference.h"

const char *cx_kernels_name(void)
{
    return "baseline";
}

int cx_kernels_use(const char *name, cvs_error *err)
{
    if (!strcmp(name, "baseline")) return 0;
    return cx_fail(err, CVS_E_ARG, "no instruction set \"%s\" here", name);
}

size_t cx_conv_workspace(const cx_conv *c)
{
    (void)c;
    return 0;
}

size_t cx_depthwise_workspace(const cx_depthwise *d)
{
    (void)d;
    return 0;
}

size_t cx_dense_workspace(int64_t rows, int64_t in, int64_t out)
{
    (void)rows, (void)in, (void)out;
    return 0;
}

void cx_conv_forward(const cx_conv *c, const float *x, const float *w, const cx_epilogue *e,
                     float *y, void *workspace)
{
    cx_ref_conv_forward(c, x, w, e, y, workspace);
}

void cx_depthwise_forward(const cx_depthwise *d, const float *x, const float *w,
                          const cx_epilogue *e, float *y, void *workspace)
{
    cx_ref_depthwise_forward(d, x, w, e, y, workspace);
}

void cx_dense_forward(int64_t rows, int64_t in, int64_t out, const float *x, const float *w,
                      const cx_epilogue *e, float *y, void *workspace)
{
    cx_ref_dense_forward(rows, in, out, x, w, e, y, workspace);
}

void cx_max_pool_forward(const cx_window *w, int64_t channels, const float *x, float *y)
{
    cx_ref_max_pool_forward(w, channels, x, y);
}

void cx_average_pool_forward(const cx_window *w, int64_t channels, const float *x, float *y)
{
    cx_ref_average_pool_forward(w, channels, x, y);
}

void cx_global_max_forward(int64_t batch, int64_t positions, int64_t channels, const float *x,
                           float *y)
{
    cx_ref_global_max_forward(batch, positions, channels, x, y);
}

void cx_global_average_forward(int64_t batch, int64_t positions, int64_t channels, const float *x,
                               float *y)
{
    cx_ref_global_average_forward(batch, positions, channels, x, y);
}

void cx_affine_forward(int64_t rows, int64_t channels, const float *x, const float *scale,
                       const float *shift, float *y)
{
    cx_ref_affine_forward(rows, channels, x, scale, shift, y);
}

void cx_binary_forward(cx_binary_op op, int64_t n, const float *a, const float *b, float *y)
{
    cx_ref_binary_forward(op, n, a, b, y);
}

int cx_activation_is_clamp(const cx_activation *a, float *low, float *high)
{
    int clamp = a->kind == CX_ACT_RELU && a->slope == 0 && a->threshold == 0;
    if (clamp) *low = 0, *high = a->limit;
    return clamp;
}

void cx_activation_forward(const cx_activation *a, int64_t n, const float *x, float *y)
{
    cx_ref_activation_forward(a, n, x, y);
}

void cx_softmax_forward(int log, int64_t outer, int64_t n, int64_t inner, const float *x, float *y)
{
    cx_ref_softmax_forward(log, outer, n, inner, x, y);
}

void cx_copy_box(const cx_box *b, const float *x, float *y)
{
    cx_ref_copy_box(b, x, y);
}
