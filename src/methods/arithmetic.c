/* arithmetic.c - one number computed again in plain sight. */
#include "methods/arithmetic.h"

#include <math.h>

void cx_arithmetic_deinit(cx_arithmetic *a)
{
    cx_free(a->operands);
    cx_free(a->inside);
    cx_free(a->x);
    cx_free(a->kernel);
    cx_free(a->sums);
    *a = (cx_arithmetic){0};
}

static double number_at(const cx_stack *s, const cx_place *p)
{
    return (double)s->data[(p->row * s->width + p->column) * s->channels + p->channel];
}

static int is_within(const cx_stack *s, const cx_place *p)
{
    return p->row >= 0 && p->row < s->height && p->column >= 0 && p->column < s->width &&
           p->channel >= 0 && p->channel < s->channels;
}

/* --- a window --- */

static int make_window(cx_arithmetic *a, cvs_error *err)
{
    const cx_window *w = &a->reads.window;
    int64_t n;
    a->high = w->kernel[CX_HEIGHT];
    a->wide = w->kernel[CX_WIDTH];
    a->top = a->place.row * w->stride[CX_HEIGHT] - w->pad[CX_HEIGHT];
    a->left = a->place.column * w->stride[CX_WIDTH] - w->pad[CX_WIDTH];
    a->cells = a->high * a->wide;
    if (cx_mul_count(&n, a->cells, a->reads.channels)) return cx_no_memory(err, SIZE_MAX);
    a->inside = cx_calloc((size_t)a->cells, 1);
    a->x = cx_calloc((size_t)n, sizeof *a->x);
    a->sums = cx_calloc((size_t)a->reads.channels, sizeof *a->sums);
    if (!a->inside || !a->x || !a->sums) return cx_no_memory(err, (size_t)n * sizeof *a->x);
    if (a->reads.how != CX_READS_SUM) return 0;
    a->kernel = cx_calloc((size_t)n, sizeof *a->kernel);
    return a->kernel ? 0 : cx_no_memory(err, (size_t)n * sizeof *a->kernel);
}

static void read_window(cx_arithmetic *a, const cx_stack *s)
{
    const cx_window *w = &a->reads.window;
    for (int64_t i = 0; i < a->cells; i++) {
        const cx_place p = {a->top + i / a->wide * w->dilation[CX_HEIGHT],
                            a->left + i % a->wide * w->dilation[CX_WIDTH], a->reads.first};
        a->inside[i] = (char)is_within(s, &p);
        if (!a->inside[i]) continue;
        const float *from = s->data + (p.row * s->width + p.column) * s->channels + p.channel;
        for (int64_t c = 0; c < a->reads.channels; c++) a->x[i * a->reads.channels + c] = from[c];
    }
}

static double sum_of(const cx_arithmetic *a)
{
    const int64_t n = a->reads.channels;
    double sum = 0;
    for (int64_t c = 0; c < n; c++) a->sums[c] = 0;
    for (int64_t i = 0; i < a->cells * n; i++)
        if (a->inside[i / n]) a->sums[i % n] += (double)a->x[i] * (double)a->kernel[i];
    for (int64_t c = 0; c < n; c++) sum += a->sums[c];
    return a->reads.has_bias ? sum + (double)a->reads.bias : sum;
}

static double pool(cx_arithmetic *a)
{
    double sum = 0, largest = -INFINITY;
    int64_t n = 0;
    a->winner = -1;
    for (int64_t i = 0; i < a->cells; i++) {
        const double x = (double)a->x[i];
        if (!a->inside[i]) continue;
        n++;
        sum += x;
        if (a->winner >= 0 && !(x > largest)) continue;
        largest = x;
        a->winner = i;
    }
    if (a->reads.how == CX_READS_LARGEST) return largest;
    return n > 0 ? sum / (double)n : 0;
}

static double activated(const cx_activation *act, double x)
{
    const cx_shape one = {2, {1, 1}};
    float in = (float)x, out = 0;
    const cx_tensor t = cx_tensor_view(&in, &one);
    cx_activate(act, &t, &out);
    return (double)out;
}

static int is_softmax(const cx_activation *a)
{
    return a->kind == CX_ACT_SOFTMAX || a->kind == CX_ACT_LOG_SOFTMAX;
}

static int sum_channel(float *out, const cx_arithmetic *like, const cx_layer *l, const cx_shape *in,
                       const cx_stack *x, int64_t channel, cvs_error *err)
{
    cx_arithmetic a = {.place = like->place};
    int rc;
    (void)cx_layer_reads(&a.reads, l, in, channel, NULL);
    TRY(make_window(&a, err));
    (void)cx_layer_reads(&a.reads, l, in, channel, a.kernel);
    read_window(&a, x);
    *out = (float)sum_of(&a);
out:
    cx_arithmetic_deinit(&a);
    return rc;
}

static int of_row(double *out, const cx_activation *act, float *row, int64_t n, int64_t channel,
                  cvs_error *err)
{
    const cx_shape shape = {2, {1, n}};
    const cx_tensor t = cx_tensor_view(row, &shape);
    float *y = cx_calloc((size_t)n, sizeof *y);
    if (!y) return cx_no_memory(err, (size_t)n * sizeof *y);
    cx_activate(act, &t, y);
    *out = (double)y[channel];
    cx_free(y);
    return 0;
}

static int finish_sum(cx_arithmetic *a, const cx_layer *l, const cx_shape *in, const cx_stack *x,
                      int64_t channels, cvs_error *err)
{
    cx_activation act;
    float *row = NULL;
    int rc = 0;
    a->result = a->sum;
    if (!cx_layer_ends_with(&act, l)) return 0;
    a->activation = cx_activation_name(&act);
    if (!is_softmax(&act)) {
        a->result = activated(&act, a->sum);
        return 0;
    }
    row = cx_calloc((size_t)channels, sizeof *row);
    if (!row) return cx_no_memory(err, (size_t)channels * sizeof *row);
    /* It looks at all channels of the place, which have sums of their own. */
    for (int64_t c = 0; c < channels; c++) TRY(sum_channel(&row[c], a, l, in, x, c, err));
    TRY(of_row(&a->result, &act, row, channels, a->place.channel, err));
out:
    cx_free(row);
    return rc;
}

static int explain_window(cx_arithmetic *a, const cx_layer *l, const cx_shape *in,
                          const cx_stack *x, int64_t channels, cvs_error *err)
{
    int rc;
    a->made = CX_MADE_READ;
    TRY(make_window(a, err));
    (void)cx_layer_reads(&a->reads, l, in, a->place.channel, a->kernel);
    read_window(a, x);
    if (a->reads.how == CX_READS_SUM) {
        a->sum = sum_of(a);
        TRY(finish_sum(a, l, in, x, channels, err));
    } else
        a->sum = a->result = pool(a);
out:
    return rc;
}

/* --- other layers --- */

static int is_same_size(const cx_operand *o, const cx_stack *s)
{
    return o->height == s->height && o->width == s->width && o->channels == s->channels;
}

/* The number stands at the same place of C order. Where channels come first, that is not the
 * stacks' order, so only what has the same size is told. */
static void explain_move(cx_arithmetic *a, const cx_stack *y, const cx_stack *x)
{
    cx_operand *o = &a->operands[0];
    const int64_t n = (a->place.row * y->width + a->place.column) * y->channels + a->place.channel;
    if (!o->has_value && !x->turned.data && !y->turned.data) {
        o->place =
            (cx_place){n / x->channels / x->width, n / x->channels % x->width, n % x->channels};
        o->has_value = is_within(x, &o->place);
        if (o->has_value) o->value = number_at(x, &o->place);
    }
    if (!o->has_value) return;
    a->made = CX_MADE_MOVED;
    a->sum = a->result = o->value;
}

static void explain_scale(cx_arithmetic *a, const cx_affine *s)
{
    a->made = CX_MADE_SCALED;
    a->scale = (double)s->scale[a->place.channel];
    a->shift = (double)s->shift[a->place.channel];
    a->sum = a->result = a->operands[0].value * a->scale + a->shift;
}

static int explain_activation(cx_arithmetic *a, const cx_activation *act, const cx_stack *x,
                              cvs_error *err)
{
    a->made = CX_MADE_ACTIVATED;
    a->activation = cx_activation_name(act);
    a->sum = a->operands[0].value;
    if (is_softmax(act))
        return of_row(&a->result, act,
                      (float *)(uintptr_t)(x->data + (a->place.row * x->width + a->place.column) *
                                                         x->channels),
                      x->channels, a->place.channel, err);
    a->result = activated(act, a->sum);
    return 0;
}

/* Of inputs with the same rows and columns whose channels lie on end: the one with the number. */
static int find_joined(cx_arithmetic *a, const cx_stack *x, const cx_stack *y)
{
    int64_t all = 0, at = a->place.channel;
    for (int i = 0; i < a->n_operands; i++) {
        const cx_operand *o = &a->operands[i];
        if (o->height != y->height || o->width != y->width) return 0;
        all += o->channels;
    }
    if (a->n_operands < 2 || all != y->channels) return 0;
    for (int i = 0; i < a->n_operands; at -= a->operands[i++].channels) {
        cx_operand *o = &a->operands[i];
        o->has_value = at >= 0 && at < o->channels;
        if (!o->has_value) continue;
        o->place = (cx_place){a->place.row, a->place.column, at};
        o->value = number_at(&x[i], &o->place);
        a->sum = a->result = o->value;
    }
    a->made = CX_MADE_MOVED;
    return 1;
}

static int explain_other(cx_arithmetic *a, const cvs_run *run, const cx_stack *x, const cx_stack *y,
                         cvs_error *err)
{
    const cx_layer *l = &run->model->layers[run->model->nodes[a->node].layer];
    const cx_affine *affine = l->state;
    cx_activation act;
    a->sum = a->result = NAN;
    a->made = CX_MADE_OTHERWISE;
    if (a->n_operands == 0) {
        a->made = CX_MADE_GIVEN;
        a->sum = a->result = a->value;
    } else if (a->n_operands == 1 && cx_layer_is_identity(l)) {
        explain_move(a, y, x);
    } else if (a->operands[0].has_value && a->n_operands == 1) {
        if (l->kind->is_scale_shift && affine && affine->n == y->channels) {
            explain_scale(a, affine);
        } else if (l->kind->as_activation && cx_layer_ends_with(&act, l)) {
            return explain_activation(a, &act, x, err);
        }
    } else if (!find_joined(a, x, y) && a->n_operands > 1) {
        a->made = CX_MADE_COMBINED;
    }
    return 0;
}

/* --- the whole --- */

static int read_operands(cx_arithmetic *a, const cvs_run *run, cx_map *maps, cx_stack *stacks,
                         const cx_stack *y, cvs_error *err)
{
    const cx_node *node = &run->model->nodes[a->node];
    int rc = 0;
    for (int i = 0; i < node->n_inputs; i++) {
        cx_operand *o = &a->operands[i];
        TRY(cx_map_of(&maps[i], run, node->inputs[i], 0, err));
        stacks[i] = maps[i].stack;
        *o = (cx_operand){node->inputs[i],
                          stacks[i].height,
                          stacks[i].width,
                          stacks[i].channels,
                          0,
                          a->place,
                          NAN};
        o->has_value = is_same_size(o, y);
        if (o->has_value) o->value = number_at(&stacks[i], &o->place);
    }
out:
    return rc;
}

int cx_arithmetic_of(cx_arithmetic *out, const cvs_run *run, int node, const cx_place *place,
                     cvs_error *err)
{
    const cx_node *n = &run->model->nodes[node];
    const cx_layer *l = &run->model->layers[n->layer];
    const size_t n_in = (size_t)n->n_inputs;
    cx_map y = {0}, *maps = cx_calloc(n_in, sizeof *maps);
    cx_stack *x = cx_calloc(n_in, sizeof *x);
    int rc = 0;
    *out = (cx_arithmetic){.node = node, .place = *place, .winner = -1, .n_operands = n->n_inputs};
    out->operands = cx_calloc(n_in, sizeof *out->operands);
    if (!maps || !x || !out->operands) TRY(cx_no_memory(err, n_in * sizeof *maps));
    TRY(cx_map_of(&y, run, node, 0, err));
    if (!is_within(&y.stack, place)) TRY(cx_fail(err, CVS_E_ARG, "the layer has no such place"));
    out->value = number_at(&y.stack, place);
    TRY(read_operands(out, run, maps, x, &y.stack, err));
    if (n_in == 1 && cx_layer_reads(&out->reads, l, &maps[0].y.shape, place->channel, NULL))
        TRY(explain_window(out, l, &maps[0].y.shape, x, y.stack.channels, err));
    else
        TRY(explain_other(out, run, x, &y.stack, err));
out:
    for (size_t i = 0; maps && i < n_in; i++) cx_map_deinit(&maps[i]);
    cx_free(maps);
    cx_free(x);
    cx_map_deinit(&y);
    if (rc < 0) cx_arithmetic_deinit(out);
    return rc;
}

int64_t cx_arithmetic_strongest(const cx_arithmetic *a, int64_t *channels, int64_t most)
{
    int64_t n = 0;
    for (int64_t c = 0; c < a->reads.channels; c++) {
        int64_t at = n < most ? n++ : n;
        while (at > 0 && fabs(a->sums[channels[at - 1]]) < fabs(a->sums[c])) {
            if (at < most) channels[at] = channels[at - 1];
            at--;
        }
        if (at < most) channels[at] = c;
    }
    return n;
}
