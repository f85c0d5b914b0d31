/* run.h - one computation of a model: what is needed, where it lies, and the forward pass. */
#ifndef CX_GRAPH_RUN_H
#define CX_GRAPH_RUN_H

#include "graph/model.h"

/* What a node is in this run. */
typedef struct cx_slot {
    cx_tensor y;         /* the output; a view into the run's memory */
    cx_shape shape;      /* with no free size */
    int needed;          /* an output or a tap depends on it */
    int kept;            /* its activation is handed out, so its memory is never given to another */
    int alias;           /* the node whose memory it shares (an identity), else itself */
    int last_use;        /* last node that reads it */
    size_t offset, size; /* in the run's memory */
    const cx_tensor **x; /* inputs of the call, into the slots */
} cx_slot;

struct cvs_run {
    const cvs_model *model;
    cx_arena *arena;
    int batch, exact;
    int *taps; /* nodes, in model order */
    int n_taps;
    cx_shape *inputs;   /* of the model's inputs; CX_FREE until an input has come */
    cx_tensor *waiting; /* numbers of the model's inputs that came before there is a plan */
    char *given;        /* input after input, slot after slot: 1 where numbers have come */
    int planned, done;
    cx_slot *slots; /* a node each */
    int *steps;     /* nodes to compute, in order */
    int n_steps;
    cx_block memory; /* all slots, then the workspace */
    size_t memory_size, workspace_offset;
};

/* Give the model's i-th input a concrete shape (batch first); plans again when it differs. What
 * the other inputs were given stays, unless the batch changes. */
int cx_run_set_shape(cvs_run *run, int input, const cx_shape *shape, cvs_error *err);

/* Where the numbers of the i-th input go once it has a shape, of which those of `n` slots will be
 * written. Its data is NULL where no output depends on it. */
cx_tensor *cx_run_input(cvs_run *run, int input, int slot, int n);

/* The output of a node after a forward pass; CVS_E_ARG when this run does not keep it. */
int cx_run_output(const cx_tensor **out, const cvs_run *run, int node, cvs_error *err);

/* --- plan.c --- */

/* From the shapes of the inputs and the taps: which nodes run, and where each output lies so that
 * memory is used again once its last reader is done. */
int cx_run_plan(cvs_run *run, cvs_error *err);

#endif
