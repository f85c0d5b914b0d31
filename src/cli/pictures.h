/* pictures.h - many pictures run through a network, one after the other. */
#ifndef CX_CLI_PICTURES_H
#define CX_CLI_PICTURES_H

#include "cli/inputs.h"
#include "cli/work.h"

/* Compute each input and let `look` see what the work's run makes of it. One that cannot be read is
 * complained of and left out; control-C ends it with what has been seen. CVS_E_IO where nothing
 * could be read. */
int cx_pictures_each(cx_work *work, cx_job *job, const cx_inputs *inputs,
                     int (*look)(void *arg, const char *path, cvs_error *err), void *arg,
                     cvs_error *err);

#endif
