/* inputs.h - the inputs that a command line names: files, and folders for the files in them. */
#ifndef CX_CLI_INPUTS_H
#define CX_CLI_INPUTS_H

#include "cli/job.h"

typedef struct cx_inputs {
    char **paths;
    int n;
} cx_inputs;

/* The job's inputs, a folder replaced by the pictures and tensors right in it, in the order of
 * their names. A folder that cannot be read or has none is complained of and left out. */
int cx_inputs_init(cx_inputs *out, cx_job *job, cvs_error *err);
void cx_inputs_deinit(cx_inputs *inputs);

#endif
