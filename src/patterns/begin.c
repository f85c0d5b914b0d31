/* begin.c - the way back from a picture to the numbers that paint it. */
#include <math.h>
#include <string.h>

#include "patterns/painting.h"

/* The other way about: brightness and two contrasts of colours that are not squashed. */
static void mix_back(const float v[3], float t[3])
{
    const float(*m)[3] = cx_colours;
    const float a = m[0][0], b = m[0][1], c = m[0][2], d = m[1][0], e = m[1][1], f = m[1][2];
    const float g = m[2][0], h = m[2][1], k = m[2][2];
    const float whole = a * (e * k - f * h) - b * (d * k - f * g) + c * (d * h - e * g);
    t[0] = ((e * k - f * h) * v[0] + (c * h - b * k) * v[1] + (b * f - c * e) * v[2]) / whole;
    t[1] = ((f * g - d * k) * v[0] + (a * k - c * g) * v[1] + (c * d - a * f) * v[2]) / whole;
    t[2] = ((d * h - e * g) * v[0] + (b * g - a * h) * v[1] + (a * e - b * d) * v[2]) / whole;
}

static void solve_waves(const cx_painting *p, const float *picture, float *numbers, float *room)
{
    const int64_t cells = p->height * p->width, k = p->channels;
    const int64_t all = cx_fourier_numbers(&p->waves);
    float *planes = room + p->n, *work = planes + 2 * cells * k;
    float v[CX_PATTERN_CHANNELS], t[CX_PATTERN_CHANNELS];
    for (int64_t i = 0; i < cells; i++) {
        for (int64_t c = 0; c < k; c++) {
            const float x = fminf(fmaxf(picture[i * k + c], 1.F / 512), 511.F / 512);
            v[c] = logf(x / (1 - x));
        }
        if (k == 3) mix_back(v, t);
        for (int64_t c = 0; c < k; c++) planes[c * cells + i] = k == 3 ? t[c] : v[c];
    }
    for (int64_t c = 0; c < k; c++)
        cx_fourier_solve(&p->waves, planes + c * cells, numbers + c * all, work);
}

void cx_painting_begin(const cx_painting *p, const float *start, float *numbers, float *whole,
                       float *room)
{
    const int64_t k = p->channels;
    float *to = cx_painting_is_waves(p) ? whole : numbers;
    for (int64_t y = 0; y < p->height; y++)
        for (int64_t x = 0; x < p->width; x++, to += k) {
            const int64_t row = cx_view_mirrored(y - p->margin, p->inner_height);
            const int64_t column = cx_view_mirrored(x - p->margin, p->inner_width);
            memcpy(to, start + (row * p->inner_width + column) * k, (size_t)k * sizeof *to);
        }
    if (cx_painting_is_waves(p)) solve_waves(p, whole, numbers, room);
}

void cx_painting_blur(const cx_painting *p, double sigma, float *numbers, float *room)
{
    const int64_t all = p->n / p->channels;
    if (!cx_painting_is_waves(p))
        cx_restrain_blur(numbers, p->height, p->width, p->channels, sigma, room);
    for (int64_t c = 0; c < p->channels && cx_painting_is_waves(p); c++)
        cx_fourier_blur(&p->waves, sigma, numbers + c * all);
}

void cx_painting_start_of(const cx_painting *p, const float *pixel, float *start)
{
    if (p->recipe->paint == CX_PAINT_INPUT) {
        cx_units_apply(&p->units, pixel, start);
        return;
    }
    for (int64_t c = 0; c < p->channels; c++) start[c] = pixel[c] * (float)(p->recipe->top / 255);
}
