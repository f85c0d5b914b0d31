/* output.c - which output of a model a command is about. */
#include "cli/output.h"

#include "base/str.h"

int cx_output_choose(int *out, const cx_job *job, const cvs_model *model, cvs_error *err)
{
    const char *wanted = job->options->output, *names[16];
    int n = cvs_model_output_count(model), rc;
    cx_str all = {0};
    cvs_layer layer;
    *out = -1;
    for (int i = 0; i < n; i++) {
        TRY(cvs_model_layer(&layer, model, cvs_model_output(model, i), err));
        if (wanted ? cx_streq(layer.name, wanted) : i == 0) {
            *out = i;
            wanted = layer.name;
        }
        if (i < 16) names[i] = layer.name;
        cx_str_addf(&all, "%s%s", i ? ", " : "", layer.name);
    }
    rc = 0;
    if (n < 1) {
        rc = cx_where(err, cx_fail(err, CVS_E_FORMAT, "has no output"), "%s", job->model);
    } else if (*out < 0) {
        rc = cx_fail(err, CVS_E_ARG, "the model has no output \"%s\"", wanted);
        cx_hint(err, "its outputs are %s", all.data ? all.data : "");
        cx_hint_nearest(err, wanted, names, n < 16 ? n : 16);
        cx_where(err, rc, "--output");
    } else if (n > 1 && !job->options->output)
        cx_note(job, "output: %s, the first of %s (--output chooses)", wanted,
                all.data ? all.data : "");
out:
    cx_str_deinit(&all);
    return rc;
}
