/* model.h - a network: layers, the calls of them (nodes), and the nested models they came from.
 *
 * Built by the formats through the functions below, then finished; from then on it never changes.
 * Nested models are flattened as they are built: a node's name says where it came from.
 *
 * A model may have layers that cannot be computed. It can be described as well as the file allows;
 * a run of it is refused. */
#ifndef CX_GRAPH_MODEL_H
#define CX_GRAPH_MODEL_H

#include "base/file.h"
#include "graph/transforms.h"

enum {
    CX_MAX_NODES = 20000, /* NASNetLarge has about 1,000 */
    CX_MAX_NESTING = 16,  /* models in models */
    CX_MAX_INPUTS = 256,  /* of one node */
};

/* A model, or a model in it: what Keras shows as one row of a summary, and what owns one group of
 * weights in an HDF5 file. */
typedef struct cx_module {
    const char *name;       /* Keras name */
    const char *class_name; /* "Sequential", "Functional", "Model" */
    int parent;             /* module, -1 for the whole model (module 0) */
    int sequential;         /* 1: a plain chain that Keras calls Sequential */
    int trainable;          /* Keras' flag of the model itself: 0 freezes all in it */
} cx_module;

/* Entries of modules in Keras' order (model.layers): a layer or a nested module. */
typedef struct cx_entry {
    int module;            /* whose entry it is */
    int layer;             /* -1 for a nested module */
    int nested;            /* -1 for a layer */
    const cx_shape *input; /* stated by the InputLayer of a nested model, which has no node: it
                              gives way to what the model is called on; NULL for all others */
    int calls;             /* of a layer, so far */
} cx_entry;

/* A call of a nested model that made nodes. Those of calls in it are among them. */
typedef struct cx_module_call {
    int module;
    int first, last; /* nodes first … last - 1 */
    const int *in,
        *out; /* nodes: what it is called on and what it gives, as the model lists them */
    int n_in, n_out;
} cx_module_call;

typedef struct cx_node {
    const char *name; /* "outer/inner#1" */
    int layer;
    int module;        /* where the layer stands */
    int n_inputs;      /* 0 for an input of the model */
    const int *inputs; /* nodes */
    cx_shape shape;    /* of the output; CX_FREE where it depends on the input, no axes where
                          nobody can tell */
    int is_guessed;    /* its shape comes from a layer that cannot be computed */
} cx_node;

struct cvs_model {
    cx_arena *arena;
    const char *name, *class_name;
    const char *keras_version; /* of the file, "2.4.0"; "" where it does not say */
    cx_layer *layers;
    int n_layers;
    cx_module *modules;
    int n_modules;
    cx_entry *entries;
    int n_entries;
    cx_module_call *calls; /* of nested models, inner ones before those around them */
    int n_calls;
    cx_node *nodes; /* in model order, which is an order of computation too */
    int n_nodes;
    int *inputs, *outputs; /* nodes */
    int n_inputs, n_outputs;
    cx_json *description; /* {"class_name", "config"} that it was built from; NULL: from none */
    int closed;           /* by cx_model_finish */
    cvs_error refusal;    /* why it cannot be computed; all zero where it can */
    cx_block weights;     /* numbers of the layers, one array after the other */
    cx_mapping file;      /* or they lie in the model's file as they are to be */
    cx_transforms *transforms; /* made of weights as runs want them: the one thing that grows */
};

/* --- building: for formats/ --- */

/* An empty model with module 0, the caller's to cvs_model_free(). */
int cx_model_new(cvs_model **out, const char *name, const char *class_name,
                 const char *keras_version, cvs_error *err);

int cx_model_add_module(int *out, cvs_model *m, int parent, const char *name,
                        const char *class_name, cvs_error *err);

/* Add a layer of a kind with its Keras configuration. CVS_E_UNSUPPORTED names an unknown class. */
int cx_model_add_layer(int *out, cvs_model *m, int module, const char *class_name, const char *name,
                       const cx_json *config, const cx_config_context *context, cvs_error *err);

/* The same with a kind that is known already, for which Keras shows `class_name`. */
int cx_model_add_layer_of(int *out, cvs_model *m, int module, const cx_layer_kind *kind,
                          const char *class_name, const char *name, const cx_json *config,
                          const cx_config_context *context, cvs_error *err);

/* Call a layer on the outputs of nodes that are there already; infers the shape. The first call
 * fixes the shapes of its weights; a later one must want the same. Errors name the layer. Where a
 * shape cannot be told for a layer that cannot be computed, the node has none. */
int cx_model_add_node(int *out, cvs_model *m, int layer, const int *inputs, int n_inputs,
                      cvs_error *err);

/* An input of the model: a node without inputs, whose layer is of class InputLayer. */
int cx_model_add_input(int *out, cvs_model *m, int module, const char *name, const cx_shape *shape,
                       cvs_error *err);

/* The InputLayer of a nested model, which Keras lists: a layer that is never called. */
int cx_model_add_inner_input(cvs_model *m, int module, const char *name, const cx_shape *shape,
                             cvs_error *err);

/* A nested model was called: its nodes are those from `first` on. Nothing is kept of a call that
 * made none and so only hands on what it is given. */
int cx_model_add_call(cvs_model *m, const cx_module_call *call, cvs_error *err);

/* A layer or a call of one in `module` that is valid but cannot be computed, for `why`: the model
 * will be refused with the first of these. Takes the failure away. */
void cx_model_refuse(cvs_model *m, int module, cvs_error *why);

/* Make a layer that was not called yet one of an unknown class. */
int cx_model_make_unknown(cvs_model *m, int layer, const char *class_name, cvs_error *err);

/* Give a node that has no shape the one that the file states. */
void cx_model_state_shape(cvs_model *m, int node, const cx_shape *shape);

int cx_model_set_outputs(cvs_model *m, const int *nodes, int n, cvs_error *err);

/* Give every weight the numbers that its layer's configuration wants it to begin with, drawn with a
 * seed: of a model that no file fills. */
int cx_model_draw_weights(cvs_model *m, uint64_t seed, cvs_error *err);

/* Once every layer's weights point into m->weights or m->file: prepare the layers and close the
 * model. */
int cx_model_finish(cvs_model *m, cvs_error *err);

/* --- asking --- */

/* A failure when the model has a layer that cannot be computed. */
int cx_model_can_run(const cvs_model *m, cvs_error *err);

/* Whether the weights of a layer are to be counted in the file: it was called, and nobody can tell
 * which they are. Until cx_model_finish. */
int cx_model_is_open(const cvs_model *m, const cx_layer *l);

/* Whether a module is `outer` or nested in it. */
int cx_model_is_inside(const cvs_model *m, int module, int outer);

/* The node whose output is that of a nested model: the last that others use. */
int cx_model_module_output(const cvs_model *m, int module);

/* The node of that name, or the output of the nested model of that name; CVS_E_ARG with the nearest
 * names when there is none. A name without its outer models will do where only one node ends with
 * it. */
int cx_model_find_node(const cvs_model *m, const char *name, cvs_error *err);

/* The shape of a node as Keras writes it: "(None, 1)", or "?" where nobody can tell. Gives buf. */
char *cx_node_shape_text(char buf[CX_SHAPE_TEXT], const cx_shape *shape);

/* The axis of a node's output that counts channels: the last, or 1 where they come first. */
int cx_node_channel_axis(const cvs_model *m, int node);

/* Numbers in the weights of a layer that has been called; those that training changes. */
int64_t cx_layer_params(const cx_layer *l);
int64_t cx_layer_trainable_params(const cx_layer *l);

#endif
