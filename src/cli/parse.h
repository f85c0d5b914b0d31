/* parse.h - the command line, read by the tables of options.h. */
#ifndef CX_CLI_PARSE_H
#define CX_CLI_PARSE_H

#include "cli/options.h"

typedef struct cx_line {
    const cx_command *command; /* NULL when the line has no argument at all */
    cx_options options;
    const char **args; /* what stands after the command, borrowed from argv */
    int n_args;
} cx_line;

/* Read a command line. Options may stand anywhere, also before the command; "--" ends them. All
 * failures but running out of memory are CVS_E_ARG. How many arguments the command wants is
 * cx_line_check's to say, since --help needs none. */
int cx_line_init(cx_line *out, int argc, char **argv, cvs_error *err);
int cx_line_check(const cx_line *line, cvs_error *err);
void cx_line_deinit(cx_line *line);

#endif
