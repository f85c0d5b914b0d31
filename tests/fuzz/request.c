/* request.c - what a stranger's request says: a line each for method, path, host, origin, cookie
 * and authorization, then the pairs of the query, KEY=VALUE. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "serve/guard.h"
#include "serve/path.h"

enum { LINES = 6 + 2 * CX_QUERY_MAX };

/* Cut at line ends; zeros end a line early, as they would end a header. */
static int cut(char *line[LINES], char *text)
{
    int n = 0;
    for (char *next; text && n < LINES; text = next) {
        next = strchr(text, '\n');
        if (next) *next++ = 0;
        line[n++] = text;
    }
    return n;
}

static void guard(char *const *line)
{
    const cx_claims claims = {.host = line[2],
                              .origin = line[3][0] ? line[3] : NULL,
                              .cookie = line[4],
                              .authorization = line[5][0] ? line[5] : NULL};
    const cx_guard with = {.port = 8150, .token = "0123456789abcdef0123456789abcdef"},
                   without = {.port = 8150};
    cvs_error err = {0};
    int status = 0;
    const int in = cx_guard_check(&status, &with, &claims, &err) == 0;
    if (in && !strstr(line[4], with.token) && !strstr(line[5], with.token)) abort();
    if (cx_guard_check(&status, &without, &claims, &err) < 0 && status < 400) abort();
}

static void find(const char *method, const char *path)
{
    cvs_error err = {0};
    cx_path found;
    if (cx_path_find(&found, method, path, &err) < 0) {
        if (found.route || found.status < 400 || !err.what[0]) abort();
    } else {
        for (int i = 0; i < CX_ASK_PARTS; i++)
            if (found.part[i] && strlen(found.part[i]) > strlen(path)) abort();
    }
    cx_path_deinit(&found);
}

static void read_query(char *const *line, int n)
{
    cx_query query = {0};
    cvs_error err = {0};
    int64_t i;
    double x;
    int word;
    for (int k = 0; k < n; k++) {
        char *value = strchr(line[k], '=');
        if (value) *value++ = 0;
        if (cx_query_add(&query, line[k], value, &err) < 0) break;
    }
    const cx_ask ask = {.query = (const char *const *)query.pair};
    if (cx_ask_int(&i, &ask, "channel", 3, -7, 1000, &err) == 0 && (i < -7 || i > 1000)) abort();
    if (cx_ask_number(&x, &ask, "rate", 1, -2, 2, &err) == 0 && !(x >= -2 && x <= 2)) abort();
    if (cx_ask_word(&word, &ask, "resize", 0, cvs_resize_name, &err) == 0 && !cvs_resize_name(word))
        abort();
    cx_query_deinit(&query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line[LINES], *text = malloc(size + 1);
    if (!text) return 0;
    memcpy(text, data, size);
    text[size] = 0;
    const int n = cut(line, text);
    if (n >= 6) {
        guard(line);
        find(line[0], line[1]);
        read_query(line + 6, n - 6);
    }
    free(text);
    return 0;
}
