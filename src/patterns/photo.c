/* photo.c - a file as the pixels that a climb begins or compares with. */
#include <string.h>

#include "graph/input.h"
#include "patterns/dream.h"

void cx_photo_deinit(cx_photo *photo)
{
    cx_free(photo->pixels);
    *photo = (cx_photo){0};
}

static int make_pixels(cx_photo *out, int64_t height, int64_t width, int channels, cvs_error *err)
{
    const size_t n = (size_t)(height * width * channels);
    out->height = height;
    out->width = width;
    out->channels = channels;
    out->pixels = cx_calloc(n, sizeof *out->pixels);
    return out->pixels ? 0 : cx_no_memory(err, n * sizeof *out->pixels);
}

/* --- pictures --- */

static int take_picture(cx_photo *out, const cx_image *picture, int channels, int64_t height,
                        int64_t width, cvs_error *err)
{
    cx_image converted = {0};
    cx_tensor pixels = {0};
    int rc = 0;
    if (channels != 1 && channels != 3 && channels != 4) {
        rc = cx_fail(err, CVS_E_ARG, "the model takes a picture of %d channels", channels);
        cx_hint(err, "give it a .npy tensor");
        goto out;
    }
    TRY(cx_image_convert(&converted, picture, channels, err));
    TRY(cx_image_resize(&pixels, &converted, (int)width, (int)height, CVS_RESIZE_ANTIALIAS, err));
    TRY(make_pixels(out, height, width, channels, err));
    memcpy(out->pixels, pixels.data, (size_t)cx_shape_count(&pixels.shape) * sizeof(float));
out:
    cx_tensor_deinit(&pixels);
    cx_image_deinit(&converted);
    return rc;
}

/* --- tensors --- */

/* Rows, columns and channels where they stand. */
static int read_shape(int64_t of[3], const cx_tensor *t, const cx_sizes *s, cvs_error *err)
{
    char text[CX_SHAPE_TEXT];
    const int more = t->shape.ndim == 4;
    const int64_t *d = t->shape.d + more;
    if (t->shape.ndim == 3 || (more && t->shape.d[0] == 1)) {
        of[0] = d[s->first];
        of[1] = d[s->first + 1];
        of[2] = d[s->first ? 0 : 2];
        if (of[0] > 0 && of[1] > 0 && of[2] == s->channels) return 0;
    }
    return cx_fail(err, CVS_E_FORMAT,
                   "a tensor of shape %s, but one picture of %d channels is wanted",
                   cx_shape_text(text, &t->shape), s->channels);
}

/* The tensor is the model's input: the pixels are those that would give it. */
static int take_tensor(cx_photo *out, const cx_tensor *t, const cx_sizes *s, cvs_preprocess mode,
                       cvs_error *err)
{
    cx_units units;
    int64_t of[3] = {0};
    int rc;
    TRY(read_shape(of, t, s, err));
    TRY(cx_units_init(&units, s->channels, mode, err));
    TRY(make_pixels(out, of[0], of[1], s->channels, err));
    const int64_t cells = of[0] * of[1], k = s->channels;
    for (int64_t i = 0; i < cells; i++) {
        float x[CX_PATTERN_CHANNELS];
        for (int64_t c = 0; c < k; c++) x[c] = t->data[s->first ? c * cells + i : i * k + c];
        cx_units_invert(&units, x, out->pixels + i * k);
    }
out:
    return rc;
}

static int resize(cx_photo *photo, int64_t height, int64_t width, cvs_error *err)
{
    cx_photo small = {.begins = photo->begins};
    int rc;
    TRY(make_pixels(&small, height, width, photo->channels, err));
    cx_octave_resample(photo->pixels, photo->height, photo->width, small.pixels, height, width,
                       photo->channels);
    cx_free(photo->pixels);
    *photo = small;
out:
    return rc;
}

void cx_photo_size(const cvs_input *input, const cx_sizes *s, int64_t *height, int64_t *width)
{
    int64_t of[3] = {1, 1, 1};
    if (input->picture.data) {
        *height = input->picture.height;
        *width = input->picture.width;
        return;
    }
    (void)read_shape(of, &input->tensor, s, NULL); /* told when it is opened */
    *height = of[0];
    *width = of[1];
}

int cx_photo_open(cx_photo *out, const cvs_input *input, const cx_sizes *s, cvs_preprocess mode,
                  int64_t height, int64_t width, cvs_error *err)
{
    int rc;
    if (input->picture.data)
        return take_picture(out, &input->picture, s->channels, height, width, err);
    TRY(take_tensor(out, &input->tensor, s, mode, err));
    if (out->height != height || out->width != width) TRY(resize(out, height, width, err));
out:
    return rc;
}
