/* fullgrad.c - full gradients (Srinivas and Fleuret 2019): what the input and all biases add to the
 * score, each as a map.
 *
 * The input's part is |x dS/dx|; a bias b_c of a convolution or normalisation has |b_c dS/dz_c|,
 * with z what the layer gives before its activation. Each channel's map is stretched to 0 … 1 and
 * brought to the input's size; all are summed. */
#include <math.h>

#include "methods/picture.h"
#include "methods/upsample.h"

/* The biases of a node with a map, or NULL; n tells how many. */
static const float *biases_of(const cvs_model *m, int node, int64_t *n)
{
    const cx_layer *l = &m->layers[m->nodes[node].layer];
    if (m->nodes[node].shape.ndim < 3) return NULL;
    if (l->kind->is_scale_shift && l->state) {
        const cx_affine *a = l->state;
        *n = a->n;
        return a->shift;
    }
    if (!l->kind->is_conv || l->n_weights < 2) return NULL;
    const cx_weight *last = &l->w[l->n_weights - 1];
    *n = last->spec.shape.d[0];
    return last->spec.shape.ndim == 1 ? last->data : NULL;
}

/* Where biases come in: the input first. */
static int find_spots(cx_spot *out, const cx_question *q)
{
    const cvs_model *m = q->model;
    int64_t n_biases;
    int n = 0;
    out[n++] = cx_question_source(q);
    for (int i = 0; i < m->n_nodes && i < q->goal.spot.node; i++)
        if (biases_of(m, i, &n_biases)) out[n++] = (cx_spot){i, 1};
    return n;
}

/* Add a stack of maps, each from 0 to 1 and at the input's size. `room` holds one of either. */
static void add_maps(cx_question *q, const cx_stack *g, const float *x, const float *biases,
                     float *room)
{
    cvs_explanation *e = q->e;
    const int64_t n = g->height * g->width, k = g->channels;
    float *large = room + n;
    for (int64_t c = 0; c < k; c++) {
        for (int64_t p = 0; p < n; p++)
            room[p] = fabsf(g->data[p * k + c] * (x ? x[p * k + c] : biases[c]));
        if (!cx_stretch(room, n)) continue;
        cx_upsample(room, 1, g->height, g->width, large, e->height, e->width);
        for (int64_t p = 0; p < e->height * e->width; p++) e->data[p] += large[p];
    }
}

/* What spot i adds. */
static int add_spot(cx_question *q, const cx_gradient *g, int i, cx_spot spot, cvs_error *err)
{
    cx_stack d = {0}, x = {0};
    float *room = NULL;
    int64_t n_biases = 0;
    int rc;
    TRY(cx_stack_of(&d, q->model, spot.node, cx_gradient_result(g, i), 0, err));
    if (i == 0) TRY(cx_stack_of(&x, q->model, spot.node, cx_gradient_source(g, i), 0, err));
    const float *biases = i == 0 ? NULL : biases_of(q->model, spot.node, &n_biases);
    if (i > 0 && n_biases != d.channels) goto out; /* of an axis that is none of channels */
    const size_t n = (size_t)(d.height * d.width + q->e->height * q->e->width);
    room = cx_calloc(n, sizeof *room);
    if (!room) TRY(cx_no_memory(err, n * sizeof *room));
    add_maps(q, &d, x.data, biases, room);
out:
    cx_stack_deinit(&d);
    cx_stack_deinit(&x);
    cx_free(room);
    return rc;
}

static int explain(cx_question *q, cvs_error *err)
{
    cx_spot *spots = cx_calloc((size_t)q->model->n_nodes + 1, sizeof *spots);
    cx_gradient *g = NULL;
    cx_picture p;
    int rc;
    if (!spots) return cx_no_memory(err, (size_t)q->model->n_nodes * sizeof *spots);
    TRY(cx_picture_of(&p, q, err));
    const int n = find_spots(spots, q);
    TRY(cx_question_gradient(&g, q, spots, n, 1, err));
    TRY(cx_question_forward(q, g, err));
    TRY(cx_gradient_backward(g, NULL, err));
    TRY(cx_answer_map(q, p.height, p.width, err));
    for (int i = 0; i < n; i++) TRY(add_spot(q, g, i, spots[i], err));
out:
    cx_gradient_free(g);
    cx_free(spots);
    return rc;
}

const cx_method cx_method_fullgrad = {
    .about = {.name = "fullgrad",
              .title = "FullGrad",
              .cite = "Srinivas and Fleuret 2019, Full-Gradient Representation, arXiv:1905.00780",
              .needs = "a picture; biases make it what it is",
              .cost = "1 pass forward and back"},
    .automatic = CVS_TARGET_LOGIT,
    .explain = explain,
};
