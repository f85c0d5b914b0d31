/* vec_elementwise.c - rows of a dense layer, scale and shift, sums and products of two arrays. */
#include "kernels/vector.h"

/* y += rows of w times numbers of x: y is loaded and stored once for all n of them. */
INLINE void add_rows(const int n, const int *index, const float *x, const float *w, int64_t out,
                     float *y)
{
    const float *row[4];
    vec by[4];
    for (int j = 0; j < n; j++) {
        row[j] = w + index[j] * out;
        by[j] = spread(x[index[j]]);
    }
    int64_t o = 0;
    for (; o + CX_VL <= out; o += CX_VL) {
        vec sum = load(y + o);
#pragma GCC unroll 4
        for (int j = 0; j < n; j++) sum = multiply_add(sum, load(row[j] + o), by[j]);
        store(y + o, sum);
    }
    if (o == out) return;
    vec sum = load_part(y + o, out - o);
    for (int j = 0; j < n; j++) sum = multiply_add(sum, load_part(row[j] + o, out - o), by[j]);
    store_part(y + o, sum, out - o);
}

void CX_NAME(dense_row)(int n, const int *index, const float *x, const float *w, int64_t out,
                        float *y)
{
    int k = 0;
    for (; k + 4 <= n; k += 4) add_rows(4, index + k, x, w, out, y);
    for (; k < n; k++) add_rows(1, index + k, x, w, out, y);
}

void CX_NAME(fence)(void)
{
#ifdef __AVX2__
    _mm_sfence();
#endif
}

INLINE void scale_lanes(const int64_t n, const float *x, const float *scale, const float *shift,
                        float *y)
{
    const vec v = load_lanes(x, n), by = load_lanes(scale, n);
    store_lanes(y, shift ? multiply_add(load_lanes(shift, n), v, by) : v * by, n);
}

void CX_NAME(affine)(int64_t rows, int64_t channels, const float *x, const float *scale,
                     const float *shift, float *y)
{
    for (int64_t r = 0; r < rows; r++, x += channels, y += channels) {
        int64_t c = 0;
        for (; c + CX_VL <= channels; c += CX_VL)
            scale_lanes(CX_VL, x + c, scale + c, shift ? shift + c : NULL, y + c);
        if (c < channels)
            scale_lanes(channels - c, x + c, scale + c, shift ? shift + c : NULL, y + c);
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

/* The derivatives of n <= CX_VL numbers. */
INLINE void part_lanes(const cx_binary_op op, const int64_t n, int64_t i, const float *a,
                       const float *b, const float *dy, float *da, float *db)
{
    const int reads = op == CX_MULTIPLY || op == CX_MAXIMUM || op == CX_MINIMUM;
    const vec d = load_lanes(dy + i, n), zero = {0};
    const vec x = reads ? load_lanes(a + i, n) : zero, z = reads ? load_lanes(b + i, n) : zero;
    const ivec to_a = op == CX_MAXIMUM ? x >= z : x <= z;
    vec dx = d, dz = op == CX_SUBTRACT ? -d : d;
    if (op == CX_MULTIPLY) {
        dx = d * z;
        dz = d * x;
    } else if (reads) {
        dx = pick(to_a, d, zero);
        dz = pick(to_a, zero, d);
    }
    if (da) store_lanes(da + i, dx, n);
    if (db) store_lanes(db + i, dz, n);
}

INLINE void part_all(const cx_binary_op op, int64_t n, const float *a, const float *b,
                     const float *dy, float *da, float *db)
{
    int64_t i = 0;
    for (; i + CX_VL <= n; i += CX_VL) part_lanes(op, CX_VL, i, a, b, dy, da, db);
    if (i < n) part_lanes(op, n - i, i, a, b, dy, da, db);
}

void CX_NAME(binary_back)(cx_binary_op op, int64_t n, const float *a, const float *b,
                          const float *dy, float *da, float *db)
{
    switch (op) {
    case CX_ADD:
        part_all(CX_ADD, n, a, b, dy, da, db);
        break;
    case CX_SUBTRACT:
        part_all(CX_SUBTRACT, n, a, b, dy, da, db);
        break;
    case CX_MULTIPLY:
        part_all(CX_MULTIPLY, n, a, b, dy, da, db);
        break;
    case CX_MAXIMUM:
        part_all(CX_MAXIMUM, n, a, b, dy, da, db);
        break;
    case CX_MINIMUM:
        part_all(CX_MINIMUM, n, a, b, dy, da, db);
        break;
    }
}
