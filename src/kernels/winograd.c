/* winograd.c - convolution by the transforms of vec_winograd.c and, for the products, the
 * micro-kernel of vec_conv.c: some tiles at a time, whose patches, products and sums stay in the
 * second cache unless there are very many channels.
 *
 * Numbers of a block of tiles lie as 36 matrices, one for each place in a patch: V[36][tile][in],
 * and M[36][tile][out] = V[36] U[36] for a block of output channels. U, the weights, lies as
 * [block][36][in][out of the block], in the order in which it is read. */
#include "kernels/winograd.h"

#include <stdatomic.h>
#include <string.h>

#include "base/threads.h"
#include "kernels/cut.h"
#include "kernels/few.h"
#include "kernels/set.h"

enum {
    TILE = CX_WINOGRAD_OUT,
    PATCH = CX_WINOGRAD_IN,
    PRODUCTS = CX_WINOGRAD_PRODUCTS,
    WIDTH = CX_MAX_LANES * CX_MAX_VECTORS, /* output channels of a block */
    LINE = 64 / sizeof(float),
    TILES = 50,           /* of a block at most. With fewer each number of U would be read from far
                             away more often, which is dearer than V that does not fit near by */
    PAYING_DEPTH = 12,    /* fewer input channels do not make up for the transforms, … */
    PAYING_PIXELS = 64,   /* … nor fewer pixels for the reading of U, which has four times the
                             numbers of w and … */
    LARGE = 1 << 16,      /* … where w has more than nine times this … */
    LARGE_PIXELS = 144,   /* … is not in the caches from pass to pass */
    MOST_DEPTH = 1 << 13, /* more input channels would want much memory for a block of tiles */
    TASK_TILES = 6,       /* a task with fewer would not fill the micro-kernel */
};

typedef struct job {
    const cx_conv *c;
    const float *x;
    const cx_epilogue *e;
    float *y, *pooled;
    const cx_window *pool;
    float *scratch; /* V and M of each task */
    const cx_set *set;
    int64_t tiles;               /* of the batch */
    int64_t depth;               /* channels of V: whole vectors */
    int64_t block_tiles, blocks; /* of tiles */
    int64_t widths, parts;       /* blocks of output channels, and into how many they are cut */
    int64_t v_step, m_step;      /* floats from one matrix to the next */
    int past;                    /* y goes past the caches */
    atomic_int next;
} job;

int cx_winograd_fits(const cx_conv *c)
{
    const cx_window *w = &c->window;
    int fits = c->groups == 1 && !c->exact && w->kernel[CX_DEPTH] == 1 && w->in[CX_DEPTH] == 1 &&
               w->out[CX_DEPTH] == 1 && w->pad[CX_DEPTH] == 0;
    for (int a = CX_HEIGHT; a <= CX_WIDTH; a++)
        fits &= w->kernel[a] == 3 && w->stride[a] == 1 && w->dilation[a] == 1;
    return fits;
}

/* Measured on single layers, one thread, each set of instructions. */
int cx_winograd_pays(const cx_conv *c)
{
    const cx_window *w = &c->window;
    const int64_t pixels = w->out[CX_HEIGHT] * w->out[CX_WIDTH];
    const int is_large = c->in_channels * c->out_channels > LARGE;
    return cx_winograd_fits(c) && !cx_few_pays(c) && c->in_channels >= PAYING_DEPTH &&
           c->in_channels <= MOST_DEPTH && pixels >= (is_large ? LARGE_PIXELS : PAYING_PIXELS);
}

cx_conv cx_winograd_back(const cx_conv *c)
{
    cx_conv back = *c;
    back.in_channels = c->out_channels;
    back.out_channels = c->in_channels;
    for (int a = 0; a < CX_SPACE; a++) {
        back.window.in[a] = c->window.out[a];
        back.window.out[a] = c->window.in[a];
        back.window.pad[a] = (c->window.kernel[a] - 1) * c->window.dilation[a] - c->window.pad[a];
    }
    return back;
}

/* --- the weights --- */

static int64_t block_width(int64_t out_channels, int64_t block)
{
    return least(WIDTH, whole_vectors(out_channels - block * WIDTH));
}

size_t cx_winograd_weights_size(const cx_conv *c)
{
    return (size_t)(PRODUCTS * c->in_channels * whole_vectors(c->out_channels)) * sizeof(float);
}

typedef struct weights_job {
    int64_t in, out; /* channels of what is made */
    const float *w;
    int back;
    float *transformed;
    const cx_set *set;
} weights_job;

/* The kernels of a vector of output channels and one input channel; zeros past the last. */
static void gather(const weights_job *j, int64_t in, int64_t out, float *g)
{
    const int64_t n = least(CX_MAX_LANES, j->out - out);
    memset(g, 0, 9 * CX_MAX_LANES * sizeof *g);
    for (int64_t cell = 0; cell < 9; cell++) {
        const float *w = j->w + (j->back ? 8 - cell : cell) * j->in * j->out;
        float *to = g + cell * CX_MAX_LANES;
        if (j->back)
            for (int64_t o = 0; o < n; o++) to[o] = w[(out + o) * j->in + in];
        else
            memcpy(to, w + in * j->out + out, (size_t)n * sizeof *to);
    }
}

static void transform_vectors(void *arg, int i, int worker)
{
    (void)worker;
    const weights_job *j = arg;
    const int64_t out = (int64_t)i * CX_MAX_LANES, block = out / WIDTH;
    const int64_t width = block_width(j->out, block);
    float *to = j->transformed + block * WIDTH * PRODUCTS * j->in + out % WIDTH;
    float g[9 * CX_MAX_LANES];
    for (int64_t in = 0; in < j->in; in++) {
        gather(j, in, out, g);
        j->set->winograd_weights(g, to + in * width, j->in * width);
    }
}

void cx_winograd_weights(const cx_conv *c, const float *w, int back, float *transformed)
{
    weights_job j = {c->in_channels, c->out_channels, w, back, transformed, cx_set_now()};
    cx_parallel((int)parts_of(j.out, CX_MAX_LANES), transform_vectors, &j);
}

/* --- a block of tiles --- */

/* How much of `size` cells lies before `at`, at most to: 0 … to. */
static int inside(int64_t size, int64_t at, int64_t to)
{
    return (int)most(0, least(to, size - at));
}

cx_winograd_place cx_winograd_tile(const cx_window *w, int64_t tile)
{
    const int64_t rows = parts_of(w->out[CX_HEIGHT], TILE);
    const int64_t cols = parts_of(w->out[CX_WIDTH], TILE);
    return (cx_winograd_place){tile / (rows * cols), tile / cols % rows * TILE, tile % cols * TILE};
}

int64_t cx_winograd_tiles(const cx_window *w)
{
    return w->batch * parts_of(w->out[CX_HEIGHT], TILE) * parts_of(w->out[CX_WIDTH], TILE);
}

cx_winograd_in cx_winograd_patch(const cx_conv *c, const float *from, int64_t tile)
{
    const cx_window *w = &c->window;
    const cx_winograd_place p = cx_winograd_tile(w, tile);
    const int64_t y = p.row - w->pad[CX_HEIGHT], x = p.col - w->pad[CX_WIDTH];
    cx_winograd_in t = {
        .from = {(int)most(0, -y), (int)most(0, -x)},
        .to = {inside(w->in[CX_HEIGHT], y, PATCH), inside(w->in[CX_WIDTH], x, PATCH)},
        .cell = c->in_channels,
        .row = w->in[CX_WIDTH] * c->in_channels,
        .channels = c->in_channels};
    t.x = from + p.image * w->in[CX_HEIGHT] * t.row;
    if (t.from[0] < t.to[0] && t.from[1] < t.to[1])
        t.x += (y + t.from[0]) * t.row + (x + t.from[1]) * t.cell;
    return t;
}

static void input_tile(const job *j, int64_t tile, float *v)
{
    cx_winograd_in t = cx_winograd_patch(j->c, j->x, tile);
    t.v = v;
    t.step = j->v_step;
    j->set->winograd_in(&t);
}

/* M of one block of output channels. */
static void multiply(const job *j, int64_t tiles, int64_t channels, int64_t width, const float *v,
                     const float *u, float *m)
{
    const int64_t lanes = j->set->lanes, widest = lanes * j->set->vectors;
    const int64_t vectors = parts_of(channels, lanes) * lanes, size = j->c->in_channels * width;
    cx_conv_run r = {.run = {.n = tiles, .x_pixel = j->depth, .y_pixel = width, .taps = {1, 1, 1}},
                     .depth = j->c->in_channels,
                     .x_channel = 1,
                     .w_channel = width,
                     .lanes = lanes,
                     .first = 1};
    for (int64_t k = 0; k < PRODUCTS; k++)
        for (int64_t out = 0; out < vectors; out += widest) {
            r.run.x = v + k * j->v_step;
            r.run.w = u + k * size + out;
            r.run.y = m + k * j->m_step + out;
            r.vectors = (int)(least(widest, vectors - out) / lanes);
            r.ahead = out + widest < vectors ? r.run.w + widest : r.run.w - out + size;
            j->set->conv(&r);
        }
}

static void output_tile(const job *j, int64_t tile, const cx_epilogue *e, int64_t first,
                        const float *m)
{
    const int64_t *size = j->c->window.out, channels = j->c->out_channels;
    const cx_winograd_place p = cx_winograd_tile(&j->c->window, tile);
    cx_winograd_out t = {.m = m,
                         .step = j->m_step,
                         .channels = least(WIDTH, channels - first),
                         .epilogue = e,
                         .y_cell = channels,
                         .y_row = size[CX_WIDTH] * channels,
                         .rows = inside(size[CX_HEIGHT], p.row, TILE),
                         .cols = inside(size[CX_WIDTH], p.col, TILE)};
    t.past = j->past;
    if (j->y)
        t.y = j->y + ((p.image * size[CX_HEIGHT] + p.row) * size[CX_WIDTH] + p.col) * channels +
              first;
    if (j->pooled) {
        const int64_t *half = j->pool->out;
        t.pooled_row = half[CX_WIDTH] * channels;
        t.pooled_rows = inside(half[CX_HEIGHT], p.row / 2, TILE / 2);
        t.pooled_cols = inside(half[CX_WIDTH], p.col / 2, TILE / 2);
        t.pooled =
            j->pooled +
            ((p.image * half[CX_HEIGHT] + p.row / 2) * half[CX_WIDTH] + p.col / 2) * channels;
        t.pooled += first;
    }
    j->set->winograd_out(&t);
}

static void run_block(const job *j, int64_t block, int64_t part, float *v, float *m)
{
    const int64_t from = block * j->block_tiles, tiles = least(j->block_tiles, j->tiles - from);
    for (int64_t t = 0; t < tiles; t++) input_tile(j, from + t, v + t * j->depth);
    for (int64_t b = j->widths * part / j->parts; b < j->widths * (part + 1) / j->parts; b++) {
        const int64_t width = block_width(j->c->out_channels, b), first = b * WIDTH;
        cx_epilogue e = *j->e;
        if (e.bias) e.bias += first;
        if (e.scale) {
            e.scale += first;
            e.shift += first;
        }
        const int64_t channels = least(WIDTH, j->c->out_channels - first);
        const float *u = j->c->transformed + first * PRODUCTS * j->c->in_channels;
        multiply(j, tiles, channels, width, v, u, m);
        for (int64_t t = 0; t < tiles; t++) output_tile(j, from + t, &e, first, m + t * width);
    }
}

/* Takes blocks until there are no more. So scratch memory belongs to a task, and it is as large as
 * it was planned however many threads come. */
static void run_slot(void *arg, int i, int worker)
{
    (void)worker;
    job *j = arg;
    float *v = j->scratch + i * PRODUCTS * (j->v_step + j->m_step), *m = v + PRODUCTS * j->v_step;
    int next;
    while ((next = atomic_fetch_add(&j->next, 1)) < j->blocks * j->parts)
        run_block(j, next / j->parts, next % j->parts, v, m);
    if (j->past) j->set->fence();
}

/* --- sharing out --- */

/* A line more than it takes: 36 arrays a power of two apart would meet in one set of the cache. */
static void set_steps(job *j)
{
    j->v_step = j->block_tiles * j->depth + LINE;
    j->m_step = j->block_tiles * least(WIDTH, whole_vectors(j->c->out_channels)) + LINE;
}

static void plan(job *j, int threads)
{
    const cx_window *w = &j->c->window;
    j->tiles = cx_winograd_tiles(w);
    j->depth = whole_vectors(j->c->in_channels);
    j->widths = parts_of(j->c->out_channels, WIDTH);

    const int64_t blocks = parts_of(j->tiles, TILES);
    j->blocks = blocks;
    j->parts = 1;
    if (blocks < threads) { /* each part reads its own weights, and all of the input */
        j->parts = least(j->widths, parts_of(threads, blocks));
        j->blocks = least(parts_of(threads, j->parts), most(blocks, j->tiles / TASK_TILES));
    } else if (blocks < 8 * threads) {
        j->blocks = parts_of(blocks, threads) * threads;
    }
    j->block_tiles = parts_of(j->tiles, j->blocks);
    j->blocks = parts_of(j->tiles, j->block_tiles);
    set_steps(j);
}

/* As many as may run at once. */
static int64_t slots_of(const job *j)
{
    return least(cx_cores(), j->blocks * j->parts);
}

size_t cx_winograd_workspace(const cx_conv *c)
{
    size_t most_floats = 0;
    for (int threads = 1; threads <= cx_cores(); threads++) {
        job j = {.c = c};
        plan(&j, threads);
        const size_t n = (size_t)(slots_of(&j) * PRODUCTS * (j.v_step + j.m_step));
        if (n > most_floats) most_floats = n;
    }
    return (most_floats + LINE) * sizeof(float);
}

void cx_winograd_forward(const cx_conv *c, const float *x, const cx_epilogue *e, float *y,
                         const cx_pooled *pooled, void *workspace)
{
    job j = {.c = c, .x = x, .e = e, .y = y, .set = cx_set_now()};
    if (c->window.batch * c->window.out[CX_HEIGHT] * c->window.out[CX_WIDTH] < 1) return;
    if (pooled) {
        j.pool = pooled->window;
        j.pooled = pooled->y;
        j.past = y && pooled->streams && cx_is_whole(y, c->out_channels);
    }
    plan(&j, (int)least(cx_threads_here(), cx_cores()));
    j.scratch = (float *)(((uintptr_t)workspace + 63) / 64 * 64);
    cx_parallel((int)slots_of(&j), run_slot, &j);
}
