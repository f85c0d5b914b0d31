/* cmd_convert.c - convscope convert: the model saved in another form. */
#include <stdio.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/options.h"
#include "cli/work.h"

static int print_json(const cvs_model *model, const char *file, cvs_error *err)
{
    cx_json *root = cx_json_object();
    char *text;
    cx_json_put(root, "model", cx_json_of_string(cvs_model_name(model)));
    cx_json_put(root, "file", cx_json_of_string(file));
    int rc = cx_json_print(&text, root, err);
    if (rc == 0) fputs(text, stdout);
    cx_free(text);
    return rc;
}

static int make_lean(cvs_model **model, const cx_job *job, cvs_error *err)
{
    cvs_model *lean;
    int rc = cvs_model_lean(&lean, *model, err);
    if (rc < 0) return cx_at_file(err, rc, job->model);
    cvs_model_free(*model);
    *model = lean;
    return 0;
}

int cx_cmd_convert(cx_job *job, cvs_error *err)
{
    const char *file = job->inputs[0];
    cvs_model *model = NULL;
    int rc;
    TRY(cx_work_load(&model, job, err));
    if (job->options->lean) TRY(make_lean(&model, job, err));
    TRY(cvs_model_save(model, file, err));
    if (job->options->json)
        TRY(print_json(model, file, err));
    else
        printf("%s\n", file);
out:
    cvs_model_free(model);
    return rc;
}
