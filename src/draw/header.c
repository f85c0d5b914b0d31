/* header.c - the words of a sheet. */
#include "draw/header.h"

#include <math.h>
#include <stdio.h>

#include "base/str.h"
#include "draw/words.h"

enum {
    BAR_WIDTH = 280,
    WIDE = 900, /* the bar stands beside the words from here on, below them else */
    ITEM_TEXT = 160,
};

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

/* --- the lines of the header --- */

/* The name, and the class beside it where there is room: else it comes first on the next line. */
static void title_and_shape(cx_pen *p, const cx_sheet *s)
{
    enum { GAP = 12 };
    char text[ITEM_TEXT], shape[CX_SHAPE_TEXT], channels[32];
    int fits = cx_font_width(p->font, CX_TITLE_SIZE, s->name) + GAP +
                   cx_font_width(p->font, CX_CLASS_SIZE, s->class_name) <=
               p->width;
    p->y += CX_TITLE_SIZE;
    p->size = CX_TITLE_SIZE;
    p->ink = CX_TITLE_INK;
    cx_pen_put_within(p, s->name, p->width);
    if (fits) {
        p->x += GAP;
        p->size = CX_CLASS_SIZE;
        p->ink = CX_SMALL_INK;
        cx_pen_put(p, s->class_name);
    }
    p->size = CX_TEXT_SIZE;
    p->ink = CX_TEXT_INK;
    cx_pen_new_line(p);
    p->y += CX_TITLE_SIZE - CX_CLASS_SIZE;

    if (!fits) cx_pen_item(p, s->class_name);
    snprintf(text, sizeof text, "shape %s", cx_shape_text(shape, s->shape));
    cx_pen_item(p, text);
    cx_commas(channels, s->channels);
    if (s->height * s->width == 1)
        snprintf(text, sizeof text, "%s unit%s", channels, plural(s->channels));
    else
        snprintf(text, sizeof text, "%s channel%s of %lld × %lld", channels, plural(s->channels),
                 (long long)s->height, (long long)s->width);
    cx_pen_item(p, text);
    cx_pen_new_line(p);
}

/* The unit that comes after `last` when the largest comes first, -1 when there is none. */
static int64_t next_largest(const cx_sheet *s, int64_t last)
{
    const cvs_stats *each = s->each;
    int64_t best = -1;
    for (int64_t c = 0; c < s->channels; c++) {
        if (!each[c].count) continue;
        if (last >= 0 && each[c].max >= each[last].max &&
            (each[c].max > each[last].max || c <= last))
            continue;
        if (best < 0 || each[c].max > each[best].max) best = c;
    }
    return best;
}

/* In a long vector, as the probabilities of many classes are, the eye finds the brightest cells but
 * not their numbers. */
static void largest_line(cx_pen *p, const cx_sheet *s)
{
    enum { SHOWN = 3 };
    char text[ITEM_TEXT], number[CX_NUMBER_TEXT];
    if (s->height * s->width > 1 || s->channels <= SHOWN || s->whole->min == s->whole->max) return;
    int64_t c = next_largest(s, -1);
    for (int i = 0; i < SHOWN && c >= 0; i++, c = next_largest(s, c)) {
        snprintf(text, sizeof text, "%s%s in unit %lld",
                 i ? "" : "largest: ", cx_number_text(number, s->each[c].max), (long long)c);
        cx_pen_item(p, text);
    }
    cx_pen_new_line(p);
}

static void numbers_line(cx_pen *p, const cx_sheet *s)
{
    const cvs_stats *w = s->whole;
    char text[ITEM_TEXT], a[CX_NUMBER_TEXT], b[CX_NUMBER_TEXT];
    if (s->height * s->width * s->channels == 1) {
        snprintf(text, sizeof text, "value %s", cx_number_text(a, w->max));
        cx_pen_item(p, text);
        cx_pen_new_line(p);
        return;
    }
    snprintf(text, sizeof text, "values %s … %s", cx_number_text(a, w->min),
             cx_number_text(b, w->max));
    cx_pen_item(p, text);
    snprintf(text, sizeof text, "mean %s", cx_number_text(a, w->mean));
    cx_pen_item(p, text);
    snprintf(text, sizeof text, "%.1f %% of values ≤ 0", 100 * w->sparsity);
    cx_pen_item(p, text);
    if (s->height * s->width == 1) {
        cx_pen_new_line(p);
        return;
    }
    int64_t dead = 0;
    for (int64_t c = 0; c < s->channels; c++) dead += s->each[c].dead != 0;
    if (dead)
        snprintf(text, sizeof text, "%lld of %lld channels dead", (long long)dead,
                 (long long)s->channels);
    else
        snprintf(text, sizeof text, "no dead channel%s", plural(s->channels));
    cx_pen_item(p, text);
    cx_pen_new_line(p);
}

/* --- the colour bar --- */

/* What stands at a share of the limit. */
static const char *tick_text(char out[CX_NUMBER_TEXT + 8], const cx_scale *scale, double share)
{
    char number[CX_NUMBER_TEXT];
    const char *beyond = share == 1 && scale->is_cut_above    ? "≥ "
                         : share == -1 && scale->is_cut_below ? "≤ "
                                                              : "";
    if (scale->per_channel && share != 0)
        snprintf(out, CX_NUMBER_TEXT + 8, "%s%s", share < 0 ? "−" : "",
                 fabs(share) == 1     ? "own max"
                 : fabs(share) == 0.5 ? "1/2"
                                      : "1/10");
    else
        snprintf(out, CX_NUMBER_TEXT + 8, "%s%s", beyond,
                 cx_number_text(number, share * scale->limit));
    return out;
}

static void bar(cx_pen *p, const cx_scale *scale, int x, int y)
{
    /* Of the limit; a root scale is wide where values are small. */
    static const double even[] = {-1, -0.5, 0, 0.5, 1}, root[] = {-1, -0.1, 0, 0.1, 0.5, 1};
    const double *shares = scale->is_root ? root : even;
    const size_t n = scale->is_root ? sizeof root / sizeof *root : sizeof even / sizeof *even;
    char text[sizeof root / sizeof *root][CX_NUMBER_TEXT + 8];
    cx_tick ticks[sizeof root / sizeof *root];
    int n_ticks = 0;
    for (size_t i = 0; i < n; i++) {
        if (shares[i] < 0 && !scale->is_signed) continue;
        if (shares[i] == 0.5 && scale->is_root && scale->is_signed) continue; /* no room */
        ticks[n_ticks] =
            (cx_tick){cx_scale_place(scale, shares[i]), tick_text(text[n_ticks], scale, shares[i])};
        n_ticks++;
    }
    cx_bar_draw(p, x, y, BAR_WIDTH, ticks, n_ticks);
}

int cx_header_draw(cx_canvas *canvas, cx_font *font, const cx_sheet *s, const cx_scale *scale,
                   int x, int y, int width)
{
    int has_bar = scale->per_channel || scale->limit > 0, is_wide = width >= WIDE;
    cx_pen p = {.canvas = canvas, .font = font, .left = x, .width = width, .x = x, .y = y};
    if (has_bar && is_wide) p.width -= BAR_WIDTH + 40;
    title_and_shape(&p, s);
    numbers_line(&p, s);
    largest_line(&p, s);
    cx_pen_not_drawn(&p, s->whole->n_nan, s->whole->n_inf);
    int end = p.y - CX_LINE + 6; /* the last line's descenders */
    if (has_bar && is_wide) bar(&p, scale, x + width - BAR_WIDTH - 1, y + 6);
    if (has_bar && !is_wide) {
        bar(&p, scale, x + 1, end + 8);
        end += 8 + CX_BAR_BLOCK;
    }
    return end - y;
}

int cx_footer_draw(cx_canvas *canvas, cx_font *font, const cx_sheet *s, const cx_scale *scale,
                   const cx_layout *layout, int x, int y, int width)
{
    cx_pen p = {canvas, font, x, width, x, y + CX_SMALL_SIZE, CX_SMALL_SIZE, CX_SMALL_INK};
    char text[ITEM_TEXT];
    if (s->caption && *s->caption) cx_pen_item(&p, s->caption);
    snprintf(text, sizeof text, "%s count from 0",
             s->height * s->width == 1 ? "units" : "channels");
    cx_pen_item(&p, text);
    const char *kind = scale->is_root ? "square-root " : "";
    if (scale->per_channel) {
        snprintf(text, sizeof text, "each channel has its own %scolour scale", kind);
        cx_pen_item(&p, text);
        cx_pen_item(&p, "brightness cannot be compared between channels");
    } else if (s->channels > 1 || scale->is_root) {
        snprintf(text, sizeof text,
                 s->channels > 1 ? "one %scolour scale for all" : "%scolour scale", kind);
        cx_pen_item(&p, text);
    }
    if (scale->is_cut_above || scale->is_cut_below)
        cx_pen_item(&p, "about 1 in 200 of the values other than 0 is off the scale");
    if (layout->reduce_x > 1 || layout->reduce_y > 1) {
        snprintf(text, sizeof text, "a pixel is the mean of %d × %d values", layout->reduce_y,
                 layout->reduce_x);
        cx_pen_item(&p, text);
    }
    return p.y + CX_LABEL_BASE - y;
}
