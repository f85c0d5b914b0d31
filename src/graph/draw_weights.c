/* draw_weights.c - the weights of a new model. */
#include "base/random.h"
#include "graph/place.h"
#include "graph/run.h"

static size_t size_of(const cx_weight *w)
{
    return cx_place_size((size_t)cx_shape_count(&w->spec.shape));
}

static int draw(cx_layer *l, int layer, char **at, uint64_t seed, cvs_error *err)
{
    for (int k = 0; k < l->n_weights; k++) {
        cx_weight *w = &l->w[k];
        const cx_weight_rule rule = cx_weight_rule_of(l, k);
        const uint64_t stream =
            cx_random_stream(cx_random_stream(seed, (uint64_t)layer), (uint64_t)k);
        float *numbers = (float *)(void *)*at;
        int rc = cx_initializer_draw(numbers, &rule.initial, &w->spec.shape, stream, err);
        if (rc < 0) return cx_where(err, rc, "layer \"%s\": %s", l->name, w->spec.name);
        w->data = numbers;
        *at += size_of(w);
    }
    return 0;
}

int cx_model_draw_weights(cvs_model *m, uint64_t seed, cvs_error *err)
{
    size_t size = 0;
    int rc;
    TRY(cx_model_can_run(m, err));
    for (int i = 0; i < m->n_layers; i++)
        for (int k = 0; k < m->layers[i].n_weights; k++) {
            if (cx_shape_count(&m->layers[i].w[k].spec.shape) < 0)
                TRY(cx_fail(err, CVS_E_NOMEM, "layer \"%s\" has too many weights",
                            m->layers[i].name));
            size += size_of(&m->layers[i].w[k]);
        }
    TRY(cx_check_memory(size, "weights", err));
    TRY(cx_block_init(&m->weights, size, err));
    char *at = m->weights.data;
    for (int i = 0; i < m->n_layers; i++) TRY(draw(&m->layers[i], i, &at, seed, err));
out:
    return rc;
}
