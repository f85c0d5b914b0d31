/* book.h - the exact pictures of the books' editions. */
#ifndef CX_DRAW_BOOK_H
#define CX_DRAW_BOOK_H

#include "draw/canvas.h"
#include "draw/sheet.h"

/* Draw the canvas of an edition: no words, no margins but its own. CVS_E_ARG for a style that is no
 * book's. */
int cx_book_draw(cx_canvas *out, const cx_sheet *s, cvs_style style, cvs_error *err);

/* Rows and columns that R's n2mfrow(n, asp = 1.75) gives for n plots. */
void cx_book_mfrow(int64_t *rows, int64_t *columns, int64_t n);

/* How R's image() colours numbers of low … high, which are widened where they are the same: which
 * of n colours v gets, negative for what is not drawn. */
void cx_book_widen(double *low, double *high);
int cx_book_bin(double v, double low, double high, int n);

#endif
