/* progress.h - how far a long work is, on a terminal, and a way to end it early. */
#ifndef CX_CLI_PROGRESS_H
#define CX_CLI_PROGRESS_H

#include "cli/job.h"

typedef struct cx_progress {
    const char *what;   /* shown before the share; borrowed */
    int shown;          /* 1: to be shown at all: on a terminal, unless the options say no */
    int drawn;          /* 1: there is a line to be wiped */
    double start, last; /* seconds */
} cx_progress;

/* From now until cx_progress_end, control-C asks the work to stop with what it has. */
void cx_progress_begin(cx_progress *p, const cx_job *job, const char *what);

/* As cvs_explain_options.progress wants it; `arg` is the cx_progress. */
int cx_progress_tell(void *arg, double done);

/* For a line of one's own: since the beginning; whether it is time to write; the line. */
double cx_progress_seconds(const cx_progress *p);
int cx_progress_is_due(const cx_progress *p);
void cx_progress_show(cx_progress *p, const char *text);

/* 1 after control-C. */
int cx_progress_stopped(void);
void cx_progress_end(cx_progress *p);

#endif
