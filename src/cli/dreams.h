/* dreams.h - what the commands dream, invert and caricature have in common. */
#ifndef CX_CLI_DREAMS_H
#define CX_CLI_DREAMS_H

#include "cli/job.h"
#include "convscope.h"

/* Do it, write it and tell what was written. */
int cx_dreams_run(cx_job *job, cvs_dream_kind kind, cvs_error *err);

#endif
