/* output.h - which output of a model a command is about. */
#ifndef CX_CLI_OUTPUT_H
#define CX_CLI_OUTPUT_H

#include "cli/job.h"
#include "convscope.h"

/* The output that --output names, from 0, else the first, which is told where there are others. */
int cx_output_choose(int *out, const cx_job *job, const cvs_model *model, cvs_error *err);

#endif
