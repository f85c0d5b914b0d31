/* separable.c - a depthwise convolution and a pointwise one in a call: some rows of what the first
 * gives are multiplied while they are in the cache, and threads meet once. */
#include "base/threads.h"
#include "kernels/cut.h"
#include "kernels/depthwise.h"
#include "kernels/direct.h"
#include "kernels/few.h"

enum {
    BAND = 256 << 10, /* bytes of the rows, which stay in the second cache */
    LEAST_PIXELS = 64 /* of a band: each reads all weights of the second convolution */
};

typedef struct job {
    const cx_separable *s;
    cx_depthwise_work first;
    cx_direct second;
    float *bands;
    int64_t band_size; /* floats */
    int64_t step, parts, height;
} job;

static int64_t channels_between(const cx_separable *s)
{
    return s->depthwise.channels * s->depthwise.multiplier;
}

/* The second one on so many pixels. */
static cx_conv second_of(const cx_separable *s, int64_t pixels)
{
    return cx_dense_as_conv(pixels, channels_between(s), s->filters);
}

/* How rows are cut. */
typedef struct cut {
    int64_t step, parts; /* rows of a band, bands of an image */
    int64_t floats;      /* of the buffer of a thread, or of all rows */
    int threads;         /* that have a buffer; 0: all rows are made before any is multiplied */
} cut;

/* Bands as large as the cache takes, as many for each thread. Where there are too few pixels to cut
 * and so each of the threads would read all weights, these are cut. */
static cut cut_for(const cx_separable *s, int threads)
{
    const cx_window *w = &s->depthwise.window;
    const int64_t height = w->out[CX_HEIGHT], row = w->out[CX_WIDTH] * channels_between(s);
    const int64_t cached = most(1, BAND / (int64_t)sizeof(float) / most(1, row));
    const int64_t large = parts_of(height, cached), images = w->batch;
    const int64_t small = most(large, height * w->out[CX_WIDTH] / LEAST_PIXELS);
    const int64_t wanted = parts_of(images * large, threads) * threads;
    const int64_t parts = least(parts_of(wanted, most(1, images)), least(small, height));
    cut c = {.step = parts_of(height, parts), .threads = threads};
    c.parts = parts_of(height, c.step);
    c.floats = parts_of(c.step * row, CX_MAX_LANES) * CX_MAX_LANES;
    if (images * c.parts < threads) {
        c.threads = 0;
        c.floats = images * height * row;
    }
    return c;
}

/* A pixel alone is a matter of dense layers, and few filters go another way. */
int cx_separable_pays(const cx_separable *s)
{
    const cx_window *w = &s->depthwise.window;
    const cx_conv second = second_of(s, w->out[CX_HEIGHT] * w->out[CX_WIDTH]);
    return w->in[CX_DEPTH] == 1 && w->out[CX_DEPTH] == 1 &&
           w->out[CX_HEIGHT] * w->out[CX_WIDTH] > 1 && channels_between(s) > 0 &&
           !cx_few_pays(&second);
}

static size_t packed_size(const cx_separable *s)
{
    const cx_conv second = second_of(s, 1);
    return cx_direct_workspace(&second);
}

size_t cx_separable_workspace(const cx_separable *s)
{
    size_t floats = 0;
    for (int threads = 1; threads <= cx_cores(); threads++) {
        const cut c = cut_for(s, threads);
        const size_t n = (size_t)(c.floats * (c.threads ? c.threads : 1));
        if (n > floats) floats = n;
    }
    return packed_size(s) + floats * sizeof(float);
}

static void run_band(void *arg, int i, int worker)
{
    const job *j = arg;
    const int64_t image = i / j->parts, row = i % j->parts * j->step;
    const int64_t from = image * j->height + row, n = least(j->step, j->height - row);
    const int64_t width = j->s->depthwise.window.out[CX_WIDTH];
    float *band = j->bands + worker * j->band_size;
    const cx_conv second = second_of(j->s, n * width);
    cx_depthwise_rows(&j->first, from, from + n, band);
    cx_direct_part(&j->second, &second, band, j->second.y + from * width * j->s->filters);
}

void cx_separable_forward(const cx_separable *s, const float *x, const float *w,
                          const cx_epilogue *between, const float *by, const cx_epilogue *e,
                          float *y, void *workspace)
{
    const cx_window *win = &s->depthwise.window;
    const int64_t pixels = cx_grid_rows(win) * win->out[CX_WIDTH];
    const cx_conv second = second_of(s, pixels);
    const cut c = cut_for(s, (int)least(cx_threads_here(), cx_cores()));
    float *rows = (float *)workspace + packed_size(s) / sizeof(float);
    if (c.threads == 0) {
        cx_depthwise_forward(&s->depthwise, x, w, between, rows, NULL);
        cx_direct_forward(&second, rows, by, e, y, workspace);
        return;
    }
    job j = {.s = s,
             .first = cx_depthwise_begin(&s->depthwise, x, w, between, rows),
             .bands = rows,
             .band_size = c.floats,
             .step = c.step,
             .parts = c.parts,
             .height = win->out[CX_HEIGHT]};
    if (!cx_direct_begin(&j.second, &second, rows, by, e, y, workspace)) return;
    cx_parallel_by(c.threads, (int)(win->batch * c.parts), run_band, &j);
}
