/* training.c - training as the public header has it. */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "train/fit.h"

enum { MOST_FROZEN = 1024 };

struct cvs_training {
    cx_fit *fit;
};

/* --- options --- */

/* The loss that the model's end goes with. */
static const char *own_loss(const cvs_model *m, int from_logits)
{
    const char *ends = m->n_outputs == 1 ? cvs_model_output_activation(m, 0) : "";
    const cx_shape *y = m->n_outputs == 1 ? &m->nodes[m->outputs[0]].shape : NULL;
    if (from_logits)
        return y && y->ndim == 2 && y->d[1] == 1 ? "binary_crossentropy"
                                                 : "categorical_crossentropy";
    if (cx_streq(ends, "sigmoid")) return "binary_crossentropy";
    return cx_streq(ends, "softmax") ? "categorical_crossentropy" : "mean_squared_error";
}

static int read_loss(cx_loss *out, const cvs_model *m, const cvs_train_options *o, cvs_error *err)
{
    out->from_logits = o->from_logits;
    out->smoothing = o->label_smoothing;
    return cx_loss_by_name(&out->kind, o->loss ? o->loss : own_loss(m, o->from_logits), err);
}

static void take(double *to, double value)
{
    if (value < 0 || value > 0 || value != value) *to = value;
}

static int read_optimizer(cx_optimizer *out, const cvs_train_options *o, cvs_error *err)
{
    cx_optimizer_kind kind = CX_RMSPROP;
    int rc = o->optimizer ? cx_optimizer_by_name(&kind, o->optimizer, err) : 0;
    if (rc < 0) return rc;
    cx_optimizer_defaults(out, kind);
    take(&out->learning_rate, o->learning_rate);
    take(&out->rho, o->rho);
    take(&out->beta1, o->beta1);
    take(&out->beta2, o->beta2);
    take(&out->epsilon, o->epsilon);
    take(&out->weight_decay, o->weight_decay);
    out->momentum = o->momentum;
    out->nesterov = o->nesterov;
    out->centered = o->centered;
    out->amsgrad = o->amsgrad;
    out->epsilon_outside = o->epsilon_outside;
    out->clip_value = o->clip_value;
    out->clip_norm = o->clip_norm;
    out->global_clip_norm = o->global_clip_norm;
    out->schedule.steps = o->schedule_steps;
    switch (o->schedule) {
    case CVS_SCHEDULE_CONSTANT:
        break;
    case CVS_SCHEDULE_EXPONENTIAL:
        out->schedule.kind = CX_RATE_EXPONENTIAL;
        out->schedule.factor = o->schedule_factor;
        break;
    case CVS_SCHEDULE_INVERSE_TIME:
        out->schedule.kind = CX_RATE_INVERSE_TIME;
        out->schedule.factor = o->schedule_factor;
        break;
    case CVS_SCHEDULE_COSINE:
        out->schedule.kind = CX_RATE_COSINE;
        out->schedule.floor = o->schedule_factor;
        break;
    }
    return 0;
}

/* The words of a list with commas, cut apart in `list`. */
static int split(const char **words, char *list, cvs_error *err)
{
    int n = 0;
    for (char *word = list, *next; word; word = next) {
        next = strchr(word, ',');
        if (next) *next++ = 0;
        if (n == MOST_FROZEN)
            return cx_fail(err, CVS_E_ARG, "more than %d layers to freeze", MOST_FROZEN);
        if (!*word) return cx_fail(err, CVS_E_ARG, "an empty layer name");
        words[n++] = word;
    }
    return n;
}

static int read_options(cx_fit_options *out, const cvs_model *m, const cvs_train_options *o,
                        cvs_error *err)
{
    int rc;
    *out = (cx_fit_options){.epochs = o->epochs ? o->epochs : 1,
                            .in_order = o->in_order,
                            .monitor = o->monitor,
                            .min_delta = o->min_delta,
                            .patience = o->patience,
                            .restore_best = o->restore_best,
                            .rate_patience = o->rate_patience,
                            .rate_factor = o->rate_factor,
                            .rate_floor = o->rate_floor,
                            .tell = o->tell,
                            .tell_arg = o->tell_arg};
    out->trainer = (cx_trainer_options){.batch = o->batch ? o->batch : 32,
                                        .class_weight = o->class_weight,
                                        .seed = o->seed,
                                        .exact = o->exact};
    TRY(read_loss(&out->trainer.loss, m, o, err));
    TRY(read_optimizer(&out->trainer.optimizer, o, err));
out:
    return rc;
}

/* --- the public functions --- */

int cvs_training_new(cvs_training **out, const cvs_model *model, const cvs_data *data,
                     const cvs_data *validation, const cvs_train_options *options, cvs_error *err)
{
    const cvs_train_options defaults = {0};
    const cvs_train_options *o = options ? options : &defaults;
    const char **names = NULL;
    char *list = NULL;
    cx_fit_options fit;
    int rc;
    *out = NULL;
    cvs_training *t = cx_calloc(1, sizeof *t);
    if (!t) return cx_no_memory(err, sizeof *t);
    TRY(read_options(&fit, model, o, err));
    if (o->freeze) {
        names = cx_calloc(MOST_FROZEN, sizeof *names);
        list = cx_strdup(o->freeze);
        if (!names || !list) TRY(cx_no_memory(err, strlen(o->freeze)));
        TRY(split(names, list, err));
        fit.trainer.freeze = names;
        fit.trainer.n_freeze = rc;
    }
    TRY(cx_fit_new(&t->fit, model, data, validation, &fit, err));
    *out = t;
    t = NULL;
out:
    cx_free(names);
    cx_free(list);
    cvs_training_free(t);
    return rc;
}

void cvs_training_free(cvs_training *t)
{
    if (!t) return;
    cx_fit_free(t->fit);
    cx_free(t);
}

int cvs_training_run(cvs_training *t, cvs_error *err)
{
    return cx_fit_run(t->fit, err);
}

int cvs_training_is_done(const cvs_training *t)
{
    return cx_fit_is_done(t->fit);
}

int64_t cvs_training_epoch_count(const cvs_training *t)
{
    return t->fit->state.epoch;
}

const cvs_epoch *cvs_training_epoch(const cvs_training *t, int64_t i)
{
    return i >= 0 && i < t->fit->state.epoch ? &t->fit->history[i] : NULL;
}

int64_t cvs_training_best(const cvs_training *t)
{
    return t->fit->state.best_epoch;
}

int cvs_training_evaluate(double *loss, double *accuracy, cvs_training *t, const cvs_data *data,
                          cvs_error *err)
{
    double value, share;
    int rc = cx_fit_test(t->fit, data, &value, &share, err);
    if (loss) *loss = value;
    if (accuracy) *accuracy = share;
    return rc;
}

const cvs_model *cvs_training_model(const cvs_training *t)
{
    return &t->fit->trainer.variant.model;
}

double cvs_training_gradient(const cvs_training *t, int layer)
{
    const cx_trainer *trainer = &t->fit->trainer;
    const cvs_model *m = &trainer->variant.model;
    return layer >= 0 && layer < m->n_nodes ? sqrt(trainer->spread[m->nodes[layer].layer].squares)
                                            : NAN;
}

const cx_fit *cx_training_fit(const cvs_training *t)
{
    return t->fit;
}

int cvs_training_write(const cvs_training *t, const char *path, cvs_error *err)
{
    return cx_fit_write(t->fit, path, err);
}

int cvs_training_read(cvs_training *t, const char *path, cvs_error *err)
{
    return cx_fit_read(t->fit, path, err);
}
