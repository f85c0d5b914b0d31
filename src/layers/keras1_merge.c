/* keras1_merge.c - Merge, Keras 1's one layer for what later became a class each: it is the layer
 * that its mode names. */
#include <stddef.h>

#include "layers/layer.h"

enum { SUM, MUL, AVE, MAX, CONCAT, DOT, COS };
static const char *const modes[] = {"sum", "mul", "ave", "max", "concat", "dot", "cos", NULL};
static const char *const classes[] = {"Add",         "Multiply", "Average", "Maximum",
                                      "Concatenate", "Dot",      "Dot"};

typedef struct merge_config {
    int mode;
    cx_layer inner;
} merge_config;

static const cx_field fields[] = {
    {"mode", CX_WORD, offsetof(merge_config, mode), SUM, 0, 0, modes},
    {0},
};

static int configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                     cx_arena *arena, cvs_error *err)
{
    merge_config *k = l->cfg;
    return cx_layer_init(&k->inner, classes[k->mode], l->name, config, context, arena, err);
}

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    const merge_config *k = l->cfg;
    /* Of larger inputs Keras 1 divided by lengths that do not belong to the products. */
    for (int i = 0; k->mode == COS && i < n_in; i++)
        if (in[i].ndim != 2)
            return cx_fail(err, CVS_E_UNSUPPORTED, "mode: cos is supported for vectors only");
    return cx_layer_infer(&k->inner, in, n_in, out, err);
}

static size_t workspace(const cx_layer *l, const cx_shape *in, int n_in, const cx_shape *out)
{
    const merge_config *k = l->cfg;
    return cx_layer_workspace(&k->inner, in, n_in, out);
}

static void forward(const cx_layer *l, const cx_call *c)
{
    const merge_config *k = l->cfg;
    cx_layer_forward(&k->inner, c);
}

static void backward(const cx_layer *l, const cx_backward_call *c)
{
    const merge_config *k = l->cfg;
    cx_layer_backward(&k->inner, c);
}

static size_t backward_workspace(const cx_layer *l, const cx_shape *in, int n_in,
                                 const cx_shape *out)
{
    const merge_config *k = l->cfg;
    return cx_layer_backward_workspace(&k->inner, in, n_in, out);
}

static const cx_layer *inner(const cx_layer *l)
{
    return &((const merge_config *)l->cfg)->inner;
}

const cx_layer_kind cx_layer_keras1_merge = {
    .class_name = "Merge",
    .family = CX_MERGING,
    .cfg_size = sizeof(merge_config),
    .fields = fields,
    .configure = configure,
    .infer = infer,
    .workspace = workspace,
    .forward = forward,
    .backward = backward,
    .backward_workspace = backward_workspace,
    .inner = inner,
};
