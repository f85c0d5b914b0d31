/* channels.c - lists of channels, as "0-63,70". */
#include "cli/channels.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* "17" or "0-63". */
static int read_range(const char *text, size_t size, int64_t most, int64_t *first, int64_t *last,
                      cvs_error *err)
{
    char *end;
    const char *stop = text + size;
    *first = *last = strtoll(text, &end, 10);
    int good = end > text && *text != '-';
    if (good && *end == '-' && end < stop) {
        const char *next = end + 1;
        *last = strtoll(next, &end, 10);
        good = end > next && *last >= *first;
    }
    if (!good || end != stop)
        return cx_fail(err, CVS_E_ARG, "\"%.*s\" is no channel and no range of them", (int)size,
                       text);
    if (*first >= most)
        return cx_fail(err, CVS_E_ARG, "there is no channel %lld, only 0 … %lld", (long long)*first,
                       (long long)most - 1);
    if (*last >= most) *last = most - 1; /* layers differ: one range may serve them all */
    return 0;
}

static int add_range(cx_channels *out, int64_t first, int64_t last, cvs_error *err)
{
    enum { MOST = 1 << 20 };
    if (last - first >= MOST - out->n) return cx_fail(err, CVS_E_ARG, "too many channels");
    const size_t n = (size_t)out->n + (size_t)(last - first) + 1;
    int64_t *item = cx_realloc_array(out->item, n, sizeof *item);
    if (!item) return cx_no_memory(err, n * sizeof *item);
    out->item = item;
    for (int64_t i = first; i <= last; i++) item[out->n++] = i;
    return 0;
}

int cx_channels_read(cx_channels *out, const char *text, int64_t most, cvs_error *err)
{
    int rc = 0;
    if (!text) return add_range(out, 0, most - 1, err);
    for (const char *at = text; rc == 0;) {
        int64_t first, last;
        const size_t size = strcspn(at, ",");
        TRY(read_range(at, size, most, &first, &last, err));
        TRY(add_range(out, first, last, err));
        at += size;
        if (!*at++) break;
    }
out:
    if (rc < 0) cx_channels_deinit(out);
    return rc < 0 ? cx_where(err, rc, "--channels") : 0;
}

void cx_channels_deinit(cx_channels *c)
{
    cx_free(c->item);
    *c = (cx_channels){0};
}
