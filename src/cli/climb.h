/* climb.h - what the commands that climb have in common. */
#ifndef CX_CLI_CLIMB_H
#define CX_CLI_CLIMB_H

#include "cli/job.h"
#include "convscope.h"

/* The options that mean the same for filters, dream, invert and caricature. */
cvs_pattern_options cx_climb_options(const cx_options *o);

#endif
