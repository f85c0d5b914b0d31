/* scale.c - the range of colours: fixed for a layer, and not ruled by a few hot pixels. */
#include "draw/scale.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "draw/canvas.h"

enum {
    FRACTION_CUT = 18, /* of 23 bits: 32 bins from a power of two to the next */
    BINS = 1 << (31 - FRACTION_CUT),
    NOT_FINITE = 255 << (23 - FRACTION_CUT), /* bins of NaN and infinity begin here */
    OFF_SCALE = 200,  /* one in so many values lies beyond the end of a scale that is cut */
    ENOUGH = 1 << 16, /* values that tell how all are distributed */
};

/* A scale is cut only when that leaves less than this share of it: one up to the maximum says
 * more. */
static const double worth_a_cut = 0.7;

/* The scale is a root where half of the values other than 0 are below this share of the limit. With
 * signs the share is less: a root takes away the quiet white about zero, and normally distributed
 * values, whose median is a quarter of the limit, are easy to read as they are. */
static const double root_below = 0.25, root_below_signed = 0.1;

static double largest(const cvs_stats *stats)
{
    double size = fmax(fabs(stats->min), fabs(stats->max));
    return isfinite(size) ? size : 0;
}

/* How often sizes occur: by a float's exponent and the first bits of its fraction. */
typedef struct histogram {
    uint32_t bins[BINS];
    int64_t counted; /* finite values other than 0: behind a ReLU most are 0, and tell nothing */
} histogram;

/* Of one in `step` places, all channels. The places do not follow the map's own pattern. */
static void count_sizes(histogram *h, const cx_sheet *s, int64_t step)
{
    const int64_t places = s->height * s->width / step;
    memset(h, 0, sizeof *h);
    for (int64_t i = 0; i < places; i++) {
        const int64_t place = i * step + (int64_t)((uint32_t)i * 2654435769U >> 16) % step;
        const float *x = s->data + place * s->channels;
        for (int64_t c = 0; c < s->channels; c++) {
            uint32_t bits;
            memcpy(&bits, &x[c], sizeof bits);
            h->bins[(bits & 0x7fffffff) >> FRACTION_CUT]++;
        }
    }
    for (int b = 1; b < NOT_FINITE; b++) h->counted += h->bins[b];
}

static void measure(histogram *h, const cx_sheet *s)
{
    const int64_t step = s->height * s->width / (ENOUGH / s->channels + 1);
    count_sizes(h, s, step > 1 ? step : 1);
    if (step > 1 && h->counted < ENOUGH / 16) count_sizes(h, s, 1);
}

/* The size that all but `rest` of the values counted do not exceed, to 3 %. */
static double size_below(const histogram *h, int64_t rest)
{
    uint32_t b = NOT_FINITE;
    int64_t above = 0;
    float edge;
    while (b > 1 && above + h->bins[b - 1] <= rest) above += h->bins[--b];
    b <<= FRACTION_CUT;
    memcpy(&edge, &b, sizeof edge);
    return (double)edge;
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
    if (out->limit == 0) return;
    histogram h;
    measure(&h, s);
    const double common = size_below(&h, h.counted / OFF_SCALE);
    /* In a vector the largest value is what one looks for. */
    if (!out->per_channel && n >= 1000 && s->height * s->width > 1 &&
        common < worth_a_cut * out->limit) {
        out->limit = round_up(common);
        out->is_cut_above = s->whole->max > out->limit;
        out->is_cut_below = s->whole->min < -out->limit;
    }
    out->is_root = size_below(&h, h.counted / 2) <
                   (out->is_signed ? root_below_signed : root_below) * out->limit;
}

double cx_scale_limit(const cx_scale *scale, const cx_sheet *s, int64_t channel)
{
    return scale->per_channel ? largest(&s->each[channel]) : scale->limit;
}

float cx_scale_gain(const cx_scale *scale, double limit)
{
    if (!(limit > 0)) return 0;
    double levels = scale->is_signed ? CX_LEVELS / 2 : CX_LEVELS;
    double gain = (scale->is_root ? levels * levels : levels) / limit;
    return gain < 3e38 ? (float)gain : 3e38f;
}

float cx_scale_offset(const cx_scale *scale)
{
    return scale->is_signed ? CX_LEVELS / 2 + 0.5f : 0;
}

double cx_scale_place(const cx_scale *scale, double share)
{
    double place = scale->is_root ? copysign(sqrt(fabs(share)), share) : share;
    return scale->is_signed ? 0.5 + place / 2 : place;
}

/* "1.2e-05" to "1.2e-5". */
static void shorten_exponent(char *text)
{
    char *e = strchr(text, 'e');
    if (e && (e[1] == '-' || e[1] == '+') && e[2] == '0') memmove(e + 2, e + 3, strlen(e + 2));
}

char *cx_number_text(char buf[CX_NUMBER_TEXT], double value)
{
    static const char minus[] = "−";
    char plain[CX_NUMBER_TEXT];
    double size = fabs(value);
    if (size >= 1000 && size < 1e7)
        cx_commas(plain, llround(value));
    else
        snprintf(plain, sizeof plain, size > 0 && size < 1e-3 ? "%.1e" : "%.3g", value);
    shorten_exponent(plain);
    size_t n = 0;
    for (const char *p = plain; *p && n < CX_NUMBER_TEXT - sizeof minus; p++) {
        size_t k = *p == '-' ? sizeof minus - 1 : 1;
        memcpy(buf + n, *p == '-' ? minus : p, k);
        n += k;
    }
    buf[n] = 0;
    return buf;
}
