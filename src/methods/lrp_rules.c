/* lrp_rules.c - relevance through one layer (Bach et al. 2015; Montavon et al. 2019).
 *
 * Every rule is a sum over parts, each of which has the layer compute with other inputs x' and
 * other weights w':
 *
 *   z = sum of x' w' + b',   s = factor R / z,   R_in = sum of x' (w' back from s)
 *
 * so a rule is a table of what x', w' and b' are, and the arithmetic is the layer's own. */
#include "methods/lrp_rules.h"

#include <string.h>

/* Beside a divisor that may be 0; as the literature's reference implementation has it. */
static const double stabilizer = 1e-6;

/* What a part reads. */
typedef enum which { ALL, ABOVE, BELOW, ONES, LOW, HIGH } which;

/* Weights above 0 times `above`, and below times `below`. */
typedef struct scaled {
    float above, below;
} scaled;

typedef enum weights { SCALED, WEIGHTS_ONES, WEIGHTS_SQUARED } weights;

typedef struct part {
    which x;
    weights how;
    scaled w;
} part;

/* Parts that share a divisor. */
typedef struct group {
    part parts[3];
    int n;
    scaled bias;
    float factor;
    int gate; /* 1: only where z of the layer as it is is above 0; -1: below; 0: everywhere */
} group;

/* The groups of a rule; gives their number. */
static int groups_of(group out[2], const cx_lrp_rule *r)
{
    const scaled whole = {1, 1}, above = {1, 0}, below = {0, 1}, nothing = {0, 0};
    const float more = 1 + (float)r->a;
    const scaled up = {more, 1}, down = {1, more};
    switch (r->kind) {
    case CX_LRP_EPSILON:
        out[0] = (group){{{ALL, SCALED, whole}}, 1, whole, 1, 0};
        return 1;
    case CX_LRP_PLUS:
        out[0] = (group){{{ABOVE, SCALED, above}, {BELOW, SCALED, below}}, 2, above, 1, 0};
        return 1;
    case CX_LRP_ALPHA_BETA:
        out[0] =
            (group){{{ABOVE, SCALED, above}, {BELOW, SCALED, below}}, 2, above, (float)r->a, 0};
        out[1] =
            (group){{{ABOVE, SCALED, below}, {BELOW, SCALED, above}}, 2, below, -(float)r->b, 0};
        return r->b > 0 ? 2 : 1;
    case CX_LRP_GAMMA:
        out[0] = (group){{{ABOVE, SCALED, up}, {BELOW, SCALED, down}}, 2, up, 1, 1};
        out[1] = (group){{{ABOVE, SCALED, down}, {BELOW, SCALED, up}}, 2, down, 1, -1};
        return 2;
    case CX_LRP_BOX:
        out[0] = (group){
            {{ALL, SCALED, whole}, {LOW, SCALED, above}, {HIGH, SCALED, below}}, 3, nothing, 1, 0};
        return 1;
    case CX_LRP_FLAT:
        out[0] = (group){{{ONES, WEIGHTS_ONES, whole}}, 1, nothing, 1, 0};
        return 1;
    case CX_LRP_SQUARE:
        out[0] = (group){{{ONES, WEIGHTS_SQUARED, whole}}, 1, nothing, 1, 0};
        return 1;
    case CX_LRP_PASS:
    case CX_LRP_WINNER:
    case CX_LRP_GATE:
    case CX_LRP_NONE:
        break;
    }
    return 0;
}

/* --- a layer with other weights --- */

/* A copy of a layer whose numbers may be changed. */
typedef struct changed {
    cx_layer l;
    cx_arena *arena;
    float *w[CX_MAX_WEIGHTS];
    int bias; /* which weight is it; -1: none */
} changed;

static int64_t count_of(const cx_layer *l, int w)
{
    return cx_shape_count(&l->w[w].spec.shape);
}

/* The weights, and those of the BatchNormalization behind it: a factor and a summand for each of
 * its outputs. Keras' kernels have the outputs on their last axes, so an index into them is a
 * remainder. */
static void fold(changed *c, const cx_affine *norm)
{
    const int last = c->bias >= 0 ? c->bias - 1 : c->l.n_weights - 1;
    for (int64_t i = 0; i < count_of(&c->l, last); i++) c->w[last][i] *= norm->scale[i % norm->n];
    for (int64_t i = 0; c->bias >= 0 && i < norm->n; i++)
        c->w[c->bias][i] = c->w[c->bias][i] * norm->scale[i] + norm->shift[i];
}

static int copy_layer(changed *c, const cx_layer *l, const cx_affine *norm, cvs_error *err)
{
    *c = (changed){.l = *l, .bias = -1};
    c->arena = cx_arena_new();
    if (!c->arena) return cx_no_memory(err, sizeof *c);
    for (int i = 0; i < l->n_weights; i++) {
        const size_t n = (size_t)count_of(l, i);
        c->w[i] = cx_arena_array(c->arena, n, sizeof(float));
        if (!c->w[i]) return cx_no_memory(err, n * sizeof(float));
        memcpy(c->w[i], l->w[i].data, n * sizeof(float));
        c->l.w[i].data = c->w[i];
        if (strcmp(l->w[i].spec.name, "bias") == 0) c->bias = i;
    }
    if (norm) fold(c, norm);
    return 0;
}

static float scale_by(float v, scaled s)
{
    return v > 0 ? v * s.above : v * s.below;
}

/* Give the layer the weights of a part; a bias where it is asked for. */
static int take(changed *c, const changed *whole, const part *p, const scaled *bias, cvs_error *err)
{
    for (int i = 0; i < c->l.n_weights; i++)
        for (int64_t k = 0; k < count_of(&c->l, i); k++) {
            const float v = whole->w[i][k];
            if (i == c->bias)
                c->w[i][k] = bias ? scale_by(v, *bias) : 0;
            else
                c->w[i][k] = p->how == WEIGHTS_ONES      ? 1
                             : p->how == WEIGHTS_SQUARED ? v * v
                                                         : scale_by(v, p->w);
        }
    return c->l.kind->prepare ? c->l.kind->prepare(&c->l, c->arena, err) : 0;
}

/* --- one layer --- */

/* Room for one step of the walk back. */
typedef struct room {
    const cx_backward_call *b;
    changed whole, other;
    cx_tensor *x, *d;     /* of each input: the numbers of a part, and what goes back; owned */
    const cx_tensor **px; /* as calls want them */
    cx_tensor **pd;
    cx_tensor z, more, before; /* of the output; the last is z of the layer as it is */
    cx_block work;
    double low, high; /* that the inputs lie between */
} room;

static void free_room(room *r)
{
    for (int i = 0; r->x && r->d && i < r->b->n_x; i++) {
        cx_tensor_deinit(&r->x[i]);
        cx_tensor_deinit(&r->d[i]);
    }
    cx_free(r->x);
    cx_free(r->d);
    cx_free(r->px);
    cx_free(r->pd);
    cx_tensor_deinit(&r->z);
    cx_tensor_deinit(&r->more);
    cx_tensor_deinit(&r->before);
    cx_block_deinit(&r->work);
    cx_arena_free(r->whole.arena);
    cx_arena_free(r->other.arena);
}

static int make_room(room *r, const cx_layer *l, const cx_affine *norm, const cx_backward_call *b,
                     cvs_error *err)
{
    const size_t n = (size_t)b->n_x;
    const cx_shape *out = &b->dy->shape;
    cx_shape *shapes = cx_calloc(n, sizeof *shapes);
    int rc = 0;
    r->b = b;
    r->x = cx_calloc(n, sizeof *r->x);
    r->d = cx_calloc(n, sizeof *r->d);
    r->px = cx_calloc(n, sizeof *r->px);
    r->pd = cx_calloc(n, sizeof *r->pd);
    if (!shapes || !r->x || !r->d || !r->px || !r->pd) TRY(cx_no_memory(err, n * sizeof *r->x));
    for (size_t i = 0; i < n; i++) {
        shapes[i] = b->x[i]->shape;
        TRY(cx_tensor_init(&r->x[i], &shapes[i], err));
        r->px[i] = &r->x[i];
        if (!b->dx[i]) continue;
        TRY(cx_tensor_init(&r->d[i], &shapes[i], err));
        r->pd[i] = &r->d[i];
    }
    TRY(cx_tensor_init(&r->z, out, err));
    TRY(cx_tensor_init(&r->more, out, err));
    TRY(cx_tensor_init(&r->before, out, err));
    const size_t forward = cx_layer_workspace(l, shapes, b->n_x, out);
    const size_t back = cx_layer_backward_workspace(l, shapes, b->n_x, out);
    TRY(cx_block_init(&r->work, forward > back ? forward : back, err));
    TRY(copy_layer(&r->whole, l, norm, err));
    TRY(copy_layer(&r->other, l, NULL, err));
out:
    cx_free(shapes);
    return rc;
}

static float read_as(const room *r, which how, float v)
{
    switch (how) {
    case ABOVE:
        return v > 0 ? v : 0;
    case BELOW:
        return v < 0 ? v : 0;
    case ONES:
        return 1;
    case LOW:
        return (float)-r->low;
    case HIGH:
        return (float)-r->high;
    case ALL:
        break;
    }
    return v;
}

static void read_inputs(room *r, which how)
{
    for (int i = 0; i < r->b->n_x; i++) {
        const int64_t n = cx_shape_count(&r->x[i].shape);
        for (int64_t k = 0; k < n; k++) r->x[i].data[k] = read_as(r, how, r->b->x[i]->data[k]);
    }
}

static void forward(room *r, cx_tensor *y)
{
    const cx_call call = {
        .n_x = r->b->n_x, .x = r->px, .y = y, .workspace = r->work.data, .exact = 1, .linear = 1};
    cx_layer_forward(&r->other.l, &call);
}

/* Add what a part hands back from s. */
static void hand_back(room *r, const cx_tensor *s)
{
    const cx_backward_call *b = r->b;
    const cx_backward_call call = {.n_x = b->n_x,
                                   .x = r->px,
                                   .y = b->y,
                                   .dy = s,
                                   .dx = r->pd,
                                   .workspace = r->work.data,
                                   .exact = 1};
    cx_layer_backward(&r->other.l, &call);
    for (int i = 0; i < b->n_x; i++) {
        if (!b->dx[i]) continue;
        const int64_t n = cx_shape_count(&r->d[i].shape);
        for (int64_t k = 0; k < n; k++) b->dx[i]->data[k] += r->d[i].data[k] * r->x[i].data[k];
    }
}

/* s = factor R / z, kept away from 0 by a little of z's own sign. */
static void divide(room *r, const group *g, double epsilon)
{
    const float little = (float)epsilon;
    float *z = r->z.data;
    for (int64_t i = 0, n = cx_shape_count(&r->z.shape); i < n; i++) {
        const float way = r->before.data[i];
        const int is_shut = (g->gate > 0 && !(way > 0)) || (g->gate < 0 && !(way < 0));
        z[i] =
            is_shut ? 0 : g->factor * r->b->dy->data[i] / (z[i] + (z[i] >= 0 ? little : -little));
    }
}

static int apply_group(room *r, const group *g, double epsilon, cvs_error *err)
{
    const int64_t n = cx_shape_count(&r->z.shape);
    int rc = 0;
    for (int i = 0; i < g->n; i++) {
        TRY(take(&r->other, &r->whole, &g->parts[i], i == 0 ? &g->bias : NULL, err));
        read_inputs(r, g->parts[i].x);
        forward(r, i == 0 ? &r->z : &r->more);
        if (i > 0) cx_binary_forward(CX_ADD, n, r->z.data, r->more.data, r->z.data);
    }
    divide(r, g, epsilon);
    for (int i = 0; i < g->n; i++) {
        TRY(take(&r->other, &r->whole, &g->parts[i], NULL, err));
        read_inputs(r, g->parts[i].x);
        hand_back(r, &r->z);
    }
out:
    return rc;
}

int cx_lrp_apply(const cx_lrp_rule *rule, const cx_layer *l, const cx_affine *norm,
                 const cx_backward_call *c, cvs_error *err)
{
    static const part as_it_is = {ALL, SCALED, {1, 1}};
    const scaled whole_bias = {1, 1};
    group groups[2];
    room r = {.low = rule->a, .high = rule->b};
    const int n = groups_of(groups, rule);
    int rc;
    TRY(make_room(&r, l, norm, c, err));
    for (int i = 0; i < c->n_x; i++)
        if (c->dx[i])
            memset(c->dx[i]->data, 0, (size_t)cx_shape_count(&c->dx[i]->shape) * sizeof(float));
    if (rule->kind == CX_LRP_GAMMA) {
        TRY(take(&r.other, &r.whole, &as_it_is, &whole_bias, err));
        read_inputs(&r, ALL);
        forward(&r, &r.before);
    }
    for (int i = 0; i < n; i++)
        TRY(apply_group(&r, &groups[i], rule->kind == CX_LRP_EPSILON ? rule->a : stabilizer, err));
out:
    free_room(&r);
    return rc;
}
