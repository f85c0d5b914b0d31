/* learning_svg.c - curves.svg: the learning curves as a drawing that scales. */
#include <math.h>

#include "draw/scale.h"
#include "report/learning.h"
#include "report/xml.h"

enum {
    CHART_WIDTH = 560,
    CHART_HEIGHT = 400,
    LEFT = 64, /* of the field between the axes, from the chart's left */
    RIGHT = 20,
    TOP = 76,
    BOTTOM = 52,
    FIELD_WIDTH = CHART_WIDTH - LEFT - RIGHT,
    FIELD_HEIGHT = CHART_HEIGHT - TOP - BOTTOM,
    MOST_TICKS = 6,
};

/* Values over pixels of one chart. */
typedef struct field {
    double x0, x1, y0, y1;
    int left; /* of the field, in the drawing */
} field;

static double x_of(const field *f, double v)
{
    return f->left + (v - f->x0) / (f->x1 - f->x0) * FIELD_WIDTH;
}

static double y_of(const field *f, double v)
{
    return TOP + (f->y1 - v) / (f->y1 - f->y0) * FIELD_HEIGHT;
}

static field field_of(const cx_learning *l, int chart, const cx_curve *curves, int n)
{
    field f = {1, l->n > 1 ? l->n : 2, INFINITY, -INFINITY, LEFT + chart * CHART_WIDTH};
    for (int k = 0; k < n; k++)
        for (int i = 0; i < curves[k].n; i++) {
            if (!isfinite(curves[k].y[i])) continue;
            f.y0 = fmin(f.y0, curves[k].y[i]);
            f.y1 = fmax(f.y1, curves[k].y[i]);
        }
    if (!(f.y0 <= f.y1)) f.y0 = 0, f.y1 = 1;
    if (f.y1 - f.y0 < 1e-9) f.y0 -= 0.05, f.y1 += 0.05;
    const double step = cx_curves_step(f.y0, f.y1, MOST_TICKS);
    f.y0 = floor(f.y0 / step + 1e-9) * step;
    f.y1 = ceil(f.y1 / step - 1e-9) * step;
    return f;
}

static void attribute(cx_str *s, const char *name, double value)
{
    cx_str_addf(s, " %s=\"", name);
    cx_xml_number(s, value);
    cx_str_add(s, "\"");
}

static void line(cx_str *s, const char *style, double x1, double y1, double x2, double y2)
{
    cx_str_addf(s, "<line class=\"%s\"", style);
    attribute(s, "x1", x1);
    attribute(s, "y1", y1);
    attribute(s, "x2", x2);
    attribute(s, "y2", y2);
    cx_str_add(s, "/>\n");
}

static void words(cx_str *s, const char *style, double x, double y, const char *text)
{
    cx_str_addf(s, "<text class=\"%s\"", style);
    attribute(s, "x", x);
    attribute(s, "y", y);
    cx_str_add(s, ">");
    cx_xml_text(s, text);
    cx_str_add(s, "</text>\n");
}

static void add_axes(cx_str *s, const field *f)
{
    const double bottom = TOP + FIELD_HEIGHT, right = f->left + FIELD_WIDTH;
    const double up = cx_curves_step(f->y0, f->y1, MOST_TICKS);
    const double along = fmax(1, cx_curves_step(f->x0, f->x1, MOST_TICKS));
    char text[CX_NUMBER_TEXT];
    for (double k = ceil(f->y0 / up - 1e-9); k * up <= f->y1 + 1e-9; k++) {
        line(s, "grid", f->left, y_of(f, k * up), right, y_of(f, k * up));
        words(s, "left", f->left - 7, y_of(f, k * up) + 4, cx_number_text(text, k * up + 0.0));
    }
    for (double k = ceil(f->x0 / along - 1e-9); k * along <= f->x1 + 1e-9; k++) {
        line(s, "grid", x_of(f, k * along), TOP, x_of(f, k * along), bottom);
        words(s, "middle", x_of(f, k * along), bottom + 18, cx_number_text(text, k * along));
    }
    words(s, "middle", f->left + FIELD_WIDTH / 2.0, bottom + 38, "epoch");
}

static void add_curve(cx_str *s, const field *f, const cx_curve *c)
{
    const uint8_t *rgb = cx_curves_colour(c->colour - 1);
    int is_on = 0;
    cx_str_addf(s, "<g stroke=\"#%02x%02x%02x\" fill=\"#%02x%02x%02x\">\n", rgb[0], rgb[1], rgb[2],
                rgb[0], rgb[1], rgb[2]);
    if (!c->has_no_line) cx_str_add(s, "<path class=\"curve\" d=\"");
    for (int i = 0; i < c->n; i++) {
        const int has = isfinite(c->y[i]);
        if (has && c->has_no_line) {
            cx_str_add(s, "<circle r=\"2.6\" stroke=\"none\" fill-opacity=\"0.55\"");
            attribute(s, "cx", x_of(f, c->x[i]));
            attribute(s, "cy", y_of(f, c->y[i]));
            cx_str_add(s, "/>\n");
        } else if (has) {
            cx_str_add(s, is_on ? "L" : "M");
            cx_xml_point(s, x_of(f, c->x[i]), y_of(f, c->y[i]));
        }
        is_on = has;
    }
    cx_str_add(s, c->has_no_line ? "</g>\n" : "\"/></g>\n");
}

/* Samples of the lines in a row below the title. */
static void add_legend(cx_str *s, const field *f, const cx_curve *curves, int n)
{
    double x = f->left;
    for (int k = 0; k < n; k++) {
        const uint8_t *rgb = cx_curves_colour(curves[k].colour - 1);
        if (curves[k].has_no_line) continue;
        cx_str_addf(s, "<g stroke=\"#%02x%02x%02x\">", rgb[0], rgb[1], rgb[2]);
        line(s, "curve", x, 54, x + 22, 54);
        cx_str_add(s, "</g>\n");
        words(s, "start", x + 28, 58, curves[k].name);
        x += 120;
    }
    words(s, "start", x, 58, "points: each epoch; lines: smoothed");
}

static void add_chart(cx_str *s, const cx_learning *l, int chart)
{
    cx_curve curves[CX_LEARNING_CURVES];
    int n;
    cx_learning_curves(curves, &n, l, chart);
    const field f = field_of(l, chart, curves, n);
    words(s, "title", f.left, 32, l->chart[chart].title);
    add_legend(s, &f, curves, n);
    add_axes(s, &f);
    if (!isnan(l->best)) {
        const int is_left = l->best > (f.x0 + f.x1) / 2;
        line(s, "mark", x_of(&f, l->best), TOP, x_of(&f, l->best), TOP + FIELD_HEIGHT);
        words(s, is_left ? "left" : "start", x_of(&f, l->best) + (is_left ? -5 : 5), TOP + 14,
              l->best_name);
    }
    for (int k = n - 1; k >= 0; k--) add_curve(s, &f, &curves[k]);
    line(s, "axis", f.left, TOP, f.left, TOP + FIELD_HEIGHT);
    line(s, "axis", f.left, TOP + FIELD_HEIGHT, f.left + FIELD_WIDTH, TOP + FIELD_HEIGHT);
}

void cx_learning_svg(cx_str *out, const cx_learning *l)
{
    const int width = CX_LEARNING_CHARTS * CHART_WIDTH;
    cx_str_addf(out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
                "height=\"%d\" font-family=\"DejaVu Sans, sans-serif\" font-size=\"12\">\n"
                "<title>Learning curves</title>\n"
                "<style>.title{font-size:20px}.left{text-anchor:end}.middle{text-anchor:middle}"
                ".grid{stroke:#ddd}.axis,.mark{stroke:#777}.mark{stroke-dasharray:4 3}"
                ".curve{fill:none;stroke-width:2}text{fill:#222}</style>\n"
                "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
                width, CHART_HEIGHT, width, CHART_HEIGHT, width, CHART_HEIGHT);
    for (int c = 0; c < CX_LEARNING_CHARTS; c++) add_chart(out, l, c);
    cx_str_add(out, "</svg>\n");
}
