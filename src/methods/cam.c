/* cam.c - class activation maps that follow from what a layer gives and from how the goal changes
 * with it. */
#include <string.h>

#include "methods/method.h"

/* The map of one layer into the answer; `g` may be NULL. */
static int map_layer(cx_question *q, int node, const cx_tensor *a, const cx_tensor *g,
                     cvs_error *err)
{
    cx_stack sa = {0}, sg = {0};
    int rc;
    TRY(cx_stack_of(&sa, q->model, node, a, 0, err));
    if (g) TRY(cx_stack_of(&sg, q->model, node, g, 0, err));
    TRY(cx_answer_map(q, sa.height, sa.width, err));
    const cx_cam cam = {sa.data, sg.data, sa.height, sa.width, sa.channels};
    q->method->combine(&cam, q->e->data);
    TRY(cx_answer_cut_off(q, err));
out:
    cx_stack_deinit(&sa);
    cx_stack_deinit(&sg);
    return rc;
}

static int map_of_activations(cx_question *q, cvs_error *err)
{
    cvs_run *run = NULL;
    int rc;
    TRY(cx_question_run(&run, q, q->layers[0], err));
    TRY(map_layer(q, q->layers[0], &run->slots[q->layers[0]].y, NULL, err));
out:
    cvs_run_free(run);
    return rc;
}

/* Less of what speaks for the class is what would make it less likely. */
static void negate(const cx_tensor *t)
{
    float *v = t->data;
    for (int64_t i = 0, n = cx_shape_count(&t->shape); i < n; i++) v[i] = -v[i];
}

int cx_cam_explain(cx_question *q, cvs_error *err)
{
    cx_gradient *g = NULL;
    int rc;
    if (q->n_layers > 1) {
        rc = cx_fail(err, CVS_E_UNSUPPORTED, "maps made from several layers are not supported");
        cx_hint(err, "--layer given several times puts their maps below each other");
        return rc;
    }
    if (q->method->has_no_goal) return map_of_activations(q, err);
    const cx_spot from = {q->layers[0], 0};
    TRY(cx_question_gradient(&g, q, &from, 1, 1, err));
    TRY(cx_question_forward(q, g, err));
    TRY(cx_gradient_backward(g, NULL, err));
    if (q->o->counterfactual) negate(cx_gradient_result(g, 0));
    TRY(map_layer(q, from.node, cx_gradient_source(g, 0), cx_gradient_result(g, 0), err));
out:
    cx_gradient_free(g);
    return rc;
}
