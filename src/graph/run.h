/* run.h - one computation of a model: what is needed, where it lies, and the forward pass. */
#ifndef CX_GRAPH_RUN_H
#define CX_GRAPH_RUN_H

#include "graph/model.h"

enum { CX_SPAN_INPUTS = 16 }; /* of a node that is computed picture after picture */

/* What the call of a layer computes besides its own numbers, see fuse.c. */
typedef struct cx_together {
    int out;              /* the node that has the numbers of the last one of a chain; itself */
    int pooled;           /* the node of a pooling of these; -1: none */
    cx_after after, then; /* what is after it, and after a convolution in that */
    cx_activation activation, last; /* what these point to */
    cx_window pool;
} cx_together;

/* What a node is in this run. */
typedef struct cx_slot {
    cx_tensor y;      /* the output; a view into the run's memory */
    cx_tensor linear; /* the same before the layer's own activation, where keeps_linear */
    cx_shape shape;   /* with no free size */
    int needed;       /* an output or a tap depends on it */
    int kept;         /* its activation is handed out, so its memory is never given to another */
    int keeps_linear; /* of a layer that ends with an activation */
    int given;        /* its numbers are set before the pass, not computed */
    int readers, first_reader; /* nodes that are computed and read it; the first of them */
    int maker;                 /* the node whose call computes it, mostly itself */
    int absent;                /* another call goes on with its numbers and does not store them */
    cx_together together;      /* of a maker */
    int alias;                 /* the node whose memory it shares (an identity), else itself */
    int last_use;              /* last node that reads it */
    size_t offset;             /* in the run's memory, or in a lane */
    int in_lane;               /* only steps of one span read it, for one picture at a time */
    size_t linear_offset;
    float *kept_numbers; /* what its layer leaves for the way back, in training */
    size_t kept_offset;
    const cx_tensor **x; /* inputs of the call, into the slots */
} cx_slot;

/* Who is told, by the thread that computes, as a pass goes on: when a node is done, so are those
 * before it and all that its call makes (slots[].maker). */
typedef struct cx_watch {
    void (*computed)(void *arg, int node);
    void *arg;
} cx_watch;

struct cvs_run {
    const cvs_model *model;
    cx_arena *arena;
    int batch, exact;
    int *taps; /* nodes, in model order */
    int n_taps;
    cx_shape *inputs;     /* of the model's inputs; CX_FREE until an input has come */
    cx_tensor *waiting;   /* numbers of the model's inputs that came before there is a plan */
    char *given;          /* input after input, slot after slot: 1 where numbers have come */
    cx_transforms *own;   /* where weights change between passes: made anew in each; else NULL */
    int stretched;        /* 1: an input has another size than the model states */
    int training;         /* 1: layers do what they do in training */
    uint64_t seed;        /* of the step of training, for the caller to set before each pass */
    float *const *moving; /* CX_MAX_WEIGHTS for each layer: whose moving averages a pass moves */
    int planned, done;
    int plan;       /* counts them: what was made for another one does not fit */
    cx_slot *slots; /* a node each */
    int *steps;     /* nodes to compute, in order */
    int n_steps;
    int *spans; /* a step each: how many from it on are computed picture after picture; 0: it is
                   computed for all pictures at once, or lies within a span */
    const float **transformed; /* a step each: weights, see cx_run_transformed */
    cx_block memory;           /* all slots, then the workspace or the lanes */
    size_t memory_size, workspace_offset;
    int lanes; /* that compute spans at once */
    size_t lane_size, lane_workspace;
    const cx_watch *watch; /* NULL: nobody is told */
};

/* --- run.c: a run made for a purpose --- */

/* A run that keeps nothing yet; batch 0 is 1. The caller says what for with the three below, then
 * plans it; inputs may come before or after. */
int cx_run_new(cvs_run **out, const cvs_model *m, int batch, int exact, cvs_error *err);

/* The weights of the model may change between passes: nothing that was made of them is kept. */
int cx_run_own_transforms(cvs_run *run, cvs_error *err);

/* Transformed weights of a node's layer for the shapes that the run has, or NULL; `back` for
 * backward. */
int cx_run_transformed(const float **out, const cvs_run *run, int node, int back, cvs_error *err);

/* Keep the output of a node. */
void cx_run_keep(cvs_run *run, int node);

/* Keep what it is before the activation that its layer ends with; nothing happens where it ends
 * with none or is nothing else. */
void cx_run_keep_linear(cvs_run *run, int node);

/* Begin in the middle: the output of this node is set through slots[node].y before each pass. */
void cx_run_give(cvs_run *run, int node, const cx_shape *shape);

/* Take an input at another size than the model states, before the run is planned. The plan fails
 * with CVS_E_UNSUPPORTED where a layer that is needed has weights for the stated size alone. */
void cx_run_stretch(cvs_run *run, int input, const cx_shape *shape);

/* Compute as in training; before the run is planned. `moving` is as in cvs_run, may be NULL, and is
 * borrowed. */
void cx_run_train(cvs_run *run, float *const *moving);
/* What the layer of a node is told of it. */
cx_training cx_run_training(const cvs_run *run, int node);

/* Whether the layer of a node does more than the activation that it ends with; if so, which. */
int cx_node_has_fused(cx_activation *out, const cvs_model *m, int node);

/* Give the model's i-th input a concrete shape (batch first); plans again when it differs. What
 * the other inputs were given stays, unless the batch changes. */
int cx_run_set_shape(cvs_run *run, int input, const cx_shape *shape, cvs_error *err);

/* Where the numbers of the i-th input go once it has a shape, of which those of `n` slots will be
 * written. Its data is NULL where no output depends on it. */
cx_tensor *cx_run_input(cvs_run *run, int input, int slot, int n);

/* The output of a node after a forward pass; CVS_E_ARG when this run does not keep it. Inputs stay.
 */
int cx_run_output(const cx_tensor **out, const cvs_run *run, int node, cvs_error *err);

/* --- plan.c --- */

/* From the shapes of the inputs and what is kept: which nodes run, and where each output lies so
 * that memory is used again once its last reader is done. Does nothing while the shape of an input
 * is not known. */
int cx_run_plan(cvs_run *run, cvs_error *err);

/* CVS_E_NOMEM where so many bytes, of `what`, are more than the machine has. */
int cx_check_memory(size_t size, const char *what, cvs_error *err);

/* --- fuse.c --- */

/* Which nodes the call of another one computes; slots have their shapes. */
void cx_run_fuse(cvs_run *run);

/* --- span.c --- */

/* Which steps are computed picture after picture, and which slots only they read; others live
 * longer for it. */
void cx_run_cut(cvs_run *run);

/* --- forward.c --- */

/* Compute all steps of a plan. */
int cx_run_steps(cvs_run *run, cvs_error *err);

#endif
