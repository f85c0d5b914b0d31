/* reach.c - the part of the input that one unit depends on. Direct convolutions only: fast ones
 * leave rounding errors where nothing depends. */
#include <math.h>

#include "base/random.h"
#include "patterns/climb.h"

enum { TRIALS = 3 };

/* The first and last row and column where the derivative is not 0. */
typedef struct extent {
    int64_t top, bottom, left, right;
} extent;

static void widen(extent *e, const cvs_model *m, const cx_gradient *g)
{
    const cx_tensor *d = cx_gradient_result(g, 0);
    const int first = cx_node_channel_axis(m, m->inputs[0]) == 1;
    const int64_t h = d->shape.d[1 + first], w = d->shape.d[2 + first];
    const int64_t k = d->shape.d[first ? 1 : 3];
    for (int64_t i = 0; i < h * w * k; i++) {
        const int64_t pixel = first ? i % (h * w) : i / k, y = pixel / w, x = pixel % w;
        if (d->data[i] == 0) continue;
        e->top = y < e->top ? y : e->top;
        e->bottom = y > e->bottom ? y : e->bottom;
        e->left = x < e->left ? x : e->left;
        e->right = x > e->right ? x : e->right;
    }
}

/* The unit in the middle of every channel, each with a weight of its own. */
static void seed_middle(cx_gradient *g, const cvs_model *m, const cx_spot *spot, uint64_t stream)
{
    cx_tensor *seed = cx_gradient_seed(g, 0);
    const cx_shape *s = &seed->shape;
    const int first = s->ndim > 2 && cx_node_channel_axis(m, spot->node) == 1;
    const int64_t k = s->d[first ? 1 : s->ndim - 1], all = cx_shape_count(s);
    const int64_t w = s->ndim > 2 ? s->d[first ? s->ndim - 1 : s->ndim - 2] : 1;
    const int64_t cells = all / k, middle = cells / w / 2 * w + w / 2;
    for (int64_t c = 0; c < k; c++)
        seed->data[first ? c * cells + middle : middle * k + c] =
            (float)cx_random_normal(stream, (uint64_t)c);
}

int cx_reach(int64_t *out, const cvs_model *m, const cx_spot *spot, const cx_shape *shape,
             cvs_error *err)
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
    const int first = cx_node_channel_axis(m, m->inputs[0]) == 1;
    extent e = {INT64_MAX, -1, INT64_MAX, -1};
    cx_gradient *g = NULL;
    int rc;
    TRY(cx_gradient_new(&g, m, &o, err));
    for (int trial = 0; trial < TRIALS; trial++) {
        cx_tensor *x = cx_run_input(g->run, 0, 0, 1);
        for (int64_t i = 0; i < cx_shape_count(&x->shape); i++)
            x->data[i] = (float)cx_random_uniform((uint64_t)trial, (uint64_t)i);
        TRY(cx_gradient_forward(g, err));
        seed_middle(g, m, spot, (uint64_t)trial + 100);
        TRY(cx_gradient_backward(g, NULL, err));
        widen(&e, m, g);
    }
    const int64_t h = e.bottom - e.top + 1, w = e.right - e.left + 1;
    *out = e.bottom < 0 ? 0 : h > w ? h : w;
    if (e.bottom < 0) *out = shape->d[1 + first]; /* nothing came through: no reason to cut */
out:
    cx_gradient_free(g);
    return rc;
}
