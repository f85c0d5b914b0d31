/* cmd_invert.c - convscope invert: what each layer still knows of a photograph. */
#include "cli/dreams.h"
#include "cli/options.h"

int cx_cmd_invert(cx_job *job, cvs_error *err)
{
    return cx_dreams_run(job, CVS_INVERT, err);
}
