/* chart.c - a model as a flow chart, level by level: a nested model is arranged first and then is
 * one box of the level around it. */
#include "report/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "graph/outline.h"

enum {
    MOST_NODES = 5000, /* of a model that is drawn: NASNetLarge has about 1,000 */
    NARROW = 150,      /* of a layer's box, least and most */
    WIDE = 250,
};

typedef struct builder {
    const cvs_model *m;
    cx_font *font;
    cx_arena *arena;
    double width; /* of every layer's box */
    cvs_error *err;
} builder;

/* --- text --- */

void cx_chart_shape(char out[CX_CHART_SHAPE], const cx_shape *shape)
{
    int n = 0;
    out[0] = 0;
    if (shape->ndim == 0) memcpy(out, "?", 2);
    for (int i = 1; i < shape->ndim; i++) {
        const char *times = i > 1 ? " × " : "";
        if (shape->d[i] == CX_FREE)
            n += snprintf(out + n, (size_t)(CX_CHART_SHAPE - n), "%s?", times);
        else
            n += snprintf(out + n, (size_t)(CX_CHART_SHAPE - n), "%s%lld", times,
                          (long long)shape->d[i]);
    }
}

int cx_chart_bold(cx_font *font, int size, const char *text)
{
    return cx_font_width(font, size, text) * 9 / 8;
}

/* Width of a layer's box that holds its text. */
static double text_width(const builder *b, const cx_node *node)
{
    const cx_layer *l = &b->m->layers[node->layer];
    char shape[CX_CHART_SHAPE], number[32], params[48];
    cx_chart_shape(shape, &node->shape);
    snprintf(params, sizeof params, "%s params", cx_commas(number, cx_layer_params(l)));
    int width = cx_chart_bold(b->font, CX_CHART_CLASS, l->class_name);
    int name = cx_font_width(b->font, CX_CHART_NAME, node->name);
    int last = cx_font_width(b->font, CX_CHART_SMALL, shape);
    if (cx_layer_params(l) > 0)
        last += cx_font_width(b->font, CX_CHART_SMALL, params) + 2 * CX_CHART_PAD;
    if (name > width) width = name;
    return last > width ? last : width;
}

static double box_width(const builder *b)
{
    double width = NARROW;
    for (int i = 0; i < b->m->n_nodes; i++)
        width = fmax(width, 2 * CX_CHART_PAD + ceil(text_width(b, &b->m->nodes[i])));
    return fmin(width, WIDE);
}

/* --- levels --- */

/* What is around a level: the nodes that a nested model is called on and those that it gives. */
typedef struct surroundings {
    const int *in, *out;
    int n_in, n_out;
} surroundings;

static int make_level(cx_chart **out, builder *b, int call);

static void count_params(cx_chart_item *item, const cvs_model *m, int module)
{
    for (int e = 0; e < m->n_entries; e++) {
        const cx_entry *entry = &m->entries[e];
        if (entry->layer < 0 || !cx_model_is_inside(m, entry->module, module)) continue;
        item->params += cx_layer_params(&m->layers[entry->layer]);
        item->trainable += cx_layer_trainable_params(&m->layers[entry->layer]);
    }
}

/* Width of the head of a nested model's frame. */
static double head_width(const builder *b, int call, int64_t params)
{
    const cx_module *module = &b->m->modules[b->m->calls[call].module];
    char shape[CX_CHART_SHAPE] = "", number[32];
    const cx_module_call *c = &b->m->calls[call];
    cx_chart_shape(shape, &b->m->nodes[c->out[c->n_out - 1]].shape);
    int first = cx_chart_bold(b->font, CX_CHART_CLASS, module->class_name);
    int name = cx_font_width(b->font, CX_CHART_NAME, module->name);
    int second = cx_font_width(b->font, CX_CHART_SMALL, shape) +
                 cx_font_width(b->font, CX_CHART_SMALL, cx_commas(number, params)) + 80;
    return 2 * CX_CHART_PAD + fmax(fmin(first + name + 24, 2 * WIDE), second);
}

static int fill_box(cx_flow_box *box, cx_chart_item *item, const cx_outline_call *call, builder *b)
{
    item->node = call->node;
    item->call = call->call;
    if (call->node >= 0) {
        *box = (cx_flow_box){.width = b->width, .height = CX_CHART_BOX};
        return 0;
    }
    int rc = make_level(&item->inside, b, call->call);
    if (rc < 0) return rc;
    const cx_flow *inside = &item->inside->flow;
    count_params(item, b->m, b->m->calls[call->call].module);
    box->width = fmax(inside->width + 2 * CX_CHART_INSIDE, head_width(b, call->call, item->params));
    box->height = inside->height + CX_CHART_HEAD;
    item->inside_dx = (box->width - inside->width) / 2;
    return 0;
}

/* Where the line of a nested model's input or output meets its frame. */
static double port_of(const cx_chart_item *item, int port, int output)
{
    if (!item->inside) return -1;
    const cx_flow *flow = &item->inside->flow;
    int n_out = 0;
    for (int i = 0; i < flow->n_boxes; i++) n_out += flow->boxes[i].pin == CX_FLOW_LAST;
    const cx_flow_box *box = &flow->boxes[output ? flow->n_boxes - n_out + port : port];
    return item->inside_dx + box->x + box->width / 2;
}

/* From the box that gives a node to another one. */
static void add_edge(cx_chart *chart, cx_flow_edge *edges, const cx_outline *o,
                     const surroundings *ends, int node, int to, double enter)
{
    cx_flow_edge edge = {.to = to, .enter = enter, .leave = -1};
    int giver = o->giver[node];
    if (giver >= 0) {
        edge.from = ends->n_in + giver;
        edge.leave = port_of(&chart->items[edge.from], o->output[node], 1);
    } else {
        while (edge.from < ends->n_in && ends->in[edge.from] != node) edge.from++;
        if (edge.from == ends->n_in) return;
    }
    edges[chart->flow.n_edges++] = edge;
}

static void connect(cx_chart *chart, cx_flow_edge *edges, const cx_outline *o,
                    const surroundings *ends)
{
    for (int i = 0; i < o->n_calls; i++) {
        const cx_chart_item *item = &chart->items[ends->n_in + i];
        for (int k = 0; k < o->calls[i].n_in; k++)
            add_edge(chart, edges, o, ends, o->calls[i].in[k], ends->n_in + i, port_of(item, k, 0));
    }
    for (int t = 0; t < ends->n_out; t++)
        add_edge(chart, edges, o, ends, ends->out[t], ends->n_in + o->n_calls + t, -1);
    chart->flow.edges = edges;
}

static int fill_level(cx_chart *chart, builder *b, const cx_outline *o, const surroundings *ends)
{
    const int n = ends->n_in + o->n_calls + ends->n_out;
    size_t n_edges = (size_t)ends->n_out + 1;
    for (int i = 0; i < o->n_calls; i++) n_edges += (size_t)o->calls[i].n_in;
    cx_flow_edge *edges = cx_arena_array(b->arena, n_edges, sizeof *edges);
    chart->flow.boxes = cx_arena_array(b->arena, (size_t)n, sizeof *chart->flow.boxes);
    chart->items = cx_arena_array(b->arena, (size_t)n, sizeof *chart->items);
    if (!edges || !chart->flow.boxes || !chart->items)
        return cx_no_memory(b->err, (size_t)n * sizeof *chart->items);
    chart->flow.n_boxes = n;
    for (int i = 0; i < n; i++) {
        const int call = i - ends->n_in;
        chart->items[i] = (cx_chart_item){.node = -1, .call = -1};
        if (call < 0 || call >= o->n_calls) {
            chart->flow.boxes[i].pin = call < 0 ? CX_FLOW_FIRST : CX_FLOW_LAST;
            continue;
        }
        int rc = fill_box(&chart->flow.boxes[i], &chart->items[i], &o->calls[call], b);
        if (rc < 0) return rc;
    }
    connect(chart, edges, o, ends);
    return cx_flow_arrange(&chart->flow, b->arena, b->err);
}

static int make_level(cx_chart **out, builder *b, int call)
{
    surroundings around = {0};
    cx_outline outline;
    int rc;
    cx_arena *arena = cx_arena_new(); /* of the outline, which is not needed afterwards */
    cx_chart *chart = cx_arena_alloc(b->arena, sizeof *chart);
    if (!arena || !chart) {
        rc = cx_no_memory(b->err, sizeof *chart);
        goto out;
    }
    if (call != CX_WHOLE) {
        const cx_module_call *c = &b->m->calls[call];
        around = (surroundings){c->in, c->out, c->n_in, c->n_out};
    }
    TRY(cx_outline_make(&outline, b->m, call, arena, b->err));
    TRY(fill_level(chart, b, &outline, &around));
    *out = chart;
out:
    cx_arena_free(arena);
    return rc;
}

int cx_chart_make(cx_chart **out, const cvs_model *m, cx_font *font, cx_arena *arena,
                  cvs_error *err)
{
    builder b = {.m = m, .font = font, .arena = arena, .err = err};
    *out = NULL;
    if (m->n_nodes > MOST_NODES)
        return cx_fail(err, CVS_E_UNSUPPORTED,
                       "a model of %d layers is too large to be drawn, %d are possible", m->n_nodes,
                       MOST_NODES);
    b.width = box_width(&b);
    return make_level(out, &b, CX_WHOLE);
}
