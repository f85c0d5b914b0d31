/* place.c - the lowest gap that is large enough. */
#include "graph/place.h"

#include <string.h>

/* Buffers are often a multiple of a page. A kernel that reads one while it writes another at the
 * same place of a page waits for its own writes, so neighbours are some lines apart. */
enum { ALIGN = 64, APART = 5 * ALIGN };

size_t cx_place_size(size_t n_floats)
{
    return (n_floats * sizeof(float) + ALIGN - 1) / ALIGN * ALIGN + APART;
}

/* Forget those that nobody reads any more. */
static void forget(cx_places *p, int now)
{
    int kept = 0;
    for (int i = 0; i < p->n; i++)
        if (p->live[i].until >= now) p->live[kept++] = p->live[i];
    p->n = kept;
}

size_t cx_place(cx_places *p, size_t size, int now, int until)
{
    size_t offset = 0;
    int at = 0;
    forget(p, now);
    for (; at < p->n; at++) {
        const cx_placed *s = &p->live[at];
        if (s->offset >= offset && s->offset - offset >= size) break;
        if (s->offset + s->size > offset) offset = s->offset + s->size;
    }
    memmove(p->live + at + 1, p->live + at, (size_t)(p->n - at) * sizeof *p->live);
    p->live[at] = (cx_placed){offset, size, until};
    p->n++;
    if (offset + size > p->end) p->end = offset + size;
    return offset;
}
