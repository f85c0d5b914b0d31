/* winograd_weights.c - the gradient of 3 × 3 weights by the transforms of vec_winograd_weights.c
 * and the micro-kernel of vec_conv.c, whose pixels are input channels here and whose input channels
 * are tiles: for each of the 36 places in a patch
 *
 *     M[place][in][out] += sum over tiles of V[place][tile][in] D[place][tile][out].
 *
 * Some tiles at a time, all threads transform them, then all multiply: places and blocks of output
 * channels are shared out and no sum is, so any number of threads gives the same bytes. */
#include "base/threads.h"
#include "kernels/cut.h"
#include "kernels/winograd.h"

enum {
    TILE = CX_WINOGRAD_OUT,
    PRODUCTS = CX_WINOGRAD_PRODUCTS,
    WIDTH = CX_MAX_LANES * CX_MAX_VECTORS, /* output channels of a block */
    LINE = 64 / sizeof(float),
    LEAST_TILES = 48, /* are transformed at a time; more where M is large, which is read and … */
    MOST_TILES = 384, /* … written for them once, as long as V and D are not much larger: … */
    SHARE = 128,      /* … a tile for so many of the products of one */
    TASK_TILES = 8,   /* a task transforms so many */
    DEPTH = 16,       /* fewer input channels do not make up for the transforms, … */
    WIDE = 16,        /* … nor fewer output channels, … */
    FEW = 64,         /* … nor fewer tiles for the last one, of M … */
    LARGE = 1 << 18,  /* … and its memory, with more products of channels */
};

typedef struct job {
    const cx_conv *c;
    const float *x, *dy;
    float *dw, *v, *d, *m;
    const cx_set *set;
    int64_t depth, width; /* channels of V and D: whole vectors */
    int64_t v_step, d_step, m_step;
    int64_t tiles, step, from, n; /* all of them; how many at a time, and those at work */
    int64_t blocks;               /* of output channels */
} job;

int cx_winograd_weights_pays(const cx_conv *c)
{
    return cx_winograd_fits(c) && c->in_channels >= DEPTH && c->out_channels >= WIDE &&
           c->in_channels * c->out_channels <= LARGE && cx_winograd_tiles(&c->window) >= FEW;
}

/* A line more than it takes: 36 arrays a power of two apart would meet in one set of the cache. */
static job job_of(const cx_conv *c)
{
    job j = {.c = c,
             .set = cx_set_now(),
             .depth = whole_vectors(c->in_channels),
             .width = whole_vectors(c->out_channels),
             .tiles = cx_winograd_tiles(&c->window)};
    j.step = least(MOST_TILES, c->in_channels * c->out_channels / SHARE);
    j.step = least(j.tiles, most(j.step, LEAST_TILES));
    j.v_step = j.step * j.depth + LINE;
    j.d_step = j.step * j.width + LINE;
    j.m_step = c->in_channels * j.width + LINE;
    j.blocks = parts_of(j.width, WIDTH);
    return j;
}

size_t cx_winograd_backward_workspace(const cx_conv *c)
{
    const job j = job_of(c);
    return (size_t)(PRODUCTS * (j.v_step + j.d_step + j.m_step) + LINE) * sizeof(float);
}

static void transform_tile(const job *j, int64_t i)
{
    const cx_window *w = &j->c->window;
    const int64_t *size = w->out, n = j->c->out_channels, tile = j->from + i;
    const cx_winograd_place p = cx_winograd_tile(w, tile);
    cx_winograd_in in = cx_winograd_patch(j->c, j->x, tile);
    in.v = j->v + i * j->depth;
    in.step = j->v_step;
    j->set->winograd_in(&in);
    const cx_winograd_derivatives out = {
        .dy = j->dy + ((p.image * size[CX_HEIGHT] + p.row) * size[CX_WIDTH] + p.col) * n,
        .row = size[CX_WIDTH] * n,
        .cell = n,
        .rows = (int)least(TILE, size[CX_HEIGHT] - p.row),
        .cols = (int)least(TILE, size[CX_WIDTH] - p.col),
        .channels = n,
        .d = j->d + i * j->width,
        .step = j->d_step};
    j->set->winograd_derivatives(&out);
}

static void transform(void *arg, int task, int worker)
{
    (void)worker;
    const job *j = arg;
    const int64_t to = least(j->n, (int64_t)(task + 1) * TASK_TILES);
    for (int64_t i = (int64_t)task * TASK_TILES; i < to; i++) transform_tile(j, i);
}

/* One place in a patch, for a block of output channels. */
static void multiply(void *arg, int task, int worker)
{
    (void)worker;
    const job *j = arg;
    const int64_t place = task / j->blocks, first = task % j->blocks * WIDTH;
    const int64_t lanes = j->set->lanes, widest = lanes * j->set->vectors;
    const int64_t to = least(j->width, first + WIDTH);
    cx_conv_run r = {.run = {.x = j->v + place * j->v_step,
                             .n = j->c->in_channels,
                             .x_pixel = 1,
                             .y_pixel = j->width,
                             .taps = {1, 1, 1}},
                     .depth = j->n,
                     .x_channel = j->depth,
                     .w_channel = j->width,
                     .lanes = lanes,
                     .first = j->from == 0};
    for (int64_t out = first; out < to; out += widest) {
        r.run.w = j->d + place * j->d_step + out;
        r.run.y = j->m + place * j->m_step + out;
        r.vectors = (int)(least(widest, to - out) / lanes);
        j->set->conv(&r);
    }
}

static void finish(void *arg, int in, int worker)
{
    (void)worker;
    const job *j = arg;
    const int64_t n = j->c->out_channels;
    j->set->winograd_gradient(j->m + in * j->width, j->m_step, j->dw + in * n,
                              j->c->in_channels * n, n);
}

void cx_winograd_backward_weights(const cx_conv *c, const float *x, const float *dy, float *dw,
                                  void *workspace)
{
    job j = job_of(c);
    j.x = x;
    j.dy = dy;
    j.dw = dw;
    j.v = (float *)(((uintptr_t)workspace + 63) / 64 * 64);
    j.d = j.v + PRODUCTS * j.v_step;
    j.m = j.d + PRODUCTS * j.d_step;
    for (j.from = 0; j.from < j.tiles; j.from += j.step) {
        j.n = least(j.step, j.tiles - j.from);
        cx_parallel((int)parts_of(j.n, TASK_TILES), transform, &j);
        cx_parallel((int)(PRODUCTS * j.blocks), multiply, &j);
    }
    cx_parallel((int)c->in_channels, finish, &j);
}
