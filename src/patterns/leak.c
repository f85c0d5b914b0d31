/* leak.c - rectifiers, with or without a limit above. */
#include "patterns/leak.h"

int cx_leak_activation(void *arg, int node, const cx_activation *a, const float *x,
                       const cx_tensor *y, const float *dy, float *dx, cvs_error *err)
{
    const int64_t n = cx_shape_count(&y->shape);
    const float leak = (float)*(const double *)arg;
    (void)node;
    (void)x;
    (void)err;
    if (a->kind != CX_ACT_RELU || a->slope != 0 || a->threshold != 0) return 0;
    for (int64_t i = 0; i < n; i++) {
        const float v = y->data[i], d = dy[i];
        if (v > 0 && v < a->limit)
            dx[i] = d;
        else
            dx[i] = (v > 0) == (d < 0) ? leak * d : 0;
    }
    return 1;
}
