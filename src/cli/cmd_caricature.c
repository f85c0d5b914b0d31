/* cmd_caricature.c - convscope caricature: what each layer sees in a photograph, only more of it.
 */
#include "cli/dreams.h"
#include "cli/options.h"

int cx_cmd_caricature(cx_job *job, cvs_error *err)
{
    return cx_dreams_run(job, CVS_CARICATURE, err);
}
