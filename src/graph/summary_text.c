/* summary_text.c - a summary in plain text (Keras 2 to 2.6) and in boxes (Keras 3 by rich). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/summary.h"

enum { COLUMNS = 4 };

/* --- Keras 2 --- */

/* Keras 2 joins the fields with a space each, cuts at a column's end and pads to it. */
static void keras2_row(cx_str *out, const char *const *fields, const int *ends, int n)
{
    int at = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0) { /* the last character before a column always gives way to a blank */
            out->data[out->len - 1] = ' ';
        }
        int room = ends[i] - at, len = (int)strlen(fields[i]);
        if (len > room) len = room;
        cx_str_add_n(out, fields[i], (size_t)len);
        cx_str_repeat(out, " ", room - len);
        if (out->failed) return;
        at = ends[i];
    }
    cx_str_add(out, "\n");
}

static void rule(cx_str *out, const char *mark, int width)
{
    cx_str_repeat(out, mark, width);
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

static void keras2_layer(cx_str *out, const cx_summary *s, const cx_row *row, const int *ends,
                         int n)
{
    cx_str name = {0};
    char shape[CX_SHAPE_TEXT + 2], text[CX_SHAPE_TEXT], params[24];
    cx_shape_text(text, &row->shape);
    int list = row->is_input && is_tf_keras(s->model->keras_version);
    snprintf(shape, sizeof shape, list ? "[%s]" : "%s", text);
    snprintf(params, sizeof params, "%lld", (long long)row->params);
    cx_str_addf(&name, "%s (%s)", row->name, row->class_name);
    for (int i = 0; i == 0 || (n == COLUMNS && i < row->n_from); i++) {
        const char *from = i < row->n_from ? row->from[i] : "";
        const char *first[] = {name.failed ? "" : name.data, shape, params, from};
        const char *more[] = {"", "", "", from};
        keras2_row(out, i == 0 ? first : more, ends, n);
    }
    if (name.failed) out->failed = 1;
    cx_str_deinit(&name);
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
    rule(out, "_", width);
    keras2_row(out, titles, ends, n);
    rule(out, "=", width);
    for (int i = 0; i < s->n_rows && !out->failed; i++) {
        keras2_layer(out, s, &s->rows[i], ends, n);
        rule(out, i + 1 < s->n_rows ? "_" : "=", width);
    }
    cx_str_addf(out, "Total params: %s\n", cx_commas(a, s->params));
    cx_str_addf(out, "Trainable params: %s\n", cx_commas(a, s->trainable));
    cx_str_addf(out, "Non-trainable params: %s\n", cx_commas(a, s->params - s->trainable));
    rule(out, "_", width);
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

/* The next line of a cell: as many words as fit; a longer word is cut and ends with an ellipsis.
 * Moves *text on; returns the bytes of the line and whether it was cut. */
static size_t next_line(const char **text, int width, int *cut)
{
    const char *start = *text, *end = start;
    int used = 0;
    *cut = 0;
    while (*end) {
        const char *word = end;
        while (*word == ' ') word++;
        const char *stop = word;
        int gap = end == start ? 0 : 1, columns = 0;
        while (*stop && *stop != ' ') columns += ((unsigned char)*stop++ & 0xc0) != 0x80;
        if (used > 0 && used + gap + columns > width) break;
        if (used == 0 && columns > width) {
            *cut = 1;
            int keep = width - 1;
            *text = *stop ? stop + 1 : stop;
            for (stop = word; keep > 0 || ((unsigned char)*stop & 0xc0) == 0x80; stop++)
                keep -= ((unsigned char)*stop & 0xc0) != 0x80;
            return (size_t)(stop - start);
        }
        used += gap + columns;
        end = stop;
    }
    *text = *end == ' ' ? end + 1 : end;
    return (size_t)(end - start);
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
            int cut;
            const char *line = left[i];
            size_t len = next_line(&left[i], widths[i], &cut);
            int columns = cut;
            for (size_t k = 0; k < len; k++) columns += ((unsigned char)line[k] & 0xc0) != 0x80;
            int right = i == 2, pad = widths[i] - columns; /* numbers stand at the right */
            cx_str_addf(out, "%s ", bar);
            cx_str_repeat(out, " ", right ? pad : 0);
            cx_str_add_n(out, line, len);
            cx_str_add(out, cut ? "…" : "");
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
    cx_str name = {0}, from = {0};
    char shape[CX_SHAPE_TEXT], params[32];
    cx_str_addf(&name, "%s (%s)", row->name, row->class_name);
    for (int i = 0; i < row->n_from; i++) cx_str_addf(&from, "%s%s", i ? ", " : "", row->from[i]);
    if (row->n_from == 0) cx_str_add(&from, "-");
    if (name.failed || from.failed) {
        out->failed = 1;
    } else {
        const char *cells[] = {name.data, cx_shape_text(shape, &row->shape),
                               cx_commas(params, row->params), from.data};
        keras3_row(out, cells, widths, n, "│");
    }
    cx_str_deinit(&name);
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
