/* parse.c - the command line. */
#include "cli/parse.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* --- values --- */

/* Hint with all words that an option takes. */
static void hint_words(cvs_error *err, const cx_option *option)
{
    cx_str s = {0};
    cx_option_words(&s, option);
    if (s.data)
        cx_hint(err,
                option->kind == CX_WORDS ? "any of %s, with commas between them" : "choose from %s",
                s.data);
    cx_str_deinit(&s);
}

/* Which of the option's words the `len` bytes at `text` are. */
static int read_word(int *out, const cx_option *option, const char *text, size_t len,
                     cvs_error *err)
{
    for (int i = 0; option->word(i); i++) {
        if (strlen(option->word(i)) != len || memcmp(option->word(i), text, len) != 0) continue;
        *out = i;
        return 0;
    }
    int rc = cx_fail(err, CVS_E_ARG, "\"%.*s\" is not one of its words", (int)len, text);
    hint_words(err, option);
    return rc;
}

static int read_words(int *out, const cx_option *option, const char *text, cvs_error *err)
{
    int bits = 0;
    for (;; text++) {
        size_t len = strcspn(text, ",");
        int i, rc = read_word(&i, option, text, len, err);
        if (rc < 0) return rc;
        bits |= 1 << i;
        text += len;
        if (!*text) break;
    }
    *out = bits;
    return 0;
}

static int read_number(int64_t *out, const cx_option *option, const char *text, cvs_error *err)
{
    char *end;
    int rc = 0;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (strspn(text, "+-0123456789") == 0 || end == text || *end)
        rc = cx_fail(err, CVS_E_ARG, "\"%s\" is not a whole number", text);
    else if (errno == ERANGE || v < option->min || v > option->max)
        rc = cx_fail(err, CVS_E_ARG, "%s is out of range", text);
    if (rc == 0)
        *out = v;
    else
        cx_hint(err, "a number from %lld to %lld", (long long)option->min, (long long)option->max);
    return rc;
}

static int read_real(cx_real *out, const cx_option *option, const char *text, cvs_error *err)
{
    char *end;
    int rc = 0;
    const double v = strtod(text, &end);
    if (end == text || *end || !isfinite(v))
        rc = cx_fail(err, CVS_E_ARG, "\"%s\" is not a number", text);
    else if (v < (double)option->min || v > (double)option->max)
        rc = cx_fail(err, CVS_E_ARG, "%s is out of range", text);
    if (rc == 0)
        *out = (cx_real){v, 1};
    else
        cx_hint(err, "a number from %lld to %lld", (long long)option->min, (long long)option->max);
    return rc;
}

static int read_text(const char **out, const cx_option *option, const char *text, cvs_error *err)
{
    if (!*text) return cx_fail(err, CVS_E_ARG, "its %s is empty", option->arg);
    *out = text;
    return 0;
}

static int add_text(cx_texts *out, const cx_option *option, const char *text, cvs_error *err)
{
    const size_t n = (size_t)out->n + 1;
    const char **item = cx_realloc_array(out->item, n, sizeof *item);
    if (!item) return cx_no_memory(err, n * sizeof *item);
    out->item = item;
    int rc = read_text(&item[out->n], option, text, err);
    if (rc == 0) out->n++;
    return rc;
}

/* Store an option's value; NULL for a flag. */
static int store(cx_options *options, const cx_option *option, const char *text, cvs_error *err)
{
    void *at = (char *)options + option->at;
    int rc = 0;
    switch (option->kind) {
    case CX_FLAG:
        *(int *)at = 1;
        break;
    case CX_NUMBER:
        rc = read_number(at, option, text, err);
        break;
    case CX_REAL:
        rc = read_real(at, option, text, err);
        break;
    case CX_TEXT:
        rc = read_text(at, option, text, err);
        break;
    case CX_TEXTS:
        rc = add_text(at, option, text, err);
        break;
    case CX_WORD:
        rc = read_word(at, option, text, strlen(text), err);
        break;
    case CX_WORDS:
        rc = read_words(at, option, text, err);
        break;
    }
    return rc < 0 ? cx_where(err, rc, "--%s", option->name) : 0;
}

/* --- words of the line --- */

typedef struct scanner {
    char **argv;
    int argc, i;
    unsigned commands;   /* whose options are known */
    int ended;           /* 1 after "--" */
    const char *letters; /* the rest of a bundle of short options, -qv */
} scanner;

enum { END, ARGUMENT, OPTION };
enum { MAX_OPTIONS = 64 }; /* that a misspelt one is compared with */

static int unknown(const scanner *s, const char *name, size_t len, char letter, cvs_error *err)
{
    char written[64];
    char dashed[MAX_OPTIONS][32];
    const char *names[MAX_OPTIONS];
    int n = 0, rc;
    const cx_option *elsewhere = cx_option_find(name, len, letter, ~0u);
    if (name)
        snprintf(written, sizeof written, "--%.*s", (int)len, name);
    else
        snprintf(written, sizeof written, "-%c", letter);
    if (elsewhere) {
        cx_str takers = {0};
        cx_command_names(&takers, elsewhere->commands);
        rc = cx_fail(err, CVS_E_ARG, "not an option of this command");
        if (takers.data) cx_hint(err, "it belongs to %s", takers.data);
        cx_str_deinit(&takers);
    } else {
        rc = cx_fail(err, CVS_E_ARG, "no such option");
        for (const cx_option *o = cx_option_table; o->name && n < MAX_OPTIONS; o++) {
            if (!o->help || !(o->commands & s->commands)) continue;
            snprintf(dashed[n], sizeof dashed[n], "--%s", o->name);
            names[n] = dashed[n];
            n++;
        }
        if (name) cx_hint_nearest(err, written, names, n);
        if (err && !err->hint[0]) cx_hint(err, "--help lists the options");
    }
    return cx_where(err, rc, "%s", written);
}

/* The value of an option: what stands behind it in its own word, or the next word. */
static int take_value(scanner *s, const cx_option *option, const char *attached, const char **text,
                      cvs_error *err)
{
    *text = attached;
    if (!option->arg) {
        if (!attached) return OPTION;
        return cx_where(err, cx_fail(err, CVS_E_ARG, "takes no value"), "--%s", option->name);
    }
    if (attached) return OPTION;
    if (s->i < s->argc) {
        *text = s->argv[s->i++];
        return OPTION;
    }
    int rc = cx_fail(err, CVS_E_ARG, "its %s is missing", option->arg);
    cx_hint(err, "--%s %s", option->name, option->arg);
    return cx_where(err, rc, "--%s", option->name);
}

static int next_letter(scanner *s, const cx_option **option, const char **text, cvs_error *err)
{
    char letter = *s->letters++;
    const char *rest = *s->letters ? s->letters : NULL;
    if (!rest) s->letters = NULL;
    *option = cx_option_find(NULL, 0, letter, s->commands);
    if (!*option) return unknown(s, NULL, 0, letter, err);
    if (!(*option)->arg) return OPTION;
    s->letters = NULL;
    return take_value(s, *option, rest, text, err);
}

/* The next thing on the line: END, an ARGUMENT (*text), an OPTION (*text is its value), or a
 * negative status, after which the scanner stands behind what was wrong. */
static int next(scanner *s, const cx_option **option, const char **text, cvs_error *err)
{
    *text = NULL;
    if (s->letters) return next_letter(s, option, text, err);
    if (s->i >= s->argc) return END;
    const char *word = s->argv[s->i++];
    if (s->ended || word[0] != '-' || !word[1]) {
        *text = word;
        return ARGUMENT;
    }
    if (word[1] != '-') {
        s->letters = word + 1;
        return next_letter(s, option, text, err);
    }
    if (!word[2]) {
        s->ended = 1;
        return next(s, option, text, err);
    }
    size_t len = strcspn(word + 2, "=");
    *option = cx_option_find(word + 2, len, 0, s->commands);
    if (!*option) return unknown(s, word + 2, len, 0, err);
    return take_value(s, *option, word[2 + len] ? word + 2 + len + 1 : NULL, text, err);
}

/* --- lines --- */

/* The first word that is no option: the command. NULL when there is none. */
static const char *first_argument(int argc, char **argv)
{
    scanner s = {.argv = argv, .argc = argc, .i = 1, .commands = ~0u};
    const cx_option *option;
    const char *text;
    for (;;) {
        int what = next(&s, &option, &text, NULL);
        if (what == ARGUMENT) return text;
        if (what == END) return NULL;
    }
}

static int no_command(const char *word, cvs_error *err)
{
    const char *names[CX_N_COMMANDS];
    cx_str all = {0};
    cvs_error near = {0};
    cx_command_names(&all, ~0u);
    for (int i = 0; i < CX_N_COMMANDS; i++) names[i] = cx_commands[i].name;
    int rc = cx_fail(err, CVS_E_ARG, "not a command");
    cx_hint_nearest(&near, word, names, CX_N_COMMANDS);
    cx_hint(err, "%s%sthe commands are %s", near.hint, near.hint[0] ? " " : "",
            all.data ? all.data : "");
    cx_str_deinit(&all);
    return cx_where(err, rc, "%s", word);
}

int cx_line_init(cx_line *out, int argc, char **argv, cvs_error *err)
{
    int rc = 0, what, seen_command;
    const cx_option *option;
    const char *text, *word = first_argument(argc, argv);
    *out = (cx_line){0};
    if (word) out->command = cx_command_find(word);
    seen_command = word && !out->command && access(word, F_OK) == 0;
    if (seen_command) out->command = &cx_commands[CX_COMMAND_report]; /* a file in its place */
    if (word && !out->command) return no_command(word, err);
    unsigned commands = out->command ? 1u << (out->command - cx_commands) : ~0u;

    for (const cx_option *o = cx_option_table; o->name; o++)
        if (o->initial && o->commands & commands) TRY(store(&out->options, o, o->initial, err));
    out->args = cx_calloc((size_t)argc + 1, sizeof *out->args);
    if (!out->args) {
        rc = cx_no_memory(err, (size_t)argc);
        goto out;
    }
    scanner s = {.argv = argv, .argc = argc, .i = 1, .commands = commands};
    while ((what = next(&s, &option, &text, err)) != END) {
        TRY(what);
        if (what == OPTION)
            TRY(store(&out->options, option, text, err));
        else if (seen_command)
            out->args[out->n_args++] = text;
        seen_command |= what == ARGUMENT;
    }
    rc = 0;
out:
    if (rc < 0) cx_line_deinit(out);
    return rc;
}

int cx_line_check(const cx_line *line, cvs_error *err)
{
    const cx_command *c = line->command;
    int rc;
    if (!c) {
        cx_str all = {0};
        rc = cx_fail(err, CVS_E_ARG, "a command is missing");
        cx_command_names(&all, ~0u);
        cx_hint(err, "the commands are %s; --help tells more", all.data ? all.data : "");
        cx_str_deinit(&all);
        return rc;
    }
    const int named = line->options.inputs.n > 0; /* then MODEL stands alone */
    if (named && line->n_args > 1) {
        rc = cx_fail(err, CVS_E_ARG, "it takes the place of INPUT, which is %s", line->args[1]);
        return cx_where(err, rc, "--input");
    }
    if (line->options.list_methods || line->options.list_recipes)
        return 0; /* it needs neither model nor input */
    if (line->n_args < (named ? 1 : c->min_args)) {
        rc = cx_fail(err, CVS_E_ARG, "its %s is missing", line->n_args ? "INPUT" : "MODEL");
        rc = cx_where(err, rc, "%s", c->name);
    } else if (line->n_args > c->max_args) {
        rc = cx_fail(err, CVS_E_ARG, "one argument too many");
        rc = cx_where(err, rc, "%s", line->args[c->max_args]);
    } else
        return 0;
    cx_hint(err, "usage: convscope %s [OPTIONS] %s", c->name, c->args);
    return rc;
}

void cx_line_deinit(cx_line *line)
{
    for (const cx_option *o = cx_option_table; o->name; o++) {
        cx_texts *texts = (cx_texts *)(void *)((char *)&line->options + o->at);
        if (o->kind == CX_TEXTS) cx_free(texts->item);
    }
    cx_free(line->args);
    *line = (cx_line){0};
}
