/* table.c - columns. */
#include "cli/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_COLUMNS = 16 };

void cx_table_add(cx_table *table, const char *cell)
{
    cx_str_add_n(&table->cells, cell, strlen(cell) + 1);
    table->n++;
}

void cx_table_addf(cx_table *table, const char *format, ...)
{
    char cell[256];
    va_list ap;
    va_start(ap, format);
    vsnprintf(cell, sizeof cell, format, ap);
    va_end(ap);
    cx_table_add(table, cell);
}

void cx_table_text(cx_str *out, const cx_table *table, const char *indent)
{
    int width[MAX_COLUMNS] = {0}, columns = (int)strlen(table->align);
    const char *cell = table->cells.data;
    out->failed |= table->cells.failed;
    if (out->failed || !cell || columns > MAX_COLUMNS) return;
    for (int i = 0; i < table->n; i++, cell += strlen(cell) + 1) {
        int w = cx_utf8_columns(cell);
        if (w > width[i % columns]) width[i % columns] = w;
    }
    cell = table->cells.data;
    for (int i = 0; i < table->n; i++, cell += strlen(cell) + 1) {
        int column = i % columns, last = column == columns - 1;
        int space = width[column] - cx_utf8_columns(cell);
        cx_str_add(out, column ? "  " : indent);
        if (table->align[column] == 'r') cx_str_repeat(out, " ", space);
        cx_str_add(out, cell);
        if (table->align[column] != 'r' && !last) cx_str_repeat(out, " ", space);
        if (last) {
            while (out->len > 0 && out->data[out->len - 1] == ' ') out->len--;
            cx_str_add(out, "\n");
        }
    }
}

void cx_table_deinit(cx_table *table)
{
    cx_str_deinit(&table->cells);
    table->n = 0;
}
