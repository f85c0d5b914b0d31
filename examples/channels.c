/* channels.c - how strongly a photograph excites each channel of a layer.
 *
 *     channels MODEL PHOTO LAYER
 *
 * A run keeps only the activations that are asked for, so tapping one layer is cheap; nothing
 * behind it is computed. */
#include <convscope.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    cvs_model *model = NULL;
    cvs_run *run = NULL;
    cvs_stats whole, *channels = NULL;
    cvs_error err;
    int64_t n;
    int layer, status = 1;

    if (argc != 4) {
        fprintf(stderr, "usage: %s MODEL PHOTO LAYER\n", argv[0]);
        return 2;
    }
    const cvs_run_options keep = {.taps = argv[3]};
    if (cvs_model_load(&model, argv[1], NULL, &err) < 0 ||
        (layer = cvs_model_find(model, argv[3], &err)) < 0 ||
        cvs_run_new(&run, model, &keep, &err) < 0 ||
        cvs_run_set_image(run, 0, 0, argv[2], NULL, &err) < 0 || cvs_run_forward(run, &err) < 0 ||
        cvs_run_stats(&whole, &channels, &n, run, layer, 0, &err) < 0) {
        fprintf(stderr, "%s%s%s %s\n", err.where, err.where[0] ? ": " : "", err.what, err.hint);
        goto out;
    }
    printf("%s: %lld channels, mean %.4f, %.1f %% of the values at most 0\n", argv[3], (long long)n,
           whole.mean, 100 * whole.sparsity);
    for (int64_t i = 0; i < n; i++)
        printf("%4lld  mean %8.4f  max %8.4f%s\n", (long long)i, channels[i].mean, channels[i].max,
               channels[i].dead ? "  dead" : "");
    status = 0;
out:
    cvs_free(channels);
    cvs_run_free(run);
    cvs_model_free(model);
    return status;
}
