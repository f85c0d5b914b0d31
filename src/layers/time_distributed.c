/* time_distributed.c - TimeDistributed: another layer applied to every step of a sequence by
 * itself. Batch and time are folded into one axis, so the inner layer sees a larger batch. */
#include "base/str.h"
#include "layers/layer.h"

typedef struct time_config {
    cx_layer inner;
} time_config;

static int configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                     cx_arena *arena, cvs_error *err)
{
    time_config *k = l->cfg;
    const cx_json *layer = cx_json_get(config, "layer");
    const char *class_name = cx_json_string(cx_json_get(layer, "class_name"), NULL);
    if (!class_name) return cx_fail(err, CVS_E_FORMAT, "layer: missing");
    const cx_json *inner = cx_json_get(layer, "config");
    if (cx_json_is_array(inner) || cx_json_is_array(cx_json_get(inner, "layers"))) {
        cx_fail(err, CVS_E_UNSUPPORTED,
                "TimeDistributed is supported for a layer, not for a model");
        cx_hint(err, "put each layer of the model into a TimeDistributed of its own");
        return CVS_E_UNSUPPORTED;
    }
    int rc = cx_layer_init(&k->inner, class_name, l->name, inner, context, arena, err);
    l->untrainable = k->inner.untrainable;
    /* Keras calls it for one step after the other, each with moments of its own. */
    if (rc == 0 && k->inner.kind->keeps) l->untrainable = "statistics of each step of a sequence";
    return rc < 0 ? cx_where(err, rc, "layer of class %s", class_name) : rc;
}

/* (batch, time, …) as (batch * time, …). */
static int fold(cx_shape *out, const cx_shape *in, cvs_error *err)
{
    *out = *in;
    out->ndim--;
    for (int i = 1; i < out->ndim; i++) out->d[i] = in->d[i + 1];
    out->d[0] = CX_FREE;
    if (in->d[0] != CX_FREE && in->d[1] != CX_FREE && cx_mul_count(&out->d[0], in->d[0], in->d[1]))
        return cx_fail(err, CVS_E_NOMEM, "a sequence of %lld steps is too long",
                       (long long)in->d[1]);
    return 0;
}

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const time_config *k = l->cfg;
    char text[CX_SHAPE_TEXT];
    cx_shape folded, made;
    int rc;
    TRY(cx_expect_input(in, n_in, 0, err));
    if (in->ndim < 3)
        return cx_fail(err, CVS_E_FORMAT, "an input of 3 axes or more is wanted, not %s",
                       cx_shape_text(text, in));
    TRY(fold(&folded, in, err));
    TRY(cx_layer_infer(&k->inner, &folded, 1, &made, err));
    if (made.ndim >= CX_MAX_DIMS)
        return cx_fail(err, CVS_E_UNSUPPORTED, "more than %d axes", CX_MAX_DIMS);
    *out = (cx_shape){.ndim = made.ndim + 1, .d = {in->d[0], in->d[1]}};
    for (int i = 1; i < made.ndim; i++) out->d[i + 1] = made.d[i];
    TRY(cx_expect_size(out, err));
out:
    return rc;
}

static int weights(const cx_layer *l, const cx_shape *in, int n_in,
                   cx_weight_spec out[CX_MAX_WEIGHTS], cvs_error *err)
{
    const time_config *k = l->cfg;
    cx_shape folded;
    int rc;
    (void)n_in;
    TRY(fold(&folded, in, err));
    rc = cx_layer_weights(&k->inner, &folded, 1, out, err);
out:
    return rc;
}

static int prepare(cx_layer *l, cx_arena *arena, cvs_error *err)
{
    time_config *k = l->cfg;
    k->inner.n_weights = l->n_weights;
    for (int i = 0; i < l->n_weights; i++) k->inner.w[i] = l->w[i];
    return k->inner.kind->prepare ? k->inner.kind->prepare(&k->inner, arena, err) : 0;
}

static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    const time_config *k = l->cfg;
    cx_shape x, y;
    (void)n_in;
    (void)fold(&x, in, NULL); /* accepted by infer */
    (void)fold(&y, out, NULL);
    return cx_layer_workspace(&k->inner, &x, 1, &y);
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const time_config *k = l->cfg;
    cx_shape x_shape, y_shape;
    (void)fold(&x_shape, &c->x[0]->shape, NULL); /* accepted by infer */
    (void)fold(&y_shape, &c->y->shape, NULL);
    const cx_tensor x = cx_tensor_view(c->x[0]->data, &x_shape), *px = &x;
    cx_tensor y = cx_tensor_view(c->y->data, &y_shape);
    cx_call call = *c;
    call.x = &px;
    call.y = &y;
    cx_layer_forward(&k->inner, &call);
}

static size_t backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                 const cx_shape *out)
{
    const time_config *k = l->cfg;
    cx_shape x, y;
    (void)n_in;
    (void)fold(&x, in, NULL); /* accepted by infer */
    (void)fold(&y, out, NULL);
    return cx_layer_backward_workspace(&k->inner, &x, 1, &y);
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const time_config *k = l->cfg;
    cx_shape x_shape, y_shape;
    (void)fold(&x_shape, &c->x[0]->shape, NULL); /* accepted by infer */
    (void)fold(&y_shape, &c->y->shape, NULL);
    const cx_tensor x = cx_tensor_view(c->x[0]->data, &x_shape), *px = &x;
    const cx_tensor y = cx_tensor_view(c->y->data, &y_shape);
    const cx_tensor dy = cx_tensor_view(c->dy->data, &y_shape);
    cx_tensor dx = x, *pdx = c->dx[0] ? &dx : NULL;
    if (pdx) dx.data = c->dx[0]->data;
    const cx_backward_call call = {.n_x = 1,
                                   .x = &px,
                                   .y = &y,
                                   .dy = &dy,
                                   .dx = &pdx,
                                   .dw = c->dw,
                                   .workspace = c->workspace,
                                   .exact = c->exact,
                                   .training = c->training};
    cx_layer_backward(&k->inner, &call);
}

static const cx_layer *inner(const cx_layer *l)
{
    return &((const time_config *)l->cfg)->inner;
}

const cx_layer_kind cx_layer_time_distributed = {
    .class_name = "TimeDistributed",
    .cfg_size = sizeof(time_config),
    .moves_axes = 1,
    .configure = configure,
    .infer = infer,
    .weights = weights,
    .prepare = prepare,
    .workspace = workspace,
    .forward = forward,
    .backward = backward,
    .backward_workspace = backward_workspace,
    .inner = inner,
};
