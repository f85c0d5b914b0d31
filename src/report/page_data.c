/* page_data.c - what the page's scripts read, and what other programs do. */
#include <string.h>

#include "report/html.h"
#include "report/page.h"

/* --- for the scripts --- */

static void add_floats(cx_json_writer *w, const char *key, const float *x, int n)
{
    cx_json_open(w, key, '[');
    for (int i = 0; i < n; i++) cx_json_add_number(w, NULL, (double)x[i]);
    cx_json_close(w, ']');
}

static void add_sheet(cx_json_writer *w, const cx_page_sheet *s, int input)
{
    cx_json_open(w, NULL, '{');
    cx_json_add_int(w, "input", input);
    cx_json_add_int(w, "height", s->cells.height);
    cx_json_add_int(w, "width", s->cells.width);
    cx_json_add_int(w, "columns", s->cells.columns);
    cx_json_add_int(w, "channels", s->cells.channels);
    add_floats(w, "low", s->cells.low, s->cells.channels);
    add_floats(w, "high", s->cells.high, s->cells.channels);
    cx_json_open(w, "mean", '[');
    for (int c = 0; c < s->cells.channels; c++) cx_json_add_number(w, NULL, s->each[c].mean);
    cx_json_close(w, ']');
    cx_json_open(w, "sparsity", '[');
    for (int c = 0; c < s->cells.channels; c++) cx_json_add_number(w, NULL, s->each[c].sparsity);
    cx_json_close(w, ']');
    cx_json_open(w, "dead", '[');
    for (int c = 0; c < s->cells.channels; c++)
        if (s->each[c].dead) cx_json_add_int(w, NULL, c);
    cx_json_close(w, ']');
    cx_json_close(w, '}');
}

static void add_layer(cx_json_writer *w, const cx_page *p, const cx_page_layer *l)
{
    const cx_node *node = &p->m->nodes[l->node];
    cx_json_open(w, NULL, '{');
    cx_json_add_string(w, "name", node->name);
    cx_json_add_string(w, "class", p->m->layers[node->layer].class_name);
    cx_json_add_int(w, "shrink", l->shrink);
    cx_json_open(w, "sheets", '[');
    for (int i = 0; i < p->n_inputs; i++)
        if (l->sheets[i].picture.bytes.data) add_sheet(w, &l->sheets[i], i);
    cx_json_close(w, ']');
    cx_json_close(w, '}');
}

static void add_map(cx_json_writer *w, const cx_page *p, const cx_page_map *map)
{
    const cx_page_input *in = &p->inputs[map->input];
    cx_str uri = {0};
    char room[32];
    cx_json_open(w, NULL, '{');
    cx_json_add_int(w, "input", map->input);
    cx_json_add_int(w, "place", map->place);
    cx_json_add_string(w, "of", cx_page_class(p, in->classes[map->place], room));
    cx_json_add_int(w, "method", map->method);
    if (map->e) {
        cx_data_uri(&uri, "image/png", map->picture.bytes.data, map->picture.bytes.size);
        cx_json_add_string(w, "png", uri.data);
        w->text.failed |= uri.failed;
        cx_json_add_int(w, "width", map->picture.width);
        cx_json_add_int(w, "height", map->picture.height);
        cx_json_add_number(w, "limit", map->limit);
        cx_json_add_number(w, "peak", map->peak);
        cx_json_add_bool(w, "signed", map->is_signed);
        cx_json_add_string(w, "layer", map->e->layer);
        cx_json_add_string(w, "why", map->e->why_layer);
        cx_json_add_string(w, "target", map->e->target);
        cx_json_add_string(w, "notes", map->e->notes);
    } else
        cx_json_add_string(w, "failure", map->failure);
    cx_json_close(w, '}');
    cx_str_deinit(&uri);
}

void cx_page_add_colours(cx_json_writer *w, const char *key, cx_colormap map)
{
    uint8_t rgb[3 * CX_MAP_SIZE];
    cx_str text = {0};
    cx_colormap_fill(rgb, CX_MAP_SIZE, map);
    for (int i = 0; i < 3 * CX_MAP_SIZE; i++) cx_str_addf(&text, "%02x", rgb[i]);
    cx_json_add_string(w, key, text.data);
    w->text.failed |= text.failed;
    cx_str_deinit(&text);
}

int cx_page_data(char **out, const cx_page *p, cvs_error *err)
{
    cx_json_writer w = {0};
    cx_json_open(&w, NULL, '{');
    cx_json_add_int(&w, "levels", CX_LEVELS_OF_BYTE);
    cx_page_add_colours(&w, "viridis", CX_MAP_VIRIDIS);
    cx_page_add_colours(&w, "magma", CX_MAP_MAGMA);
    cx_page_add_colours(&w, "diverging", CX_MAP_DIVERGING);
    cx_json_open(&w, "inputs", '[');
    for (int i = 0; i < p->n_inputs; i++)
        cx_json_add_string(&w, NULL, cx_base_name(p->inputs[i].name));
    cx_json_close(&w, ']');
    cx_json_open(&w, "methods", '[');
    for (int i = 0; i < p->n_methods; i++) {
        cx_json_open(&w, NULL, '{');
        cx_json_add_string(&w, "title", p->methods[i]->title);
        cx_json_add_string(&w, "cite", p->methods[i]->cite);
        cx_json_add_bool(&w, "pixels", p->methods[i]->is_pixels);
        cx_json_close(&w, '}');
    }
    cx_json_close(&w, ']');
    cx_json_open(&w, "layers", '[');
    for (int i = 0; p->n_good > 0 && i < p->n_layers; i++) add_layer(&w, p, &p->layers[i]);
    cx_json_close(&w, ']');
    cx_json_open(&w, "maps", '[');
    for (int i = 0; i < p->n_maps; i++) add_map(&w, p, &p->maps[i]);
    cx_json_close(&w, ']');
    cx_json_close(&w, '}');
    return cx_json_finish(out, &w, err);
}

/* --- for other programs --- */

static void index_input(cx_json_writer *w, const cx_page *p, const cx_page_input *in)
{
    char room[32];
    cx_json_open(w, NULL, '{');
    cx_json_add_string(w, "input", in->name);
    cx_json_add_string(w, "failure", in->failure[0] ? in->failure : NULL);
    cx_json_open(w, "top", '[');
    for (int i = 0; i < in->n_top; i++) {
        cx_json_open(w, NULL, '{');
        cx_json_add_int(w, "index", in->top[i].index);
        cx_json_add_string(w, "name", cx_page_class(p, in->top[i].index, room));
        cx_json_add_number(w, "score", in->top[i].value);
        cx_json_close(w, '}');
    }
    cx_json_close(w, ']');
    cx_json_close(w, '}');
}

int cx_page_index(char **out, const cx_page *p, const char *path, cvs_error *err)
{
    cx_json_writer w = {0};
    cx_json_open(&w, NULL, '{');
    cx_json_add_string(&w, "model", p->m->name);
    cx_json_add_string(&w, "report", path);
    cx_json_open(&w, "inputs", '[');
    for (int i = 0; i < p->n_inputs; i++) index_input(&w, p, &p->inputs[i]);
    cx_json_close(&w, ']');
    cx_json_open(&w, "findings", '[');
    for (int i = 0; i < p->n_findings; i++) {
        const cx_page_finding *f = &p->findings[i];
        cx_json_open(&w, NULL, '{');
        cx_json_add_bool(&w, "warning", f->is_warning);
        cx_json_add_string(&w, "layer", f->node >= 0 ? p->m->nodes[f->node].name : NULL);
        cx_json_add_string(&w, "text", f->text);
        cx_json_close(&w, '}');
    }
    cx_json_close(&w, ']');
    cx_json_open(&w, "left_out", '[');
    for (int i = 0; i < p->n_left_out; i++) cx_json_add_string(&w, NULL, p->left_out[i]);
    cx_json_close(&w, ']');
    cx_json_close(&w, '}');
    return cx_json_finish(out, &w, err);
}
