/* bench_growth.c - how cost grows: with the number of pictures, with their size, with the channels
 * of a network and with the threads.
 *
 * usage: bench_growth CONVSCOPE MODEL IMAGE [--rounds N]
 * Pictures are told by whole processes of `predict`, whose time is to grow with them and whose peak
 * memory is not. The rest are passes of networks made here. All lines of a table are measured in
 * each round; printed are medians, and the operations that direct sums would take as a share of the
 * multiply-add peak that the same rounds measure. */
#define _DEFAULT_SOURCE /* wait4, vfork */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"
#include "passes.h"

#include "base/str.h"

enum { MOST_ROWS = 16, MOST_PICTURES = 1000 };

static cvs_error err;

static void stop_if(int failed)
{
    if (!failed) return;
    fprintf(stderr, "bench_growth: %s %s\n", err.where, err.what);
    exit(1);
}

/* --- pictures --- */

static const int pictures[] = {1, 10, 100, MOST_PICTURES};
enum { FOLDERS = sizeof pictures / sizeof *pictures };

/* As many names of one picture. */
static void make_folder(const char *dir, const char *image, int n)
{
    char path[512];
    stop_if(mkdir(dir, 0700) < 0);
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%04d%s", dir, i, strrchr(image, '.'));
        stop_if(symlink(image, path) < 0);
    }
}

static void remove_folder(const char *dir, const char *image, int n)
{
    char path[512];
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%04d%s", dir, i, strrchr(image, '.'));
        unlink(path);
    }
    rmdir(dir);
}

/* Seconds of a process, and its peak memory. */
static double run_process(char *const *args, long *peak_kib)
{
    static int nowhere = -1;
    if (nowhere < 0) nowhere = open("/dev/null", O_WRONLY);
    const double start = now();
    const pid_t pid = vfork();
    if (pid == 0) {
        if (dup2(nowhere, 1) < 0) _exit(127);
        execv(args[0], args);
        _exit(127);
    }
    int status;
    struct rusage usage;
    stop_if(pid < 0 || wait4(pid, &status, 0, &usage) < 0 || status != 0);
    if (usage.ru_maxrss > *peak_kib) *peak_kib = usage.ru_maxrss;
    return now() - start;
}

static void measure_pictures(const char *program, const char *model, const char *image, int threads,
                             int rounds)
{
    static double seconds[FOLDERS][MAX_ROUNDS];
    char root[] = "/tmp/convscope-bench-XXXXXX", dir[FOLDERS][64], count[16];
    char *full = realpath(image, NULL);
    long peak[FOLDERS] = {0};
    stop_if(!full || !mkdtemp(root));
    snprintf(count, sizeof count, "%d", threads);
    for (int i = 0; i < FOLDERS; i++) {
        snprintf(dir[i], sizeof dir[i], "%s/%d", root, pictures[i]);
        make_folder(dir[i], full, pictures[i]);
    }
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < FOLDERS; i++) {
            const char *args[] = {program, "predict", "-q",   "--threads",
                                  count,   model,     dir[i], NULL};
            seconds[i][r] = run_process((char *const *)(uintptr_t)args, &peak[i]);
        }
    printf("predict, %d threads\n%10s %12s %12s %12s %10s\n", threads, "pictures", "ms (median)",
           "ms/picture", "pictures/s", "peak MiB");
    for (int i = 0; i < FOLDERS; i++) {
        const double s = median(seconds[i], rounds);
        printf("%10d %12.1f %12.3f %12.0f %10.1f\n", pictures[i], s * 1e3, s * 1e3 / pictures[i],
               pictures[i] / s, (double)peak[i] / 1024);
        remove_folder(dir[i], full, pictures[i]);
    }
    printf("\n");
    rmdir(root);
    free(full);
}

/* --- passes --- */

typedef struct row {
    int size;         /* what grows */
    double unit;      /* what the time is divided by to see how it grows */
    cvs_model *model; /* NULL: another's */
    cvs_run *run;
    double flops, seconds[MAX_ROUNDS];
} row;

/* "Conv2D" of so many filters, 3 × 3. */
static void add_conv_text(cx_str *s, int filters)
{
    cx_str_addf(s,
                ", {\"class_name\": \"Conv2D\", \"config\": {\"name\": \"l%zu\", \"filters\": %d, "
                "\"kernel_size\": 3, \"padding\": \"same\", \"activation\": \"relu\"}}",
                s->len, filters);
}

static void add_pool_text(cx_str *s)
{
    cx_str_addf(s, ", {\"class_name\": \"MaxPooling2D\", \"config\": {\"name\": \"l%zu\"}}",
                s->len);
}

static void begin_text(cx_str *s, int side, int channels)
{
    cx_str_addf(s,
                "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"growing\", \"layers\": "
                "[{\"class_name\": \"InputLayer\", \"config\": {\"name\": \"in\", "
                "\"batch_input_shape\": [null, %d, %d, %d]}}",
                side, side, channels);
}

/* A row with a network of that description, whose text is used up. */
static void add_row(row *r, cx_str *text, int size, double unit)
{
    char *json;
    cx_str_add(text, "]}}");
    stop_if(cx_str_take(&json, text, &err) < 0);
    *r = (row){.size = size, .unit = unit};
    stop_if(cvs_model_create(&r->model, json, strlen(json), 1, &err) < 0);
    cx_free(json);
    r->flops = flops_of(r->model);
    stop_if(cvs_run_new(&r->run, r->model, NULL, &err) < 0 || feed(r->run, &err) < 0);
}

static void measure_rows(const char *title, const char *grows, const char *unit, row *rows, int n,
                         int rounds)
{
    static double peaks[MAX_ROUNDS];
    for (int r = 0; r < rounds; r++) {
        peaks[r] = peak();
        for (int i = 0; i < n; i++) {
            if (r == 0) stop_if(cvs_run_forward(rows[i].run, &err) < 0);
            const double start = now();
            stop_if(cvs_run_forward(rows[i].run, &err) < 0);
            rows[i].seconds[r] = now() - start;
        }
    }
    const double top = median(peaks, rounds);
    printf("%s; %s, %d threads, multiply-add peak %.1f GFLOP/s\n", title, cx_kernels_name(),
           cx_threads(), top * 1e-9);
    printf("%10s %12s %14s %10s %8s %10s\n", grows, "ms (median)", unit, "GFLOP/s", "of peak",
           "run, MiB");
    for (int i = 0; i < n; i++) {
        const double s = median(rows[i].seconds, rounds);
        printf("%10d %12.3f %14.3f %10.1f %7.1f%% %10.1f\n", rows[i].size, s * 1e3,
               s * 1e9 / rows[i].unit, rows[i].flops / s * 1e-9, 100 * rows[i].flops / s / top,
               (double)rows[i].run->memory_size / 1048576);
    }
    printf("\n");
}

static void free_rows(row *rows, int n)
{
    for (int i = 0; i < n; i++) {
        cvs_run_free(rows[i].run);
        cvs_model_free(rows[i].model);
    }
}

/* A fully convolutional part on pictures of many sizes. */
static void measure_sides(int rounds)
{
    static row rows[MOST_ROWS];
    int n = 0;
    for (int side = 64; side <= 1024; side *= 2) {
        cx_str text = {0};
        begin_text(&text, side, 3);
        for (int filters = 32; filters <= 128; filters *= 2) {
            add_conv_text(&text, filters);
            add_conv_text(&text, filters);
            add_pool_text(&text);
        }
        add_row(&rows[n++], &text, side, (double)side * side);
    }
    measure_rows("6 convolutions and 3 poolings by the side of the picture", "side", "ns/pixel",
                 rows, n, rounds);
    free_rows(rows, n);
}

/* A convolution that has as many channels out as in. */
static void measure_channels(int rounds)
{
    static row rows[MOST_ROWS];
    int n = 0;
    for (int channels = 8; channels <= 512; channels *= 2) {
        cx_str text = {0};
        begin_text(&text, 32, channels);
        add_conv_text(&text, channels);
        add_row(&rows[n++], &text, channels, (double)channels * channels);
    }
    measure_rows("a 3 x 3 convolution of 32 x 32 pixels by its channels", "channels",
                 "ns/channels^2", rows, n, rounds);
    free_rows(rows, n);
}

/* The model itself, for one picture and for 32. */
static void measure_threads(const cvs_model *m, int rounds)
{
    static row rows[2];
    static const int batches[] = {1, 32};
    for (int i = 0; i < 2; i++) {
        rows[i] = (row){.size = batches[i], .unit = batches[i], .flops = flops_of(m) * batches[i]};
        stop_if(cvs_run_new(&rows[i].run, m, &(cvs_run_options){.batch = batches[i]}, &err) < 0 ||
                feed(rows[i].run, &err) < 0);
    }
    for (int threads = 1; threads <= cx_cores(); threads *= 2) {
        stop_if(cx_threads_set(threads, &err) < 0);
        measure_rows("the model by pictures of a batch", "pictures", "ns/picture", rows, 2, rounds);
    }
    free_rows(rows, 2);
}

int main(int argc, char **argv)
{
    const int rounds =
        argc > 5 && strcmp(argv[4], "--rounds") == 0 ? (int)strtol(argv[5], NULL, 10) : 7;
    cvs_model *m;
    if (argc < 4 || rounds < 1 || rounds > MAX_ROUNDS || !strrchr(argv[3], '.')) {
        fprintf(stderr, "usage: %s CONVSCOPE MODEL IMAGE [--rounds N]\n", argv[0]);
        return 2;
    }
    stop_if(cvs_model_load(&m, argv[2], NULL, &err) < 0);
    for (int threads = 1; threads <= cx_cores(); threads *= 2)
        measure_pictures(argv[1], argv[2], argv[3], threads, rounds < 3 ? rounds : 3);
    measure_threads(m, rounds);
    stop_if(cx_threads_set(1, &err) < 0);
    measure_sides(rounds);
    measure_channels(rounds);
    cvs_model_free(m);
    return 0;
}
