/* pattern_sheet.h - pictures of one size side by side, each with its number. */
#ifndef CX_DRAW_PATTERN_SHEET_H
#define CX_DRAW_PATTERN_SHEET_H

#include "draw/sheet.h"

/* What is drawn. All is borrowed; words may be NULL. */
typedef struct cx_pattern_sheet {
    const char *title, *subtitle, *note, *caption;
    const float *shown; /* n × height × width × channels, 0 … 1; of many channels three are shown */
    int64_t height, width, channels;
    int n;
    int is_pixelated;         /* 1: values are squares, not points of a photograph */
    const int64_t *numbers;   /* above each */
    const char *const *words; /* behind each number; NULL: none */
    const char *const *below; /* under each picture; NULL: none */
} cx_pattern_sheet;

enum { CX_BOOK_PATTERNS = 64 }; /* in a book's grid */

/* Draw as PNG, the caller's to cx_bytes_deinit(). */
int cx_pattern_sheet_draw(cx_bytes *png, cx_easel *easel, const cx_pattern_sheet *s,
                          cvs_error *err);

/* The same as the easel's pixels. */
int cx_pattern_sheet_paint(cx_easel *easel, const cx_pattern_sheet *s, cvs_error *err);

/* One picture without words, each value a pixel. */
int cx_pattern_draw(cx_bytes *png, cx_easel *easel, const cx_pattern_sheet *s, int i,
                    cvs_error *err);

/* The grid of a book: eight by eight, five black pixels between them. The first editions fill it
 * column by column; the later ones row by row, and stretch it so that its brightest value is 255.
 */
int cx_pattern_book_draw(cx_bytes *png, cx_easel *easel, const cx_pattern_sheet *s,
                         int first_edition, cvs_error *err);

#endif
