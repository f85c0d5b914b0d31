/* pictures.c - many pictures run through a network, one after the other. */
#include "cli/pictures.h"

#include "cli/progress.h"

int cx_pictures_each(cx_work *work, cx_job *job, const cx_inputs *inputs,
                     int (*look)(void *arg, const char *path, cvs_error *err), void *arg,
                     cvs_error *err)
{
    cx_progress progress;
    int rc = 0, seen = 0;
    cx_progress_begin(&progress, job, "looking at pictures");
    for (int i = 0; i < inputs->n; i++) {
        cvs_error bad;
        if (cx_work_compute(work, job, inputs->paths[i], &bad) < 0) {
            cx_complain(job, &bad);
        } else {
            TRY(look(arg, inputs->paths[i], err));
            seen++;
        }
        if (cx_progress_tell(&progress, (double)(i + 1) / inputs->n)) break;
    }
    rc = seen > 0 ? 0 : cx_fail(err, CVS_E_IO, "there is no picture that can be read");
out:
    cx_progress_end(&progress);
    return rc;
}
