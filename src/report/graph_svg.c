/* graph_svg.c - the picture of a network that cvs_graph_write makes: one SVG file, which needs
 * nothing else. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "report/chart.h"
#include "report/graph_svg.h"
#include "report/html.h"
#include "report/xml.h"

enum {
    MARGIN = 32,
    TITLE = 20, /* size of text */
    LEAST_WIDTH = 520,
    SWATCH = 12,
    LEGEND_ROW = 22,
};

/* How a family of layers looks. */
typedef struct look {
    const char *class, *title;
    const char *fill, *stroke, *text;
} look;

enum {
    INPUT,
    CONVOLUTION,
    POOLING,
    NORMALIZATION,
    ACTIVATION,
    MERGE,
    DENSE,
    RESHAPING,
    OTHER,
    UNKNOWN,
    LOOKS
};
static const look looks[LOOKS] = {
    [INPUT] = {"in", "input", "#e9eef4", "#8698ad", "#40546a"},
    [CONVOLUTION] = {"co", "convolution", "#dfeaff", "#6490e8", "#1c4a9c"},
    [POOLING] = {"po", "pooling", "#d8f2ed", "#3fae9c", "#0e6457"},
    [NORMALIZATION] = {"no", "normalisation", "#f0e8fb", "#a583dc", "#64399f"},
    [ACTIVATION] = {"ac", "activation", "#fff2d9", "#e3a93f", "#865500"},
    [MERGE] = {"me", "merging", "#ffe4e8", "#e57a90", "#a02a45"},
    [DENSE] = {"de", "fully connected", "#e5f4db", "#7fb75c", "#3a6d1f"},
    [RESHAPING] = {"re", "shape", "#efece5", "#a99f89", "#5c543f"},
    [OTHER] = {"ot", "other", "#f1f2f4", "#aab0b9", "#555b66"},
    [UNKNOWN] = {"un", "not supported", "#ffffff", "#c0392b", "#a02a1e"},
};

typedef struct drawing {
    cx_str out;
    const cvs_model *m;
    cx_font *font;
    const unsigned char *linked; /* or NULL */
} drawing;

static int look_of(const cvs_model *m, const cx_node *node)
{
    static const int by_family[] = {
        [CX_OTHER] = OTHER,   [CX_ACTIVATING] = ACTIVATION, [CX_NORMALIZING] = NORMALIZATION,
        [CX_MERGING] = MERGE, [CX_CONNECTING] = DENSE,      [CX_RESHAPING] = RESHAPING,
    };
    const cx_layer_kind *kind = m->layers[node->layer].kind;
    if (node->n_inputs == 0) return INPUT;
    if (kind->is_unknown) return UNKNOWN;
    return kind->is_conv ? CONVOLUTION : kind->is_pool ? POOLING : by_family[kind->family];
}

/* --- text --- */

/* Text at a place; where it is wider than `room` its middle gives way to an ellipsis, for names
 * differ at their ends. */
static void add_text(drawing *d, double x, double y, const char *class, int size, double room,
                     const char *text)
{
    cx_str_add(&d->out, "<text x=\"");
    cx_xml_number(&d->out, x);
    cx_str_add(&d->out, "\" y=\"");
    cx_xml_number(&d->out, y);
    cx_str_addf(&d->out, "\" class=\"%s\">", class);
    cx_xml_fitted(&d->out, d->font, size, room, text);
    cx_str_add(&d->out, "</text>\n");
}

static void add_shape_and_params(drawing *d, double x, double y, double width,
                                 const cx_shape *shape, int64_t params)
{
    char text[CX_CHART_SHAPE], number[32], label[48];
    cx_chart_shape(text, shape);
    add_text(d, x + CX_CHART_PAD, y, "s", CX_CHART_SMALL, width, text);
    if (params == 0) return;
    snprintf(label, sizeof label, "%s params", cx_commas(number, params));
    add_text(d, x + width - CX_CHART_PAD, y, "s e", CX_CHART_SMALL, width, label);
}

/* What a pointer that rests on a box is told. */
static void add_tip(drawing *d, const cx_node *node)
{
    const cx_layer *l = &d->m->layers[node->layer];
    char shape[CX_SHAPE_TEXT], number[32];
    int64_t params = cx_layer_params(l);
    cx_str_add(&d->out, "<title>");
    cx_xml_text(&d->out, node->name);
    cx_str_addf(&d->out, " (%s)\noutput %s\n", l->class_name,
                cx_node_shape_text(shape, &node->shape));
    if (l->kind->is_unknown) cx_str_add(&d->out, "not supported: drawn, but not computed\n");
    for (int i = 0; i < l->n_weights; i++)
        cx_str_addf(&d->out, "%s %s%s\n", l->w[i].spec.name,
                    cx_shape_text(shape, &l->w[i].spec.shape),
                    l->trainable && !l->w[i].spec.frozen ? "" : ", not trained");
    cx_str_addf(&d->out, "%s parameters</title>\n", cx_commas(number, params));
}

/* --- boxes --- */

static void add_rect(drawing *d, const char *class, double x, double y, double width, double height,
                     int round)
{
    cx_str_addf(&d->out, "<rect class=\"%s\" x=\"", class);
    cx_xml_number(&d->out, x);
    cx_str_add(&d->out, "\" y=\"");
    cx_xml_number(&d->out, y);
    cx_str_add(&d->out, "\" width=\"");
    cx_xml_number(&d->out, width);
    cx_str_add(&d->out, "\" height=\"");
    cx_xml_number(&d->out, height);
    cx_str_addf(&d->out, "\" rx=\"%d\"/>\n", round);
}

static void add_layer(drawing *d, const cx_flow_box *box, int node_index, double x, double y)
{
    const cx_node *node = &d->m->nodes[node_index];
    const cx_layer *l = &d->m->layers[node->layer];
    const char *slash = strrchr(node->name, '/'); /* its frame tells the rest */
    const double room = box->width - 2 * CX_CHART_PAD;
    const int is_link = d->linked && d->linked[node_index];
    if (is_link) cx_str_addf(&d->out, "<a href=\"#layer-%d\">", node_index);
    cx_str_addf(&d->out, "<g class=\"%s\" data-layer=\"", looks[look_of(d->m, node)].class);
    cx_html_attribute(&d->out, node->name);
    cx_str_add(&d->out, "\">");
    add_tip(d, node);
    add_rect(d, "b", x, y, box->width, box->height, 7);
    add_text(d, x + CX_CHART_PAD, y + 17, "c", CX_CHART_CLASS, room * 8 / 9 + 1, l->class_name);
    add_text(d, x + CX_CHART_PAD, y + 32, "n", CX_CHART_NAME, room, slash ? slash + 1 : node->name);
    add_shape_and_params(d, x, y + 47, box->width, &node->shape, cx_layer_params(l));
    cx_str_add(&d->out, is_link ? "</g></a>\n" : "</g>\n");
}

static void add_frame(drawing *d, const cx_flow_box *box, const cx_chart_item *item, double x,
                      double y)
{
    const cx_module_call *call = &d->m->calls[item->call];
    const cx_module *module = &d->m->modules[call->module];
    const double w = box->width, room = w - 2 * CX_CHART_PAD;
    int class_width = cx_chart_bold(d->font, CX_CHART_CLASS, module->class_name);
    add_rect(d, "f", x, y, w, box->height, 9);
    cx_str_add(&d->out, "<path class=\"h\" d=\"M");
    cx_xml_point(&d->out, x, y + CX_CHART_HEAD);
    cx_str_add(&d->out, "v-33a9 9 0 0 1 9-9h");
    cx_xml_number(&d->out, w - 18);
    cx_str_add(&d->out, "a9 9 0 0 1 9 9v33z\"/>\n");
    add_text(d, x + CX_CHART_PAD, y + 17, "c", CX_CHART_CLASS, room, module->class_name);
    add_text(d, x + CX_CHART_PAD + class_width + 8, y + 17, "n", CX_CHART_NAME,
             room - class_width - 8, module->name);
    add_shape_and_params(d, x, y + 33, w, &d->m->nodes[call->out[call->n_out - 1]].shape,
                         item->params);
}

/* --- lines --- */

static void add_curve(cx_str *out, const cx_flow_piece *p, double x, double y)
{
    const double middle = (p->bend0 + p->bend1) / 2;
    cx_str_add(out, "V");
    cx_xml_number(out, y + p->bend0);
    if (fabs(p->x0 - p->x1) >= 0.05) {
        cx_str_add(out, "C");
        cx_xml_point(out, x + p->x0, y + middle);
        cx_xml_point(out, x + p->x1, y + middle);
        cx_xml_point(out, x + p->x1, y + p->bend1);
    }
    cx_str_add(out, "V");
    cx_xml_number(out, y + p->y1);
}

/* Down, right, up, right and down again, around corners. */
static void add_wrap(cx_str *out, const cx_flow_piece *p, double x, double y)
{
    const int r = CX_FLOW_TURN;
    cx_str_add(out, "V");
    cx_xml_number(out, y + p->bend0 - r);
    cx_str_addf(out, "q0 %d %d %dH", r, r, r);
    cx_xml_number(out, x + p->aside - r);
    cx_str_addf(out, "q%d 0 %d %dV", r, r, -r);
    cx_xml_number(out, y + p->bend1 + r);
    cx_str_addf(out, "q0 %d %d %dH", -r, r, -r);
    cx_xml_number(out, x + p->x1 - r);
    cx_str_addf(out, "q%d 0 %d %dV", r, r, r);
    cx_xml_number(out, y + p->y1);
}

static void add_lines(drawing *d, const cx_chart *chart, double x, double y)
{
    for (int i = 0; i < chart->flow.n_pieces; i++) {
        const cx_flow_piece *p = &chart->flow.pieces[i];
        int arrow = p->to >= 0 && chart->flow.boxes[p->to].height > 0;
        cx_str_add(&d->out, arrow ? "<path class=\"l\" marker-end=\"url(#a)\" d=\"M"
                                  : "<path class=\"l\" d=\"M");
        cx_xml_point(&d->out, x + p->x0, y + p->y0);
        if (p->wraps)
            add_wrap(&d->out, p, x, y);
        else
            add_curve(&d->out, p, x, y);
        cx_str_add(&d->out, "\"/>\n");
    }
}

static void add_chart(drawing *d, const cx_chart *chart, double x, double y)
{
    add_lines(d, chart, x, y);
    for (int i = 0; i < chart->flow.n_boxes; i++) {
        const cx_flow_box *box = &chart->flow.boxes[i];
        const cx_chart_item *item = &chart->items[i];
        if (item->node >= 0) add_layer(d, box, item->node, x + box->x, y + box->y);
        if (item->call < 0) continue;
        add_frame(d, box, item, x + box->x, y + box->y);
        /* its depth is that of the model's nesting, which is limited */
        add_chart(d, item->inside, x + box->x + item->inside_dx, y + box->y + CX_CHART_HEAD);
    }
}

/* --- the page --- */

void cx_graph_totals(cx_str *out, const cvs_model *m)
{
    int64_t params = 0, trainable = 0;
    char a[32], b[32];
    for (int i = 0; i < m->n_layers; i++) {
        params += cx_layer_params(&m->layers[i]);
        trainable += cx_layer_trainable_params(&m->layers[i]);
    }
    const int layers = m->n_nodes - m->n_inputs;
    cx_str_addf(out, "%s · %d layer%s · %s parameters, %s of them trainable", m->class_name, layers,
                layers == 1 ? "" : "s", cx_commas(a, params),
                trainable == params ? "all" : cx_commas(b, trainable));
}

static void add_style(drawing *d)
{
    cx_str_add(
        &d->out,
        "<style>\n"
        ".chart text{font-family:sans-serif;fill:#1f2733}\n"
        ".chart .t{font-size:20px;font-weight:bold}.chart .u{font-size:12px;fill:#5b6675}\n"
        ".chart .c{font-size:12px;font-weight:bold}.chart .n{font-size:11px}\n"
        ".chart .s{font-size:10px;fill:#5b6675}.chart .e{text-anchor:end}\n"
        ".chart .l{fill:none;stroke:#97a3b3;stroke-width:1.5}\n"
        ".chart .b{stroke-width:1.2}.chart .f{fill:#f6f8fa;stroke:#b4c0ce;stroke-width:1.2}\n"
        ".chart .h{fill:#e3e9f0;stroke:#b4c0ce;stroke-width:1.2}\n");
    for (int i = 0; i < LOOKS; i++)
        cx_str_addf(&d->out, ".chart .%s .b{fill:%s;stroke:%s}.chart .%s .c{fill:%s}\n",
                    looks[i].class, looks[i].fill, looks[i].stroke, looks[i].class, looks[i].text);
    cx_str_add(&d->out, "</style>\n"
                        "<defs><marker id=\"a\" markerWidth=\"8\" markerHeight=\"8\" refX=\"7\" "
                        "refY=\"4\" orient=\"auto\" markerUnits=\"userSpaceOnUse\">"
                        "<path d=\"M0 .5L7.5 4L0 7.5z\" fill=\"#97a3b3\"/></marker></defs>\n");
}

/* The families that the model has; with `draw` 0 only measures. Gives the height. */
static double add_legend(drawing *d, double y, double width, int draw)
{
    int there[LOOKS] = {0};
    double x = MARGIN, top = y;
    for (int i = 0; i < d->m->n_nodes; i++) there[look_of(d->m, &d->m->nodes[i])] = 1;
    for (int i = 0; i < LOOKS; i++) {
        if (!there[i]) continue;
        double room = SWATCH + 6 + cx_font_width(d->font, CX_CHART_NAME, looks[i].title) + 18;
        if (x > MARGIN && x + room > width - MARGIN) {
            x = MARGIN;
            y += LEGEND_ROW;
        }
        if (draw) {
            cx_str_addf(&d->out, "<g class=\"%s\">", looks[i].class);
            add_rect(d, "b", x, y, SWATCH, SWATCH, 3);
            add_text(d, x + SWATCH + 6, y + 10, "n", CX_CHART_NAME, room, looks[i].title);
            cx_str_add(&d->out, "</g>\n");
        }
        x += room;
    }
    return y + LEGEND_ROW - top;
}

static void add_page(drawing *d, const cx_chart *chart)
{
    cx_str totals = {0};
    cx_graph_totals(&totals, d->m);
    d->out.failed |= totals.failed;
    if (d->out.failed) return;
    double width = fmax(LEAST_WIDTH, chart->flow.width + 2 * MARGIN);
    width = fmax(width, cx_font_width(d->font, CX_CHART_CLASS, totals.data) + 2 * MARGIN);
    const double top = MARGIN + 58, legend = add_legend(d, top, width, 0);
    const double height = top + legend + 22 + chart->flow.height + MARGIN;
    cx_str_addf(
        &d->out,
        "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
        "viewBox=\"0 0 %.0f %.0f\">\n<title>",
        ceil(width), ceil(height), ceil(width), ceil(height));
    cx_xml_text(&d->out, d->m->name);
    cx_str_add(&d->out, "</title>\n");
    add_style(d);
    cx_str_add(&d->out, "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
    add_text(d, MARGIN, MARGIN + 16, "t", TITLE, (width - 2 * MARGIN) * 8 / 9, d->m->name);
    add_text(d, MARGIN, MARGIN + 38, "u", CX_CHART_CLASS, width, totals.data);
    add_legend(d, top, width, 1);
    add_chart(d, chart, (width - chart->flow.width) / 2, top + legend + 22);
    cx_str_add(&d->out, "</svg>\n");
    cx_str_deinit(&totals);
}

int cx_graph_svg(cx_str *out, const cvs_model *m, const unsigned char *linked, cvs_error *err)
{
    drawing d = {.m = m, .linked = linked};
    cx_arena *arena = cx_arena_new();
    cx_chart *chart;
    int rc = arena ? 0 : cx_no_memory(err, sizeof *chart);
    TRY(rc);
    TRY(cx_font_new(&d.font, err));
    TRY(cx_chart_make(&chart, m, d.font, arena, err));
    add_page(&d, chart);
    TRY(cx_font_ok(d.font, err));
    TRY(cx_str_ok(&d.out, err));
    cx_str_add_n(out, d.out.data, d.out.len);
out:
    cx_str_deinit(&d.out);
    cx_font_free(d.font);
    cx_arena_free(arena);
    return rc;
}

int cvs_graph_write(const cvs_model *m, const char *path, cvs_error *err)
{
    cx_str svg = {0};
    int rc;
    TRY(cx_graph_svg(&svg, m, NULL, err));
    TRY(cx_str_ok(&svg, err));
    TRY(cx_file_write(path, &(cx_piece){svg.data, svg.len}, 1, err));
out:
    cx_str_deinit(&svg);
    return rc;
}
