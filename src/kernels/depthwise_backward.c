/* depthwise_backward.c - the gradients of a depthwise convolution. That of the input is a
 * transposed convolution of as many groups as there are channels, which becomes a depthwise one
 * again. That of the weights is one too, of x with dy: places are its kernel cells and kernel cells
 * are its pixels. The places are cut into parts by the shape alone; each part has a sum of its own,
 * and these are added in order. */
#include <math.h>
#include <string.h>

#include "base/threads.h"
#include "kernels/places.h"
#include "kernels/set.h"

enum { PARTS = 16, PLACES = 512 };

static cx_conv as_conv(const cx_depthwise *d)
{
    return (cx_conv){d->window, d->channels, d->channels * d->multiplier, d->channels, 0, NULL};
}

size_t cx_depthwise_backward_data_workspace(const cx_depthwise *d)
{
    const cx_conv c = as_conv(d);
    return cx_conv_backward_data_workspace(&c);
}

void cx_depthwise_backward_data(const cx_depthwise *d, const float *dy, const float *w, float *dx,
                                void *workspace)
{
    const cx_conv c = as_conv(d);
    cx_conv_backward_data(&c, dy, w, dx, workspace);
}

/* --- the weights --- */

typedef struct job {
    const cx_depthwise *d;
    const float *x, *dy;
    float *sums; /* of each part, then what one walk of it makes */
    int64_t weights, width, parts;
    cx_chunks chunks;
    const cx_set *set;
} job;

/* A part at work. */
typedef struct site {
    const job *j;
    float *row; /* a row of kernel cells */
} site;

static int64_t weights_of(const cx_depthwise *d)
{
    const int64_t *kernel = d->window.kernel;
    return kernel[0] * kernel[1] * kernel[2] * d->channels * d->multiplier;
}

static cx_chunks chunks_of(const cx_depthwise *d)
{
    const int64_t each = cx_places_all(&d->window) / PARTS;
    return cx_chunks_of(&d->window, each < PLACES ? each : PLACES);
}

static int64_t part_count(const cx_depthwise *d)
{
    const int64_t all = chunks_of(d).all;
    return all < PARTS ? all : PARTS;
}

/* One kernel cell of one place. */
static void add_cell(const cx_depthwise *d, const float *x, const float *dy, float *dw)
{
    for (int64_t c = 0; c < d->channels; c++)
        for (int64_t m = 0; m < d->multiplier; m++) {
            const int64_t o = c * d->multiplier + m;
            dw[o] += x[c] * dy[o];
        }
}

/* Plain loops, for a multiplier and for fewer channels than a vector has. */
static void add_plain(const job *j, const cx_run *run)
{
    const int64_t *n = run->taps;
    for (int64_t p = 0; p < run->n; p++)
        for (int64_t s = 0; s < n[0]; s++)
            for (int64_t r = 0; r < n[1]; r++)
                for (int64_t t = 0; t < n[2]; t++)
                    add_cell(j->d,
                             run->x + p * run->x_pixel + s * run->x_tap[0] + r * run->x_tap[1] +
                                 t * run->x_tap[2],
                             run->w + s * run->w_tap[0] + r * run->w_tap[1] + t * run->w_tap[2],
                             run->y + p * run->y_pixel);
}

static void add_products(void *arg, const cx_sum *sum)
{
    static const cx_epilogue none = {.low = -INFINITY, .high = INFINITY};
    const site *s = arg;
    const job *j = s->j;
    cx_channel_run r = {.run = {.n = sum->cells,
                                .x_pixel = j->d->window.dilation[CX_WIDTH] * j->d->channels,
                                .y_pixel = j->width},
                        .channels = j->d->channels,
                        .epilogue = &none};
    for (int a = 0; a < CX_SPACE; a++) {
        r.run.taps[a] = sum->n[1 + a];
        r.run.x_tap[a] = sum->x_step[1 + a];
        r.run.w_tap[a] = sum->dy_step[1 + a];
    }
    for (int64_t b = 0; b < sum->n[CX_BATCH]; b++) {
        r.run.x = sum->x + b * sum->x_step[CX_BATCH];
        r.run.w = sum->dy + b * sum->dy_step[CX_BATCH];
        if (j->d->multiplier != 1 || j->d->channels < j->set->lanes) {
            r.run.y = sum->dw;
            add_plain(j, &r.run);
            continue;
        }
        r.run.y = s->row;
        j->set->depthwise(&r);
        j->set->binary(CX_ADD, sum->cells * j->width, sum->dw, s->row, sum->dw);
    }
}

static void run_part(void *arg, int i, int worker)
{
    (void)worker;
    const job *j = arg;
    const cx_window *w = &j->d->window;
    float *sums = j->sums + i * 2 * j->weights;
    const cx_places all = cx_chunk_whole(w);
    site s = {j, sums + j->weights};
    memset(sums, 0, (size_t)j->weights * sizeof *sums);
    for (int64_t n = j->chunks.all * i / j->parts; n < j->chunks.all * (i + 1) / j->parts; n++) {
        const cx_places chunk = cx_chunk(&j->chunks, w, n);
        const cx_walk walk = {.window = w,
                              .chunk = &chunk,
                              .held = &all,
                              .x = j->x,
                              .dy = j->dy,
                              .dw = sums,
                              .x_cell = j->d->channels,
                              .dy_cell = j->width,
                              .dw_cell = j->width,
                              .joined = 1};
        cx_walk_sums(&walk, add_products, &s);
    }
}

size_t cx_depthwise_backward_weights_workspace(const cx_depthwise *d)
{
    if (cx_places_all(&d->window) < 1) return 0;
    return (size_t)(part_count(d) * 2 * weights_of(d)) * sizeof(float);
}

void cx_depthwise_backward_weights(const cx_depthwise *d, const float *x, const float *dy,
                                   float *dw, void *workspace)
{
    job j = {.d = d,
             .x = x,
             .dy = dy,
             .sums = workspace,
             .weights = weights_of(d),
             .width = d->channels * d->multiplier,
             .set = cx_set_for(d->channels)};
    if (cx_places_all(&d->window) < 1 || j.weights < 1) return;
    j.chunks = chunks_of(d);
    j.parts = part_count(d);
    cx_parallel((int)j.parts, run_part, &j);
    for (int64_t i = 0; i < j.parts; i++)
        j.set->binary(CX_ADD, j.weights, dw, j.sums + i * 2 * j.weights, dw);
}
