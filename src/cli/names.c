/* names.c - class names, asked for or found beside the model. */
#include "cli/names.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "cli/work.h"

/* Load the file `stem` + `suffix` if there is one that has `n` names. */
static int load_beside(cvs_classes **out, const cx_job *job, const char *stem, int stem_len,
                       const char *suffix, int64_t n, cvs_error *err)
{
    cx_str path = {0};
    cvs_error bad;
    int rc;
    *out = NULL;
    cx_str_addf(&path, "%.*s%s", stem_len, stem, suffix);
    TRY(cx_str_ok(&path, err));
    if (access(path.data, R_OK) < 0 || cvs_classes_load(out, path.data, &bad) < 0) goto out;
    if (cvs_classes_count(*out) == n) {
        cx_detail(job, "%s: class names", path.data);
    } else {
        cx_detail(job, "%s: not class names: %d lines for %lld classes", path.data,
                  cvs_classes_count(*out), (long long)n);
        cvs_classes_free(*out);
        *out = NULL;
    }
out:
    cx_str_deinit(&path);
    return rc;
}

static int find_beside(cvs_classes **out, const cx_job *job, int64_t n, cvs_error *err)
{
    const char *model = job->model, *dot = strrchr(cx_base_name(model), '.');
    int len = (int)strlen(model),
        stem = dot && dot > cx_base_name(model) ? (int)(dot - model) : len;
    int rc;
    TRY(load_beside(out, job, model, len, ".classes.txt", n, err));
    if (!*out) TRY(load_beside(out, job, model, stem, ".classes.txt", n, err));
    if (!*out) TRY(load_beside(out, job, model, stem, ".txt", n, err));
out:
    return rc;
}

int cx_names_load(cvs_classes **out, const cx_job *job, int64_t n, cvs_error *err)
{
    const char *path = job->options->classes;
    *out = NULL;
    if (!path) return find_beside(out, job, n, err);
    int rc = cvs_classes_load(out, path, err);
    if (rc < 0) return cx_at_file(err, rc, path);
    int found = cvs_classes_count(*out);
    if (found == n) return 0;
    cvs_classes_free(*out);
    *out = NULL;
    rc =
        cx_fail(err, CVS_E_FORMAT, "%d names, but the model has %lld classes", found, (long long)n);
    cx_hint(err, "a file with a name a line, in the order of the outputs");
    return cx_where(err, rc, "%s", path);
}
