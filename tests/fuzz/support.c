/* support.c - what several targets do with what came out of the bytes. */
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz.h"
#include "graph/run.h"

enum {
    MAX_MEMORY = 4 << 20, /* bytes of a run that is computed */
    MAX_WORK = 1 << 25,   /* products in it */
};

/* --- files --- */

static char path[4096];

static void remove_file(void)
{
    unlink(path);
}

void fuzz_name(char *out, size_t size)
{
    const char *folder = getenv("TMPDIR");
    snprintf(out, size, "%s/convscope-fuzz-XXXXXX", folder ? folder : "/tmp");
}

void fuzz_put(int *fd, const char *name, const void *data, size_t size)
{
    if (*fd < 0) *fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0 || ftruncate(*fd, 0) < 0 || pwrite(*fd, data, size, 0) != (ssize_t)size) abort();
}

/* It has a name of its own: libhdf5 asks for that of every file that it opens. */
const char *fuzz_file(const void *data, size_t size)
{
    static int fd = -1;
    if (fd < 0) {
        fuzz_name(path, sizeof path);
        fd = mkstemp(path);
        atexit(remove_file);
    }
    fuzz_put(&fd, path, data, size);
    return path;
}

/* --- pictures --- */

void fuzz_picture(cx_decode *decode, const uint8_t *data, size_t size)
{
    static const int channels[] = {1, 3, 4};
    cvs_error err = {0};
    cx_image image;
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++) {
        cx_image converted = {0};
        cx_tensor pixels = {0};
        int orientation = 1;
        int rc =
            decode(&image, i ? &orientation : NULL, data, size, &(cx_wish){.alpha = i == 2}, &err);
        if (rc == 0) rc = cx_image_convert(&converted, &image, channels[i], &err);
        if (rc == 0) rc = cx_image_turn(&converted, orientation, &err);
        if (rc == 0) rc = cx_image_resize(&pixels, &converted, 9, 7, (cvs_resize)i, &err);
        if (rc < 0 && err.what[0] == 0) abort();
        cx_tensor_deinit(&pixels);
        cx_image_deinit(&converted);
        cx_image_deinit(&image);
    }
}

/* --- models --- */

/* Products of a forward pass, roughly: every output is a sum over a window's share of the weights,
 * or over a window. */
static int is_little_work(const cvs_run *run)
{
    int64_t work = 0;
    if (!run->planned || run->memory_size > MAX_MEMORY) return 0;
    for (int s = 0; s < run->n_steps; s++) {
        const cx_layer *l = &run->model->layers[run->model->nodes[run->steps[s]].layer];
        work += cx_shape_count(&run->slots[run->steps[s]].shape) * (1 + cx_layer_params(l));
        if (work > MAX_WORK) return 0;
    }
    return 1;
}

/* Give every size that the model leaves open this one. */
static int choose_sizes(cvs_run *run, int64_t size, cvs_error *err)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < run->model->n_inputs; i++) {
        cx_shape shape = run->model->nodes[run->model->inputs[i]].shape;
        for (int a = 0; a < shape.ndim; a++)
            if (shape.d[a] == CX_FREE) shape.d[a] = a > 0 ? size : 1;
        rc = cx_run_set_shape(run, i, &shape, err);
    }
    return rc;
}

static void compute(const cvs_model *m, cvs_error *err)
{
    cvs_run *run = NULL;
    cvs_stats whole;
    if (cvs_run_new(&run, m, &(cvs_run_options){.taps = "all"}, err) == 0 &&
        choose_sizes(run, 9, err) == 0 && is_little_work(run) && cvs_run_forward(run, err) == 0)
        for (int i = 0; i < cvs_run_tap_count(run); i++)
            if (cvs_run_stats(&whole, NULL, NULL, run, cvs_run_tap(run, i), -1, err) < 0) abort();
    cvs_run_free(run);
}

void fuzz_model(const cvs_model *m)
{
    cvs_error err = {0};
    cvs_layer layer;
    for (int style = CVS_SUMMARY_KERAS2; style <= CVS_SUMMARY_JSON; style++) {
        const cvs_summary_options options = {.style = (cvs_summary_style)style, .expand = 1};
        char *text = NULL;
        if (cvs_model_summary(&text, m, &options, &err) < 0) abort();
        cvs_free(text);
    }
    for (int i = 0; i < cvs_model_layer_count(m); i++) {
        if (cvs_model_layer(&layer, m, i, &err) < 0) abort();
        cvs_model_find(m, layer.name, &err);
    }
    for (int i = 0; i < cvs_model_output_count(m); i++) cvs_model_output_activation(m, i);
    cvs_model_preprocess(m, 0, NULL);
    compute(m, &err);
}

void fuzz_load(const char *model)
{
    cvs_error err = {0};
    cvs_model *m;
    if (cvs_model_load(&m, model, NULL, &err) == 0)
        fuzz_model(m);
    else if (m || err.what[0] == 0)
        abort();
    cvs_model_free(m);
}
