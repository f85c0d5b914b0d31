/* dense_backward.c - the gradients of a dense layer and of a bias. */
#include "base/threads.h"
#include "kernels/direct.h"
#include "kernels/set.h"

enum {
    MANY_ROWS = 64, /* from here on it pays to turn w round */
    TASK_PRODUCTS = 1 << 17,
    COLUMNS = 64, /* of a bias that are summed together, … */
    BLOCK = 512,  /* … rows whose sum is a float's, … */
    PARTS = 16,   /* … and sums side by side */
};

/* --- the input --- */

typedef struct dots {
    int64_t rows, in, out, step;
    const float *dy, *w;
    float *dx;
    const cx_set *set;
} dots;

static void run_dots(void *arg, int i, int worker)
{
    (void)worker;
    const dots *d = arg;
    const int64_t from = i * d->step, n = d->in - from < d->step ? d->in - from : d->step;
    d->set->dots(d->rows, d->out, d->dy, n, d->w + from * d->out, d->dx + from, d->in);
}

size_t cx_dense_backward_data_workspace(int64_t rows, int64_t in, int64_t out)
{
    if (rows < MANY_ROWS) return 0;
    const cx_conv c = cx_dense_as_conv(rows, in, out);
    return cx_conv_backward_data_workspace(&c);
}

void cx_dense_backward_data(int64_t rows, int64_t in, int64_t out, const float *dy, const float *w,
                            float *dx, void *workspace)
{
    if (rows >= MANY_ROWS) {
        const cx_conv c = cx_dense_as_conv(rows, in, out);
        cx_conv_backward_data(&c, dy, w, dx, workspace);
        return;
    }
    if (rows < 1 || in < 1) return;
    dots d = {rows, in, out, 1 + TASK_PRODUCTS / (1 + rows * out), dy, w, dx, cx_set_now()};
    cx_parallel((int)((in + d.step - 1) / d.step), run_dots, &d);
}

/* --- the weights --- */

size_t cx_dense_backward_weights_workspace(int64_t rows, int64_t in, int64_t out)
{
    const cx_conv c = cx_dense_as_conv(rows, in, out);
    return cx_conv_backward_weights_workspace(&c);
}

void cx_dense_backward_weights(int64_t rows, int64_t in, int64_t out, const float *x,
                               const float *dy, float *dw, void *workspace)
{
    const cx_conv c = cx_dense_as_conv(rows, in, out);
    cx_conv_backward_weights(&c, x, dy, dw, workspace);
}

/* --- the bias --- */

typedef struct bias {
    int64_t rows, channels, first, n; /* the columns of now */
    const float *dy;
    double sums[PARTS][COLUMNS];
    const cx_set *set;
} bias;

static void sum_part(void *arg, int i, int worker)
{
    (void)worker;
    bias *b = arg;
    const int64_t to = b->rows * (i + 1) / PARTS;
    double *sums = b->sums[i];
    for (int64_t c = 0; c < b->n; c++) sums[c] = 0;
    for (int64_t r = b->rows * i / PARTS; r < to; r += BLOCK) {
        float part[COLUMNS];
        b->set->column_sum(to - r < BLOCK ? to - r : BLOCK, b->channels, b->n,
                           b->dy + r * b->channels + b->first, part);
        for (int64_t c = 0; c < b->n; c++) sums[c] += (double)part[c];
    }
}

void cx_bias_backward(int64_t rows, int64_t channels, const float *dy, float *db)
{
    bias b = {.rows = rows, .channels = channels, .dy = dy, .set = cx_set_now()};
    for (b.first = 0; b.first < channels; b.first += COLUMNS) {
        b.n = channels - b.first < COLUMNS ? channels - b.first : COLUMNS;
        cx_parallel(PARTS, sum_part, &b);
        for (int64_t c = 0; c < b.n; c++) {
            double sum = (double)db[b.first + c];
            for (int i = 0; i < PARTS; i++) sum += b.sums[i][c];
            db[b.first + c] = (float)sum;
        }
    }
}
