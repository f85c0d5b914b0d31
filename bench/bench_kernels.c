/* bench_kernels.c - how fast the kernels are: the layers of the book's network and some of
 * MobileNet, in ms, GFLOP/s and per cent of the multiply-add peak that the same run measures.
 *
 * usage: bench_kernels [--set NAME] [--rounds N] [--layer TEXT] [--threads N] [--exact 1]
 * Without --threads, one thread and then one a core. Operations are those of direct sums, so the
 * fast way may have more than the peak; --exact forbids it. Its weights are transformed before. */
#include "measure.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"

/* --- the layers --- */

typedef enum kind { CONV, DEPTHWISE, MAX_POOL, DENSE } kind;
typedef enum pass { FORWARD, DATA, WEIGHTS } pass; /* the gradients of x and of w */

/* A layer on a square map (dense: `size` rows). */
typedef struct layer {
    const char *name;
    kind kind;
    int size, in, out, kernel, stride, same;
    pass pass;
    int batch;
} layer;

static const layer layers[] = {
    {"conv1", CONV, 150, 3, 32, 3, 1, 0, FORWARD, 1},
    {"pool1", MAX_POOL, 148, 32, 32, 2, 2, 0, FORWARD, 1},
    {"conv2", CONV, 74, 32, 64, 3, 1, 0, FORWARD, 1},
    {"pool2", MAX_POOL, 72, 64, 64, 2, 2, 0, FORWARD, 1},
    {"conv3", CONV, 36, 64, 128, 3, 1, 0, FORWARD, 1},
    {"pool3", MAX_POOL, 34, 128, 128, 2, 2, 0, FORWARD, 1},
    {"conv4", CONV, 17, 128, 128, 3, 1, 0, FORWARD, 1},
    {"pool4", MAX_POOL, 15, 128, 128, 2, 2, 0, FORWARD, 1},
    {"dense 6272-512", DENSE, 1, 6272, 512, 1, 1, 0, FORWARD, 1},
    {"dense 6272-512 x32", DENSE, 32, 6272, 512, 1, 1, 0, FORWARD, 1},
    {"vgg 224 64-64", CONV, 224, 64, 64, 3, 1, 1, FORWARD, 1},
    {"vgg 112 64-128", CONV, 112, 64, 128, 3, 1, 1, FORWARD, 1},
    {"vgg 56 128-256", CONV, 56, 128, 256, 3, 1, 1, FORWARD, 1},
    {"vgg 28 256-512", CONV, 28, 256, 512, 3, 1, 1, FORWARD, 1},
    {"vgg 28 512-512", CONV, 28, 512, 512, 3, 1, 1, FORWARD, 1},
    {"vgg 14 512-512", CONV, 14, 512, 512, 3, 1, 1, FORWARD, 1},
    {"resnet 7 512-512", CONV, 7, 512, 512, 3, 1, 1, FORWARD, 1},
    {"mobile 224 3-32 /2", CONV, 224, 3, 32, 3, 2, 1, FORWARD, 1},
    {"mobile dw 112 32", DEPTHWISE, 112, 32, 32, 3, 1, 1, FORWARD, 1},
    {"mobile pw 112 32-64", CONV, 112, 32, 64, 1, 1, 1, FORWARD, 1},
    {"mobile dw 112 64 /2", DEPTHWISE, 112, 64, 64, 3, 2, 1, FORWARD, 1},
    {"mobile pw 56 64-128", CONV, 56, 64, 128, 1, 1, 1, FORWARD, 1},
    {"mobile dw 56 128", DEPTHWISE, 56, 128, 128, 3, 1, 1, FORWARD, 1},
    {"mobile pw 28 256-256", CONV, 28, 256, 256, 1, 1, 1, FORWARD, 1},
    {"mobile dw 14 512", DEPTHWISE, 14, 512, 512, 3, 1, 1, FORWARD, 1},
    {"mobile pw 14 512-512", CONV, 14, 512, 512, 1, 1, 1, FORWARD, 1},
    {"mobile pw 7 1024-1024", CONV, 7, 1024, 1024, 1, 1, 1, FORWARD, 1},
    {"alpha 0.25 dw 112 8", DEPTHWISE, 112, 8, 8, 3, 1, 1, FORWARD, 1},
    {"alpha 0.25 pw 112 8-16", CONV, 112, 8, 16, 1, 1, 1, FORWARD, 1},
    {"v2 pw 56 24-144", CONV, 56, 24, 144, 1, 1, 1, FORWARD, 1},
    {"v2 pw 56 144-24", CONV, 56, 144, 24, 1, 1, 1, FORWARD, 1},
    {"v3 pw 28 120-40", CONV, 28, 120, 40, 1, 1, 1, FORWARD, 1},
    {"dx conv1 x20", CONV, 150, 3, 32, 3, 1, 0, DATA, 20},
    {"dx conv2 x20", CONV, 74, 32, 64, 3, 1, 0, DATA, 20},
    {"dx conv3 x20", CONV, 36, 64, 128, 3, 1, 0, DATA, 20},
    {"dx conv4 x20", CONV, 17, 128, 128, 3, 1, 0, DATA, 20},
    {"dx dense 6272-512 x20", DENSE, 20, 6272, 512, 1, 1, 0, DATA, 1},
    {"dx conv1", CONV, 150, 3, 32, 3, 1, 0, DATA, 1},
    {"dx conv4", CONV, 17, 128, 128, 3, 1, 0, DATA, 1},
    {"dx dense 6272-512", DENSE, 1, 6272, 512, 1, 1, 0, DATA, 1},
    {"dx mobile dw 112 32 x20", DEPTHWISE, 112, 32, 32, 3, 1, 1, DATA, 20},
    {"dx mobile pw 56 64-128 x20", CONV, 56, 64, 128, 1, 1, 1, DATA, 20},
    {"dw conv1 x20", CONV, 150, 3, 32, 3, 1, 0, WEIGHTS, 20},
    {"dw conv2 x20", CONV, 74, 32, 64, 3, 1, 0, WEIGHTS, 20},
    {"dw conv3 x20", CONV, 36, 64, 128, 3, 1, 0, WEIGHTS, 20},
    {"dw conv4 x20", CONV, 17, 128, 128, 3, 1, 0, WEIGHTS, 20},
    {"dw dense 6272-512 x20", DENSE, 20, 6272, 512, 1, 1, 0, WEIGHTS, 1},
    {"dw vgg 14 512-512 x20", CONV, 14, 512, 512, 3, 1, 1, WEIGHTS, 20},
    {"dw mobile dw 112 32 x20", DEPTHWISE, 112, 32, 32, 3, 1, 1, WEIGHTS, 20},
    {"dw mobile pw 56 64-128 x20", CONV, 56, 64, 128, 1, 1, 1, WEIGHTS, 20},
};
enum { LAYERS = sizeof layers / sizeof layers[0] };

typedef struct bench {
    const layer *layer;
    cx_window window;
    float *x, *w, *bias, *y, *transformed;
    void *workspace;
    double flops, seconds[MAX_ROUNDS];
    cx_block memory;
} bench;

static cx_window window_of(const layer *l)
{
    const int64_t out =
        l->same ? (l->size + l->stride - 1) / l->stride : (l->size - l->kernel) / l->stride + 1;
    const int64_t total = (out - 1) * l->stride + l->kernel - l->size;
    const int64_t pad = total > 0 ? total / 2 : 0;
    return (cx_window){.batch = l->batch,
                       .in = {1, l->size, l->size},
                       .out = {1, out, out},
                       .kernel = {1, l->kernel, l->kernel},
                       .stride = {1, l->stride, l->stride},
                       .dilation = {1, 1, 1},
                       .pad = {0, pad, pad}};
}

static int exact;

static cx_conv conv_of(const bench *b)
{
    return (cx_conv){.window = b->window,
                     .in_channels = b->layer->in,
                     .out_channels = b->layer->out,
                     .groups = 1,
                     .exact = exact,
                     .transformed = b->transformed};
}

static cx_depthwise depthwise_of(const bench *b)
{
    return (cx_depthwise){.window = b->window, .channels = b->layer->in, .multiplier = 1};
}

static void run_forward(bench *b)
{
    const layer *l = b->layer;
    const cx_epilogue relu = {.bias = b->bias, .low = 0, .high = INFINITY};
    const cx_conv c = conv_of(b);
    const cx_depthwise d = depthwise_of(b);
    switch (l->kind) {
    case CONV:
        cx_conv_forward(&c, b->x, b->w, &relu, b->y, b->workspace);
        break;
    case DEPTHWISE:
        cx_depthwise_forward(&d, b->x, b->w, &relu, b->y, b->workspace);
        break;
    case MAX_POOL:
        cx_max_pool_forward(&b->window, l->in, b->x, b->y);
        break;
    case DENSE:
        cx_dense_forward(l->size, l->in, l->out, b->x, b->w, &relu, b->y, b->workspace);
        break;
    }
}

/* y is dy; x or w is what is made. */
static void run_backward(bench *b)
{
    const layer *l = b->layer;
    const int data = l->pass == DATA;
    const cx_conv c = conv_of(b);
    const cx_depthwise d = depthwise_of(b);
    if (l->kind == CONV && data)
        cx_conv_backward_data(&c, b->y, b->w, b->x, b->workspace);
    else if (l->kind == CONV)
        cx_conv_backward_weights(&c, b->x, b->y, b->w, b->workspace);
    else if (l->kind == DEPTHWISE && data)
        cx_depthwise_backward_data(&d, b->y, b->w, b->x, b->workspace);
    else if (l->kind == DEPTHWISE)
        cx_depthwise_backward_weights(&d, b->x, b->y, b->w, b->workspace);
    else if (data)
        cx_dense_backward_data(l->size, l->in, l->out, b->y, b->w, b->x, b->workspace);
    else
        cx_dense_backward_weights(l->size, l->in, l->out, b->x, b->y, b->w, b->workspace);
}

static void run(bench *b)
{
    if (b->layer->pass == FORWARD)
        run_forward(b);
    else
        run_backward(b);
}

static size_t workspace_of(const bench *b)
{
    const layer *l = b->layer;
    const cx_conv c = conv_of(b);
    const cx_depthwise d = depthwise_of(b);
    const size_t sizes[][3] = {
        [CONV] = {cx_conv_workspace(&c), cx_conv_backward_data_workspace(&c),
                  cx_conv_backward_weights_workspace(&c)},
        [DEPTHWISE] = {cx_depthwise_workspace(&d), cx_depthwise_backward_data_workspace(&d),
                       cx_depthwise_backward_weights_workspace(&d)},
        [MAX_POOL] = {0},
        [DENSE] = {cx_dense_workspace(l->size, l->in, l->out),
                   cx_dense_backward_data_workspace(l->size, l->in, l->out),
                   cx_dense_backward_weights_workspace(l->size, l->in, l->out)},
    };
    return sizes[l->kind][l->pass];
}

/* Numbers in -1 … 1; half of a dense layer's inputs are 0, as after a relu. */
static void fill(float *x, int64_t n, int relu)
{
    static uint32_t state = 1;
    for (int64_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)((double)(int32_t)state / 2147483648.0);
        if (relu && x[i] < 0) x[i] = 0;
    }
}

static int prepare(bench *b, const layer *l)
{
    *b = (bench){.layer = l, .window = window_of(l)};
    const int64_t batch = b->window.batch;
    const int64_t area = l->kind == DENSE ? l->size : batch * l->size * l->size;
    const int64_t pixels = l->kind == DENSE ? l->size : batch * b->window.out[1] * b->window.out[2];
    const int64_t taps = (int64_t)l->kernel * l->kernel;
    const int64_t depth = l->kind == CONV || l->kind == DENSE ? l->in : 1;
    const int64_t n_x = area * l->in, n_w = taps * depth * l->out, n_y = pixels * l->out;
    const cx_conv c = conv_of(b);
    const int back = l->pass == DATA, fast = l->kind == CONV && l->pass != WEIGHTS;
    const size_t size = fast ? cx_conv_transformed_size(&c, back) / sizeof(float) : 0;
    const size_t floats = (size_t)(n_x + n_w + l->out + n_y) + size + 64;
    if (cx_block_init(&b->memory, floats * sizeof(float) + workspace_of(b), NULL) < 0) return -1;
    b->x = b->memory.data;
    b->w = b->x + n_x;
    b->y = b->w + n_w;
    b->bias = b->y + n_y;
    b->workspace = b->bias + l->out + size;
    fill(b->x, n_x, l->kind == DENSE);
    fill(b->w, n_w, 0);
    fill(b->bias, l->out, 0);
    if (l->pass != FORWARD) fill(b->y, n_y, 0);
    if (size) {
        b->transformed = b->bias + l->out;
        cx_conv_transform(&c, back, b->w, b->transformed);
    }
    b->flops = 2.0 * (double)(n_y * taps * depth);
    return 0;
}

/* Each round runs the peak and every layer, so that a change of the machine's speed meets all. */
static void measure(bench *benches, int n, int rounds)
{
    enum { REPEATS = 3 };
    static double peaks[MAX_ROUNDS];
    for (int r = 0; r < rounds; r++) {
        peaks[r] = peak();
        for (int i = 0; i < n; i++) {
            run(&benches[i]);
            const double start = now();
            for (int k = 0; k < REPEATS; k++) run(&benches[i]);
            benches[i].seconds[r] = (now() - start) / REPEATS;
        }
    }
    const double top = median(peaks, rounds);
    printf("%s, %d threads, multiply-add peak %.1f GFLOP/s, %d rounds\n", cx_kernels_name(),
           cx_threads(), top * 1e-9, rounds);
    printf("%-26s %10s %10s %10s %8s\n", "layer", "ms (best)", "ms (median)", "GFLOP/s", "of peak");
    for (int i = 0; i < n; i++) {
        bench *b = &benches[i];
        const double s = median(b->seconds, rounds);
        printf("%-26s %10.4f %10.4f", b->layer->name, b->seconds[0] * 1e3, s * 1e3);
        if (b->layer->kind != MAX_POOL)
            printf(" %10.1f %7.1f%% (best %.1f%%)", b->flops / s * 1e-9, 100 * b->flops / s / top,
                   100 * b->flops / b->seconds[0] / peaks[rounds - 1]);
        printf("\n");
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    static bench benches[LAYERS];
    const char *only = "";
    int rounds = 31, threads = 0, n = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        cvs_error err;
        if (!strcmp(argv[i], "--set") && cx_kernels_use(argv[i + 1], &err) < 0) {
            fprintf(stderr, "%s\n", err.what);
            return 2;
        }
        if (!strcmp(argv[i], "--layer")) only = argv[i + 1];
        if (!strcmp(argv[i], "--threads")) threads = (int)strtol(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--exact")) exact = argv[i + 1][0] == '1';
        if (!strcmp(argv[i], "--rounds")) rounds = (int)strtol(argv[i + 1], NULL, 10);
    }
    if (rounds < 1 || rounds > MAX_ROUNDS) return 2;
    for (int i = 0; i < LAYERS; i++)
        if (strstr(layers[i].name, only) && prepare(&benches[n++], &layers[i]) < 0) return 1;

    if (cx_threads_set(threads ? threads : 1, NULL) < 0) return 2;
    measure(benches, n, rounds);
    cx_threads_set(0, NULL);
    if (!threads && cx_threads() > 1) measure(benches, n, rounds);
    for (int i = 0; i < n; i++) cx_block_deinit(&benches[i].memory);
    return 0;
}
