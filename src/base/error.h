/* error.h - the one way to fail: a negative status up the stack, the facts in the caller's error.
 */
#ifndef CX_BASE_ERROR_H
#define CX_BASE_ERROR_H

#include "convscope.h"

/* Run a call that can fail; on failure leave by the function's one label, out:. Wants `int rc`. */
#define TRY(call)             \
    do {                      \
        rc = (call);          \
        if (rc < 0) goto out; \
    } while (0)

/* Fill *err (NULL is allowed) with what is wrong, in one line without a full stop, and give `code`
 * back, so that a function can end with `return cx_fail(…)`. */
int cx_fail(cvs_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* Add what would help. */
void cx_hint(cvs_error *err, const char *format, ...) __attribute__((format(printf, 2, 3), cold));

/* Put a place before those already named ("model.h5", then `layer "conv2d_3"`); gives err's code
 * back. */
int cx_where(cvs_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* The usual failure of an allocation. */
int cx_no_memory(cvs_error *err, size_t size) __attribute__((cold));

#endif
