/* digits.h - numbers as text, quickly. */
#ifndef CX_BASE_DIGITS_H
#define CX_BASE_DIGITS_H

#include <stdint.h>

enum { CX_DIGITS = 32 }; /* room for either, and the 0 at the end */

/* A finite number as printf's "%.9g" writes it, to the byte; nine digits tell any two floats apart.
 * Gives its length. */
int cx_digits(char out[CX_DIGITS], double v);

/* A whole number; gives its length. */
int cx_digits_int(char out[CX_DIGITS], int64_t v);

#endif
