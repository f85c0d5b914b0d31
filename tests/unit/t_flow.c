/* t_flow.c - flow charts: boxes apart, inside, below what goes into them. */
#include "test.h"

#include "draw/flow.h"

static cvs_error err;

/* A generator of our own, so that a seed gives the same charts everywhere. */
static unsigned state_of_random;
static int below(int n)
{
    state_of_random = state_of_random * 1664525u + 1013904223u;
    return (int)((state_of_random >> 8) % (unsigned)n);
}

static int overlap(const cx_flow_box *a, const cx_flow_box *b)
{
    return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
           b->y < a->y + a->height;
}

/* Whether the upright line at x from y0 to y1 goes through a box. */
static int goes_through(const cx_flow_box *b, double x, double y0, double y1)
{
    return x > b->x + 0.1 && x < b->x + b->width - 0.1 && y0 < b->y + b->height - 0.1 &&
           y1 > b->y + 0.1;
}

static void check_inside(const cx_flow *f, double x, double y)
{
    assert_true(x > -0.1 && x < f->width + 0.1);
    assert_true(y > -0.1 && y < f->height + 0.1);
}

static void check_pieces(const cx_flow *f)
{
    for (int i = 0; i < f->n_pieces; i++) {
        const cx_flow_piece *p = &f->pieces[i];
        check_inside(f, p->x0, p->y0);
        check_inside(f, p->x1, p->y1);
        check_inside(f, p->wraps ? p->aside : p->x1, p->bend0);
        check_inside(f, p->x1, p->bend1);
        assert_true(p->y0 < p->bend0 + 0.1 && p->bend1 < p->y1 + 0.1);
        assert_true(p->wraps || p->bend0 < p->bend1 + 0.1);
        for (int b = 0; b < f->n_boxes; b++) {
            assert_false(goes_through(&f->boxes[b], p->x0, p->y0, p->bend0));
            assert_false(!p->wraps && goes_through(&f->boxes[b], p->x1, p->bend1, p->y1));
            if (p->wraps) assert_false(goes_through(&f->boxes[b], p->aside, p->bend1, p->bend0));
        }
    }
}

static void check(const cx_flow *f)
{
    for (int i = 0; i < f->n_boxes; i++) {
        check_inside(f, f->boxes[i].x, f->boxes[i].y);
        check_inside(f, f->boxes[i].x + f->boxes[i].width, f->boxes[i].y + f->boxes[i].height);
        for (int k = 0; k < i; k++)
            if (overlap(&f->boxes[i], &f->boxes[k])) fail_msg("boxes %d and %d overlap", k, i);
    }
    for (int e = 0; e < f->n_edges && f->n_columns == 1; e++) {
        const cx_flow_box *from = &f->boxes[f->edges[e].from], *to = &f->boxes[f->edges[e].to];
        assert_true(from->y + from->height < to->y + 0.1);
    }
    check_pieces(f);
}

static void arrange(cx_flow *f, cx_arena **arena)
{
    *arena = cx_arena_new();
    assert_non_null(*arena);
    OK(cx_flow_arrange(f, *arena, &err));
    check(f);
}

enum { MOST = 60 };
static cx_flow_box boxes[20000];
static cx_flow_edge edges[20000];

/* Boxes of all sizes, some with lines to far ones, some with several into and out of them. */
static cx_flow random_chart(unsigned seed)
{
    state_of_random = seed;
    cx_flow f = {.boxes = boxes, .edges = edges, .n_boxes = 2 + below(MOST - 2)};
    for (int i = 0; i < f.n_boxes; i++) {
        boxes[i] =
            (cx_flow_box){.width = 20 + below(300), .height = 20 + below(below(9) ? 60 : 900)};
        for (int k = 0, n = below(4); i > 0 && k <= n; k++) {
            int back = 1 + below(below(3) ? 2 : i);
            int from = back > i ? 0 : i - back;
            double leave = below(5) ? -1 : below((int)boxes[from].width);
            edges[f.n_edges++] = (cx_flow_edge){from, i, leave, -1};
        }
    }
    return f;
}

static void boxes_of_any_chart_lie_apart(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 400; seed++) {
        cx_arena *arena;
        cx_flow f = random_chart(seed);
        arrange(&f, &arena);
        cx_arena_free(arena);
    }
}

static cx_flow chain(int n)
{
    cx_flow f = {.boxes = boxes, .edges = edges, .n_boxes = n, .n_edges = n - 1};
    for (int i = 0; i < n; i++) boxes[i] = (cx_flow_box){.width = 150, .height = 50};
    for (int i = 0; i + 1 < n; i++) edges[i] = (cx_flow_edge){i, i + 1, -1, -1};
    return f;
}

static void short_chain_is_one_straight_column(void **state)
{
    (void)state;
    cx_arena *arena;
    cx_flow f = chain(12);
    arrange(&f, &arena);
    assert_int_equal(f.n_columns, 1);
    for (int i = 0; i < f.n_boxes; i++) assert_true(boxes[i].x == 0);
    for (int i = 0; i < f.n_pieces; i++) assert_true(f.pieces[i].x0 == f.pieces[i].x1);
    cx_arena_free(arena);
}

static void long_chain_stands_in_columns(void **state)
{
    (void)state;
    cx_arena *arena;
    cx_flow f = chain(90);
    int wraps = 0;
    arrange(&f, &arena);
    assert_true(f.n_columns > 2 && f.height < 2 * f.width && f.width < 2 * f.height);
    for (int i = 0; i < f.n_pieces; i++) wraps += f.pieces[i].wraps;
    assert_int_equal(wraps, f.n_columns - 1);
    cx_arena_free(arena);
}

/* a -> b -> c -> d and a -> d: the line beside leaves the chain where it is. */
static void chain_beside_a_shortcut_is_straight(void **state)
{
    (void)state;
    cx_arena *arena;
    cx_flow f = chain(4);
    edges[f.n_edges++] = (cx_flow_edge){0, 3, -1, -1};
    arrange(&f, &arena);
    for (int i = 1; i < f.n_boxes; i++) assert_true(boxes[i].x == boxes[0].x);
    cx_arena_free(arena);
}

static void pinned_points_are_on_the_edges(void **state)
{
    (void)state;
    cx_arena *arena;
    cx_flow f = chain(40);
    boxes[0] = (cx_flow_box){.pin = CX_FLOW_FIRST};
    boxes[39] = (cx_flow_box){.pin = CX_FLOW_LAST};
    arrange(&f, &arena);
    assert_true(boxes[0].y == 0 && boxes[39].y == f.height);
    cx_arena_free(arena);
}

static void tangle_is_refused(void **state)
{
    (void)state;
    cx_flow f = chain(10000);
    for (int i = 0; i < 5000; i++) edges[f.n_edges++] = (cx_flow_edge){i, 9999 - i / 2, i % 7, -1};
    cx_arena *arena = cx_arena_new();
    assert_non_null(arena);
    FAILS(cx_flow_arrange(&f, arena, &err), CVS_E_UNSUPPORTED, "too large");
    cx_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_of_any_chart_lie_apart),
        cmocka_unit_test(short_chain_is_one_straight_column),
        cmocka_unit_test(long_chain_stands_in_columns),
        cmocka_unit_test(chain_beside_a_shortcut_is_straight),
        cmocka_unit_test(pinned_points_are_on_the_edges),
        cmocka_unit_test(tangle_is_refused),
    };
    return RUN(tests);
}
