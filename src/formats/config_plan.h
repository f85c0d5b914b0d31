/* config_plan.h - a model's description, read but not yet connected.
 *
 * A nested model is read once and connected once for every call of it. */
#ifndef CX_FORMATS_CONFIG_PLAN_H
#define CX_FORMATS_CONFIG_PLAN_H

#include "formats/config.h"

/* An output of a call of a member. */
typedef struct cx_ref {
    int member, call, tensor;
} cx_ref;

typedef struct cx_refs {
    cx_ref *ref;
    int n;
} cx_refs;

typedef struct cx_plan cx_plan;
typedef struct cx_member cx_member;

/* One call of a member. What is below `in` changes while the plan is connected. */
typedef struct cx_plan_call {
    cx_member *member;
    cx_refs in;
    int next;  /* the first input that is not known to be ready */
    int state; /* 0 untouched, 1 waiting for its inputs, 2 done */
    int *out;  /* nodes */
    int n_out;
} cx_plan_call;

/* A layer, a nested model or an input. */
struct cx_member {
    const char *name;
    const cx_json *json; /* {"class_name", "config", "inbound_nodes"} */
    int is_input;
    int is_operation;
    int is_branch;   /* begins a branch of a Sequential model that begins with a Merge */
    int is_unknown;  /* a layer that cannot be computed */
    int has_several; /* of its outputs; they are one node, whose shape is left open */
    cx_shape stated; /* of its output, by the file; no axes where it does not say */
    int node;        /* of an input of the whole model, else -1 */
    int layer;       /* else -1 */
    cx_plan *nested; /* else NULL */
    cx_plan_call *calls;
    int n_calls;
    int min_ref, max_ref; /* calls that others refer to; min > max while there is none */
};

struct cx_plan {
    int module;
    size_t path_length; /* of the names of the nested models around its members */
    cx_member *members;
    int n;
    const cx_member **sorted; /* by name */
    cx_refs inputs, outputs;
    int *ends; /* last members of the branches before a Merge */
    int n_ends;
    cx_shape shape; /* of the first input; ndim 0 where the description does not say */
};

/* What all parts of the work share. */
typedef struct cx_plan_context {
    cvs_model *model;
    cx_arena *arena; /* of the plans */
    cx_config_context config;
    int work; /* members connected so far: nested models can multiply them */
    cvs_error *err;
} cx_plan_context;

/* --- config_shape.c --- */

/* A shape: a list, or an object that wraps one as "items" (TensorShape, tuple). No axes when `json`
 * is none. */
int cx_config_shape(cx_shape *out, const cx_json *json, cvs_error *err);

/* The input shape that a layer's configuration states. Keras 1 gave Dense only `input_dim`, and
 * Conv1D `input_dim` and `input_length`. */
int cx_config_input_shape(cx_shape *out, const cx_json *config, cvs_error *err);

/* The shape of a Sequential's input where no InputLayer states it: its first layer does, or
 * build_input_shape, or the model that is its first layer. */
int cx_config_sequential_shape(cx_shape *out, const cx_json *config, const cx_json *first,
                               cvs_error *err);

/* Note the shape of an output of a member that cannot be computed. */
void cx_member_note_shape(cx_member *member, const cx_json *shape, int tensor);

/* The same from what the layer after it says that it takes. */
void cx_member_state_shape(cx_member *member, const cx_json *next);

/* --- config.c --- */

/* A model as a layer: the class, and a configuration that lists layers. Files of Keras 1 and 2 up
 * to 2.2.2 have the bare list for a Sequential. */
int cx_config_is_model(const cx_json *json);

/* --- config_calls.c --- */

/* Read the calls of a Functional model's members, and its inputs and outputs. */
int cx_plan_read_calls(cx_plan *plan, const cx_json *config, cx_plan_context *c);

/* --- config_operation.c --- */

/* The first call in `inbound_nodes`; Keras 2 leaves the list around it out in places. */
const cx_json *cx_operation_call(const cx_json *inbound_nodes);

/* The arguments of the call of an operation, as `inbound_nodes` lists it; gives their number or an
 * error. `found`, which may be NULL, is called with [name, node, tensor] for each tensor, in the
 * order in which the arguments count them. */
typedef int cx_tensor_found(void *arg, const cx_json *ref);
int cx_operation_arguments(cx_argument args[CX_MAX_ARGUMENTS], const cx_json *call,
                           cx_tensor_found *found, void *arg, cvs_error *err);

/* --- config_connect.c --- */

/* Call everything of a plan on these nodes; `out` gets plan->outputs.n nodes. */
int cx_plan_connect(cx_plan *plan, const int *in, int n_in, int *out, cx_plan_context *c);

#endif
