/* summary_text.c - a summary in plain text (Keras 2 to 2.6) and in boxes (Keras 3 by rich). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/summary.h"

enum { COLUMNS = 4 };

/* --- Keras 2 --- */

/* Keras 2 joins the fields with a space each, cuts at a column's end and pads to it. The row of a
 * nested model's layer stands between bars, one a level, that take their room from the first and
 * the last column. */
static void keras2_row(cx_str *out, const char *const *fields, const int *ends, int n, int level)
{
    int at = level;
    cx_str_repeat(out, "|", level);
    for (int i = 0; i < n && !out->failed; i++) {
        if (i > 0) { /* the last character before a column always gives way to a blank */
            out->data[out->len - 1] = ' ';
        }
        int end = i + 1 < n ? ends[i] : ends[i] - level;
        int room = end > at ? end - at : 0, len = (int)strlen(fields[i]);
        if (len > room) len = room;
        cx_str_add_n(out, fields[i], (size_t)len);
        cx_str_repeat(out, " ", room - len);
        at = end;
    }
    cx_str_repeat(out, "|", level);
    cx_str_add(out, "\n");
}

static void rule(cx_str *out, const char *mark, int width, int level)
{
    cx_str_repeat(out, "|", level);
    cx_str_repeat(out, mark, width - 2 * level);
    cx_str_repeat(out, "|", level);
    cx_str_add(out, "\n");
}

/* tf.keras (2.4 and on, or "2.2.4-tf") shows the shape of an InputLayer as a list. */
static int is_tf_keras(const char *version)
{
    char *end;
    if (strstr(version, "-tf")) return 1;
    long major = strtol(version, &end, 10);
    long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    return major > 2 || (major == 2 && minor >= 4);
}

/* As Keras 2 counts calls, a nested model's own graph is call 0. */
static void keras2_connection(cx_str *out, const cx_connection *c)
{
    cx_str_addf(out, "%s[%d][%d]", c->name, c->call + c->nested, c->tensor);
}

static void keras2_layer(cx_str *out, const cx_summary *s, const cx_row *row, const int *ends,
                         int n)
{
    cx_str name = {0}, shape = {0};
    char params[24];
    int list = row->is_input && is_tf_keras(s->model->keras_version);
    cx_str_addf(&name, "%s (%s)", row->name, row->class_name);
    if (list) cx_str_add(&shape, "[");
    if (row->varies)
        cx_str_add(&shape, "multiple");
    else
        cx_row_shapes(&shape, row);
    if (list) cx_str_add(&shape, "]");
    snprintf(params, sizeof params, "%lld", (long long)row->params);
    for (int i = 0; i == 0 || (n == COLUMNS && i < row->n_from); i++) {
        cx_str from = {0};
        if (i < row->n_from)
            keras2_connection(&from, &row->from[i]);
        else
            cx_str_add(&from, "");
        out->failed |= name.failed || shape.failed || from.failed;
        if (!out->failed) {
            const char *first[] = {name.data, shape.data, params, from.data};
            const char *more[] = {"", "", "", from.data};
            keras2_row(out, i == 0 ? first : more, ends, n, row->level);
        }
        cx_str_deinit(&from);
    }
    cx_str_deinit(&name);
    cx_str_deinit(&shape);
}

/* What stands between two rows: a rule, or the lid or the floor of the box around the layers of a
 * nested model. As in Keras no rule follows a floor. */
static void keras2_between(cx_str *out, int level, int next, int width)
{
    if (next > level) rule(out, "¯", width, next);
    if (next == level) rule(out, "_", width, level);
    while (level-- > next) rule(out, "¯", width, level);
}

void cx_summary_keras2(cx_str *out, const cx_summary *s, int width)
{
    const double chain[] = {.45, .85, 1}, graph[] = {.33, .55, .67, 1};
    const char *titles[] = {"Layer (type)", "Output Shape", "Param #", "Connected to"};
    const int n = s->chain ? 3 : COLUMNS;
    int ends[COLUMNS];
    char a[32];
    /* Python's default for a chain is 65 columns, where "(MaxPooling2D)" is cut; R's, and the
     * book's, is the width of a terminal. */
    if (width == 0) width = s->chain ? 80 : 98;
    for (int i = 0; i < n; i++) ends[i] = (int)(width * (s->chain ? chain : graph)[i]);

    cx_str_addf(out, "Model: \"%s\"\n", s->model->name);
    rule(out, "_", width, 0);
    keras2_row(out, titles, ends, n, 0);
    rule(out, "=", width, 0);
    for (int i = 0; i < s->n_rows && !out->failed; i++) {
        keras2_layer(out, s, &s->rows[i], ends, n);
        if (i + 1 < s->n_rows)
            keras2_between(out, s->rows[i].level, s->rows[i + 1].level, width);
        else if (s->rows[i].level > 0)
            keras2_between(out, s->rows[i].level, 0, width);
    }
    rule(out, "=", width, 0);
    cx_str_addf(out, "Total params: %s\n", cx_commas(a, s->params));
    cx_str_addf(out, "Trainable params: %s\n", cx_commas(a, s->trainable));
    cx_str_addf(out, "Non-trainable params: %s\n", cx_commas(a, s->params - s->trainable));
    rule(out, "_", width, 0);
}

/* --- Keras 3 --- */

/* Python rounds halves to even. */
static int round_half_even(int a, int b)
{
    int q = a / b, twice = 2 * (a % b);
    return q + (twice > b || (twice == b && (q & 1)));
}

/* Columns of int(p * L) less the previous, and two of padding, are too wide by the borders: rich
 * takes the excess away in equal parts from the left. Gives the widths of the text. */
static void keras3_columns(int widths[COLUMNS], int n, int length, const double *ends)
{
    int before = 0, total = 0;
    for (int i = 0; i < n; i++) {
        int end = (int)(ends[i] * length);
        widths[i] = end - before + 2;
        before = end;
        total += widths[i];
    }
    int excess = total - (length - n - 1);
    for (int i = 0; i < n; i++) {
        int part = excess > 0 ? round_half_even(excess, n - i) : 0;
        widths[i] -= part + 2;
        excess -= part;
        if (widths[i] < 1) widths[i] = 1;
    }
}

static int is_text(char c) /* no continuation of a UTF-8 character */
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* A line of a cell. */
typedef struct cell_line {
    size_t len; /* bytes of the text */
    int columns;
    int cut; /* 1: an ellipsis follows */
} cell_line;

/* The next line of a cell, as rich breaks text: as many words as fit; a word that no line can hold
 * has one of its own and is cut. Blanks before the first word belong to it. Moves *text on. */
static cell_line next_line(const char **text, int width)
{
    const char *start = *text, *at = start;
    cell_line line = {0};
    int columns = 0; /* with the blanks behind the last word */
    while (*at) {
        const char *end = at, *next;
        int word = 0;
        while (*end == ' ') end++, word++;
        while (*end && *end != ' ') word += is_text(*end++);
        for (next = end; *next == ' ';) next++;
        if (at > start && columns + word > width) break;
        line = (cell_line){(size_t)(end - start), columns + word, 0};
        columns += word + (int)(next - end);
        at = next;
        if (word > width) break;
    }
    *text = at;
    line.cut = line.columns > width;
    while (line.columns > width - line.cut) line.columns -= is_text(start[--line.len]);
    return line;
}

/* One table row of as many lines as its longest cell has. */
static void keras3_row(cx_str *out, const char *const *cells, const int *widths, int n,
                       const char *bar)
{
    const char *left[COLUMNS];
    int more = 1;
    for (int i = 0; i < n; i++) left[i] = cells[i];
    while (more) {
        more = 0;
        for (int i = 0; i < n; i++) {
            const char *text = left[i];
            cell_line line = next_line(&left[i], widths[i]);
            int right = i == 2; /* numbers stand at the right */
            int pad = widths[i] - line.columns - line.cut;
            cx_str_addf(out, "%s ", bar);
            cx_str_repeat(out, " ", right ? pad : 0);
            cx_str_add_n(out, text, line.len);
            cx_str_add(out, line.cut ? "…" : "");
            cx_str_repeat(out, " ", right ? 1 : pad + 1);
            more |= *left[i] != 0;
        }
        cx_str_addf(out, "%s\n", bar);
    }
}

static void keras3_rule(cx_str *out, const int *widths, int n, const char *const marks[4])
{
    for (int i = 0; i < n; i++) {
        cx_str_add(out, marks[i ? 2 : 0]);
        cx_str_repeat(out, marks[1], widths[i] + 2);
    }
    cx_str_addf(out, "%s\n", marks[3]);
}

static void keras3_layer(cx_str *out, const cx_row *row, const int *widths, int n)
{
    cx_str name = {0}, shape = {0}, from = {0};
    char params[32];
    cx_str_repeat(&name, "   ", row->level);
    cx_str_addf(&name, "%s%s (%s)", row->level ? "└ " : "", row->name, row->class_name);
    cx_row_shapes(&shape, row);
    for (int i = 0; i < row->n_from; i++)
        cx_str_addf(&from, "%s%s[%d][%d]", i ? ", " : "", row->from[i].name, row->from[i].call,
                    row->from[i].tensor);
    if (row->n_from == 0) cx_str_add(&from, "-");
    out->failed |= name.failed || shape.failed || from.failed;
    if (!out->failed) {
        const char *cells[] = {name.data, shape.data, cx_commas(params, row->params), from.data};
        keras3_row(out, cells, widths, n, "│");
    }
    cx_str_deinit(&name);
    cx_str_deinit(&shape);
    cx_str_deinit(&from);
}

static void keras3_total(cx_str *out, const char *what, int64_t params)
{
    const char *units[] = {"B", "KB", "MB", "GB", "TB"};
    double size = (double)params * sizeof(float);
    char a[32];
    int unit = 0;
    while (size >= 1024 && unit < 4) size /= 1024, unit++;
    cx_str_addf(out, " %s params: %s (%.2f %s)\n", what, cx_commas(a, params), size, units[unit]);
}

void cx_summary_keras3(cx_str *out, const cx_summary *s, int width)
{
    const double chain[] = {.45, .80, 1}, graph[] = {.30, .56, .74, 1};
    const char *titles[] = {"Layer (type)", "Output Shape", "Param #", "Connected to"};
    const char *const top[] = {"┏", "━", "┳", "┓"}, *const head[] = {"┡", "━", "╇", "┩"};
    const char *const between[] = {"├", "─", "┼", "┤"}, *const bottom[] = {"└", "─", "┴", "┘"};
    const int n = s->chain ? 3 : COLUMNS;
    int widths[COLUMNS];
    keras3_columns(widths, n, width ? width : 76, s->chain ? chain : graph);

    cx_str_addf(out, "Model: \"%s\"\n", s->model->name);
    keras3_rule(out, widths, n, top);
    keras3_row(out, titles, widths, n, "┃");
    keras3_rule(out, widths, n, head);
    for (int i = 0; i < s->n_rows; i++) {
        if (i > 0) keras3_rule(out, widths, n, between);
        keras3_layer(out, &s->rows[i], widths, n);
    }
    keras3_rule(out, widths, n, bottom);
    keras3_total(out, "Total", s->params);
    keras3_total(out, "Trainable", s->trainable);
    keras3_total(out, "Non-trainable", s->params - s->trainable);
}
