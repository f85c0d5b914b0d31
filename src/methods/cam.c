/* cam.c - class activation maps that follow from what a layer gives and from how the goal changes
 * with it. */
#include <string.h>

#include "methods/method.h"

/* The map of one layer into the answer. */
static int map_layer(cx_question *q, const cx_gradient *g, int i, cvs_error *err)
{
    cx_stack a = {0}, d = {0};
    cvs_explanation *e = q->e;
    int rc;
    TRY(cx_stack_of(&a, q->model, q->layers[i], cx_gradient_source(g, i), 0, err));
    TRY(cx_stack_of(&d, q->model, q->layers[i], cx_gradient_result(g, i), 0, err));
    TRY(cx_answer_map(q, a.height, a.width, err));
    const int64_t n = a.height * a.width;
    const cx_cam cam = {a.data, d.data, a.height, a.width, a.channels};
    q->method->combine(&cam, e->data);
    if (q->o->is_signed) goto out;
    e->raw = cx_calloc((size_t)n, sizeof *e->raw);
    if (!e->raw) TRY(cx_no_memory(err, (size_t)n * sizeof *e->raw));
    memcpy(e->raw, e->data, (size_t)n * sizeof *e->raw);
    for (int64_t p = 0; p < n; p++)
        if (e->data[p] < 0) e->data[p] = 0;
out:
    cx_stack_deinit(&a);
    cx_stack_deinit(&d);
    return rc;
}

int cx_cam_explain(cx_question *q, cvs_error *err)
{
    cx_spot from[CX_MAX_LAYERS];
    cx_gradient *g = NULL;
    int rc;
    for (int i = 0; i < q->n_layers; i++) from[i] = (cx_spot){q->layers[i], 0};
    TRY(cx_question_gradient(&g, q, from, q->n_layers, 1, err));
    TRY(cx_question_forward(q, g, err));
    TRY(cx_gradient_backward(g, NULL, err));
    TRY(map_layer(q, g, 0, err));
    q->e->is_signed = q->o->is_signed;
out:
    cx_gradient_free(g);
    return rc;
}
