/* call.c - how layers are made and called. Kinds compute with channels last, and this file is the
 * one place that knows of models whose channels come first: what such a layer takes and gives is
 * turned here, so that it has the model's own order of axes outside. */
#include <string.h>

#include "base/str.h"
#include "layers/layer.h"

enum { LINE = 64 }; /* bytes; what lies in the workspace begins on one */

/* Keras 1 called it dim_ordering, and "th" after Theano; "default" was the user's own setting,
 * which no file tells. */
static int read_data_format(int *channels_first, const cx_json *config, cvs_error *err)
{
    static const char *const last[] = {"", "channels_last", "tf", "default"};
    char key[CX_KEY_TEXT];
    const char *word = cx_json_string(cx_config_get(config, "data_format|dim_ordering", key), "");
    *channels_first = cx_streq(word, "channels_first") || cx_streq(word, "th");
    for (size_t i = 0; i < sizeof last / sizeof *last; i++)
        if (*channels_first || cx_streq(word, last[i])) return 0;
    return cx_fail(err, CVS_E_UNSUPPORTED, "%s: \"%.40s\" is not supported", key, word);
}

int cx_layer_init(cx_layer *out, const char *class_name, const char *name, const cx_json *config,
                  const cx_config_context *context, cx_arena *arena, cvs_error *err)
{
    const cx_layer_kind *kind = cx_layer_kind_find(class_name);
    *out = (cx_layer){0};
    if (!kind)
        return cx_fail(err, CVS_E_UNSUPPORTED, "layers of class %s are not supported", class_name);
    return cx_layer_init_of(out, kind, name, config, context, arena, err);
}

int cx_layer_init_of(cx_layer *out, const cx_layer_kind *kind, const char *name,
                     const cx_json *config, const cx_config_context *context, cx_arena *arena,
                     cvs_error *err)
{
    int rc = 0;
    *out = (cx_layer){.kind = kind, .name = name, .class_name = kind->class_name, .n_weights = -1};
    out->trainable = cx_json_bool(cx_json_get(config, "trainable"), 1);
    out->cfg = cx_arena_alloc(arena, kind->cfg_size);
    if (!out->cfg) return cx_no_memory(err, kind->cfg_size);
    if (kind->has_data_format) TRY(read_data_format(&out->channels_first, config, err));
    out->untrainable = kind->untrainable;
    TRY(cx_fields_read(out->cfg, kind->fields, kind->rank, config, context, err));
    TRY(cx_weight_rules_read(out, config, arena, err));
    if (kind->configure) TRY(kind->configure(out, config, context, arena, err));
out:
    return rc;
}

/* --- channels first --- */

static int is_turned(const cx_layer *l, const cx_shape *s)
{
    return l->channels_first && s->ndim > 2;
}

/* (batch, channels, …) as (batch, …, channels). */
static cx_shape with_last(const cx_shape *s)
{
    cx_shape last = *s;
    for (int i = 1; i + 1 < s->ndim; i++) last.d[i] = s->d[i + 1];
    last.d[s->ndim - 1] = s->d[1];
    return last;
}

static cx_shape with_first(const cx_shape *s)
{
    cx_shape first = *s;
    for (int i = 2; i < s->ndim; i++) first.d[i] = s->d[i - 1];
    first.d[1] = s->d[s->ndim - 1];
    return first;
}

/* Between the two, whose shape with channels first is given. */
static void turn(const cx_shape *first, const float *x, float *y, int to_last)
{
    const int64_t channels = first->d[1], cells = cx_shape_count_range(first, 2, first->ndim);
    const cx_box box = {.ndim = 3,
                        .size = {first->d[0], cells, channels},
                        .from = {cells * channels, 1, cells},
                        .to = {cells * channels, channels, 1}};
    const cx_box back = cx_box_back(&box);
    cx_copy_box(to_last ? &box : &back, x, y);
}

static size_t bytes_of(const cx_shape *s)
{
    return ((size_t)cx_shape_count(s) * sizeof(float) + LINE - 1) / LINE * LINE;
}

/* --- calls --- */

int cx_layer_is_identity(const cx_layer *l)
{
    return l->kind->is_identity && !l->channels_first;
}

int cx_layer_stays_identity(const cx_layer *l)
{
    return cx_layer_is_identity(l) && !l->kind->trains;
}

int64_t cx_layer_keeps(const cx_layer *l, const cx_shape *in)
{
    return l->kind->keeps ? l->kind->keeps(l, in) : 0;
}

size_t cx_layer_training_workspace(const cx_layer *l, const cx_shape *in)
{
    return l->kind->training_workspace ? l->kind->training_workspace(l, in) : 0;
}

int cx_layer_infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    int rc;
    if (n_in != 1 || !is_turned(l, in)) return l->kind->infer(l, in, n_in, out, err);
    const cx_shape last = with_last(in);
    TRY(l->kind->infer(l, &last, 1, out, err));
    if (out->ndim > 2) *out = with_first(out);
out:
    return rc;
}

int cx_layer_weights(const cx_layer *l, const cx_shape *in, int n_in,
                     cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    if (!l->kind->weights) return 0;
    if (!is_turned(l, in)) return l->kind->weights(l, in, n_in, out, err);
    const cx_shape last = with_last(in);
    return l->kind->weights(l, &last, 1, out, err);
}

static size_t own_workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    return l->kind->workspace ? l->kind->workspace(l, in, n_in, out) : 0;
}

size_t cx_layer_workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    if (!is_turned(l, in)) return own_workspace(l, in, n_in, out);
    const cx_shape x = with_last(in), y = out->ndim > 2 ? with_last(out) : *out;
    return bytes_of(in) + bytes_of(out) + own_workspace(l, &x, 1, &y);
}

size_t cx_layer_transformed_size(const cx_layer *l, const cx_shape *in, int back)
{
    const cx_shape x = is_turned(l, in) ? with_last(in) : *in;
    return l->kind->transformed_size ? l->kind->transformed_size(l, &x, back) : 0;
}

void cx_layer_transform(const cx_layer *l, const cx_shape *in, int back, float *to)
{
    const cx_shape x = is_turned(l, in) ? with_last(in) : *in;
    l->kind->transform(l, &x, back, to);
}

int cx_layer_takes(const cx_layer *l, const cx_shape *in, int exact, const cx_after *after)
{
    return !l->channels_first && l->kind->takes && l->kind->takes(l, in, exact, after);
}

size_t cx_layer_after_workspace(const cx_layer *l, const cx_shape *in, const cx_after *after)
{
    return l->kind->after_workspace ? l->kind->after_workspace(l, in, after) : 0;
}

const cx_affine *cx_layer_as_affine(const cx_layer *l, const cx_shape *in)
{
    return l->kind->as_affine ? l->kind->as_affine(l, in) : NULL;
}

int cx_layer_as_pooling(cx_window *out, const cx_layer *l, const cx_shape *in)
{
    return !l->channels_first && l->kind->as_pooling && l->kind->as_pooling(l, in, out);
}

int cx_layer_as_pointwise(cx_pointwise *out, const cx_layer *l, const cx_shape *in)
{
    return !l->channels_first && l->kind->as_pointwise && l->kind->as_pointwise(l, in, out);
}

int cx_layer_reads(cx_reads *out, const cx_layer *l, const cx_shape *in, int64_t channel,
                   float *kernel)
{
    const cx_shape x = is_turned(l, in) ? with_last(in) : *in;
    *out = (cx_reads){0};
    if (!l->kind->reads || l->kind->rank > 2) return 0;
    l->kind->reads(l, &x, channel, out, kernel);
    return 1;
}

void cx_layer_forward(const cx_layer *l, const cx_call *c)
{
    const cx_shape *in = &c->x[0]->shape, *out = &c->y->shape;
    if (!is_turned(l, in)) {
        l->kind->forward(l, c);
        return;
    }
    const cx_shape x_shape = with_last(in), y_shape = out->ndim > 2 ? with_last(out) : *out;
    char *room = c->workspace;
    const cx_tensor x = cx_tensor_view((float *)(void *)room, &x_shape), *px = &x;
    room += bytes_of(in);
    cx_tensor y = cx_tensor_view(out->ndim > 2 ? (float *)(void *)room : c->y->data, &y_shape);
    room += bytes_of(out);
    cx_call call = *c;
    call.x = &px;
    call.y = &y;
    call.workspace = room;
    turn(in, c->x[0]->data, x.data, 1);
    l->kind->forward(l, &call);
    if (out->ndim > 2) turn(out, y.data, c->y->data, 0);
}

/* --- the way back --- */

int cx_layer_has_backward(const cx_layer *l)
{
    const cx_layer_kind *kind = l->kind;
    if (kind->inner && !cx_layer_has_backward(kind->inner(l))) return 0;
    return kind->is_identity || kind->as_activation || kind->backward;
}

static void own_backward(const cx_layer *l, const cx_backward_call *c)
{
    cx_activation a;
    if (l->kind->is_identity && !(c->training && l->kind->trains))
        memcpy(c->dx[0]->data, c->dy->data, (size_t)cx_shape_count(&c->dy->shape) * sizeof(float));
    else if (l->kind->as_activation && l->kind->as_activation(l, &a))
        cx_activate_backward(&a, c->x[0]->data, c->y, c->dy->data, c->dx[0]->data);
    else
        l->kind->backward(l, c);
}

static size_t own_backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                     const cx_shape *out)
{
    return l->kind->backward_workspace ? l->kind->backward_workspace(l, in, n_in, out) : 0;
}

size_t cx_layer_backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                   const cx_shape *out)
{
    if (!is_turned(l, in)) return own_backward_workspace(l, in, n_in, out);
    const cx_shape x = with_last(in), y = out->ndim > 2 ? with_last(out) : *out;
    return 2 * bytes_of(in) + 2 * bytes_of(out) + own_backward_workspace(l, &x, 1, &y);
}

/* The tensor with its channels last, in `*room`, which moves on; itself where it has no more than
 * two axes. */
static cx_tensor turned(const cx_tensor *t, int copy, char **room)
{
    if (t->shape.ndim <= 2) return *t;
    const cx_shape last = with_last(&t->shape);
    const cx_tensor out = cx_tensor_view((float *)(void *)*room, &last);
    *room += bytes_of(&last);
    if (copy) turn(&t->shape, t->data, out.data, 1);
    return out;
}

void cx_layer_backward(const cx_layer *l, const cx_backward_call *c)
{
    if (!is_turned(l, &c->x[0]->shape)) {
        own_backward(l, c);
        return;
    }
    char *room = c->workspace;
    const cx_tensor x = turned(c->x[0], 1, &room), y = turned(c->y, 1, &room);
    const cx_tensor dy = turned(c->dy, 1, &room), *px = &x;
    cx_tensor dx, *pdx = NULL;
    if (c->dx[0]) {
        dx = turned(c->dx[0], 0, &room);
        pdx = &dx;
    }
    const cx_backward_call call = {.n_x = 1,
                                   .x = &px,
                                   .y = &y,
                                   .dy = &dy,
                                   .dx = &pdx,
                                   .dw = c->dw,
                                   .transformed = c->transformed,
                                   .workspace = room,
                                   .exact = c->exact,
                                   .training = c->training,
                                   .rectify = c->rectify};
    own_backward(l, &call);
    if (pdx) turn(&c->dx[0]->shape, dx.data, c->dx[0]->data, 0);
}
