/* golden.c - cases of a model, an input and what is expected of them. */
#include "golden.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "listing.h"
#include "tensor/npy.h"

static int read_index(cx_json **out, const char *dir, cvs_error *err)
{
    char path[2400];
    cx_bytes b;
    snprintf(path, sizeof path, "%s/index.json", dir);
    int rc = cx_file_read(&b, path, 16 << 20, err);
    if (rc == 0) rc = cx_json_parse(out, (const char *)b.data, b.size, err);
    cx_bytes_deinit(&b);
    return rc;
}

int golden_open(golden *out, const char *folder, const char *name, cvs_error *err)
{
    char path[2400], architecture[2400];
    cvs_load_options options = {0};
    int rc;
    *out = (golden){.name = name};
    snprintf(out->dir, sizeof out->dir, "%s/%s", folder, name);
    TRY(read_index(&out->index, out->dir, err));
    golden_path(path, out, out->index, "model");
    golden_path(architecture, out, out->index, "architecture");
    if (cx_json_string(cx_json_get(out->index, "architecture"), NULL))
        options.architecture = architecture;
    TRY(cvs_model_load(&out->model, path, &options, err));
out:
    return rc;
}

void golden_close(golden *g)
{
    cvs_run_free(g->run);
    cvs_model_free(g->model);
    cx_json_free(g->index);
}

int golden_run(golden *g, const cvs_run_options *options, cvs_error *err)
{
    char path[2400];
    int rc;
    TRY(cvs_run_new(&g->run, g->model, options, err));
    golden_path(path, g, g->index, "input");
    TRY(cvs_run_set_image(g->run, 0, 0, path, NULL, err));
out:
    return rc;
}

void golden_path(char out[2400], const golden *g, const cx_json *entry, const char *key)
{
    snprintf(out, 2400, "%s/%s", g->dir, cx_json_string(cx_json_get(entry, key), ""));
}

int golden_read(cx_tensor *out, const golden *g, const cx_json *entry, const char *key,
                cvs_error *err)
{
    char path[2400];
    golden_path(path, g, entry, key);
    return cx_npy_read(out, path, err);
}

static int is_case(const char *folder, const char *name)
{
    char path[2400];
    snprintf(path, sizeof path, "%s/%s/index.json", folder, name);
    return access(path, R_OK) == 0;
}

int golden_check_all(int *failures, const char *folder, golden_check *check)
{
    listing in = list_folder(folder);
    int n = 0;
    for (int i = 0; i < in.n; i++) {
        const char *name = in.at[i]->d_name;
        cvs_error err = {0};
        golden g;
        if (!is_case(folder, name)) continue;
        const int failed = golden_open(&g, folder, name, &err) < 0 || check(&g, &err);
        golden_close(&g);
        if (failed && err.code) printf("# %s: %s\n", err.where, err.what);
        printf("%s %d - %s\n", failed ? "not ok" : "ok", ++n, name);
        *failures += failed;
    }
    listing_free(&in);
    return n;
}
