/* header.c - the words of a sheet. */
#include "draw/header.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum {
    TITLE_SIZE = 22,
    CLASS_SIZE = 15,
    TEXT_SIZE = 13,
    SMALL_SIZE = 11,
    TITLE_INK = 0, /* grays */
    TEXT_INK = 6,
    SMALL_INK = 14,
    BAR_WIDTH = 280,
    BAR_HEIGHT = 14,
    BAR_TICK = 4,
    BAR_BLOCK = 34, /* height of the bar and its numbers */
    WIDE = 900,     /* the bar stands beside the words from here on, below them else */
    LINE = 20,      /* from line to line */
    ITEM_TEXT = 160,
};

/* Where words are put: a column and the pen in it. */
typedef struct pen {
    cx_canvas *canvas; /* NULL: only measure */
    cx_font *font;
    int left, width;
    int x, y; /* the baseline */
    int size, ink;
} pen;

static void put(pen *p, const char *text)
{
    if (p->canvas)
        cx_canvas_text(p->canvas, p->font, p->size, p->x, p->y, (uint8_t)CX_GRAY(p->ink), text);
    p->x += cx_font_width(p->font, p->size, text);
}

static void new_line(pen *p)
{
    p->x = p->left;
    p->y += p->size < TEXT_SIZE ? LINE - 4 : LINE;
}

/* Put text cut off with an ellipsis where it is longer than `room`. */
static void put_within(pen *p, const char *text, int room)
{
    char kept[512];
    size_t n = 0, fits = 0;
    int width = 0, dots = cx_font_width(p->font, p->size, "…");
    if (cx_font_width(p->font, p->size, text) <= room) {
        put(p, text);
        return;
    }
    for (const char *next = text; *next && n < sizeof kept - 8; fits = n) {
        width += cx_font_next(p->font, p->size, &next)->advance;
        if (width + dots > room) break;
        n = (size_t)(next - text);
    }
    if (fits > sizeof kept - 4) fits = sizeof kept - 4;
    memcpy(kept, text, fits);
    memcpy(kept + fits, "…", sizeof "…");
    put(p, kept);
}

/* Put an item of a list, after a dot when it is not a line's first, on a new line when it does not
 * fit. */
static void item(pen *p, const char *text)
{
    static const char dot[] = "  ·  ";
    int width = cx_font_width(p->font, p->size, text);
    if (p->x > p->left) {
        if (p->x + cx_font_width(p->font, p->size, dot) + width <= p->left + p->width)
            put(p, dot);
        else
            new_line(p);
    }
    put_within(p, text, p->left + p->width - p->x);
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

/* --- the lines of the header --- */

/* The name, and the class beside it where there is room: else it comes first on the next line. */
static void title_and_shape(pen *p, const cx_sheet *s)
{
    enum { GAP = 12 };
    char text[ITEM_TEXT], shape[CX_SHAPE_TEXT], channels[32];
    int fits = cx_font_width(p->font, TITLE_SIZE, s->name) + GAP +
                   cx_font_width(p->font, CLASS_SIZE, s->class_name) <=
               p->width;
    p->y += TITLE_SIZE;
    p->size = TITLE_SIZE;
    p->ink = TITLE_INK;
    put_within(p, s->name, p->width);
    if (fits) {
        p->x += GAP;
        p->size = CLASS_SIZE;
        p->ink = SMALL_INK;
        put(p, s->class_name);
    }
    p->size = TEXT_SIZE;
    p->ink = TEXT_INK;
    new_line(p);
    p->y += TITLE_SIZE - CLASS_SIZE;

    if (!fits) item(p, s->class_name);
    snprintf(text, sizeof text, "shape %s", cx_shape_text(shape, s->shape));
    item(p, text);
    cx_commas(channels, s->channels);
    if (s->height * s->width == 1)
        snprintf(text, sizeof text, "%s unit%s", channels, plural(s->channels));
    else
        snprintf(text, sizeof text, "%s channel%s of %lld × %lld", channels, plural(s->channels),
                 (long long)s->height, (long long)s->width);
    item(p, text);
    new_line(p);
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
static void largest_line(pen *p, const cx_sheet *s)
{
    enum { SHOWN = 3 };
    char text[ITEM_TEXT], number[CX_NUMBER_TEXT];
    if (s->height * s->width > 1 || s->channels <= SHOWN || s->whole->min == s->whole->max) return;
    int64_t c = next_largest(s, -1);
    for (int i = 0; i < SHOWN && c >= 0; i++, c = next_largest(s, c)) {
        snprintf(text, sizeof text, "%s%s in unit %lld",
                 i ? "" : "largest: ", cx_number_text(number, s->each[c].max), (long long)c);
        item(p, text);
    }
    new_line(p);
}

static void numbers_line(pen *p, const cx_sheet *s)
{
    const cvs_stats *w = s->whole;
    char text[ITEM_TEXT], a[CX_NUMBER_TEXT], b[CX_NUMBER_TEXT];
    if (s->height * s->width * s->channels == 1) {
        snprintf(text, sizeof text, "value %s", cx_number_text(a, w->max));
        item(p, text);
        new_line(p);
        return;
    }
    snprintf(text, sizeof text, "values %s … %s", cx_number_text(a, w->min),
             cx_number_text(b, w->max));
    item(p, text);
    snprintf(text, sizeof text, "mean %s", cx_number_text(a, w->mean));
    item(p, text);
    snprintf(text, sizeof text, "%.1f %% of values ≤ 0", 100 * w->sparsity);
    item(p, text);
    if (s->height * s->width == 1) {
        new_line(p);
        return;
    }
    int64_t dead = 0;
    for (int64_t c = 0; c < s->channels; c++) dead += s->each[c].dead != 0;
    if (dead)
        snprintf(text, sizeof text, "%lld of %lld channels dead", (long long)dead,
                 (long long)s->channels);
    else
        snprintf(text, sizeof text, "no dead channel%s", plural(s->channels));
    item(p, text);
    new_line(p);
}

/* Values that are no numbers have a colour of their own, and a line that says so. */
static void not_finite_line(pen *p, const cx_sheet *s)
{
    char text[ITEM_TEXT], a[32], b[32];
    if (s->whole->n_nan + s->whole->n_inf == 0) return;
    if (p->canvas) cx_canvas_fill(p->canvas, p->x, p->y - 10, BAR_HEIGHT, 11, CX_ACCENT);
    p->x += BAR_HEIGHT + 6;
    snprintf(text, sizeof text, "not drawn: %s NaN, %s infinite value%s",
             cx_commas(a, s->whole->n_nan), cx_commas(b, s->whole->n_inf), plural(s->whole->n_inf));
    put_within(p, text, p->left + p->width - p->x);
    new_line(p);
}

/* --- the colour bar --- */

/* A number below the bar at the share `at` of its width. */
static void tick(pen *p, int x, int y, double at, const char *text)
{
    int width = cx_font_width(p->font, p->size, text), mark = (int)(at * (BAR_WIDTH - 1) + 0.5);
    int left = mark - width / 2;
    if (left > BAR_WIDTH - width) left = BAR_WIDTH - width;
    if (mark > 0 && mark < BAR_WIDTH - 1)
        cx_canvas_fill(p->canvas, x + mark, y + BAR_HEIGHT, 1, BAR_TICK, CX_GRAY(SMALL_INK));
    p->x = x + (left < 0 ? 0 : left);
    p->y = y + BAR_BLOCK - CX_LABEL_BASE;
    put(p, text);
}

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

static void bar(pen *p, const cx_scale *scale, int x, int y)
{
    /* Of the limit; a root scale is wide where values are small. */
    static const double even[] = {-1, -0.5, 0, 0.5, 1}, root[] = {-1, -0.1, 0, 0.1, 0.5, 1};
    const double *shares = scale->is_root ? root : even;
    const size_t n = scale->is_root ? sizeof root / sizeof *root : sizeof even / sizeof *even;
    char text[CX_NUMBER_TEXT + 8];
    if (!p->canvas) return;
    for (int i = 0; i < BAR_WIDTH; i++)
        cx_canvas_fill(p->canvas, x + i, y, 1, BAR_HEIGHT, (uint8_t)(i * CX_LEVELS / BAR_WIDTH));
    cx_canvas_frame(p->canvas, x - 1, y - 1, BAR_WIDTH + 2, BAR_HEIGHT + 2, CX_GRAY(SMALL_INK));
    p->size = SMALL_SIZE;
    p->ink = TEXT_INK;
    for (size_t i = 0; i < n; i++) {
        if (shares[i] < 0 && !scale->is_signed) continue;
        if (shares[i] == 0.5 && scale->is_root && scale->is_signed) continue; /* no room */
        tick(p, x, y, cx_scale_place(scale, shares[i]), tick_text(text, scale, shares[i]));
    }
}

int cx_header_draw(cx_canvas *canvas, cx_font *font, const cx_sheet *s, const cx_scale *scale,
                   int x, int y, int width)
{
    int has_bar = scale->per_channel || scale->limit > 0, is_wide = width >= WIDE;
    pen p = {.canvas = canvas, .font = font, .left = x, .width = width, .x = x, .y = y};
    if (has_bar && is_wide) p.width -= BAR_WIDTH + 40;
    title_and_shape(&p, s);
    numbers_line(&p, s);
    largest_line(&p, s);
    not_finite_line(&p, s);
    int end = p.y - LINE + 6; /* the last line's descenders */
    if (has_bar && is_wide) bar(&p, scale, x + width - BAR_WIDTH - 1, y + 6);
    if (has_bar && !is_wide) {
        bar(&p, scale, x + 1, end + 8);
        end += 8 + BAR_BLOCK;
    }
    return end - y;
}

int cx_footer_draw(cx_canvas *canvas, cx_font *font, const cx_sheet *s, const cx_scale *scale,
                   const cx_layout *layout, int x, int y, int width)
{
    pen p = {canvas, font, x, width, x, y + SMALL_SIZE, SMALL_SIZE, SMALL_INK};
    char text[ITEM_TEXT];
    if (s->caption && *s->caption) item(&p, s->caption);
    snprintf(text, sizeof text, "%s count from 0",
             s->height * s->width == 1 ? "units" : "channels");
    item(&p, text);
    const char *kind = scale->is_root ? "square-root " : "";
    if (scale->per_channel) {
        snprintf(text, sizeof text, "each channel has its own %scolour scale", kind);
        item(&p, text);
        item(&p, "brightness cannot be compared between channels");
    } else if (s->channels > 1 || scale->is_root) {
        snprintf(text, sizeof text,
                 s->channels > 1 ? "one %scolour scale for all" : "%scolour scale", kind);
        item(&p, text);
    }
    if (scale->is_cut_above || scale->is_cut_below)
        item(&p, "about 1 in 200 of the values other than 0 is off the scale");
    if (layout->reduce_x > 1 || layout->reduce_y > 1) {
        snprintf(text, sizeof text, "a pixel is the mean of %d × %d values", layout->reduce_y,
                 layout->reduce_x);
        item(&p, text);
    }
    return p.y + CX_LABEL_BASE - y;
}
