/* painting.c - numbers, picture, input. */
#include "patterns/painting.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/random.h"

/* Colours of photographs are alike: what varies most is brightness, then blue against yellow, then
 * red against green. The rows are red, green and blue from those three, of Lucid (Olah et al.
 * 2017), divided by its longest column. */
static const float colours[3][3] = {
    {0.56283F, 0.19483F, 0.04330F}, {0.58448F, 0, -0.10824F}, {0.58448F, -0.19483F, 0.06494F}};

static int is_waves(const cx_painting *p)
{
    return p->recipe->paint >= CX_PAINT_WAVES;
}

static int is_smooth(int64_t n)
{
    for (int p = 2; p <= 7; p++)
        while (n % p == 0) n /= p;
    return n == 1;
}

/* What turning, shrinking and moving bring into sight, and a little more where that makes the
 * transform of waves quick. */
static int margin_of(const cx_recipe *r, int64_t height, int64_t width)
{
    enum { MORE = 24 };
    const int64_t side = height > width ? height : width;
    if (r->paint < CX_PAINT_WAVES) return 0;
    const int least = (int)ceil((double)side / 2 * (tan(r->turn * CX_PI / 180) + r->zoom) +
                                cx_painting_jitter(r, side));
    for (int m = least; m < least + MORE; m++)
        if (is_smooth(height + 2 * m) && is_smooth(width + 2 * m)) return m;
    return least;
}

double cx_painting_jitter(const cx_recipe *r, int64_t side)
{
    return fmin(r->jitter, (double)side / 8);
}

int cx_painting_init(cx_painting *out, const cx_recipe *recipe, int64_t height, int64_t width,
                     int channels, cvs_preprocess mode, cvs_error *err)
{
    const int margin = margin_of(recipe, height, width);
    int rc;
    *out = (cx_painting){.recipe = recipe,
                         .inner_height = height,
                         .inner_width = width,
                         .margin = margin,
                         .height = height + 2 * margin,
                         .width = width + 2 * margin,
                         .channels = channels,
                         .out_height = height,
                         .out_width = width,
                         .cell = channels,
                         .channel = 1};
    TRY(cx_units_init(&out->units, channels, mode, err));
    out->n = out->height * out->width * channels;
    out->room = (size_t)out->n;
    if (is_waves(out)) {
        TRY(cx_fourier_init(&out->waves, out->height, out->width, recipe->decay, err));
        out->room = 2 * (size_t)out->n + cx_fourier_room(&out->waves);
        out->n = cx_fourier_numbers(&out->waves) * channels;
        out->room += (size_t)out->n;
    }
out:
    return rc;
}

void cx_painting_deinit(cx_painting *p)
{
    cx_fourier_deinit(&p->waves);
}

void cx_painting_start(const cx_painting *p, uint64_t stream, float *numbers)
{
    const cx_recipe *r = p->recipe;
    for (int64_t i = 0; i < p->n; i++) {
        const uint64_t k = (uint64_t)i;
        const double v = r->paint == CX_PAINT_WAVES ? r->high * cx_random_normal(stream, k)
                         : r->paint == CX_PAINT_PHASES
                             ? 2 * CX_PI * cx_random_uniform(stream, k)
                             : r->low + (r->high - r->low) * cx_random_uniform(stream, k);
        numbers[i] = (float)v;
    }
}

/* --- waves --- */

/* Phases give amplitudes of a fixed size; the second half of the numbers is not used. */
static const float *amplitudes_of(const cx_painting *p, const float *numbers, float *room)
{
    const int64_t all = cx_fourier_numbers(&p->waves), n = all / 2;
    if (p->recipe->paint == CX_PAINT_WAVES) return numbers;
    for (int64_t c = 0; c < p->channels; c++)
        for (int64_t i = 0; i < n; i++) {
            room[c * all + i] = 0.5F * cosf(numbers[c * all + i]);
            room[c * all + n + i] = 0.5F * sinf(numbers[c * all + i]);
        }
    return room;
}

static void turn_to_phases(const cx_painting *p, const float *numbers, float *d)
{
    const int64_t all = cx_fourier_numbers(&p->waves), n = all / 2;
    for (int64_t c = 0; c < p->channels && p->recipe->paint == CX_PAINT_PHASES; c++)
        for (int64_t i = 0; i < n; i++) {
            const float angle = numbers[c * all + i];
            d[c * all + i] =
                0.5F * (cosf(angle) * d[c * all + n + i] - sinf(angle) * d[c * all + i]);
            d[c * all + n + i] = 0;
        }
}

static float squashed(float x)
{
    return 1 / (1 + expf(-x));
}

static void draw_waves(const cx_painting *p, const float *numbers, float *picture, float *room)
{
    const int64_t cells = p->height * p->width, k = p->channels;
    const int64_t all = cx_fourier_numbers(&p->waves);
    float *planes = room + p->n, *work = planes + 2 * cells * k;
    const float *a = amplitudes_of(p, numbers, room);
    for (int64_t c = 0; c < k; c++)
        cx_fourier_paint(&p->waves, a + c * all, planes + c * cells, work);
    for (int64_t i = 0; i < cells; i++)
        for (int64_t c = 0; c < k; c++) {
            float v = k == 3 ? 0 : planes[c * cells + i];
            for (int64_t j = 0; k == 3 && j < 3; j++) v += colours[c][j] * planes[j * cells + i];
            picture[i * k + c] = squashed(v);
        }
}

static void waves_back(const cx_painting *p, const float *numbers, const float *picture,
                       const float *dpicture, float *dnumbers, float *room)
{
    const int64_t cells = p->height * p->width, k = p->channels;
    const int64_t all = cx_fourier_numbers(&p->waves);
    float *planes = room + p->n, *work = planes + 2 * cells * k;
    for (int64_t i = 0; i < cells; i++)
        for (int64_t c = 0; c < k; c++) {
            float sum = 0;
            for (int64_t j = 0; j < k; j++) {
                const float v = picture[i * k + j], d = dpicture[i * k + j] * v * (1 - v);
                sum += k == 3 ? colours[j][c] * d : j == c ? d : 0;
            }
            planes[c * cells + i] = sum;
        }
    for (int64_t c = 0; c < k; c++)
        cx_fourier_back(&p->waves, planes + c * cells, dnumbers + c * all, work);
    turn_to_phases(p, numbers, dnumbers);
}

/* --- the picture --- */

void cx_painting_draw(const cx_painting *p, const float *numbers, float *picture, float *room)
{
    if (is_waves(p))
        draw_waves(p, numbers, picture, room);
    else
        memcpy(picture, numbers, (size_t)p->n * sizeof *picture);
}

void cx_painting_draw_back(const cx_painting *p, const float *numbers, const float *picture,
                           const float *dpicture, float *dnumbers, float *room)
{
    if (is_waves(p))
        waves_back(p, numbers, picture, dpicture, dnumbers, room);
    else
        memcpy(dnumbers, dpicture, (size_t)p->n * sizeof *dnumbers);
}

/* --- the input --- */

static cx_camera camera_of(const cx_painting *p)
{
    return (cx_camera){.height = p->height,
                       .width = p->width,
                       .out_height = p->out_height,
                       .out_width = p->out_width,
                       .down = (double)p->inner_height / (double)p->out_height,
                       .right = (double)p->inner_width / (double)p->out_width,
                       .channels = p->channels,
                       .border = p->recipe->border,
                       .gray = (float)(p->recipe->top / 2)};
}

/* Nothing is moved and the sizes are the same. */
static int is_straight(const cx_painting *p, const cx_view *v)
{
    return p->out_height == p->height && p->out_width == p->width && v->turn == 0 && v->zoom == 1 &&
           v->down == 0 && v->right == 0;
}

void cx_painting_show(const cx_painting *p, const cx_view *view, const float *picture, float *input,
                      float *room)
{
    const cx_camera camera = camera_of(p);
    const float *seen = picture;
    const int is_input = p->recipe->paint == CX_PAINT_INPUT;
    float v[CX_PATTERN_CHANNELS], x[CX_PATTERN_CHANNELS];
    if (!is_straight(p, view)) {
        cx_view_look(&camera, view, picture, room);
        seen = room;
    }
    for (int64_t i = 0; i < p->out_height * p->out_width; i++, seen += p->channels) {
        for (int64_t c = 0; c < p->channels; c++)
            v[c] = is_input ? seen[c] : seen[c] * (float)(255 / p->recipe->top);
        if (!is_input) cx_units_apply(&p->units, v, x);
        for (int64_t c = 0; c < p->channels; c++)
            input[i * p->cell + c * p->channel] = is_input ? v[c] : x[c];
    }
}

void cx_painting_show_back(const cx_painting *p, const cx_view *view, const float *dinput,
                           float *dpicture, float *room)
{
    const cx_camera camera = camera_of(p);
    const int is_input = p->recipe->paint == CX_PAINT_INPUT, straight = is_straight(p, view);
    float d[CX_PATTERN_CHANNELS], *dseen = straight ? dpicture : room;
    for (int64_t i = 0; i < p->out_height * p->out_width; i++) {
        float *to = dseen + i * p->channels;
        for (int64_t c = 0; c < p->channels; c++) d[c] = dinput[i * p->cell + c * p->channel];
        if (is_input)
            memcpy(to, d, (size_t)p->channels * sizeof *to);
        else
            cx_units_back(&p->units, d, to);
        for (int64_t c = 0; c < p->channels && !is_input; c++)
            to[c] *= (float)(255 / p->recipe->top);
    }
    if (!straight) cx_view_back(&camera, view, room, dpicture);
}

/* --- what is looked at --- */

int cx_painting_crop(const cx_painting *p)
{
    const int crop = p->recipe->develop.crop;
    return p->margin + (p->inner_height > 2 * crop && p->inner_width > 2 * crop ? crop : 0);
}

void cx_painting_develop(const cx_painting *p, const float *picture, int crop, float *shown)
{
    const cx_develop *d = &p->recipe->develop;
    const int64_t n = p->height * p->width * p->channels, across = p->width - 2 * crop;
    double mean = 0, square = 0;
    for (int64_t i = 0; i < n; i++) mean += (double)picture[i] / (double)n;
    for (int64_t i = 0; i < n; i++)
        square += ((double)picture[i] - mean) * ((double)picture[i] - mean) / (double)n;
    const double deviation = sqrt(square) + d->epsilon;
    for (int64_t y = crop; y < p->height - crop; y++)
        for (int64_t i = 0; i < across * p->channels; i++) {
            double v = (double)picture[(y * p->width + crop) * p->channels + i];
            v = d->gain > 0 ? (deviation > 0 ? (v - mean) / deviation : 0) * d->gain + d->middle
                            : v / p->recipe->top;
            shown[(y - crop) * across * p->channels + i] = (float)fmin(fmax(v, 0), 1);
        }
}

void cx_painting_photograph(const cx_painting *p, const float *shown, float *input, float *room)
{
    const cx_view straight = {.zoom = 1};
    const cx_camera camera = {.height = p->inner_height,
                              .width = p->inner_width,
                              .out_height = p->out_height,
                              .out_width = p->out_width,
                              .down = (double)p->inner_height / (double)p->out_height,
                              .right = (double)p->inner_width / (double)p->out_width,
                              .channels = p->channels,
                              .border = CX_BORDER_MIRROR};
    const float *seen = shown;
    float v[CX_PATTERN_CHANNELS], x[CX_PATTERN_CHANNELS];
    if (p->out_height != p->inner_height || p->out_width != p->inner_width) {
        cx_view_look(&camera, &straight, shown, room);
        seen = room;
    }
    for (int64_t i = 0; i < p->out_height * p->out_width; i++) {
        for (int64_t c = 0; c < p->channels; c++)
            v[c] = floorf(seen[i * p->channels + c] * 255 + 0.5F);
        cx_units_apply(&p->units, v, x);
        for (int64_t c = 0; c < p->channels; c++) input[i * p->cell + c * p->channel] = x[c];
    }
}
