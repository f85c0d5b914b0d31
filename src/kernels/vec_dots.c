/* vec_dots.c - products of rows with rows, what a dense layer's input gets back: vectors along the
 * sum, a tile of rows of x × rows of w, so that each number loaded is used several times. */
#include "kernels/vector.h"

enum { X_ROWS = CX_MANY_REGISTERS ? 6 : 4, W_ROWS = CX_MANY_REGISTERS ? 4 : 2 };

/* Halves are added to halves: the order does not depend on the tile. */
INLINE float total(vec v)
{
    float lane[CX_VL];
    store(lane, v);
    for (int n = CX_VL / 2; n > 0; n /= 2)
        for (int i = 0; i < n; i++) lane[i] += lane[i + n];
    return lane[0];
}

/* The counts are constants where it is called, so that `sum` lives in registers. */
INLINE void tile(int64_t out, const float *x, const float *w, float *y, int64_t y_row,
                 const int x_rows, const int w_rows)
{
    vec sum[X_ROWS][W_ROWS];
#pragma GCC unroll 6
    for (int r = 0; r < x_rows; r++) {
#pragma GCC unroll 4
        for (int i = 0; i < w_rows; i++) sum[r][i] = spread(0);
    }
    for (int64_t o = 0; o < out; o += CX_VL) {
        const int64_t lanes = out - o < CX_VL ? out - o : CX_VL;
        vec by[W_ROWS];
#pragma GCC unroll 4
        for (int i = 0; i < w_rows; i++) {
            const float *from = w + i * out + o;
            by[i] = lanes == CX_VL ? load(from) : load_part(from, lanes);
        }
#pragma GCC unroll 6
        for (int r = 0; r < x_rows; r++) {
            const float *from = x + r * out + o;
            const vec v = lanes == CX_VL ? load(from) : load_part(from, lanes);
#pragma GCC unroll 4
            for (int i = 0; i < w_rows; i++) sum[r][i] += by[i] * v;
        }
    }
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
