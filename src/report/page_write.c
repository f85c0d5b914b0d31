/* page_write.c - the page's beginning and end, what the network says, and what there is to notice.
 */
#include <math.h>
#include <stdio.h>

#include "report/graph_svg.h"
#include "report/html.h"
#include "report/page.h"
#include "report/xml.h"

const char *cx_page_class(const cx_page *p, int64_t index, char room[32])
{
    const char *name = p->o->names && index >= 0 ? cvs_classes_name(p->o->names, (int)index) : NULL;
    if (name) return name;
    if (index < 0)
        snprintf(room, 32, "output");
    else
        snprintf(room, 32, "class %lld", (long long)index);
    return room;
}

void cx_page_picture_write(cx_str *out, const cx_page_picture *picture, const char *type)
{
    cx_data_uri(out, type, picture->bytes.data, picture->bytes.size);
}

/* --- the beginning --- */

static void write_navigation(cx_str *out, const cx_page *p)
{
    cx_str_add(out, "<nav aria-label=\"Sections\"><ul>\n");
    if (p->n_good > 0) cx_str_add(out, "<li><a href=\"#answers\">Answers</a></li>\n");
    if (p->n_findings > 0) cx_str_add(out, "<li><a href=\"#findings\">To notice</a></li>\n");
    if (p->n_drawn > 0) cx_str_add(out, "<li><a href=\"#evidence\">Evidence</a></li>\n");
    cx_str_add(out, "<li><a href=\"#network\">Network</a></li>\n");
    if (p->n_good > 0 && p->n_layers > 0)
        cx_str_add(out, "<li><a href=\"#layers\">Layers</a></li>\n");
    if (p->kernels || p->n_patterns > 0)
        cx_str_add(out, "<li><a href=\"#filters\">Filters</a></li>\n");
    cx_str_add(out, "</ul></nav>\n");
}

/* How pictures became numbers, and why so. */
static void write_preprocessing(cx_str *out, const cx_page *p)
{
    static const char *const says[] = {
        [CVS_PREPROCESS_RAW] = "pixel values 0 to 255 as they are",
        [CVS_PREPROCESS_UNIT] = "pixel values divided by 255, so 0 to 1",
        [CVS_PREPROCESS_TF] = "pixel values brought to -1 to 1",
        [CVS_PREPROCESS_TORCH] = "0 to 1, less ImageNet's mean colour, by its deviation",
        [CVS_PREPROCESS_CAFFE] = "blue, green, red, less ImageNet's mean colour",
    };
    const char *why = "as it was asked for";
    cvs_preprocess mode = p->image.preprocess;
    if (mode == CVS_PREPROCESS_AUTO) mode = cvs_model_preprocess(p->m, p->pictured, &why);
    cx_str_addf(out, "<p class=\"aside\">Preprocessing: <b>%s</b>, %s (%s).",
                cvs_preprocess_name((int)mode), says[mode], why);
    cx_str_add(out, " If the network was trained on another range, its answers mean "
                    "nothing.</p>\n");
}

void cx_page_write_head(cx_str *out, const cx_page *p)
{
    cx_str totals = {0};
    char shape[CX_SHAPE_TEXT];
    cx_str_add(out, "<a class=\"skip\" href=\"#main\">Skip to the content</a>\n<header>\n<h1>");
    cx_xml_text(out, p->o->model ? cx_base_name(p->o->model) : p->m->name);
    cx_str_add(out, "</h1>\n<p class=\"lead\">");
    cx_graph_totals(&totals, p->m);
    if (totals.data) cx_xml_text(out, totals.data);
    out->failed |= totals.failed;
    cx_str_deinit(&totals);
    for (int i = 0; i < p->m->n_inputs; i++) {
        const cx_node *node = &p->m->nodes[p->m->inputs[i]];
        cx_str_add(out, i ? "; " : "<br>It takes ");
        cx_xml_text(out, node->name);
        cx_str_addf(out, " %s", cx_node_shape_text(shape, &node->shape));
    }
    cx_str_add(out, "</p>\n</header>\n");
    write_navigation(out, p);
    cx_str_add(out, "<main id=\"main\">\n");
    if (p->n_left_out == 0) return;
    cx_str_add(out, "<aside class=\"left-out\" aria-label=\"What is left out\">\n<p>Not on this "
                    "page:</p>\n<ul>\n");
    for (int i = 0; i < p->n_left_out; i++) {
        cx_str_add(out, "<li>");
        cx_xml_text(out, p->left_out[i]);
        cx_str_add(out, "</li>\n");
    }
    cx_str_add(out, "</ul></aside>\n");
}

/* --- answers --- */

static void write_photo(cx_str *out, const cx_page *p, int i)
{
    const cx_page_input *in = &p->inputs[i];
    cx_str_add(out, "<div class=\"pictures\">\n");
    if (in->photo.bytes.data) {
        cx_str_addf(out, "<figure><div class=\"photo photo-%d\" role=\"img\" aria-label=\"", i);
        cx_html_attribute(out, cx_base_name(in->name));
        cx_str_addf(out,
                    "\" style=\"aspect-ratio:%d/%d\"></div><figcaption>the file"
                    "</figcaption></figure>\n",
                    in->photo.width, in->photo.height);
    }
    if (in->seen.bytes.data) {
        cx_str_addf(out,
                    "<figure class=\"seen\"><img width=\"%d\" height=\"%d\" alt=\"The same, "
                    "as the network sees it\" src=\"",
                    in->seen.width, in->seen.height);
        cx_page_picture_write(out, &in->seen, "image/webp");
        cx_str_addf(out,
                    "\"><figcaption>what the network sees: %d × %d, from %.3g to %.3g"
                    "</figcaption></figure>\n",
                    in->seen.width, in->seen.height, in->low, in->high);
    }
    cx_str_add(out, "</div>\n");
}

static void write_bars(cx_str *out, const cx_page *p, const cx_page_input *in)
{
    char room[32];
    double most = 0;
    for (int i = 0; i < in->n_top; i++) most = fmax(most, fabs(in->top[i].value));
    cx_str_add(out, "<ol class=\"bars\">\n");
    for (int i = 0; i < in->n_top; i++) {
        const double v = in->top[i].value;
        const double share = in->is_probability ? v : most > 0 ? fmax(0, v) / most : 0;
        cx_str_add(out, "<li><span class=\"name\">");
        cx_xml_text(out, cx_page_class(p, in->top[i].index, room));
        /* thousandths, so that no locale's comma gets into the style */
        cx_str_addf(out,
                    "</span> <span class=\"bar\"><span style=\"width:calc(%ld%%/10)\"></span>"
                    "</span> <span class=\"value\">",
                    isfinite(share) ? lround(1000 * fmin(1, fmax(0, share))) : 0);
        if (in->is_probability)
            cx_str_addf(out, v > 0.9995 && v < 1 ? "%.3f %%" : "%.1f %%", 100 * v);
        else
            cx_str_addf(out, "%.4g", v);
        cx_str_add(out, "</span></li>\n");
    }
    cx_str_add(out, "</ol>\n");
}

/* Each photograph once, however often it is shown. */
static void write_photo_styles(cx_str *out, const cx_page *p)
{
    cx_str_add(out, "<style>\n");
    for (int i = 0; i < p->n_inputs; i++) {
        if (!p->inputs[i].photo.bytes.data) continue;
        cx_str_addf(out, ".photo-%d{background-image:url(", i);
        cx_page_picture_write(out, &p->inputs[i].photo, "image/webp");
        cx_str_add(out, ")}\n");
    }
    cx_str_add(out, "</style>\n");
}

void cx_page_write_answers(cx_str *out, const cx_page *p)
{
    if (p->n_good == 0) return;
    write_photo_styles(out, p);
    cx_str_add(out, "<section id=\"answers\" aria-labelledby=\"h-answers\">\n<h2 id=\"h-answers\">"
                    "What the network says</h2>\n<p>A classifier gives a number to each class it "
                    "was trained on; the longest bar is its answer. It can only choose from these, "
                    "whatever the picture shows.</p>\n<div class=\"cards\">\n");
    for (int i = 0; i < p->n_inputs; i++) {
        if (p->inputs[i].failure[0]) continue;
        cx_str_add(out, "<article class=\"card\"><h3>");
        cx_xml_text(out, cx_base_name(p->inputs[i].name));
        cx_str_add(out, "</h3>\n");
        write_photo(out, p, i);
        if (p->inputs[i].n_top > 0)
            write_bars(out, p, &p->inputs[i]);
        else
            cx_str_add(out, "<p>Its output is no list of classes but a map.</p>\n");
        cx_str_add(out, "</article>\n");
    }
    cx_str_add(out, "</div>\n");
    write_preprocessing(out, p);
    cx_str_add(out, "</section>\n");
}

/* --- findings --- */

void cx_page_write_findings(cx_str *out, const cx_page *p)
{
    if (p->n_findings == 0) return;
    cx_str_add(out, "<section id=\"findings\" aria-labelledby=\"h-findings\">\n<h2 "
                    "id=\"h-findings\">What to notice</h2>\n<p>Found by measuring, the most "
                    "serious first.</p>\n<ul class=\"findings\">\n");
    for (int serious = 1; serious >= 0; serious--)
        for (int i = 0; i < p->n_findings; i++) {
            const cx_page_finding *f = &p->findings[i];
            if (f->is_warning != serious) continue;
            cx_str_add(out, serious ? "<li class=\"warning\"><strong>Warning</strong> " : "<li>");
            cx_xml_text(out, f->text);
            if (f->node >= 0 && f->node != p->output)
                cx_str_addf(out, " <a href=\"#layer-%d\">See the layer</a>", f->node);
            cx_str_add(out, "</li>\n");
        }
    cx_str_add(out, "</ul>\n</section>\n");
}

void cx_page_write_foot(cx_str *out, const cx_page *p)
{
    (void)p;
    cx_str_addf(out,
                "</main>\n<footer><p>Made by convscope %s. This file is complete in itself: it "
                "asks no other machine for anything.</p></footer>\n",
                cvs_version());
}
