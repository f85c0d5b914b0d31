/* runs.h - passes of networks that are kept, see cx_viewer_computed(). */
#ifndef CX_SERVE_RUNS_H
#define CX_SERVE_RUNS_H

#include "graph/input.h"
#include "graph/run.h"

typedef struct cx_runs cx_runs;

int cx_runs_new(cx_runs **out, int exact, cvs_error *err);
void cx_runs_free(cx_runs *runs); /* when nobody has any */

/* What a pass is of; `picture` is an id that stands for `input`. */
typedef struct cx_pass {
    const cvs_model *m;
    const char *picture;
    const cvs_input *input;
    cvs_image_options image;
    const char *taps;
} cx_pass;

int cx_runs_take(cvs_run **out, double *milliseconds, cx_runs *runs, const cx_pass *pass,
                 cvs_error *err);
void cx_runs_let_go(cx_runs *runs, cvs_run *run);

#endif
