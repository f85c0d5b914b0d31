/* gradient.c - the plain derivative of the goal with respect to the input (Simonyan et al. 2013).
 */
#include "methods/method.h"

static int explain(cx_question *q, cvs_error *err)
{
    const cx_spot from = cx_question_source(q);
    cx_gradient *g = NULL;
    int rc;
    TRY(cx_question_gradient(&g, q, &from, 1, 1, err));
    TRY(cx_question_forward(q, g, err));
    TRY(cx_gradient_backward(g, NULL, err));
    TRY(cx_answer_fill(q, cx_gradient_result(g, 0), 0, err));
out:
    cx_gradient_free(g);
    return rc;
}

const cx_method cx_method_gradient = {
    .about = {.name = "gradient",
              .title = "Gradient",
              .cite = "Simonyan et al. 2013, Deep Inside Convolutional Networks, arXiv:1312.6034",
              .needs = "nothing",
              .cost = "1 pass forward, 1 back",
              .is_pixels = 1,
              .is_signed = 1},
    .automatic = CVS_TARGET_LOGIT,
    .explain = explain,
};
