/* trainer.h - a model in training: its own weights, and steps that make them better. */
#ifndef CX_TRAIN_TRAINER_H
#define CX_TRAIN_TRAINER_H

#include "graph/gradient.h"
#include "graph/variant.h"
#include "train/data.h"
#include "train/loss.h"
#include "train/optimizer.h"

typedef struct cx_trainer_options {
    cx_loss loss; /* where it is of probabilities and the model ends with its activation, it is
                     computed before that, as TensorFlow does */
    cx_optimizer optimizer;
    int batch; /* examples a step, at most */
    int n_classes;
    const double *class_weight; /* n_classes of them, NULL: 1 each; copied */
    const char *const *freeze;  /* layers, or nested models, that do not change */
    int n_freeze;
    uint64_t seed; /* of all that layers draw */
    int exact;
} cx_trainer_options;

/* A regularizer's part in a parameter. */
typedef struct cx_penalty {
    double l1, l2;
} cx_penalty;

enum { CX_SPREAD_BINS = 40, CX_SPREAD_REACH = 4 };

/* How the derivatives by a layer's weights were distributed in the last step, and in the last one
 * that was watched: bins go from -CX_SPREAD_REACH to CX_SPREAD_REACH times the root of their mean
 * square; the two outermost have what is beyond, too. */
typedef struct cx_spread {
    double squares; /* summed; NAN: there was no step, or nothing is learnt here */
    int64_t n;
    int64_t bins[CX_SPREAD_BINS];
} cx_spread;

typedef struct cx_trainer {
    cx_variant variant; /* the model; its weights are in variant.model.weights, all on end */
    cx_loss loss;       /* as it is computed */
    cx_spot spot;       /* from what */
    int output;         /* node */
    int batch, n_classes, exact;
    uint64_t seed;
    cx_gradient *gradient;
    cvs_run *run; /* at inference; NULL until it is wanted */
    cx_optimizer_state optimizer;
    cx_parameter *parameters;
    cx_penalty *penalties; /* one each */
    int *layer_of;         /* one each */
    cx_spread *spread;     /* one a layer of the model */
    int is_watched;        /* 1: bins are filled by the next step */
    int n_parameters;
    float **dw;     /* CX_MAX_WEIGHTS for each layer */
    float **moving; /* the same: where weights are that layers move by themselves */
    cx_block derivatives;
    double *class_weight; /* or NULL */
    double *weight;       /* batch of them */
    int64_t *label;       /* batch of them */
} cx_trainer;

/* Examples, or where they stand in a pass over data. */
typedef struct cx_batch {
    const cx_data *data;
    const int64_t *which;
    int n;
    int64_t epoch;
} cx_batch;

/* What a batch came to. */
typedef struct cx_score {
    double loss; /* mean over its examples, penalties included */
    int64_t right;
} cx_score;

/* `m` has to outlive the trainer. CVS_E_UNSUPPORTED names a layer that cannot be trained;
 * CVS_E_ARG what does not go together. */
int cx_trainer_init(cx_trainer *out, const cvs_model *m, const cx_trainer_options *o,
                    cvs_error *err);
void cx_trainer_deinit(cx_trainer *t); /* all zero is legal */

/* Forward, backward and an update with the optimizer's own rate times `rate_factor`. CVS_E_DIVERGED
 * where a number is not finite: says in which layer that began. Weights may be spoilt then. */
int cx_trainer_step(cx_score *out, cx_trainer *t, const cx_batch *b, double rate_factor,
                    cvs_error *err);

/* Forward as at inference; nothing changes. */
int cx_trainer_test(cx_score *out, cx_trainer *t, const cx_batch *b, cvs_error *err);

/* After weights were written from outside. */
int cx_trainer_reload(cx_trainer *t, cvs_error *err);

/* --- trainer_spread.c --- */

/* Note how the derivatives are distributed that the next update takes. */
void cx_trainer_spread(cx_trainer *t);

/* --- trainer_finite.c --- */

/* Say where a number of this step that is not finite came from, after a forward pass. */
int cx_trainer_blame_forward(const cx_trainer *t, cvs_error *err);
/* The same after an update. */
int cx_trainer_blame_update(const cx_trainer *t, cvs_error *err);

/* --- trainer_init.c --- */

/* The parts of cx_trainer_init that know the model. */
int cx_trainer_find_target(cx_trainer *t, cvs_error *err);
int cx_trainer_freeze(cx_trainer *t, const char *const *names, int n, cvs_error *err);
int cx_trainer_find_parameters(cx_trainer *t, cvs_error *err);

#endif
