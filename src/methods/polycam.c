/* polycam.c - Poly-CAM (Englebert et al. 2022), the variant PCAM±: maps of several layers, each
 * refined by the one before it.
 *
 * At each layer a channel weighs what the score gains when the input is seen through it (H) and
 * loses when it is seen through what the channel leaves dark (1 - H):
 *
 *   w_k = max(0, S(x H_k) + S(x) - S(x (1 - H_k)))
 *
 * From the coarsest layer to the finest, with U bilinear interpolation to the finer size:
 *
 *   P_1 = M_1,   P_l = M_l / U(D(M_l)) × U(P_(l-1)),   M_l = max(0, sum_k w_k A_k)
 *
 * where D brings M_l to the size of the layer before, so that its large-scale differences, which
 * the coarser map knows better, cancel. Masks are stretched from their least to their largest
 * number; the authors cut off a thousandth at both ends. */
#include <math.h>
#include <string.h>

#include "methods/masks.h"
#include "methods/upsample.h"

static const float least = 1e-12f; /* of the divisor */

/* Even variants see through the channel, odd ones through what it leaves dark. */
static void look(void *arg, int64_t i, float *item)
{
    const cx_masks *m = arg;
    float *mask = cx_masks_of(m, i / 2, i);
    for (int64_t k = 0; i % 2 && k < m->p.height * m->p.width; k++) mask[k] = 1 - mask[k];
    cx_masks_apply(m, mask, item);
}

typedef struct level {
    float *map; /* owned */
    int64_t height, width;
} level;

/* M of a layer. */
static int weigh_layer(level *out, cx_question *q, int layer, cvs_error *err)
{
    cx_masks m = {0};
    double *score = NULL;
    int64_t done;
    int rc;
    const cx_shape *s = &q->model->nodes[layer].shape;
    const int axis = cx_node_channel_axis(q->model, layer);
    TRY(cx_masks_init(&m, q, layer, 2 * (s->d[axis] > 0 ? s->d[axis] : 1), err));
    const cx_stack *a = &m.a;
    out->height = a->height;
    out->width = a->width;
    out->map = cx_calloc((size_t)(a->height * a->width), sizeof *out->map);
    score = cx_calloc((size_t)a->channels * 2, sizeof *score);
    if (!out->map || !score) TRY(cx_no_memory(err, (size_t)a->channels * 2 * sizeof *score));
    TRY(cx_scorer_run(&m.seen, q, 2 * a->channels, look, &m, score, &done, err));
    for (int64_t c = 0; c < done / 2; c++) {
        const double weight = fmax(0, score[2 * c] + q->e->score - score[2 * c + 1]);
        for (int64_t p = 0; p < a->height * a->width; p++)
            out->map[p] += (float)(weight * (double)a->data[p * a->channels + c]);
    }
    for (int64_t p = 0; p < a->height * a->width; p++) out->map[p] = fmaxf(0, out->map[p]);
out:
    cx_masks_deinit(&m);
    cx_free(score);
    return rc;
}

/* P of a layer from its M, which it takes the place of, and the P before. */
static int refine(level *l, const level *before, cvs_error *err)
{
    const int64_t n = l->height * l->width, coarse = before->height * before->width;
    float *small = cx_calloc((size_t)(coarse + 2 * n), sizeof *small);
    if (!small) return cx_no_memory(err, (size_t)(coarse + 2 * n) * sizeof *small);
    float *level_of = small + coarse, *known = level_of + n;
    cx_upsample(l->map, 1, l->height, l->width, small, before->height, before->width);
    cx_upsample(small, 1, before->height, before->width, level_of, l->height, l->width);
    cx_upsample(before->map, 1, before->height, before->width, known, l->height, l->width);
    for (int64_t p = 0; p < n; p++) l->map[p] = l->map[p] / fmaxf(level_of[p], least) * known[p];
    cx_free(small);
    return 0;
}

static int64_t cells_of(const level *l)
{
    return l->height * l->width;
}

static int explain(cx_question *q, cvs_error *err)
{
    level levels[CX_MAX_LAYERS] = {0};
    const int n = q->n_layers;
    int rc = 0;
    for (int i = 0; i < n; i++) {
        TRY(weigh_layer(&levels[i], q, q->layers[i], err));
        for (int k = i; k > 0 && cells_of(&levels[k]) < cells_of(&levels[k - 1]); k--) {
            const level finer = levels[k - 1]; /* the coarsest first */
            levels[k - 1] = levels[k];
            levels[k] = finer;
        }
        if (q->e->done < 1) break;
    }
    for (int i = 1; i < n && levels[i].map; i++) TRY(refine(&levels[i], &levels[i - 1], err));
    int last = n - 1;
    while (last > 0 && !levels[last].map) last--;
    TRY(cx_answer_map(q, levels[last].height, levels[last].width, err));
    memcpy(q->e->data, levels[last].map, (size_t)cells_of(&levels[last]) * sizeof(float));
    TRY(cx_answer_cut_off(q, err));
out:
    for (int i = 0; i < n; i++) cx_free(levels[i].map);
    return rc;
}

const cx_method cx_method_polycam = {
    .about = {.name = "polycam",
              .title = "Poly-CAM",
              .cite = "Englebert et al. 2022, Poly-CAM, arXiv:2204.13359",
              .needs = "layers with maps of several sizes, a picture",
              .cost = "2 passes forward for each channel of three layers"},
    .automatic = CVS_TARGET_PROBABILITY,
    .uses_layers = 1,
    .scales = 3,
    .explain = explain,
};
