/* box.c - copying and adding boxes between arrays of other strides. */
#include <string.h>

#include "kernels/kernels.h"

/* Leave out axes of one entry and join axes that lie on end in both arrays, so that most boxes end
 * in a long run. */
static cx_box simplify(const cx_box *b)
{
    cx_box s = {.ndim = 0};
    for (int a = 0; a < b->ndim; a++) {
        if (b->size[a] == 1) continue;
        const int last = s.ndim - 1;
        if (last >= 0 && s.from[last] == b->from[a] * b->size[a] &&
            s.to[last] == b->to[a] * b->size[a]) {
            s.size[last] *= b->size[a];
            s.from[last] = b->from[a];
            s.to[last] = b->to[a];
            continue;
        }
        s.size[s.ndim] = b->size[a];
        s.from[s.ndim] = b->from[a];
        s.to[s.ndim] = b->to[a];
        s.ndim++;
    }
    return s;
}

typedef void line_function(int64_t n, const float *x, int64_t from, float *y, int64_t to);

static void copy_line(int64_t n, const float *x, int64_t from, float *y, int64_t to)
{
    if (from == 1 && to == 1)
        memcpy(y, x, (size_t)n * sizeof *y);
    else
        for (int64_t i = 0; i < n; i++) y[i * to] = x[i * from];
}

/* A stride of 0 is a sum, in double. */
static void add_line(int64_t n, const float *x, int64_t from, float *y, int64_t to)
{
    if (to == 0) {
        double sum = (double)*y;
        for (int64_t i = 0; i < n; i++) sum += (double)x[i * from];
        *y = (float)sum;
    } else if (from == 1 && to == 1) {
        for (int64_t i = 0; i < n; i++) y[i] += x[i];
    } else {
        for (int64_t i = 0; i < n; i++) y[i * to] += x[i * from];
    }
}

static void walk(const cx_box *b, const float *x, float *y, line_function *line)
{
    const cx_box s = simplify(b);
    for (int a = 0; a < b->ndim; a++)
        if (b->size[a] < 1) return;
    if (s.ndim == 0) {
        line(1, x, 1, y, 1);
        return;
    }
    const int last = s.ndim - 1;
    int64_t at[CX_BOX_DIMS] = {0};
    for (int a = last; a >= 0;) {
        line(s.size[last], x, s.from[last], y, s.to[last]);
        for (a = last - 1; a >= 0; a--) {
            x += s.from[a];
            y += s.to[a];
            if (++at[a] < s.size[a]) break;
            x -= s.from[a] * at[a];
            y -= s.to[a] * at[a];
            at[a] = 0;
        }
    }
}

void cx_copy_box(const cx_box *b, const float *x, float *y)
{
    walk(b, x, y, copy_line);
}

void cx_add_box(const cx_box *b, const float *x, float *y)
{
    walk(b, x, y, add_line);
}
