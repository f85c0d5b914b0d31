/* error.c - errors as values. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* An error is one line: whatever a file smuggled into a message, it cannot break that. */
static void one_line(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f) *s = '?';
}

int cx_fail(cvs_error *err, int code, const char *format, ...)
{
    if (err) {
        va_list ap;
        memset(err, 0, sizeof *err);
        err->code = code;
        va_start(ap, format);
        vsnprintf(err->what, sizeof err->what, format, ap);
        va_end(ap);
        one_line(err->what);
    }
    return code;
}

void cx_hint(cvs_error *err, const char *format, ...)
{
    if (!err) return;
    va_list ap;
    va_start(ap, format);
    vsnprintf(err->hint, sizeof err->hint, format, ap);
    va_end(ap);
    one_line(err->hint);
}

int cx_where(cvs_error *err, int code, const char *format, ...)
{
    if (!err) return code;
    char inner[sizeof err->where];
    va_list ap;
    memcpy(inner, err->where, sizeof inner);
    va_start(ap, format);
    int n = vsnprintf(err->where, sizeof err->where, format, ap);
    va_end(ap);
    if (inner[0] && n >= 0 && (size_t)n < sizeof err->where)
        snprintf(err->where + n, sizeof err->where - (size_t)n, ": %s", inner);
    one_line(err->where);
    return code;
}

int cx_no_memory(cvs_error *err, size_t size)
{
    return cx_fail(err, CVS_E_NOMEM, "out of memory (%zu bytes asked for)", size);
}
