/* index.h - the answer for machines of commands that write files. */
#ifndef CX_CLI_INDEX_H
#define CX_CLI_INDEX_H

#include "base/error.h"

/* Print a folder's index.json on stdout. */
int cx_print_index(const char *dir, cvs_error *err);
/* The same of any file in it. */
int cx_print_file(const char *dir, const char *name, cvs_error *err);

#endif
