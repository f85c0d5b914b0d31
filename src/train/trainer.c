/* trainer.c - steps of training. */
#include "train/trainer.h"

#include <math.h>
#include <string.h>

#include "base/random.h"

static int copy_class_weight(cx_trainer *t, const double *weight, cvs_error *err)
{
    if (!weight) return 0;
    t->class_weight = cx_arena_array(t->variant.model.arena, (size_t)t->n_classes, sizeof *weight);
    if (!t->class_weight) return cx_no_memory(err, (size_t)t->n_classes * sizeof *weight);
    for (int i = 0; i < t->n_classes; i++) {
        if (!(weight[i] >= 0 && isfinite(weight[i])))
            return cx_fail(err, CVS_E_ARG, "class %d has a weight of %g", i, weight[i]);
        t->class_weight[i] = weight[i];
    }
    return 0;
}

static int make_gradient(cx_trainer *t, cvs_error *err)
{
    const cx_gradient_options o = {.batch = t->batch,
                                   .exact = t->exact,
                                   .to = &t->spot,
                                   .n_to = 1,
                                   .keep = t->output,
                                   .training = 1,
                                   .moving = t->moving,
                                   .dw = t->dw};
    return cx_gradient_new(&t->gradient, &t->variant.model, &o, err);
}

int cx_trainer_init(cx_trainer *out, const cvs_model *m, const cx_trainer_options *o,
                    cvs_error *err)
{
    int rc;
    *out = (cx_trainer){.loss = o->loss,
                        .batch = o->batch,
                        .n_classes = o->n_classes,
                        .exact = o->exact,
                        .seed = o->seed};
    if (o->batch < 1) TRY(cx_fail(err, CVS_E_ARG, "a batch of %d", o->batch));
    if (o->n_classes < 1) TRY(cx_fail(err, CVS_E_ARG, "%d classes", o->n_classes));
    TRY(cx_model_can_run(m, err));
    TRY(cx_variant_init(&out->variant, m, err));
    TRY(cx_trainer_find_target(out, err));
    TRY(cx_trainer_freeze(out, o->freeze, o->n_freeze, err));
    TRY(cx_trainer_find_parameters(out, err));
    TRY(copy_class_weight(out, o->class_weight, err));
    out->weight = cx_arena_array(out->variant.model.arena, (size_t)o->batch, sizeof *out->weight);
    out->label = cx_arena_array(out->variant.model.arena, (size_t)o->batch, sizeof *out->label);
    if (!out->weight || !out->label) TRY(cx_no_memory(err, (size_t)o->batch * sizeof(double)));
    TRY(cx_optimizer_init(&out->optimizer, &o->optimizer, out->parameters, out->n_parameters, err));
    TRY(make_gradient(out, err));
out:
    if (rc < 0) cx_trainer_deinit(out);
    return rc;
}

void cx_trainer_deinit(cx_trainer *t)
{
    cx_gradient_free(t->gradient);
    cvs_run_free(t->run);
    cx_optimizer_deinit(&t->optimizer);
    cx_block_deinit(&t->derivatives);
    cx_variant_deinit(&t->variant);
    *t = (cx_trainer){0};
}

/* --- a batch --- */

/* Examples straight into the input of a run, and their classes and weights. */
static int fill(cx_trainer *t, cvs_run *run, const cx_batch *b, cvs_error *err)
{
    cx_shape shape = t->variant.model.nodes[t->variant.model.inputs[0]].shape;
    int rc;
    shape.d[0] = b->n;
    if (!cx_shape_is_known(&shape))
        TRY(cx_fail(err, CVS_E_UNSUPPORTED, "the model leaves the size of its input open"));
    TRY(cx_run_set_shape(run, 0, &shape, err));
    TRY(b->data->fill(b->data->self, b->which, b->n, b->epoch, cx_run_input(run, 0, 0, b->n)->data,
                      t->label, err));
    for (int i = 0; i < b->n; i++) {
        if (t->label[i] < 0 || t->label[i] >= t->n_classes)
            TRY(cx_fail(err, CVS_E_ARG, "example %lld is of class %lld, there are %d",
                        (long long)b->which[i], (long long)t->label[i], t->n_classes));
        t->weight[i] = t->class_weight ? t->class_weight[t->label[i]] : 1;
    }
    run->done = 0;
out:
    return rc;
}

/* What the batch came to after a forward pass; the derivative goes to dy, which may be NULL. */
static cx_score score(const cx_trainer *t, const cvs_run *run, int n, int weighted, float *dy)
{
    const cx_tensor *at = cx_spot_value(run, &t->spot), *y = &run->slots[t->output].y;
    const int64_t outputs = cx_shape_count(&y->shape) / n;
    return (cx_score){
        cx_loss_value(&t->loss, n, outputs, at->data, t->label, weighted ? t->weight : NULL, dy),
        cx_count_right(n, outputs, y->data, t->label)};
}

/* Regularizers' part of the loss; adds their derivative where `derivative` is set. */
static double penalize(const cx_trainer *t, int derivative)
{
    double sum = 0;
    for (int i = 0; i < t->n_parameters; i++) {
        const cx_penalty *by = &t->penalties[i];
        const cx_parameter *p = &t->parameters[i];
        if (by->l2 > 0) sum += by->l2 * cx_sum_of_squares(p->n, p->w);
        for (int64_t k = 0; by->l1 > 0 && k < p->n; k++) sum += by->l1 * fabs((double)p->w[k]);
        if (!derivative || (by->l1 <= 0 && by->l2 <= 0)) continue;
        const float l1 = (float)by->l1, l2 = 2 * (float)by->l2;
        for (int64_t k = 0; k < p->n; k++)
            p->g[k] += l2 * p->w[k] + (p->w[k] > 0 ? l1 : p->w[k] < 0 ? -l1 : 0);
    }
    return sum;
}

int cx_trainer_step(cx_score *out, cx_trainer *t, const cx_batch *b, double rate_factor,
                    cvs_error *err)
{
    cx_gradient *g = t->gradient;
    int rc;
    *out = (cx_score){0};
    g->run->seed = cx_random_stream(t->seed, (uint64_t)t->optimizer.step);
    TRY(fill(t, g->run, b, err));
    TRY(cx_gradient_forward(g, err));
    *out = score(t, g->run, b->n, 1, cx_gradient_seed(g, 0)->data);
    if (!isfinite(out->loss)) TRY(cx_trainer_blame_forward(t, err));
    TRY(cx_gradient_backward(g, NULL, err));
    out->loss += penalize(t, 1);
    cx_trainer_spread(t);
    if (!cx_optimizer_step(&t->optimizer, cx_optimizer_rate(&t->optimizer, rate_factor)))
        TRY(cx_trainer_blame_update(t, err));
    TRY(cx_variant_prepare(&t->variant, err));
out:
    return rc;
}

/* --- at inference --- */

static int make_run(cx_trainer *t, cvs_error *err)
{
    int rc = 0;
    if (t->run) return 0;
    TRY(cx_run_new(&t->run, &t->variant.model, t->batch, t->exact, err));
    cx_run_keep(t->run, t->output);
    cx_run_keep(t->run, t->spot.node);
    if (t->spot.linear) cx_run_keep_linear(t->run, t->spot.node);
    TRY(cx_run_plan(t->run, err));
out:
    return rc;
}

int cx_trainer_test(cx_score *out, cx_trainer *t, const cx_batch *b, cvs_error *err)
{
    int rc;
    *out = (cx_score){0};
    TRY(make_run(t, err));
    TRY(fill(t, t->run, b, err));
    TRY(cvs_run_forward(t->run, err));
    *out = score(t, t->run, b->n, 0, NULL);
    out->loss += penalize(t, 0);
out:
    return rc;
}

int cx_trainer_reload(cx_trainer *t, cvs_error *err)
{
    return cx_variant_prepare(&t->variant, err);
}
