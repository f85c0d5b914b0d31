/* cam.c - class activation maps that follow from what a layer gives and from how the goal changes
 * with it. */
#include <math.h>
#include <string.h>

#include "methods/component.h"
#include "methods/method.h"
#include "methods/upsample.h"

int cx_method_is_cam(const cx_method *m)
{
    return m->weigh || m->part || m->combine;
}

/* The maps of all layers, as they are put together. */
typedef struct maps {
    float *data[CX_MAX_LAYERS]; /* owned */
    int64_t height[CX_MAX_LAYERS], width[CX_MAX_LAYERS];
    int n;
} maps;

static void deinit(maps *m)
{
    for (int i = 0; i < m->n; i++) cx_free(m->data[i]);
}

/* --- one layer --- */

/* What cell p of channel c adds to the map. */
static float part_of(const cx_method *m, const cx_cam *cam, const double *weights, int64_t p,
                     int64_t c)
{
    const float a = cam->a[p * cam->channels + c];
    return m->part ? m->part(a, cam->g[p * cam->channels + c]) : (float)(weights[c] * (double)a);
}

/* The sum of all parts, or their first component. */
static int put_together(const cx_question *q, const cx_cam *cam, const double *weights, float *map,
                        cvs_error *err)
{
    const int64_t n = cam->height * cam->width, k = cam->channels;
    float *parts = NULL;
    int rc = 0;
    if (q->o->eigen_smooth) {
        parts = cx_calloc((size_t)(n * k), sizeof *parts);
        if (!parts) TRY(cx_no_memory(err, (size_t)(n * k) * sizeof *parts));
    }
    for (int64_t p = 0; p < n; p++) {
        double sum = 0;
        for (int64_t c = 0; c < k; c++) {
            const float part = part_of(q->method, cam, weights, p, c);
            sum += (double)part;
            if (parts) parts[p * k + c] = part;
        }
        map[p] = (float)sum;
    }
    if (parts) TRY(cx_first_component(map, parts, n, k, NULL, err));
out:
    cx_free(parts);
    return rc;
}

/* The answer has the weights of the first layer alone. */
static int keep_weights(cx_question *q, const double *weights, int64_t n, cvs_error *err)
{
    cvs_explanation *e = q->e;
    cx_free(e->weights);
    e->n_weights = 0;
    e->weights = cx_calloc((size_t)n, sizeof *e->weights);
    if (!e->weights) return cx_no_memory(err, (size_t)n * sizeof *e->weights);
    memcpy(e->weights, weights, (size_t)n * sizeof *weights);
    e->n_weights = n;
    return 0;
}

static int make_map(cx_question *q, const cx_cam *cam, float *map, cvs_error *err)
{
    double *weights = NULL;
    int rc = 0;
    if (q->method->combine) return q->method->combine(cam, map, err);
    if (q->method->weigh) {
        weights = cx_calloc((size_t)cam->channels, sizeof *weights);
        if (!weights) TRY(cx_no_memory(err, (size_t)cam->channels * sizeof *weights));
        q->method->weigh(cam, weights);
        if (q->n_layers == 1) TRY(keep_weights(q, weights, cam->channels, err));
    }
    TRY(put_together(q, cam, weights, map, err));
out:
    cx_free(weights);
    return rc;
}

/* The map of one layer; `g` may be NULL. */
static int add_map(maps *m, cx_question *q, int node, const cx_tensor *a, const cx_tensor *g,
                   cvs_error *err)
{
    cx_stack sa = {0}, sg = {0};
    int rc;
    TRY(cx_stack_of(&sa, q->model, node, a, 0, err));
    if (g) TRY(cx_stack_of(&sg, q->model, node, g, 0, err));
    const size_t n = (size_t)(sa.height * sa.width);
    m->data[m->n] = cx_calloc(n, sizeof(float));
    if (!m->data[m->n]) TRY(cx_no_memory(err, n * sizeof(float)));
    m->height[m->n] = sa.height;
    m->width[m->n] = sa.width;
    const cx_cam cam = {sa.data, sg.data, sa.height, sa.width, sa.channels};
    TRY(make_map(q, &cam, m->data[m->n++], err));
out:
    cx_stack_deinit(&sa);
    cx_stack_deinit(&sg);
    return rc;
}

int cx_cam_answer(cx_question *q, const cx_stack *a, const double *weights, cvs_error *err)
{
    const cx_cam cam = {a->data, NULL, a->height, a->width, a->channels};
    int rc;
    TRY(cx_answer_map(q, a->height, a->width, err));
    TRY(keep_weights(q, weights, a->channels, err));
    TRY(put_together(q, &cam, weights, q->e->data, err));
    TRY(cx_answer_cut_off(q, err));
out:
    return rc;
}

/* --- several layers --- */

/* What speaks for the class, from 0 to 1. */
static void bring_to_1(float *v, int64_t n)
{
    float most = 0;
    for (int64_t i = 0; i < n; i++)
        if (v[i] > most) most = v[i];
    for (int64_t i = 0; i < n; i++) v[i] = v[i] > 0 ? v[i] / most : 0;
}

static float fused(cx_fusion how, float so_far, float v, int n)
{
    switch (how) {
    case CX_FUSE_TANH:
        return fmaxf(so_far, tanhf(2 * v));
    case CX_FUSE_PRODUCT:
        return so_far * v;
    case CX_FUSE_MEAN:
        break;
    }
    return so_far + v / (float)n;
}

/* At the size of the largest. */
static int fuse(cx_question *q, maps *m, cvs_error *err)
{
    int largest = 0, rc;
    float *same = NULL;
    for (int i = 1; i < m->n; i++)
        if (m->height[i] * m->width[i] > m->height[largest] * m->width[largest]) largest = i;
    const int64_t h = m->height[largest], w = m->width[largest], n = h * w;
    TRY(cx_answer_map(q, h, w, err));
    same = cx_calloc((size_t)n, sizeof *same);
    if (!same) TRY(cx_no_memory(err, (size_t)n * sizeof *same));
    for (int64_t p = 0; q->method->fusion == CX_FUSE_PRODUCT && p < n; p++) q->e->data[p] = 1;
    for (int i = 0; i < m->n; i++) {
        bring_to_1(m->data[i], m->height[i] * m->width[i]);
        cx_upsample(m->data[i], 1, m->height[i], m->width[i], same, h, w);
        for (int64_t p = 0; p < n; p++)
            q->e->data[p] = fused(q->method->fusion, q->e->data[p], same[p], m->n);
    }
out:
    cx_free(same);
    return rc;
}

static int answer(cx_question *q, maps *m, cvs_error *err)
{
    int rc;
    if (m->n > 1) return fuse(q, m, err);
    TRY(cx_answer_map(q, m->height[0], m->width[0], err));
    memcpy(q->e->data, m->data[0], (size_t)(m->height[0] * m->width[0]) * sizeof(float));
    TRY(cx_answer_cut_off(q, err));
out:
    return rc;
}

/* --- the whole --- */

static int map_activations(maps *m, cx_question *q, cvs_error *err)
{
    cvs_run *run = NULL;
    int rc = 0;
    for (int i = 0; i < q->n_layers; i++) {
        cvs_run_free(run);
        run = NULL;
        TRY(cx_question_run(&run, q, q->layers[i], err));
        TRY(add_map(m, q, q->layers[i], &run->slots[q->layers[i]].y, NULL, err));
    }
out:
    cvs_run_free(run);
    return rc;
}

/* Less of what speaks for the class is what would make it less likely. */
static void negate(const cx_tensor *t)
{
    float *v = t->data;
    for (int64_t i = 0, n = cx_shape_count(&t->shape); i < n; i++) v[i] = -v[i];
}

static int map_gradients(maps *m, cx_question *q, cvs_error *err)
{
    cx_spot from[CX_MAX_LAYERS];
    cx_gradient *g = NULL;
    int rc;
    for (int i = 0; i < q->n_layers; i++) from[i] = (cx_spot){q->layers[i], 0};
    TRY(cx_question_gradient(&g, q, from, q->n_layers, 1, err));
    TRY(cx_question_forward(q, g, err));
    if (q->method->reseed)
        TRY(q->method->reseed(q, cx_gradient_value(g, 0), cx_gradient_seed(g, 0), err));
    TRY(cx_gradient_backward(g, NULL, err));
    for (int i = 0; i < q->n_layers; i++) {
        if (q->o->counterfactual) negate(cx_gradient_result(g, i));
        TRY(add_map(m, q, from[i].node, cx_gradient_source(g, i), cx_gradient_result(g, i), err));
    }
out:
    cx_gradient_free(g);
    return rc;
}

int cx_cam_explain(cx_question *q, cvs_error *err)
{
    maps m = {0};
    int rc;
    if (q->method->check) TRY(q->method->check(q, err));
    TRY(q->method->has_no_goal ? map_activations(&m, q, err) : map_gradients(&m, q, err));
    TRY(answer(q, &m, err));
out:
    deinit(&m);
    return rc;
}
