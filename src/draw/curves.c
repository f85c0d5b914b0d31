/* curves.c - lines with axes, numbers and a legend. */
#include "draw/curves.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "draw/scale.h"
#include "draw/words.h"

enum {
    MARGIN = 24,
    GAP = 12,
    LEAST_WIDTH = 320,
    LEAST_HEIGHT = 240,
    MOST_SIDE = 8192,
    MOST_CURVES = 64,
    LEGEND_SHARE = 3, /* of the width at most, one in so many */
    SAMPLE = 22,      /* of a line in the legend, its length */
    TICK = 5,
    PIXELS_X = 90, /* for a number of an axis */
    PIXELS_Y = 45,
    GRID = 27, /* gray */
    LEAST_PLOT = 40,
};

/* Okabe and Ito's colours, which the colour-blind can tell apart, in an order of contrast to white;
 * after them lines are dashed in the same. */
static const uint8_t colours[][3] = {
    {0x00, 0x72, 0xb2}, {0xd5, 0x5e, 0x00}, {0x00, 0x9e, 0x73}, {0xcc, 0x79, 0xa7},
    {0xe6, 0x9f, 0x00}, {0x56, 0xb4, 0xe9}, {0x00, 0x00, 0x00},
};
enum { N_COLOURS = sizeof colours / sizeof *colours };

static const double line_width = 2, point_radius = 3.5;

/* One axis: values low … high over `length` pixels from `from`, in the sense of the page. */
typedef struct axis {
    double low, high, step;
    int from, length;
    int is_up;
} axis;

typedef struct plan {
    const cx_curves *curves;
    cx_easel *easel;
    axis x, y;
    int width, height, legend; /* legend: its width */
    uint8_t *coverage;         /* of one curve, 0 … 255 a pixel */
} plan;

static double place(const axis *a, double v)
{
    const double share = (v - a->low) / (a->high - a->low);
    return a->from + (a->is_up ? 1 - share : share) * (a->length - 1);
}

/* --- axes --- */

double cx_curves_step(double low, double high, int most)
{
    static const double round[] = {1, 2, 5, 10};
    const double least = (high - low) / (most < 1 ? 1 : most);
    const double unit = pow(10, floor(log10(least)));
    for (int i = 0; i < 3; i++)
        if (round[i] * unit >= least * (1 - 1e-9)) return round[i] * unit;
    return 10 * unit;
}

static void range_of(const cx_curves *c, double range[4])
{
    range[0] = range[2] = INFINITY;
    range[1] = range[3] = -INFINITY;
    for (int k = 0; k < c->n; k++)
        for (int i = 0; i < c->curves[k].n; i++) {
            const double x = c->curves[k].x[i], y = c->curves[k].y[i];
            if (!isfinite(x) || !isfinite(y)) continue;
            range[0] = fmin(range[0], x);
            range[1] = fmax(range[1], x);
            range[2] = fmin(range[2], y);
            range[3] = fmax(range[3], y);
        }
}

/* Without a value, or with one alone, there is a range all the same. */
static void set_range(axis *a, double low, double high)
{
    if (!(low <= high)) low = 0, high = 1;
    if (!(high - low > fabs(high) * 1e-12) || !isfinite(high - low)) {
        const double size = fmax(fabs(low), fabs(high));
        low -= size > 0 && size < 1e300 ? size / 2 : 0.5;
        high += size > 0 && size < 1e300 ? size / 2 : 0.5;
    }
    a->low = low;
    a->high = high;
}

/* Out to the next ticks. */
static void round_range(axis *a, int most)
{
    const double step = cx_curves_step(a->low, a->high, most);
    a->low = floor(a->low / step + 1e-9) * step;
    a->high = ceil(a->high / step - 1e-9) * step;
}

/* The first tick is so many steps from 0; never -0, which would be written so. */
static double first_tick(const axis *a)
{
    return ceil(a->low / a->step - 1e-9) + 0.0;
}

static int is_on(const axis *a, double tick)
{
    return tick * a->step <= a->high + a->step * 1e-9;
}

/* Of the widest number of the upright axis. */
static int number_width(const plan *p)
{
    char text[CX_NUMBER_TEXT];
    int widest = 0;
    for (double n = first_tick(&p->y); is_on(&p->y, n); n++) {
        cx_number_text(text, n * p->y.step);
        int width = cx_font_width(p->easel->font, CX_SMALL_SIZE, text);
        widest = width > widest ? width : widest;
    }
    return widest;
}

static int legend_width(const plan *p)
{
    int widest = 0;
    for (int k = 0; k < p->curves->n; k++) {
        const char *name = p->curves->curves[k].name;
        int width = name ? cx_font_width(p->easel->font, CX_TEXT_SIZE, name) : 0;
        widest = width > widest ? width : widest;
    }
    const int most = p->width / LEGEND_SHARE, wanted = widest ? SAMPLE + 8 + widest : 0;
    return wanted < most ? wanted : most;
}

static int heading(const plan *p, cx_canvas *canvas)
{
    const cx_heading words = {p->curves->title, p->curves->subtitle, NULL};
    return cx_heading_draw(canvas, p->easel->font, &words, MARGIN, MARGIN, p->width - 2 * MARGIN);
}

static int make_plan(plan *p, cvs_error *err)
{
    const cx_curves *c = p->curves;
    double range[4];
    p->width = c->width ? c->width : 800;
    p->height = c->height ? c->height : 500;
    if (p->width < LEAST_WIDTH || p->width > MOST_SIDE || p->height < LEAST_HEIGHT ||
        p->height > MOST_SIDE || c->n < 0 || c->n > MOST_CURVES)
        return cx_fail(err, CVS_E_ARG, "no chart of %d curves on %d × %d pixels", c->n, p->width,
                       p->height);
    p->legend = legend_width(p);
    range_of(c, range);
    p->y = (axis){.is_up = 1, .from = MARGIN + heading(p, NULL) + GAP};
    if (c->y_name) p->y.from += GAP + CX_LINE;
    p->y.length = p->height - MARGIN - p->y.from - CX_LINE - TICK - (c->x_name ? CX_LINE : 0) -
                  (c->caption ? CX_LINE : 0);
    if (p->y.length < LEAST_PLOT) p->y.length = LEAST_PLOT;
    const int is_given = c->low < c->high && isfinite(c->high - c->low);
    set_range(&p->y, is_given ? c->low : range[2], is_given ? c->high : range[3]);
    if (!is_given) round_range(&p->y, p->y.length / PIXELS_Y);
    p->y.step = cx_curves_step(p->y.low, p->y.high, p->y.length / PIXELS_Y);
    p->x = (axis){.from = MARGIN + number_width(p) + TICK + 3};
    p->x.length = p->width - MARGIN - p->x.from - (p->legend ? p->legend + 2 * GAP : GAP);
    if (p->x.length < LEAST_PLOT) p->x.length = LEAST_PLOT;
    set_range(&p->x, range[0], range[1]);
    p->x.step = cx_curves_step(p->x.low, p->x.high, p->x.length / PIXELS_X);
    return 0;
}

static void number(const plan *p, int x, int y, int is_right, double v)
{
    char text[CX_NUMBER_TEXT];
    const int width = cx_font_width(p->easel->font, CX_SMALL_SIZE, cx_number_text(text, v));
    cx_canvas_text(&p->easel->canvas, p->easel->font, CX_SMALL_SIZE,
                   x - (is_right ? width : width / 2), y, CX_GRAY(CX_TEXT_INK), text);
}

static void draw_axis(const plan *p, const axis *a)
{
    cx_canvas *page = &p->easel->canvas;
    const int bottom = p->y.from + p->y.length;
    for (double n = first_tick(a); is_on(a, n); n++) {
        const double v = n * a->step;
        const int at = (int)lround(place(a, v));
        if (a->is_up) {
            cx_canvas_fill(page, p->x.from, at, p->x.length, 1, CX_GRAY(GRID));
            cx_canvas_fill(page, p->x.from - TICK, at, TICK, 1, CX_GRAY(CX_SMALL_INK));
            number(p, p->x.from - TICK - 3, at + 4, 1, v);
        } else {
            cx_canvas_fill(page, at, p->y.from, 1, p->y.length, CX_GRAY(GRID));
            cx_canvas_fill(page, at, bottom, 1, TICK, CX_GRAY(CX_SMALL_INK));
            number(p, at, bottom + TICK + 12, 0, v);
        }
    }
}

static void draw_words(const plan *p)
{
    const cx_curves *c = p->curves;
    cx_canvas *page = &p->easel->canvas;
    const int bottom = p->y.from + p->y.length;
    cx_pen pen = {.canvas = page, .font = p->easel->font, .left = MARGIN, .x = MARGIN};
    pen.width = p->width - 2 * MARGIN;
    pen.size = CX_TEXT_SIZE;
    pen.ink = CX_TEXT_INK;
    heading(p, page);
    pen.y = p->y.from - GAP;
    if (c->y_name) cx_pen_put_within(&pen, c->y_name, pen.width);
    pen.y = bottom + TICK + 12 + CX_LINE;
    pen.x = p->x.from;
    if (c->x_name) {
        const int width = cx_font_width(p->easel->font, pen.size, c->x_name);
        if (width < p->x.length) pen.x += (p->x.length - width) / 2;
        cx_pen_put_within(&pen, c->x_name, p->width - MARGIN - pen.x);
    }
    pen.x = MARGIN;
    pen.y = p->height - MARGIN + 4;
    pen.size = CX_SMALL_SIZE;
    pen.ink = CX_SMALL_INK;
    if (c->caption) cx_pen_put_within(&pen, c->caption, pen.width);
}

/* --- lines --- */

/* Cover what is nearer than `radius` to the line from a to b, with soft edges, inside the field
 * between the axes and a little around it. */
static void cover(const plan *p, const double a[2], const double b[2], double radius)
{
    const double dx = b[0] - a[0], dy = b[1] - a[1], square = dx * dx + dy * dy;
    const int spill = (int)point_radius + 1;
    const double left = fmax(fmin(a[0], b[0]) - radius - 1, p->x.from - spill);
    const double right = fmin(fmax(a[0], b[0]) + radius + 1, p->x.from + p->x.length + spill);
    const double top = fmax(fmin(a[1], b[1]) - radius - 1, p->y.from - spill);
    const double bottom = fmin(fmax(a[1], b[1]) + radius + 1, p->y.from + p->y.length + spill);
    for (int y = (int)top; y < bottom; y++)
        for (int x = (int)left; x < right; x++) {
            double t = square > 0 ? ((x - a[0]) * dx + (y - a[1]) * dy) / square : 0;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            const double far = hypot(x - a[0] - t * dx, y - a[1] - t * dy);
            const double share = fmin(fmax(radius + 0.5 - far, 0), 1);
            uint8_t *pixel = p->coverage + (ptrdiff_t)y * p->width + x;
            const int value = (int)(255 * share + 0.5);
            if (x < p->width && y < p->height && value > *pixel) *pixel = (uint8_t)value;
        }
}

/* A line from a to b whose dashes go on from `*run` pixels before. */
static void cover_dashed(const plan *p, const double a[2], const double b[2], double *run)
{
    const double dash = 8, gap = 6, length = hypot(b[0] - a[0], b[1] - a[1]);
    double at = 0;
    while (at < length) {
        const double phase = fmod(*run, dash + gap);
        double go = fmin((phase < dash ? dash : dash + gap) - phase, length - at);
        go = fmax(go, 1e-3);
        const double from[2] = {a[0] + (b[0] - a[0]) * at / length,
                                a[1] + (b[1] - a[1]) * at / length};
        at += go;
        *run += go;
        const double to[2] = {a[0] + (b[0] - a[0]) * fmin(at / length, 1),
                              a[1] + (b[1] - a[1]) * fmin(at / length, 1)};
        if (phase < dash) cover(p, from, to, line_width / 2);
    }
}

const uint8_t *cx_curves_colour(int place_of)
{
    return colours[place_of % N_COLOURS];
}

/* Lay what was covered on the page in the colour of curve k. */
static void lay(const plan *p, int k)
{
    cx_canvas *page = &p->easel->canvas;
    if (p->curves->curves[k].colour > 0) k = p->curves->curves[k].colour - 1;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            const int share = p->coverage[(ptrdiff_t)y * p->width + x];
            if (share) cx_canvas_blend(page, x, y, (uint8_t)(k % N_COLOURS), share);
        }
    memset(p->coverage, 0, (size_t)p->width * (size_t)p->height);
}

/* A value far off the chart is still a place that sums can be made with. */
static double near_enough(double v)
{
    return fmin(fmax(v, -1e6), 1e6);
}

static void draw_curve(const plan *p, int k)
{
    const cx_curve *c = &p->curves->curves[k];
    const int is_dashed = k / N_COLOURS % 2;
    double last[2] = {NAN, NAN}, run = 0;
    for (int i = 0; i < c->n; i++) {
        double at[2] = {NAN, NAN};
        if (isfinite(c->x[i]) && isfinite(c->y[i])) {
            at[0] = near_enough(place(&p->x, c->x[i]));
            at[1] = near_enough(place(&p->y, c->y[i]));
        }
        const int has_line = !c->has_no_line && !isnan(at[0]) && !isnan(last[0]);
        if (has_line && is_dashed) cover_dashed(p, last, at, &run);
        if (has_line && !is_dashed) cover(p, last, at, line_width / 2);
        if (!isnan(at[0]) && (c->has_points || c->n == 1)) cover(p, at, at, point_radius);
        memcpy(last, at, sizeof last);
    }
    lay(p, k);
}

/* The line of curve k in the legend, which lies beside the field between the axes. */
static void draw_sample(const plan *p, int k, int x, int y)
{
    const double from[2] = {x, y}, to[2] = {x + SAMPLE, y}, middle[2] = {x + SAMPLE / 2.0, y};
    plan whole = *p;
    double run = 0;
    whole.x.from = whole.y.from = 0;
    whole.x.length = p->width;
    whole.y.length = p->height;
    const int is_dashed = k / N_COLOURS % 2, has_line = !p->curves->curves[k].has_no_line;
    if (has_line && is_dashed) cover_dashed(&whole, from, to, &run);
    if (has_line && !is_dashed) cover(&whole, from, to, line_width / 2);
    if (p->curves->curves[k].has_points) cover(&whole, middle, middle, point_radius);
    lay(p, k);
}

/* Names of the curves; where there is no room for all, the last line says how many are left out. */
static void draw_legend(const plan *p)
{
    const int left = p->width - MARGIN - p->legend;
    const int rows = (p->height - MARGIN - p->y.from) / CX_LINE;
    char more[32];
    for (int k = 0; k < p->curves->n && k < rows; k++) {
        const int is_rest = k == rows - 1 && p->curves->n > rows;
        const char *name = is_rest ? more : p->curves->curves[k].name;
        cx_pen pen = {.canvas = &p->easel->canvas, .font = p->easel->font, .size = CX_TEXT_SIZE};
        pen.ink = CX_TEXT_INK;
        pen.x = left + SAMPLE + 8;
        pen.y = p->y.from + 13 + k * CX_LINE;
        if (!name) continue;
        if (is_rest)
            snprintf(more, sizeof more, "and %d more", p->curves->n - k);
        else
            draw_sample(p, k, left, pen.y - 5);
        cx_pen_put_within(&pen, name, p->legend - SAMPLE - 8);
    }
}

/* An upright line in gray; its word stands on the side that has more room. */
static void draw_mark(const plan *p)
{
    const cx_curves *c = p->curves;
    if (!c->has_mark || !(c->mark >= p->x.low && c->mark <= p->x.high)) return;
    const int at = (int)lround(place(&p->x, c->mark)), y = p->y.from + 14;
    cx_canvas_fill(&p->easel->canvas, at, p->y.from, 1, p->y.length, CX_GRAY(CX_SMALL_INK));
    if (!c->mark_name) return;
    const int width = cx_font_width(p->easel->font, CX_SMALL_SIZE, c->mark_name);
    const int is_left = at + 4 + width > p->x.from + p->x.length;
    cx_canvas_text(&p->easel->canvas, p->easel->font, CX_SMALL_SIZE,
                   is_left ? at - 4 - width : at + 4, y, CX_GRAY(CX_TEXT_INK), c->mark_name);
}

static void draw_all(const plan *p)
{
    cx_canvas *page = &p->easel->canvas;
    cx_canvas_colours(page, CX_MAP_GRAY);
    memcpy(page->palette, colours, sizeof colours);
    draw_words(p);
    draw_axis(p, &p->x);
    draw_axis(p, &p->y);
    cx_canvas_frame(page, p->x.from, p->y.from, p->x.length, p->y.length, CX_GRAY(CX_SMALL_INK));
    draw_mark(p);
    for (int k = p->curves->n - 1; k >= 0; k--) draw_curve(p, k); /* the first lies on top */
    draw_legend(p);
}

int cx_curves_paint(cx_easel *easel, const cx_curves *c, int plot[4], double range[4],
                    cvs_error *err)
{
    plan p = {.curves = c, .easel = easel};
    cx_block memory = {0};
    int rc;
    if (!easel->font) TRY(cx_font_new(&easel->font, err));
    TRY(make_plan(&p, err));
    TRY(cx_canvas_renew(&easel->canvas, p.width, p.height, 3, 255, err));
    TRY(cx_block_init(&memory, (size_t)p.width * (size_t)p.height, err));
    p.coverage = memory.data;
    draw_all(&p);
    if (plot) plot[0] = p.x.from, plot[1] = p.y.from, plot[2] = p.x.length, plot[3] = p.y.length;
    if (range) range[0] = p.x.low, range[1] = p.x.high, range[2] = p.y.low, range[3] = p.y.high;
    rc = cx_font_ok(easel->font, err);
out:
    cx_block_deinit(&memory);
    return rc;
}

int cx_curves_draw(cx_bytes *png, cx_easel *easel, const cx_curves *c, cvs_error *err)
{
    *png = (cx_bytes){0};
    int rc = cx_curves_paint(easel, c, NULL, NULL, err);
    return rc < 0 ? rc : cx_canvas_png(png, &easel->canvas, c->title ? c->title : "", err);
}
