/* fit.h - training over epochs, which can be stopped after any batch and go on as if it had not
 * been: all that is drawn depends on a seed and on counters, which are in the state. */
#ifndef CX_TRAIN_FIT_H
#define CX_TRAIN_FIT_H

#include "base/str.h"
#include "train/trainer.h"

typedef struct cx_fit_options {
    cx_trainer_options trainer;
    int64_t epochs;
    int in_order; /* 1: examples are not shuffled */
    cvs_monitor monitor;
    double min_delta;      /* what counts as better, for early stopping */
    int64_t patience;      /* 0: never; else stop after that many epochs that are not better */
    int restore_best;      /* 1: at the end the weights become those of the best epoch */
    int64_t rate_patience; /* 0: never; else the rate is multiplied by rate_factor after that many
                              epochs that are not better by 1e-4, as ReduceLROnPlateau does */
    double rate_factor;    /* 0: 0.1 */
    double rate_floor;     /* the rate gets no smaller */
    int (*tell)(void *arg, const cvs_train_event *e); /* nonzero stops; may be NULL */
    void *tell_arg;
} cx_fit_options;

/* Where training stands; with the weights and the optimizer's memory this is all of it. */
typedef struct cx_fit_state {
    int64_t epoch, batch;    /* the next ones */
    double loss_sum;         /* of the examples of the epoch so far */
    int64_t right, seen;     /* of them */
    double rate_factor;      /* of the plateaus */
    double best, rate_best;  /* of the number that is watched */
    int64_t best_epoch;      /* -1: none yet */
    int64_t wait, rate_wait; /* epochs that were not better */
    int64_t ended;           /* 1: early stopping has come */
} cx_fit_state;

typedef struct cx_fit {
    cx_trainer trainer;
    cx_fit_options o;
    cx_data data, validation; /* validation.n 0: none */
    cx_fit_state state;
    cvs_epoch *history; /* epochs of them; state.epoch are filled */
    int64_t *order;     /* of the examples in this epoch */
    int64_t *places;    /* 0, 1, 2 …: of validation */
    cx_block best;      /* weights of the best epoch, where they are wanted */
} cx_fit;

/* `m` has to outlive it, and what `data` and `validation` point to. validation may be NULL. */
int cx_fit_new(cx_fit **out, const cvs_model *m, const cx_data *data, const cx_data *validation,
               const cx_fit_options *o, cvs_error *err);
void cx_fit_free(cx_fit *f);

/* Train until all epochs are done, it was told to stop, or early stopping comes; again from there
 * when called again. */
int cx_fit_run(cx_fit *f, cvs_error *err);

/* Whether nothing is left to do. */
int cx_fit_is_done(const cx_fit *f);

/* The loss and the accuracy over a data set, as at inference. */
int cx_fit_test(cx_fit *f, const cx_data *data, double *loss, double *accuracy, cvs_error *err);

/* --- fit_config.c --- */

/* What Keras' compile() was told, as Keras 2 writes it beside a model: the JSON, the caller's to
 * cx_free(). */
int cx_fit_config(char **out, const cx_fit *f, cvs_error *err);

/* --- training.c --- */

/* What a training is made of. */
const cx_fit *cx_training_fit(const cvs_training *t);

/* --- fit_words.c --- */

/* All that decides what training comes to, but for the model and the number of epochs: a line each.
 */
void cx_fit_words(cx_str *out, const cx_fit *f);
/* CVS_E_ARG says the first line that differs. */
int cx_fit_same_words(const char *there, const char *here, cvs_error *err);

/* --- fit_file.c --- */

/* Write all that training needs to go on to a file, which appears whole or not at all; read it into
 * one that was made from the same model, data and options. CVS_E_ARG where it is of another. */
int cx_fit_write(const cx_fit *f, const char *path, cvs_error *err);
int cx_fit_read(cx_fit *f, const char *path, cvs_error *err);

#endif
