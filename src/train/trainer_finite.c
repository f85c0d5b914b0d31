/* trainer_finite.c - where a number that is not finite began. */
#include <math.h>
#include <string.h>

#include "train/trainer.h"

static int all_finite(const float *x, int64_t n)
{
    int64_t odd = 0;
    for (int64_t i = 0; i < n; i++) odd += !isfinite(x[i]);
    return odd == 0;
}

static int weights_are_finite(const cx_layer *l)
{
    int finite = 1;
    for (int k = 0; k < l->n_weights; k++)
        finite &= all_finite(l->w[k].data, cx_shape_count(&l->w[k].spec.shape));
    return finite;
}

/* The run of the step has given memory of activations to others, so it is made again with all of
 * them kept; with the same draws, and without moving anything. */
static int repeat(cvs_run **out, const cx_trainer *t, cvs_error *err)
{
    const cvs_run *step = t->gradient->run;
    const cvs_model *m = &t->variant.model;
    const cx_tensor *from = &step->slots[m->inputs[0]].y;
    int rc;
    TRY(cx_run_new(out, m, step->batch, t->exact, err));
    cx_run_train(*out, NULL);
    for (int i = 0; i < m->n_nodes; i++) {
        cx_run_keep(*out, i);
        cx_run_keep_linear(*out, i);
    }
    TRY(cvs_run_set_input(*out, 0, from->data, from->shape.d, from->shape.ndim, err));
    (*out)->seed = step->seed;
    TRY(cvs_run_forward(*out, err));
out:
    return rc;
}

static int blame_node(const cvs_model *m, int node, cvs_error *err)
{
    const cx_layer *l = &m->layers[m->nodes[node].layer];
    if (m->nodes[node].n_inputs == 0)
        return cx_fail(err, CVS_E_DIVERGED,
                       "the loss is not a number: the input has some that are "
                       "not finite");
    return cx_fail(err, CVS_E_DIVERGED,
                   "the loss is not a number: it began in layer \"%s\", whose %s not finite",
                   m->nodes[node].name, weights_are_finite(l) ? "output is" : "weights are");
}

int cx_trainer_blame_forward(const cx_trainer *t, cvs_error *err)
{
    const cvs_model *m = &t->variant.model;
    cvs_run *run = NULL;
    int rc;
    TRY(repeat(&run, t, err));
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_slot *s = &run->slots[i];
        const int64_t n = s->needed ? cx_shape_count(&s->shape) : 0;
        if (all_finite(s->y.data, n) && (!s->keeps_linear || all_finite(s->linear.data, n)))
            continue;
        TRY(blame_node(m, i, err));
    }
    rc = cx_fail(err, CVS_E_DIVERGED, "the loss is not a number, though the model's output is");
out:
    cvs_run_free(run);
    if (rc == CVS_E_DIVERGED)
        cx_hint(err, "a smaller learning rate may help, or clipped derivatives");
    return rc;
}

/* Derivatives go from the last layer to the first, so the last one that is spoilt was the first. */
int cx_trainer_blame_update(const cx_trainer *t, cvs_error *err)
{
    const cvs_model *m = &t->variant.model;
    for (int i = m->n_nodes - 1; i >= 0; i--) {
        const cx_layer *l = &m->layers[m->nodes[i].layer];
        if (!l->trainable || weights_are_finite(l)) continue;
        int rc = cx_fail(err, CVS_E_DIVERGED,
                         "the derivative is not finite: it began in layer \"%s\", whose weights "
                         "are spoilt",
                         m->nodes[i].name);
        cx_hint(err, "a smaller learning rate may help, or clipped derivatives");
        return rc;
    }
    return cx_fail(err, CVS_E_DIVERGED, "the derivative is not finite");
}
