/* progress.c - "smoothgrad  45 %, 3 s left", rewritten in place. */
#define _POSIX_C_SOURCE 200809L
#include "cli/progress.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/threads.h"

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

void cx_progress_begin(cx_progress *p, const cx_job *job, const char *what)
{
    const cx_options *o = job->options;
    *p = (cx_progress){.what = what, .start = cx_seconds()};
    p->shown = !o->no_progress && !o->quiet && isatty(STDERR_FILENO);
    /* The second one ends the program as usual. */
    sigaction(SIGINT, &(struct sigaction){.sa_handler = stop, .sa_flags = (int)SA_RESETHAND}, NULL);
}

double cx_progress_seconds(const cx_progress *p)
{
    return cx_seconds() - p->start;
}

int cx_progress_is_due(const cx_progress *p)
{
    const double now = cx_seconds();
    return p->shown && now - p->start > 0.5 && now - p->last > 0.1;
}

void cx_progress_show(cx_progress *p, const char *text)
{
    fprintf(stderr, "\r%s \033[K", text);
    p->last = cx_seconds();
    p->drawn = 1;
}

int cx_progress_tell(void *arg, double done)
{
    cx_progress *p = arg;
    char text[512];
    if (done > 0 && cx_progress_is_due(p)) {
        snprintf(text, sizeof text, "%.400s  %.0f %%, %.0f s left", p->what, 100 * done,
                 cx_progress_seconds(p) * (1 - done) / done);
        cx_progress_show(p, text);
    }
    return stopped;
}

int cx_progress_stopped(void)
{
    return stopped;
}

void cx_progress_end(cx_progress *p)
{
    if (p->drawn) fprintf(stderr, "\r\033[K");
    p->drawn = 0;
}
