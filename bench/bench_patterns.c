/* bench_patterns.c - what a step of gradient ascent costs, and whether the default recipe finds
 * more than the book's.
 *
 * usage: bench_patterns MODEL [--preprocess MODE] [--layers NAME,...] [--channels N]
 *
 * Of each convolution the first N channels (16; 0: all) climb by book1, lucid and book2. A step's
 * price is the whole climb, with what is told of its end, by the steps that were taken. The
 * products are those of the convolutions from the picture to the layer and back. A channel is live
 * where one of the pictures excites it more than noise does, by more than rounding. What is
 * compared is the response to the picture that is shown, in 256 steps of brightness: what book2
 * climbs, the mean of the channel after the layer's activation without its outermost two rows and
 * columns. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>

#include "convscope.h"
#include "measure.h"

#define DEAD 1e-6

typedef struct bench {
    cvs_model *model;
    cvs_pattern_options how;
    int64_t channels[4096];
    int most; /* of a layer; 0: all */
    int live, better;
    double seconds, steps;
} bench;

static double top(void)
{
    double rounds[5];
    for (int i = 0; i < 5; i++) rounds[i] = peak();
    return median(rounds, 5);
}

/* Multiply-adds, twice, of one picture's way to layer `last` and back: every weight of a
 * convolution is used once at each place of its map. The picture has height rows, the model `own`.
 */
static double products(const cvs_model *m, int last, double scale)
{
    double sum = 0;
    for (int i = 0; i <= last; i++) {
        cvs_layer l;
        if (cvs_model_layer(&l, m, i, NULL) < 0 || l.ndim != 4 || !strstr(l.class_name, "Conv"))
            continue;
        double places = 1;
        for (int d = 1; d < l.ndim; d++)
            if (d != l.channel_axis) places *= (double)l.shape[d];
        sum += 2 * (double)l.params * places * scale;
    }
    return 2 * sum;
}

static cvs_patterns *climb(bench *b, const char *layer, const char *method, int n, double *seconds)
{
    cvs_patterns *p = NULL;
    char objective[400];
    cvs_error err;
    snprintf(objective, sizeof objective, "middle(%.300s, #)", layer);
    b->how.objective = strcmp(method, "book1") == 0 ? NULL : objective;
    b->how.method = method;
    const double start = now();
    if (cvs_patterns_find(&p, b->model, layer, b->channels, n, &b->how, &err) < 0)
        fprintf(stderr, "%s, %s: %s: %s\n", layer, method, err.where, err.what);
    *seconds = now() - start;
    return p;
}

static double price(const cvs_patterns *p, double seconds, double *steps)
{
    *steps = 0;
    for (int i = 0; i < p->n; i++) *steps += p->steps[i];
    return seconds / *steps * 1e3;
}

static void measure(bench *b, int index)
{
    cvs_layer l, input;
    double seconds[3], steps, all = 0;
    int live = 0, better = 0;
    if (cvs_model_layer(&l, b->model, index, NULL) < 0) return;
    if (cvs_model_layer(&input, b->model, 0, NULL) < 0) return;
    int n = (int)l.shape[l.channel_axis];
    if (b->most > 0 && n > b->most) n = b->most;
    if (n > 4096) n = 4096;
    cvs_patterns *book1 = climb(b, l.name, "book1", n, &seconds[0]);
    cvs_patterns *lucid = climb(b, l.name, "lucid", n, &seconds[1]);
    cvs_patterns *book2 = climb(b, l.name, "book2", n, &seconds[2]);
    if (!book1 || !lucid || !book2) goto out;
    for (int i = 0; i < n; i++) {
        const double x = lucid->response[i], y = book2->response[i];
        const double gain = fmax(x - lucid->noise[i], y - book2->noise[i]);
        if (gain <= DEAD * fmax(fabs(x), fabs(y)) || gain < DEAD) continue;
        live++;
        better += x > y;
    }
    const double ms = price(book1, seconds[0], &steps);
    const double own = (double)(input.shape[1] > 0 ? input.shape[1] : book1->height);
    const double scale = (double)book1->height * (double)book1->height / (own * own);
    const double speed = products(b->model, index, scale) / ms * 1e-6;
    printf("%-24.24s %4d %8.3f ms %7.1f %5.1f%%", l.name, n, ms, speed, 100 * speed * 1e9 / top());
    b->seconds += seconds[0];
    b->steps += steps;
    printf(" %8.3f ms %4lld²", price(lucid, seconds[1], &all), (long long)lucid->height);
    printf("   %4d of %-4d\n", better, live);
    fflush(stdout);
    b->live += live;
    b->better += better;
out:
    cvs_patterns_free(book1);
    cvs_patterns_free(lucid);
    cvs_patterns_free(book2);
}

int main(int argc, char **argv)
{
    static bench b = {.most = 16};
    const char *layers = "conv";
    cvs_run *run = NULL;
    cvs_error err;
    int rc = 1;
    if (argc < 2) {
        fprintf(stderr, "usage: %s MODEL [OPTIONS]\n", argv[0]);
        return 2;
    }
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--layers") == 0) layers = argv[i + 1];
        if (strcmp(argv[i], "--channels") == 0) b.most = (int)strtol(argv[i + 1], NULL, 10);
        for (int k = 0; strcmp(argv[i], "--preprocess") == 0 && cvs_preprocess_name(k); k++)
            if (strcmp(cvs_preprocess_name(k), argv[i + 1]) == 0)
                b.how.preprocess = (cvs_preprocess)k;
    }
    for (int64_t i = 0; i < 4096; i++) b.channels[i] = i;
    if (cvs_model_load(&b.model, argv[1], NULL, &err) < 0 ||
        cvs_run_new(&run, b.model, &(cvs_run_options){.taps = layers}, &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.what);
        goto out;
    }
    printf("%-24s %4s %11s %7s %6s %11s %5s   %s\n", "layer", "", "book1 step", "GFLOP/s", "peak",
           "lucid step", "", "lucid above book2");
    for (int i = 0; i < cvs_run_tap_count(run); i++) measure(&b, cvs_run_tap(run, i));
    printf("book1: %.1f s, %.3f ms a step of one channel; lucid above book2 in %d of %d live "
           "channels\n",
           b.seconds, b.seconds / b.steps * 1e3, b.better, b.live);
    rc = 0;
out:
    cvs_run_free(run);
    cvs_model_free(b.model);
    return rc;
}
