/* method.h - how a question about an input is answered. A method stands in one file and has one
 * line in methods.def; its results are numbers, never colours. */
#ifndef CX_METHODS_METHOD_H
#define CX_METHODS_METHOD_H

#include "methods/goal.h"
#include "methods/map.h"

enum { CX_MAX_LAYERS = 64 }; /* that one class activation map is made from */

/* What is asked, and the answer as it grows. */
typedef struct cx_question {
    const cvs_model *model;
    const cvs_explain_options *o;
    const struct cx_method *method;
    cx_tensor *x; /* each input of the model, one image each: views */
    int input;    /* the one that is explained */
    cx_goal goal;
    int layers[CX_MAX_LAYERS]; /* nodes, of methods that look at layers */
    int n_layers;
    cvs_explanation *e;
    cvs_explain_options resolved; /* with a baseline that had to be made … */
    float *baseline;              /* … which is this; owned */
} cx_question;

/* What one layer gives for the input, and how the goal changes with it; channels last. */
typedef struct cx_cam {
    const float *a, *g;
    int64_t height, width, channels;
} cx_cam;

/* How the maps of several layers become one, each brought to 0 … 1 and to the size of the largest.
 */
typedef enum cx_fusion {
    CX_FUSE_MEAN,
    CX_FUSE_TANH,    /* the largest, after tanh(2 x): LayerCAM's rule, which keeps the faint maps of
                        early layers visible beside those of late ones */
    CX_FUSE_PRODUCT, /* what all of them say */
} cx_fusion;

typedef struct cx_method {
    cvs_method about;
    cvs_target automatic; /* what CVS_TARGET_AUTO stands for */
    int uses_layers;      /* 1: q->layers are chosen before */
    int scales;           /* how many scales of the network its layers come from unless they are
                             named: the last layer of each; 0 is 1 */
    int has_no_goal;      /* 1: a map of what layers give, whatever the answer: cam->g is NULL */
    cx_fusion fusion;

    /* Class activation maps that follow from a and g alone have one of the next three. A weight
     * for each channel … */
    void (*weigh)(const cx_cam *cam, double *weights);
    /* … or what each cell of a channel adds … */
    float (*part)(float a, float g);
    /* … or the map itself, signed. */
    int (*combine)(const cx_cam *cam, float *map, cvs_error *err);
    /* Whether they have a meaning for this model; may be NULL. */
    int (*check)(const cx_question *q, cvs_error *err);
    /* Change what is differentiated, whose seed is that of the goal; may be NULL. */
    int (*reseed)(cx_question *q, const cx_tensor *value, cx_tensor *seed, cvs_error *err);

    int weighs_channels; /* 1: `explain` ends with cx_cam_answer */
    /* Of all others: fill q->e. */
    int (*explain)(cx_question *q, cvs_error *err);
} cx_method;

/* 1: one of the three above. */
int cx_method_is_cam(const cx_method *m);

extern const cx_method cx_method_gradcam; /* whose weights others change */

const cx_method *cx_method_find(const char *name, cvs_error *err);

/* --- open.c: a question's beginning and end --- */

/* Take the inputs from a slot of a run, the baseline and the goal; model, options, method and
 * answer are set before. To be closed in any case. */
int cx_question_open(cx_question *q, const cvs_run *run, int slot, cvs_error *err);
void cx_question_close(cx_question *q);

/* --- question.c: what methods are made of --- */

/* A gradient of the goal with respect to the spots for `batch` copies of the input, all of which
 * are in place; not computed yet. */
int cx_question_gradient(cx_gradient **out, const cx_question *q, const cx_spot *from, int n_from,
                         int batch, cvs_error *err);
/* Its forward pass; then the goal's class is chosen by the first of the batch if it is not yet, and
 * the seeds are set for all. The answer gets class, score and probability. */
int cx_question_forward(cx_question *q, cx_gradient *g, cvs_error *err);

/* The same without a way back: a run on the input alone, computed, which keeps what a tail from the
 * layer `tail` reads (-1: none). The caller's to cvs_run_free(). */
int cx_question_run(cvs_run **out, cx_question *q, int tail, cvs_error *err);

/* The spot of the input that is explained. */
cx_spot cx_question_source(const cx_question *q);

/* Put a copy of every input of the model into every place of a run's batch. */
int cx_question_feed(const cx_question *q, cvs_run *run, int batch, cvs_error *err);

/* The answer's numbers, zeros. */
int cx_answer_map(cx_question *q, int64_t height, int64_t width, cvs_error *err);
int cx_answer_pixels(cx_question *q, cvs_error *err);
/* The answer's pixels from a tensor of the input's shape, channels last. */
int cx_answer_fill(cx_question *q, const cx_tensor *t, int slot, cvs_error *err);

/* What is negative in the answer's map speaks against: cut it off, unless it is to be kept. */
int cx_answer_cut_off(cx_question *q, cvs_error *err);

/* Say something that is to be known before the answer is believed. */
void cx_answer_note(cx_question *q, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Tell how much is done; 0: stop. */
int cx_question_go_on(cx_question *q, double done);

/* How many of `n` can be done at once, when one takes so many bytes. */
int cx_question_batch(const cx_question *q, size_t bytes, int64_t n);

/* --- layers.c --- */

/* q->layers: those that were named, or the last map before the network's answer becomes a vector.
 * `run` has the shapes. */
int cx_question_layers(cx_question *q, const cvs_run *run, cvs_error *err);

/* --- diagnose.c --- */

/* Say what makes the answer mean less than it seems to. */
int cx_diagnose(cx_question *q, cvs_error *err);

/* --- cam.c --- */

/* A class activation map of q->layers by the method's functions for it. */
int cx_cam_explain(cx_question *q, cvs_error *err);

/* The answer of a method that weighs the channels of one layer: the sum of the channels, each times
 * its weight, or with eigen-smoothing the first component of those products. */
int cx_cam_answer(cx_question *q, const cx_stack *a, const double *weights, cvs_error *err);

/* --- augment.c --- */

/* Augmentation smoothing: the mean of the answer's map over copies of the input that are mirrored
 * and made weaker and stronger. `once` makes one. */
int cx_augment(cx_question *q, int (*once)(cx_question *q, cvs_error *err), cvs_error *err);

#endif
