/* refusal.c - layers that cannot be computed: the model has its place for them and tells what the
 * file says, and a run of it is refused. */
#include "graph/model.h"

void cx_model_refuse(cvs_model *m, int module, cvs_error *why)
{
    if (m->refusal.code == 0) {
        m->refusal = *why;
        for (int p = module; p > 0; p = m->modules[p].parent)
            cx_where(&m->refusal, why->code, "model \"%s\"", m->modules[p].name);
    }
    *why = (cvs_error){0};
}

int cx_model_can_run(const cvs_model *m, cvs_error *err)
{
    if (m->refusal.code < 0 && err) *err = m->refusal;
    return m->refusal.code;
}

int cx_model_make_unknown(cvs_model *m, int layer, const char *class_name, cvs_error *err)
{
    const cx_layer_kind *kind = cx_unknown_kind(class_name, m->arena);
    if (!kind) return cx_no_memory(err, sizeof *kind);
    m->layers[layer].kind = kind;
    m->layers[layer].class_name = kind->class_name;
    return 0;
}

void cx_model_state_shape(cvs_model *m, int node, const cx_shape *shape)
{
    if (m->nodes[node].shape.ndim > 0 || shape->ndim == 0) return;
    m->nodes[node].shape = *shape;
    m->nodes[node].shape.d[0] = CX_FREE;
}

int cx_model_is_open(const cvs_model *m, const cx_layer *l)
{
    return l->n_weights < 0 && m->entries[l->entry].calls > 0;
}
