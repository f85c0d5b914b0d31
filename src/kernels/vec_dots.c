/* vec_dots.c - products of rows with rows, what a dense layer's input gets back: vectors along the
 * sum, a tile of rows of x × rows of w, so that each number loaded is used several times. */
#include "kernels/vector.h"

enum { X_ROWS = CX_MANY_REGISTERS ? 6 : 4, W_ROWS = CX_MANY_REGISTERS ? 4 : 2 };

#define FOUR_FROM(n) (n) % CX_VL, ((n) + 1) % CX_VL, ((n) + 2) % CX_VL, ((n) + 3) % CX_VL
#if CX_VL == 16
#define LANES_FROM(n) FOUR_FROM(n), FOUR_FROM((n) + 4), FOUR_FROM((n) + 8), FOUR_FROM((n) + 12)
#elif CX_VL == 8
#define LANES_FROM(n) FOUR_FROM(n), FOUR_FROM((n) + 4)
#else
#define LANES_FROM(n) FOUR_FROM(n)
#endif
#define TURNED(v, n) __builtin_shufflevector(v, v, LANES_FROM(n))

/* The sum of all lanes: half of them on the other half, and so on. */
INLINE float total(vec v)
{
#if CX_VL >= 16
    v += TURNED(v, 8);
#endif
#if CX_VL >= 8
    v += TURNED(v, 4);
#endif
    v += TURNED(v, 2);
    v += TURNED(v, 1);
    return v[0];
}

/* One step of all sums: `lanes` numbers of each row. The counts are constants where it is called,
 * so that `sum` lives in registers. */
INLINE void step(int64_t out, const float *x, const float *w, vec sum[X_ROWS][W_ROWS],
                 const int x_rows, const int w_rows, int64_t lanes)
{
    vec by[W_ROWS];
#pragma GCC unroll 4
    for (int i = 0; i < w_rows; i++)
        by[i] = lanes == CX_VL ? load(w + i * out) : load_part(w + i * out, lanes);
#pragma GCC unroll 6
    for (int r = 0; r < x_rows; r++) {
        const vec v = lanes == CX_VL ? load(x + r * out) : load_part(x + r * out, lanes);
#pragma GCC unroll 4
        for (int i = 0; i < w_rows; i++) sum[r][i] = multiply_add(sum[r][i], by[i], v);
    }
}

INLINE void tile(int64_t out, const float *x, const float *w, float *y, int64_t y_row,
                 const int x_rows, const int w_rows)
{
    vec sum[X_ROWS][W_ROWS];
#pragma GCC unroll 6
    for (int r = 0; r < x_rows; r++) {
#pragma GCC unroll 4
        for (int i = 0; i < w_rows; i++) sum[r][i] = spread(0);
    }
    int64_t o = 0;
    for (; o + CX_VL <= out; o += CX_VL) step(out, x + o, w + o, sum, x_rows, w_rows, CX_VL);
    if (o < out) step(out, x + o, w + o, sum, x_rows, w_rows, out - o);
#pragma GCC unroll 6
    for (int r = 0; r < x_rows; r++) {
#pragma GCC unroll 4
        for (int i = 0; i < w_rows; i++) y[r * y_row + i] = total(sum[r][i]);
    }
}

INLINE void tile_of(int64_t rows, int64_t out, const float *x, const float *w, float *y,
                    int64_t y_row, const int w_rows)
{
    switch (rows) {
    case 1:
        tile(out, x, w, y, y_row, 1, w_rows);
        break;
    case 2:
        tile(out, x, w, y, y_row, 2, w_rows);
        break;
    case 3:
        tile(out, x, w, y, y_row, 3, w_rows);
        break;
#if CX_MANY_REGISTERS
    case 4:
        tile(out, x, w, y, y_row, 4, w_rows);
        break;
    case 5:
        tile(out, x, w, y, y_row, 5, w_rows);
        break;
#endif
    default:
        tile(out, x, w, y, y_row, X_ROWS, w_rows);
        break;
    }
}

/* Rows of w outside: they are read from memory once. */
void CX_NAME(dots)(int64_t rows, int64_t out, const float *x, int64_t n, const float *w, float *y,
                   int64_t y_row)
{
    for (int64_t i = 0; i < n;) {
        const int64_t w_rows = n - i < W_ROWS ? 1 : W_ROWS;
        for (int64_t r = 0; r < rows; r += X_ROWS) {
            const int64_t x_rows = rows - r < X_ROWS ? rows - r : X_ROWS;
            float *to = y + r * y_row + i;
            if (w_rows == 1)
                tile_of(x_rows, out, x + r * out, w + i * out, to, y_row, 1);
            else
                tile_of(x_rows, out, x + r * out, w + i * out, to, y_row, W_ROWS);
        }
        i += w_rows;
    }
}
