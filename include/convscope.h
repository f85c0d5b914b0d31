/* convscope.h - look inside trained convolutional networks: load, inspect, run, measure, draw.
 *
 * A cvs_model never changes once it is loaded: any number of threads may share it. A cvs_run holds
 * everything that one computation changes: one thread at a time. A function that can fail returns 0
 * or a negative cvs_status and fills *err, which may be NULL; its out-parameters are NULL or zero
 * then. Out-pointers belong to the caller; returned pointers are borrowed from the object they were
 * asked of, and the comment says until when.
 *
 * Tensors are float32 in Keras' own axis order, the batch first. Text is UTF-8. */
#ifndef CONVSCOPE_H
#define CONVSCOPE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef CVS_API
#define CVS_API __attribute__((visibility("default")))
#endif

#define CVS_FILE_NAME 256 /**< bytes of a file's name, its 0 counted */
#define CVS_MAX_DIMS  6   /**< most axes that a tensor has, the batch counted */

typedef struct cvs_model cvs_model; /**< a network and its weights, read-only */
typedef struct cvs_run cvs_run;     /**< buffers and results of one computation */

/* --- errors ---------------------------------------------------------------------------------- */

/** What a call that failed returns. */
typedef enum cvs_status {
    CVS_OK = 0,
    CVS_E_ARG = -1,         /**< wrong use: an argument, an option or a name that does not exist */
    CVS_E_NOMEM = -2,       /**< out of memory, or a size over the limits */
    CVS_E_IO = -3,          /**< a file could not be read or written */
    CVS_E_FORMAT = -4,      /**< a file is not what it says it is */
    CVS_E_UNSUPPORTED = -5, /**< valid, but nothing that convscope can do yet */
    CVS_E_DIVERGED = -6,    /**< training came to a number that is not finite */
} cvs_status;

/** Why a call failed. Nothing to free: it lives where the caller put it. */
typedef struct cvs_error {
    int code;        /**< a cvs_status */
    char where[512]; /**< file, layer, field or byte at fault, outermost first; may be "" */
    char what[512];  /**< what is wrong, one line */
    char hint[256];  /**< what would help; may be "" */
} cvs_error;

/** The version of the library, "MAJOR.MINOR.PATCH". Static. */
CVS_API const char *cvs_version(void);

/**
 * What the library was built with and what it found: libraries, kernels in use, threads; one
 * "name: value" a line.
 *
 * @param[out] buf  filled with at most @p size bytes, always ended by 0
 */
CVS_API void cvs_build_info(char *buf, size_t size);

/**
 * Set how many threads the process computes with.
 *
 * @param n  1 … 256; 0 for one a core. Results have the same bytes for every number.
 * @return 0 or CVS_E_ARG
 */
CVS_API int cvs_set_threads(int n, cvs_error *err);

/** Free a string that the library handed to the caller. NULL is allowed, as in every _free. */
CVS_API void cvs_free(void *p);

/* --- models ---------------------------------------------------------------------------------- */

/** How a model is loaded. All zero is the default. */
typedef struct cvs_load_options {
    const char *architecture; /**< a JSON file that describes the model, as model.to_json() writes
                                   it: for files of weights only; where the model's file has a
                                   description, this one takes its place. NULL: there is none */
} cvs_load_options;

/**
 * Load a Keras model: HDF5 of Keras 1 to 3, .keras, or the model.json of a TensorFlow.js layers
 * model with its weights beside it. What a file is, its bytes say, not its name.
 *
 * Weights that stand in the file as they are wanted are used there, without a copy: the file must
 * not be cut or written to while the model lives (replacing it by another file does no harm).
 *
 * A model with layers that cannot be computed (Python code, a user's own class, an unknown
 * operation) is loaded, too, so that it can be described: cvs_layer.is_unknown tells which they
 * are, and cvs_run_new() refuses it.
 *
 * @param[out] out  the model, the caller's to cvs_model_free(); NULL on failure
 * @param path      file name
 * @param options   may be NULL
 * @return 0; CVS_E_IO, CVS_E_FORMAT, CVS_E_NOMEM, or CVS_E_UNSUPPORTED with the layer in err->where
 */
CVS_API int cvs_model_load(cvs_model **out, const char *path, const cvs_load_options *options,
                           cvs_error *err);
CVS_API void cvs_model_free(cvs_model *model);

/**
 * Save a model as the ending of @p path says: .h5 or .hdf5 (a whole model as Keras writes it),
 * .keras, or .json (a layers model of TensorFlow.js, with its weights beside it in .weights.bin).
 * Its configuration is written as it was in the file that it came from. Each file appears whole or
 * not at all.
 *
 * @return 0; CVS_E_ARG for another ending, CVS_E_IO, CVS_E_NOMEM, or CVS_E_UNSUPPORTED where the
 *         model has a layer of a class that is not known, or the form has no place for it
 */
CVS_API int cvs_model_save(const cvs_model *model, const char *path, cvs_error *err);

/** The model's Keras name. Borrowed from @p model. */
CVS_API const char *cvs_model_name(const cvs_model *model);

/** One layer call of a model. The strings are borrowed from the model. */
typedef struct cvs_layer {
    const char *name;            /**< Keras name; "name#1" for the second call of a shared layer */
    const char *class_name;      /**< Keras class, "Conv2D" */
    int64_t shape[CVS_MAX_DIMS]; /**< output, the batch first; -1 where it is free */
    int ndim;                    /**< entries of shape; 0 where a layer that is not known leaves
                                      the shape open */
    int64_t params;              /**< all numbers stored in the layer */
    int64_t trainable_params;    /**< those that training changes */
    int channel_axis;            /**< which entry of shape counts channels */
    int is_input;                /**< 1 for an input of the model */
    int is_unknown;              /**< 1 for a layer that can be described but not computed */
} cvs_layer;

/** How many layer calls the model has, in model order, inputs included. */
CVS_API int cvs_model_layer_count(const cvs_model *model);

/**
 * Describe a layer call.
 *
 * @param index  0 … cvs_model_layer_count() - 1
 * @return 0 or CVS_E_ARG
 */
CVS_API int cvs_model_layer(cvs_layer *out, const cvs_model *model, int index, cvs_error *err);

/** Index of the layer of that name; negative (CVS_E_ARG, with the nearest names in err->hint). */
CVS_API int cvs_model_find(const cvs_model *model, const char *name, cvs_error *err);

/** How many inputs and outputs the model has, and the layer index of each. -1 if @p i is out of
 * range. */
CVS_API int cvs_model_input_count(const cvs_model *model);
CVS_API int cvs_model_input(const cvs_model *model, int i);
CVS_API int cvs_model_output_count(const cvs_model *model);
CVS_API int cvs_model_output(const cvs_model *model, int i);

/** Which of the model's inputs has that Keras name; negative (CVS_E_ARG, with the names of all in
 * err->hint) when none has. */
CVS_API int cvs_model_find_input(const cvs_model *model, const char *name, cvs_error *err);

/** The Keras name of the activation function that an output ends with, "sigmoid", "softmax",
 * "linear" where it has none. Static. */
CVS_API const char *cvs_model_output_activation(const cvs_model *model, int i);

/** How the table of a model is written. */
typedef enum cvs_summary_style {
    CVS_SUMMARY_KERAS2, /**< as Keras 2 prints model.summary() */
    CVS_SUMMARY_KERAS3, /**< as Keras 3 draws it, with box characters */
    CVS_SUMMARY_JSON,   /**< one JSON object */
} cvs_summary_style;

/** What the table of a model shows. All zero is the default. */
typedef struct cvs_summary_options {
    cvs_summary_style style;
    int width; /**< columns of the table (Keras calls it line_length), 40 … 1000; 0 for a default:
                    80 (a chain) or 98 in Keras 2's style, 76 in Keras 3's */
    int expand; /**< 1: the layers of nested models too, as Keras' expand_nested; JSON always has
                     them */
} cvs_summary_options;

/**
 * The table that Keras prints for a model.
 *
 * @param[out] out    text ended by a newline, the caller's to cvs_free()
 * @param options     may be NULL
 */
CVS_API int cvs_model_summary(char **out, const cvs_model *model,
                              const cvs_summary_options *options, cvs_error *err);

/**
 * Draw the network as a flow chart: an SVG file that needs nothing else. Layers are boxes with
 * class, name, output shape and parameters, coloured by what they do; nested models are frames
 * around theirs. The file appears whole or not at all.
 *
 * @return 0; CVS_E_IO, CVS_E_NOMEM, or CVS_E_UNSUPPORTED where the model is too large to be drawn
 */
CVS_API int cvs_graph_write(const cvs_model *model, const char *path, cvs_error *err);

/* --- images ---------------------------------------------------------------------------------- */

/** How pixel values 0 … 255 become the numbers that a model takes. */
typedef enum cvs_preprocess {
    CVS_PREPROCESS_AUTO,  /**< unit, but raw where the model itself begins by rescaling */
    CVS_PREPROCESS_RAW,   /**< as they are */
    CVS_PREPROCESS_UNIT,  /**< x / 255, the book's */
    CVS_PREPROCESS_TF,    /**< x / 127.5 - 1, Keras Applications' "tf" */
    CVS_PREPROCESS_TORCH, /**< x / 255, less ImageNet's mean, by its deviation, a channel each */
    CVS_PREPROCESS_CAFFE, /**< blue, green, red, less ImageNet's mean */
} cvs_preprocess;

/** How a picture gets the size that the model takes. */
typedef enum cvs_resize {
    CVS_RESIZE_NEAREST,   /**< Pillow's nearest: what Keras' load_img does by default */
    CVS_RESIZE_BILINEAR,  /**< tf.image.resize, half-pixel centres, no antialiasing */
    CVS_RESIZE_BICUBIC,   /**< tf.image.resize, Keys' a = -0.5, no antialiasing */
    CVS_RESIZE_ANTIALIAS, /**< Pillow's bilinear, whose window grows when a picture shrinks */
} cvs_resize;

/** How a photograph is read. All zero is the default. */
typedef struct cvs_image_options {
    cvs_preprocess preprocess;
    cvs_resize resize;
    int exif; /**< 1: turn the picture as its EXIF orientation says (Keras does not) */
} cvs_image_options;

/** What a file holds for a model: a decoded photograph, or a tensor. It never changes; runs and
 * threads may share it. */
typedef struct cvs_input cvs_input;

/**
 * Read a JPEG, PNG or WebP picture, or a .npy tensor. Needs no model, so it can be done while one
 * loads.
 *
 * @param[out] out  the caller's to cvs_input_free(); NULL on failure
 * @param exif      1: turn the picture as its EXIF orientation says (Keras does not)
 */
CVS_API int cvs_input_load(cvs_input **out, const char *path, int exif, cvs_error *err);
CVS_API void cvs_input_free(cvs_input *input);

/**
 * Make a photograph what a model takes, a tensor of one input, as cvs_run_set() would: resized,
 * preprocessed, its axes in the model's order. Needs no run, so threads can do it while one
 * computes, and the photograph can be freed after it.
 *
 * @param[out] out  the caller's to cvs_input_free(); NULL on failure
 * @param data      a picture; a tensor is CVS_E_ARG
 * @param input     which input of the model, from 0
 * @param options   may be NULL
 */
CVS_API int cvs_input_fit(cvs_input **out, const cvs_input *data, const cvs_model *model, int input,
                          const cvs_image_options *options, cvs_error *err);

/** Names of the modes ("unit", "nearest"), for a command line; NULL past the end. Static. */
CVS_API const char *cvs_preprocess_name(int mode);
CVS_API const char *cvs_resize_name(int mode);

/** The mode that CVS_PREPROCESS_AUTO stands for with the @p input -th input of a model, and in
 * @p why (may be NULL) the reason in words. Static. */
CVS_API cvs_preprocess cvs_model_preprocess(const cvs_model *model, int input, const char **why);

/* --- runs ------------------------------------------------------------------------------------ */

/** How a run computes. All zero is the default. */
typedef struct cvs_run_options {
    int batch;        /**< inputs at once; 0 is 1 */
    const char *taps; /**< whose activations to keep: NULL the outputs only, "conv+pool", "conv",
                         "all", or layer names with commas between them */
    int exact;        /**< 1: direct convolutions only, no fast transforms */
} cvs_run_options;

/**
 * Make a run of a model.
 *
 * @param[out] out  the run, the caller's to cvs_run_free(); it borrows @p model until then
 * @param options   may be NULL
 * @return 0, CVS_E_ARG (a tap that does not exist), CVS_E_NOMEM, or CVS_E_UNSUPPORTED where the
 *         model has a layer that cannot be computed, which is named in err->where
 */
CVS_API int cvs_run_new(cvs_run **out, const cvs_model *model, const cvs_run_options *options,
                        cvs_error *err);
CVS_API void cvs_run_free(cvs_run *run);

/**
 * Give a run one of its inputs: a picture, which is resized and preprocessed, or a tensor (H×W×C or
 * N×H×W×C), which is taken as it is; one of N inputs makes the run's batch N. A model with several
 * inputs wants all of them for each place of the batch.
 *
 * @param input    which input of the model, from 0; cvs_model_find_input() knows it by name
 * @param slot     which place of the batch, from 0
 * @param options  may be NULL
 */
CVS_API int cvs_run_set(cvs_run *run, int input, int slot, const cvs_input *data,
                        const cvs_image_options *options, cvs_error *err);

/**
 * Set how many inputs a run computes at once from now on. Where that changes, the run forgets what
 * it was given. After a tensor of N inputs it is the way back.
 *
 * @param batch  1 and up
 * @return 0, CVS_E_ARG or CVS_E_NOMEM
 */
CVS_API int cvs_run_set_batch(cvs_run *run, int batch, cvs_error *err);

/** An input from a file: cvs_input_load() and cvs_run_set(). Errors name the file. */
CVS_API int cvs_run_set_image(cvs_run *run, int input, int slot, const char *path,
                              const cvs_image_options *options, cvs_error *err);

/**
 * Give a run one of its inputs as numbers for the whole batch, copied.
 *
 * @param input  which input of the model, from 0
 * @param dims   the shape, the batch first; it must fit the model's input
 */
CVS_API int cvs_run_set_input(cvs_run *run, int input, const float *data, const int64_t *dims,
                              int ndim, cvs_error *err);

/** Compute the outputs and the taps. */
CVS_API int cvs_run_forward(cvs_run *run, cvs_error *err);

/** How many activations the run keeps, and the layer index of the i-th, in model order. -1 if out
 * of range. */
CVS_API int cvs_run_tap_count(const cvs_run *run);
CVS_API int cvs_run_tap(const cvs_run *run, int i);

/**
 * The activation of a layer after cvs_run_forward(), in Keras' axis order.
 *
 * @param[out] data  borrowed from @p run until its next forward or its free
 * @param[out] dims  the shape, the batch first; *ndim entries are set
 * @param layer      a layer index that is tapped, or an output of the model, or an input that an
 *                   output depends on
 */
CVS_API int cvs_run_activation(const float **data, int64_t dims[CVS_MAX_DIMS], int *ndim,
                               const cvs_run *run, int layer, cvs_error *err);

/* --- statistics ------------------------------------------------------------------------------ */

/** Numbers about numbers. Sums are made in double precision, in a fixed order. */
typedef struct cvs_stats {
    double min, max, mean;
    double std;      /**< of the population, as numpy.std */
    double sparsity; /**< share of the values that are <= 0 */
    int64_t count;
    int64_t n_nan, n_inf; /**< these values are in no other figure */
    int dead; /**< 1: no value above 0 and all the same: nothing in this input excites it */
} cvs_stats;

/**
 * Statistics of an activation after cvs_run_forward().
 *
 * @param slot          which image of the batch; -1 for all of them together
 * @param[out] whole    of all values; may be NULL
 * @param[out] channels an array, the caller's to cvs_free(), one entry a channel; may be NULL
 * @param[out] n        its length; may be NULL where channels is
 */
CVS_API int cvs_run_stats(cvs_stats *whole, cvs_stats **channels, int64_t *n, const cvs_run *run,
                          int layer, int slot, cvs_error *err);

/* --- predictions ----------------------------------------------------------------------------- */

/** Class names, one a line of a text file. */
typedef struct cvs_classes cvs_classes;
CVS_API int cvs_classes_load(cvs_classes **out, const char *path, cvs_error *err);
CVS_API void cvs_classes_free(cvs_classes *classes);
CVS_API int cvs_classes_count(const cvs_classes *classes);
/** The i-th name, or NULL. Borrowed. */
CVS_API const char *cvs_classes_name(const cvs_classes *classes, int i);

/* --- pictures and files of activations ------------------------------------------------------- */

/** How channels are drawn on one sheet. */
typedef enum cvs_style {
    CVS_STYLE_DEFAULT, /**< all channels on one scale, numbered, dead ones marked */
    CVS_STYLE_PY1,     /**< Deep Learning with Python, 1st edition */
    CVS_STYLE_PY2,     /**< 2nd and 3rd edition */
    CVS_STYLE_R1,      /**< Deep Learning with R, 1st edition */
    CVS_STYLE_R2,      /**< 2nd edition */
} cvs_style;
CVS_API const char *cvs_style_name(int style); /**< "py1"; NULL past the end. Static. */

/** What cvs_activations_write() makes. */
enum {
    CVS_WRITE_PNG = 1, /**< a sheet a layer, NN_NAME.png */
    CVS_WRITE_NPY = 2, /**< the numbers, NN_NAME.npy */
    CVS_WRITE_NPZ = 4, /**< all numbers in one activations.npz */
};

/** How activations are written. All zero is the default. */
typedef struct cvs_write_options {
    int formats; /**< CVS_WRITE_ flags; 0 is CVS_WRITE_PNG */
    cvs_style style;
    int channel_scale;      /**< 1: each channel on its own colour scale (default style only) */
    const char *input;      /**< what index.json calls the input; may be NULL */
    const char *preprocess; /**< what index.json calls the preprocessing; may be NULL */
    const char *model; /**< the model's file, which sheets name; NULL: they say its Keras name */
} cvs_write_options;

/**
 * Write the taps of a run after cvs_run_forward() to a folder, which is made if it is missing: the
 * files of @p options and index.json with the statistics of every layer and channel. Each file
 * appears whole or not at all.
 *
 * @param slot  which image of the batch
 */
CVS_API int cvs_activations_write(const cvs_run *run, int slot, const char *dir,
                                  const cvs_write_options *options, cvs_error *err);

/** What was written of a layer, for one input. */
typedef struct cvs_written {
    int layer;                   /**< as from cvs_run_tap() */
    char picture[CVS_FILE_NAME]; /**< its file in the folder; "": none */
    char numbers[CVS_FILE_NAME]; /**< the same of the .npy */
    int64_t shape[CVS_MAX_DIMS]; /**< a batch of 1 first */
    int ndim;
    int64_t channels, dead_channels;
    cvs_stats stats; /**< of all values */
} cvs_written;

/**
 * cvs_run_forward() and cvs_activations_write() in one: while later layers are computed, those that
 * are done are drawn and written. The files are the same.
 *
 * @param[out] out  an array, the caller's to cvs_free(), an entry a tap; may be NULL
 * @param[out] n    its length; may be NULL
 * @return as both; where writing fails, err->where begins with @p dir
 */
CVS_API int cvs_activations_compute(cvs_written **out, int *n, cvs_run *run, int slot,
                                    const char *dir, const cvs_write_options *options,
                                    cvs_error *err);

/* --- explanations: where the evidence for a class lies ---------------------------------------- */

/** What is differentiated, or measured. */
typedef enum cvs_target {
    CVS_TARGET_AUTO,        /**< the logit for methods that differentiate, the probability for those
                                 that change the input and measure */
    CVS_TARGET_LOGIT,       /**< the score before a final sigmoid or softmax */
    CVS_TARGET_PROBABILITY, /**< the output as it is */
} cvs_target;

/** Where on the way from the baseline to the input gradients are taken. */
typedef enum cvs_quadrature {
    CVS_QUADRATURE_MIDPOINT,  /**< (k + 1/2) / n */
    CVS_QUADRATURE_TRAPEZOID, /**< k / n, both ends included: n + 1 points */
    CVS_QUADRATURE_GAUSS,     /**< Gauss and Legendre's points and weights */
} cvs_quadrature;

/** What is asked. All zero is the default. */
typedef struct cvs_explain_options {
    const char *method; /**< a name of cvs_method_at(); NULL is gradcam */
    const char *layers; /**< of class activation maps: names with commas between them; NULL: the
                           last map of the network before it becomes a vector */
    int output;         /**< which output of a model with several, from 0 */
    int has_class; /**< 0: the class that the model predicts; 1: class_index. A one-unit sigmoid
                        has two classes: 1 is its score, 0 the score negated */
    int64_t class_index;
    cvs_target target;
    int down;  /**< of a number without a class (regression): 1: what makes it smaller */
    int steps; /**< samples, points or masks; 0: the method's own number */
    cvs_quadrature quadrature;
    const float *baseline; /**< of the size of one input: what stands for "nothing"; NULL: zeros */
    const char *baseline_file; /**< without one: a .npy file of it */
    int baseline_mean;         /**< 1: without a baseline, the mean of each channel of the input */
    const cvs_run *references; /**< of expected gradients: a run of the same model whose inputs are
                                    those to begin from; borrowed; it need not have been computed */
    const float *noise;        /**< of steps inputs: used instead of random numbers; NULL: random */
    const char *rules;  /**< of lrp: the name of a composite, or PATTERN=RULE with commas between
                           them,  which docs/heatmaps.md lists; NULL: epsilon-plus-flat */
    int window, stride; /**< of occlusion, in pixels of the model's input; 0: the method's own */
    int segments;       /**< of LIME and KernelSHAP: about how many regions; 0: 50 */
    int is_signed;      /**< 1: class activation maps keep what speaks against the class */
    int counterfactual; /**< 1: what would have to go for the class to be less likely */
    int eigen_smooth;   /**< 1: class activation maps are the first principal component of the
                             weighted channels instead of their sum */
    int aug_smooth;     /**< 1: and the mean over the input and its mirror image, times 0.9, 1 and
                             1.1 */
    uint64_t seed;
    size_t memory; /**< bytes that batches may take; 0: what is quickest, at most 512 MiB */
    int exact;     /**< 1: direct convolutions only */
    /** Called now and then with the share that is done; nonzero stops the work, whose result is
     * then what there is so far (cvs_explanation.done < 1). NULL: nobody is told. */
    int (*progress)(void *arg, double done);
    void *progress_arg;
} cvs_explain_options;

/** What a method found. */
typedef struct cvs_explanation {
    const char *method; /**< its name; static */
    int is_pixels; /**< 0: a map H×W of a layer, or made of several; 1: H×W×C of the input */
    float *data;   /**< rows first; not scaled in any way */
    float *raw;    /**< of a map: the same before values below 0 were cut off, or NULL */
    int64_t height, width, channels; /**< channels is 1 for a map */
    int is_signed;                   /**< 1: values below 0 mean something: they speak against */
    int64_t class_index;             /**< what was explained; -1: a number without a class */
    double score;                    /**< the target's value for the input */
    double probability;              /**< the output's value for that class; NAN where it is none */
    double *weights; /**< of a map that weighs the channels of one layer: each channel's; or NULL */
    int64_t n_weights;
    double residual;     /**< of methods that must add up: what does not, as a share of the whole;
                              NAN for others */
    double done;         /**< 1, or less where it was stopped */
    char layer[256];     /**< of a map: the layers it was made from; "" for pixels */
    char target[256];    /**< which number was explained, and why, in words */
    char why_layer[256]; /**< why these layers, in words */
    char notes[1024];    /**< what is to be known before the picture is believed: lines, or "" */
} cvs_explanation;

/** What there is to know about a method before it is used. Static. */
typedef struct cvs_method {
    const char *name, *title;
    const char *cite;  /**< the paper that defines it */
    const char *needs; /**< "a convolutional layer" */
    const char *cost;  /**< in passes of the network */
    int is_pixels, is_signed;
    int shows_size; /**< 1: of attributions to pixels, whose picture is their size, not their sign
                     */
    int is_slow;    /**< 1: hundreds of passes: left out where all methods are asked for */
} cvs_method;
/** The i-th method; NULL past the end. */
CVS_API const cvs_method *cvs_method_at(int i);
CVS_API const cvs_method *cvs_method_find(const char *name, cvs_error *err);

/**
 * Explain what the model says about one input of a run.
 *
 * @param[out] out  the caller's to cvs_explanation_free(); NULL on failure
 * @param run       its inputs have been set; it need not have been computed, and is not changed
 * @param slot      which input of its batch
 * @param options   may be NULL
 * @return 0; CVS_E_ARG (a method, layer or class that does not exist), CVS_E_UNSUPPORTED (this
 *         model cannot be explained so, with the reason), CVS_E_NOMEM
 */
CVS_API int cvs_explain(cvs_explanation **out, const cvs_run *run, int slot,
                        const cvs_explain_options *options, cvs_error *err);
CVS_API void cvs_explanation_free(cvs_explanation *e);

/* --- patterns: what each filter looks for --------------------------------------------------------
 */

/** A way to climb to a picture that excites a part of a network. Static. */
typedef struct cvs_recipe {
    const char *name, *title;
    const char *cite; /**< what defines it */
    int steps;        /**< unless told otherwise */
    double rate;
    int is_book; /**< 1: exactly as a book does it */
} cvs_recipe;
/** The i-th recipe, the default first; NULL past the end. */
CVS_API const cvs_recipe *cvs_recipe_at(int i);

/** Pictures that excite channels of a layer; see below. */
typedef struct cvs_patterns cvs_patterns;

/** What is asked. All zero is the default. */
typedef struct cvs_pattern_options {
    const char *method;    /**< a name of cvs_recipe_at(); NULL: the first */
    const char *objective; /**< in the language of docs/patterns.md, where # is the channel; NULL:
                              the recipe's own */
    int steps;             /**< 0: the recipe's */
    double rate;           /**< of a step; 0: the recipe's */
    int64_t height, width; /**< of the pictures; 0: the model's own, or what a unit sees */
    int versions;          /**< pictures of each channel; 0 is 1 */
    const char *start_file; /**< a .npy of H×W×C or N×H×W×C to begin with, in the recipe's units;
                               NULL: noise */
    double variation; /**< weight of total variation as tf-keras-vis has it: what is taken off the
                           objective is this times the mean over all numbers of the model's input
                           of |difference to the pixel below| + |to that on the right|; 0: the
                           recipe's own, below 0: none */
    double norm;      /**< weight of (mean of |x - gray|^norm_power)^(1 / norm_power), x the model's
                           input, gray its middle (of tkv 0); 0 and below as above */
    double norm_power;   /**< 1 at least; 0 is 1 */
    double blur;         /**< pixels: the deviation of a Gauss window after each step; 0: none */
    int octaves;         /**< sizes to climb at, the smallest first, each with all steps; 0: the
                              recipe's own. Recipes that grow waves of all sizes at once have none */
    double octave_scale; /**< from one to the next; 0 is 1.4 */
    cvs_preprocess preprocess;
    uint64_t seed;
    size_t memory; /**< bytes that batches may take; 0: what is quickest */
    int exact;     /**< 1: direct convolutions only */
    int frames;    /**< pictures of each climb for a film, 2 at least; 0: none */
    /** A file where what has been found is kept at once; a later call that asks the same takes it
     * from there, to the same bytes. What it holds of another question is lost. The caller removes
     * it. NULL: none. */
    const char *state_file;
    /** As in cvs_explain_options; what is stopped has fewer steps. */
    int (*progress)(void *arg, double done);
    void *progress_arg;
    /** Shown the pictures while they grow, after a step where look_after seconds have gone by since
     * it was last: of those that have begun, shown, climbed and steps (at this size) are as they
     * are now, and done is the share of the whole, less than 1. What is found does not depend on
     * it. Not called where nothing grows. NULL: nobody looks. */
    void (*look)(void *arg, const cvs_patterns *so_far);
    void *look_arg;
    double look_after;
} cvs_pattern_options;

/** Pictures that excite channels of a layer. */
struct cvs_patterns {
    char name[256];     /**< the layer, or the objective */
    const char *method; /**< static */
    int n, versions;    /**< pictures, and how many in a row are of one channel */
    int64_t *channel;   /**< of each picture */
    int64_t height, width, channels;
    float *data;                       /**< n×H×W×C, as the model's input, channels last */
    int64_t shown_height, shown_width; /**< without the margin that some recipes cut off */
    float *shown;                      /**< the same to be looked at, 0 to 1 */
    double *climbed; /**< the objective when the climb ended, which may have been of a moved view */
    double
        *response;   /**< the objective of the picture as it is shown, in 256 steps of brightness */
    double *noise;   /**< the same of even noise */
    double of_photo; /**< the same of the photograph that they begin or are compared with; NAN:
                          there is none */
    double *dead;    /**< the share of a folder's images in which the channel is dead, as cvs_stats
                        has it: for the caller to fill in, NAN until then */
    int *steps;      /**< that were taken */
    int kept;        /**< pictures that came from the state file */
    int frames;
    unsigned char *film; /**< n×frames×H×W×C of `shown`, 0 … 255, from the start to the end of each
                              climb in equal numbers of steps; NULL: none */
    double done;         /**< 1, or less where it was stopped */
};

/**
 * Find what excites channels of a layer most, by gradient ascent on the input.
 *
 * @param[out] out   the caller's to cvs_patterns_free(); NULL on failure
 * @param layer      its name; NULL where options->objective names all layers
 * @param channels   n numbers of channels
 * @return 0; CVS_E_ARG (a recipe, layer, channel or objective that makes no sense),
 *         CVS_E_UNSUPPORTED (the model takes no picture), CVS_E_IO, CVS_E_FORMAT (the start),
 *         CVS_E_NOMEM
 */
CVS_API int cvs_patterns_find(cvs_patterns **out, const cvs_model *model, const char *layer,
                              const int64_t *channels, int n, const cvs_pattern_options *options,
                              cvs_error *err);
CVS_API void cvs_patterns_free(cvs_patterns *patterns);

/** Free the pictures and keep the numbers about them: what an index wants. */
CVS_API void cvs_patterns_drop(cvs_patterns *patterns);

/** Which files of patterns are written. */
typedef struct cvs_pattern_files {
    int formats;       /**< CVS_WRITE_PNG (0), CVS_WRITE_NPY */
    int single;        /**< 1: also a picture of each channel by itself */
    int film;          /**< 1: also an animated picture of the climb, where frames were kept */
    int number;        /**< of the layer, which its files' names begin with, from 1 */
    const char *model; /**< the file, for the small print; may be NULL */
    uint64_t seed;     /**< for the small print */
} cvs_pattern_files;

/**
 * Write a layer's patterns: NN_NAME.png, all side by side (of a book's recipe its grids of 64), and
 * by wish NN_NAME.npy (n×H×W×C, as the model's input), NN_NAME_CCC.png, and NN_NAME.webp, the film
 * of the first 64.
 *
 * @param dir  made if it is missing
 * @return 0; CVS_E_IO, CVS_E_NOMEM
 */
CVS_API int cvs_patterns_write(const cvs_patterns *patterns, const char *dir,
                               const cvs_pattern_files *files, cvs_error *err);
/** The most telling patterns of many layers on one picture. */
typedef struct cvs_atlas cvs_atlas;
CVS_API int cvs_atlas_new(cvs_atlas **out, cvs_error *err);
CVS_API void cvs_atlas_free(cvs_atlas *atlas);
/** Add a layer: the twelve channels whose response is farthest above that to noise, the farthest
 * first; all in their order where nothing was measured. The patterns may be freed then. */
CVS_API int cvs_atlas_add(cvs_atlas *atlas, const cvs_patterns *patterns, cvs_error *err);
/** Write atlas.png. */
CVS_API int cvs_atlas_write(const cvs_atlas *atlas, const char *dir, const cvs_pattern_files *files,
                            cvs_error *err);

/** Write index.json for the patterns of n layers, numbered from 1; pictures may have been dropped.
 */
CVS_API int cvs_patterns_index(const cvs_patterns *const *patterns, int n, const char *dir,
                               const cvs_pattern_files *files, cvs_error *err);

/* --- dreams: photographs that climb, or that are found again in noise ----------------------------
 */

/** What becomes of a photograph. */
typedef enum cvs_dream_kind {
    CVS_DREAM,  /**< DeepDream: it begins to show what layers look for */
    CVS_INVERT, /**< a picture is found that a layer cannot tell from it: what the layer knows */
    CVS_CARICATURE, /**< a picture is found in which a layer sees the same, only more of it */
} cvs_dream_kind;

/** What is asked. All zero is the default. */
typedef struct cvs_dream_options {
    cvs_dream_kind kind;
    const char *layers; /**< names with commas between them, of a dream each with ":WEIGHT" by wish;
                             NULL: several in the upper middle for a dream, else at most eight from
                             the first convolution or pooling to the last */
    int64_t size;       /**< pixels of the longer side; 0: the photograph's own size for a dream,
                             else the model's. Where a layer takes the model's size only, that */
    double strength;    /**< how far each step goes, as a multiple of the method's; 0 is 1 */
    cvs_pattern_options how; /**< method is of a dream "lucid" (NULL) or "book", of the others NULL;
                                  objective is a dream's in the place of layers; height, width,
                                  versions, frames and the files are left out */
} cvs_dream_options;

/** What was found. */
typedef struct cvs_dream {
    cvs_dream_kind kind;
    const char *method, *title; /**< static */
    int n;
    cvs_patterns **pictures; /**< of a dream one, else one of each layer, one picture each */
    double *score;           /**< of each: CVS_INVERT |a - b| / |b|, a what the layer makes of the
                                  picture and b of the photograph; else the objective's value as a
                                  multiple of that for the photograph */
    cvs_patterns *photo;     /**< the photograph as it was climbed from or compared with */
    double done;             /**< 1, or less where it was stopped */
} cvs_dream;

/**
 * Let a photograph dream, or find it again.
 *
 * @param[out] out  the caller's to cvs_dream_free(); NULL on failure
 * @param photo     a picture of any size, or a tensor: the model's input for one picture
 * @param options   may be NULL
 * @return 0; CVS_E_ARG (a method, layer or objective that makes no sense), CVS_E_FORMAT (a tensor
 *         that does not fit), CVS_E_UNSUPPORTED (the model takes no picture, a layer has no
 *         derivative), CVS_E_NOMEM
 */
CVS_API int cvs_dream_find(cvs_dream **out, const cvs_model *model, const cvs_input *photo,
                           const cvs_dream_options *options, cvs_error *err);
CVS_API void cvs_dream_free(cvs_dream *dream);

/**
 * Write a dream: of CVS_DREAM dream.png, of the others invert.png or caricature.png, the photograph
 * and all pictures side by side, and each by itself as NN_NAME.png; by wish dream.npy or
 * NN_NAME.npy (H×W×C, as the model's input); and index.json.
 *
 * @param dir    made if it is missing
 * @param input  the photograph's file, for index.json and small print; may be NULL
 * @return 0; CVS_E_IO, CVS_E_NOMEM
 */
CVS_API int cvs_dream_write(const cvs_dream *dream, const char *dir, const cvs_pattern_files *files,
                            const char *input, cvs_error *err);

/* --- examples: what excites each filter in photographs ------------------------------------------
 */

/** Which of many pictures excite each channel of a run's taps most. */
typedef struct cvs_examples cvs_examples;

/** One of them. */
typedef struct cvs_example {
    const char *file;    /**< as it was added; borrowed */
    double value;        /**< the channel's largest in this picture */
    int64_t row, column; /**< where in its map */
    int64_t box[4];      /**< the part of the model's input that this place sees: first row, first
                              column, last row, last column; all 0: all of it */
} cvs_example;

/**
 * Begin to look for examples.
 *
 * @param[out] out  the caller's to cvs_examples_free(); NULL on failure
 * @param run       whose taps are looked at; borrowed until then
 * @param top       pictures kept of each channel; 0: 9
 */
CVS_API int cvs_examples_new(cvs_examples **out, const cvs_run *run, int top, cvs_error *err);
CVS_API void cvs_examples_free(cvs_examples *examples);

/** Look at what the run has just computed, in slot 0, for the picture of that name. */
CVS_API int cvs_examples_add(cvs_examples *examples, const char *file, cvs_error *err);

/** The i-th example of a channel of a layer (an index, see cvs_run_tap()), the strongest first. 0,
 * or -1 past the end: there are fewer where the channel is dead in most pictures. */
CVS_API int cvs_examples_at(cvs_example *out, const cvs_examples *examples, int layer,
                            int64_t channel, int i);

/** What is written. */
typedef struct cvs_examples_options {
    const char *model; /**< the file, for the small print; may be NULL */
    int exif;          /**< 1: pictures are turned as their EXIF orientation says, as they were */
    int whole;         /**< 1: the whole pictures, not the parts that were seen */
} cvs_examples_options;

/**
 * Write a sheet a layer, NN_NAME.png: for each channel the parts of its pictures that excite it
 * most, and index.json. Reads the pictures again.
 *
 * @param dir  made if it is missing
 * @return 0; CVS_E_IO, CVS_E_FORMAT (a picture that is there no more), CVS_E_NOMEM
 */
CVS_API int cvs_examples_write(const cvs_examples *examples, const char *dir,
                               const cvs_examples_options *options, cvs_error *err);

/* --- trust: how far an explanation can be believed ----------------------------------------------
 */

enum { CVS_MAX_METRICS = 16, CVS_MAX_DEPTHS = 16 };

/** What there is to know about a measure of trust. Static. */
typedef struct cvs_metric {
    const char *name, *title;
    const char *cite;   /**< the paper that defines it */
    const char *says;   /**< what the number tells, in a sentence */
    int more_is_better; /**< 0: less is */
    int ranks;          /**< 1: methods are ranked by it; 0: a check of the method */
    int asks_again;     /**< 1: the method is asked for many maps more */
} cvs_metric;
/** The i-th measure; NULL past the end. There are at most CVS_MAX_METRICS. */
CVS_API const cvs_metric *cvs_metric_at(int i);

/** What is measured, and how. All zero is the default. */
typedef struct cvs_trust_options {
    unsigned
        metrics; /**< a bit for each, 1u << i; 0: all, but of slow methods none that ask again */
    int points;  /**< steps of the curves of deletion and insertion; 0: 100 */
    int samples; /**< of measures that sample; 0: the measure's own number */
    const cvs_input *mask; /**< where the object is: a picture, light there and dark elsewhere, of
                                the whole input; NULL: nobody knows */
    int numbers_only;      /**< 1: maps are not kept, which many inputs want: explanation is NULL */
    int is_control;        /**< 1: measure a map of random numbers instead, which knows nothing:
                                what a method must do better than */
} cvs_trust_options;

/** What is left of a map when the network has forgotten its layers from the last down to one. */
typedef struct cvs_trust_depth {
    char layer[128]; /**< down to which weights were replaced by random ones */
    double spearman; /**< rank correlation of the map's sizes with those before */
    double ssim;     /**< structural similarity of the two pictures, 1 where they are the same */
    cvs_explanation *explanation; /**< owned */
} cvs_trust_depth;

/** An explanation, and what is known of its truth. */
typedef struct cvs_trust {
    const char *method;            /**< its name, or "random" for the control; static */
    cvs_explanation *explanation;  /**< what was measured; owned */
    double value[CVS_MAX_METRICS]; /**< by cvs_metric_at(); NAN where it was not measured */
    int64_t class_index;           /**< what it is about; -1: a number without a class */
    double score;                  /**< of the class for the whole input: a probability */
    double nothing;                /**< and for the baseline */
    int n_points;                  /**< of both curves; 0: not measured */
    double *share;                 /**< of the pixels that were taken out, or put in; owned, and the
                                        next two with it */
    double *deletion, *insertion;  /**< the score then */
    int n_depths;
    cvs_trust_depth depths[CVS_MAX_DEPTHS];
    double done; /**< 1, or less where it was stopped */
} cvs_trust;

/**
 * Explain what the model says about one input of a run, and measure how far that can be believed:
 * what the score does when the pixels change that the map points at, or does not.
 *
 * @param[out] out  the caller's to cvs_trust_free(); NULL on failure
 * @param how       as for cvs_explain(); may be NULL. Its baseline is what stands for "nothing",
 * its seed that of every random choice, its progress tells of the whole
 * @param options   may be NULL
 */
CVS_API int cvs_evaluate(cvs_trust **out, const cvs_run *run, int slot,
                         const cvs_explain_options *how, const cvs_trust_options *options,
                         cvs_error *err);
CVS_API void cvs_trust_free(cvs_trust *trust);

/** A mean over inputs, and between what it lies with 95 % confidence: percentiles of the means of
 * 2,000 samples drawn from the inputs with replacement (Efron 1979). */
typedef struct cvs_estimate {
    double mean, low, high; /**< NAN without any input; low and high with fewer than two */
    int n;                  /**< inputs that it comes from */
} cvs_estimate;

/** How a method did on many inputs. */
typedef struct cvs_standing {
    const char *method;
    cvs_estimate metric[CVS_MAX_METRICS];
    cvs_estimate rank; /**< 1 for the best, over inputs and those measures that rank */
} cvs_standing;

/**
 * Compare methods over inputs.
 *
 * @param trusts      n_inputs rows of n_methods; NULL where a method failed
 * @param[out] out    n_methods entries, in the order of the columns
 */
CVS_API int cvs_trust_compare(cvs_standing *out, const cvs_trust *const *trusts, int n_inputs,
                              int n_methods, uint64_t seed, cvs_error *err);

/** One picture of a comparison: what a method found, or why it found nothing. */
typedef struct cvs_heatmap {
    const char *method;                 /**< name */
    const cvs_explanation *explanation; /**< NULL: there is none … */
    const char *failure;                /**< … for this reason */
    const char *row; /**< what its row is about where a method has several, say a layer; or NULL */
} cvs_heatmap;

/** How heatmaps are written. All zero is the default. */
typedef struct cvs_heatmap_options {
    int formats;             /**< CVS_WRITE_PNG, CVS_WRITE_NPY; 0 is CVS_WRITE_PNG */
    cvs_style preset;        /**< whose overlays: a book's edition, or ours */
    const cvs_input *photo;  /**< what maps are drawn over; NULL: maps are drawn alone */
    int columns;             /**< of the comparison: what was asked of each method; 0 is 1 */
    const char *const *keys; /**< a word for each column, for file names; NULL where there is one */
    const char *const *titles;  /**< and for a heading; may be NULL where keys may */
    const cvs_classes *classes; /**< names; may be NULL */
    const char *model, *input;  /**< files, for small print; may be NULL */
    const char *preprocess;     /**< what index.json calls the preprocessing; may be NULL */
} cvs_heatmap_options;

/**
 * Write heatmaps to a folder, which is made if it is missing: for each METHOD_heatmap.png (the
 * map), METHOD_overlay.png (over the photograph) or METHOD.npy (the numbers), with METHOD_ROW_KEY
 * in place of METHOD where a method has several rows and where there are several columns;
 * comparison.png where there are several; and index.json. Each file appears whole or not at all.
 *
 * @param maps  rows × columns of them, row after row: a row is a method, or one of its rows
 */
CVS_API int cvs_heatmaps_write(const cvs_heatmap *maps, int n, const char *dir,
                               const cvs_heatmap_options *options, cvs_error *err);

/** How trust is written. All may be NULL. */
typedef struct cvs_trust_write_options {
    const char *model, *preprocess;
    const char *const *inputs;   /**< the files, as many as there are inputs */
    const char *const *failures; /**< n_inputs rows of n_methods: why there is no trust */
    const cvs_input *photo;      /**< of a single input: what its maps are drawn over */
    const cvs_classes *classes;
} cvs_trust_write_options;

/**
 * Write what is known of methods' truth to a folder, which is made if it is missing: curves.png
 * (the mean score while pixels are taken out, and put in), of a single input with maps sanity.png
 * (what is left of them as the network forgets), and index.json. Each appears whole or not at all.
 *
 * @param trusts     n_inputs rows of n_methods; NULL where a method failed
 * @param standings  n_methods of them, of cvs_trust_compare()
 */
CVS_API int cvs_trust_write(const cvs_trust *const *trusts, int n_inputs, int n_methods,
                            const cvs_standing *standings, const char *dir,
                            const cvs_trust_write_options *options, cvs_error *err);

/* --- training -------------------------------------------------------------------------------- */

/**
 * Make a new model from its description, with weights drawn as its initializers say. The
 * distributions are Keras', the numbers are not: they follow from @p seed alone.
 *
 * @param[out] out  the model, the caller's to cvs_model_free(); NULL on failure
 * @param json      what model.to_json() gives, @p len bytes
 * @return 0; CVS_E_FORMAT, CVS_E_NOMEM, or CVS_E_UNSUPPORTED (a layer or an initializer, named)
 */
CVS_API int cvs_model_create(cvs_model **out, const char *json, size_t len, uint64_t seed,
                             cvs_error *err);

/**
 * Make of a model one for other classes: its last layer, a Dense, anew, with weights drawn by @p
 * seed; all else as it is. It ends in one sigmoid for 2 classes, else in a softmax.
 *
 * @param[out] out  the model, the caller's to cvs_model_free(); NULL on failure. @p m need not live
 *                  on
 * @return 0; CVS_E_ARG, CVS_E_NOMEM, or CVS_E_UNSUPPORTED (another last layer)
 */
CVS_API int cvs_model_new_head(cvs_model **out, const cvs_model *m, int n_classes, uint64_t seed,
                               cvs_error *err);

/**
 * Make of a model one without layers that act in training only (Dropout, GaussianNoise and their
 * like), which gives the same numbers and has the table that it had before they were put in.
 *
 * @param[out] out  the model, the caller's to cvs_model_free(); NULL on failure. @p m need not live
 *                  on
 * @return 0; CVS_E_NOMEM, or CVS_E_UNSUPPORTED (one that stands in a model that is not Sequential)
 */
CVS_API int cvs_model_lean(cvs_model **out, const cvs_model *m, cvs_error *err);

/** Examples to learn from, numbered from 0: each an input of the model's shape and the index of a
 * class. They are made by whoever has them. */
typedef struct cvs_data {
    int64_t n;
    int n_classes;
    /** Fill @p x (@p count inputs on end, N×H×W×C in C order) and @p label (@p count of them, 0 …
     * n_classes - 1) with the examples @p which. What is drawn at random for an example, as its
     * augmentation is, depends on its number and on @p epoch (from 0; validation has 0) alone, not
     * on its place in a batch or on calls before: so training that was stopped goes on with the
     * same bytes. Called by one thread at a time, which need not always be the same. Gives 0, or a
     * negative cvs_status with @p err filled, which ends training. */
    int (*fill)(void *self, const int64_t *which, int count, int64_t epoch, float *x,
                int64_t *label, cvs_error *err);
    void *self; /**< for fill */
    /** Told before a step which batch comes after it, so that it can be made meanwhile; it may
     * never be asked for. NULL: nobody is told. */
    void (*expect)(void *self, const int64_t *which, int count, int64_t epoch);
    /** What the examples depend on, in words: a training that is taken up again must find the same.
     * NULL: unknown. Borrowed. */
    const char *about;
} cvs_data;

/* --- folders of pictures to learn from --- */

/** How a folder of pictures becomes examples. All zero but the sizes is the default. */
typedef struct cvs_folder_options {
    int64_t height, width, channels; /**< of the model's input; 1, 3 or 4 channels */
    cvs_resize resize;
    cvs_preprocess preprocess; /**< CVS_PREPROCESS_AUTO is unit here: no model is known */
    double share;              /**< of the pictures for validation, from 0 to less than 1 */
    int is_shuffled;           /**< 1: the share is drawn by the seed from all, as
                                    image_dataset_from_directory does; 0: it is the first of each class,
                                    as flow_from_directory does */
    const char *augment;       /**< how pictures are varied in training: "none", "book" (the first
                                    edition, ImageDataGenerator), "layers" (the second, RandomFlip and
                                    its like); NULL: none */
    uint64_t seed;             /**< of the variation and of the share */
    int64_t memory; /**< bytes for decoded pictures, the others are decoded every time; 0: 2 GiB */
    int batch;      /**< examples a step, of which the next are made while the model learns from
                         these; 0: none are made ahead */
    const cvs_classes *classes; /**< the subfolders that are classes, in their order; NULL: all, in
                                     the order of their names' bytes. Borrowed while it opens */
} cvs_folder_options;

/** Pictures in a folder, a subfolder a class, in the order of the names' bytes. */
typedef struct cvs_folder cvs_folder;

/**
 * Find the pictures in a folder and decode them. Those that cannot be read are skipped.
 *
 * @param[out] out    the caller's to cvs_folder_free(); NULL on failure
 * @param classes_of  this folder must have the classes of that one, which need not live on; NULL:
 *                    any
 * @return 0; CVS_E_IO, CVS_E_FORMAT (no classes, no pictures, other classes), CVS_E_ARG,
 *         CVS_E_NOMEM
 */
CVS_API int cvs_folder_open(cvs_folder **out, const char *path, const cvs_folder_options *options,
                            const cvs_folder *classes_of, cvs_error *err);
CVS_API void cvs_folder_free(cvs_folder *folder);

/** The examples to learn from, varied as the options say; those for validation, as they are. They
 * point to the folder, which has to outlive them. */
CVS_API cvs_data cvs_folder_training(const cvs_folder *folder);
CVS_API cvs_data cvs_folder_validation(const cvs_folder *folder);

/** How many classes there are; the name of the i-th, borrowed, or NULL past the end; how many
 * pictures of it there are to learn from. */
CVS_API int cvs_folder_class_count(const cvs_folder *folder);
CVS_API const char *cvs_folder_class(const cvs_folder *folder, int i);
CVS_API int64_t cvs_folder_class_size(const cvs_folder *folder, int i);

/** The i-th picture that was skipped, and why, borrowed; NULL past the end. */
CVS_API const char *cvs_folder_skipped(const char **why, const cvs_folder *folder, int64_t i);

/** Names of the ways to vary pictures; NULL past the end. Static. */
CVS_API const char *cvs_augment_name(int i);

/**
 * The description of the network of Deep Learning with Python and R that tells cats from dogs: four
 * convolutions and poolings, two dense layers, 150×150×3 in, under the names of the authors' file.
 *
 * @param[out] json  what cvs_model_create() takes, the caller's to cvs_free()
 * @param n_classes  2 end in one sigmoid, more in a softmax
 * @param dropout    the rate of a Dropout before the dense layers; 0: without
 */
CVS_API int cvs_architecture_book(char **json, int n_classes, double dropout, cvs_error *err);

/** How an epoch went. The loss is a mean over its examples, each as the network was when its batch
 * came; penalties of regularizers are in it. All as Keras shows it. */
typedef struct cvs_epoch {
    double loss, accuracy;         /**< accuracy: the share that is right, 0 … 1 */
    double val_loss, val_accuracy; /**< NAN without validation */
    double rate;                   /**< the learning rate of its last step */
} cvs_epoch;

/** What training tells, after each batch and after each epoch. */
typedef struct cvs_train_event {
    int64_t epoch;            /**< from 0 */
    int64_t batch, n_batches; /**< done in it, and all */
    int epoch_ends;           /**< 1: after validation; 0: after a batch */
    int is_best;              /**< 1: of an epoch that is better than all before */
    cvs_epoch so_far;         /**< of the epoch */
} cvs_train_event;

/** The number by which epochs are compared. */
typedef enum cvs_monitor {
    CVS_MONITOR_AUTO, /**< the loss of validation, or without any that of training */
    CVS_MONITOR_LOSS,
    CVS_MONITOR_ACCURACY,
    CVS_MONITOR_VAL_LOSS,
    CVS_MONITOR_VAL_ACCURACY,
} cvs_monitor;

/** How the learning rate goes with the steps, which are counted from 0 over all epochs: Keras'
 * LearningRateSchedule classes. */
typedef enum cvs_schedule {
    CVS_SCHEDULE_CONSTANT,
    CVS_SCHEDULE_EXPONENTIAL,  /**< rate * factor^(step / steps) */
    CVS_SCHEDULE_INVERSE_TIME, /**< rate / (1 + factor * step / steps) */
    CVS_SCHEDULE_COSINE,       /**< half a cosine, down to factor times the rate at steps */
} cvs_schedule;

/** How a model is trained. All zero is the default. */
typedef struct cvs_train_options {
    const char *loss; /**< "binary_crossentropy", "categorical_crossentropy",
                           "sparse_categorical_crossentropy", "mean_squared_error"; NULL: the one
                           that goes with the model's last activation */
    int from_logits;  /**< 1: the model's outputs are before a sigmoid or softmax */
    double label_smoothing;
    const char *optimizer; /**< "sgd", "rmsprop", "adam", "adamw"; NULL: rmsprop */
    double learning_rate;  /**< 0: Keras' default for the optimizer: 0.01 for sgd, else 0.001 */
    double momentum;       /**< of sgd and rmsprop */
    int nesterov;          /**< of sgd */
    int centered;          /**< of rmsprop */
    double rho;            /**< of rmsprop; 0: 0.9 */
    double beta1, beta2;   /**< of adam and adamw; 0: 0.9 and 0.999 */
    int amsgrad;           /**< of adam and adamw */
    double epsilon;        /**< 0: 1e-7 */
    int epsilon_outside;   /**< 1: rmsprop adds epsilon to the root, as Keras did up to 2.10; 0:
                                under it */
    double weight_decay;   /**< decoupled; 0: the optimizer's own, 0.004 for adamw, else none */
    /** Of the derivatives, at most one of the three, 0: none: each number is brought to
     * -clip_value … clip_value; each weight's to that length; all together to that length. */
    double clip_value, clip_norm, global_clip_norm;
    cvs_schedule schedule;
    double schedule_steps, schedule_factor;
    int64_t epochs;             /**< 0: 1 */
    int batch;                  /**< examples a step; 0: 32 */
    int in_order;               /**< 1: examples are not shuffled in each epoch */
    const double *class_weight; /**< n_classes of them, by which losses are multiplied; NULL: 1 */
    const char *freeze;         /**< layers or nested models that stay as they are, with commas
                                     between them; NULL: those that the model itself says */
    cvs_monitor monitor;
    int64_t patience; /**< 0: never; else stop after that many epochs that are not better … */
    double min_delta; /**< … by more than this */
    int restore_best; /**< 1: in the end the weights are those of the best epoch */
    int64_t rate_patience; /**< 0: never; else the rate is multiplied by rate_factor after that many
                                epochs that are not better by 1e-4 */
    double rate_factor;    /**< 0: 0.1 */
    double rate_floor;     /**< the rate gets no smaller by that */
    uint64_t seed;         /**< of the order of examples and of all that layers draw */
    int exact;             /**< 1: direct convolutions only */
    /** Called after each batch and each epoch; nonzero stops there, and cvs_training_run() can go
     * on later. NULL: nobody is told. */
    int (*tell)(void *arg, const cvs_train_event *event);
    void *tell_arg;
} cvs_train_options;

/** A model that learns: a copy of its weights, and all that belongs to the way so far. One thread
 * at a time. */
typedef struct cvs_training cvs_training;

/**
 * Begin to train a model of one input and one output (batch, n). It is not changed itself.
 *
 * The same model, data, options and seed give the same bytes for any number of threads, and however
 * often training is stopped and taken up again. BatchNormalization uses the moments of the batch,
 * dropout and noise are drawn; random augmentation inside a model is refused by name.
 *
 * @param[out] out    the caller's to cvs_training_free(); NULL on failure. It borrows @p model and
 *                    what the data point to until then
 * @param validation  may be NULL
 * @param options     may be NULL
 * @return 0; CVS_E_ARG (what does not go together), CVS_E_UNSUPPORTED (a layer that cannot be
 *         trained, named in err->where), CVS_E_NOMEM
 */
CVS_API int cvs_training_new(cvs_training **out, const cvs_model *model, const cvs_data *data,
                             const cvs_data *validation, const cvs_train_options *options,
                             cvs_error *err);
CVS_API void cvs_training_free(cvs_training *training);

/**
 * Train until all epochs are done, options.tell wants to stop, or options.patience is at an end;
 * from where it stands.
 *
 * @return 0; CVS_E_DIVERGED where a number is not finite: err says epoch, batch and the layer where
 *         that began, and the weights are spoilt; or what data.fill failed with
 */
CVS_API int cvs_training_run(cvs_training *training, cvs_error *err);

/** Whether nothing is left to do. */
CVS_API int cvs_training_is_done(const cvs_training *training);

/** How many epochs have ended; how the i-th went, or NULL; the best of them by options.monitor, or
 * -1. Borrowed until the next run. */
CVS_API int64_t cvs_training_epoch_count(const cvs_training *training);
CVS_API const cvs_epoch *cvs_training_epoch(const cvs_training *training, int64_t i);
CVS_API int64_t cvs_training_best(const cvs_training *training);

/** The loss and the accuracy over other data as the network is now, at inference. Either may be
 * NULL. */
CVS_API int cvs_training_evaluate(double *loss, double *accuracy, cvs_training *training,
                                  const cvs_data *data, cvs_error *err);

/** The model as it is now, to be run, explained, described and saved like any other, between runs
 * of training or in options.tell: its weights change with the next step. Borrowed from @p training;
 * not to be freed. */
CVS_API const cvs_model *cvs_training_model(const cvs_training *training);

/** The length of the loss's derivative by all weights of a layer, an index of its model, in the
 * last step; NAN before the first and where training changes none. */
CVS_API double cvs_training_gradient(const cvs_training *training, int layer);

/** Save the model as it is now, as cvs_model_save(); an .h5 says the loss and the optimizer, too,
 * so that Keras can go on with it. */
CVS_API int cvs_training_save(const cvs_training *training, const char *path, cvs_error *err);

/**
 * Write how training went to a folder: history.csv and history.json (the numbers of each epoch) and
 * curves.png and curves.svg (accuracy and loss, each as it was and smoothed as in the book, the
 * best epoch marked). Each file appears whole or not at all.
 */
CVS_API int cvs_history_write(const cvs_training *training, const char *dir, cvs_error *err);

/* --- films of a network that learns --- */

/** What is the same in all frames. All zero is the default. */
typedef struct cvs_film_options {
    cvs_image_options image;    /**< how photographs become the models' input */
    const cvs_classes *classes; /**< names; may be NULL; borrowed */
    int exact;
} cvs_film_options;

/** How the same photographs look to a network at several times. */
typedef struct cvs_film cvs_film;

/**
 * @param[out] out  the caller's to cvs_film_free(); NULL on failure
 * @param dir       where the film goes; its frames go to the folder frames in it
 * @param options   may be NULL
 */
CVS_API int cvs_film_new(cvs_film **out, const char *dir, const cvs_film_options *options,
                         cvs_error *err);
CVS_API void cvs_film_free(cvs_film *film);

/** One more photograph, of four at most, before the first frame. */
CVS_API int cvs_film_probe(cvs_film *film, const char *path, cvs_error *err);

/**
 * Draw a frame: for each photograph the heatmap of the class that is predicted and the strongest
 * channels of up to four convolutions; the first one's kernels; of the layers' weights the
 * distribution, and how many channels are dead. It is written to frames/NNNN.png.
 *
 * @param number    of the frame, from 1
 * @param title     says which model this is; @p subtitle more of it, may be NULL
 * @param training  that the model is from, whose derivatives are told, too; NULL: none
 */
CVS_API int cvs_film_shoot(cvs_film *film, const cvs_model *model, int number, const char *title,
                           const char *subtitle, const cvs_training *training, cvs_error *err);

/**
 * Write film.webp, which moves, and film.html, a page that needs nothing else, with a slider and a
 * button that plays: of those of the frames 1 … @p n that have been drawn, now or earlier.
 */
CVS_API int cvs_film_write(cvs_film *film, int n, cvs_error *err);

/**
 * Write where training stands (weights, the optimizer's memory, counters) to a file, which appears
 * whole or not at all; and take it up again, in a training made of the same model, data and
 * options, of which only the number of epochs may be another. On failure nothing is changed.
 *
 * @return 0; CVS_E_IO, CVS_E_FORMAT, CVS_E_NOMEM, or CVS_E_ARG where the file is of another
 *         training
 */
CVS_API int cvs_training_write(const cvs_training *training, const char *path, cvs_error *err);
CVS_API int cvs_training_read(cvs_training *training, const char *path, cvs_error *err);

/* --- the report --------------------------------------------------------------------------------
 */

enum { CVS_REPORT_INPUTS = 12 }; /**< that one page has room for */

/** What one forward pass is given. */
typedef struct cvs_report_input {
    const char *name;             /**< what the page calls it: its file */
    const cvs_input *const *data; /**< one for each input of the model */
} cvs_report_input;

/** What a report shows. All zero is the default. */
typedef struct cvs_report_options {
    const char *model;          /**< the file, for the heading; may be NULL */
    const char *layers;         /**< as cvs_run_options.taps; NULL: "conv+pool" */
    const char *const *methods; /**< names of cvs_method_at(), the first shown at first; NULL: a few
                                     quick ones */
    int n_methods;              /**< 16 at most */
    const int64_t *classes;     /**< which are explained; NULL: the two likeliest of each input */
    int n_classes;              /**< 8 at most */
    const cvs_explain_options *explain; /**< how, but for method and class; may be NULL */
    const cvs_classes *names;           /**< of the classes; may be NULL */
    const cvs_image_options *image;     /**< may be NULL */
    int patterns; /**< also patterns of so many channels of each convolution, those that the inputs
                       excite most; 0: none, as they take long */
    int steps;    /**< of each pattern's climb; 0: 128 */
    /** As in cvs_explain_options, while patterns are sought; `what` is the layer. */
    int (*progress)(void *arg, const char *what, double done);
    void *progress_arg;
} cvs_report_options;

/**
 * Write report.html, one page that needs nothing else: what the model says about each input, where
 * the evidence lies, what every layer makes of it, what its first filters look like, and what there
 * is to notice, in words. What a model cannot be asked is left out, and the page says why: of one
 * with layers that cannot be computed there is the network alone.
 *
 * @param[out] json  what the page says, without pictures; the caller's to cvs_free(). May be NULL
 * @param n          inputs, CVS_REPORT_INPUTS at most
 * @param dir        made if it is missing
 * @return 0; CVS_E_ARG (a layer, method or class that does not exist), CVS_E_IO, CVS_E_NOMEM, or
 *         what is wrong with the input where none of them can be computed
 */
CVS_API int cvs_report_write(char **json, const cvs_model *model, const cvs_report_input *inputs,
                             int n, const char *dir, const cvs_report_options *options,
                             cvs_error *err);

/* --- the viewer --------------------------------------------------------------------------------
 */

/** A network that the viewer shows; all is borrowed until the server is freed. */
typedef struct cvs_server_model {
    const cvs_model *model;
    const char *file;           /**< what it is called */
    const cvs_classes *classes; /**< names of its classes; may be NULL */
} cvs_server_model;

/** How the viewer is served. All zero is the default. */
typedef struct cvs_server_options {
    const char *host; /**< an IP address to listen at; NULL: 127.0.0.1, for this machine alone. At
                           any other a token is needed, which the server draws */
    int port;         /**< 0: 8150; one of the next fifty where it is taken; below 0: any */
    const char
        *images; /**< a folder whose pictures can be chosen, those in its folders too; NULL */
    cvs_image_options image; /**< how pictures are read where nobody asks for another way */
    int exact;               /**< 1: direct convolutions only */
} cvs_server_options;

/** A server of the viewer's page and of the interface that docs/http-api.md describes. It answers
 * in threads of its own. */
typedef struct cvs_server cvs_server;

/**
 * Begin to serve.
 *
 * @param[out] out  the caller's to cvs_server_free(); NULL on failure
 * @param n         how many models, 1 at least
 * @param options   may be NULL
 * @return 0; CVS_E_ARG, CVS_E_IO (a port that is taken, a folder that cannot be read), CVS_E_NOMEM
 */
CVS_API int cvs_server_new(cvs_server **out, const cvs_server_model *models, int n,
                           const cvs_server_options *options, cvs_error *err);

/** Where it answers: "http://127.0.0.1:8150/", with the token where one is needed. Borrowed. */
CVS_API const char *cvs_server_address(const cvs_server *server);

/** Answer nobody any more, and tell what is being computed to end; wait for that for so many
 * milliseconds at most. 1 when nothing runs any more, so that cvs_server_free() will not wait. */
CVS_API int cvs_server_stop(cvs_server *server, int milliseconds);
CVS_API void cvs_server_free(cvs_server *server);

#ifdef __cplusplus
}
#endif
#endif /* CONVSCOPE_H */
