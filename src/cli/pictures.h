/* pictures.h - many pictures run through a network: some are read while others are computed. */
#ifndef CX_CLI_PICTURES_H
#define CX_CLI_PICTURES_H

#include "cli/inputs.h"
#include "cli/work.h"

/* What a run makes of an input, which is at `slot` of its batch; -1: the run is of this file alone,
 * which may be a tensor of several inputs. */
typedef int cx_look(void *arg, const char *path, const cvs_run *run, int slot, cvs_error *err);

typedef struct cx_pictures {
    cx_look *look;
    void *arg;
    const char
        *title; /* of a progress that control-C ends with what was seen; NULL: there is none */
    int outputs_alone; /* 1: `look` takes any run of the model's outputs, so pictures are computed
                          by the batch; 0: each by the work's own run */
} cx_pictures;

/* Let `look` see each input in turn. The bytes are those of one after the other, and the memory is
 * the same for any number of them. One that cannot be read is complained of and left out.
 *
 * Gives how many were seen, or an error. */
int cx_pictures_each(cx_work *work, cx_job *job, const cx_inputs *inputs, const cx_pictures *how,
                     cvs_error *err);

/* CVS_E_IO, for those who cannot go on without any. */
int cx_pictures_none(cvs_error *err);

#endif
