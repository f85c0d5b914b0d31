/* direct_weights.c - the gradient of a convolution with respect to its weights, by the micro-kernel
 * of vec_conv.c: what are pixels there are input channels here, and what are its input channels are
 * places of the output, the long sum.
 *
 * dy is taken a chunk of places at a time, copied to rows of whole vectors that stay in the first
 * cache while all weights of a task pass over them. The places are cut into parts and the weights
 * into pieces, by the shape alone: each part has a sum of its own, and these are added in order, so
 * any number of threads gives the same bytes. */
#include <string.h>

#include "base/threads.h"
#include "kernels/cut.h"
#include "kernels/direct.h"
#include "kernels/places.h"
#include "kernels/set.h"

enum {
    CHUNK = 12288,           /* floats of dy that a chunk holds, … */
    PLACES = 512,            /* … and places at most: their x stays in the second cache */
    PIECE = 1 << 16,         /* weights whose sums stay in the second cache */
    TASKS = 16,              /* about so many, where there is work for them */
    TASK_PRODUCTS = 1 << 17, /* a task takes longer than it takes to hand out */
    NARROW = 16,             /* fewer input channels do not fill the tiles by themselves */
    RANGE = 1 << 14,         /* weights that a task adds up */
    LINE = 64 / sizeof(float),
};

typedef struct job {
    const cx_conv *c;
    const float *x, *dy;
    float *dw;
    float *partial; /* the sums of all parts but the first */
    float *packed;  /* CHUNK floats a task */
    const cx_set *set;
    int64_t depth, width;  /* channels of a group: in and out */
    int64_t weights;       /* numbers in dw */
    int64_t blocks;        /* tiles of output channels a group */
    int64_t in_step, cuts; /* input channels of a piece, and pieces a block */
    int64_t piece_step, piece_parts, parts;
    cx_chunks chunks;
    int joined; /* cells of a row whose channels lie on end, in x as in dw */
} job;

/* --- one chunk --- */

/* A piece of the weights: some input channels and a tile of output channels of a group. */
typedef struct piece {
    int64_t in, in_n;   /* the first input channel within the group, and how many */
    int64_t out, out_n; /* … of the output */
    int64_t group;
    int vectors;
    int64_t lanes;  /* of the last vector */
    int64_t stride; /* floats of a place in the packed chunk */
} piece;

static piece piece_of(const job *j, int64_t index)
{
    const int64_t lanes = j->set->lanes, widest = lanes * j->set->vectors;
    const int64_t block = index / j->cuts;
    piece p = {.in = index % j->cuts * j->in_step,
               .out = block % j->blocks * widest,
               .group = block / j->blocks};
    p.in_n = least(j->in_step, j->depth - p.in);
    p.out_n = least(widest, j->width - p.out);
    p.vectors = (int)parts_of(p.out_n, lanes);
    p.lanes = p.out_n - (p.vectors - 1) * lanes;
    p.stride = p.vectors * lanes;
    return p;
}

static void pack(const job *j, const piece *p, const cx_places *b, float *packed)
{
    const int64_t channels = j->c->out_channels, first = p->group * j->width + p->out;
    cx_box copy = {.ndim = CX_PLACE + 1};
    int64_t from = channels, to = p->stride, offset = 0;
    copy.size[CX_PLACE] = p->out_n;
    copy.from[CX_PLACE] = copy.to[CX_PLACE] = 1;
    for (int a = CX_PLACE - 1; a >= 0; a--) {
        copy.size[a] = b->to[a] - b->from[a];
        copy.from[a] = from;
        copy.to[a] = to;
        offset += b->from[a] * from;
        from *= a == CX_BATCH ? 1 : j->c->window.out[a - 1];
        to *= copy.size[a];
    }
    cx_copy_box(&copy, j->dy + offset + first, packed);
}

/* What is worked on. */
typedef struct site {
    const job *j;
    const piece *p;
    const float *next; /* the chunk of dy after this one, read where it lies; NULL: none */
    int calls;         /* of the micro-kernel, for this one */
} site;

/* For the micro-kernel the places are cells and, those of a row, channels. */
static void add_products(void *arg, const cx_sum *sum)
{
    site *s = arg;
    const piece *p = s->p;
    cx_conv_run r = {.run = {.x = sum->x,
                             .w = sum->dy,
                             .y = sum->dw,
                             .n = sum->cells > 1 ? sum->cells * p->in_n : p->in_n,
                             .x_pixel = 1,
                             .y_pixel = s->j->c->out_channels},
                     .depth = sum->n[CX_SPACE],
                     .x_channel = sum->x_step[CX_SPACE],
                     .w_channel = sum->dy_step[CX_SPACE],
                     .vectors = p->vectors,
                     .lanes = p->lanes,
                     .first = 1,
                     .add = 1};
    for (int a = 0; a < CX_SPACE; a++) {
        r.run.taps[a] = sum->n[a];
        r.run.x_tap[a] = sum->x_step[a];
        r.run.w_tap[a] = sum->dy_step[a];
    }
    /* A chunk comes from memory once and is gone over by many calls: the first of them bring the
     * next chunk, a line of each place at a time. */
    if (s->next && s->calls * LINE < p->stride) r.ahead = s->next + s->calls * LINE;
    s->calls++;
    s->j->set->conv(&r);
}

/* Where the first place of a chunk is. */
static const float *dy_at(const job *j, const cx_places *b)
{
    int64_t place = b->from[CX_BATCH];
    for (int a = 0; a < CX_SPACE; a++) place = place * j->c->window.out[a] + b->from[1 + a];
    return j->dy + place * j->c->out_channels;
}

/* `next` is the chunk after it, NULL where there is none. */
static void run_chunk(const job *j, const piece *p, const cx_places *b, const cx_places *next,
                      float *packed, float *dw)
{
    const cx_conv *c = j->c;
    const cx_places all = cx_chunk_whole(&c->window);
    const int64_t row = c->out_channels;
    const int in_place = p->out_n == row && p->stride == row; /* whole vectors already */
    site s = {j, p, in_place && next ? dy_at(j, next) : NULL, 0};
    const cx_walk walk = {.window = &c->window,
                          .chunk = b,
                          .held = in_place ? &all : b,
                          .x = j->x + p->group * j->depth + p->in,
                          .dy = in_place ? j->dy : packed,
                          .dw = dw + p->in * row + p->group * j->width + p->out,
                          .x_cell = c->in_channels,
                          .dy_cell = p->stride,
                          .dw_cell = j->depth * row,
                          .joined = j->joined};
    if (!in_place) pack(j, p, b, packed);
    cx_walk_sums(&walk, add_products, &s);
}

/* --- sharing out --- */

static float *sum_of(const job *j, int64_t part)
{
    return part == 0 ? j->dw : j->partial + (part - 1) * j->weights;
}

static void clear_part(void *arg, int i, int worker)
{
    (void)worker;
    const job *j = arg;
    memset(sum_of(j, i + 1), 0, (size_t)j->weights * sizeof *j->dw);
}

static void run_task(void *arg, int i, int worker)
{
    (void)worker;
    const job *j = arg;
    const int64_t part = i / j->piece_parts, from = i % j->piece_parts * j->piece_step;
    const int64_t pieces = j->c->groups * j->blocks * j->cuts;
    const int64_t chunks = j->chunks.all;
    float *packed = j->packed + (int64_t)i * CHUNK;
    for (int64_t k = from; k < least(from + j->piece_step, pieces); k++) {
        const piece p = piece_of(j, k);
        if (p.lanes < j->set->lanes) memset(packed, 0, CHUNK * sizeof *packed);
        const int64_t end = chunks * (part + 1) / j->parts;
        for (int64_t n = chunks * part / j->parts; n < end; n++) {
            const cx_places b = cx_chunk(&j->chunks, &j->c->window, n);
            const cx_places next = cx_chunk(&j->chunks, &j->c->window, least(n + 1, chunks - 1));
            run_chunk(j, &p, &b, n + 1 < end ? &next : NULL, packed, sum_of(j, part));
        }
    }
}

static void add_parts(void *arg, int i, int worker)
{
    (void)worker;
    const job *j = arg;
    const int64_t from = (int64_t)i * RANGE, n = least(RANGE, j->weights - from);
    for (int64_t part = 1; part < j->parts; part++)
        j->set->binary(CX_ADD, n, j->dw + from, sum_of(j, part) + from, j->dw + from);
}

/* --- the plan --- */

static int64_t weights_of(const cx_conv *c)
{
    const int64_t *kernel = c->window.kernel;
    return kernel[0] * kernel[1] * kernel[2] * (c->in_channels / c->groups) * c->out_channels;
}

static int64_t tasks_worth(const cx_conv *c)
{
    const double products = (double)cx_places_all(&c->window) * (double)weights_of(c);
    return (int64_t)(1 + products / TASK_PRODUCTS < TASKS ? 1 + products / TASK_PRODUCTS : TASKS);
}

/* As many sums as cost little beside the reading of x and dy. */
static int64_t part_count(const cx_conv *c)
{
    const cx_window *w = &c->window;
    const int64_t inputs = w->batch * w->in[0] * w->in[1] * w->in[2] * c->in_channels;
    const int64_t data = inputs + cx_places_all(w) * c->out_channels;
    return most(1, least(tasks_worth(c), data / (2 * most(1, weights_of(c)))));
}

static int64_t piece_parts(const cx_conv *c)
{
    return parts_of(tasks_worth(c), part_count(c));
}

static void plan(job *j)
{
    const cx_window *w = &j->c->window;
    const int64_t lanes = j->set->lanes, widest = lanes * j->set->vectors;
    j->parts = part_count(j->c);
    j->blocks = parts_of(j->width, widest);

    const int64_t blocks = j->blocks * j->c->groups, wanted = piece_parts(j->c);
    const int64_t each = parts_of(j->weights, j->depth * j->c->out_channels) * widest;
    const int64_t in_cuts = least(most(parts_of(wanted, blocks), parts_of(each * j->depth, PIECE)),
                                  most(1, j->depth / NARROW));
    j->in_step = parts_of(j->depth, in_cuts);
    j->cuts = parts_of(j->depth, j->in_step);
    j->piece_step = parts_of(blocks * j->cuts, wanted);
    j->piece_parts = parts_of(blocks * j->cuts, j->piece_step);

    const int64_t stride = least(widest, parts_of(j->width, lanes) * lanes);
    j->chunks = cx_chunks_of(w, least(PLACES, CHUNK / stride));
    j->joined = j->c->groups == 1 && j->depth < NARROW && w->dilation[CX_WIDTH] == 1;
}

size_t cx_direct_backward_weights_workspace(const cx_conv *c)
{
    if (cx_places_all(&c->window) < 1) return 0;
    const int64_t parts = part_count(c), tasks = parts * piece_parts(c);
    return (size_t)(tasks * CHUNK + (parts - 1) * weights_of(c)) * sizeof(float);
}

void cx_direct_backward_weights(const cx_conv *c, const float *x, const float *dy, float *dw,
                                void *workspace)
{
    job j = {.c = c, .x = x, .dy = dy, .dw = dw, .set = cx_set_now()};
    j.depth = c->in_channels / c->groups;
    j.width = c->out_channels / c->groups;
    j.weights = weights_of(c);
    if (cx_places_all(&c->window) < 1 || j.weights < 1) return;
    plan(&j);
    j.packed = workspace;
    j.partial = j.packed + j.parts * j.piece_parts * CHUNK;
    cx_parallel((int)j.parts - 1, clear_part, &j);
    cx_parallel((int)(j.parts * j.piece_parts), run_task, &j);
    if (j.parts > 1) cx_parallel((int)parts_of(j.weights, RANGE), add_parts, &j);
}
