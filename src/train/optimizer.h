/* optimizer.h - how weights follow their derivatives, as Keras 3 defines it. */
#ifndef CX_TRAIN_OPTIMIZER_H
#define CX_TRAIN_OPTIMIZER_H

#include "base/mem.h"
#include "kernels/kernels.h"
#include "train/schedule.h"

typedef enum cx_optimizer_kind { CX_SGD, CX_RMSPROP, CX_ADAM, CX_ADAMW } cx_optimizer_kind;

typedef struct cx_optimizer {
    cx_optimizer_kind kind;
    double learning_rate;
    double momentum; /* of sgd and rmsprop */
    int nesterov;
    double rho; /* of rmsprop */
    int centered;
    double beta1, beta2; /* of adam */
    int amsgrad;
    double epsilon;
    int epsilon_outside; /* of rmsprop: rate * g / (sqrt(s) + epsilon), as Keras had it up to 2.10;
                            later ones have sqrt(s + epsilon) */
    double weight_decay; /* each step takes rate * weight_decay of a weight first (decoupled) */
    /* Of the derivatives, 0: none, at most one of the three: each number brought to
     * -clip_value … clip_value; each array to that length; all arrays together to that length. */
    double clip_value, clip_norm, global_clip_norm;
    cx_schedule schedule;
} cx_optimizer;

/* Keras' defaults of that kind. */
void cx_optimizer_defaults(cx_optimizer *out, cx_optimizer_kind kind);
int cx_optimizer_by_name(cx_optimizer_kind *out, const char *name, cvs_error *err);
const char *cx_optimizer_name(cx_optimizer_kind kind); /* static */
int cx_optimizer_check(const cx_optimizer *o, cvs_error *err);

/* An array of weights that training changes, and its derivative. */
typedef struct cx_parameter {
    float *w, *g;
    int64_t n;
} cx_parameter;

/* What an optimizer remembers from step to step: all of it lies in `memory`, so that this and
 * `step` are what has to be stored for training to go on. */
typedef struct cx_optimizer_state {
    cx_optimizer o;
    const cx_parameter *p; /* borrowed */
    int n;
    float *(*slot)[CX_UPDATE_SLOTS]; /* of each; NULL where the optimizer has no such */
    cx_block memory;
    int64_t step; /* taken so far */
} cx_optimizer_state;

int cx_optimizer_init(cx_optimizer_state *out, const cx_optimizer *o, const cx_parameter *p, int n,
                      cvs_error *err);
void cx_optimizer_deinit(cx_optimizer_state *s); /* all zero is legal */

/* The learning rate of the next step, times `factor`. */
double cx_optimizer_rate(const cx_optimizer_state *s, double factor);

/* A step with that rate; the derivatives are 0 after it. Gives 1 where all weights are finite, 0
 * where one no longer is. */
int cx_optimizer_step(cx_optimizer_state *s, double rate);

#endif
