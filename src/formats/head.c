/* head.c - the last layer of a model made anew, for other classes. */
#include "formats/head.h"

#include <string.h>

#include "base/str.h"
#include "formats/config.h"
#include "formats/save.h"

static int find_head(int *layer, const cvs_model *m, cvs_error *err)
{
    int rc = 0;
    *layer = m->n_outputs == 1 ? m->nodes[m->outputs[0]].layer : -1;
    if (*layer < 0)
        return cx_fail(err, CVS_E_UNSUPPORTED, "a model of %d outputs gets no new head",
                       m->n_outputs);
    const cx_layer *l = &m->layers[*layer];
    if (l->kind == cx_layer_kind_find("Dense") && m->entries[l->entry].module == 0) return 0;
    rc = cx_fail(err, CVS_E_UNSUPPORTED,
                 "the last layer is %s, a Dense of the model itself is wanted", l->class_name);
    return cx_where(err, rc, "layer \"%s\"", l->name);
}

/* The configuration of the layer of that name, in the model's own list. */
static cx_json *config_of(const cx_json *description, const char *name)
{
    const cx_json *config = cx_json_get(description, "config");
    const cx_json *list = cx_json_is_array(config) ? config : cx_json_get(config, "layers");
    for (size_t i = 0; i < cx_json_size(list); i++) {
        cx_json *found = cx_json_get(cx_json_at(list, i), "config");
        if (cx_streq(cx_json_string(cx_json_get(found, "name"), NULL), name)) return found;
    }
    return NULL;
}

/* A weight that was drawn lies in the new model's own block. */
static void copy_weights(cvs_model *to, const cvs_model *from, int head)
{
    for (int i = 0; i < to->n_layers; i++)
        for (int k = 0; i != head && k < to->layers[i].n_weights; k++) {
            const cx_weight *w = &to->layers[i].w[k];
            const ptrdiff_t at = w->data - (const float *)to->weights.data;
            memcpy((float *)to->weights.data + at, from->layers[i].w[k].data,
                   (size_t)cx_shape_count(&w->spec.shape) * sizeof(float));
        }
}

static int have_same_weights(const cvs_model *a, const cvs_model *b, int head)
{
    int same = a->n_layers == b->n_layers;
    for (int i = 0; same && i < a->n_layers; i++) {
        const cx_layer *x = &a->layers[i], *y = &b->layers[i];
        same = x->n_weights == y->n_weights;
        for (int k = 0; same && i != head && k < x->n_weights; k++)
            same = cx_shape_equal(&x->w[k].spec.shape, &y->w[k].spec.shape) && y->w[k].data;
    }
    return same;
}

int cx_head_new(cvs_model **out, const cvs_model *m, int n_classes, uint64_t seed, cvs_error *err)
{
    cx_json *description = NULL, *config;
    cvs_model *made = NULL;
    int head, rc;
    *out = NULL;
    if (n_classes < 2) return cx_fail(err, CVS_E_ARG, "%d classes: two at least", n_classes);
    TRY(cx_save_check(m, err));
    TRY(find_head(&head, m, err));
    TRY(cx_save_description(&description, m, err));
    config = config_of(description, m->layers[head].name);
    if (!config)
        TRY(cx_fail(err, CVS_E_UNSUPPORTED, "the description does not name the last layer"));
    cx_json_put(config, "units", cx_json_of_int(n_classes == 2 ? 1 : n_classes));
    cx_json_put(config, "activation", cx_json_of_string(n_classes == 2 ? "sigmoid" : "softmax"));
    TRY(cx_config_build(&made, description, m->keras_version[0] ? m->keras_version : NULL, err));
    TRY(cx_model_draw_weights(made, seed, err));
    if (!have_same_weights(made, m, head))
        TRY(cx_fail(err, CVS_E_UNSUPPORTED, "the model is another with a new last layer"));
    copy_weights(made, m, head);
    TRY(cx_model_finish(made, err));
    *out = made;
    made = NULL;
out:
    cvs_model_free(made);
    cx_json_free(description);
    return rc;
}
