/* classify.c - what a model says about one photograph.
 *
 *     classify MODEL PHOTO
 *
 * Prints the three outputs with the highest scores. The shortest way through the library: load a
 * model, make a run, give it a picture, compute, look. */
#include <convscope.h>
#include <stdio.h>

static int fail(const cvs_error *err)
{
    fprintf(stderr, "%s: %s\n", err->where, err->what);
    return 1;
}

/* The index of the highest of n scores that is not above what was found before. */
static int64_t best_below(const float *scores, int64_t n, int64_t before)
{
    int64_t best = -1;
    for (int64_t i = 0; i < n; i++) {
        if (before >= 0 &&
            (scores[i] > scores[before] || (scores[i] == scores[before] && i <= before)))
            continue;
        if (best < 0 || scores[i] > scores[best]) best = i;
    }
    return best;
}

int main(int argc, char **argv)
{
    cvs_model *model = NULL;
    cvs_run *run = NULL;
    cvs_error err;
    const float *scores;
    int64_t dims[CVS_MAX_DIMS], n = 1;
    int ndim, status = 1;

    if (argc != 3) {
        fprintf(stderr, "usage: %s MODEL PHOTO\n", argv[0]);
        return 2;
    }
    /* NULL for options: one picture at a time, outputs only, resized and scaled as Keras would. */
    if (cvs_model_load(&model, argv[1], NULL, &err) < 0 ||
        cvs_run_new(&run, model, NULL, &err) < 0 ||
        cvs_run_set_image(run, 0, 0, argv[2], NULL, &err) < 0 || cvs_run_forward(run, &err) < 0 ||
        cvs_run_activation(&scores, dims, &ndim, run, cvs_model_output(model, 0), &err) < 0) {
        fail(&err);
        goto out;
    }
    for (int i = 1; i < ndim; i++) n *= dims[i]; /* the first axis is the batch */

    int64_t best = -1;
    for (int place = 0; place < 3; place++) {
        best = best_below(scores, n, best);
        if (best < 0) break;
        printf("output %lld  %.4f\n", (long long)best, (double)scores[best]);
    }
    status = 0;
out:
    cvs_run_free(run);
    cvs_model_free(model);
    return status;
}
