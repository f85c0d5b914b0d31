/* input.c - a run's input from a file: a photograph, or numbers. */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "graph/input.h"
#include "graph/run.h"
#include "image/image.h"
#include "tensor/npy.h"

static const char *const preprocess_names[] = {"auto", "raw", "unit", "tf", "torch", "caffe"};
static const char *const resize_names[] = {"nearest", "bilinear", "bicubic", "antialias"};

const char *cvs_preprocess_name(int mode)
{
    return mode >= 0 && mode <= CVS_PREPROCESS_CAFFE ? preprocess_names[mode] : NULL;
}

const char *cvs_resize_name(int mode)
{
    return mode >= 0 && mode <= CVS_RESIZE_ANTIALIAS ? resize_names[mode] : NULL;
}

static int takes(const cx_node *node, int input)
{
    for (int i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] == input) return 1;
    return 0;
}

/* The first layer that does more to the numbers of an input than move them. */
static const cx_layer *first_layer(const cvs_model *m, int input)
{
    int node = m->inputs[input];
    for (int i = node + 1; i < m->n_nodes; i++) {
        const cx_layer *l = &m->layers[m->nodes[i].layer];
        if (!takes(&m->nodes[i], node)) continue;
        if (!cx_layer_is_identity(l) && l->kind->family != CX_RESHAPING) return l;
        node = i;
    }
    return NULL;
}

cvs_preprocess cvs_model_preprocess(const cvs_model *m, int input, const char **why)
{
    const cx_layer *l = input >= 0 && input < m->n_inputs ? first_layer(m, input) : NULL;
    int rescales = l && l->kind->is_rescaling;
    if (why)
        *why = rescales ? "the model itself begins by rescaling"
                        : "the default, as the model does not rescale its input";
    return rescales ? CVS_PREPROCESS_RAW : CVS_PREPROCESS_UNIT;
}

/* Height, width and channels that a photograph must have for an input: -1 where free. */
static int picture_shape(int64_t *h, int64_t *w, int *channels, const cvs_model *m, int input,
                         cvs_error *err)
{
    const cx_shape *s = &m->nodes[m->inputs[input]].shape;
    const int axis = cx_node_channel_axis(m, m->inputs[input]), first = s->ndim == 4 && axis == 1;
    char text[CX_SHAPE_TEXT];
    *h = s->ndim > 2 ? s->d[1 + first] : 0;
    *w = s->ndim > 2 ? s->d[2 + first] : 0;
    *channels = s->ndim == 3 ? 1 : 3;
    if (s->ndim == 4 && s->d[axis] != CX_FREE) *channels = s->d[axis] > 4 ? 0 : (int)s->d[axis];
    if ((s->ndim == 3 || s->ndim == 4) && (*channels == 1 || *channels >= 3)) return 0;
    int rc = cx_fail(err, CVS_E_ARG, "the model takes an input of shape %s, which is no picture",
                     cx_shape_text(text, s));
    cx_hint(err, "give it a .npy tensor");
    return rc;
}

/* Pixels as one input of a model: its axes in the model's order. `pixels` is used up. */
static int arrange(cx_tensor *out, cx_tensor *pixels, const cvs_model *m, int input, int64_t h,
                   int64_t w, int channels, cvs_error *err)
{
    cx_shape shape = m->nodes[m->inputs[input]].shape;
    const int axis = cx_node_channel_axis(m, m->inputs[input]);
    const int first = shape.ndim == 4 && axis == 1;
    shape.d[0] = 1;
    shape.d[1 + first] = h;
    shape.d[2 + first] = w;
    if (shape.ndim == 4) shape.d[axis] = channels;
    if (!first) {
        *out = *pixels;
        out->shape = shape;
        *pixels = (cx_tensor){0};
        return 0;
    }
    const int rc = cx_tensor_init(out, &shape, err);
    if (rc < 0) return rc;
    const cx_box box = {
        .ndim = 2, .size = {h * w, channels}, .from = {channels, 1}, .to = {1, h * w}};
    cx_copy_box(&box, pixels->data, out->data);
    return 0;
}

static int fit_picture(cx_tensor *out, const cvs_model *m, int input, const cx_image *picture,
                       const cvs_image_options *o, cvs_error *err)
{
    cx_image converted = {0};
    cx_tensor pixels = {0};
    cvs_preprocess mode = o->preprocess;
    int64_t h, w;
    int channels, rc;
    *out = (cx_tensor){0};
    if (mode == CVS_PREPROCESS_AUTO) mode = cvs_model_preprocess(m, input, NULL);
    TRY(picture_shape(&h, &w, &channels, m, input, err));
    if (h == CX_FREE) h = picture->height;
    if (w == CX_FREE) w = picture->width;
    if (h > CX_IMAGE_MAX_SIDE || w > CX_IMAGE_MAX_SIDE) {
        rc = cx_fail(err, CVS_E_UNSUPPORTED, "the model wants a picture of %lld × %lld pixels",
                     (long long)w, (long long)h);
        goto out;
    }
    if (picture->channels != channels) {
        TRY(cx_image_convert(&converted, picture, channels, err));
        picture = &converted;
    }
    TRY(cx_image_resize(&pixels, picture, (int)w, (int)h, o->resize, err));
    TRY(cx_preprocess(pixels.data, h * w, channels, mode, err));
    TRY(arrange(out, &pixels, m, input, h, w, channels, err));
out:
    cx_image_deinit(&converted);
    cx_tensor_deinit(&pixels);
    return rc;
}

/* A tensor is one input, or, with one axis more, a whole batch of them. */
static int set_tensor(cvs_run *run, int input, int slot, const cx_tensor *t, cvs_error *err)
{
    const cx_shape *want = &run->model->nodes[run->model->inputs[input]].shape;
    int places = 1;
    cx_shape shape = t->shape;
    if (shape.ndim == want->ndim - 1) {
        memmove(shape.d + 1, shape.d, (size_t)shape.ndim * sizeof shape.d[0]);
        shape.ndim++;
        shape.d[0] = 1;
    }
    int64_t n = cx_shape_count_range(&shape, 1, shape.ndim);
    if (shape.d[0] == 1)
        shape.d[0] = run->batch;
    else if (slot > 0)
        return cx_fail(err, CVS_E_ARG, "the file holds %lld inputs, but one is wanted",
                       (long long)shape.d[0]);
    else
        places = (int)shape.d[0];
    int rc = cx_run_set_shape(run, input, &shape, err);
    if (rc < 0) return rc;
    cx_tensor *x = cx_run_input(run, input, slot, places);
    if (x->data) memcpy(x->data + slot * n, t->data, (size_t)(places * n) * sizeof(float));
    return 0;
}

static int is_npy(const char *path)
{
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".npy") == 0;
}

int cvs_input_load(cvs_input **out, const char *path, int exif, cvs_error *err)
{
    *out = NULL;
    cvs_input *input = cx_calloc(1, sizeof *input);
    if (!input) return cx_no_memory(err, sizeof *input);
    int rc = is_npy(path) ? cx_npy_read(&input->tensor, path, err)
                          : cx_image_read(&input->picture, path, 0, exif, err);
    if (rc == 0) {
        *out = input;
        return 0;
    }
    cvs_input_free(input);
    return err && !strstr(err->where, path) ? cx_where(err, rc, "%s", path) : rc;
}

void cvs_input_free(cvs_input *input)
{
    if (!input) return;
    cx_image_deinit(&input->picture);
    cx_tensor_deinit(&input->tensor);
    cx_free(input);
}

int cvs_input_fit(cvs_input **out, const cvs_input *data, const cvs_model *m, int input,
                  const cvs_image_options *options, cvs_error *err)
{
    const cvs_image_options defaults = {0};
    cvs_input *fit = NULL;
    int rc;
    *out = NULL;
    if (input < 0 || input >= m->n_inputs)
        return cx_fail(err, CVS_E_ARG, "the model has no input %d", input);
    if (!data->picture.data) return cx_fail(err, CVS_E_ARG, "it is a tensor already");
    fit = cx_calloc(1, sizeof *fit);
    if (!fit) return cx_no_memory(err, sizeof *fit);
    TRY(fit_picture(&fit->tensor, m, input, &data->picture, options ? options : &defaults, err));
    *out = fit;
    fit = NULL;
out:
    cvs_input_free(fit);
    return rc;
}

int cvs_run_set(cvs_run *run, int input, int slot, const cvs_input *data,
                const cvs_image_options *options, cvs_error *err)
{
    const cvs_image_options defaults = {0};
    cx_tensor picture = {0};
    int rc;
    if (input < 0 || input >= run->model->n_inputs)
        return cx_fail(err, CVS_E_ARG, "the model has no input %d", input);
    if (slot < 0 || slot >= run->batch)
        return cx_fail(err, CVS_E_ARG, "the run has no slot %d", slot);
    run->done = 0;
    if (data->picture.data)
        TRY(fit_picture(&picture, run->model, input, &data->picture, options ? options : &defaults,
                        err));
    rc = set_tensor(run, input, slot, data->picture.data ? &picture : &data->tensor, err);
out:
    cx_tensor_deinit(&picture);
    return rc;
}

int cvs_run_set_image(cvs_run *run, int input, int slot, const char *path,
                      const cvs_image_options *options, cvs_error *err)
{
    cvs_input *data;
    int rc = cvs_input_load(&data, path, options && options->exif, err);
    if (rc < 0) return rc;
    rc = cvs_run_set(run, input, slot, data, options, err);
    cvs_input_free(data);
    return rc < 0 ? cx_where(err, rc, "%s", path) : 0;
}

/* The first image of a tensor (H×W×C or N×H×W×C) as a picture. */
static int picture_of_tensor(cx_image *out, const cx_tensor *t, cvs_error *err)
{
    const int n = t->shape.ndim;
    const int64_t *d = t->shape.d + (n == 4);
    if (n < 3 || n > 4 || (d[2] != 1 && d[2] != 3) || d[0] > CX_IMAGE_MAX_SIDE ||
        d[1] > CX_IMAGE_MAX_SIDE)
        return 0;
    int rc = cx_image_init(out, (int)d[1], (int)d[0], (int)d[2], err);
    if (rc < 0) return rc;
    const int64_t count = d[0] * d[1] * d[2];
    float low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < count; i++) {
        if (t->data[i] < low) low = t->data[i];
        if (t->data[i] > high) high = t->data[i];
    }
    const float scale = high > low ? 255 / (high - low) : 0;
    for (int64_t i = 0; i < count; i++) {
        const float v = (t->data[i] - low) * scale;
        out->data[i] = (uint8_t)(v >= 0 && v <= 255 ? v + 0.5f : 0);
    }
    return 0;
}

int cx_input_picture(cx_image *out, const cvs_input *input, cvs_error *err)
{
    const cx_image *p = &input->picture;
    *out = (cx_image){0};
    if (!p->data) return picture_of_tensor(out, &input->tensor, err);
    int rc = cx_image_init(out, p->width, p->height, p->channels, err);
    if (rc < 0) return rc;
    memcpy(out->data, p->data, (size_t)p->width * (size_t)p->height * (size_t)p->channels);
    return 0;
}
