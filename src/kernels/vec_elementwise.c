/* vec_elementwise.c - rows of a dense layer, scale and shift, sums and products of two arrays. */
#include "kernels/vector.h"

/* Four rows of w at a time: y is loaded and stored once for them. */
void CX_NAME(dense_row)(int n, const int *index, const float *x, const float *w, int64_t out,
                        float *y)
{
    int k = 0;
    for (; k + 4 <= n; k += 4) {
        const float *row[4];
        float by[4];
        for (int j = 0; j < 4; j++) {
            row[j] = w + index[k + j] * out;
            by[j] = x[index[k + j]];
        }
        int64_t o = 0;
        for (; o + CX_VL <= out; o += CX_VL) {
            vec sum = load(y + o);
#pragma GCC unroll 4
            for (int j = 0; j < 4; j++) sum += load(row[j] + o) * by[j];
            store(y + o, sum);
        }
        for (; o < out; o++)
            for (int j = 0; j < 4; j++) y[o] += row[j][o] * by[j];
    }
    for (; k < n; k++) {
        const float *row = w + index[k] * out;
        for (int64_t o = 0; o < out; o++) y[o] += row[o] * x[index[k]];
    }
}

void CX_NAME(affine)(int64_t rows, int64_t channels, const float *x, const float *scale,
                     const float *shift, float *y)
{
    for (int64_t r = 0; r < rows; r++, x += channels, y += channels) {
        int64_t c = 0;
        for (; c + CX_VL <= channels; c += CX_VL)
            store(y + c, load(x + c) * load(scale + c) + load(shift + c));
        for (; c < channels; c++) y[c] = x[c] * scale[c] + shift[c];
    }
}

INLINE vec combine(const cx_binary_op op, vec a, vec b)
{
    switch (op) {
    case CX_ADD:
        return a + b;
    case CX_SUBTRACT:
        return a - b;
    case CX_MULTIPLY:
        return a * b;
    case CX_MAXIMUM:
        return larger(a, b);
    case CX_MINIMUM:
        return -larger(-a, -b);
    }
    return a;
}

INLINE void combine_all(const cx_binary_op op, int64_t n, const float *a, const float *b, float *y)
{
    int64_t i = 0;
    for (; i + CX_VL <= n; i += CX_VL) store(y + i, combine(op, load(a + i), load(b + i)));
    if (i < n)
        store_part(y + i, combine(op, load_part(a + i, n - i), load_part(b + i, n - i)), n - i);
}

void CX_NAME(binary)(cx_binary_op op, int64_t n, const float *a, const float *b, float *y)
{
    switch (op) {
    case CX_ADD:
        combine_all(CX_ADD, n, a, b, y);
        break;
    case CX_SUBTRACT:
        combine_all(CX_SUBTRACT, n, a, b, y);
        break;
    case CX_MULTIPLY:
        combine_all(CX_MULTIPLY, n, a, b, y);
        break;
    case CX_MAXIMUM:
        combine_all(CX_MAXIMUM, n, a, b, y);
        break;
    case CX_MINIMUM:
        combine_all(CX_MINIMUM, n, a, b, y);
        break;
    }
}
