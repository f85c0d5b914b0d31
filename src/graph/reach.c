/* reach.c - the part of the input that one unit depends on. Direct convolutions only: fast ones
 * leave rounding errors where nothing depends. */
#include "graph/reach.h"

#include <math.h>

#include "base/random.h"

/* Trials: a few, and more where a map has so few channels that these do not see every pixel. */
enum { TRIALS = 3, MORE_TRIALS = 16 };

/* The first and last row and column where the derivative is not 0. */
typedef struct extent {
    int64_t top, bottom, left, right;
} extent;

static int is_channels_first(const cvs_model *m, const cx_shape *input)
{
    return input->ndim == 4 && cx_node_channel_axis(m, m->inputs[0]) == 1;
}

static void widen(extent *e, const cvs_model *m, const cx_gradient *g)
{
    const cx_tensor *d = cx_gradient_result(g, 0);
    const int first = is_channels_first(m, &d->shape);
    const int64_t h = d->shape.d[1 + first], w = d->shape.d[2 + first];
    const int64_t k = d->shape.ndim == 3 ? 1 : d->shape.d[first ? 1 : 3];
    for (int64_t i = 0; i < h * w * k; i++) {
        const int64_t pixel = first ? i % (h * w) : i / k, y = pixel / w, x = pixel % w;
        if (d->data[i] == 0) continue;
        e->top = y < e->top ? y : e->top;
        e->bottom = y > e->bottom ? y : e->bottom;
        e->left = x < e->left ? x : e->left;
        e->right = x > e->right ? x : e->right;
    }
}

/* Rows and columns of a map; a vector is one place. */
static void map_size(const cvs_model *m, const cx_spot *spot, const cx_shape *s, int64_t *height,
                     int64_t *width)
{
    const int first = s->ndim > 2 && cx_node_channel_axis(m, spot->node) == 1;
    const int64_t k = s->d[first ? 1 : s->ndim - 1];
    *width = s->ndim > 2 ? s->d[first ? s->ndim - 1 : s->ndim - 2] : 1;
    *height = cx_shape_count_range(s, 1, s->ndim) / k / *width;
}

/* The neighbour of the middle of n: the next, or at the end the one before. */
static int64_t beside(int64_t n)
{
    return n / 2 + 1 < n ? n / 2 + 1 : n > 1 ? n / 2 - 1 : 0;
}

/* The unit in the middle or its neighbour right of and below it, of every channel, each with a
 * weight of its own. */
static void seed_unit(cx_gradient *g, const cvs_model *m, const cx_spot *spot, int neighbour,
                      uint64_t stream)
{
    cx_tensor *seed = cx_gradient_seed(g, 0);
    const cx_shape *s = &seed->shape;
    const int first = s->ndim > 2 && cx_node_channel_axis(m, spot->node) == 1;
    const int64_t k = s->d[first ? 1 : s->ndim - 1];
    int64_t h, w;
    map_size(m, spot, s, &h, &w);
    const int64_t at = neighbour ? beside(h) * w + beside(w) : h / 2 * w + w / 2;
    for (int64_t c = 0; c < k; c++)
        seed->data[first ? c * h * w + at : at * k + c] =
            (float)cx_random_normal(stream, (uint64_t)c);
}

/* What the unit in the middle sees, and with n 2 its neighbour. */
static int find_extents(extent *out, int n, int64_t map[2], const cvs_model *m, const cx_spot *spot,
                        const cx_shape *shape, cvs_error *err)
{
    const cx_spot from = {m->inputs[0], 0};
    const cx_gradient_options o = {.batch = 1,
                                   .exact = 1,
                                   .to = spot,
                                   .n_to = 1,
                                   .from = &from,
                                   .n_from = 1,
                                   .shapes = shape,
                                   .keep = -1};
    cx_gradient *g = NULL;
    int rc;
    TRY(cx_gradient_new(&g, m, &o, err));
    for (int i = 0; i < n; i++) out[i] = (extent){INT64_MAX, -1, INT64_MAX, -1};
    const cx_shape *s = &g->run->slots[spot->node].shape;
    map_size(m, spot, s, &map[0], &map[1]);
    const int64_t channels = cx_shape_count_range(s, 1, s->ndim) / map[0] / map[1];
    const int trials = TRIALS + (int)(MORE_TRIALS / channels);
    for (int i = 0; i < n * trials; i++) {
        cx_tensor *x = cx_run_input(g->run, 0, 0, 1);
        for (int64_t k = 0; k < cx_shape_count(&x->shape); k++)
            x->data[k] = (float)cx_random_uniform((uint64_t)(i / n), (uint64_t)k);
        TRY(cx_gradient_forward(g, err));
        seed_unit(g, m, spot, i % n, (uint64_t)(i / n) + 100);
        TRY(cx_gradient_backward(g, NULL, err));
        widen(&out[i % n], m, g);
    }
out:
    cx_gradient_free(g);
    return rc;
}

int cx_reach(int64_t *out, const cvs_model *m, const cx_spot *spot, const cx_shape *shape,
             cvs_error *err)
{
    int64_t map[2];
    extent e;
    int rc;
    TRY(find_extents(&e, 1, map, m, spot, shape, err));
    const int64_t h = e.bottom - e.top + 1, w = e.right - e.left + 1;
    *out = h > w ? h : w;
    /* Where nothing came through there is no reason to cut. */
    if (e.bottom < 0) *out = shape->d[1 + is_channels_first(m, shape)];
out:
    return rc;
}

/* --- all units of a map --- */

/* From what the middle and its neighbour see: an end that lies at the input's is no measure. */
static cx_sight_axis axis_of(int64_t map, int64_t size, int64_t first, int64_t last,
                             int64_t next_first, int64_t next_last)
{
    const int64_t away = beside(map) - map / 2;
    cx_sight_axis a = {.middle = map / 2, .first = first, .last = last, .size = size};
    if (last < 0) {
        a.first = 0;
        a.last = size - 1;
    } else if (first > 0 && next_first > 0) {
        a.step = (next_first - first) * away;
    } else if (last < size - 1 && next_last < size - 1) {
        a.step = (next_last - last) * away;
    }
    return a;
}

int cx_sight_find(cx_sight *out, const cvs_model *m, int node, const cx_shape *shape,
                  cvs_error *err)
{
    const int first = is_channels_first(m, shape);
    const cx_spot spot = {node, 0};
    int64_t map[2];
    extent e[2];
    int rc;
    TRY(find_extents(e, 2, map, m, &spot, shape, err));
    out->rows = axis_of(map[0], shape->d[1 + first], e[0].top, e[0].bottom, e[1].top, e[1].bottom);
    out->columns =
        axis_of(map[1], shape->d[2 + first], e[0].left, e[0].right, e[1].left, e[1].right);
out:
    return rc;
}

void cx_sight_range(const cx_sight_axis *a, int64_t i, int64_t *first, int64_t *last)
{
    const int64_t by = (i - a->middle) * a->step;
    *first = a->first + by < 0 ? 0 : a->first + by;
    *last = a->last + by > a->size - 1 ? a->size - 1 : a->last + by;
    if (*first > a->size - 1) *first = a->size - 1;
    if (*last < *first) *last = *first;
}

/* --- by windows alone --- */

static void join(extent *a, const extent *b)
{
    if (a->bottom < 0) *a = *b;
    a->top = a->top < b->top ? a->top : b->top;
    a->left = a->left < b->left ? a->left : b->left;
    a->bottom = a->bottom > b->bottom ? a->bottom : b->bottom;
    a->right = a->right > b->right ? a->right : b->right;
}

/* Along one axis of n cells: what first … last read. */
static void read_axis(int64_t *first, int64_t *last, const cx_window *w, int axis, int64_t n)
{
    *first = *first * w->stride[axis] - w->pad[axis];
    *last = *last * w->stride[axis] - w->pad[axis] + (w->kernel[axis] - 1) * w->dilation[axis];
    *first = *first < 0 ? 0 : *first > n - 1 ? n - 1 : *first;
    *last = *last > n - 1 ? n - 1 : *last < *first ? *first : *last;
}

/* From what is wanted of a node's map to what is wanted of its i-th input's. 0: nobody can tell. */
static int pass_on(extent *e, const cvs_run *run, int node, int i)
{
    const cvs_model *m = run->model;
    const cx_node *n = &m->nodes[node];
    const cx_layer *l = &m->layers[n->layer];
    const cx_shape *in = &run->slots[n->inputs[i]].shape;
    const cx_spot spots[] = {{node, 0}, {n->inputs[i], 0}};
    int64_t of[2], from[2];
    cx_activation a;
    cx_reads reads;
    map_size(m, &spots[0], &run->slots[node].shape, &of[0], &of[1]);
    map_size(m, &spots[1], in, &from[0], &from[1]);
    if (n->n_inputs == 1 && cx_layer_reads(&reads, l, in, 0, NULL)) {
        read_axis(&e->top, &e->bottom, &reads.window, CX_HEIGHT, from[0]);
        read_axis(&e->left, &e->right, &reads.window, CX_WIDTH, from[1]);
        return 1;
    }
    const int merges = l->kind->family == CX_MERGING && (l->kind->is_affine || l->kind->is_product);
    const int activates = l->kind->as_activation && cx_layer_ends_with(&a, l);
    if (!merges && !activates && !l->kind->is_identity && !l->kind->is_scale_shift) return 0;
    if (from[0] == of[0] && from[1] == of[1]) return 1;
    if (!merges || from[0] != 1 || from[1] != 1) return 0;
    *e = (extent){0, 0, 0, 0}; /* it counts for all places */
    return 1;
}

int cx_sees(int64_t box[4], const cvs_run *run, int node, int64_t row, int64_t column,
            cvs_error *err)
{
    const cvs_model *m = run->model;
    extent *all = cx_calloc((size_t)node + 1, sizeof *all);
    int is_known = m->n_inputs == 1;
    if (!all) return cx_no_memory(err, ((size_t)node + 1) * sizeof *all);
    for (int i = 0; i < node; i++) all[i].bottom = -1;
    all[node] = (extent){row, row, column, column};
    for (int i = node; i > m->inputs[0] && is_known; i--)
        for (int k = 0; k < m->nodes[i].n_inputs && all[i].bottom >= 0 && is_known; k++) {
            extent e = all[i];
            is_known = pass_on(&e, run, i, k);
            join(&all[m->nodes[i].inputs[k]], &e);
        }
    const extent *e = &all[m->inputs[0] < node ? m->inputs[0] : node];
    is_known = is_known && e->bottom >= 0;
    const int64_t found[] = {e->top, e->left, e->bottom, e->right};
    for (int i = 0; i < 4; i++) box[i] = found[i];
    cx_free(all);
    return is_known;
}

int cx_sight_known(cx_sight *out, const cvs_run *run, int node, cvs_error *err)
{
    const cvs_model *m = run->model;
    const cx_shape *in = &run->slots[m->inputs[0]].shape;
    const int first = is_channels_first(m, in);
    const cx_spot spot = {node, 0};
    int64_t map[2], a[4], b[4];
    int rc;
    map_size(m, &spot, &run->slots[node].shape, &map[0], &map[1]);
    TRY(cx_sees(a, run, node, map[0] / 2, map[1] / 2, err));
    if (rc == 0) return 0;
    TRY(cx_sees(b, run, node, beside(map[0]), beside(map[1]), err));
    out->rows = axis_of(map[0], in->d[1 + first], a[0], a[2], b[0], b[2]);
    out->columns = axis_of(map[1], in->d[2 + first], a[1], a[3], b[1], b[3]);
out:
    return rc;
}
