/* fit_config.c - how a model was trained, in Keras' words. */
#include "base/json.h"
#include "train/fit.h"

static const char *class_of(const cx_optimizer *o)
{
    static const char *const names[] = {
        [CX_SGD] = "SGD", [CX_RMSPROP] = "RMSprop", [CX_ADAM] = "Adam", [CX_ADAMW] = "AdamW"};
    return names[o->kind];
}

static void number(cx_json *config, const char *key, double value)
{
    cx_json_put(config, key, cx_json_of_number(value));
}

/* The rate is the one that the schedule begins with: how it goes on is not Keras' to know. */
static cx_json *optimizer_config(const cx_optimizer *o)
{
    cx_json *c = cx_json_object(), *all = cx_json_object();
    cx_json_put(c, "name", cx_json_of_string(class_of(o)));
    number(c, "learning_rate", o->learning_rate);
    number(c, "decay", 0);
    if (o->kind == CX_SGD || o->kind == CX_RMSPROP) number(c, "momentum", o->momentum);
    if (o->kind == CX_SGD) cx_json_put(c, "nesterov", cx_json_of_bool(o->nesterov));
    if (o->kind == CX_RMSPROP) {
        number(c, "rho", o->rho);
        cx_json_put(c, "centered", cx_json_of_bool(o->centered));
    }
    if (o->kind == CX_ADAM || o->kind == CX_ADAMW) {
        number(c, "beta_1", o->beta1);
        number(c, "beta_2", o->beta2);
        cx_json_put(c, "amsgrad", cx_json_of_bool(o->amsgrad));
    }
    if (o->kind == CX_ADAMW) number(c, "weight_decay", o->weight_decay);
    if (o->kind != CX_SGD) number(c, "epsilon", o->epsilon);
    if (o->clip_value > 0) number(c, "clipvalue", o->clip_value);
    if (o->clip_norm > 0) number(c, "clipnorm", o->clip_norm);
    if (o->global_clip_norm > 0) number(c, "global_clipnorm", o->global_clip_norm);
    cx_json_put(all, "class_name", cx_json_of_string(class_of(o)));
    cx_json_put(all, "config", c);
    return all;
}

/* By name, or as an object where it is not the loss that the name alone stands for. */
static cx_json *loss_config(const cx_loss *l)
{
    static const char *const classes[] = {[CX_BINARY_CROSSENTROPY] = "BinaryCrossentropy",
                                          [CX_CATEGORICAL_CROSSENTROPY] = "CategoricalCrossentropy",
                                          [CX_SPARSE_CATEGORICAL_CROSSENTROPY] =
                                              "SparseCategoricalCrossentropy",
                                          [CX_MEAN_SQUARED_ERROR] = "MeanSquaredError"};
    if (!l->from_logits && !(l->smoothing > 0)) return cx_json_of_string(cx_loss_name(l->kind));
    cx_json *c = cx_json_object(), *all = cx_json_object();
    cx_json_put(c, "name", cx_json_of_string(cx_loss_name(l->kind)));
    if (l->kind != CX_MEAN_SQUARED_ERROR)
        cx_json_put(c, "from_logits", cx_json_of_bool(l->from_logits));
    if (l->smoothing > 0) number(c, "label_smoothing", l->smoothing);
    cx_json_put(all, "class_name", cx_json_of_string(classes[l->kind]));
    cx_json_put(all, "config", c);
    return all;
}

int cx_fit_config(char **out, const cx_fit *f, cvs_error *err)
{
    cx_json *all = cx_json_object(), *metrics = cx_json_array();
    cx_json_push(metrics, cx_json_of_string("accuracy"));
    cx_json_put(all, "loss", loss_config(&f->o.trainer.loss));
    cx_json_put(all, "metrics", metrics);
    cx_json_put(all, "optimizer_config", optimizer_config(&f->o.trainer.optimizer));
    *out = NULL;
    return cx_json_print_exact(out, all, err);
}
