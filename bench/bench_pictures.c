/* bench_pictures.c - how fast batches of pictures are made: decoded and resized, handed out as they
 * are, and varied as the books do it; 150 x 150, images a second, by one thread and by all.
 *
 * usage: bench_pictures IMAGE [--rounds N] */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/threads.h"
#include "clock.h"
#include "train/folder.h"

enum { SIDE = 150, COPIES = 64, BATCH = 64, MAX_ROUNDS = 1000 };

static void die(const cvs_error *err)
{
    fprintf(stderr, "bench_pictures: %s: %s\n", err->where, err->what);
    exit(1);
}

/* A data set of two classes: the picture over and over. */
static void make_folder(char *root, const char *picture)
{
    char path[128];
    cvs_error err = {0};
    cx_bytes bytes;
    if (!mkdtemp(root)) exit(1);
    if (cx_file_read(&bytes, picture, CX_IMAGE_MAX_FILE, &err) < 0) die(&err);
    for (int i = 0; i < COPIES; i++) {
        snprintf(path, sizeof path, "%s/%d", root, i % 2);
        if (cx_make_dirs(path, &err) < 0) die(&err);
        snprintf(path, sizeof path, "%s/%d/%d.png", root, i % 2, i);
        if (cx_file_write(path, &(cx_piece){bytes.data, bytes.size}, 1, &err) < 0) die(&err);
    }
    cx_bytes_deinit(&bytes);
}

static void remove_folder(const char *root)
{
    char path[128];
    for (int i = 0; i < COPIES; i++) {
        snprintf(path, sizeof path, "%s/%d/%d.png", root, i % 2, i);
        unlink(path);
    }
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%d", root, i);
        rmdir(path);
    }
    rmdir(root);
}

/* Images a second of the fastest round. */
static double measure(cx_folder *f, const cx_augment *a, int rounds)
{
    cx_folder_view view = {.folder = f, .augment = a};
    const cx_data data = cx_folder_data(&view);
    int64_t which[BATCH], label[BATCH];
    cvs_error err = {0};
    double best = 0;
    float *x = cx_calloc((size_t)BATCH * SIDE * SIDE * 3, sizeof *x);
    for (int i = 0; i < BATCH; i++) which[i] = i;
    for (int r = 0; r < rounds; r++) {
        const double start = now();
        if (!x || data.fill(data.self, which, BATCH, r, x, label, &err) < 0) die(&err);
        const double speed = BATCH / (now() - start);
        best = speed > best ? speed : best;
    }
    cx_free(x);
    return best;
}

int main(int argc, char **argv)
{
    char root[] = "/tmp/convscope-bench-XXXXXX";
    const int rounds =
        argc > 3 && strcmp(argv[2], "--rounds") == 0 ? (int)strtol(argv[3], NULL, 10) : 20;
    cvs_error err = {0};
    if (argc < 2 || rounds < 1 || rounds > MAX_ROUNDS) {
        fprintf(stderr, "usage: bench_pictures IMAGE [--rounds N]\n");
        return 2;
    }
    make_folder(root, argv[1]);
    printf("threads   decoded     plain   varied by the generator   by layers   (images/s)\n");
    for (int threads = 1; threads >= 0; threads--) { /* 0: one a core */
        cx_folder_options o = {
            .width = SIDE, .height = SIDE, .channels = 3, .preprocess = CVS_PREPROCESS_UNIT};
        cx_folder *kept, *anew;
        if (cvs_set_threads(threads, &err) < 0) die(&err);
        if (cx_folder_open(&kept, root, &o, &err) < 0) die(&err);
        o.memory = 1;
        if (cx_folder_open(&anew, root, &o, &err) < 0) die(&err);
        printf("%7d %9.0f %9.0f %25.0f %11.0f\n", cx_threads(), measure(anew, NULL, rounds),
               measure(kept, NULL, rounds), measure(kept, &cx_augment_generator, rounds),
               measure(kept, &cx_augment_layers, rounds));
        cx_folder_free(kept);
        cx_folder_free(anew);
    }
    remove_folder(root);
    return 0;
}
