/* explain.h - what the options of heatmap and evaluate ask: methods, classes, and how. */
#ifndef CX_CLI_EXPLAIN_H
#define CX_CLI_EXPLAIN_H

#include "cli/job.h"
#include "convscope.h"

enum { CX_MAX_METHODS = 128 };

typedef struct cx_asked {
    const cvs_method *methods[CX_MAX_METHODS];
    int n_methods;
    int64_t *classes; /* -1: the predicted one */
    int n_classes;
    cvs_classes *names; /* NULL: numbers */
    char number[32];
    cvs_run *references;     /* of --references, or NULL; owned */
    cvs_explain_options how; /* what all methods and classes have in common */
} cx_asked;

/* The methods of --method, before a model is loaded for nothing. */
int cx_asked_methods(cx_asked *out, const cx_job *job, cvs_error *err);

/* All the rest, for a model. */
int cx_asked_init(cx_asked *out, cx_job *job, const cvs_model *model, cvs_error *err);
void cx_asked_deinit(cx_asked *asked);

/* Ask for the i-th class. */
void cx_asked_class(cvs_explain_options *how, const cx_asked *asked, int i);
/* Its name or number; the latter until the next call. */
const char *cx_asked_name(cx_asked *asked, int i);

#endif
