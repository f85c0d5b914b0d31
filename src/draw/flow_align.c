/* flow_align.c - arranging a flow chart, third step: the cells across.
 *
 * After Brandes and Köpf, "Fast and Simple Horizontal Coordinate Assignment" (2002): cells that
 * follow one another are tied into vertical blocks, blocks are pushed together as far as there is
 * room; this from above and below, to the left and to the right, and of the four places of a cell
 * the mean of the middle two is taken. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "draw/flow_grid.h"

enum { WAYS = 4 };

/* One of the ways. */
typedef struct way {
    cx_flow_grid *g;
    int up;    /* 1: cells are tied to those below them */
    int step;  /* 1 to the left, -1 to the right: what is looked at after a cell is its neighbour */
    int *root; /* of a cell's block; its own where it is the first */
    int *next; /* in the block, -1 at its end */
    int *tail; /* of a root's block */
    double *shift; /* of a cell in its block */
    double *x;     /* of a block, by its root; in the direction of `step` */
    int *waiting, *ready;
    int *liked; /* whether a cell has likes in the rank that is tied to its own */
} way;

double cx_flow_offset(const cx_cell *c, double place)
{
    return c->box >= 0 && place >= 0 ? place - c->width / 2 : 0;
}

static double between(const cx_cell *a, const cx_cell *b)
{
    double gap = a->box >= 0 && b->box >= 0   ? CX_FLOW_GAP
                 : a->box >= 0 || b->box >= 0 ? CX_FLOW_GAP / 2
                                              : CX_FLOW_LANE;
    return a->width / 2 + gap + b->width / 2;
}

/* The cell that stands `by` places further in the rank, -1 beyond its ends. */
static int beside(const cx_flow_grid *g, int c, int by)
{
    const int rank = g->cells[c].rank, at = g->start[rank] + g->cells[c].place + by;
    return at >= g->start[rank] && at < g->start[rank + 1] ? g->order[at] : -1;
}

/* --- blocks --- */

static int other_end(const way *w, int link)
{
    return w->up ? w->g->links[link].to : w->g->links[link].from;
}

/* Whether a link ties two boxes or two points: these keep straight before others do. */
static int ties_likes(const cx_flow_grid *g, int link)
{
    const cx_link *l = &g->links[link];
    return (g->cells[l->from].box >= 0) == (g->cells[l->to].box >= 0);
}

/* Whether one of a cell's links has this merit; `down`: of those to the next rank. */
static int has_like(const cx_flow_grid *g, int c, int down)
{
    const cx_ends *ends = down ? &g->down : &g->up;
    for (int k = ends->start[c]; k < ends->start[c + 1]; k++)
        if (ties_likes(g, ends->list[k])) return 1;
    return 0;
}

/* Links to the neighbours that a cell may be tied to, in the order of their places: those of its
 * like where there are any, else those that have none of theirs to be tied to. Links from column to
 * column do not tie. Gives their number. */
static int find_neighbours(const way *w, int c, int *links)
{
    const cx_flow_grid *g = w->g;
    const cx_ends *ends = w->up ? &g->down : &g->up;
    const int alike = has_like(g, c, w->up);
    int n = 0;
    for (int k = ends->start[c]; k < ends->start[c + 1]; k++) {
        const int link = ends->list[k], other = other_end(w, link);
        const int place = g->cells[other].place;
        int i = n;
        if (g->column[g->cells[other].rank] != g->column[g->cells[c].rank]) continue;
        if (alike ? !ties_likes(g, link) : w->liked[other]) continue;
        for (; i > 0 && g->cells[other_end(w, links[i - 1])].place > place; i--)
            links[i] = links[i - 1];
        links[i] = link;
        n++;
    }
    return n;
}

static void tie(way *w, int c, int link)
{
    const cx_link *l = &w->g->links[link];
    const int other = other_end(w, link), root = w->root[other];
    const double mine = cx_flow_offset(&w->g->cells[c], w->up ? l->leave : l->enter);
    const double theirs = cx_flow_offset(&w->g->cells[other], w->up ? l->enter : l->leave);
    w->root[c] = root;
    w->shift[c] = w->shift[other] + w->step * (theirs - mine);
    w->next[w->tail[root]] = c;
    w->tail[root] = c;
}

/* Tie the cells of a rank to their middle neighbours, so that no two ties cross. */
static void tie_rank(way *w, int rank, int *links)
{
    const cx_flow_grid *g = w->g;
    const int first = g->start[rank], n = g->start[rank + 1] - first;
    int last = w->step > 0 ? -1 : g->n_cells;
    for (int i = 0; i < n; i++) {
        const int c = g->order[w->step > 0 ? first + i : first + n - 1 - i];
        const int m = find_neighbours(w, c, links), low = (m - 1) / 2, high = m / 2;
        for (int k = 0; k < (m == 0 ? 0 : low == high ? 1 : 2); k++) {
            const int link = links[(k == 0) == (w->step > 0) ? low : high];
            const int place = g->cells[other_end(w, link)].place;
            if (w->step > 0 ? place <= last : place >= last) continue;
            tie(w, c, link);
            last = place;
            break;
        }
    }
}

/* --- places --- */

/* Every block as near to the side as those before it allow. */
static void push(way *w)
{
    const cx_flow_grid *g = w->g;
    int n_ready = 0;
    memset(w->waiting, 0, (size_t)g->n_cells * sizeof *w->waiting);
    for (int c = 0; c < g->n_cells; c++) {
        w->x[c] = -INFINITY;
        if (beside(g, c, -w->step) >= 0) w->waiting[w->root[c]]++;
    }
    for (int c = 0; c < g->n_cells; c++)
        if (w->root[c] == c && w->waiting[c] == 0) w->ready[n_ready++] = c;
    for (int i = 0; i < n_ready; i++) {
        const int root = w->ready[i];
        if (w->x[root] == -INFINITY) w->x[root] = 0;
        for (int c = root; c >= 0; c = w->next[c]) {
            const int d = beside(g, c, w->step);
            if (d < 0) continue;
            double least = w->x[root] + w->shift[c] + between(&g->cells[c], &g->cells[d]);
            if (w->x[w->root[d]] < least - w->shift[d]) w->x[w->root[d]] = least - w->shift[d];
            if (--w->waiting[w->root[d]] == 0) w->ready[n_ready++] = w->root[d];
        }
    }
    /* pull back what has more room than it needs on the far side, where its neighbours are */
    for (int i = n_ready - 1; i >= 0; i--) {
        const int root = w->ready[i];
        double most = INFINITY;
        for (int c = root; c >= 0; c = w->next[c]) {
            const int d = beside(g, c, w->step);
            if (d < 0) continue;
            most = fmin(most, w->x[w->root[d]] + w->shift[d] - w->shift[c] -
                                  between(&g->cells[c], &g->cells[d]));
        }
        if (most < INFINITY && most > w->x[root]) w->x[root] = most;
    }
}

/* One of the four ways; `out` gets the places of all cells. */
static void go(way *w, int *links, double *out)
{
    const cx_flow_grid *g = w->g;
    for (int c = 0; c < g->n_cells; c++) {
        w->root[c] = w->tail[c] = c;
        w->next[c] = -1;
        w->shift[c] = 0;
        w->liked[c] = has_like(g, c, !w->up);
    }
    for (int r = 1; r < g->n_ranks; r++) tie_rank(w, w->up ? g->n_ranks - 1 - r : r, links);
    push(w);
    for (int c = 0; c < g->n_cells; c++) out[c] = w->step * (w->x[w->root[c]] + w->shift[c]);
}

/* --- the four together --- */

/* Left and right edge of a column's cells. */
static void find_extent(const cx_flow_grid *g, int column, const double *x, double extent[2])
{
    extent[0] = INFINITY;
    extent[1] = -INFINITY;
    for (int c = 0; c < g->n_cells; c++) {
        if (g->column[g->cells[c].rank] != column) continue;
        extent[0] = fmin(extent[0], x[c] - g->cells[c].width / 2);
        extent[1] = fmax(extent[1], x[c] + g->cells[c].width / 2);
    }
}

/* Lay the four over the narrowest: by their left edges those to the left, by the right ones the
 * others. */
static void overlay(const cx_flow_grid *g, int column, double *x[WAYS])
{
    double extent[WAYS][2];
    int best = 0;
    for (int i = 0; i < WAYS; i++) {
        find_extent(g, column, x[i], extent[i]);
        if (extent[i][1] - extent[i][0] < extent[best][1] - extent[best][0]) best = i;
    }
    for (int c = 0; c < g->n_cells; c++)
        for (int i = 0; i < WAYS && g->column[g->cells[c].rank] == column; i++)
            x[i][c] += extent[best][i % 2] - extent[i][i % 2];
}

static double middle(double *x[WAYS], int c)
{
    double least = INFINITY, most = -INFINITY, sum = 0;
    for (int i = 0; i < WAYS; i++) {
        least = fmin(least, x[i][c]);
        most = fmax(most, x[i][c]);
        sum += x[i][c];
    }
    return (sum - least - most) / (WAYS - 2);
}

int cx_flow_align(cx_flow_grid *g, cvs_error *err)
{
    const size_t n = (size_t)g->n_cells + 1;
    way w = {.g = g};
    double *x[WAYS];
    int **ints[] = {&w.root, &w.next, &w.tail, &w.waiting, &w.ready, &w.liked};
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) {
        *ints[i] = cx_arena_array(g->arena, n, sizeof(int));
        if (!*ints[i]) return cx_no_memory(err, n * sizeof(int));
    }
    w.shift = cx_arena_array(g->arena, n, sizeof *w.shift);
    w.x = cx_arena_array(g->arena, n, sizeof *w.x);
    int *links = cx_arena_array(g->arena, (size_t)g->n_links + 1, sizeof *links);
    if (!w.shift || !w.x || !links) return cx_no_memory(err, n * sizeof(double));
    for (int i = 0; i < WAYS; i++) {
        x[i] = cx_arena_array(g->arena, n, sizeof **x);
        if (!x[i]) return cx_no_memory(err, n * sizeof(double));
        w.up = i / 2;
        w.step = i % 2 ? -1 : 1;
        go(&w, links, x[i]);
    }
    for (int i = 0; i < g->n_columns; i++) overlay(g, i, x);
    for (int c = 0; c < g->n_cells; c++) g->cells[c].x = middle(x, c);
    return 0;
}
