/* guard.h - who may ask: the checks that keep other hosts' pages, names and people out. */
#ifndef CX_SERVE_GUARD_H
#define CX_SERVE_GUARD_H

#include "base/error.h"

enum { CX_TOKEN = 33 }; /* bytes: 32 hexadecimal digits and a 0 */

typedef struct cx_guard {
    int port;
    char token[CX_TOKEN]; /* "": nobody needs one, and only this machine is listened to */
} cx_guard;

/* What a request says of itself: headers as they were sent, NULL where there is none. */
typedef struct cx_claims {
    const char *host, *origin;
    const char *site, *mode; /* Sec-Fetch-Site and -Mode */
    const char *cookie, *authorization;
    const char *token; /* of the query, decoded */
    int is_page;       /* it asks for a file of the page, by GET or HEAD, not for an answer */
} cx_claims;

/* CVS_E_ARG, and in *status 400, 401 or 403, where it may not. */
int cx_guard_check(int *status, const cx_guard *guard, const cx_claims *claims, cvs_error *err);

/* A token from the system's source of randomness. */
int cx_guard_draw(cx_guard *guard, cvs_error *err);

/* A number that nobody guesses. */
int cx_guard_number(uint64_t *out, cvs_error *err);

/* The name of the cookie that keeps it: with the port, since cookies are of a host and all its
 * ports. */
void cx_guard_cookie(char out[32], const cx_guard *guard);

/* Whether two tokens are the same, in a time that does not tell how far they agree. */
int cx_guard_is_token(const cx_guard *guard, const char *text, size_t size);

#endif
