/* digits.c - numbers as text. An index of statistics has thousands, for which printf takes longer
 * than the statistics took. */
#include "base/digits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Where 10^(8 - exponent) is a double without an error: for nine digits the number is multiplied
 * or divided by it once. */
static const double least = 1e-13, most = 1e21;
static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

enum { KEPT = 9 }; /* digits */

/* The product is below 2^30, so what its rounding moves is below 2^-23. */
static const double doubt = 1e-6;

static double scale(double v, int exponent)
{
    const int k = KEPT - 1 - exponent;
    return k >= 0 ? v * powers[k] : v / powers[-k];
}

/* v = digits * 10^(exponent - 8), to the nearest; 0 where two are too near to each other to tell
 * here. */
static int round_to_digits(uint32_t *digits, int *exponent, double v)
{
    int binary;
    frexp(v, &binary);
    int e = (int)floor((binary - 1) * 0.30102999); /* of ten, or one below it */
    double scaled = scale(v, e);
    if (scaled >= 1e9) scaled = scale(v, ++e);
    uint32_t n = (uint32_t)scaled;
    const double rest = scaled - n;
    if (fabs(rest - 0.5) < doubt) return 0;
    n += rest > 0.5;
    if (n == 1000000000) {
        n /= 10;
        e++;
    }
    *digits = n;
    *exponent = e;
    return 1;
}

static char *put_zeros(char *p, int n)
{
    memset(p, '0', (size_t)n);
    return p + n;
}

/* The n digits that are not zeros at the end, laid out as C has "%g". */
static char *lay_out(char *p, const char digits[KEPT], int n, int exponent)
{
    int before = exponent + 1; /* digits before the point */
    const int powered = exponent < -4 || exponent >= KEPT;
    if (powered) before = 1;
    if (before <= 0) {
        *p++ = '0';
        *p++ = '.';
        p = put_zeros(p, -before);
        before = 0;
    }
    const int whole = before < n ? before : n;
    memcpy(p, digits, (size_t)whole);
    p = put_zeros(p + whole, before - whole);
    if (before > 0 && n > before) *p++ = '.';
    memcpy(p, digits + whole, (size_t)(n - whole));
    p += n - whole;
    if (!powered) return p;
    *p++ = 'e';
    *p++ = exponent < 0 ? '-' : '+';
    if (exponent < 0) exponent = -exponent;
    *p++ = (char)('0' + exponent / 10); /* two digits: 21 is the most here */
    *p++ = (char)('0' + exponent % 10);
    return p;
}

int cx_digits(char out[CX_DIGITS], double v)
{
    char digits[KEPT], *p = out;
    uint32_t rest;
    int exponent, n = KEPT;
    const double size = fabs(v);
    if (v == 0 && !signbit(v)) return cx_digits_int(out, 0);
    if (!(size >= least && size < most) || !round_to_digits(&rest, &exponent, size))
        return snprintf(out, CX_DIGITS, "%.9g", v);
    for (int i = KEPT - 1; i >= 0; i--, rest /= 10) digits[i] = (char)('0' + rest % 10);
    while (n > 1 && digits[n - 1] == '0') n--;
    if (v < 0) *p++ = '-';
    p = lay_out(p, digits, n, exponent);
    *p = 0;
    return (int)(p - out);
}

int cx_digits_int(char out[CX_DIGITS], int64_t v)
{
    char reversed[CX_DIGITS];
    uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    int n = 0, len = 0;
    do {
        reversed[n++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (v < 0) out[len++] = '-';
    while (n > 0) out[len++] = reversed[--n];
    out[len] = 0;
    return len;
}
