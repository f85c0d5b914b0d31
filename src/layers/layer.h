/* layer.h - what a kind of layer is. A kind stands in one file and has one line in layers.def;
 * nobody else compares its class name.
 *
 * A layer is a kind with its configuration and weights. It may be called several times, on inputs
 * of other shapes: what depends on a call is in cx_call. */
#ifndef CX_LAYERS_LAYER_H
#define CX_LAYERS_LAYER_H

#include "base/json.h"
#include "kernels/kernels.h"
#include "tensor/initializer.h"

enum {
    CX_MAX_WEIGHTS = 8,
    CX_MAX_KERNEL = 4096,      /* cells of a window, strides, dilations, a side each */
    CX_MAX_CHANNELS = 1 << 20, /* that one layer makes */
};

typedef struct cx_layer cx_layer;

/* --- configuration --- */

typedef enum cx_field_type {
    CX_INT,        /* int64_t */
    CX_INTS,       /* int64_t[CX_SPACE]: a number for all axes, or a list of `rank` of them; the
                      first entry is the first of the layer's own axes, unused ones are 1 */
    CX_NUMBER,     /* double; a list or null is refused unless the kind's `configure` reads it */
    CX_BOOL,       /* int */
    CX_WORD,       /* int: index in `words` */
    CX_ACTIVATION, /* cx_activation */
} cx_field_type;

/* How one key of a Keras configuration fills a member of the kind's own struct. */
typedef struct cx_field {
    const char *key; /* Keras' names for it, older ones after '|': "filters|nb_filter" */
    cx_field_type type;
    size_t at;                /* offset of the member */
    double otherwise;         /* default; NAN: the key must be there */
    double min, max;          /* range, both ends allowed */
    const char *const *words; /* of a CX_WORD, ended by NULL */
} cx_field;

/* What a configuration is read under. */
typedef struct cx_config_context {
    int keras_major; /* 1, 2 or 3: the version that wrote the file */
} cx_config_context;

/* Fill `cfg` from `config` by `fields` (ended by a NULL key). `rank` is how many entries a CX_INTS
 * list has. Errors name the field. */
int cx_fields_read(void *cfg, const cx_field *fields, int rank, const cx_json *config,
                   const cx_config_context *context, cvs_error *err);

/* The value inside Keras' wrappers {"class_name": "__numpy__", "config": {"value": …}} and
 * {"class_name": "__tuple__", "items": […]}; any other value itself. */
cx_json *cx_config_unwrap(cx_json *v);
/* The value of the first of `keys` ("filters|nb_filter") that is there and not null, unwrapped, or
 * NULL. `found`, which may be NULL, gets the key. */
enum { CX_KEY_TEXT = 32 };
cx_json *cx_config_get(const cx_json *config, const char *keys, char found[CX_KEY_TEXT]);
/* One number in the range (or a list of one); errors name `key`. */
int cx_config_number(double *out, const cx_json *v, const char *key, double min, double max,
                     cvs_error *err);
int cx_config_int(int64_t *out, const cx_json *v, const char *key, double min, double max,
                  cvs_error *err);
/* An activation as Keras writes it: a name, an object for a function or for a layer. */
int cx_activation_read(cx_activation *out, const cx_json *v, const cx_config_context *context,
                       cvs_error *err);

/* The activation of that Keras name; CVS_E_UNSUPPORTED with the name when there is none. */
int cx_activation_by_name(cx_activation *out, const char *name, const cx_config_context *context,
                          cvs_error *err);

/* --- a kind --- */

/* A weight that a layer wants: its Keras name, its shape, and whether training changes it (a
 * moving mean is not). */
typedef struct cx_weight_spec {
    const char *name;
    cx_shape shape;
    int frozen;
} cx_weight_spec;

/* What a call has more of when it is a step of training. Forward and backward of one step are given
 * the same. */
typedef struct cx_training {
    uint64_t seed;   /* of all that the call draws */
    float *kept;     /* what forward leaves for backward: `keeps` numbers */
    float *const *w; /* the layer's weights, of which forward moves the moving averages; NULL: they
                        stay */
} cx_training;

/* A scale and a shift for each index of an axis. */
typedef struct cx_affine {
    int64_t n;
    float *scale, *shift;
} cx_affine;

/* What layers after one do to its numbers, when the same call does it: in this order. */
typedef struct cx_after {
    const cx_affine *norm;           /* over the last axis; NULL: none */
    const cx_activation *activation; /* NULL: the layer's own */
    const cx_window *pool;           /* the largest of a window; NULL: none */
    const cx_tensor *pooled;     /* to be filled with it; y->data may be NULL then: not wanted */
    int streams;                 /* no layer reads y, and it would only fill the caches */
    const cx_layer *pointwise;   /* a kind that as_pointwise knows, whose output is y; NULL: none */
    const struct cx_after *then; /* what is after that one: a norm and an activation */
} cx_after;

/* A convolution whose kernel is one cell, and what it ends with. */
typedef struct cx_pointwise {
    int64_t filters;
    const float *kernel, *bias; /* (channels, filters); bias NULL: none */
    const cx_activation *activation;
} cx_pointwise;

/* One call of a layer on concrete tensors (no free sizes). */
typedef struct cx_call {
    int n_x;
    const cx_tensor *const *x;
    cx_tensor *y; /* shape as `infer` said; its numbers are to be filled */
    void *workspace;
    const float *transformed; /* weights, see cx_layer_transform; NULL: none */
    int exact;                /* no fast transforms */
    int linear;            /* y is wanted as it is before the activation that the layer ends with */
    const cx_after *after; /* NULL: nothing; else what `takes` said yes to */
    const cx_training *training; /* NULL: inference */
} cx_call;

/* What a kind is for, where it is neither a convolution nor a pooling: how a drawing sorts it. */
typedef enum cx_family {
    CX_OTHER,
    CX_ACTIVATING,
    CX_NORMALIZING,
    CX_MERGING,
    CX_CONNECTING, /* every number with every other, as Dense */
    CX_RESHAPING,  /* padding, cropping and enlarging too */
} cx_family;

/* The same call seen from behind: how a number that depends on y changes with y is known, and asked
 * is how it changes with the inputs and the weights. An activation that the layer ends with is the
 * caller's to undo: dy belongs to what was before it. */
typedef struct cx_backward_call {
    int n_x;
    const cx_tensor *const *x; /* what the forward call was given … */
    const cx_tensor *y;        /* … and what it gave, after its activation */
    const cx_tensor *dy;       /* shape of y */
    cx_tensor *const *dx;      /* of each input, to be filled; NULL where nobody asks */
    float *const *dw;          /* of each weight, to be added to; NULL where nobody asks; the array
                                  itself may be NULL too */
    const float *transformed;  /* as of cx_call, for the way back */
    void *workspace;
    int exact;
    const cx_training *training; /* as forward had it */
    int rectify; /* of kinds that can: the one input is what a relu gave, dx is wanted of before it
                  */
} cx_backward_call;

/* What one number of a layer's output is made of: cells of a window on its one input, and some
 * channels of each. An activation comes after it. */
typedef enum cx_reading {
    CX_READS_SUM, /* times a kernel, plus a bias */
    CX_READS_LARGEST,
    CX_READS_MEAN, /* of the cells inside the input */
} cx_reading;
typedef struct cx_reads {
    cx_reading how;
    cx_window window; /* its batch and its sizes of input and output are not to be relied on */
    int64_t first, channels;
    int has_bias;
    float bias;
} cx_reads;

typedef struct cx_layer_kind {
    const char *class_name;     /* as Keras writes it: "Conv2D" */
    const char *const *aliases; /* other names for it, NULL-ended; may be NULL */
    size_t cfg_size;
    const cx_field *fields; /* ended by key NULL; may be NULL */
    int rank;               /* spatial axes, 0 where that has no meaning */
    cx_family family;
    int has_data_format;  /* 1: its channels may come first; see call.c */
    int moves_axes;       /* 1: axes of the output are not those of the input */
    int rectifies;        /* 1: its backward can go on through a relu before it */
    int is_conv, is_pool; /* counted as such by the tap "conv+pool" */
    int is_transposed;    /* of a convolution: its kernel has the filters before the channels */
    int is_identity;      /* 1: y holds the numbers of x, perhaps in another shape: a plan need
                             not run it */
    int trains;           /* 1: in training it does something else: `is_identity` and what is said
                             of it below do not hold then, and `backward` is for training too */
    int is_affine;        /* 1: its output is a sum of the inputs' numbers times constants, plus
                             constants; of convolutions and dense layers before their activation */
    int is_scale_shift;   /* 1: and that of one number each: l->state is a cx_affine of channels */
    int is_product;       /* 1: multiplies its inputs number by number */
    int is_rescaling;     /* 1: turns pixel values into a model's range by itself */
    int is_unknown;       /* 1: stands for a class that cannot be computed; it has no functions */
    const char *untrainable; /* what a layer of the kind would do in training that is not there,
                                "its random flips"; NULL: nothing */

    /* What fields cannot say; may be NULL. cfg is filled from `fields` before. Memory that the
     * configuration needs comes from `arena`. */
    int (*configure)(cx_layer *l, const cx_json *config, const cx_config_context *context,
                     cx_arena *arena, cvs_error *err);
    /* Shape of the output from those of the inputs; free sizes (CX_FREE) stay free. */
    int (*infer)(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err);
    /* Weights in Keras' order for input shapes that `infer` accepted; gives their number (0 …
     * CX_MAX_WEIGHTS) or an error. NULL: none. */
    int (*weights)(const cx_layer *l, const cx_shape *in, int n_in,
                   cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err);
    /* Work on the loaded weights that every call would repeat (say, folding BatchNormalization's
     * statistics to a scale and a shift), into l->state. Called again after weights changed, with
     * what it made before in l->state, whose memory it uses again. NULL: nothing. */
    int (*prepare)(cx_layer *l, cx_arena *arena, cvs_error *err);
    /* Scratch bytes of a forward call. NULL: none. */
    size_t (*workspace)(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out);
    /* Numbers that a forward call in training leaves for backward, and scratch bytes of either
     * there, if more than else. NULL: none. */
    int64_t (*keeps)(const cx_layer *l, const cx_shape *in);
    size_t (*training_workspace)(const cx_layer *l, const cx_shape *in);
    /* Weights in another form that makes calls on such an input faster, and that is worth keeping:
     * its bytes, 0 where there is none, and how it is made. `back`: for backward. NULL: none. */
    size_t (*transformed_size)(const cx_layer *l, const cx_shape *in, int back);
    void (*transform)(const cx_layer *l, const cx_shape *in, int back, float *to);
    /* Whether a call on such an input can do that too, and scratch bytes that it takes then, if
     * more than else. NULL: nothing; none. */
    int (*takes)(const cx_layer *l, const cx_shape *in, int exact, const cx_after *after);
    size_t (*after_workspace)(const cx_layer *l, const cx_shape *in, const cx_after *after);
    /* Fill c->y. Cannot fail: everything was checked before. */
    void (*forward)(const cx_layer *l, const cx_call *c);
    /* Fill dx, add to dw. NULL: the kind has no derivative, and a plan that wants one says so; or
     * it is an activation or an identity, whose derivative call.c knows. */
    void (*backward)(const cx_layer *l, const cx_backward_call *c);
    /* Scratch bytes of a backward call. NULL: none. */
    size_t (*backward_workspace)(const cx_layer *l, const cx_shape *in, int n_in,
                                 const cx_shape *out);
    /* Of a layer that is an activation without weights: gives 1 and which, so that it can stand in
     * another layer's configuration; 0 where no cx_activation says it. NULL: it is none. */
    int (*as_activation)(const cx_layer *l, cx_activation *out);
    /* Of a layer that is a scale and a shift over the last axis of its input: these, else NULL. */
    const cx_affine *(*as_affine)(const cx_layer *l, const cx_shape *in);
    /* Of one that is the largest of a window on its input: gives 1 and the window. */
    int (*as_pooling)(const cx_layer *l, const cx_shape *in, cx_window *out);
    /* Of one that is a convolution by one cell: gives 1 and which. */
    int (*as_pointwise)(const cx_layer *l, const cx_shape *in, cx_pointwise *out);
    /* What a number of that channel reads, for inputs that `infer` accepted. `kernel`, which may be
     * NULL, is filled with a number for each cell of the window and channel that is read. NULL:
     * the kind is another computation. */
    void (*reads)(const cx_layer *l, const cx_shape *in, int64_t channel, cx_reads *out,
                  float *kernel);
    /* The layer that this one wraps, and that ends as it does. NULL: none. */
    const cx_layer *(*inner)(const cx_layer *l);
} cx_layer_kind;

/* What a configuration says of the weights whose names begin with a word, "kernel". */
typedef struct cx_weight_rule {
    const char *prefix;
    cx_initializer initial;
    double l1, l2; /* training adds l1 * sum of |w| + l2 * sum of w^2 to the loss */
} cx_weight_rule;

/* A weight of a layer: what was asked for, and where its numbers lie (borrowed from the model). */
typedef struct cx_weight {
    cx_weight_spec spec;
    const float *data;
} cx_weight;

struct cx_layer {
    const cx_layer_kind *kind;
    const char *name;       /* Keras name, without any outer model's */
    const char *class_name; /* as Keras shows it: its kind's, or that of an operation */
    void *cfg;              /* the kind's struct */
    int trainable;          /* Keras' flag */
    int channels_first;     /* of the tensors that it takes and gives */
    int entry;              /* of the model that it is in */
    int n_weights;          /* -1 until somebody asked for them */
    int64_t n_stored;       /* numbers in the file of a layer whose weights nobody can tell apart */
    cx_weight w[CX_MAX_WEIGHTS];
    void *state; /* from `prepare` */
    const cx_weight_rule *rules;
    int n_rules;
    const char *untrainable; /* what it has that training cannot do; NULL: nothing */
};

/* --- a layer made and called: by these, not by its kind's own functions --- */

/* A layer of that class with its Keras configuration; `name` is borrowed, the rest is in `arena`.
 * CVS_E_UNSUPPORTED names an unknown class. */
int cx_layer_init(cx_layer *out, const char *class_name, const char *name, const cx_json *config,
                  const cx_config_context *context, cx_arena *arena, cvs_error *err);

/* The same with a kind that is known already. */
int cx_layer_init_of(cx_layer *out, const cx_layer_kind *kind, const char *name,
                     const cx_json *config, const cx_config_context *context, cx_arena *arena,
                     cvs_error *err);

/* As the kind's functions of that name, for tensors in the model's own order of axes. */
int cx_layer_infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err);
int cx_layer_weights(const cx_layer *l, const cx_shape *in, int n_in,
                     cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err);
size_t cx_layer_workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out);
size_t cx_layer_transformed_size(const cx_layer *l, const cx_shape *in, int back);
void cx_layer_transform(const cx_layer *l, const cx_shape *in, int back, float *to);
int cx_layer_takes(const cx_layer *l, const cx_shape *in, int exact, const cx_after *after);
size_t cx_layer_after_workspace(const cx_layer *l, const cx_shape *in, const cx_after *after);
const cx_affine *cx_layer_as_affine(const cx_layer *l, const cx_shape *in);
int cx_layer_as_pooling(cx_window *out, const cx_layer *l, const cx_shape *in);
int cx_layer_as_pointwise(cx_pointwise *out, const cx_layer *l, const cx_shape *in);
/* 0 where the kind is another computation, or its window has three axes. */
int cx_layer_reads(cx_reads *out, const cx_layer *l, const cx_shape *in, int64_t channel,
                   float *kernel);
void cx_layer_forward(const cx_layer *l, const cx_call *c);
/* 0 where the layer has no derivative. */
int cx_layer_has_backward(const cx_layer *l);
void cx_layer_backward(const cx_layer *l, const cx_backward_call *c);
size_t cx_layer_backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                   const cx_shape *out);
/* Whether y holds the numbers of x in their order, at inference or also in training. */
int cx_layer_is_identity(const cx_layer *l);
int cx_layer_stays_identity(const cx_layer *l);
/* Of a call in training; see the kind. */
int64_t cx_layer_keeps(const cx_layer *l, const cx_shape *in);
size_t cx_layer_training_workspace(const cx_layer *l, const cx_shape *in);

/* Whether a layer ends with an activation function, be it all that it does or a part of its
 * configuration (linear is none); if so, which. */
int cx_layer_ends_with(cx_activation *out, const cx_layer *l);
/* Its Keras name, "sigmoid". Static. */
const char *cx_activation_name(const cx_activation *a);

/* The kind of that Keras class; NULL when there is none. */
const cx_layer_kind *cx_layer_kind_find(const char *class_name);
/* The i-th kind; NULL past the end. */
const cx_layer_kind *cx_layer_kind_at(int i);

/* Read what the configuration says of weights; cx_layer_init_of does it. */
int cx_weight_rules_read(cx_layer *l, const cx_json *config, cx_arena *arena, cvs_error *err);
/* What it says of one of them, or what Keras does where it is silent. */
cx_weight_rule cx_weight_rule_of(const cx_layer *l, int weight);

/* --- operations --- */

/* Where an argument of an operation's call came from: a value, or `n` of the tensors that it is
 * called on, from the `first`. */
enum { CX_MAX_ARGUMENTS = 16 };
typedef struct cx_argument {
    const char *name; /* NULL for a positional one */
    const cx_json *value;
    int first, n;
} cx_argument;

/* What stands for an operation: a kind, which the table need not have, and its configuration, the
 * caller's to cx_json_free. */
typedef struct cx_operation {
    const cx_layer_kind *kind;
    cx_json *config;
} cx_operation;

/* Whether what Keras lists like a layer is an operation on tensors: x + y, tf.nn.relu(x). Some
 * have namesakes among the layers; the module tells. */
int cx_is_operation(const char *module, const char *class_name);

/* The kind for one call of an operation; CVS_E_UNSUPPORTED names an unknown one. */
int cx_operation_read(cx_operation *out, const char *class_name, const cx_json *config,
                      const cx_argument *args, int n_args, cvs_error *err);

/* --- classes that there is no kind for --- */

/* A kind for layers of that class, which can be described but not computed. Its name is without the
 * package that Keras puts before those of users: "Mine>Odd" is Odd. NULL: out of memory. */
const cx_layer_kind *cx_unknown_kind(const char *class_name, cx_arena *arena);
/* What may help; NULL where nothing is known. Static. */
const char *cx_unknown_class_hint(const char *class_name, const cx_json *config);
/* Whether the configuration states the shape of the output; if so, which. */
int cx_unknown_class_shape(cx_shape *out, const char *class_name, const cx_json *config);

/* --- helpers for kinds --- */

/* A failure unless there is one input of `ndim` axes (0: of any number) and cx_expect_size. */
int cx_expect_input(const cx_shape *in, int n_in, int ndim, cvs_error *err);
/* The `infer` of a kind whose output has the shape of its one input. */
int cx_infer_same(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err);
/* A failure unless that axis has a known size. */
int cx_expect_known(const cx_shape *in, int axis, cvs_error *err);
/* A failure where a shape has no axis or an empty one, or is beyond cx_shape_count's limit, free
 * sizes counted as 1. Every `infer` asks it of its inputs, and of an output that can be larger than
 * they are: so no arithmetic on sizes overflows. */
int cx_expect_size(const cx_shape *s, cvs_error *err);
/* Axes that a configuration names: one, or a list; -1 where it is silent. */
typedef struct cx_axes {
    int n;
    int64_t axis[CX_MAX_DIMS]; /* as the file has them */
} cx_axes;
int cx_axes_read(cx_axes *out, const cx_json *config, const char *keys, cvs_error *err);

/* A tensor as rows over these axes. */
typedef struct cx_rows {
    int along[CX_MAX_DIMS]; /* by axis of the tensor: 1 where a row goes */
    int64_t rows, n;
    int in_place;           /* its rows lie on end as it is */
    cx_box gather, scatter; /* to rows on end, and back */
} cx_rows;
int cx_rows_of(cx_rows *out, const cx_axes *axes, const cx_shape *in, cvs_error *err);
/* The copy the other way round. */
cx_box cx_box_back(const cx_box *b);

/* The axis that Keras calls `axis`: negative ones count from the end. */
int cx_axis_of(int *out, int64_t axis, const cx_shape *in, cvs_error *err);
/* What two shapes of as many axes give by numpy's broadcasting, into `sum`; 0 when they do not go
 * together. */
int cx_shape_join(cx_shape *sum, const cx_shape *s);
/* The shape with axes of size 1 put in after the batch, up to `ndim` axes. */
cx_shape cx_shape_lifted(const cx_shape *s, int ndim);
/* y of shape `to` from x by numpy's broadcasting, x's shape lifted first. */
void cx_broadcast(const float *x, const cx_shape *from, const cx_shape *to, float *y);
/* The way back: dx of shape `from` is filled with the sums of dy, of shape `to`, over the axes on
 * which x was repeated. */
void cx_broadcast_backward(const float *dy, const cx_shape *from, const cx_shape *to, float *dx);

/* --- affine.c: a scale and a shift for each index --- */

cx_affine *cx_affine_new(int64_t n, cx_arena *arena); /* zeros; NULL: no memory */

/* gamma and beta, as every normalisation has them: specs of those that there are from out[0] on,
 * and their number. */
int cx_gamma_beta_specs(cx_weight_spec *out, const char *gamma, int scale, int center,
                        const cx_shape *shape);
/* Both as a cx_affine in l->state, from the weights 0 and 1; NULL where there are none. */
int cx_gamma_beta_prepare(cx_layer *l, int scale, int center, cx_arena *arena, cvs_error *err);

/* y = x * scale[i] + shift[i] where i is the index on that axis; shift may be NULL, y may be x. */
void cx_affine_axis(const cx_shape *s, int axis, const float *scale, const float *shift,
                    const float *x, float *y);
/* Adds the sums of x * dy and dy for each index to dscale and dshift, each of which may be NULL. */
void cx_affine_axis_sums(const cx_shape *s, int axis, const float *x, const float *dy,
                         float *dscale, float *dshift);

/* A window's place in the layer's rank: axis a of 0 … rank - 1 is window axis CX_SPACE - rank + a,
 * the others are 1. */
typedef enum cx_padding { CX_VALID, CX_SAME, CX_CAUSAL } cx_padding;
extern const char *const cx_padding_words[];    /* "valid", "same" for CX_WORD fields */
extern const char *const cx_padding_words_1d[]; /* "causal" too */
typedef struct cx_window_config {
    int64_t kernel[CX_SPACE], stride[CX_SPACE], dilation[CX_SPACE];
    int padding; /* cx_padding */
} cx_window_config;

/* Where kernel_size was not given (c->kernel[0] is 0): Keras 1 had a key for each axis. */
int cx_kernel_of_keras1(cx_window_config *c, int rank, const cx_json *config, cvs_error *err);

/* The window of a layer of `rank` on an input (batch, rank sizes, channels); TensorFlow's rules for
 * padding, the odd cell at the end. Sizes that are free stay CX_FREE in `out`. */
int cx_window_of(cx_window *out, const cx_window_config *c, int rank, const cx_shape *in,
                 cvs_error *err);
/* Copies the numbers of a kernel's cells that channel `channel` of `channels` has: `from` lies as
 * (cells × read, channels). */
void cx_kernel_column(float *to, const float *from, int64_t n, int64_t channels, int64_t channel);
/* Cells of a window. */
int64_t cx_window_cells(const cx_window *w);
/* The output shape of that window with so many channels. */
cx_shape cx_window_shape(const cx_window *w, int rank, int64_t channels);

extern const char *const cx_interpolation_words[]; /* of CX_WORD fields for a cx_interpolation */

/* The activation that a call is to end with: `a`, or NULL where it is to be left out. */
const cx_activation *cx_call_activation(const cx_call *c, const cx_activation *a);
/* An epilogue for `bias` and the activation `a`, which may be NULL: none. When the activation is no
 * clamp, the epilogue is without it and cx_finish_activation does it afterwards on the whole
 * output. */
cx_epilogue cx_epilogue_of(const float *bias, const cx_activation *a);
/* The same for a call, whose normalisation comes before the activation. */
cx_epilogue cx_call_epilogue(const cx_call *c, const float *bias, const cx_activation *a);
/* Whether a layer that ends with `own` can do what is after it by an epilogue and
 * cx_finish_activation: a pooling is the caller's to see, and nothing else is done. */
int cx_epilogue_takes(const cx_activation *own, const cx_after *after);
/* y = f(x), the softmax kinds over the last axis; y may be x->data. */
void cx_activate(const cx_activation *a, const cx_tensor *x, float *y);
void cx_finish_activation(const cx_activation *a, cx_tensor *y);
/* --- for the way back --- */

/* Where the derivative of a weight goes; NULL where nobody asks. */
float *cx_dw(const cx_backward_call *c, int weight);
/* That of a bias, one number for each index of the last axis, added to the weight's. */
void cx_bias_gradient(const cx_backward_call *c, int weight);
/* dx from dy, which may be the same; x is the argument, and may be NULL where the output alone
 * tells (cx_activation_from_output). */
void cx_activate_backward(const cx_activation *a, const float *x, const cx_tensor *y,
                          const float *dy, float *dx);

#endif
