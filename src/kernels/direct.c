/* direct.c - convolution by the micro-kernel of vec_conv.c: blocks of channels that stay in the
 * caches, rows and output channels shared out to threads. */
#include "kernels/direct.h"

#include <string.h>

#include "base/threads.h"
#include "kernels/cut.h"
#include "kernels/set.h"

enum {
    DEPTH = 64,              /* input channels a pass at least, … */
    PRODUCTS = 512,          /* … more while a sum has fewer products than this */
    CACHE = 256 << 10,       /* bytes of the input that stay in the second cache */
    TASK_PRODUCTS = 1 << 17, /* a task takes longer than it takes to hand out */
    TASKS_A_THREAD = 4,      /* so that an unlucky thread is not waited for long */
    TASK_PIXELS = 48,        /* of a row that is cut; whole tiles of 12, 8 or 6 */
};

typedef cx_direct job;

/* --- one tile of output channels --- */

/* Output channels of one call, and their weights. */
typedef struct channels {
    int64_t group, first; /* the first one within the group */
    int vectors;
    int64_t lanes;    /* of the last vector */
    int64_t w_stride; /* floats from one input channel to the next */
    const float *w;
} channels;

static channels channels_of(const job *j, int64_t block)
{
    const int64_t lanes = j->set->lanes, most = lanes * j->set->vectors;
    channels o = {.group = block / j->blocks, .first = block % j->blocks * most};
    const int64_t n = least(most, j->width - o.first);
    o.vectors = (int)parts_of(n, lanes);
    o.lanes = n - (o.vectors - 1) * lanes;
    o.w_stride = j->c->out_channels;
    o.w = j->w + o.group * j->width + o.first;
    if (o.lanes < lanes) {
        o.w_stride = o.vectors * lanes;
        o.w = j->packed + o.group * j->taps * j->depth * o.w_stride;
    }
    return o;
}

/* Where the output channels of a group are no multiple of the vector, the weights of its last tile
 * are copied to rows of whole vectors, so that the kernel may load them. */
size_t cx_direct_workspace(const cx_conv *c)
{
    const cx_window *w = &c->window;
    const int64_t width = c->out_channels / c->groups;
    if (width % CX_MAX_LANES == 0) return 0;
    const int64_t rows = w->kernel[0] * w->kernel[1] * w->kernel[2] * c->in_channels;
    const int64_t vectors = least(parts_of(width, CX_MAX_LANES), CX_MAX_VECTORS);
    return (size_t)(rows * vectors * CX_MAX_LANES) * sizeof(float);
}

static void pack_last(const job *j)
{
    for (int64_t group = 0; group < j->c->groups; group++) {
        const channels o = channels_of(j, (group + 1) * j->blocks - 1);
        const float *from = j->w + group * j->width + o.first;
        float *to = j->packed + (o.w - j->packed);
        for (int64_t r = 0; r < j->taps * j->depth; r++) {
            memcpy(to, from, (size_t)(j->width - o.first) * sizeof *to);
            memset(to + j->width - o.first, 0, (size_t)(j->set->lanes - o.lanes) * sizeof *to);
            from += j->c->out_channels;
            to += o.w_stride;
        }
    }
}

typedef struct pass {
    cx_conv_run r;
    const cx_set *set;
} pass;

/* Cells whose channels lie on end, in x as in w, make one long loop. */
static cx_conv_run joined(const cx_conv_run *call, const cx_run *run)
{
    cx_conv_run r = *call;
    r.run = *run;
    if (run->x_tap[CX_WIDTH] == r.depth && run->w_tap[CX_WIDTH] == r.depth * r.w_channel) {
        r.depth *= run->taps[CX_WIDTH];
        r.run.taps[CX_WIDTH] = 1;
    }
    return r;
}

static void run_pass(void *arg, const cx_run *run)
{
    const pass *p = arg;
    const cx_conv_run r = joined(&p->r, run);
    p->set->conv(&r);
}

/* Calls for some output channels, without what differs from pass to pass. */
static cx_conv_run call_for(const job *j, const channels *o)
{
    const int64_t channel = o->group * j->width + o->first;
    return (cx_conv_run){.x_channel = 1,
                         .w_channel = o->w_stride,
                         .vectors = o->vectors,
                         .lanes = o->lanes,
                         .bias = j->e->bias ? j->e->bias + channel : NULL,
                         .scale = j->e->scale ? j->e->scale + channel : NULL,
                         .shift = j->e->scale ? j->e->shift + channel : NULL,
                         .low = j->e->low,
                         .high = j->e->high};
}

/* Where input channels from the i-th on, and the weights of these output channels, lie. */
static cx_grid grid_of(const job *j, const channels *o, int64_t i)
{
    const cx_conv *c = j->c;
    return (cx_grid){.window = &c->window,
                     .x = j->x + o->group * j->depth + i,
                     .w = o->w + i * o->w_stride,
                     .x_cell = c->in_channels,
                     .w_cell = j->depth * o->w_stride};
}

/* Input channels of a pass. */
static int64_t step_of(const job *j)
{
    const int64_t most = PRODUCTS / j->taps > DEPTH ? PRODUCTS / j->taps : DEPTH;
    return j->range ? j->range : most;
}

/* All sums of a task for one block of output channels, some input channels at a time. `next` is the
 * block after it, NULL where there is none. */
static void run_block(const job *j, const channels *o, const channels *next, int64_t row_from,
                      int64_t row_to, int64_t pixel_from, int64_t pixel_to)
{
    const int64_t step = step_of(j);
    pass p = {.set = j->set, .r = call_for(j, o)};
    const float *bias = p.r.bias;
    for (int64_t i = 0; i < j->depth; i += p.r.depth) {
        cx_grid g = grid_of(j, o, i);
        g.y = j->y + o->group * j->width + o->first;
        g.y_cell = j->c->out_channels;
        p.r.depth = least(step, j->depth - i);
        p.r.first = i == 0 || j->range;
        p.r.bias = i == 0 ? bias : NULL;
        p.r.add = i > 0 && j->range;
        p.r.last = i + p.r.depth == j->depth;
        /* A kernel of more cells has so many runs that its weights are near for most. */
        p.r.ahead = NULL;
        if (j->taps == 1)
            p.r.ahead = !p.r.last ? g.w + p.r.depth * o->w_stride : next ? next->w : NULL;
        cx_grid_runs(&g, row_from, row_to, pixel_from, pixel_to, run_pass, &p);
    }
}

static void run_blocks(const job *j, int64_t from, int64_t to, int64_t row_from, int64_t row_to,
                       int64_t pixel_from, int64_t pixel_to)
{
    channels o, next = channels_of(j, from);
    for (int64_t b = from; b < to; b++) {
        o = next;
        if (b + 1 < to) next = channels_of(j, b + 1);
        run_block(j, &o, b + 1 < to ? &next : NULL, row_from, row_to, pixel_from, pixel_to);
    }
}

static void run_task(void *arg, int i, int worker)
{
    (void)worker;
    const job *j = arg;
    const int64_t row = i % j->row_parts * j->row_step;
    const int64_t pixel = i / j->row_parts % j->pixel_parts * j->pixel_step;
    const int64_t block = i / j->row_parts / j->pixel_parts * j->block_step;
    const int64_t row_to = least(row + j->row_step, j->rows);
    const int64_t pixel_to = least(pixel + j->pixel_step, j->c->window.out[CX_WIDTH]);
    const int64_t block_to = least(block + j->block_step, j->blocks * j->c->groups);
    run_blocks(j, block, block_to, row, row_to, pixel, pixel_to);
}

/* --- sharing out --- */

/* Cut the work. Only outputs are divided, never a sum, so the number of threads does not show in
 * the result. Where the weights are larger than the input, output channels are divided first: each
 * task then streams its own weights; else rows are. */
static void plan(job *j)
{
    const cx_conv *c = j->c;
    const cx_window *w = &c->window;
    const int64_t width = w->out[CX_WIDTH], all_blocks = j->blocks * c->groups;
    const int64_t outputs = j->rows * width;
    const int64_t weights = j->taps * j->depth * c->out_channels;
    const int64_t inputs = w->batch * w->in[0] * w->in[1] * w->in[2] * c->in_channels;
    const int64_t most = cx_threads_here() == 1 ? 1 : (int64_t)TASKS_A_THREAD * cx_threads_here();
    const int64_t wanted =
        least(most, 1 + (int64_t)((double)outputs * (double)weights / TASK_PRODUCTS));

    const int64_t blocks = weights > inputs ? least(wanted, all_blocks) : 1;
    int64_t cuts = parts_of(wanted, blocks);
    const int64_t for_cache = parts_of(inputs, CACHE / (int64_t)sizeof(float));
    if (blocks < all_blocks && cuts < for_cache) cuts = for_cache;
    j->row_step = parts_of(j->rows, least(cuts, j->rows));
    j->row_parts = parts_of(j->rows, j->row_step);
    cuts = parts_of(cuts, j->row_parts);
    j->pixel_step = parts_of(parts_of(width, cuts), TASK_PIXELS) * TASK_PIXELS;
    j->pixel_parts = parts_of(width, j->pixel_step);
    cuts = parts_of(wanted, j->row_parts * j->pixel_parts);
    j->block_step = parts_of(all_blocks, least(cuts, all_blocks));
    j->block_parts = parts_of(all_blocks, j->block_step);
}

int cx_direct_begin(cx_direct *j, const cx_conv *c, const float *x, const float *w,
                    const cx_epilogue *e, float *y, void *workspace)
{
    const cx_window *win = &c->window;
    *j = (job){.c = c, .x = x, .w = w, .e = e, .y = y, .packed = workspace, .set = cx_set_now()};
    j->taps = win->kernel[0] * win->kernel[1] * win->kernel[2];
    j->depth = c->in_channels / c->groups;
    j->width = c->out_channels / c->groups;
    j->range = j->taps == 1 && c->groups == 1 ? cx_dense_range(c->in_channels) : 0;
    j->rows = cx_grid_rows(win);
    if (j->rows < 1 || win->out[CX_WIDTH] < 1 || j->width < 1) return 0;
    j->blocks = parts_of(j->width, (int64_t)j->set->lanes * j->set->vectors);
    if (j->width % j->set->lanes) pack_last(j);
    return 1;
}

void cx_direct_part(const cx_direct *d, const cx_conv *c, const float *x, float *y)
{
    job j = *d;
    j.c = c;
    j.x = x;
    j.y = y;
    run_blocks(&j, 0, j.blocks * c->groups, 0, cx_grid_rows(&c->window), 0,
               c->window.out[CX_WIDTH]);
}

void cx_direct_forward(const cx_conv *c, const float *x, const float *w, const cx_epilogue *e,
                       float *y, void *workspace)
{
    job j;
    if (!cx_direct_begin(&j, c, x, w, e, y, workspace)) return;
    plan(&j);
    cx_parallel((int)(j.row_parts * j.pixel_parts * j.block_parts), run_task, &j);
}

/* --- with a pooling --- */

typedef struct pooled_job {
    job j;
    const cx_window *pool;
    float *pooled;
    float *bands;                   /* band_size floats for each thread, where y is not wanted */
    int64_t band_size, image_bands; /* two rows each, the last one perhaps of one */
    int pairs; /* whole bands go two rows at a time through conv_pair; then, … */
    int past;  /* … if y goes past the caches */
} pooled_job;

/* Rows of one image that a row of the pooling reads, as a convolution by itself. */
static cx_conv band_of(const cx_conv *c, int64_t row, int64_t rows, int64_t *x_row)
{
    const cx_window *w = &c->window;
    const int64_t first = row * w->stride[CX_HEIGHT] - w->pad[CX_HEIGHT];
    const int64_t span = (w->kernel[CX_HEIGHT] - 1) * w->dilation[CX_HEIGHT] + 1;
    const int64_t end = first + (rows - 1) * w->stride[CX_HEIGHT] + span;
    const int64_t from = first > 0 ? least(first, w->in[CX_HEIGHT]) : 0;
    cx_conv band = *c;
    band.window.batch = 1;
    band.window.in[CX_HEIGHT] = end > from ? least(end, w->in[CX_HEIGHT]) - from : 0;
    band.window.out[CX_HEIGHT] = rows;
    band.window.pad[CX_HEIGHT] = from - first;
    *x_row = from;
    return band;
}

/* conv_pair can: one pass over the input channels, all windows inside, and what is left of a row
 * with an odd number of pixels belongs to nobody. */
static int goes_in_pairs(const pooled_job *p)
{
    const cx_window *w = &p->j.c->window;
    const int64_t width = w->out[CX_WIDTH];
    int can = p->j.set->conv_pair != NULL && step_of(&p->j) >= p->j.depth;
    for (int a = CX_HEIGHT; a <= CX_WIDTH; a++)
        can &= w->pad[a] == 0 &&
               (w->out[a] - 1) * w->stride[a] + (w->kernel[a] - 1) * w->dilation[a] < w->in[a];
    return can && (width % 2 == 0 || (!p->j.y && p->pool->out[CX_WIDTH] == width / 2));
}

typedef struct pair {
    const cx_set *set;
    cx_conv_pair call;
} pair;

static void run_pair(void *arg, const cx_run *run)
{
    const pair *p = arg;
    cx_conv_pair call = p->call;
    call.r = joined(&p->call.r, run);
    call.r.run.y = p->call.r.run.y;
    call.r.run.y_pixel = p->call.r.run.y_pixel;
    p->set->conv_pair(&call);
}

/* Two rows of the output from `row`, of the batch, on, to one of the pooling. The grid walks x
 * alone, from end to end of the row at once, since y may not be wanted: its own y stays. */
static void run_pairs(const pooled_job *p, int64_t row, float *pooled)
{
    const job *j = &p->j;
    const cx_window *w = &j->c->window;
    for (int64_t b = 0; b < j->blocks * j->c->groups; b++) {
        const channels o = channels_of(j, b);
        const int64_t n = j->c->out_channels, channel = o.group * j->width + o.first;
        cx_grid g = grid_of(j, &o, 0);
        g.y = pooled;
        pair call = {.set = j->set, .call = {.r = call_for(j, &o), .past = p->past}};
        call.call.r.depth = j->depth;
        call.call.r.run.y = j->y ? j->y + row * w->out[CX_WIDTH] * n + channel : NULL;
        call.call.r.run.y_pixel = n;
        call.call.x_below = w->stride[CX_HEIGHT] * w->in[CX_WIDTH] * g.x_cell;
        call.call.y_below = w->out[CX_WIDTH] * n;
        call.call.pooled = pooled + channel;
        cx_grid_runs(&g, row, row + 1, 0, w->out[CX_WIDTH] / 2 * 2, run_pair, &call);
    }
}

static void run_band(void *arg, int index, int worker)
{
    const pooled_job *p = arg;
    const cx_window *w = &p->j.c->window, *pool = p->pool;
    const int64_t n = p->j.c->out_channels, width = w->out[CX_WIDTH] * n;
    const int64_t image = index / p->image_bands, row = index % p->image_bands * 2;
    const int64_t rows = least(2, w->out[CX_HEIGHT] - row);
    const int64_t pooled_row = image * pool->out[CX_HEIGHT] + row / 2;
    float *pooled = p->pooled + pooled_row * pool->out[CX_WIDTH] * n;
    if (p->pairs && rows == 2) {
        run_pairs(p, image * w->out[CX_HEIGHT] + row, pooled);
        if (p->past) p->j.set->fence();
        return;
    }
    int64_t x_row;
    const cx_conv c = band_of(p->j.c, row, rows, &x_row);
    const int64_t x_at = (image * w->in[CX_HEIGHT] + x_row) * w->in[CX_WIDTH] * c.in_channels;
    float *y = p->bands + worker * p->band_size;
    if (p->j.y) y = p->j.y + (image * w->out[CX_HEIGHT] + row) * width;
    cx_direct_part(&p->j, &c, p->j.x + x_at, y);
    if (row / 2 >= pool->out[CX_HEIGHT]) return;
    cx_window two = *pool;
    two.batch = 1;
    two.in[CX_HEIGHT] = rows;
    two.out[CX_HEIGHT] = 1;
    cx_max_pool_forward(&two, n, y, pooled);
}

static int64_t band_size(const cx_conv *c)
{
    return parts_of(2 * c->window.out[CX_WIDTH] * c->out_channels, CX_MAX_LANES) * CX_MAX_LANES;
}

size_t cx_direct_pooled_workspace(const cx_conv *c)
{
    return cx_direct_workspace(c) + (size_t)(cx_cores() * band_size(c)) * sizeof(float);
}

void cx_direct_pooled(const cx_conv *c, const float *x, const float *w, const cx_epilogue *e,
                      float *y, const cx_pooled *pooled, void *workspace)
{
    pooled_job p = {.pool = pooled->window, .pooled = pooled->y, .band_size = band_size(c)};
    if (!cx_direct_begin(&p.j, c, x, w, e, y, workspace)) return;
    p.pairs = goes_in_pairs(&p);
    p.past = p.pairs && y && pooled->streams && cx_is_whole(y, c->out_channels);
    p.image_bands = y ? parts_of(c->window.out[CX_HEIGHT], 2) : p.pool->out[CX_HEIGHT];
    p.bands = (float *)workspace + cx_direct_workspace(c) / sizeof(float);
    cx_parallel_by(cx_cores(), (int)(p.image_bands * p.pool->batch), run_band, &p);
}
