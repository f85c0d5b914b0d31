/* passes.h - what programs that measure passes through networks have in common: the input, and the
 * operations that direct sums would take. */
#ifndef BENCH_PASSES_H
#define BENCH_PASSES_H

#include "graph/run.h"

/* Of one picture; a layer's first weights are used once for each place of its output. */
static inline double flops_of(const cvs_model *m)
{
    double sum = 0;
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_layer *l = &m->layers[m->nodes[i].layer];
        cx_shape s = m->nodes[i].shape;
        if (l->n_weights < 1 || l->w[0].spec.shape.ndim < 2) continue;
        s.d[0] = s.d[s.ndim - 1] = 1;
        sum += 2.0 * (double)cx_shape_count(&s) * (double)cx_shape_count(&l->w[0].spec.shape);
    }
    return sum;
}

/* The numbers from 0 to 1 that all programs compute with. */
static inline void fill_input(float *x, int64_t n)
{
    uint32_t state = 1;
    for (int64_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(state >> 8) / 16777216;
    }
}

static inline int feed(cvs_run *run, cvs_error *err)
{
    cx_shape shape = run->inputs[0];
    int rc;
    shape.d[0] = run->batch;
    const int64_t n = cx_shape_count(&shape);
    if (n < 0) return cx_fail(err, CVS_E_ARG, "the model's input has no fixed size");
    float *x = cx_calloc((size_t)n, sizeof *x);
    if (!x) return cx_no_memory(err, (size_t)n * sizeof *x);
    fill_input(x, n);
    TRY(cvs_run_set_input(run, 0, x, shape.d, shape.ndim, err));
out:
    cx_free(x);
    return rc;
}

#endif
