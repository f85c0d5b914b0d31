/* grid.c - rows of a sliding window and the runs in them. */
#include "kernels/grid.h"

typedef struct span {
    int64_t from, to;
} span;

/* The kernel cells of output position o that lie inside the input. */
static span taps_inside(const cx_window *w, int a, int64_t o)
{
    const int64_t start = o * w->stride[a] - w->pad[a], step = w->dilation[a];
    span s = {0, w->kernel[a]};
    if (start < 0) s.from = (-start + step - 1) / step;
    if (start + (w->kernel[a] - 1) * step >= w->in[a])
        s.to = start < w->in[a] ? (w->in[a] - 1 - start) / step + 1 : 0;
    if (s.from >= s.to) s = (span){0, 0};
    return s;
}

/* The pixels of a row whose windows lie inside from end to end. */
static span whole_pixels(const cx_window *w)
{
    const int64_t stride = w->stride[CX_WIDTH], pad = w->pad[CX_WIDTH];
    const int64_t reach = (w->kernel[CX_WIDTH] - 1) * w->dilation[CX_WIDTH];
    const int64_t room = w->in[CX_WIDTH] - 1 + pad - reach;
    span s = {pad > 0 ? (pad + stride - 1) / stride : 0, room < 0 ? 0 : room / stride + 1};
    if (s.to > w->out[CX_WIDTH]) s.to = w->out[CX_WIDTH];
    return s;
}

int64_t cx_grid_rows(const cx_window *w)
{
    return w->batch * w->out[CX_DEPTH] * w->out[CX_HEIGHT];
}

/* End of the run that begins at pixel o. */
static int64_t run_end(const cx_window *w, span whole, span taps, int64_t o, int64_t to)
{
    if (o >= whole.from && o < whole.to) return whole.to < to ? whole.to : to;
    for (o++; o < to && o != whole.from; o++) {
        span s = taps_inside(w, CX_WIDTH, o);
        if (s.from != taps.from || s.to != taps.to) break;
    }
    return o;
}

/* The first cell inside, of the input and of the kernel. */
typedef struct corner {
    int64_t cell, tap;
} corner;

/* The corner by the axes before the width; how many kernel cells are inside goes to run. */
static corner corner_of(const cx_window *w, int64_t row, cx_run *run)
{
    const int64_t height = row % w->out[CX_HEIGHT], slice = row / w->out[CX_HEIGHT];
    const int64_t place[2] = {slice % w->out[CX_DEPTH], height};
    corner c = {.cell = slice / w->out[CX_DEPTH]};
    for (int a = CX_DEPTH; a < CX_WIDTH; a++) {
        const span s = taps_inside(w, a, place[a]);
        run->taps[a] = s.to - s.from;
        c.cell = c.cell * w->in[a];
        c.tap = c.tap * w->kernel[a] + s.from;
        if (s.to > s.from) c.cell += place[a] * w->stride[a] - w->pad[a] + s.from * w->dilation[a];
    }
    return c;
}

/* Runs of a block of pixels that see the same cells: along the rows or down the columns, whichever
 * is longer. */
static void run_block(cx_run run, int64_t rows, int64_t pixels, int64_t x_row, int64_t y_row,
                      cx_run_body *body, void *arg)
{
    const int down = rows > pixels;
    const int64_t lines = down ? pixels : rows;
    const int64_t x_line = down ? run.x_pixel : x_row, y_line = down ? run.y_pixel : y_row;
    run.n = down ? rows : pixels;
    if (down) {
        run.x_pixel = x_row;
        run.y_pixel = y_row;
    }
    for (int64_t i = 0; i < lines; i++, run.x += x_line, run.y += y_line) body(arg, &run);
}

/* Rows that see the same cells of the kernel on the axes before the width. */
static void run_rows(const cx_grid *g, int64_t row, int64_t rows, int64_t from, int64_t to,
                     cx_run_body *body, void *arg)
{
    const cx_window *w = g->window;
    cx_run run = {.x_pixel = w->stride[CX_WIDTH] * g->x_cell, .y_pixel = g->y_cell};
    int64_t x_size = g->x_cell, w_size = g->w_cell;
    for (int a = CX_SPACE - 1; a >= 0; a--) {
        run.x_tap[a] = w->dilation[a] * x_size;
        run.w_tap[a] = w_size;
        x_size *= w->in[a];
        w_size *= w->kernel[a];
    }
    const corner c = corner_of(w, row, &run);
    const int64_t x_row = w->stride[CX_HEIGHT] * w->in[CX_WIDTH] * g->x_cell;
    const int64_t y_row = w->out[CX_WIDTH] * g->y_cell;
    const span whole = whole_pixels(w);
    for (int64_t o = from, end; o < to; o = end) {
        span s = taps_inside(w, CX_WIDTH, o);
        end = run_end(w, whole, s, o, to);
        int64_t first = c.cell * w->in[CX_WIDTH];
        if (s.to > s.from)
            first += o * w->stride[CX_WIDTH] - w->pad[CX_WIDTH] + s.from * w->dilation[CX_WIDTH];
        run.taps[CX_WIDTH] = s.to - s.from;
        run.x = g->x + first * g->x_cell;
        run.w = g->w ? g->w + (c.tap * w->kernel[CX_WIDTH] + s.from) * g->w_cell : NULL;
        run.y = g->y + ((row - g->y_row) * w->out[CX_WIDTH] + o) * g->y_cell;
        run_block(run, rows, end - o, x_row, y_row, body, arg);
    }
}

void cx_grid_runs(const cx_grid *g, int64_t row_from, int64_t row_to, int64_t from, int64_t to,
                  cx_run_body *body, void *arg)
{
    const cx_window *w = g->window;
    const int64_t height = w->out[CX_HEIGHT];
    for (int64_t row = row_from, end; row < row_to; row = end) {
        const span s = taps_inside(w, CX_HEIGHT, row % height);
        for (end = row + 1; end < row_to && end % height; end++) {
            const span next = taps_inside(w, CX_HEIGHT, end % height);
            if (next.from != s.from || next.to != s.to) break;
        }
        run_rows(g, row, end - row, from, to, body, arg);
    }
}
