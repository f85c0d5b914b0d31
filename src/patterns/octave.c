/* octave.c - sizes: a picture climbs small first, so that large shapes come before fine ones, and
 * what a photograph loses by that is given back (Chollet 2021, Deep Learning with Python, 2nd
 * edition, 12.2). */
#include <math.h>
#include <string.h>

#include "kernels/kernels.h"
#include "patterns/climb.h"

enum { LEAST = 32 }; /* pixels of a side, below which a picture is not made smaller */

void cx_octave_size(const cx_climb *c, const cx_sizes *s, int octave, int64_t *height,
                    int64_t *width)
{
    for (int k = octave; k >= 0; k--) {
        const double by = pow(c->octave_scale, k);
        *height = (int64_t)((double)s->height / by);
        *width = (int64_t)((double)s->width / by);
        if (*height >= LEAST && *width >= LEAST) break;
    }
}

void cx_octave_resample(const float *x, int64_t height, int64_t width, float *y, int64_t to_height,
                        int64_t to_width, int64_t channels)
{
    const cx_resize r = {.batch = 1,
                         .channels = channels,
                         .in = {height, width},
                         .out = {to_height, to_width},
                         .size = {height, width},
                         .how = CX_BILINEAR};
    if (height == to_height && width == to_width)
        memcpy(y, x, (size_t)(height * width * channels) * sizeof *y);
    else
        cx_resize_forward(&r, x, y);
}

void cx_octave_photo(const cx_climb *c, float *pixels)
{
    const cx_painting *p = &c->painting;
    cx_octave_resample(c->photo->pixels, c->photo->height, c->photo->width, pixels, p->inner_height,
                       p->inner_width, p->channels);
}

/* Add what the photograph has at the painting's size and has no more once it was as small as
 * height × width. */
static int add_details(const cx_climb *c, int64_t height, int64_t width, float *pixels,
                       cvs_error *err)
{
    const cx_painting *p = &c->painting;
    const int64_t n = p->inner_height * p->inner_width * p->channels;
    const int64_t small = height * width * p->channels;
    float *whole = cx_calloc((size_t)(2 * n + small), sizeof *whole);
    if (!whole) return cx_no_memory(err, (size_t)(2 * n + small) * sizeof *whole);
    float *lost = whole + n;
    cx_octave_photo(c, whole);
    cx_octave_resample(c->photo->pixels, c->photo->height, c->photo->width, lost + n, height, width,
                       p->channels);
    cx_octave_resample(lost + n, height, width, lost, p->inner_height, p->inner_width, p->channels);
    for (int64_t i = 0; i < n; i++) pixels[i] += whole[i] - lost[i];
    cx_free(whole);
    return 0;
}

/* What the smaller size came to, as pixels of this one. */
static int enlarge(const cx_climb *c, int item, float *pixels, cvs_error *err)
{
    const cx_painting *p = &c->painting;
    const cvs_patterns *a = c->out;
    const int64_t cells = a->height * a->width, size = cells * p->channels;
    float *small = cx_calloc((size_t)size, sizeof *small);
    if (!small) return cx_no_memory(err, (size_t)size * sizeof *small);
    for (int64_t i = 0; i < cells; i++)
        cx_units_invert(&p->units, a->data + item * size + i * p->channels,
                        small + i * p->channels);
    cx_octave_resample(small, a->height, a->width, pixels, p->inner_height, p->inner_width,
                       p->channels);
    cx_free(small);
    if (!c->photo || !c->photo->begins || c->recipe->repaints) return 0;
    return add_details(c, a->height, a->width, pixels, err);
}

/* What is given is in the units of a start already. */
static void shrink_given(const cx_climb *c, const cx_sizes *given, float *start)
{
    const cx_painting *p = &c->painting;
    const int64_t size = given->height * given->width * p->channels;
    for (int i = 0; i < c->n_starts; i++)
        cx_octave_resample(c->start + i * size, given->height, given->width,
                           start + i * p->inner_height * p->inner_width * p->channels,
                           p->inner_height, p->inner_width, p->channels);
}

int cx_octave_begin(cx_climb *c, const cx_sizes *s, cvs_error *err)
{
    const cx_painting *p = &c->painting;
    const int64_t cells = p->inner_height * p->inner_width, size = cells * p->channels;
    const int begins = c->photo && c->photo->begins;
    const int n = c->out ? c->n : begins ? 1 : c->start ? c->n_starts : 0;
    float *start = n > 0 ? cx_calloc((size_t)n, (size_t)size * sizeof *start) : NULL;
    int rc = 0;
    if (n == 0) return 0;
    if (!start) return cx_no_memory(err, (size_t)(n * size) * sizeof *start);
    if (!c->out && !begins) shrink_given(c, s, start);
    for (int i = 0; i < n && (c->out || begins); i++) {
        float *pixels = start + i * size;
        if (c->out)
            TRY(enlarge(c, i, pixels, err));
        else
            cx_octave_photo(c, pixels);
        for (int64_t k = 0; k < cells; k++) {
            float pixel[CX_PATTERN_CHANNELS];
            memcpy(pixel, pixels + k * p->channels, (size_t)p->channels * sizeof *pixel);
            cx_painting_start_of(p, pixel, pixels + k * p->channels);
        }
    }
    cx_free(c->carried);
    c->start = c->carried = start;
    c->n_starts = n;
    start = NULL;
out:
    cx_free(start);
    return rc;
}

int cx_octave_repaint(cx_climb *c, const cvs_patterns *small, cvs_error *err)
{
    const cx_painting *p = &c->painting;
    const int64_t cells = p->inner_height * p->inner_width, size = cells * p->channels;
    float *pixels = cx_calloc((size_t)size, sizeof *pixels);
    int rc = 0;
    if (!pixels) return cx_no_memory(err, (size_t)size * sizeof *pixels);
    for (int i = 0; i < c->n; i++) {
        float *data = c->out->data + i * size;
        for (int64_t k = 0; k < size; k += p->channels)
            cx_units_invert(&p->units, data + k, pixels + k);
        TRY(add_details(c, small->height, small->width, pixels, err));
        for (int64_t k = 0; k < size; k += p->channels)
            cx_units_apply(&p->units, pixels + k, data + k);
        cx_painting_develop(p, data, 0, c->out->shown + i * size);
    }
out:
    cx_free(pixels);
    return rc;
}
