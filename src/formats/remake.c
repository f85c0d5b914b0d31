/* remake.c - a model built anew with the weights that it had. */
#include "formats/remake.h"

#include <string.h>

#include "formats/config.h"

static int fits(const cvs_model *made, const cvs_model *m, const int *from, int n)
{
    int same = made->n_layers == n;
    for (int i = 0; same && i < n; i++) {
        if (from[i] < 0) continue;
        const cx_layer *x = &made->layers[i], *y = &m->layers[from[i]];
        same = x->n_weights == y->n_weights;
        for (int k = 0; same && k < x->n_weights; k++)
            same = cx_shape_equal(&x->w[k].spec.shape, &y->w[k].spec.shape) && y->w[k].data;
    }
    return same;
}

/* A weight that was drawn lies in the new model's own block. */
static void copy_weights(cvs_model *to, const cvs_model *m, const int *from)
{
    for (int i = 0; i < to->n_layers; i++)
        for (int k = 0; from[i] >= 0 && k < to->layers[i].n_weights; k++) {
            const cx_weight *w = &to->layers[i].w[k];
            const ptrdiff_t at = w->data - (const float *)to->weights.data;
            memcpy((float *)to->weights.data + at, m->layers[from[i]].w[k].data,
                   (size_t)cx_shape_count(&w->spec.shape) * sizeof(float));
        }
}

int cx_remake(cvs_model **out, const cvs_model *m, const cx_json *description, const int *from,
              int n, uint64_t seed, cvs_error *err)
{
    cvs_model *made = NULL;
    int rc;
    *out = NULL;
    TRY(cx_config_build(&made, description, m->keras_version[0] ? m->keras_version : NULL, err));
    TRY(cx_model_draw_weights(made, seed, err));
    if (!fits(made, m, from, n))
        TRY(cx_fail(err, CVS_E_UNSUPPORTED, "with this change it is another model"));
    copy_weights(made, m, from);
    TRY(cx_model_finish(made, err));
    *out = made;
    made = NULL;
out:
    cvs_model_free(made);
    return rc;
}
