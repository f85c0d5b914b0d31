/* flow.c - arranging a flow chart, first step: ranks, columns, cells. */
#include "draw/flow.h"

#include <math.h>
#include <stdlib.h>

#include "draw/flow_grid.h"

enum {
    MOST_CELLS = 50000,
    MOST_COLUMNS = 64,
    TALL = 1300, /* a chart of this height is cut into columns */
};
static const double shape = 1.35; /* width by height that a chart in columns should have */

/* The edges that leave a box at one place: one line until they part. */
typedef struct trunk {
    const cx_flow_edge *edges;
    int n;
    int first, last; /* ranks */
} trunk;

/* What the steps in this file share. */
typedef struct ranking {
    cx_flow_grid *g;
    int *rank;           /* of each box */
    cx_flow_edge *edges; /* sorted into trunks */
    trunk *trunks;
    int n_trunks;
    int *crossing;          /* how many trunks go from each rank to the next */
    double *height, *width; /* of each rank */
} ranking;

/* --- ranks --- */

/* As far up as what goes in allows; what nothing goes into stands just above its first user. Edges
 * are sorted by where they come from, so a box's own rank is known before its edges are looked at.
 */
static void rank_boxes(ranking *r)
{
    const cx_flow *flow = r->g->flow;
    const int n = flow->n_edges;
    int n_ranks = 1;
    for (int e = 0; e < n; e++)
        if (r->rank[r->edges[e].to] <= r->rank[r->edges[e].from])
            r->rank[r->edges[e].to] = r->rank[r->edges[e].from] + 1;
    for (int b = 0; b < flow->n_boxes; b++)
        if (r->rank[b] >= n_ranks) n_ranks = r->rank[b] + 1;
    for (int b = 0; b < flow->n_boxes; b++)
        if (flow->boxes[b].pin == CX_FLOW_LAST) r->rank[b] = n_ranks - 1;
    for (int e = 0, next; e < n; e = next) {
        const int from = r->edges[e].from;
        int user = n_ranks;
        for (next = e; next < n && r->edges[next].from == from; next++)
            if (r->rank[r->edges[next].to] < user) user = r->rank[r->edges[next].to];
        if (r->rank[from] == 0 && flow->boxes[from].pin == CX_FLOW_FREE) r->rank[from] = user - 1;
    }
    r->g->n_ranks = n_ranks;
}

static int by_origin(const void *a, const void *b)
{
    const cx_flow_edge *x = a, *y = b;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    if (x->leave != y->leave) return x->leave < y->leave ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

static void find_trunks(ranking *r)
{
    const int n = r->g->flow->n_edges;
    for (int e = 0; e < n; e++) {
        const cx_flow_edge *edge = &r->edges[e];
        trunk *t = &r->trunks[r->n_trunks];
        if (e > 0 && edge->from == edge[-1].from && edge->leave == edge[-1].leave)
            t[-1].n++;
        else
            r->trunks[r->n_trunks++] = (trunk){.edges = edge, .n = 1};
    }
}

/* --- columns --- */

static void measure(ranking *r)
{
    const cx_flow *flow = r->g->flow;
    for (int t = 0; t < r->n_trunks; t++) {
        trunk *k = &r->trunks[t];
        k->first = k->last = r->rank[k->edges[0].from];
        for (int e = 0; e < k->n; e++)
            if (r->rank[k->edges[e].to] > k->last) k->last = r->rank[k->edges[e].to];
        r->crossing[k->first]++;
        r->crossing[k->last]--;
    }
    for (int i = 1; i < r->g->n_ranks; i++) r->crossing[i] += r->crossing[i - 1];
    for (int b = 0; b < flow->n_boxes; b++) {
        const int rank = r->rank[b];
        r->height[rank] = fmax(r->height[rank], flow->boxes[b].height);
        r->width[rank] += flow->boxes[b].width + CX_FLOW_GAP;
    }
}

/* The best rank to end the k-th of n columns with: near its share of the height, where few lines
 * cross. -1 when there is none behind `after`. */
static int find_cut(const ranking *r, int k, int n, double total, int after)
{
    double share = total / n, least = INFINITY, at = 0;
    int best = -1;
    for (int i = 0; i + 1 < r->g->n_ranks; i++) {
        at += r->height[i] + CX_FLOW_GAP;
        double off = fabs(at - share * k) / share;
        if (i <= after || i == 0 || off > 0.35) continue;
        double cost = r->crossing[i] + 1.5 * off;
        if (cost >= least) continue;
        least = cost;
        best = i;
    }
    return best;
}

/* How far the chart in these columns is from what one likes to look at. */
static double judge(const ranking *r, const int *cuts, int n)
{
    double widest = 0, width = 0, tallest = 0, height = 0, crossing = 0;
    for (int i = 0, c = 0; i < r->g->n_ranks; i++) {
        widest = fmax(widest, r->width[i] + CX_FLOW_LANE * r->crossing[i]);
        height += r->height[i] + CX_FLOW_GAP;
        int ends = c < n - 1 && cuts[c] == i;
        if (!ends && i + 1 < r->g->n_ranks) continue;
        width += widest + 2 * CX_FLOW_GAP;
        tallest = fmax(tallest, height);
        widest = height = 0;
        if (ends) crossing += r->crossing[i] - 1;
        c += ends;
    }
    return fabs(log(width / tallest / shape)) + 0.2 * crossing / n;
}

/* Ranks after which the chart is cut; gives the number of columns. */
static int choose_columns(const ranking *r, int best[MOST_COLUMNS])
{
    double total = 0, least;
    int columns = 1;
    for (int i = 0; i < r->g->n_ranks; i++) total += r->height[i] + CX_FLOW_GAP;
    if (total <= TALL) return 1;
    least = judge(r, NULL, 1);
    for (int n = 2; n <= MOST_COLUMNS; n++) {
        int cuts[MOST_COLUMNS], k = 1;
        for (; k < n; k++) {
            cuts[k - 1] = find_cut(r, k, n, total, k > 1 ? cuts[k - 2] : -1);
            if (cuts[k - 1] < 0) break;
        }
        double cost = k < n ? INFINITY : judge(r, cuts, n);
        if (cost >= least) continue;
        least = cost;
        columns = n;
        for (int i = 0; i < n - 1; i++) best[i] = cuts[i];
    }
    return columns;
}

/* Where a column ends, a rank of points at its foot and one at the head of the next column are put
 * in; lines go from the one to the other around the column. */
static int cut_columns(ranking *r, cvs_error *err)
{
    cx_flow_grid *g = r->g;
    int cuts[MOST_COLUMNS];
    g->n_columns = choose_columns(r, cuts);
    const int n = g->n_ranks + 2 * (g->n_columns - 1);
    int *moved = cx_arena_array(g->arena, (size_t)g->n_ranks, sizeof *moved);
    g->column = cx_arena_array(g->arena, (size_t)n, sizeof *g->column);
    g->height = cx_arena_array(g->arena, (size_t)n, sizeof *g->height);
    if (!moved || !g->column || !g->height) return cx_no_memory(err, (size_t)n * sizeof(double));
    for (int i = 0, c = 0, to = 0; i < g->n_ranks; i++) {
        moved[i] = to;
        g->column[to] = c;
        g->height[to++] = r->height[i];
        if (c == g->n_columns - 1 || cuts[c] != i) continue;
        g->column[to++] = c++;
        g->column[to++] = c;
    }
    for (int b = 0; b < g->flow->n_boxes; b++) r->rank[b] = moved[r->rank[b]];
    for (int t = 0; t < r->n_trunks; t++) {
        r->trunks[t].first = moved[r->trunks[t].first];
        r->trunks[t].last = moved[r->trunks[t].last];
    }
    g->n_ranks = n;
    return 0;
}

/* --- cells --- */

/* A line's cells from rank to rank, and its ends where it meets their boxes. */
static void lay_trunk(ranking *r, const trunk *t)
{
    cx_flow_grid *g = r->g;
    int cell = t->edges[0].from; /* boxes are the first cells */
    for (int rank = t->first + 1; rank <= t->last; rank++) {
        const int box = g->cells[cell].box;
        const double leave = box >= 0 ? t->edges[0].leave : -1;
        for (int e = 0; e < t->n; e++)
            if (r->rank[t->edges[e].to] == rank)
                g->links[g->n_links++] = (cx_link){cell, t->edges[e].to, leave, t->edges[e].enter};
        if (rank == t->last) break;
        g->cells[g->n_cells] = (cx_cell){.box = -1, .rank = rank};
        g->links[g->n_links++] = (cx_link){cell, g->n_cells, leave, -1};
        cell = g->n_cells++;
    }
}

static int make_cells(ranking *r, cvs_error *err)
{
    cx_flow_grid *g = r->g;
    const cx_flow *flow = g->flow;
    int64_t n = flow->n_boxes;
    for (int t = 0; t < r->n_trunks; t++) n += r->trunks[t].last - r->trunks[t].first - 1;
    if (n + flow->n_edges > MOST_CELLS)
        return cx_fail(err, CVS_E_UNSUPPORTED, "the model is too large to be drawn");
    g->cells = cx_arena_array(g->arena, (size_t)n, sizeof *g->cells);
    g->links = cx_arena_array(g->arena, (size_t)(n + flow->n_edges), sizeof *g->links);
    if (!g->cells || !g->links) return cx_no_memory(err, (size_t)n * sizeof *g->cells);
    for (int b = 0; b < flow->n_boxes; b++)
        g->cells[b] = (cx_cell){.box = b, .rank = r->rank[b], .width = flow->boxes[b].width};
    g->n_cells = flow->n_boxes;
    for (int t = 0; t < r->n_trunks; t++) lay_trunk(r, &r->trunks[t]);
    return 0;
}

/* Cells by their rank, links by their ends. */
static int index_cells(cx_flow_grid *g, cvs_error *err)
{
    const size_t n = (size_t)g->n_cells + 2, ranks = (size_t)g->n_ranks + 2;
    cx_ends *ends[] = {&g->up, &g->down};
    for (int k = 0; k < 2; k++) {
        ends[k]->start = cx_arena_array(g->arena, n, sizeof(int));
        ends[k]->list = cx_arena_array(g->arena, (size_t)g->n_links + 1, sizeof(int));
        if (!ends[k]->start || !ends[k]->list) return cx_no_memory(err, n * sizeof(int));
        /* counted two further than they belong, then one further, so that filling moves them home
         */
        for (int i = 0; i < g->n_links; i++)
            ends[k]->start[(k ? g->links[i].from : g->links[i].to) + 2]++;
        for (int c = 2; c <= g->n_cells; c++) ends[k]->start[c] += ends[k]->start[c - 1];
        for (int i = 0; i < g->n_links; i++)
            ends[k]->list[ends[k]->start[(k ? g->links[i].from : g->links[i].to) + 1]++] = i;
    }
    g->start = cx_arena_array(g->arena, ranks, sizeof *g->start);
    g->order = cx_arena_array(g->arena, n, sizeof *g->order);
    if (!g->start || !g->order) return cx_no_memory(err, n * sizeof(int));
    for (int c = 0; c < g->n_cells; c++) g->start[g->cells[c].rank + 2]++;
    for (int i = 2; i <= g->n_ranks; i++) g->start[i] += g->start[i - 1];
    for (int c = 0; c < g->n_cells; c++) {
        int *at = &g->start[g->cells[c].rank + 1];
        g->order[(*at)++] = c;
    }
    for (int i = 0; i < g->n_ranks; i++)
        for (int k = g->start[i]; k < g->start[i + 1]; k++)
            g->cells[g->order[k]].place = k - g->start[i];
    return 0;
}

int cx_flow_rank(cx_flow_grid *g, cvs_error *err)
{
    const cx_flow *flow = g->flow;
    const size_t n = (size_t)flow->n_boxes + 2, n_edges = (size_t)flow->n_edges + 1;
    ranking r = {.g = g};
    int rc;
    r.rank = cx_arena_array(g->arena, n, sizeof *r.rank);
    r.edges = cx_arena_array(g->arena, n_edges, sizeof *r.edges);
    r.trunks = cx_arena_array(g->arena, n_edges, sizeof *r.trunks);
    r.crossing = cx_arena_array(g->arena, n, sizeof *r.crossing);
    r.height = cx_arena_array(g->arena, n, sizeof *r.height);
    r.width = cx_arena_array(g->arena, n, sizeof *r.width);
    if (!r.rank || !r.edges || !r.trunks || !r.crossing || !r.height || !r.width)
        return cx_no_memory(err, n * sizeof(double));
    for (int e = 0; e < flow->n_edges; e++) r.edges[e] = flow->edges[e];
    qsort(r.edges, (size_t)flow->n_edges, sizeof *r.edges, by_origin);
    find_trunks(&r);
    rank_boxes(&r);
    measure(&r);
    TRY(cut_columns(&r, err));
    TRY(make_cells(&r, err));
    TRY(index_cells(g, err));
out:
    return rc;
}

int cx_flow_arrange(cx_flow *flow, cx_arena *arena, cvs_error *err)
{
    cx_flow_grid g = {.flow = flow, .arena = arena};
    int rc;
    TRY(cx_flow_rank(&g, err));
    TRY(cx_flow_order(&g, err));
    TRY(cx_flow_align(&g, err));
    TRY(cx_flow_place(&g, err));
out:
    return rc;
}
