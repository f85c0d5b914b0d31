/* cmd_summary.c - convscope summary: the layers as Keras prints them. */
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/work.h"

/* Columns for the table of Keras 3, which leaves 4 of the terminal's and takes at most 88; 0, for
 * its default, where stdout is no terminal. */
static int table_width(void)
{
    enum { MARGIN = 4, LEAST = 40, MOST = 88 };
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0) return 0;
    int width = size.ws_col - MARGIN;
    return width < LEAST ? 0 : width > MOST ? MOST : width;
}

int cx_cmd_summary(cx_job *job, cvs_error *err)
{
    const cx_options *o = job->options;
    cvs_summary_options table = {(cvs_summary_style)o->summary_style, (int)o->width, o->expand};
    cvs_model *model = NULL;
    char *text = NULL;
    int rc;
    TRY(cx_work_load(&model, job, err));
    if (o->json) table.style = CVS_SUMMARY_JSON;
    if (table.style == CVS_SUMMARY_KERAS3 && !table.width) table.width = table_width();
    TRY(cvs_model_summary(&text, model, &table, err));
    if (o->graph) TRY(cvs_graph_write(model, o->graph, err));
    fputs(text, stdout);
out:
    cvs_free(text);
    cvs_model_free(model);
    return rc;
}
