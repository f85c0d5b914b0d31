/* page_write_heat.c - the section of heatmaps: a figure for each input and class, whose scripts
 * draw one method after the other over it. */
#include <math.h>

#include "report/html.h"
#include "report/page.h"
#include "report/xml.h"

static void write_tools(cx_str *out, const cx_page *p)
{
    cx_str_add(out, "<div class=\"tools needs-js\" role=\"group\" aria-label=\"How heatmaps are "
                    "drawn\">\n<label>Method <select id=\"method\">\n");
    for (int k = 0; k < p->n_methods; k++) {
        cx_str_addf(out, "<option value=\"%d\">", k);
        cx_xml_text(out, p->methods[k]->title);
        cx_str_add(out, p->methods[k]->is_pixels ? " (pixels)</option>\n" : "</option>\n");
    }
    cx_str_add(out,
               "</select></label>\n<label>Opacity <input type=\"range\" id=\"opacity\" min=\"0\" "
               "max=\"100\" value=\"65\"></label>\n<label><input type=\"checkbox\" "
               "id=\"cells\"> the map's own cells</label>\n</div>\n");
}

/* What can be said of the map that is shown before any script runs. */
static void write_about(cx_str *out, const cx_page_map *map)
{
    cx_str_add(out, "<div class=\"about\">");
    if (map->failure[0]) {
        cx_str_add(out, "<p class=\"note\">");
        cx_xml_text(out, map->failure);
        cx_str_add(out, "</p>");
    } else if (map->e) {
        cx_str_add(out, "<p>");
        cx_xml_text(out, map->e->why_layer[0] ? map->e->why_layer : map->e->target);
        cx_str_add(out, "</p>");
    }
    cx_str_add(out, "</div>");
}

static void write_figure(cx_str *out, const cx_page *p, int first)
{
    const cx_page_map *map = &p->maps[first];
    const cx_page_input *in = &p->inputs[map->input];
    const int64_t class_index = in->classes[map->place];
    const int has_photo = in->photo.bytes.data != NULL;
    char room[32];
    const char *name = cx_page_class(p, class_index, room);
    const cx_page_picture *size = has_photo ? &in->photo : &map->picture;
    cx_str_addf(out,
                "<figure class=\"heat\" data-first=\"%d\"><div class=\"stack\" "
                "style=\"aspect-ratio:%d/%d\">",
                first, size->width > 0 ? size->width : 1, size->height > 0 ? size->height : 1);
    if (has_photo) {
        cx_str_addf(out, "<div class=\"photo photo-%d\" role=\"img\" aria-label=\"", map->input);
        cx_html_attribute(out, cx_base_name(in->name));
        cx_str_add(out, "\"></div>");
    }
    cx_str_add(out, "<canvas role=\"img\" aria-label=\"Heatmap for ");
    cx_html_attribute(out, name);
    cx_str_add(out, "\"></canvas>");
    if (map->picture.bytes.data && !map->is_signed) {
        cx_str_add(out, "<noscript><img class=\"spot\" alt=\"\" src=\"");
        cx_page_picture_write(out, &map->picture, "image/png");
        cx_str_add(out, "\"></noscript>");
    }
    cx_str_add(out, "</div>\n<figcaption><h4>Evidence for ");
    cx_xml_text(out, name);
    if (map->e && isfinite(map->e->probability))
        cx_str_addf(out, " <span class=\"value\">%.1f %%</span>", 100 * map->e->probability);
    else if (map->e)
        cx_str_addf(out, " <span class=\"value\">%.4g</span>", map->e->score);
    cx_str_add(out,
               "</h4>\n<div class=\"legend needs-js\" aria-hidden=\"true\"><span></span><canvas "
               "width=\"256\" height=\"1\"></canvas><span></span></div>\n");
    write_about(out, map);
    cx_str_add(out, "</figcaption></figure>\n");
}

void cx_page_write_heat(cx_str *out, const cx_page *p)
{
    if (p->n_drawn == 0) return;
    cx_str_add(out,
               "<section id=\"evidence\" aria-labelledby=\"h-evidence\">\n<h2 id=\"h-evidence\">"
               "Where the evidence lies</h2>\n<p>A heatmap shows which parts of the picture speak "
               "for a class. If it lies on the object, the network looks at the right thing; if it "
               "lies on the background, it has learned a shortcut. A class activation map is as "
               "coarse as the layer it comes from; a map of pixels is fine but noisy.</p>\n");
    write_tools(out, p);
    cx_str_add(out, "<div class=\"groups\">\n");
    for (int i = 0; i < p->n_inputs; i++) {
        int begun = 0;
        for (int k = 0; k < p->n_maps; k++) {
            if (p->maps[k].input != i || p->maps[k].method != 0) continue;
            if (!begun) {
                cx_str_add(out, "<div class=\"group\"><h3>");
                cx_xml_text(out, cx_base_name(p->inputs[i].name));
                cx_str_add(out, "</h3>\n<div class=\"heats\">\n");
            }
            begun = 1;
            write_figure(out, p, k);
        }
        if (begun) cx_str_add(out, "</div></div>\n");
    }
    cx_str_add(out, "</div>\n</section>\n");
}
