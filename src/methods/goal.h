/* goal.h - the number that is explained: which output, which class of it, before or after the
 * final activation, in which direction. */
#ifndef CX_METHODS_GOAL_H
#define CX_METHODS_GOAL_H

#include "graph/gradient.h"

typedef struct cx_goal {
    cx_spot spot;        /* where the numbers are that are weighted and summed */
    int output;          /* which output of the model */
    int logit;           /* 1: before the final activation */
    int two_sided;       /* one sigmoid that says class 1 or, by its absence, 0 */
    int no_class;        /* a number that is no class's score */
    int softmax;         /* the final activation is one */
    int64_t n_classes;   /* of the output's last axis */
    int64_t places;      /* numbers a class: 1, or the cells of a map */
    int64_t class_index; /* -1 until it is chosen */
    double sign;         /* -1: what speaks against it */
    float *weights;      /* of a map of classes: of each place; NULL: the same for all; owned */
    char text[256];      /* all that in words */
} cx_goal;

/* What follows from the model and the wish alone; `automatic` is what CVS_TARGET_AUTO stands for.
 * CVS_E_ARG names an output or class that is not there. */
int cx_goal_init(cx_goal *g, const cvs_model *m, const cvs_explain_options *o, cvs_target automatic,
                 cvs_error *err);
void cx_goal_deinit(cx_goal *g);

/* Choose the class from what the model says about the input in `slot`, unless it was named, and for
 * a map of classes the places. */
int cx_goal_choose(cx_goal *g, const cx_tensor *value, int slot, cvs_error *err);

/* The goal for one input of the batch of numbers at the spot, and its derivative by them. */
double cx_goal_value(const cx_goal *g, const cx_tensor *value, int slot);
void cx_goal_seed(const cx_goal *g, cx_tensor *seed, int slot);

#endif
