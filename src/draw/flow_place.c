/* flow_place.c - arranging a flow chart, last step: columns side by side, heights, lines. */
#include <math.h>
#include <stdlib.h>

#include "draw/flow_grid.h"

enum { CORNER = 14 /* from a box's corner to the nearest end of a line */ };

typedef struct placing {
    cx_flow_grid *g;
    double *top, *bottom; /* of each rank */
    double *start, *end;  /* of each link, across */
} placing;

static int is_box(const cx_cell *c)
{
    return c->box >= 0;
}

/* --- across --- */

/* Every column from its own left edge; gives the width of the chart. `lanes` are the lines from
 * each column to the next. */
static double set_columns(placing *p, const int *lanes)
{
    cx_flow_grid *g = p->g;
    double left = 0;
    for (int column = 0, r = 0; column < g->n_columns; column++) {
        double least = INFINITY, most = -INFINITY;
        const int first = r;
        for (; r < g->n_ranks && g->column[r] == column; r++) {
            if (g->start[r] == g->start[r + 1]) continue;
            const cx_cell *a = &g->cells[g->order[g->start[r]]];
            const cx_cell *b = &g->cells[g->order[g->start[r + 1] - 1]];
            least = fmin(least, a->x - a->width / 2);
            most = fmax(most, b->x + b->width / 2);
        }
        for (int k = g->start[first]; k < g->start[r]; k++) g->cells[g->order[k]].x += left - least;
        left += most - least;
        if (column + 1 < g->n_columns) left += 2 * CX_FLOW_GAP + CX_FLOW_LANE * (lanes[column] - 1);
    }
    return left;
}

/* --- the ends of lines --- */

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* Where the other end of a link lies, as far as it is known. */
static double far_end(const cx_flow_grid *g, const cx_link *l, int below)
{
    const cx_cell *other = &g->cells[below ? l->to : l->from];
    return other->x + cx_flow_offset(other, below ? l->enter : l->leave);
}

/* Ends on one side of a box: one in its middle; several straight below or above where they go to,
 * if they can, and apart from each other. */
static void spread(placing *p, int c, int side)
{
    const cx_flow_grid *g = p->g;
    const cx_ends *ends = side ? &g->down : &g->up;
    const cx_cell *cell = &g->cells[c];
    double *at = side ? p->start : p->end;
    const int first = ends->start[c], n = ends->start[c + 1] - first;
    const double left = cell->x - cell->width / 2, corner = fmin(CORNER, cell->width / 2);
    const double low = left + corner, high = left + cell->width - corner;
    const double apart = n > 1 ? fmin(CORNER, (high - low) / (n - 1)) : 0;
    double last = -INFINITY;
    for (int k = first; k < first + n; k++) {
        const cx_link *l = &g->links[ends->list[k]];
        double fixed = side ? l->leave : l->enter;
        double x = fixed >= 0 ? left + fixed : clamp(far_end(g, l, side), low, high);
        if (fixed < 0 && n == 1) x = cell->x;
        if (fixed < 0 && x < last + apart) x = last + apart;
        at[ends->list[k]] = last = x;
    }
    for (int k = first + n - 1; k >= first; k--) {
        const cx_link *l = &g->links[ends->list[k]];
        double most = high - apart * (first + n - 1 - k);
        if ((side ? l->leave : l->enter) < 0 && at[ends->list[k]] > most) at[ends->list[k]] = most;
    }
}

/* The links of each cell, from the left. */
static void sort_ends(const cx_flow_grid *g, const cx_ends *ends, int down)
{
    for (int c = 0; c < g->n_cells; c++)
        for (int k = ends->start[c] + 1; k < ends->start[c + 1]; k++)
            for (int i = k; i > ends->start[c]; i--) {
                const cx_link *a = &g->links[ends->list[i - 1]], *b = &g->links[ends->list[i]];
                if (g->cells[down ? a->to : a->from].place <=
                    g->cells[down ? b->to : b->from].place)
                    break;
                int swap = ends->list[i];
                ends->list[i] = ends->list[i - 1];
                ends->list[i - 1] = swap;
            }
}

static void end_lines(placing *p)
{
    const cx_flow_grid *g = p->g;
    sort_ends(g, &g->up, 0);
    sort_ends(g, &g->down, 1);
    for (int i = 0; i < g->n_links; i++) {
        p->start[i] = g->cells[g->links[i].from].x;
        p->end[i] = g->cells[g->links[i].to].x;
    }
    for (int c = 0; c < g->n_cells; c++)
        for (int side = 0; side < 2 && is_box(&g->cells[c]); side++) spread(p, c, side);
}

/* --- down --- */

/* Lines that go far across need room to do so. */
static double gap_below(const placing *p, int rank)
{
    const cx_flow_grid *g = p->g;
    double most = 0;
    for (int k = g->start[rank]; k < g->start[rank + 1]; k++)
        for (int i = g->down.start[g->order[k]]; i < g->down.start[g->order[k] + 1]; i++)
            most = fmax(most, fabs(p->start[g->down.list[i]] - p->end[g->down.list[i]]));
    return CX_FLOW_GAP + fmin(30, most / 12);
}

/* Gives the height of the chart. Columns begin below the lines that come over their heads. */
static double set_ranks(placing *p, const int *lanes)
{
    const cx_flow_grid *g = p->g;
    double height = 0, head = 0, y = 0;
    for (int i = 0; i + 1 < g->n_columns; i++)
        head = fmax(head, CX_FLOW_LANE * lanes[i] + CX_FLOW_TURN);
    for (int r = 0; r < g->n_ranks; r++) {
        const int column = g->column[r], first = r == 0 || g->column[r - 1] != column;
        const int last = r + 1 == g->n_ranks || g->column[r + 1] != column;
        if (first) y = r > 0 || g->height[r] > 0 ? head : 0;
        if (r == 1 && g->height[0] == 0) y = fmax(y, head + CX_FLOW_GAP);
        if (r == 0 && g->n_columns > 1 && g->height[0] > 0) y += CX_FLOW_GAP;
        p->top[r] = y;
        p->bottom[r] = y + g->height[r];
        y = p->bottom[r] + (last ? 0 : gap_below(p, r));
        double foot = last && r + 1 < g->n_ranks ? CX_FLOW_LANE * (lanes[column] + 1) : 0;
        height = fmax(height, p->bottom[r] + foot);
    }
    return height;
}

static void set_boxes(const placing *p)
{
    const cx_flow_grid *g = p->g;
    for (int c = 0; c < g->n_cells; c++) {
        const cx_cell *cell = &g->cells[c];
        if (!is_box(cell)) continue;
        cx_flow_box *box = &g->flow->boxes[cell->box];
        box->x = cell->x - box->width / 2;
        box->y = (p->top[cell->rank] + p->bottom[cell->rank] - box->height) / 2;
        if (box->pin == CX_FLOW_FIRST) box->y = 0;
        if (box->pin == CX_FLOW_LAST) box->y = g->flow->height;
    }
}

/* --- pieces --- */

/* Around the foot of a column: the line that comes from the furthest left goes the longest way
 * outside, so none crosses another. */
static void wrap(cx_flow_piece *piece, const placing *p, const cx_link *l, const int *lanes,
                 double right)
{
    const cx_flow_grid *g = p->g;
    const cx_cell *from = &g->cells[l->from];
    const int n = lanes[g->column[from->rank]], inner = n - 1 - from->place;
    piece->wraps = 1;
    piece->bend0 = p->bottom[from->rank] + CX_FLOW_LANE * (inner + 1);
    piece->aside = right + CX_FLOW_GAP + CX_FLOW_LANE * inner;
    piece->bend1 = p->top[from->rank + 1] - CX_FLOW_TURN - CX_FLOW_LANE * (n - inner - 1);
}

static double right_of_column(const cx_flow_grid *g, int column)
{
    double right = 0;
    for (int c = 0; c < g->n_cells; c++)
        if (g->column[g->cells[c].rank] == column)
            right = fmax(right, g->cells[c].x + g->cells[c].width / 2);
    return right;
}

static void draw_pieces(const placing *p, const int *lanes, const double *rights)
{
    const cx_flow_grid *g = p->g;
    for (int i = 0; i < g->n_links; i++) {
        const cx_link *l = &g->links[i];
        const cx_cell *a = &g->cells[l->from], *b = &g->cells[l->to];
        const cx_flow_box *from = is_box(a) ? &g->flow->boxes[a->box] : NULL;
        const cx_flow_box *to = is_box(b) ? &g->flow->boxes[b->box] : NULL;
        cx_flow_piece *piece = &g->flow->pieces[g->flow->n_pieces++];
        *piece = (cx_flow_piece){.from = a->box, .to = b->box, .x0 = p->start[i], .x1 = p->end[i]};
        piece->y0 = from ? from->y + from->height : p->top[a->rank];
        piece->bend0 = fmax(piece->y0, p->bottom[a->rank]);
        piece->bend1 = p->top[b->rank];
        piece->y1 = to ? to->y : p->top[b->rank];
        const int column = g->column[a->rank];
        if (g->column[b->rank] != column) wrap(piece, p, l, lanes, rights[column]);
    }
}

static int allocate(placing *p, cvs_error *err)
{
    cx_flow_grid *g = p->g;
    const size_t links = (size_t)g->n_links + 1;
    p->top = cx_arena_array(g->arena, (size_t)g->n_ranks, sizeof *p->top);
    p->bottom = cx_arena_array(g->arena, (size_t)g->n_ranks, sizeof *p->bottom);
    p->start = cx_arena_array(g->arena, links, sizeof *p->start);
    p->end = cx_arena_array(g->arena, links, sizeof *p->end);
    g->flow->pieces = cx_arena_array(g->arena, links, sizeof *g->flow->pieces);
    if (!p->top || !p->bottom || !p->start || !p->end || !g->flow->pieces)
        return cx_no_memory(err, links * sizeof *g->flow->pieces);
    return 0;
}

int cx_flow_place(cx_flow_grid *g, cvs_error *err)
{
    placing p = {.g = g};
    int *lanes = cx_arena_array(g->arena, (size_t)g->n_columns, sizeof *lanes);
    double *rights = cx_arena_array(g->arena, (size_t)g->n_columns, sizeof *rights);
    if (!lanes || !rights) return cx_no_memory(err, (size_t)g->n_columns * sizeof *rights);
    int rc = allocate(&p, err);
    if (rc < 0) return rc;
    for (int r = 0; r + 1 < g->n_ranks; r++)
        if (g->column[r + 1] != g->column[r]) lanes[g->column[r]] = g->start[r + 1] - g->start[r];
    g->flow->n_columns = g->n_columns;
    g->flow->width = set_columns(&p, lanes);
    end_lines(&p);
    g->flow->height = set_ranks(&p, lanes);
    set_boxes(&p);
    for (int i = 0; i < g->n_columns; i++) rights[i] = right_of_column(g, i);
    draw_pieces(&p, lanes, rights);
    return 0;
}
