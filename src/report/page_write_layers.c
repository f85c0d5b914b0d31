/* page_write_layers.c - the network as a table and a chart, a section for each layer, and pictures
 * of what filters look for. */
#include <math.h>

#include "report/graph_svg.h"
#include "report/html.h"
#include "report/page.h"
#include "report/xml.h"

/* --- the network --- */

static void write_row(cx_str *out, const cx_page *p, int node, int is_linked, int is_first)
{
    const cx_node *n = &p->m->nodes[node];
    const cx_layer *l = &p->m->layers[n->layer];
    char shape[CX_SHAPE_TEXT], number[32];
    cx_str_add(out, "<tr><th scope=\"row\">");
    if (is_linked) cx_str_addf(out, "<a href=\"#layer-%d\">", node);
    cx_xml_text(out, n->name);
    cx_str_add(out, is_linked ? "</a></th><td>" : "</th><td>");
    cx_xml_text(out, l->class_name);
    cx_str_addf(out, "</td><td>%s</td><td class=\"number\">%s</td></tr>\n",
                cx_node_shape_text(shape, &n->shape),
                is_first ? cx_commas(number, cx_layer_params(l)) : "shared");
}

static void write_table(cx_str *out, const cx_page *p, const unsigned char *linked,
                        unsigned char *seen)
{
    cx_str_add(out,
               "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of "
               "layers\"><table>\n<thead><tr><th scope=\"col\">Layer</th><th scope=\"col\">Class"
               "</th><th scope=\"col\">Output shape</th><th scope=\"col\" class=\"number\">"
               "Parameters</th></tr></thead>\n<tbody>\n");
    for (int i = 0; i < p->m->n_nodes; i++) {
        const int layer = p->m->nodes[i].layer;
        write_row(out, p, i, linked[i], !seen[layer]);
        seen[layer] = 1;
    }
    cx_str_add(out, "</tbody></table></div>\n");
}

int cx_page_write_network(cx_str *out, const cx_page *p, cvs_error *err)
{
    unsigned char *linked = cx_calloc((size_t)p->m->n_nodes + 1, 1);
    unsigned char *seen = cx_calloc((size_t)p->m->n_layers + 1, 1);
    cx_str chart = {0};
    cvs_error why = {0};
    int rc = 0;
    if (!linked || !seen) TRY(cx_no_memory(err, (size_t)p->m->n_nodes));
    for (int i = 0; p->n_good > 0 && i < p->n_layers; i++) linked[p->layers[i].node] = 1;
    cx_str_add(out,
               "<section id=\"network\" aria-labelledby=\"h-network\">\n<h2 id=\"h-network\">"
               "The network</h2>\n<p>The picture enters at the top. Each layer hands its output "
               "to the next; on the way the maps get smaller and their channels more, until a "
               "few numbers are the answer.</p>\n<div class=\"network\">\n");
    write_table(out, p, linked, seen);
    rc = cx_graph_svg(&chart, p->m, linked, &why);
    if (rc == CVS_E_UNSUPPORTED) {
        cx_str_add(out, "<p class=\"note\">No flow chart: ");
        cx_xml_text(out, why.what);
        cx_str_add(out, ".</p>\n");
        rc = 0;
    } else if (rc == 0) {
        cx_str_add(out, "<div class=\"scroll chart-box\" tabindex=\"0\" role=\"region\" "
                        "aria-label=\"Flow chart of the network\">\n");
        if (chart.data) cx_str_add_n(out, chart.data, chart.len);
        cx_str_add(out, "</div>\n");
    } else if (err)
        *err = why;
    out->failed |= chart.failed;
    cx_str_add(out, "</div>\n</section>\n");
out:
    cx_str_deinit(&chart);
    cx_free(linked);
    cx_free(seen);
    return rc;
}

/* --- layers --- */

static const char *sentence(const cx_layer_kind *kind)
{
    if (kind->is_conv)
        return "Each channel is what one filter found: bright where its pattern is in the picture, "
               "dark where it is not.";
    if (kind->is_pool)
        return "Pooling keeps one number of each small neighbourhood: the same patterns on a "
               "smaller "
               "map, less exact about where they are.";
    if (kind->family == CX_NORMALIZING)
        return "Normalisation brings each channel to a common range; what it shows stays the same.";
    if (kind->family == CX_ACTIVATING)
        return "The activation decides what is handed on: of ReLU all that is below 0 becomes 0.";
    if (kind->family == CX_MERGING) return "Several branches of the network meet here.";
    return "What this layer hands to the next one.";
}

static void write_sheet(cx_str *out, const cx_page *p, int layer, int input)
{
    const cx_page_sheet *s = &p->layers[layer].sheets[input];
    const char *name = p->m->nodes[p->layers[layer].node].name;
    if (!s->picture.bytes.data) return;
    cx_str_addf(out, "<img class=\"sheet\" id=\"sheet-%d-%d\" width=\"%d\" height=\"%d\" alt=\"",
                layer, input, s->picture.width, s->picture.height);
    cx_html_attribute(out, name);
    cx_str_addf(out, ": all %d channels for ", s->cells.channels);
    cx_html_attribute(out, cx_base_name(p->inputs[input].name));
    cx_str_addf(out, ", %d in a row, each from its smallest value (black) to its largest\" src=\"",
                s->cells.columns);
    cx_page_picture_write(out, &s->picture, "image/png");
    cx_str_add(out, "\">\n");
}

static void write_figures(cx_str *out, const cx_page *p, const cx_page_layer *l)
{
    cx_str_add(out,
               "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Figures of the "
               "layer\"><table class=\"figures\"><thead><tr><th scope=\"col\">Input</th><th "
               "scope=\"col\">min</th><th scope=\"col\">max</th><th scope=\"col\">mean</th><th "
               "scope=\"col\">not above 0</th><th scope=\"col\">dead</th></tr></thead><tbody>\n");
    for (int i = 0; i < p->n_inputs; i++) {
        const cx_page_sheet *s = &l->sheets[i];
        int64_t dead = 0;
        if (!s->picture.bytes.data) continue;
        for (int64_t c = 0; c < s->of; c++) dead += s->each[c].dead;
        cx_str_add(out, "<tr><th scope=\"row\">");
        cx_xml_text(out, cx_base_name(p->inputs[i].name));
        cx_str_addf(out,
                    "</th><td>%.3g</td><td>%.3g</td><td>%.3g</td><td>%.1f %%</td><td>%lld of "
                    "%lld</td></tr>\n",
                    s->whole.min, s->whole.max, s->whole.mean, 100 * s->whole.sparsity,
                    (long long)dead, (long long)s->of);
    }
    cx_str_add(out, "</tbody></table></div>\n");
}

static void write_layer(cx_str *out, const cx_page *p, int layer)
{
    const cx_page_layer *l = &p->layers[layer];
    const cx_node *node = &p->m->nodes[l->node];
    const cx_layer *of = &p->m->layers[node->layer];
    const cx_page_sheet *s = &l->sheets[0];
    char number[32];
    for (int i = 0; i < p->n_inputs && !s->picture.bytes.data; i++) s = &l->sheets[i];
    cx_str_addf(out,
                "<section class=\"layer\" id=\"layer-%d\" data-layer=\"%d\" "
                "aria-labelledby=\"h-layer-%d\">\n<h3 id=\"h-layer-%d\">",
                l->node, layer, l->node, l->node);
    cx_xml_text(out, node->name);
    cx_str_add(out, " <small>");
    cx_xml_text(out, of->class_name);
    cx_str_addf(out,
                "</small></h3>\n<p class=\"facts\">%lld channels of %lld × %lld · %s "
                "parameters</p>\n<p>%s",
                (long long)s->of, (long long)s->rows, (long long)s->cols,
                cx_commas(number, cx_layer_params(of)), sentence(of->kind));
    if (s->whole.min < 0) cx_str_add(out, " Red is above 0, blue below.");
    if (l->shrink > 1)
        cx_str_addf(out,
                    " To keep this file small, a cell here is the mean of %d × %d values; the "
                    "figures are of all.",
                    l->shrink, l->shrink);
    if (s->cells.channels < s->of)
        cx_str_addf(out, " The first %d channels are shown.", s->cells.channels);
    cx_str_add(out, "</p>\n");
    write_figures(out, p, l);
    cx_str_add(out, "<div class=\"sheets\">\n");
    for (int i = 0; i < p->n_inputs; i++) write_sheet(out, p, layer, i);
    cx_str_add(out, "</div>\n</section>\n");
}

void cx_page_write_layers(cx_str *out, const cx_page *p)
{
    if (p->n_good == 0 || p->n_layers == 0) return;
    cx_str_add(
        out,
        "<section id=\"layers\" aria-labelledby=\"h-layers\">\n<h2 id=\"h-layers\">What each "
        "layer makes of it</h2>\n<p>The first layers look like the picture: they find edges "
        "and colours. Further on the maps become coarser and emptier: they no longer show what "
        "the picture looks like but whether some part of an object is there. A channel that is "
        "empty has not found its pattern.</p>\n"
        "<div class=\"tools needs-js\" role=\"group\" aria-label=\"How channels are shown\">\n"
        "<label>Order <select id=\"order\"><option value=\"number\">by number</option><option "
        "value=\"strength\">strongest first</option><option value=\"sparsity\">emptiest first"
        "</option></select></label>\n<label>Colour scale <select id=\"scale\"><option "
        "value=\"layer\">one for the layer</option><option value=\"channel\">one for each "
        "channel</option></select></label>\n<span class=\"hint\">Click a channel, or press "
        "Enter on it, to see its values.</span>\n</div>\n");
    for (int i = 0; i < p->n_layers; i++) write_layer(out, p, i);
    cx_str_add(out, "</section>\n");
}

/* --- filters --- */

static int write_tiles(cx_str *out, const cvs_patterns *f, const char *what, cvs_error *err)
{
    const int64_t size = f->shown_height * f->shown_width * f->channels;
    int rc = 0;
    cx_str_addf(out, "<div class=\"tiles %s\">\n", what);
    for (int i = 0; i < f->n; i++) {
        cx_page_picture tile = {0};
        const int is_kernel = f->shown_height < 32;
        if (is_kernel)
            rc = cx_page_tile(&tile, f->shown + i * size, f->shown_height, f->shown_width,
                              f->channels, err);
        else
            rc = cx_page_pattern(&tile, f->shown + i * size, f->shown_height, f->shown_width,
                                 f->channels, err);
        if (rc == 0) {
            cx_str_addf(out,
                        "<figure><img width=\"%d\" height=\"%d\" alt=\"%s of channel %lld\" "
                        "src=\"",
                        tile.width, tile.height, what, (long long)f->channel[i]);
            cx_page_picture_write(out, &tile, is_kernel ? "image/png" : "image/webp");
            cx_str_addf(out, "\"><figcaption>%lld</figcaption></figure>\n",
                        (long long)f->channel[i]);
        }
        cx_bytes_deinit(&tile.bytes);
        if (rc < 0) break;
    }
    cx_str_add(out, "</div>\n");
    return rc;
}

int cx_page_write_patterns(cx_str *out, const cx_page *p, cvs_error *err)
{
    int rc = 0;
    if (!p->kernels && p->n_patterns == 0) return 0;
    cx_str_add(out,
               "<section id=\"filters\" aria-labelledby=\"h-filters\">\n<h2 id=\"h-filters\">What "
               "its filters look for</h2>\n");
    if (p->kernels) {
        cx_str_add(out, "<h3>Kernels of ");
        cx_xml_text(out, p->kernels->name);
        cx_str_addf(out,
                    "</h3>\n<p>The first layer sees the picture itself, so its weights can be "
                    "looked at as pictures of %lld × %lld: gray is 0, bright adds, dark takes "
                    "away; each is on its own scale. Light beside dark finds an edge, a colour "
                    "finds that colour.%s</p>\n",
                    (long long)p->kernels->shown_height, (long long)p->kernels->shown_width,
                    p->kernel_node >= 0 && p->kernels->n == 64 ? " At most 64 are shown." : "");
        TRY(write_tiles(out, p->kernels, "kernel", err));
    }
    if (p->n_patterns > 0)
        cx_str_add(out,
                   "<p>Of deeper layers a picture must be searched for that excites a channel "
                   "as much as can be, from noise, step by step. These are for the channels that "
                   "your inputs excite most: first edges and textures, later parts of "
                   "objects.</p>\n");
    for (int i = 0; i < p->n_patterns; i++) {
        cx_str_add(out, "<h3>Patterns of ");
        cx_xml_text(out, p->patterns[i]->name);
        cx_str_add(out, "</h3>\n");
        TRY(write_tiles(out, p->patterns[i], "pattern", err));
    }
    cx_str_add(out, "</section>\n");
out:
    return rc;
}
