/* table.h - columns of text for people. */
#ifndef CX_CLI_TABLE_H
#define CX_CLI_TABLE_H

#include "base/str.h"

/* Cells are added row by row; begin with {.align = "lr…"}, a letter a column. */
typedef struct cx_table {
    const char *align; /* 'l' or 'r' for each column */
    cx_str cells;      /* one after the other, each ended by 0 */
    int n;
} cx_table;

void cx_table_add(cx_table *table, const char *cell);
void cx_table_addf(cx_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Add the rows to `out`, each behind `indent`, two blanks between columns, none at a line's end. */
void cx_table_text(cx_str *out, const cx_table *table, const char *indent);
void cx_table_deinit(cx_table *table);

#endif
