/* flow_order.c - arranging a flow chart, second step: the cells of each rank in an order that lets
 * few lines cross, by sweeps that put every cell at the mean place of its neighbours. */
#include <stdlib.h>
#include <string.h>

#include "draw/flow_grid.h"

enum { SWEEPS = 16 };

/* A cell and where it wants to be. */
typedef struct wish {
    double place;
    int cell, was;
} wish;

static int by_place(const void *a, const void *b)
{
    const wish *x = a, *y = b;
    if (x->place != y->place) return x->place < y->place ? -1 : 1;
    return x->was - y->was;
}

static int far_end(const cx_flow_grid *g, int link, int cell)
{
    return g->links[link].from == cell ? g->links[link].to : g->links[link].from;
}

static void sort_rank(cx_flow_grid *g, int rank, const cx_ends *ends, wish *wishes)
{
    const int n = g->start[rank + 1] - g->start[rank];
    int *order = &g->order[g->start[rank]];
    for (int i = 0; i < n; i++) {
        const int c = order[i], first = ends->start[c], last = ends->start[c + 1];
        double sum = 0;
        for (int k = first; k < last; k++) sum += g->cells[far_end(g, ends->list[k], c)].place;
        wishes[i] = (wish){last > first ? sum / (last - first) : i, c, i};
    }
    qsort(wishes, (size_t)n, sizeof *wishes, by_place);
    for (int i = 0; i < n; i++) {
        order[i] = wishes[i].cell;
        g->cells[order[i]].place = i;
    }
}

/* Crossings between a rank and the next: pairs of links in the one order above and in the other
 * below. `tree` counts the links seen so far by their place below, as a Fenwick tree. */
static int64_t count_crossings(const cx_flow_grid *g, int rank, int *tree)
{
    const int n = rank + 1 < g->n_ranks ? g->start[rank + 2] - g->start[rank + 1] : 0;
    int64_t crossings = 0;
    int seen = 0;
    memset(tree, 0, ((size_t)n + 1) * sizeof *tree);
    for (int i = g->start[rank]; i < g->start[rank + 1]; i++) {
        const int c = g->order[i], first = g->down.start[c], last = g->down.start[c + 1];
        for (int k = first; k < last; k++) {
            int before = 0;
            for (int p = g->cells[g->links[g->down.list[k]].to].place + 1; p > 0; p -= p & -p)
                before += tree[p];
            crossings += seen - before;
        }
        for (int k = first; k < last; k++, seen++)
            for (int p = g->cells[g->links[g->down.list[k]].to].place + 1; p <= n; p += p & -p)
                tree[p]++;
    }
    return crossings;
}

static int64_t count_all(const cx_flow_grid *g, int *tree)
{
    int64_t crossings = 0;
    for (int r = 0; r + 1 < g->n_ranks; r++) crossings += count_crossings(g, r, tree);
    return crossings;
}

int cx_flow_order(cx_flow_grid *g, cvs_error *err)
{
    const size_t n = (size_t)g->n_cells + 1;
    wish *wishes = cx_arena_array(g->arena, n, sizeof *wishes);
    int *tree = cx_arena_array(g->arena, n + 1, sizeof *tree);
    int *best = cx_arena_array(g->arena, n, sizeof *best);
    if (!wishes || !tree || !best) return cx_no_memory(err, n * sizeof *wishes);
    memcpy(best, g->order, (n - 1) * sizeof *best);
    int64_t least = count_all(g, tree);
    for (int sweep = 0; sweep < SWEEPS && least > 0; sweep++) {
        if (sweep % 2 == 0)
            for (int r = 1; r < g->n_ranks; r++) sort_rank(g, r, &g->up, wishes);
        else
            for (int r = g->n_ranks - 2; r >= 0; r--) sort_rank(g, r, &g->down, wishes);
        int64_t crossings = count_all(g, tree);
        if (crossings >= least) continue;
        least = crossings;
        memcpy(best, g->order, (n - 1) * sizeof *best);
    }
    memcpy(g->order, best, (n - 1) * sizeof *best);
    for (int r = 0; r < g->n_ranks; r++)
        for (int k = g->start[r]; k < g->start[r + 1]; k++)
            g->cells[g->order[k]].place = k - g->start[r];
    return 0;
}
