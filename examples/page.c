/* page.c - one page of what a model makes of photographs, by two methods.
 *
 *     page MODEL FOLDER PHOTO...
 *
 * The library reads each photograph once; the page then shows answers, heatmaps and every channel.
 */
#include <convscope.h>
#include <stdio.h>

static int fail(const cvs_error *err)
{
    fprintf(stderr, "%s: %s\n", err->where, err->what);
    return 1;
}

int main(int argc, char **argv)
{
    static const char *const methods[] = {"layercam", "lrp"};
    const cvs_input *photos[CVS_REPORT_INPUTS];
    cvs_report_input inputs[CVS_REPORT_INPUTS];
    cvs_input *photo;
    cvs_model *model;
    cvs_error err;
    int n = 0, failed;

    if (argc < 4) {
        fprintf(stderr, "usage: %s MODEL FOLDER PHOTO...\n", argv[0]);
        return 2;
    }
    if (cvs_model_load(&model, argv[1], NULL, &err) < 0) return fail(&err);
    for (int i = 3; i < argc && n < CVS_REPORT_INPUTS; i++) {
        if (cvs_input_load(&photo, argv[i], 0, &err) < 0) {
            fail(&err); /* the others may do */
            continue;
        }
        photos[n] = photo;
        inputs[n] = (cvs_report_input){argv[i], &photos[n]}; /* of a model with one input */
        n++;
    }
    const cvs_report_options options = {.model = argv[1], .methods = methods, .n_methods = 2};
    failed = cvs_report_write(NULL, model, inputs, n, argv[2], &options, &err) < 0;
    if (failed)
        fail(&err);
    else
        printf("%s/report.html\n", argv[2]);
    for (int i = 0; i < n; i++) cvs_input_free((cvs_input *)(uintptr_t)photos[i]);
    cvs_model_free(model);
    return failed;
}
