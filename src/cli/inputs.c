/* inputs.c - files and folders of files. */
#include "cli/inputs.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"

static int has_input_suffix(const char *name)
{
    static const char *const suffixes[] = {".jpg", ".jpeg", ".png", ".webp", ".npy"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && dot != name && i < sizeof suffixes / sizeof *suffixes; i++)
        if (strcasecmp(dot, suffixes[i]) == 0) return 1;
    return 0;
}

static int add(cx_inputs *in, const char *folder, const char *name, cvs_error *err)
{
    cx_str path = {0};
    int rc;
    if (folder) {
        size_t len = strlen(folder);
        cx_str_addf(&path, "%s%s", folder, folder[len - 1] == '/' ? "" : "/");
    }
    cx_str_add(&path, name);
    char **paths = cx_realloc_array(in->paths, (size_t)in->n + 1, sizeof *paths);
    if (!paths) {
        rc = cx_no_memory(err, (size_t)in->n);
        goto out;
    }
    in->paths = paths;
    TRY(cx_str_take(&in->paths[in->n], &path, err));
    in->n++;
out:
    cx_str_deinit(&path);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_folder(cx_inputs *in, cx_job *job, const char *folder, cvs_error *err)
{
    int first = in->n, rc = 0;
    cvs_error bad;
    const struct dirent *entry;
    DIR *dir = opendir(folder);
    if (!dir) {
        cx_fail(&bad, CVS_E_IO, "cannot open: %s", strerror(errno));
    } else {
        while ((entry = readdir(dir)))
            if (has_input_suffix(entry->d_name)) TRY(add(in, folder, entry->d_name, err));
        if (in->n > first)
            qsort(in->paths + first, (size_t)(in->n - first), sizeof *in->paths, by_name);
        else
            cx_fail(&bad, CVS_E_IO, "no pictures in this folder");
    }
    if (in->n == first) {
        cx_where(&bad, CVS_E_IO, "%s", folder);
        cx_complain(job, &bad);
    }
out:
    if (dir) closedir(dir);
    return rc;
}

int cx_inputs_add(cx_inputs *in, cx_job *job, const char *path, cvs_error *err)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return add_folder(in, job, path, err);
    return add(in, NULL, path, err);
}

int cx_inputs_init(cx_inputs *out, cx_job *job, cvs_error *err)
{
    int rc = 0;
    char *label = NULL;
    *out = (cx_inputs){0};
    if (job->options->inputs.n > 0) {
        TRY(cx_inputs_label(&label, job, err));
        TRY(add(out, NULL, label, err));
    }
    for (int i = 0; i < job->n_inputs; i++) TRY(cx_inputs_add(out, job, job->inputs[i], err));
out:
    cx_free(label);
    if (rc < 0) cx_inputs_deinit(out);
    return rc;
}

int cx_inputs_label(char **out, const cx_job *job, cvs_error *err)
{
    const cx_texts *inputs = &job->options->inputs;
    cx_str s = {0};
    for (int i = 0; i < inputs->n; i++) cx_str_addf(&s, "%s%s", i ? " " : "", inputs->item[i]);
    return cx_str_take(out, &s, err);
}

void cx_inputs_deinit(cx_inputs *inputs)
{
    for (int i = 0; i < inputs->n; i++) cx_free(inputs->paths[i]);
    cx_free(inputs->paths);
    *inputs = (cx_inputs){0};
}
