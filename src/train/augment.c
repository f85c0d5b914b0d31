/* augment.c - affine transforms of pictures with bilinear interpolation.
 *
 * A transform says for each pixel of the result where it comes from, in columns and rows counted
 * from the centre of the picture, which lies between pixels where a side is even. Keras from 2.3 on
 * has this centre, and shears along the rows. Two of its slips are not repeated: it counts a
 * picture's centre with height and width exchanged, which shows where they differ, and moves
 * columns by height_shift_range. */
#include "train/augment.h"

#include <math.h>
#include <string.h>

#include "base/random.h"

const cx_augment cx_augment_generator = {.rotation = 40,
                                         .width_shift = 0.2,
                                         .height_shift = 0.2,
                                         .shear = 0.2,
                                         .zoom = 0.2,
                                         .horizontal_flip = 1};

const cx_augment cx_augment_layers = {.rotation = 36, /* 0.1 of a turn */
                                      .zoom = 0.2,
                                      .zoom_alike = 1,
                                      .horizontal_flip = 1,
                                      .fill = CX_FILL_REFLECT,
                                      .in_steps = 1};

/* --- drawing lots --- */

enum { THETA, TX, TY, SHEAR, ZX, ZY, FLIP_X, FLIP_Y }; /* places in a picture's stream */

/* Even over -range … range. */
static double even(uint64_t stream, uint64_t place, double range)
{
    return range * (2 * cx_random_uniform(stream, place) - 1);
}

static double pixels(double shift, int side)
{
    return fabs(shift) < 1 ? shift * side : shift;
}

void cx_augment_draw(cx_variation *out, const cx_augment *a, int height, int width, uint64_t seed,
                     int64_t epoch, int64_t sample)
{
    const double radians = CX_PI / 180;
    const uint64_t stream =
        cx_random_stream(cx_random_stream(seed, (uint64_t)epoch), (uint64_t)sample);
    out->theta = even(stream, THETA, a->rotation) * radians;
    out->tx = even(stream, TX, pixels(a->width_shift, width));
    out->ty = even(stream, TY, pixels(a->height_shift, height));
    out->shear = even(stream, SHEAR, a->shear) * radians;
    out->zx = 1 + even(stream, ZX, a->zoom);
    out->zy = a->zoom_alike ? out->zx : 1 + even(stream, ZY, a->zoom);
    out->flip_x = a->horizontal_flip && cx_random_uniform(stream, FLIP_X) < 0.5;
    out->flip_y = a->vertical_flip && cx_random_uniform(stream, FLIP_Y) < 0.5;
}

/* --- transforms --- */

/* x' = xx x + xy y + x0, and y' likewise. */
typedef struct affine {
    double xx, xy, x0, yx, yy, y0;
} affine;

/* First b, then a. */
static affine times(affine a, affine b)
{
    return (affine){a.xx * b.xx + a.xy * b.yx,        a.xx * b.xy + a.xy * b.yy,
                    a.xx * b.x0 + a.xy * b.y0 + a.x0, a.yx * b.xx + a.yy * b.yx,
                    a.yx * b.xy + a.yy * b.yy,        a.yx * b.x0 + a.yy * b.y0 + a.y0};
}

static affine rotation(double theta)
{
    return (affine){cos(theta), -sin(theta), 0, sin(theta), cos(theta), 0};
}

static affine zoom(double zx, double zy)
{
    return (affine){zx, 0, 0, 0, zy, 0};
}

/* Keras' order: the zoom is nearest to the result. Its shear also shrinks, by a cosine. */
static affine all_at_once(const cx_variation *v)
{
    const affine shift = {1, 0, v->tx, 0, 1, v->ty};
    const affine shear = {1, -sin(v->shear), 0, 0, cos(v->shear), 0};
    return times(times(times(rotation(v->theta), shift), shear), zoom(v->zx, v->zy));
}

static int is_same(const affine *a)
{
    return a->xx == 1 && a->xy == 0 && a->x0 == 0 && a->yx == 0 && a->yy == 1 && a->y0 == 0;
}

/* --- pixels --- */

typedef struct picture {
    const float *x;
    int height, width, channels;
    cx_fill fill;
    float fill_value;
} picture;

/* Where to look on an axis of n pixels. scipy's "wrap" repeats after n - 1. */
static double within(double at, int n, cx_fill fill)
{
    const double last = n - 1, period = 2.0 * n;
    if (at >= 0 && at <= last) return at;
    switch (fill) {
    case CX_FILL_REFLECT: /* about the edge of the last pixel, half of which is all its own */
        at = fmod(at + 0.5, period);
        if (at < 0) at += period;
        if (at > n) at = period - at;
        at -= 0.5;
        break;
    case CX_FILL_WRAP:
        if (last == 0) return 0;
        at = fmod(at, last);
        return at < 0 ? at + last : at;
    case CX_FILL_NEAREST:
    case CX_FILL_CONSTANT:
        break;
    }
    return at < 0 ? 0 : at > last ? last : at;
}

/* One pixel of the result, from between four of the picture. */
static void look(float *y, const picture *p, double at_x, double at_y)
{
    const int w = p->width, h = p->height, c = p->channels;
    if (p->fill == CX_FILL_CONSTANT &&
        !(at_x >= 0 && at_x <= w - 1 && at_y >= 0 && at_y <= h - 1)) {
        for (int k = 0; k < c; k++) y[k] = p->fill_value;
        return;
    }
    at_x = within(at_x, w, p->fill);
    at_y = within(at_y, h, p->fill);
    const int x0 = (int)at_x, y0 = (int)at_y;
    const float fx = (float)(at_x - x0), fy = (float)(at_y - y0);
    const float *a = p->x + ((int64_t)y0 * w + x0) * c;
    const float *b = a + (x0 + 1 < w ? c : 0);
    const int64_t down = y0 + 1 < h ? (int64_t)w * c : 0;
    const float w00 = (1 - fx) * (1 - fy), w01 = fx * (1 - fy), w10 = (1 - fx) * fy, w11 = fx * fy;
    for (int k = 0; k < c; k++)
        y[k] = w00 * a[k] + w01 * b[k] + w10 * a[down + k] + w11 * b[down + k];
}

static void transform(float *y, const picture *p, const affine *a)
{
    const double cx = (p->width - 1) / 2.0, cy = (p->height - 1) / 2.0;
    for (int row = 0; row < p->height; row++) {
        const double dy = row - cy;
        const double x0 = a->xy * dy + a->x0 + cx, y0 = a->yy * dy + a->y0 + cy;
        for (int col = 0; col < p->width; col++, y += p->channels) {
            const double dx = col - cx;
            look(y, p, a->xx * dx + x0, a->yx * dx + y0);
        }
    }
}

static void swap_pixels(float *a, float *b, int channels)
{
    for (int k = 0; k < channels; k++) {
        float kept = a[k];
        a[k] = b[k];
        b[k] = kept;
    }
}

static void flip(float *y, int height, int width, int channels, int flip_x, int flip_y)
{
    const int64_t row = (int64_t)width * channels;
    for (int r = 0; r < height && flip_x; r++)
        for (int c = 0; c < width / 2; c++)
            swap_pixels(y + r * row + (int64_t)c * channels,
                        y + r * row + (int64_t)(width - 1 - c) * channels, channels);
    for (int r = 0; r < height / 2 && flip_y; r++)
        for (int c = 0; c < width; c++)
            swap_pixels(y + r * row + (int64_t)c * channels,
                        y + (height - 1 - r) * row + (int64_t)c * channels, channels);
}

void cx_augment_apply(float *y, const float *x, int height, int width, int channels,
                      const cx_augment *a, const cx_variation *v, float *scratch)
{
    const size_t size = (size_t)height * (size_t)width * (size_t)channels * sizeof *y;
    picture p = {x, height, width, channels, a->fill, (float)a->fill_value};
    if (a->in_steps) {
        const affine turn = rotation(v->theta), enlarge = zoom(v->zx, v->zy);
        memcpy(y, x, size);
        flip(y, height, width, channels, v->flip_x, v->flip_y);
        p.x = y;
        transform(scratch, &p, &turn);
        p.x = scratch;
        transform(y, &p, &enlarge);
        return;
    }
    const affine all = all_at_once(v);
    if (is_same(&all))
        memcpy(y, x, size);
    else
        transform(y, &p, &all);
    flip(y, height, width, channels, v->flip_x, v->flip_y);
}
