/* depthwise.c - depthwise convolution: rows shared out to threads. */
#include "kernels/depthwise.h"

#include "base/threads.h"
#include "kernels/cut.h"

enum {
    TASK_PRODUCTS = 1 << 15, /* a task takes longer than it takes to hand out */
    TASKS_A_THREAD = 2,      /* of planes */
    LEAST_ROWS = 4,
};

typedef cx_depthwise_work job;

size_t cx_depthwise_workspace(const cx_depthwise *d)
{
    (void)d;
    return 0;
}

/* One kernel cell of one pixel. */
static void add_cell(const cx_depthwise *d, const float *x, const float *w, float *y)
{
    for (int64_t c = 0; c < d->channels; c++)
        for (int64_t m = 0; m < d->multiplier; m++) {
            const int64_t o = c * d->multiplier + m;
            y[o] += x[c] * w[o];
        }
}

/* Plain loops, for a multiplier and for fewer channels than a vector has. */
static void run_plain(const job *j, const cx_run *run)
{
    const int64_t width = j->d->channels * j->d->multiplier, *taps = run->taps;
    for (int64_t p = 0; p < run->n; p++) {
        const float *x = run->x + p * run->x_pixel;
        float *y = run->y + p * run->y_pixel;
        for (int64_t o = 0; o < width; o++) y[o] = j->e->bias ? j->e->bias[o] : 0;
        for (int64_t s = 0; s < taps[0]; s++)
            for (int64_t r = 0; r < taps[1]; r++)
                for (int64_t t = 0; t < taps[2]; t++)
                    add_cell(j->d, x + s * run->x_tap[0] + r * run->x_tap[1] + t * run->x_tap[2],
                             run->w + s * run->w_tap[0] + r * run->w_tap[1] + t * run->w_tap[2], y);
        if (j->e->scale) cx_set_now()->affine(1, width, y, j->e->scale, j->e->shift, y);
        for (int64_t o = 0; o < width; o++) {
            if (y[o] < j->e->low) y[o] = j->e->low;
            if (y[o] > j->e->high) y[o] = j->e->high;
        }
    }
}

static void run_pixels(void *arg, const cx_run *run)
{
    const job *j = arg;
    if (j->d->multiplier != 1 || j->d->channels < j->set->lanes) {
        run_plain(j, run);
        return;
    }
    const cx_channel_run r = {.run = *run, .channels = j->d->channels, .epilogue = j->e};
    j->set->depthwise(&r);
}

/* --- 3 × 3 in steps of 1 or 2 --- */

/* Whether vec_plane.c takes it. */
static int is_plane(const cx_depthwise *d, const cx_set *set)
{
    const cx_window *w = &d->window;
    int is = set->depthwise_plane && d->multiplier == 1 && d->channels >= set->lanes &&
             w->in[CX_DEPTH] == 1 && w->out[CX_DEPTH] == 1 && w->kernel[CX_DEPTH] == 1 &&
             w->pad[CX_DEPTH] == 0;
    for (int a = CX_HEIGHT; a <= CX_WIDTH; a++)
        is &= w->kernel[a] == 3 && w->stride[a] <= 2 && w->dilation[a] == 1 && w->pad[a] <= 1 &&
              (w->out[a] - 1) * w->stride[a] - w->pad[a] + 1 < w->in[a];
    return is && w->stride[CX_HEIGHT] == w->stride[CX_WIDTH];
}

/* Rows of a task: not too few, since it reads two more than it makes. */
static int64_t plane_step(const cx_window *w, int64_t products_a_row)
{
    const int64_t most = 1 + cx_grid_rows(w) * products_a_row / TASK_PRODUCTS;
    const int64_t shared = cx_threads_here() == 1 ? 1 : (int64_t)TASKS_A_THREAD * cx_threads_here();
    const int64_t tasks = shared < most ? shared : most;
    const int64_t parts = (tasks + w->batch - 1) / w->batch;
    const int64_t step = (w->out[CX_HEIGHT] + parts - 1) / parts;
    return step < LEAST_ROWS ? LEAST_ROWS : step;
}

/* At most CX_PLANE_ROWS of them. */
static void run_plane(const job *j, int64_t first, int64_t to, float *y)
{
    const cx_window *w = &j->d->window;
    const int64_t height = w->out[CX_HEIGHT], image = first / height, from = first % height;
    const int64_t x_image = w->in[CX_HEIGHT] * w->in[CX_WIDTH] * j->d->channels;
    const cx_plane p = {.x = j->grid.x + image * x_image,
                        .w = j->grid.w,
                        .y = y,
                        .in = {w->in[CX_HEIGHT], w->in[CX_WIDTH]},
                        .out_width = w->out[CX_WIDTH],
                        .pad = {w->pad[CX_HEIGHT], w->pad[CX_WIDTH]},
                        .from = from,
                        .to = from + to - first,
                        .channels = j->d->channels,
                        .step = (int)w->stride[CX_HEIGHT],
                        .epilogue = j->e};
    j->set->depthwise_plane(&p);
}

/* --- all of it --- */

static int64_t row_of(const cx_depthwise *d)
{
    return d->window.out[CX_WIDTH] * d->channels * d->multiplier;
}

cx_depthwise_work cx_depthwise_begin(const cx_depthwise *d, const float *x, const float *w,
                                     const cx_epilogue *e, float *y)
{
    const int64_t width = d->channels * d->multiplier;
    job j = {.d = d,
             .grid = {.window = &d->window,
                      .x = x,
                      .w = w,
                      .y = y,
                      .x_cell = d->channels,
                      .w_cell = width,
                      .y_cell = width},
             .e = e,
             .set = cx_set_for(d->channels)};
    j.is_plane = is_plane(d, j.set);
    return j;
}

void cx_depthwise_rows(const cx_depthwise_work *k, int64_t from, int64_t to, float *y)
{
    job j = *k;
    j.grid.y = y;
    j.grid.y_row = from;
    if (!k->is_plane) {
        cx_grid_runs(&j.grid, from, to, 0, k->d->window.out[CX_WIDTH], run_pixels, &j);
        return;
    }
    for (int64_t end; from < to; from = end) {
        end = least(from + CX_PLANE_ROWS, to);
        run_plane(k, from, end, y);
        y += (end - from) * row_of(k->d);
    }
}

static void run_task(void *arg, int i, int worker)
{
    (void)worker;
    const job *j = arg;
    const int64_t first = i / j->parts * j->height, from = first + i % j->parts * j->step;
    cx_depthwise_rows(j, from, least(from + j->step, first + j->height),
                      j->grid.y + from * row_of(j->d));
}

void cx_depthwise_forward(const cx_depthwise *d, const float *x, const float *w,
                          const cx_epilogue *e, float *y, void *workspace)
{
    (void)workspace;
    const cx_window *win = &d->window;
    const int64_t rows = cx_grid_rows(win);
    const int64_t products = row_of(d) * win->kernel[0] * win->kernel[1] * win->kernel[2];
    job j = cx_depthwise_begin(d, x, w, e, y);
    if (rows < 1 || products < 1) return;
    j.height = j.is_plane ? win->out[CX_HEIGHT] : rows;
    j.step = j.is_plane ? plane_step(win, products) : 1 + TASK_PRODUCTS / products;
    j.parts = (j.height + j.step - 1) / j.step;
    cx_parallel((int)(rows / j.height * j.parts), run_task, &j);
}
