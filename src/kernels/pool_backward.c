/* pool_backward.c - what reaches the input of a pooling. Windows that overlap add to the same cell,
 * so a task owns a band of the input and looks at every window that reaches into it. */
#include <string.h>

#include "base/threads.h"
#include "kernels/set.h"

enum {
    TASK_CELLS = 1 << 15, /* numbers of dx; fewer are done before they are handed out */
    COLUMNS = 64,         /* channels of a task of a global pooling */
};

/* --- windows --- */

typedef struct job {
    const cx_window *window;
    int64_t channels, bands, step; /* step: positions of a band on the axis that is cut */
    int axis;
    int tiled;   /* windows lie side by side: each cell is in one at most */
    int covered; /* and in one at least */
    int rectify;
    const float *x, *y, *dy; /* x and y: NULL of a mean */
    float *dx;
    const cx_set *set;
} job;

typedef struct band {
    const job *job;
    int64_t from, to, pixel; /* floats of dx that are written; where in y and dy the next run is */
} band;

static void give_tiles(band *part, const cx_run *run)
{
    const job *j = part->job;
    const int64_t first = run->x - j->dx;
    cx_tiles_back b = {j->x + first,
                       j->y + part->pixel,
                       j->dy + part->pixel,
                       j->dx + first,
                       run->n,
                       j->channels,
                       {0},
                       {0},
                       run->x_pixel,
                       j->rectify};
    memcpy(b.taps, run->taps, sizeof b.taps);
    memcpy(b.tap, run->x_tap, sizeof b.tap);
    j->set->max_pool_back_tiles(&b);
    part->pixel += run->n * j->channels;
}

static void give_run(void *arg, const cx_run *run)
{
    band *part = arg;
    const job *j = part->job;
    cx_window_back b = {.channels = j->channels, .rectify = j->rectify};
    if (j->tiled) {
        give_tiles(part, run);
        return;
    }
    memcpy(b.taps, run->taps, sizeof b.taps);
    memcpy(b.tap, run->x_tap, sizeof b.tap);
    for (int64_t p = 0; p < run->n; p++, part->pixel += j->channels) {
        const int64_t first = run->x - j->dx + p * run->x_pixel;
        b.from = part->from - first;
        b.to = part->to - first;
        b.dx = j->dx + first;
        b.dy = j->dy + part->pixel;
        if (j->x) {
            b.x = j->x + first;
            b.y = j->y + part->pixel;
            j->set->max_pool_back(&b);
        } else {
            j->set->average_pool_back(&b);
        }
    }
}

/* The output positions of the cut axis whose windows reach into from … to - 1. */
static void outputs_of(const cx_window *w, int axis, int64_t from, int64_t to, int64_t *first,
                       int64_t *end)
{
    const int64_t stride = w->stride[axis], pad = w->pad[axis];
    const int64_t before = from + pad - (w->kernel[axis] - 1) * w->dilation[axis];
    const int64_t after = (to - 1 + pad) / stride + 1;
    *first = before > 0 ? (before + stride - 1) / stride : 0;
    *end = after < w->out[axis] ? after : w->out[axis];
}

static void run_band(void *arg, int i, int worker)
{
    (void)worker;
    const job *j = arg;
    const cx_window *w = j->window;
    int64_t batch = i / j->bands, from = i % j->bands * j->step, to = from + j->step;
    if (to > w->in[j->axis]) to = w->in[j->axis];

    /* Axes before the cut one have size 1, so a band is one piece of memory. */
    int64_t size = j->channels;
    for (int a = CX_SPACE - 1; a > j->axis; a--) size *= w->in[a];
    const int64_t start = batch * w->in[j->axis];
    band part = {j, (start + from) * size, (start + to) * size, 0};
    if (!j->covered) memset(j->dx + part.from, 0, (size_t)(part.to - part.from) * sizeof *j->dx);

    int64_t first[CX_SPACE] = {0}, end[CX_SPACE];
    memcpy(end, w->out, sizeof end);
    outputs_of(w, j->axis, from, to, &first[j->axis], &end[j->axis]);
    /* Only where a run's cells are is wanted of the grid: y_cell 0 keeps its y where it is. */
    const cx_grid grid = {.window = w, .x = j->dx, .y = j->dx, .x_cell = j->channels};
    for (int64_t d = first[CX_DEPTH]; d < end[CX_DEPTH]; d++)
        for (int64_t h = first[CX_HEIGHT]; h < end[CX_HEIGHT]; h++) {
            const int64_t row = (batch * w->out[CX_DEPTH] + d) * w->out[CX_HEIGHT] + h;
            part.pixel = (row * w->out[CX_WIDTH] + first[CX_WIDTH]) * j->channels;
            cx_grid_runs(&grid, row, row + 1, first[CX_WIDTH], end[CX_WIDTH], give_run, &part);
        }
}

/* Whether windows lie side by side, and whether they leave no cell out. */
static int is_tiled(const cx_window *w, int *covered)
{
    int tiled = 1;
    *covered = 1;
    for (int a = 0; a < CX_SPACE; a++) {
        tiled &= w->stride[a] == w->kernel[a] && w->dilation[a] == 1 && w->pad[a] == 0 &&
                 w->out[a] * w->stride[a] <= w->in[a];
        *covered &= w->out[a] * w->stride[a] == w->in[a];
    }
    *covered &= tiled;
    return tiled;
}

static void pool_back(const cx_window *w, int64_t channels, const float *x, const float *y,
                      const float *dy, float *dx, int rectify)
{
    int axis = CX_DEPTH;
    while (axis < CX_WIDTH && w->in[axis] == 1) axis++;
    job j = {.window = w,
             .channels = channels,
             .step = 1,
             .axis = axis,
             .rectify = rectify,
             .x = x,
             .y = y,
             .dy = dy,
             .dx = dx,
             .set = cx_set_for(channels)};
    if (x) j.tiled = is_tiled(w, &j.covered);
    int64_t line = channels; /* numbers of one position on the cut axis */
    for (int a = CX_SPACE - 1; a > axis; a--) line *= w->in[a];
    if (w->in[axis] < 1 || line < 1) return;
    /* Windows across the end of a band are looked at twice, so a band is long against them. */
    j.step += TASK_CELLS / line + 4 * (w->kernel[axis] - 1) * w->dilation[axis];
    /* Tiles are not cut. */
    if (j.tiled) j.step = (j.step + w->kernel[axis] - 1) / w->kernel[axis] * w->kernel[axis];
    j.bands = (w->in[axis] + j.step - 1) / j.step;
    cx_parallel((int)(w->batch * j.bands), run_band, &j);
}

void cx_max_pool_backward(const cx_window *w, int64_t channels, const float *x, const float *y,
                          const float *dy, float *dx)
{
    pool_back(w, channels, x, y, dy, dx, 0);
}

void cx_max_pool_relu_backward(const cx_window *w, int64_t channels, const float *x, const float *y,
                               const float *dy, float *dx)
{
    pool_back(w, channels, x, y, dy, dx, 1);
}

void cx_average_pool_backward(const cx_window *w, int64_t channels, const float *dy, float *dx)
{
    pool_back(w, channels, NULL, NULL, dy, dx, 0);
}

/* --- all positions --- */

typedef struct global {
    int64_t positions, channels, parts;
    const float *x, *y, *dy;
    float *dx;
    const cx_set *set;
} global;

/* 1 where a cell is its channel's largest. */
static int wins(float x, float y)
{
    return x == y || x != x;
}

static void run_max(void *arg, int i, int worker)
{
    (void)worker;
    const global *g = arg;
    const int64_t first = i % g->parts * COLUMNS, pixel = i / g->parts * g->channels + first;
    const int64_t left = g->channels - first, n = left < COLUMNS ? left : COLUMNS;
    const int64_t cell = i / g->parts * g->positions * g->channels + first;
    const float *x = g->x + cell, *y = g->y + pixel, *dy = g->dy + pixel;
    float share[COLUMNS] = {0}, *dx = g->dx + cell;
    for (int64_t p = 0; p < g->positions; p++)
        for (int64_t c = 0; c < n; c++) share[c] += (float)wins(x[p * g->channels + c], y[c]);
    for (int64_t c = 0; c < n; c++) share[c] = dy[c] / share[c];
    for (int64_t p = 0; p < g->positions; p++)
        for (int64_t c = 0; c < n; c++)
            dx[p * g->channels + c] = wins(x[p * g->channels + c], y[c]) ? share[c] : 0;
}

void cx_global_max_backward(int64_t batch, int64_t positions, int64_t channels, const float *x,
                            const float *y, const float *dy, float *dx)
{
    global g = {positions,           channels, (channels + COLUMNS - 1) / COLUMNS, x, y, dy, dx,
                cx_set_for(channels)};
    cx_parallel((int)(batch * g.parts), run_max, &g);
}

/* A task: some positions of one batch entry. */
static void run_average(void *arg, int i, int worker)
{
    (void)worker;
    const global *g = arg;
    const int64_t step = (g->positions + g->parts - 1) / g->parts, from = i % g->parts * step;
    const int64_t to = from + step < g->positions ? from + step : g->positions;
    const float *dy = g->dy + i / g->parts * g->channels, share = 1 / (float)g->positions;
    float *dx = g->dx + (i / g->parts * g->positions + from) * g->channels;
    for (int64_t p = from; p < to; p++, dx += g->channels)
        for (int64_t c = 0; c < g->channels; c++) dx[c] = dy[c] * share;
}

void cx_global_average_backward(int64_t batch, int64_t positions, int64_t channels, const float *dy,
                                float *dx)
{
    global g = {positions, channels, 1 + positions * channels / TASK_CELLS, NULL, NULL, dy,
                dx,        NULL};
    cx_parallel((int)(batch * g.parts), run_average, &g);
}
