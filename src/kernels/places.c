/* places.c - chunks of the output, and for each kernel cell the places that see it. */
#include "kernels/places.h"

#include "kernels/cut.h"

static int64_t size_of(const cx_window *w, int a)
{
    return a == CX_BATCH ? w->batch : w->out[a - 1];
}

int64_t cx_places_all(const cx_window *w)
{
    return w->batch * w->out[0] * w->out[1] * w->out[2];
}

cx_chunks cx_chunks_of(const cx_window *w, int64_t most)
{
    cx_chunks c = {.all = 1};
    for (int a = CX_PLACE - 1; a >= 0; a--) {
        const int64_t n = size_of(w, a), step = most < 1 ? 1 : least(n, most);
        c.n[a] = (n + step - 1) / step;
        c.step[a] = (n + c.n[a] - 1) / c.n[a];
        c.all *= c.n[a];
        most /= n;
    }
    return c;
}

cx_places cx_chunk(const cx_chunks *c, const cx_window *w, int64_t index)
{
    cx_places p;
    for (int a = CX_PLACE - 1; a >= 0; a--) {
        p.from[a] = least(size_of(w, a), index % c->n[a] * c->step[a]);
        p.to[a] = least(size_of(w, a), p.from[a] + c->step[a]);
        index /= c->n[a];
    }
    return p;
}

cx_places cx_chunk_whole(const cx_window *w)
{
    cx_places p = {.from = {0}};
    for (int a = 0; a < CX_PLACE; a++) p.to[a] = size_of(w, a);
    return p;
}

/* Leave the places of an axis for which cell `tap` of the kernel lies inside the input; 0 when
 * there are none. */
static int keep_seeing(const cx_window *w, int a, int64_t tap, cx_places *p)
{
    const int64_t stride = w->stride[a], at = tap * w->dilation[a] - w->pad[a];
    const int64_t room = w->in[a] - 1 - at;
    const int64_t first = at < 0 ? (-at + stride - 1) / stride : 0;
    int64_t *from = &p->from[1 + a], *to = &p->to[1 + a];
    if (*from < first) *from = first;
    *to = room < 0 ? 0 : least(*to, room / stride + 1);
    return *from < *to;
}

/* The sum over places that see the cells from `tap` on. */
static cx_sum sum_of(const cx_walk *k, const cx_places *p, const int64_t tap[CX_SPACE],
                     int64_t cells)
{
    const cx_window *w = k->window;
    cx_sum s = {.cells = cells};
    int64_t x_size = k->x_cell, dy_size = k->dy_cell, dw_size = k->dw_cell;
    int64_t x = 0, dy = 0, dw = 0;
    for (int a = CX_PLACE - 1; a >= 0; a--) {
        const int64_t stride = a == CX_BATCH ? 1 : w->stride[a - 1];
        s.n[a] = p->to[a] - p->from[a];
        s.x_step[a] = stride * x_size;
        s.dy_step[a] = dy_size;
        x += p->from[a] * s.x_step[a];
        dy += (p->from[a] - k->held->from[a]) * dy_size;
        dy_size *= k->held->to[a] - k->held->from[a];
        if (a == CX_BATCH) break;
        x += (tap[a - 1] * w->dilation[a - 1] - w->pad[a - 1]) * x_size;
        x_size *= w->in[a - 1];
        dw += tap[a - 1] * dw_size;
        dw_size *= w->kernel[a - 1];
    }
    s.x = k->x + x;
    s.dy = k->dy + dy;
    s.dw = k->dw + dw;
    return s;
}

/* A row of kernel cells: all together for the places that see the whole row, then one by one for
 * those before and behind. */
static void walk_row(const cx_walk *k, const cx_places *p, int64_t slice, int64_t row,
                     cx_sum_body *body, void *arg)
{
    enum { LAST = CX_PLACE - 1 };
    const cx_window *w = k->window;
    const int64_t cells = w->kernel[CX_WIDTH];
    cx_places whole = *p;
    if (k->joined && keep_seeing(w, CX_WIDTH, 0, &whole) &&
        keep_seeing(w, CX_WIDTH, cells - 1, &whole)) {
        const cx_sum s = sum_of(k, &whole, (const int64_t[]){slice, row, 0}, cells);
        body(arg, &s);
    } else {
        whole.from[LAST] = whole.to[LAST] = p->from[LAST];
    }
    for (int64_t col = 0; col < cells; col++)
        for (int behind = 0; behind <= 1; behind++) {
            cx_places part = *p;
            if (behind)
                part.from[LAST] = whole.to[LAST];
            else
                part.to[LAST] = whole.from[LAST];
            if (!keep_seeing(w, CX_WIDTH, col, &part)) continue;
            const cx_sum s = sum_of(k, &part, (const int64_t[]){slice, row, col}, 1);
            body(arg, &s);
        }
}

void cx_walk_sums(const cx_walk *walk, cx_sum_body *body, void *arg)
{
    const cx_window *w = walk->window;
    for (int64_t slice = 0; slice < w->kernel[CX_DEPTH]; slice++)
        for (int64_t row = 0; row < w->kernel[CX_HEIGHT]; row++) {
            cx_places p = *walk->chunk;
            if (keep_seeing(w, CX_DEPTH, slice, &p) && keep_seeing(w, CX_HEIGHT, row, &p))
                walk_row(walk, &p, slice, row, body, arg);
        }
}
