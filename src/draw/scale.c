/* scale.c - the range of colours: fixed for a layer, and not ruled by a few hot pixels. */
#include "draw/scale.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "draw/canvas.h"

enum { BINS = 4096 };

/* The scale ends where one in a thousand of the values other than 0 lies beyond, but only when that
 * is below this share of the maximum: a scale up to the maximum says more. */
static const double worth_a_cut = 0.6;

static double largest(const cvs_stats *stats)
{
    double size = fmax(fabs(stats->min), fabs(stats->max));
    return isfinite(size) ? size : 0;
}

/* A size that about 99.9 % of the finite values other than 0 do not exceed, by a histogram up to
 * `most`. Zeros do not count: behind a ReLU most values are. */
static double common_size(const float *x, int64_t n, double most)
{
    int64_t bins[BINS] = {0}, finite = 0, above = 0;
    const float gain = (float)(BINS / most);
    for (int64_t i = 0; i < n; i++) {
        float bin = fabsf(x[i]) * gain;
        if (bin > 0 && bin - bin == 0) bins[bin < BINS ? (int)bin : BINS - 1]++;
    }
    for (int b = 0; b < BINS; b++) finite += bins[b];
    int b = BINS;
    while (b > 1 && above + bins[b - 1] <= finite / 1000) above += bins[--b];
    return most * b / BINS;
}

/* Two figures, not below x: "≥ 0.21" reads better than "≥ 0.2071". */
static double round_up(double x)
{
    double unit = pow(10, floor(log10(x)) - 1);
    return ceil(x / unit) * unit;
}

void cx_scale_choose(cx_scale *out, const cx_sheet *s)
{
    int64_t n = s->height * s->width * s->channels;
    *out = (cx_scale){.limit = largest(s->whole)};
    out->is_signed = out->limit > 0 && s->whole->min < 0;
    out->per_channel = s->channel_scale && s->channels > 1 && s->height * s->width > 1;
    if (out->per_channel || out->limit == 0 || n < 1000) return;
    double most = common_size(s->data, n, out->limit);
    if (most >= worth_a_cut * out->limit) return;
    out->limit = round_up(most);
    out->is_cut = 1;
}

double cx_scale_limit(const cx_scale *scale, const cx_sheet *s, int64_t channel)
{
    return scale->per_channel ? largest(&s->each[channel]) : scale->limit;
}

float cx_scale_gain(const cx_scale *scale, double limit)
{
    if (!(limit > 0)) return 0;
    double gain = (scale->is_signed ? CX_LEVELS / 2 : CX_LEVELS) / limit;
    return gain < 3e38 ? (float)gain : 3e38f;
}

float cx_scale_offset(const cx_scale *scale)
{
    return scale->is_signed ? CX_LEVELS / 2 + 0.5f : 0;
}

char *cx_number_text(char buf[CX_NUMBER_TEXT], double value)
{
    char plain[CX_NUMBER_TEXT];
    double size = fabs(value);
    if (size >= 1000 && size < 1e7)
        cx_commas(plain, llround(value));
    else
        snprintf(plain, sizeof plain, "%.3g", value);
    size_t n = 0;
    for (const char *p = plain; *p && n < CX_NUMBER_TEXT - 4; p++) {
        const char *minus = *p == '-' ? "−" : NULL;
        size_t k = minus ? strlen(minus) : 1;
        memcpy(buf + n, minus ? minus : p, k);
        n += k;
    }
    buf[n] = 0;
    return buf;
}
