/* gradient.h - the way back through a network: how numbers that it gives (the targets) change with
 * what its layers give (the sources), by reverse accumulation.
 *
 * Only nodes between the two are visited. An activation function that a layer ends with is a step
 * of its own, so a target or a source can lie before it, and a rule can treat it by itself. */
#ifndef CX_GRAPH_GRADIENT_H
#define CX_GRAPH_GRADIENT_H

#include "graph/run.h"

/* What a node gives; with `linear`, what it is before the activation that its layer ends with. A
 * layer that is an activation and nothing else has its input there. */
typedef struct cx_spot {
    int node;
    int linear;
} cx_spot;

/* The same place said in one way only: of nodes that have a fused activation alone linear is 1. */
cx_spot cx_spot_plain(const cvs_model *m, cx_spot spot);

/* The numbers there after a forward pass of a run that keeps them. */
const cx_tensor *cx_spot_value(const cvs_run *run, const cx_spot *spot);

/* Other ways to hand a derivative on, as guided backpropagation and relevance propagation have
 * them. Each function gives 1 when it has done its part, 0 where the derivative is to be taken, or
 * an error. NULL: the derivative. */
typedef struct cx_rule {
    void *arg;
    /* Through the layer of a node, without its fused activation: fill c->dx from c->dy. */
    int (*layer)(void *arg, int node, const cx_backward_call *c, cvs_error *err);
    /* Through y = a(x): fill dx from dy, which may be the same. x is NULL where y alone tells it
     * and the gradient was not made to keep it. */
    int (*activation)(void *arg, int node, const cx_activation *a, const float *x,
                      const cx_tensor *y, const float *dy, float *dx, cvs_error *err);
} cx_rule;

typedef struct cx_gradient_options {
    int batch, exact;
    const cx_spot *to; /* targets */
    int n_to;
    const cx_spot *from; /* sources */
    int n_from;
    const cvs_run *base;    /* NULL: from the model's inputs. Else a run of one input that has been
                               computed and was made with cx_tail_keep: all begins at the one source,
                               whose output is to be put into run->slots[].y, as in cx_tail_new */
    const cx_shape *shapes; /* of the model's inputs, which may be other than it states (see
                               cx_run_stretch), the batch first; NULL: its own */
    int keep;               /* a node more that the run keeps; -1: none */
    int training;           /* 1: as cx_run_train, with these moving averages */
    float *const *moving;
    int keep_arguments; /* 1: of every activation, for rules that compare them */
    float *const *dw;   /* derivatives of weights are added here: CX_MAX_WEIGHTS pointers for each
                           layer of the model, NULL where nobody asks; or NULL. Borrowed */
} cx_gradient_options;

/* What the way back does at a node. */
typedef struct cx_step {
    int active;    /* it depends on a source */
    int wanted;    /* and a target depends on it */
    int deep;      /* the derivative goes on to an input or a weight */
    int fed;       /* derivatives come from nodes that read it */
    int fused;     /* its layer ends with an activation of its own */
    int readers;   /* that tell it a derivative, targets counted … */
    int reader;    /* … and one of them */
    int rectified; /* its activation is a relu, and the one layer that reads it can undo both */
    int kept, kept_linear; /* what is asked for: the derivative of what it gives, or of what that is
                              before the activation */
    cx_tensor dy, dz;      /* these two; one memory where the first is not asked for */
    cx_tensor **dx;        /* of each input, or NULL */
    uint8_t *adds;         /* 1: dx lies in scratch memory and is to be added to the input's dy */
} cx_step;

/* A run, and what the way back needs besides. */
typedef struct cx_gradient {
    cvs_run *run; /* to be fed by the caller */
    cx_arena *arena;
    cx_spot *to, *from;
    int n_to, n_from;
    float *const *dw;
    cx_step *steps;   /* a node each */
    cx_tensor *seeds; /* a target each */
    cx_block memory;
    void *workspace;
    int plan; /* of the run that all this fits */
} cx_gradient;

/* CVS_E_ARG where no target depends on a source; CVS_E_UNSUPPORTED names a layer between them that
 * has no derivative. */
int cx_gradient_new(cx_gradient **out, const cvs_model *m, const cx_gradient_options *o,
                    cvs_error *err);
void cx_gradient_free(cx_gradient *g);

/* The forward pass, after which activations and seeds are there. */
int cx_gradient_forward(cx_gradient *g, cvs_error *err);

/* The numbers at the i-th target after the forward pass. */
const cx_tensor *cx_gradient_value(const cx_gradient *g, int i);
/* Their weights in the sum that is differentiated: for the caller to fill before the way back, all
 * zero after each forward pass. They stay for another way back. */
cx_tensor *cx_gradient_seed(cx_gradient *g, int i);

/* The way back; `rule` may be NULL. */
int cx_gradient_backward(cx_gradient *g, const cx_rule *rule, cvs_error *err);

/* What the i-th source gave, and the derivative with respect to it. All zero where no target
 * depends on it. */
const cx_tensor *cx_gradient_source(const cx_gradient *g, int i);
const cx_tensor *cx_gradient_result(const cx_gradient *g, int i);

/* --- gradient_plan.c --- */

/* Which nodes the way back visits and what the run keeps for it. */
int cx_gradient_mark(cx_gradient *g, int keep_arguments, cvs_error *err);
/* Where all derivatives lie, for the shapes that the run has now. */
int cx_gradient_plan(cx_gradient *g, cvs_error *err);

#endif
