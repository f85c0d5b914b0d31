/* job.h - what a command is asked to do, and how it talks to the person. */
#ifndef CX_CLI_JOB_H
#define CX_CLI_JOB_H

#include <stdint.h>

#include "base/error.h"

/* The values of an option that may be given several times. */
typedef struct cx_texts {
    const char **item;
    int n;
} cx_texts;

/* A number that may be 0 on purpose. */
typedef struct cx_real {
    double value;
    int is_said;
} cx_real;

/* The values of all options; a command looks at those that it takes. */
typedef struct cx_options {
    int help, version, dump, quiet, verbose, no_progress, json, exact, exif, expand;
    int64_t threads; /* 0: not said */
    int64_t seed, top, width;
    int preprocess, resize; /* cvs_preprocess, cvs_resize */
    int summary_style;      /* cvs_summary_style */
    int style;              /* cvs_style */
    int formats;            /* CVS_WRITE_ flags */
    int channel_scale;
    const char *classes, *output, *out, *layers, *architecture, *graph;
    const char *recipe, *filter_layers, *channels, *objective, *start;
    const char *methods, *classes_asked, *baseline, *rules, *references, *metrics, *mask;
    cx_texts layer_sets; /* each a list of layers that one map is made from */
    int target;          /* cvs_target */
    int direction;       /* 1: down */
    int quadrature;      /* cvs_quadrature */
    int preset;          /* cvs_style */
    int64_t steps, window, stride, segments, memory, points, samples;
    int64_t size, versions, octaves, examples;
    int whole;
    cx_real variation, norm, norm_power, blur, octave_scale, strength;
    const char *dream_layers, *spread_layers, *dream_method;
    int single, film, list_recipes;
    int with_patterns;
    const char *images;
    int is_signed, counterfactual, eigen_smooth, aug_smooth, list_methods;
    const char *data, *validation, *freeze, *class_weights;
    cx_real share, rate, dropout, momentum, weight_decay, label_smoothing;
    int64_t epochs, batch, patience;
    int optimizer, loss, augment, schedule, model_formats; /* words of these options, by place */
    int resume, head, lean, nesterov, from_logits;
    cx_texts probes;
    cx_texts inputs; /* "NAME=FILE" each, in the place of the job's inputs */
} cx_options;

typedef struct cx_job {
    const cx_options *options;
    const char *model;
    const char *const *inputs;
    int n_inputs;
    int failed; /* 1 after cx_complain: the exit status says so although the command went on */
} cx_job;

/* What main.c does for the commands, the only place that writes to stderr. */
void cx_complain(cx_job *job, const cvs_error *err); /* an error that does not end the command */
void cx_note(const cx_job *job, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* a line of news, not with -q */
void cx_detail(const cx_job *job, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* a line only with -v */

#endif
