/* update.c - a step of an optimizer and the length of a derivative: chunks shared out to threads.
 */
#include <stdatomic.h>

#include "base/threads.h"
#include "kernels/set.h"

enum {
    CHUNK = 1 << 15, /* numbers a task */
    WIDE = 16,       /* numbers that are summed side by side … */
    BLOCK = 512,     /* … so many of them one after the other in float */
};

typedef struct job {
    const cx_update *update;
    int64_t n;
    float *w, *g;
    float *const *slot;
    const cx_set *set;
    atomic_int odd; /* a weight is not finite */
} job;

static void run_chunk(void *arg, int i, int worker)
{
    (void)worker;
    job *j = arg;
    const int64_t from = (int64_t)i * CHUNK, n = j->n - from < CHUNK ? j->n - from : CHUNK;
    float *slot[CX_UPDATE_SLOTS];
    for (int k = 0; k < CX_UPDATE_SLOTS; k++) slot[k] = j->slot[k] ? j->slot[k] + from : NULL;
    if (!j->set->update(j->update, n, j->w + from, j->g + from, slot)) atomic_store(&j->odd, 1);
}

int cx_update_weights(const cx_update *u, int64_t n, float *w, float *g,
                      float *const slot[CX_UPDATE_SLOTS])
{
    job j = {.update = u, .n = n, .w = w, .g = g, .slot = slot, .set = cx_set_now()};
    cx_parallel((int)((n + CHUNK - 1) / CHUNK), run_chunk, &j);
    return !atomic_load(&j.odd);
}

/* --- the sum of squares --- */

enum { GROUP = 64 }; /* tasks whose sums wait at once */

typedef struct squares {
    int64_t n;
    const float *x;
    const cx_set *set;
    double sum[GROUP];
} squares;

static void run_squares(void *arg, int i, int worker)
{
    (void)worker;
    squares *s = arg;
    const int64_t end = (int64_t)(i + 1) * CHUNK < s->n ? (int64_t)(i + 1) * CHUNK : s->n;
    int64_t at = (int64_t)i * CHUNK;
    double sum = 0;
    while (end - at >= WIDE) {
        const int64_t left = (end - at) / WIDE, rows = left < BLOCK ? left : BLOCK;
        float part[WIDE];
        s->set->column_dot(rows, WIDE, WIDE, s->x + at, s->x + at, part);
        for (int k = 0; k < WIDE; k++) sum += (double)part[k];
        at += rows * WIDE;
    }
    for (; at < end; at++) sum += (double)s->x[at] * (double)s->x[at];
    s->sum[i] = sum;
}

double cx_sum_of_squares(int64_t n, const float *x)
{
    const int64_t most = (int64_t)GROUP * CHUNK;
    double total = 0;
    for (int64_t from = 0; from < n; from += most) {
        squares s = {n - from < most ? n - from : most, x + from, cx_set_for(WIDE), {0}};
        const int tasks = (int)((s.n + CHUNK - 1) / CHUNK);
        cx_parallel(tasks, run_squares, &s);
        for (int i = 0; i < tasks; i++) total += s.sum[i];
    }
    return total;
}
