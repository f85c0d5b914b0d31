/* str.c - text. */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static int reserve(cx_str *s, size_t more)
{
    if (s->failed) return -1;
    if (more < s->cap - s->len) return 0;
    size_t cap = (s->len + more + 1) * 2;
    char *data = cap > more ? cx_realloc_array(s->data, cap, 1) : NULL;
    if (!data) {
        s->failed = 1;
        return -1;
    }
    s->data = data;
    s->cap = cap;
    return 0;
}

void cx_str_add_n(cx_str *s, const char *bytes, size_t n)
{
    if (reserve(s, n + 1)) return;
    memcpy(s->data + s->len, bytes, n);
    s->len += n;
    s->data[s->len] = 0;
}

void cx_str_add(cx_str *s, const char *text)
{
    cx_str_add_n(s, text, strlen(text));
}

void cx_str_addf(cx_str *s, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    if (n >= 0 && !reserve(s, (size_t)n + 1)) {
        vsnprintf(s->data + s->len, (size_t)n + 1, format, again);
        s->len += (size_t)n;
    }
    va_end(again);
}

void cx_str_repeat(cx_str *s, const char *text, int times)
{
    for (int i = 0; i < times; i++) cx_str_add(s, text);
}

int cx_str_ok(const cx_str *s, cvs_error *err)
{
    return s->failed ? cx_no_memory(err, s->len * 2) : 0;
}

int cx_str_take(char **out, cx_str *s, cvs_error *err)
{
    *out = NULL;
    cx_str_add(s, "");
    int rc = cx_str_ok(s, err);
    if (rc == 0) {
        *out = s->data;
        s->data = NULL;
    }
    cx_str_deinit(s);
    return rc;
}

void cx_str_deinit(cx_str *s)
{
    cx_free(s->data);
    *s = (cx_str){0};
}

int cx_streq(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

char *cx_commas(char *buf, long long value)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%lld", value < 0 ? -value : value);
    char *p = buf;
    if (value < 0) *p++ = '-';
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) *p++ = ',';
        *p++ = digits[i];
    }
    *p = 0;
    return buf;
}

int cx_utf8_columns(const char *text)
{
    int n = 0;
    for (; *text; text++)
        if (((unsigned char)*text & 0xc0) != 0x80) n++;
    return n;
}

/* Levenshtein's distance, cut off at names longer than the rows below. */
static int distance(const char *a, const char *b)
{
    enum { LONGEST = 64 };
    int row[LONGEST + 1];
    int la = (int)strlen(a), lb = (int)strlen(b);
    if (la > LONGEST || lb > LONGEST) return LONGEST;
    for (int j = 0; j <= lb; j++) row[j] = j;
    for (int i = 1; i <= la; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= lb; j++) {
            int change = diagonal + (a[i - 1] != b[j - 1]);
            int step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < step ? change : step;
        }
    }
    return row[lb];
}

void cx_hint_nearest(cvs_error *err, const char *name, const char *const *names, int n)
{
    const char *best[3] = {NULL, NULL, NULL};
    int score[3] = {0, 0, 0};
    int limit = (int)strlen(name) / 3 + 1;
    for (int i = 0; i < n; i++) {
        int d = strstr(names[i], name) ? 0 : distance(name, names[i]);
        if (d > limit) continue;
        for (int k = 0; k < 3; k++) {
            if (best[k] && score[k] <= d) continue;
            for (int m = 2; m > k; m--) best[m] = best[m - 1], score[m] = score[m - 1];
            best[k] = names[i], score[k] = d;
            break;
        }
    }
    if (best[2])
        cx_hint(err, "did you mean %s, %s or %s?", best[0], best[1], best[2]);
    else if (best[1])
        cx_hint(err, "did you mean %s or %s?", best[0], best[1]);
    else if (best[0])
        cx_hint(err, "did you mean %s?", best[0]);
}
