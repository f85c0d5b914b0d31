/* elementwise.c - scale and shift, and two arrays combined: chunks shared out to threads. */
#include "base/threads.h"
#include "kernels/set.h"

enum { CHUNK = 1 << 14 }; /* numbers a task */

typedef struct affine {
    int64_t rows, channels, step;
    const float *x, *scale, *shift;
    float *y;
    const cx_set *set;
} affine;

static void run_affine(void *arg, int i, int worker)
{
    (void)worker;
    const affine *a = arg;
    const int64_t from = i * a->step;
    const int64_t rows = a->rows - from < a->step ? a->rows - from : a->step;
    a->set->affine(rows, a->channels, a->x + from * a->channels, a->scale, a->shift,
                   a->y + from * a->channels);
}

void cx_affine_forward(int64_t rows, int64_t channels, const float *x, const float *scale,
                       const float *shift, float *y)
{
    if (rows < 1 || channels < 1) return;
    affine a = {rows, channels, 1 + CHUNK / channels, x, scale, shift, y, cx_set_now()};
    cx_parallel((int)((rows + a.step - 1) / a.step), run_affine, &a);
}

typedef struct binary {
    cx_binary_op op;
    int64_t n;
    const float *a, *b;
    float *y;
    const cx_set *set;
} binary;

static void run_binary(void *arg, int i, int worker)
{
    (void)worker;
    const binary *k = arg;
    const int64_t from = (int64_t)i * CHUNK, n = k->n - from < CHUNK ? k->n - from : CHUNK;
    k->set->binary(k->op, n, k->a + from, k->b + from, k->y + from);
}

void cx_binary_forward(cx_binary_op op, int64_t n, const float *a, const float *b, float *y)
{
    binary k = {op, n, a, b, y, cx_set_now()};
    cx_parallel((int)((n + CHUNK - 1) / CHUNK), run_binary, &k);
}
