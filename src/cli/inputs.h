/* inputs.h - the inputs that a command line names: files, and folders for the files in them. */
#ifndef CX_CLI_INPUTS_H
#define CX_CLI_INPUTS_H

#include "cli/job.h"

typedef struct cx_inputs {
    char **paths;
    int n;
} cx_inputs;

/* The job's inputs, or cx_inputs_label where the options name them; a folder replaced by the
 * pictures and tensors right in it, in the order of their names. A folder that cannot be read or
 * has none is complained of and left out. */
int cx_inputs_init(cx_inputs *out, cx_job *job, cvs_error *err);
/* One more path in the same way; all zero is an empty list. */
int cx_inputs_add(cx_inputs *in, cx_job *job, const char *path, cvs_error *err);

/* The options --input as one text, "left=a.png right=b.png": what is told of their input. The
 * caller's to cx_free(). */
int cx_inputs_label(char **out, const cx_job *job, cvs_error *err);
void cx_inputs_deinit(cx_inputs *inputs);

#endif
