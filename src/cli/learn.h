/* learn.h - a model and the pictures that it is to learn from, as the command line says. */
#ifndef CX_CLI_LEARN_H
#define CX_CLI_LEARN_H

#include "cli/job.h"

typedef struct cx_learn {
    cvs_model *model;     /* as training begins */
    cvs_classes *classes; /* that were asked for, or NULL */
    cvs_folder *folder, *validation;
    cvs_data data, test;  /* test.n 0: nothing to test with */
    double *class_weight; /* or NULL */
    cvs_preprocess preprocess;
} cx_learn;

/* Load or make the model and open the folders; tells what was skipped. */
int cx_learn_init(cx_learn *out, cx_job *job, cvs_error *err);
void cx_learn_deinit(cx_learn *l); /* all zero is legal */

/* What the command line says of training. It borrows from both. */
cvs_train_options cx_learn_options(const cx_learn *l, const cx_job *job);

#endif
