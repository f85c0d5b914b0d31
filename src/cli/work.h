/* work.h - a model, a run of it and how pictures enter it: what commands that compute begin with.
 */
#ifndef CX_CLI_WORK_H
#define CX_CLI_WORK_H

#include "cli/job.h"

/* A file being read by a thread of its own. */
typedef struct cx_reading cx_reading;

typedef struct cx_work {
    cvs_model *model;
    cvs_run *run;
    cvs_image_options image; /* as the person asked for it */
    int told;                /* 1 once the person knows the preprocessing */
    int took_picture;        /* 1 once there was something to preprocess */
    const char **files;      /* by input of the model, from --input; NULL: it has one, unnamed */
    int keep_photo;          /* 1: `photo` is wanted */
    cvs_input *photo;        /* the first input that was set, as its file has it */
    cx_reading *reading;     /* of the first input, begun before the model; NULL: none */
} cx_work;

/* Load the job's model, naming the file in what goes wrong. */
int cx_work_load(cvs_model **out, const cx_job *job, cvs_error *err);

/* Load the model and make a run that keeps the taps (see cvs_run_options). Meanwhile `first`, the
 * input that will be computed first (NULL: not known yet), is read. */
int cx_work_init(cx_work *out, const cx_job *job, const char *taps, const char *first,
                 cvs_error *err);
void cx_work_deinit(cx_work *work);

/* Of a model with several inputs: which file each is given by --input; of a loaded model. */
int cx_work_choose_files(cx_work *work, const cx_job *job, cvs_error *err);

/* Read an input as below without computing. */
int cx_work_set(cx_work *work, const cx_job *job, const char *input, cvs_error *err);

/* Read an input (the files of --input, where these are given) and compute. The first time, the
 * choice of preprocessing is told. */
int cx_work_compute(cx_work *work, const cx_job *job, const char *input, cvs_error *err);

/* The two halves of it, of a model with one input and any run of it: what was read of `path` is
 * given to a place of the batch; the run is computed, and `input` is named where it cannot. */
int cx_work_give(cx_work *work, const cx_job *job, cvs_run *run, int slot, const char *path,
                 const cvs_input *data, cvs_error *err);
int cx_work_forward(cvs_run *run, const cx_job *job, const char *input, cvs_error *err);
/* What a pass that failed says of its input; gives what the command fails with. */
int cx_work_failed(cvs_error *err, int rc, const char *input);

/* The input at `path`, read already or now; the caller's to cvs_input_free(). */
int cx_work_read(cvs_input **out, cx_work *work, const char *path, cvs_error *err);

/* The name of the preprocessing, "auto" where it differs between the inputs. Static. */
const char *cx_work_preprocess(const cx_work *work);

/* 1 for the name of a tensor file, whose numbers the model gets as they are. */
int cx_is_tensor(const char *path);

/* Put the file's name before what went wrong, unless whoever failed named it already. */
int cx_at_file(cvs_error *err, int rc, const char *path);

#endif
