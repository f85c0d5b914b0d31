/* tail.c - a run that begins in the middle. */
#include "graph/tail.h"

#include <string.h>

/* For each node: whether what it gives depends on `node`, and whether the tail reads it. */
enum { DEPENDS = 1, READ = 2 };

static uint8_t *mark(const cvs_model *m, int node, const cx_spot *to, cvs_error *err)
{
    uint8_t *marks = cx_calloc((size_t)m->n_nodes, 1);
    if (!marks) {
        (void)cx_no_memory(err, (size_t)m->n_nodes);
        return NULL;
    }
    marks[node] = DEPENDS | READ;
    for (int i = node + 1; i < m->n_nodes; i++)
        for (int k = 0; k < m->nodes[i].n_inputs; k++)
            marks[i] |= marks[m->nodes[i].inputs[k]] & DEPENDS;
    marks[to->node] |= READ;
    for (int i = m->n_nodes - 1; i > node; i--)
        for (int k = 0; marks[i] == (DEPENDS | READ) && k < m->nodes[i].n_inputs; k++)
            marks[m->nodes[i].inputs[k]] |= READ;
    return marks;
}

/* What the tail is given: what it reads and does not compute. */
static int is_given(const uint8_t *marks, int i, int node)
{
    return i == node || marks[i] == READ;
}

int cx_tail_keep(cvs_run *base, int node, const cx_spot *to, cvs_error *err)
{
    uint8_t *marks = mark(base->model, node, to, err);
    if (!marks) return CVS_E_NOMEM;
    for (int i = 0; i < base->model->n_nodes; i++)
        if (is_given(marks, i, node)) cx_run_keep(base, i);
    cx_free(marks);
    return 0;
}

/* The same numbers for every input of the batch. */
static void repeat(const cx_tensor *x, int from, cx_tensor *y)
{
    const int64_t n = cx_shape_count_range(&x->shape, 1, x->shape.ndim);
    for (int64_t i = 0; i < y->shape.d[0]; i++)
        memcpy(y->data + i * n, x->data + from * n, (size_t)n * sizeof(float));
}

int cx_tail_begin(cvs_run *run, const cvs_run *base, int from, int node, const cx_spot *to,
                  cvs_error *err)
{
    const cvs_model *m = base->model;
    uint8_t *marks = mark(m, node, to, err);
    int rc = 0;
    if (!marks) return CVS_E_NOMEM;
    if (!(marks[to->node] & DEPENDS))
        TRY(cx_fail(err, CVS_E_ARG, "%s does not depend on layer \"%s\"", m->nodes[to->node].name,
                    m->nodes[node].name));
    for (int i = 0; i < m->n_nodes; i++) {
        cx_shape shape = base->slots[i].shape;
        shape.d[0] = run->batch;
        if (is_given(marks, i, node)) cx_run_give(run, i, &shape);
    }
    TRY(cx_run_plan(run, err));
    for (int i = 0; i < m->n_nodes; i++)
        if (is_given(marks, i, node)) repeat(&base->slots[i].y, from, &run->slots[i].y);
out:
    cx_free(marks);
    return rc;
}

int cx_tail_new(cvs_run **out, const cvs_run *base, int from, int node, const cx_spot *to,
                int batch, cvs_error *err)
{
    int rc;
    *out = NULL;
    TRY(cx_run_new(out, base->model, batch, base->exact, err));
    cx_run_keep(*out, to->node);
    if (to->linear) cx_run_keep_linear(*out, to->node);
    TRY(cx_tail_begin(*out, base, from, node, to, err));
out:
    if (rc < 0) {
        cvs_run_free(*out);
        *out = NULL;
    }
    return rc;
}
