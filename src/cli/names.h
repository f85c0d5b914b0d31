/* names.h - the names of a model's classes. */
#ifndef CX_CLI_NAMES_H
#define CX_CLI_NAMES_H

#include "cli/job.h"

/* Load the names for `n` classes: those of --classes, which must be as many, else those of a file
 * beside the model if there is one that fits. *out may be NULL on success: classes are numbers. */
int cx_names_load(cvs_classes **out, const cx_job *job, int64_t n, cvs_error *err);

#endif
