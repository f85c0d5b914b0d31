/* step.c - one step of one picture. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "patterns/climb.h"

enum { SETTLING_RATE = 2 }; /* times the recipe's: what is left to find are small differences */

/* --- the view --- */

static double both_ways(uint64_t stream, uint64_t i, double most)
{
    return most * (2 * cx_random_uniform(stream, i) - 1);
}

static cx_view choose_view(const cx_climb *c, const cx_climber *k)
{
    const cx_recipe *r = c->recipe;
    const uint64_t picture = cx_random_stream(c->stream, (uint64_t)c->channels[k->item] + 1);
    const uint64_t s =
        cx_random_stream(picture, (uint64_t)(k->item % c->group) << 32 | (uint64_t)k->step);
    const cx_painting *p = &c->painting;
    const double jitter =
        cx_painting_jitter(r, p->inner_height > p->inner_width ? p->inner_height : p->inner_width);
    if (k->step >= k->settles || (c->is_fine && k->step % 2)) return (cx_view){.zoom = 1};
    return (cx_view){.turn = both_ways(s, 0, r->turn * CX_PI / 180),
                     .zoom = 1 + both_ways(s, 1, r->zoom),
                     .down = round(both_ways(s, 2, jitter)),
                     .right = round(both_ways(s, 3, jitter))};
}

static float *input_of(const cx_climb *c, int place)
{
    cx_tensor *x = &c->g->run->slots[c->m->inputs[0]].y;
    return x->data + place * cx_shape_count_range(&x->shape, 1, x->shape.ndim);
}

void cx_climber_look(const cx_climb *c, int place)
{
    cx_climber *k = &c->climbers[place];
    const cx_painting *p = &c->painting;
    const size_t size = (size_t)(p->height * p->width * p->channels) * sizeof(float);
    cx_painting_draw(p, k->numbers, k->picture, k->room);
    k->view = choose_view(c, k);
    if (c->recipe->drifts) {
        const cx_camera own = {.height = p->height,
                               .width = p->width,
                               .out_height = p->height,
                               .out_width = p->width,
                               .down = 1,
                               .right = 1,
                               .channels = p->channels,
                               .border = c->recipe->border};
        cx_view_look(&own, &k->view, k->picture, k->room);
        memcpy(k->picture, k->room, size);
        memcpy(k->numbers, k->room, size);
        k->view = (cx_view){.zoom = 1};
    }
    cx_painting_show(p, &k->view, k->picture, input_of(c, place), k->room);
}

/* --- the gradient by the picture --- */

/* variation / n times the sum of |differences to the next|, size / n times that of |values|. */
static void regularise(const cx_climb *c, cx_climber *k)
{
    const cx_painting *p = &c->painting;
    const int64_t across = p->width * p->channels, n = p->height * across;
    const double gain = fabs((double)p->units.gain); /* the weights are for inputs 0 … 255 */
    const float step = (float)(c->recipe->variation * gain / (double)n);
    const float pull = (float)(c->recipe->size * gain / (double)n);
    const float *x = k->picture;
    float *d = k->dpicture;
    for (int64_t i = 0; i < n; i++) {
        if (i % across + p->channels < across) {
            const float sign = x[i + p->channels] > x[i] ? step : -step;
            d[i] += sign;
            d[i + p->channels] -= sign;
        }
        if (i + across < n) {
            const float sign = x[i + across] > x[i] ? step : -step;
            d[i] += sign;
            d[i + across] -= sign;
        }
        d[i] -= x[i] > 0 ? pull : -pull;
    }
}

static void normalise(const cx_climb *c, float *d)
{
    const cx_painting *p = &c->painting;
    const int64_t n = p->height * p->width * p->channels, k = p->channels;
    double square = 0;
    for (int64_t i = 0; i < n; i++) square += (double)d[i] * (double)d[i];
    if (c->recipe->norm == CX_NORM_PIXEL) {
        for (int64_t i = 0; i < n; i += k) {
            double size = 0;
            for (int64_t j = 0; j < k; j++) size += (double)d[i + j] * (double)d[i + j];
            for (int64_t j = 0; j < k; j++)
                d[i + j] = (float)((double)d[i + j] / fmax(sqrt(size), 1e-7));
        }
        return;
    }
    const double by = c->recipe->norm == CX_NORM_RMS  ? sqrt(square / (double)n) + 1e-5
                      : c->recipe->norm == CX_NORM_L2 ? sqrt(fmax(square, 1e-12))
                                                      : 1;
    for (int64_t i = 0; i < n; i++) d[i] = (float)((double)d[i] / by);
}

/* --- the numbers --- */

/* Adam (Kingma and Ba 2014) and RMSprop (Tieleman and Hinton 2012), upwards. */
static void improve(const cx_climb *c, cx_climber *k)
{
    const double rate = c->rate * (k->step < k->settles ? 1 : SETTLING_RATE), t = k->step + 1;
    const int64_t n = c->painting.n;
    const double correct = sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t));
    const float *d = k->dnumbers;
    float *x = k->numbers, *first = k->first, *second = k->second;
    switch (c->recipe->step) {
    case CX_STEP_PLAIN:
        for (int64_t i = 0; i < n; i++) x[i] += (float)(rate * (double)d[i]);
        return;
    case CX_STEP_ADAM:
        for (int64_t i = 0; i < n; i++) {
            first[i] += 0.1F * (d[i] - first[i]);
            second[i] += 0.001F * (d[i] * d[i] - second[i]);
            x[i] += (float)(rate * correct) * first[i] / (sqrtf(second[i]) + 1e-8F);
        }
        return;
    case CX_STEP_RMSPROP:
        for (int64_t i = 0; i < n; i++) {
            second[i] += 0.001F * (d[i] * d[i] - second[i]);
            x[i] += (float)rate * d[i] / (sqrtf(second[i]) + 1e-7F);
        }
        return;
    }
}

void cx_climber_step(const cx_climb *c, int place)
{
    cx_climber *k = &c->climbers[place];
    const cx_painting *p = &c->painting;
    const cx_tensor *d = cx_gradient_result(c->g, 0);
    const float *dinput = d->data + place * cx_shape_count_range(&d->shape, 1, d->shape.ndim);
    cx_painting_show_back(p, &k->view, dinput, k->dpicture, k->room);
    if (c->recipe->variation > 0 || c->recipe->size > 0) regularise(c, k);
    if (c->recipe->norm != CX_NORM_NONE) normalise(c, k->dpicture);
    cx_painting_draw_back(p, k->numbers, k->picture, k->dpicture, k->dnumbers, k->room);
    improve(c, k);
}
