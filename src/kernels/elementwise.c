/* elementwise.c - scale and shift, two arrays combined, and their derivatives: chunks shared out to
 * threads. */
#include "base/threads.h"
#include "kernels/set.h"

enum {
    CHUNK = 1 << 14, /* numbers a task */
    COLUMNS = 32,    /* channels of a task that sums over rows */
    BLOCK = 512,     /* rows whose sum is in float */
};

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

typedef struct sums {
    int64_t rows, channels;
    const float *x, *dy;
    float *dscale, *dshift;
    const cx_set *set;
} sums;

static void add_up(float *y, const double *sum, int64_t n)
{
    for (int64_t c = 0; c < n; c++) y[c] = (float)((double)y[c] + sum[c]);
}

static void run_sums(void *arg, int i, int worker)
{
    (void)worker;
    const sums *s = arg;
    const int64_t first = (int64_t)i * COLUMNS, left = s->channels - first;
    const int64_t n = left < COLUMNS ? left : COLUMNS;
    double dscale[COLUMNS] = {0}, dshift[COLUMNS] = {0};
    for (int64_t r = 0; r < s->rows; r += BLOCK) {
        const int64_t rows = s->rows - r < BLOCK ? s->rows - r : BLOCK;
        const int64_t at = r * s->channels + first;
        float part[COLUMNS];
        if (s->dscale) {
            s->set->column_dot(rows, s->channels, n, s->x + at, s->dy + at, part);
            for (int64_t c = 0; c < n; c++) dscale[c] += (double)part[c];
        }
        if (s->dshift) {
            s->set->column_sum(rows, s->channels, n, s->dy + at, part);
            for (int64_t c = 0; c < n; c++) dshift[c] += (double)part[c];
        }
    }
    if (s->dscale) add_up(s->dscale + first, dscale, n);
    if (s->dshift) add_up(s->dshift + first, dshift, n);
}

void cx_affine_backward_weights(int64_t rows, int64_t channels, const float *x, const float *dy,
                                float *dscale, float *dshift)
{
    sums s = {rows, channels, x, dy, dscale, dshift, cx_set_for(channels)};
    cx_parallel((int)((channels + COLUMNS - 1) / COLUMNS), run_sums, &s);
}

typedef struct binary {
    cx_binary_op op;
    int64_t n;
    const float *a, *b, *dy;
    float *y, *da, *db; /* y: forward */
    const cx_set *set;
} binary;

static void run_binary(void *arg, int i, int worker)
{
    (void)worker;
    const binary *k = arg;
    const int64_t from = (int64_t)i * CHUNK, n = k->n - from < CHUNK ? k->n - from : CHUNK;
    k->set->binary(k->op, n, k->a + from, k->b + from, k->y + from);
}

static void run_binary_back(void *arg, int i, int worker)
{
    (void)worker;
    const binary *k = arg;
    const int64_t from = (int64_t)i * CHUNK, n = k->n - from < CHUNK ? k->n - from : CHUNK;
    k->set->binary_back(k->op, n, k->a ? k->a + from : NULL, k->b ? k->b + from : NULL,
                        k->dy + from, k->da ? k->da + from : NULL, k->db ? k->db + from : NULL);
}

void cx_binary_forward(cx_binary_op op, int64_t n, const float *a, const float *b, float *y)
{
    binary k = {op, n, a, b, NULL, y, NULL, NULL, cx_set_now()};
    cx_parallel((int)((n + CHUNK - 1) / CHUNK), run_binary, &k);
}

void cx_binary_backward(cx_binary_op op, int64_t n, const float *a, const float *b, const float *dy,
                        float *da, float *db)
{
    binary k = {op, n, a, b, dy, NULL, da, db, cx_set_now()};
    cx_parallel((int)((n + CHUNK - 1) / CHUNK), run_binary_back, &k);
}
