/* cmd_dream.c - convscope dream: a photograph that begins to show what layers look for. */
#include "cli/dreams.h"
#include "cli/options.h"

int cx_cmd_dream(cx_job *job, cvs_error *err)
{
    return cx_dreams_run(job, CVS_DREAM, err);
}
