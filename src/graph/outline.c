/* outline.c - the calls on one level of a model. */
#include "graph/outline.h"

/* Whether call c of a nested model stands directly in the level `outer`. */
static int is_on_level(const cvs_model *m, int c, int outer)
{
    const cx_module_call *call = &m->calls[c];
    if (outer == CX_WHOLE) return m->modules[call->module].parent == 0;
    return m->modules[call->module].parent == m->calls[outer].module &&
           call->first >= m->calls[outer].first && call->last <= m->calls[outer].last;
}

static void add_layer(cx_outline *o, const cvs_model *m, int node, int *layers)
{
    const cx_node *n = &m->nodes[node];
    o->giver[node] = o->n_calls;
    o->calls[o->n_calls++] = (cx_outline_call){.node = node,
                                               .call = -1,
                                               .number = layers[n->layer]++,
                                               .in = n->inputs,
                                               .n_in = n->n_inputs};
}

static void add_nested(cx_outline *o, const cvs_model *m, int c, int *modules)
{
    const cx_module_call *call = &m->calls[c];
    for (int t = call->n_out - 1; t >= 0; t--) {
        if (call->out[t] < call->first) continue; /* an input that is handed on */
        o->giver[call->out[t]] = o->n_calls;
        o->output[call->out[t]] = t;
    }
    o->calls[o->n_calls++] = (cx_outline_call){.node = -1,
                                               .call = c,
                                               .number = modules[call->module]++,
                                               .in = call->in,
                                               .n_in = call->n_in};
}

int cx_outline_make(cx_outline *out, const cvs_model *m, int call, cx_arena *arena, cvs_error *err)
{
    const int first = call == CX_WHOLE ? 0 : m->calls[call].first;
    const int last = call == CX_WHOLE ? m->n_nodes : m->calls[call].last;
    const size_t n = (size_t)m->n_nodes;
    int *layers = cx_arena_array(arena, (size_t)m->n_layers + 1, sizeof *layers);
    int *modules = cx_arena_array(arena, (size_t)m->n_modules + 1, sizeof *modules);
    *out = (cx_outline){.calls = cx_arena_array(arena, (size_t)(last - first), sizeof *out->calls),
                        .giver = cx_arena_array(arena, n, sizeof *out->giver),
                        .output = cx_arena_array(arena, n, sizeof *out->output)};
    if (!out->calls || !out->giver || !out->output || !layers || !modules)
        return cx_no_memory(err, n * sizeof *out->calls);
    for (int i = 0; i < m->n_nodes; i++) out->giver[i] = -1;
    /* calls of one level are kept in the order of their nodes */
    int i = first;
    for (int c = 0; c < m->n_calls; c++) {
        if (!is_on_level(m, c, call)) continue;
        for (; i < m->calls[c].first; i++) add_layer(out, m, i, layers);
        add_nested(out, m, c, modules);
        i = m->calls[c].last;
    }
    for (; i < last; i++) add_layer(out, m, i, layers);
    return 0;
}
