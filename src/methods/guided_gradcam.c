/* guided_gradcam.c - guided Grad-CAM (Selvaraju et al. 2017): the fine picture of guided
 * backpropagation, where the coarse one of Grad-CAM has evidence for the class. */
#include "methods/guided_rule.h"
#include "methods/picture.h"
#include "methods/upsample.h"

/* Grad-CAM's map of what speaks for the class. */
static void add_up(const cx_stack *a, const cx_stack *g, float *map)
{
    const int64_t n = a->height * a->width, k = a->channels;
    for (int64_t c = 0; c < k; c++) {
        double weight = 0;
        for (int64_t p = 0; p < n; p++) weight += (double)g->data[p * k + c] / (double)n;
        for (int64_t p = 0; p < n; p++) map[p] += (float)(weight * (double)a->data[p * k + c]);
    }
    for (int64_t p = 0; p < n; p++)
        if (map[p] < 0) map[p] = 0;
}

/* The coarse map at the input's size; *map is the caller's to cx_free(). */
static int coarse(float **map, const cx_question *q, const cx_gradient *g, const cx_picture *p,
                  cvs_error *err)
{
    cx_stack a = {0}, d = {0};
    float *small = NULL;
    int rc;
    TRY(cx_stack_of(&a, q->model, q->layers[0], cx_gradient_source(g, 1), 0, err));
    TRY(cx_stack_of(&d, q->model, q->layers[0], cx_gradient_result(g, 1), 0, err));
    small = cx_calloc((size_t)(a.height * a.width), sizeof *small);
    *map = cx_calloc((size_t)(p->height * p->width), sizeof **map);
    if (!small || !*map) TRY(cx_no_memory(err, (size_t)(p->height * p->width) * sizeof **map));
    add_up(&a, &d, small);
    cx_upsample(small, 1, a.height, a.width, *map, p->height, p->width);
out:
    cx_stack_deinit(&a);
    cx_stack_deinit(&d);
    cx_free(small);
    return rc;
}

static int explain(cx_question *q, cvs_error *err)
{
    const cx_spot from[] = {cx_question_source(q), {q->layers[0], 0}};
    cx_gradient *g = NULL;
    cx_picture p;
    float *map = NULL;
    int rc;
    TRY(cx_picture_of(&p, q, err));
    TRY(cx_question_gradient(&g, q, from, 2, 1, err));
    TRY(cx_question_forward(q, g, err));
    TRY(cx_gradient_backward(g, NULL, err));
    TRY(coarse(&map, q, g, &p, err));
    TRY(cx_gradient_backward(g, &cx_guided_rule, err));
    TRY(cx_answer_fill(q, cx_gradient_result(g, 0), 0, err));
    for (int64_t i = 0; i < p.height * p.width * p.channels; i++)
        q->e->data[i] *= map[i / p.channels];
out:
    cx_free(map);
    cx_gradient_free(g);
    return rc;
}

const cx_method cx_method_guided_gradcam = {
    .about = {.name = "guided-gradcam",
              .title = "Guided Grad-CAM",
              .cite = "Selvaraju et al. 2017, Grad-CAM, arXiv:1610.02391, section 3.2",
              .needs = "a picture, a layer with a map, rectifiers",
              .cost = "1 pass forward, 2 back",
              .is_pixels = 1,
              .is_signed = 1,
              .shows_size = 1},
    .automatic = CVS_TARGET_LOGIT,
    .uses_layers = 1,
    .explain = explain,
};
