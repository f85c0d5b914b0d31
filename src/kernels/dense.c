/* dense.c - y = x w + b. Many rows are a convolution with a kernel of one cell; one row is bound by
 * the memory that streams w, and so are a few where w is large: then each goes by itself, which
 * reads w as it lies, and not all of it. */
#include "base/threads.h"
#include "kernels/direct.h"
#include "kernels/set.h"

/* One row's ranges are what threads share: each gives a partial sum in the workspace, so any number
 * of threads gives the same bytes. Up to 1024 inputs, which is where pointwise convolutions are,
 * ranges are as long as many rows like them. */
enum { RANGE = 256, LONG_RANGE = 512, RANGES = 64, COLUMNS = 1024 };

int64_t cx_dense_range(int64_t in)
{
    const int64_t step = (in + RANGES - 1) / RANGES;
    if (in <= 2 * LONG_RANGE) return LONG_RANGE;
    return step > RANGE ? step : RANGE;
}

/* One, which has the bias, where there is no input. */
static int64_t ranges_of(int64_t in)
{
    const int64_t step = cx_dense_range(in);
    return in > 0 ? (in + step - 1) / step : 1;
}

cx_conv cx_dense_as_conv(int64_t rows, int64_t in, int64_t out)
{
    return (cx_conv){.window = {.batch = 1,
                                .in = {1, 1, rows},
                                .out = {1, 1, rows},
                                .kernel = {1, 1, 1},
                                .stride = {1, 1, 1},
                                .dilation = {1, 1, 1}},
                     .in_channels = in,
                     .out_channels = out,
                     .groups = 1};
}

enum { FEW = 4, LARGE = 1 << 18 };

static int goes_by_row(int64_t rows, int64_t in, int64_t out)
{
    return rows == 1 || (rows <= FEW && in * out > LARGE);
}

size_t cx_dense_workspace(int64_t rows, int64_t in, int64_t out)
{
    if (goes_by_row(rows, in, out)) return (size_t)ranges_of(in) * (size_t)out * sizeof(float);
    const cx_conv c = cx_dense_as_conv(rows, in, out);
    return cx_direct_workspace(&c);
}

typedef struct job {
    int64_t in, out, step, ranges;
    const float *x, *w;
    const cx_epilogue *e;
    float *partial, *y; /* ranges * out numbers; out numbers */
    const cx_set *set;
} job;

/* Rows of w for an input of 0 are not read: after a relu that is about half of them. (So 0 times an
 * infinite weight is 0 here.) */
static void run_range(void *arg, int i, int worker)
{
    (void)worker;
    const job *j = arg;
    const int64_t to = (i + 1) * j->step < j->in ? (i + 1) * j->step : j->in;
    float *y = j->partial + i * j->out;
    for (int64_t o = 0; o < j->out; o++) y[o] = i == 0 && j->e->bias ? j->e->bias[o] : 0;
    int index[RANGE], n = 0;
    int64_t base = i * j->step;
    for (int64_t k = base; k < to; k++) {
        if (n == RANGE) {
            j->set->dense_row(n, index, j->x + base, j->w + base * j->out, j->out, y);
            base = k;
            n = 0;
        }
        if (j->x[k] != 0) index[n++] = (int)(k - base);
    }
    j->set->dense_row(n, index, j->x + base, j->w + base * j->out, j->out, y);
}

static void add_ranges(void *arg, int i, int worker)
{
    (void)worker;
    const job *j = arg;
    const int64_t from = (int64_t)i * COLUMNS;
    const int64_t to = from + COLUMNS < j->out ? from + COLUMNS : j->out;
    float *y = j->y;
    for (int64_t o = from; o < to; o++) y[o] = j->partial[o];
    for (int64_t r = 1; r < j->ranges; r++)
        for (int64_t o = from; o < to; o++) y[o] += j->partial[r * j->out + o];
    if (j->e->scale)
        j->set->affine(1, to - from, y + from, j->e->scale + from, j->e->shift + from, y + from);
    for (int64_t o = from; o < to; o++) {
        if (y[o] < j->e->low) y[o] = j->e->low;
        if (y[o] > j->e->high) y[o] = j->e->high;
    }
}

void cx_dense_forward(int64_t rows, int64_t in, int64_t out, const float *x, const float *w,
                      const cx_epilogue *e, float *y, void *workspace)
{
    if (!goes_by_row(rows, in, out)) {
        const cx_conv c = cx_dense_as_conv(rows, in, out);
        cx_direct_forward(&c, x, w, e, y, workspace);
        return;
    }
    for (int64_t r = 0; r < rows; r++, x += in, y += out) {
        job j = {in, out, cx_dense_range(in), ranges_of(in), x, w, e, workspace, y, cx_set_now()};
        cx_parallel((int)j.ranges, run_range, &j);
        cx_parallel((int)((out + COLUMNS - 1) / COLUMNS), add_ranges, &j);
    }
}
