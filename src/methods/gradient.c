/* gradient.c - one walk back from the goal to the input: by the derivative (Simonyan et al. 2013),
 * times the input, or by a rule for rectifiers. */
#include "methods/guided_rule.h"
#include "methods/method.h"

static int walk(cx_question *q, const cx_rule *rule, int times_input, cvs_error *err)
{
    const cx_spot from = cx_question_source(q);
    cx_gradient *g = NULL;
    cx_tensor *d;
    int rc;
    TRY(cx_question_gradient(&g, q, &from, 1, 1, err));
    TRY(cx_question_forward(q, g, err));
    TRY(cx_gradient_backward(g, rule, err));
    d = &g->steps[from.node].dy;
    if (times_input)
        cx_binary_forward(CX_MULTIPLY, cx_shape_count(&d->shape), d->data, q->x[q->input].data,
                          d->data);
    TRY(cx_answer_fill(q, d, 0, err));
out:
    cx_gradient_free(g);
    return rc;
}

static void warn(cx_question *q)
{
    cx_answer_note(q,
                   "this method shows edges of the input more than reasons: it changes little when "
                   "the network's weights are made random (Adebayo et al. 2018)");
}

static int explain_gradient(cx_question *q, cvs_error *err)
{
    return walk(q, NULL, 0, err);
}

static int explain_input_x_gradient(cx_question *q, cvs_error *err)
{
    return walk(q, NULL, 1, err);
}

static int explain_guided_backprop(cx_question *q, cvs_error *err)
{
    warn(q);
    return walk(q, &cx_guided_rule, 0, err);
}

static int explain_deconvnet(cx_question *q, cvs_error *err)
{
    warn(q);
    return walk(q, &cx_deconvnet_rule, 0, err);
}

#define WALK(symbol, word, heading, paper, what, size) \
    const cx_method cx_method_##symbol = {             \
        .about = {.name = word,                        \
                  .title = heading,                    \
                  .cite = paper,                       \
                  .needs = what,                       \
                  .cost = "1 pass forward, 1 back",    \
                  .is_pixels = 1,                      \
                  .is_signed = 1,                      \
                  .shows_size = size},                 \
        .automatic = CVS_TARGET_LOGIT,                 \
        .explain = explain_##symbol,                   \
    }

WALK(gradient, "gradient", "Gradient",
     "Simonyan et al. 2013, Deep Inside Convolutional Networks, arXiv:1312.6034", "nothing", 1);
WALK(input_x_gradient, "input-x-gradient", "Input × gradient",
     "Shrikumar et al. 2016, Not Just a Black Box, arXiv:1605.01713", "nothing", 0);
WALK(guided_backprop, "guided-backprop", "Guided backpropagation",
     "Springenberg et al. 2014, Striving for Simplicity, arXiv:1412.6806", "rectifiers", 1);
WALK(deconvnet, "deconvnet", "DeconvNet",
     "Zeiler and Fergus 2013, Visualizing and Understanding, arXiv:1311.2901", "rectifiers", 1);
