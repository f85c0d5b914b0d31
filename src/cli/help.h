/* help.h - what the tables of options.h say, for people and for shells. */
#ifndef CX_CLI_HELP_H
#define CX_CLI_HELP_H

#include "cli/options.h"

/* The help of a command; of the program where `command` is NULL. */
void cx_help(cx_str *out, const cx_command *command);

/* The tables, a line a command, then a line for each option of it, fields with tabs between them:
 * "command", name, arguments, help, or "option", command, --name, -letter, value, words, help. A
 * field that is empty is "-". The completions read this. */
void cx_dump_options(cx_str *out);

#endif
