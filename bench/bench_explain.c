/* bench_explain.c - what an explanation costs, beside a plain forward pass measured in turn with
 * it.
 *
 * usage: bench_explain MODEL IMAGE [--preprocess MODE] [--rounds N] [METHOD[:STEPS]...]
 * Without methods: all that are not slow. The model is loaded and the image read before; a method
 * begins with the input and ends with its numbers. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "convscope.h"

enum { MOST_ROUNDS = 1000 };

/* Both in turn, in milliseconds, so that a slow moment of the machine meets both. */
static int measure(cvs_run *run, const cvs_method *method, int steps, int rounds)
{
    static double forward[MOST_ROUNDS], explain[MOST_ROUNDS];
    const cvs_explain_options how = {.method = method->name, .steps = steps};
    cvs_error err;
    for (int i = 0; i < rounds; i++) {
        cvs_explanation *e;
        double start = now();
        if (cvs_run_forward(run, &err) < 0) goto failed;
        forward[i] = (now() - start) * 1e3;
        start = now();
        if (cvs_explain(&e, run, 0, &how, &err) < 0) goto failed;
        explain[i] = (now() - start) * 1e3;
        cvs_explanation_free(e);
    }
    const double f = median(forward, rounds), x = median(explain, rounds);
    printf("%-24s %9.2f ms  %9.2f ms  %8.2f\n", method->name, f, x, x / f);
    fflush(stdout);
    return 0;
failed:
    printf("%-24s %s\n", method->name, err.what);
    return 0;
}

static cvs_preprocess mode_of(const char *name)
{
    for (int i = 0; cvs_preprocess_name(i); i++)
        if (strcmp(cvs_preprocess_name(i), name) == 0) return (cvs_preprocess)i;
    return CVS_PREPROCESS_AUTO;
}

static int measure_named(cvs_run *run, const char *word, int rounds)
{
    char name[64];
    const char *colon = strchr(word, ':');
    cvs_error err;
    snprintf(name, sizeof name, "%.*s", (int)(colon ? colon - word : 63), word);
    const cvs_method *m = cvs_method_find(name, &err);
    if (m) return measure(run, m, colon ? (int)strtol(colon + 1, NULL, 10) : 0, rounds);
    fprintf(stderr, "%s\n", err.what);
    return -1;
}

int main(int argc, char **argv)
{
    cvs_image_options image = {0};
    cvs_model *model = NULL;
    cvs_run *run = NULL;
    cvs_error err;
    int rounds = 11, named = 0, rc = 1;
    if (argc < 3) {
        fprintf(stderr, "usage: %s MODEL IMAGE [OPTIONS] [METHOD[:STEPS]...]\n", argv[0]);
        return 2;
    }
    for (int i = 3; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--preprocess") == 0) image.preprocess = mode_of(argv[i + 1]);
        if (strcmp(argv[i], "--rounds") == 0) rounds = (int)strtol(argv[i + 1], NULL, 10);
    }
    if (rounds < 1 || rounds > MOST_ROUNDS) rounds = 11;
    if (cvs_model_load(&model, argv[1], NULL, &err) < 0 ||
        cvs_run_new(&run, model, NULL, &err) < 0 ||
        cvs_run_set_image(run, 0, 0, argv[2], &image, &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.what);
        goto out;
    }
    printf("%-24s %12s  %12s  %8s\n", "method", "forward", "explanation", "ratio");
    for (int i = 3; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            i++;
            continue;
        }
        named = 1;
        if (measure_named(run, argv[i], rounds) < 0) goto out;
    }
    const cvs_method *m;
    for (int i = 0; !named && (m = cvs_method_at(i)); i++)
        if (!m->is_slow) (void)measure(run, m, 0, rounds);
    rc = 0;
out:
    cvs_run_free(run);
    cvs_model_free(model);
    return rc;
}
