/* few.c - convolution into few channels: vectors go along the input channels (vec_dots.c), rows are
 * shared out to threads. */
#include "kernels/few.h"

#include "base/threads.h"
#include "kernels/set.h"

enum {
    LEAST_DEPTH = CX_MAX_LANES, /* input channels: at least a vector */
    TASK_PRODUCTS = 1 << 18,    /* a task takes longer than it takes to hand out */
};

typedef struct job {
    const cx_conv *c;
    const cx_set *set;
    cx_grid grid;
    cx_conv_run r; /* all but its run */
    int64_t rows, step;
} job;

int cx_few_pays(const cx_conv *c)
{
    return c->groups == 1 && c->out_channels <= CX_FEW_CHANNELS && c->in_channels >= LEAST_DEPTH;
}

static int64_t taps_of(const cx_conv *c)
{
    return c->window.kernel[0] * c->window.kernel[1] * c->window.kernel[2];
}

size_t cx_few_workspace(const cx_conv *c)
{
    return (size_t)(taps_of(c) * c->in_channels * c->out_channels) * sizeof(float);
}

static void run_pixels(void *arg, const cx_run *run)
{
    const job *j = arg;
    cx_conv_run r = j->r;
    r.run = *run;
    /* Cells whose channels lie on end, in x as in w, make one long loop. */
    if (run->x_tap[CX_WIDTH] == r.depth) {
        r.depth *= run->taps[CX_WIDTH];
        r.run.taps[CX_WIDTH] = 1;
    }
    j->set->conv_few(&r);
}

static void run_rows(void *arg, int i, int worker)
{
    (void)worker;
    job *j = arg;
    const int64_t to = (i + 1) * j->step < j->rows ? (i + 1) * j->step : j->rows;
    cx_grid_runs(&j->grid, i * j->step, to, 0, j->c->window.out[CX_WIDTH], run_pixels, j);
}

void cx_few_forward(const cx_conv *c, const float *x, const float *w, const cx_epilogue *e,
                    float *y, void *workspace)
{
    const int64_t n = c->out_channels, sum = taps_of(c) * c->in_channels;
    const cx_box turn = {.ndim = 2, .size = {sum, n}, .from = {n, 1}, .to = {1, sum}};
    job j = {.c = c,
             .set = cx_set_now(),
             .grid = {&c->window, x, workspace, y, c->in_channels, c->in_channels, n, 0},
             .r = {.depth = c->in_channels,
                   .x_channel = 1,
                   .w_channel = sum,
                   .lanes = n,
                   .first = 1,
                   .last = 1,
                   .bias = e->bias,
                   .scale = e->scale,
                   .shift = e->shift,
                   .low = e->low,
                   .high = e->high},
             .rows = cx_grid_rows(&c->window)};
    const int64_t products = c->window.out[CX_WIDTH] * sum * n;
    if (j.rows < 1 || products < 1) return;
    cx_copy_box(&turn, w, workspace);
    j.step = 1 + TASK_PRODUCTS / products;
    cx_parallel((int)((j.rows + j.step - 1) / j.step), run_rows, &j);
}
