/* metric_sanity.c - the sanity check (Adebayo et al. 2018): layers' weights are replaced by random
 * ones, from the last layer down, and the map is made again. A map that stays the same tells of the
 * picture and not of the network.
 *
 * A weight becomes a draw from N(0, s²) with the deviation s that the array had; normalisations
 * keep what they have. The value is the mean rank correlation over the depths. */
#include <math.h>
#include <stdio.h>

#include "base/random.h"
#include "graph/variant.h"
#include "methods/trust.h"

static int has_knowledge(const cx_layer *l)
{
    return l->n_weights > 0 && l->kind->family != CX_NORMALIZING && !l->kind->is_scale_shift;
}

static double deviation(const float *v, int64_t n)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)v[i];
    for (int64_t i = 0; i < n; i++) {
        const double d = (double)v[i] - sum / (double)n;
        squares += d * d;
    }
    return n > 0 ? sqrt(squares / (double)n) : 0;
}

static void forget(cx_variant *v, int layer, uint64_t seed)
{
    const cx_layer *l = &v->model.layers[layer];
    for (int k = 0; k < l->n_weights; k++) {
        float *w = v->w[layer][k];
        const int64_t n = cx_shape_count(&l->w[k].spec.shape);
        const double s = deviation(w, n);
        const uint64_t stream =
            cx_random_stream(cx_random_stream(seed, 0x5a17 + (uint64_t)layer), (uint64_t)k);
        for (int64_t i = 0; i < n; i++) w[i] = (float)(s * cx_random_normal(stream, (uint64_t)i));
    }
}

/* Layers that the answer depends on, in their order; those that are called twice stand once. */
static int layers_of(int *out, const cx_subject *s)
{
    const cvs_model *m = s->q.model;
    int n = 0;
    for (int i = 0; i <= s->q.goal.spot.node; i++) {
        const int layer = m->nodes[i].layer;
        int is_new = has_knowledge(&m->layers[layer]);
        for (int k = 0; k < n; k++) is_new &= out[k] != layer;
        if (is_new) out[n++] = layer;
    }
    return n;
}

/* How alike the map is, as it is drawn, to the one of the whole network. */
static int compare(cvs_trust_depth *d, const cvs_explanation *whole, cvs_error *err)
{
    const int64_t n = whole->height * whole->width;
    float *a = NULL, *b = NULL;
    int is_signed, rc;
    TRY(cx_explanation_places(&a, &is_signed, whole, err));
    TRY(cx_explanation_places(&b, &is_signed, d->explanation, err));
    TRY(cx_rank_correlation(&d->spearman, a, b, n, err));
    d->ssim = cx_structural_similarity(a, b, whole->height, whole->width);
out:
    cx_free(a);
    cx_free(b);
    return rc;
}

static int measure(cx_subject *s, double *value, cvs_error *err)
{
    const cvs_model *m = s->q.model;
    cvs_trust *t = s->t;
    cx_variant v = {0};
    int *layers = cx_calloc((size_t)m->n_nodes, sizeof *layers);
    double sum = 0;
    int rc = 0;
    if (!layers) TRY(cx_no_memory(err, (size_t)m->n_nodes * sizeof *layers));
    const int n = layers_of(layers, s), depths = n < CVS_MAX_DEPTHS ? n : CVS_MAX_DEPTHS;
    if (depths == 0) goto out;
    TRY(cx_variant_init(&v, m, err));
    for (int d = 0, next = n; d < depths; d++) {
        cvs_trust_depth *depth = &t->depths[d];
        const int down_to = n - (int)((int64_t)n * (d + 1) / depths);
        while (next > down_to) forget(&v, layers[--next], s->how.seed);
        TRY(cx_variant_prepare(&v, err));
        snprintf(depth->layer, sizeof depth->layer, "%s", m->layers[layers[next]].name);
        TRY(cx_subject_ask(&depth->explanation, s, &v.model, s->x, err));
        t->n_depths = d + 1;
        TRY(compare(depth, t->explanation, err));
        sum += fabs(depth->spearman);
    }
    *value = sum / depths;
out:
    cx_variant_deinit(&v);
    cx_free(layers);
    return rc;
}

const cx_metric cx_metric_sanity = {
    .about = {.name = "sanity",
              .title = "Sanity check",
              .cite = "Adebayo et al. 2018, Sanity Checks for Saliency Maps, arXiv:1810.03292",
              .says = "how alike the map stays when the network forgets what it learned, layer by "
                      "layer: near 1, the map does not depend on the network",
              .asks_again = 1},
    .measure = measure,
};
