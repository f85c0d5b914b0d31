/* fit_words.c - what a training is made of, in words: a state that goes on under others would come
 * to weights that no training gives. */
#include "train/fit.h"

#include <string.h>

static void add_optimizer(cx_str *s, const cx_optimizer *o)
{
    static const char *const schedules[] = {[CX_RATE_CONSTANT] = "constant",
                                            [CX_RATE_EXPONENTIAL] = "exponential",
                                            [CX_RATE_INVERSE_TIME] = "inverse time",
                                            [CX_RATE_COSINE] = "cosine",
                                            [CX_RATE_STEPS] = "steps"};
    const cx_schedule *r = &o->schedule;
    cx_str_addf(s, "optimizer %s\nrate %.9g\nmomentum %.9g\nnesterov %d\nrho %.9g\ncentered %d\n",
                cx_optimizer_name(o->kind), o->learning_rate, o->momentum, o->nesterov, o->rho,
                o->centered);
    cx_str_addf(s, "beta1 %.9g\nbeta2 %.9g\namsgrad %d\nepsilon %.9g%s\nweight decay %.9g\n",
                o->beta1, o->beta2, o->amsgrad, o->epsilon, o->epsilon_outside ? " outside" : "",
                o->weight_decay);
    cx_str_addf(s, "clipping %.9g, %.9g, %.9g\n", o->clip_value, o->clip_norm, o->global_clip_norm);
    cx_str_addf(s, "schedule %s, %.9g steps, %.9g, %.9g\n", schedules[r->kind], r->steps, r->factor,
                r->floor);
}

/* By the layers that do learn, so that it does not matter how the others were told. */
static void add_layers(cx_str *s, const cx_trainer *t)
{
    const cvs_model *m = &t->variant.model;
    cx_str_add(s, "layers that learn");
    for (int i = 0; i < t->n_parameters; i++)
        if (i == 0 || t->layer_of[i] != t->layer_of[i - 1])
            cx_str_addf(s, " %s", m->nodes[t->layer_of[i]].name);
    cx_str_add(s, "\n");
}

void cx_fit_words(cx_str *out, const cx_fit *f)
{
    const cx_trainer *t = &f->trainer;
    const cx_loss *l = &f->o.trainer.loss;
    cx_str_addf(out, "seed %llu\nexamples %lld\nbatch %d\nin order %d\nexact %d\n",
                (unsigned long long)f->o.trainer.seed, (long long)f->data.n, t->batch,
                f->o.in_order, t->exact);
    cx_str_addf(out, "pictures %s\nvalidation %s\n", f->data.about ? f->data.about : "unknown",
                f->validation.n == 0  ? "none"
                : f->validation.about ? f->validation.about
                                      : "unknown");
    cx_str_addf(out, "loss %s\nfrom logits %d\nlabel smoothing %.9g\n", cx_loss_name(l->kind),
                l->from_logits, l->smoothing);
    cx_str_add(out, "class weights");
    for (int i = 0; t->class_weight && i < t->n_classes; i++)
        cx_str_addf(out, " %.9g", t->class_weight[i]);
    cx_str_add(out, "\n");
    add_optimizer(out, &f->trainer.optimizer.o);
    cx_str_addf(out, "monitor %d\nplateau %lld, %.9g, %.9g\n", (int)f->o.monitor,
                (long long)f->o.rate_patience, f->o.rate_factor, f->o.rate_floor);
    add_layers(out, t);
}

int cx_fit_same_words(const char *there, const char *here, cvs_error *err)
{
    while (*there && *here) {
        const size_t n = strcspn(there, "\n"), k = strcspn(here, "\n");
        if (n != k || memcmp(there, here, n) != 0)
            return cx_fail(err, CVS_E_ARG, "of another training: it has %.*s, this one %.*s",
                           (int)n, there, (int)k, here);
        there += n + (there[n] != 0);
        here += k + (here[k] != 0);
    }
    return *there || *here ? cx_fail(err, CVS_E_FORMAT, "not a state of training of this version")
                           : 0;
}
