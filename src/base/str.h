/* str.h - text that grows, and the nearest names for a misspelt one. */
#ifndef CX_BASE_STR_H
#define CX_BASE_STR_H

#include <stddef.h>

#include "base/error.h"

/* All zero is an empty string. After an allocation failed, further calls do nothing; who reads the
 * result asks cx_str_take or cx_str_ok. `data` is NULL until the first byte. */
typedef struct cx_str {
    char *data; /* ended by 0 */
    size_t len, cap;
    int failed;
} cx_str;

void cx_str_add(cx_str *s, const char *text);
void cx_str_add_n(cx_str *s, const char *bytes, size_t n);
void cx_str_addf(cx_str *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cx_str_repeat(cx_str *s, const char *text, int times);
int cx_str_ok(const cx_str *s, cvs_error *err); /* 0 or CVS_E_NOMEM */
/* Hand the text over (never NULL on success) and leave s empty. */
int cx_str_take(char **out, cx_str *s, cvs_error *err);
void cx_str_deinit(cx_str *s);

int cx_streq(const char *a, const char *b); /* NULL equals nothing */

/* A number with commas between thousands: 3,453,121. `buf` holds 32 bytes; gives buf back. */
char *cx_commas(char *buf, long long value);

/* Columns that UTF-8 text takes on a terminal, one a code point. */
int cx_utf8_columns(const char *text);

/* Hint "did you mean …" with those of names[0 … n) that are nearest to `name`; nothing when none is
 * near. */
void cx_hint_nearest(cvs_error *err, const char *name, const char *const *names, int n);

#endif
