/* help.c - the help, made from the tables. */
#include "cli/help.h"

#include <string.h>

enum { INDENT = 25, WIDTH = 79 };

/* Add text in a column that begins at INDENT, where the cursor stands at column `at`. */
static void add_wrapped(cx_str *out, int at, const char *text)
{
    if (at >= INDENT) {
        cx_str_add(out, "\n");
        at = 0;
    }
    cx_str_repeat(out, " ", INDENT - at);
    at = INDENT;
    while (*text) {
        size_t len = strcspn(text, " ");
        if (at > INDENT && at + 1 + (int)len > WIDTH) {
            cx_str_add(out, "\n");
            cx_str_repeat(out, " ", INDENT);
            at = INDENT;
        } else if (at > INDENT) {
            cx_str_add(out, " ");
            at++;
        }
        cx_str_add_n(out, text, len);
        at += (int)len;
        text += len + (text[len] == ' ');
    }
    cx_str_add(out, "\n");
}

static void add_option(cx_str *out, const cx_option *o)
{
    cx_str head = {0}, text = {0};
    if (o->letter)
        cx_str_addf(&head, "  -%c, --%s", o->letter, o->name);
    else
        cx_str_addf(&head, "      --%s", o->name);
    if (o->arg) cx_str_addf(&head, " %s", o->arg);

    cx_str_add(&text, o->help);
    if (o->word) {
        cx_str_add(&text, ": ");
        cx_option_words(&text, o);
    }
    if (o->initial) cx_str_addf(&text, " (default %s)", o->initial);
    if (head.data && text.data) {
        cx_str_add(out, head.data);
        add_wrapped(out, (int)head.len, text.data);
    }
    out->failed |= head.failed | text.failed;
    cx_str_deinit(&head);
    cx_str_deinit(&text);
}

static const unsigned all = (1u << CX_N_COMMANDS) - 1;

static void add_options(cx_str *out, unsigned command, int common)
{
    for (const cx_option *o = cx_option_table; o->name; o++)
        if (o->help && o->commands & command && (o->commands == all) == common) add_option(out, o);
}

static void help_program(cx_str *out)
{
    cx_str_add(out, "usage: convscope COMMAND [OPTIONS] MODEL [INPUT ...]\n"
                    "       convscope [OPTIONS] MODEL INPUT...    the same as report\n\n"
                    "A microscope for trained convolutional networks: opens a Keras model and a\n"
                    "photograph and shows what every layer makes of it.\n\nCommands:\n");
    for (int i = 0; i < CX_N_COMMANDS; i++) {
        const cx_command *c = &cx_commands[i];
        cx_str_addf(out, "  %s %s", c->name, c->args);
        add_wrapped(out, 3 + (int)(strlen(c->name) + strlen(c->args)), c->help);
    }
    cx_str_add(out, "\nOptions of every command:\n");
    add_options(out, all, 1);
    cx_str_add(out,
               "\nMODEL is a Keras file, .h5 or .keras. INPUT is a JPEG, PNG or WebP picture,\n"
               "or a .npy tensor, which is taken as it is. convscope COMMAND --help tells\n"
               "a command's own options.\n");
}

void cx_help(cx_str *out, const cx_command *command)
{
    if (!command) {
        help_program(out);
        return;
    }
    unsigned bit = 1u << (command - cx_commands);
    cx_str own = {0};
    add_options(&own, bit, 0);
    cx_str_addf(out, "usage: convscope %s [OPTIONS] %s\n\n", command->name, command->args);
    cx_str_addf(out, "convscope %s: %s.\n", command->name, command->help);
    if (own.data) cx_str_addf(out, "\nOptions:\n%s", own.data);
    cx_str_add(out, "\nOptions of every command:\n");
    add_options(out, bit, 1);
    out->failed |= own.failed;
    cx_str_deinit(&own);
}

static void dump_option(cx_str *out, const cx_command *c, const cx_option *o)
{
    cx_str_addf(out, "option\t%s\t--%s\t", c->name, o->name);
    if (o->letter)
        cx_str_addf(out, "-%c", o->letter);
    else
        cx_str_add(out, "-");
    cx_str_addf(out, "\t%s\t", o->arg ? o->arg : "-");
    if (o->word)
        for (int i = 0; o->word(i); i++) cx_str_addf(out, "%s%s", i ? " " : "", o->word(i));
    else
        cx_str_add(out, "-");
    cx_str_addf(out, "\t%s\n", o->help);
}

void cx_dump_options(cx_str *out)
{
    for (int i = 0; i < CX_N_COMMANDS; i++) {
        const cx_command *c = &cx_commands[i];
        cx_str_addf(out, "command\t%s\t%s\t%s\n", c->name, c->args, c->help);
        for (const cx_option *o = cx_option_table; o->name; o++)
            if (o->help && o->commands & 1u << i) dump_option(out, c, o);
    }
}
