/* options.h - the program's commands and options: two tables from which the command line is read,
 * the help is printed and the shells complete. */
#ifndef CX_CLI_OPTIONS_H
#define CX_CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "cli/job.h"

/* Positions of the commands in their table, which are also their bits in cx_option.commands. */
enum {
#define COMMAND(name, args, least, most, help) CX_COMMAND_##name,
#include "cli/commands.def"
#undef COMMAND
    CX_N_COMMANDS
};

typedef struct cx_command {
    const char *name;
    const char *args; /* as the help writes them: "MODEL INPUT..." */
    int min_args, max_args;
    const char *help;
    int (*run)(cx_job *job, cvs_error *err);
} cx_command;

/* Each command, in its own file. */
#define COMMAND(name, args, least, most, help) int cx_cmd_##name(cx_job *job, cvs_error *err);
#include "cli/commands.def"
#undef COMMAND

extern const cx_command cx_commands[CX_N_COMMANDS];

typedef enum cx_option_kind {
    CX_FLAG,   /* an int that becomes 1 */
    CX_NUMBER, /* an int64_t from min to max */
    CX_REAL,   /* a cx_real from min to max */
    CX_TEXT,   /* a const char *, not empty, borrowed from the command line */
    CX_TEXTS,  /* a cx_texts: as CX_TEXT, any number of times */
    CX_WORD,   /* an int: which of the words */
    CX_WORDS,  /* an int: words with commas between them, a bit each */
} cx_option_kind;

typedef struct cx_option {
    const char *name;
    char letter; /* short name, or 0 */
    cx_option_kind kind;
    size_t at;           /* offset in cx_options */
    const char *arg;     /* what the help calls the value; NULL for a flag */
    const char *initial; /* the value when none is given, as a user would write it; may be NULL */
    unsigned commands;   /* a bit for each command that takes it */
    const char *help;    /* NULL hides it */
    const char *(*word)(int i); /* the i-th word, NULL past the end */
    int64_t min, max;
} cx_option;

/* Ended by a row without a name. */
extern const cx_option cx_option_table[];

/* The option of that name (`len` bytes), or of that letter when name is NULL, for any of the
 * commands whose bits are set; NULL when there is none. */
const cx_option *cx_option_find(const char *name, size_t len, char letter, unsigned commands);

const cx_command *cx_command_find(const char *name);

/* A weight as the library wants it: below 0 where 0 was asked for, 0 where nothing was. */
double cx_option_weight(cx_real said);

/* Names with ", " between them: an option's words, and those commands whose bits are set. */
void cx_option_words(cx_str *out, const cx_option *option);
void cx_command_names(cx_str *out, unsigned commands);

#endif
