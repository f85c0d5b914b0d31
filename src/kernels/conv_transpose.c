/* conv_transpose.c - transposed convolution. Outputs whose places leave the same remainder by the
 * stride see the same cells of the kernel, and among themselves they are a convolution of stride 1:
 * so each such phase is given to cx_conv_forward, and what it makes is put where it belongs. */
#include <string.h>

#include "kernels/kernels.h"

enum { LINE = 64 }; /* bytes; what lies in the workspace begins on one */

/* One axis of a phase. Tap j of its n is cell first + (n - 1 - j) * step of the kernel: turned
 * round, because a convolution reads forwards what a transposed one spreads forwards. */
typedef struct axis {
    int64_t first, step, n;
    int64_t from, out; /* its first place in the output, and how many it has */
    int64_t pad, dilation;
} axis;

typedef struct phase {
    axis axes[CX_SPACE];
    int64_t weights; /* offset in the packed weights, in kernel cells */
} phase;

static int64_t greatest_divisor(int64_t a, int64_t b)
{
    while (b) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Classes of kernel cells on an axis: cells a `step` apart fall into the same phase. */
static int64_t step_of(const cx_window *w, int a)
{
    return w->stride[a] / greatest_divisor(w->stride[a], w->dilation[a]);
}

static int64_t classes_of(const cx_window *w, int a)
{
    const int64_t step = step_of(w, a);
    return step < w->kernel[a] ? step : w->kernel[a];
}

/* Kernel cells in the classes before `first`. */
static int64_t cells_before(const cx_window *w, int a, int64_t first)
{
    const int64_t step = step_of(w, a), whole = w->kernel[a] / step, rest = w->kernel[a] % step;
    return first * whole + (first < rest ? first : rest);
}

/* y[o] takes x[i] w[k] where o = i * stride - pad + k * dilation. */
static axis axis_of(const cx_window *w, int a, int64_t first)
{
    const int64_t stride = w->stride[a], at = first * w->dilation[a] - w->pad[a];
    axis x = {.first = first, .step = step_of(w, a)};
    x.n = (w->kernel[a] - 1 - first) / x.step + 1;
    x.dilation = x.step * w->dilation[a] / stride;
    x.from = (at % stride + stride) % stride;
    x.out = x.from < w->in[a] ? (w->in[a] - 1 - x.from) / stride + 1 : 0;
    x.pad = (x.n - 1) * x.dilation - (x.from - at) / stride;
    return x;
}

/* The index-th phase; 0 when there are no more. */
static int phase_of(phase *out, const cx_window *w, int64_t index)
{
    int64_t first[CX_SPACE], cells = w->kernel[0] * w->kernel[1] * w->kernel[2];
    for (int a = CX_SPACE - 1; a >= 0; a--) {
        first[a] = index % classes_of(w, a);
        index /= classes_of(w, a);
    }
    out->weights = 0;
    for (int a = 0; a < CX_SPACE; a++) {
        out->axes[a] = axis_of(w, a, first[a]);
        cells /= w->kernel[a];
        out->weights += cells_before(w, a, first[a]) * cells;
        cells *= out->axes[a].n;
    }
    return index == 0;
}

static int is_empty(const phase *p)
{
    return p->axes[0].out < 1 || p->axes[1].out < 1 || p->axes[2].out < 1;
}

static cx_conv conv_of(const cx_conv_transpose *c, const phase *p)
{
    cx_conv conv = {.window = {.batch = c->window.batch},
                    .in_channels = c->in_channels,
                    .out_channels = c->out_channels,
                    .groups = c->groups,
                    .exact = c->exact};
    for (int a = 0; a < CX_SPACE; a++) {
        const axis *x = &p->axes[a];
        conv.window.in[a] = c->window.out[a];
        conv.window.out[a] = x->out;
        conv.window.kernel[a] = x->n;
        conv.window.stride[a] = 1;
        conv.window.dilation[a] = x->dilation;
        conv.window.pad[a] = x->pad;
    }
    return conv;
}

/* Whether one phase is all of the output: then it is written in place. */
static int is_whole(const cx_conv_transpose *c, const phase *p)
{
    for (int a = 0; a < CX_SPACE; a++)
        if (c->window.stride[a] > 1 && c->window.in[a] > 1) return 0;
    return !is_empty(p);
}

static size_t bytes_of(const cx_conv *conv)
{
    const cx_window *w = &conv->window;
    const int64_t n = w->batch * w->out[0] * w->out[1] * w->out[2] * conv->out_channels;
    return ((size_t)n * sizeof(float) + LINE - 1) / LINE * LINE;
}

size_t cx_conv_transpose_workspace(const cx_conv_transpose *c)
{
    size_t most = 0;
    phase p;
    for (int64_t i = 0; phase_of(&p, &c->window, i); i++) {
        if (is_empty(&p)) continue;
        const cx_conv conv = conv_of(c, &p);
        const size_t size = cx_conv_workspace(&conv) + (is_whole(c, &p) ? 0 : bytes_of(&conv));
        if (size > most) most = size;
    }
    return most;
}

/* Rows of in_channels become columns of it, in each group. */
static void turn_cell(const cx_conv_transpose *c, const float *w, float *packed)
{
    const int64_t in = c->in_channels / c->groups, out = c->out_channels / c->groups;
    const cx_box box = {.ndim = 3,
                        .size = {c->groups, in, out},
                        .from = {in, 1, c->in_channels},
                        .to = {out, c->out_channels, 1}};
    cx_copy_box(&box, w, packed);
}

void cx_conv_transpose_pack(const cx_conv_transpose *c, const float *w, float *packed)
{
    const int64_t size = c->in_channels * c->out_channels / c->groups, *kernel = c->window.kernel;
    phase p;
    for (int64_t i = 0; phase_of(&p, &c->window, i); i++) {
        const axis *x = p.axes;
        float *to = packed + p.weights * size;
        for (int64_t j = 0; j < x[0].n * x[1].n * x[2].n; j++) {
            const int64_t tap[CX_SPACE] = {j / x[2].n / x[1].n, j / x[2].n % x[1].n, j % x[2].n};
            int64_t cell = 0;
            for (int a = 0; a < CX_SPACE; a++)
                cell = cell * kernel[a] + x[a].first + (x[a].n - 1 - tap[a]) * x[a].step;
            turn_cell(c, w + cell * size, to + j * size);
        }
    }
}

/* Put what a phase made where it belongs, `stride` cells apart. */
static void place(const cx_conv_transpose *c, const phase *p, const float *part, float *y)
{
    const cx_window *w = &c->window;
    cx_box box = {.ndim = 5};
    int64_t from = c->out_channels, to = c->out_channels, offset = 0;
    box.size[4] = c->out_channels;
    box.from[4] = box.to[4] = 1;
    for (int a = CX_SPACE - 1; a >= 0; a--) {
        box.size[1 + a] = p->axes[a].out;
        box.from[1 + a] = from;
        box.to[1 + a] = to * w->stride[a];
        offset += to * p->axes[a].from;
        from *= p->axes[a].out;
        to *= w->in[a];
    }
    box.size[0] = w->batch;
    box.from[0] = from;
    box.to[0] = to;
    cx_copy_box(&box, part, y + offset);
}

/* Places that no cell of the kernel reaches have the bias alone. */
static void fill_bare(const cx_conv_transpose *c, const cx_epilogue *e, float *y)
{
    const cx_window *w = &c->window;
    const int64_t n = w->batch * w->in[0] * w->in[1] * w->in[2], channels = c->out_channels;
    if (n < 1) return;
    for (int64_t o = 0; o < channels; o++) {
        y[o] = e->bias ? e->bias[o] : 0;
        if (e->scale) y[o] = y[o] * e->scale[o] + e->shift[o];
        if (y[o] < e->low) y[o] = e->low;
        if (y[o] > e->high) y[o] = e->high;
    }
    for (int64_t i = 1; i < n; i++) memcpy(y + i * channels, y, (size_t)channels * sizeof *y);
}

static int leaves_places_bare(const cx_window *w)
{
    int bare = 0;
    for (int a = 0; a < CX_SPACE; a++) bare |= classes_of(w, a) < w->stride[a];
    return bare;
}

void cx_conv_transpose_forward(const cx_conv_transpose *c, const float *x, const float *packed,
                               const cx_epilogue *e, float *y, void *workspace)
{
    const int64_t size = c->in_channels * c->out_channels / c->groups;
    phase p;
    if (leaves_places_bare(&c->window)) fill_bare(c, e, y);
    for (int64_t i = 0; phase_of(&p, &c->window, i); i++) {
        if (is_empty(&p)) continue;
        const cx_conv conv = conv_of(c, &p);
        const float *w = packed + p.weights * size;
        if (is_whole(c, &p)) {
            cx_conv_forward(&conv, x, w, e, y, workspace);
            continue;
        }
        cx_conv_forward(&conv, x, w, e, workspace, (char *)workspace + bytes_of(&conv));
        place(c, &p, workspace, y);
    }
}
