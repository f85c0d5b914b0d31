/* class_activation.c - CAM (Zhou et al. 2016), the first class activation map: where all that
 * follows a layer is the mean over its places and sums of them, the class's weights of those sums
 * are the channels' weights. */
#include <math.h>

#include "methods/method.h"

/* All between the layer and the goal must be sums, or hand on what they are given. */
static int check(const cx_question *q, cvs_error *err)
{
    const cvs_model *m = q->model;
    const int layer = q->layers[q->n_layers - 1];
    uint8_t *behind = cx_calloc((size_t)m->n_nodes, 1);
    int rc = 0;
    if (!behind) return cx_no_memory(err, (size_t)m->n_nodes);
    behind[layer] = 1;
    for (int i = layer + 1; i <= q->goal.spot.node && rc == 0; i++) {
        const cx_layer *l = &m->layers[m->nodes[i].layer];
        cx_activation a;
        for (int k = 0; k < m->nodes[i].n_inputs; k++) behind[i] |= behind[m->nodes[i].inputs[k]];
        const int bends = cx_layer_ends_with(&a, l) && !(i == q->goal.spot.node && q->goal.logit);
        if (!behind[i] || (!bends && (l->kind->is_affine || cx_layer_is_identity(l)))) continue;
        rc =
            cx_fail(err, CVS_E_UNSUPPORTED,
                    "CAM needs nothing but a mean over places and a dense layer behind \"%s\", and "
                    "there is \"%s\"",
                    m->nodes[layer].name, m->nodes[i].name);
        cx_hint(err, "gradcam is the same where CAM can be had, and more");
    }
    cx_free(behind);
    return rc;
}

/* The derivative of such a score is the weight, shared by the places that the mean is of. Where it
 * is not the same at all of them, places are weighed too, and the sum is no CAM. */
static int combine(const cx_cam *cam, float *map, cvs_error *err)
{
    const int64_t n = cam->height * cam->width, k = cam->channels;
    for (int64_t c = 0; c < k; c++) {
        const float g = cam->g[c];
        for (int64_t p = 0; p < n; p++) {
            if (fabsf(cam->g[p * k + c] - g) > 1e-4f * fabsf(g))
                return cx_fail(
                    err, CVS_E_UNSUPPORTED,
                    "CAM needs a mean over places behind the layer, and this model tells "
                    "them apart");
            map[p] += g * (float)n * cam->a[p * k + c];
        }
    }
    return 0;
}

const cx_method cx_method_cam = {
    .about = {.name = "cam",
              .title = "CAM",
              .cite = "Zhou et al. 2016, Learning Deep Features for Discriminative Localization, "
                      "arXiv:1512.04150",
              .needs = "a mean over places and one dense layer behind the map",
              .cost = "1 pass forward, back to the layer"},
    .automatic = CVS_TARGET_LOGIT,
    .uses_layers = 1,
    .check = check,
    .combine = combine,
};
