/* pool.c - pooling over windows and over all positions. */
#include <math.h>

#include "base/threads.h"
#include "kernels/set.h"

enum {
    TASK_READS = 1 << 15, /* a task takes longer than it takes to hand out */
    COLUMNS = 64,         /* channels of a task of a global pooling */
    BLOCK = 512,          /* positions whose sum is in float */
};

/* --- windows --- */

typedef struct job {
    cx_grid grid;
    int64_t channels, rows, step;
    int mean;
    const cx_set *set;
} job;

static float larger(float a, float b)
{
    return a > b || isnan(a) ? a : b;
}

/* One number of one pixel, for fewer channels than a vector has. */
static float pool_plain(const cx_run *run, const float *x, int mean)
{
    const int64_t *taps = run->taps, cells = taps[0] * taps[1] * taps[2];
    float v = mean ? 0 : -INFINITY;
    for (int64_t s = 0; s < taps[0]; s++)
        for (int64_t r = 0; r < taps[1]; r++)
            for (int64_t t = 0; t < taps[2]; t++) {
                float next = x[s * run->x_tap[0] + r * run->x_tap[1] + t * run->x_tap[2]];
                v = mean ? v + next : larger(v, next);
            }
    return mean && cells ? v / (float)cells : v;
}

static void run_pixels(void *arg, const cx_run *run)
{
    const job *j = arg;
    if (j->channels >= j->set->lanes) {
        const cx_channel_run r = {.run = *run, .channels = j->channels};
        (j->mean ? j->set->average_pool : j->set->max_pool)(&r);
        return;
    }
    for (int64_t p = 0; p < run->n; p++)
        for (int64_t c = 0; c < j->channels; c++)
            run->y[p * run->y_pixel + c] = pool_plain(run, run->x + p * run->x_pixel + c, j->mean);
}

static void run_rows(void *arg, int i, int worker)
{
    (void)worker;
    job *j = arg;
    const int64_t to = (i + 1) * j->step < j->rows ? (i + 1) * j->step : j->rows;
    cx_grid_runs(&j->grid, i * j->step, to, 0, j->grid.window->out[CX_WIDTH], run_pixels, j);
}

static void pool(const cx_window *w, int64_t channels, const float *x, float *y, int mean)
{
    job j = {.grid = {w, x, NULL, y, channels, 0, channels, 0},
             .channels = channels,
             .rows = cx_grid_rows(w),
             .mean = mean,
             .set = cx_set_for(channels)};
    const int64_t reads = w->out[CX_WIDTH] * channels * w->kernel[0] * w->kernel[1] * w->kernel[2];
    if (j.rows < 1 || reads < 1) return;
    j.step = 1 + TASK_READS / reads;
    cx_parallel((int)((j.rows + j.step - 1) / j.step), run_rows, &j);
}

void cx_max_pool_forward(const cx_window *w, int64_t channels, const float *x, float *y)
{
    pool(w, channels, x, y, 0);
}

void cx_average_pool_forward(const cx_window *w, int64_t channels, const float *x, float *y)
{
    pool(w, channels, x, y, 1);
}

/* --- all positions --- */

typedef struct global {
    int64_t positions, channels, parts;
    const float *x;
    float *y;
    const cx_set *set;
} global;

/* A task: some channels of one batch entry. */
typedef struct columns {
    const float *x;
    float *y;
    int64_t n;
} columns;

static columns columns_of(const global *g, int i)
{
    const int64_t batch = i / g->parts, first = i % g->parts * COLUMNS;
    return (columns){g->x + batch * g->positions * g->channels + first,
                     g->y + batch * g->channels + first,
                     g->channels - first < COLUMNS ? g->channels - first : COLUMNS};
}

static void run_max(void *arg, int i, int worker)
{
    (void)worker;
    const global *g = arg;
    const columns k = columns_of(g, i);
    g->set->column_max(g->positions, g->channels, k.n, k.x, k.y);
}

static void run_average(void *arg, int i, int worker)
{
    (void)worker;
    const global *g = arg;
    const columns k = columns_of(g, i);
    double total[COLUMNS] = {0};
    for (int64_t p = 0; p < g->positions; p += BLOCK) {
        const int64_t n = g->positions - p < BLOCK ? g->positions - p : BLOCK;
        float part[COLUMNS];
        g->set->column_sum(n, g->channels, k.n, k.x + p * g->channels, part);
        for (int64_t c = 0; c < k.n; c++) total[c] += (double)part[c];
    }
    for (int64_t c = 0; c < k.n; c++)
        k.y[c] = g->positions ? (float)(total[c] / (double)g->positions) : 0;
}

static void run_global(int64_t batch, int64_t positions, int64_t channels, const float *x, float *y,
                       cx_loop_body *body)
{
    global g = {positions, channels, (channels + COLUMNS - 1) / COLUMNS,
                x,         y,        cx_set_for(channels)};
    cx_parallel((int)(batch * g.parts), body, &g);
}

void cx_global_max_forward(int64_t batch, int64_t positions, int64_t channels, const float *x,
                           float *y)
{
    run_global(batch, positions, channels, x, y, run_max);
}

void cx_global_average_forward(int64_t batch, int64_t positions, int64_t channels, const float *x,
                               float *y)
{
    run_global(batch, positions, channels, x, y, run_average);
}
