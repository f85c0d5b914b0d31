/* lrp_rules.h - the rules of relevance propagation: how a layer hands back what it was given. */
#ifndef CX_METHODS_LRP_RULES_H
#define CX_METHODS_LRP_RULES_H

#include "layers/layer.h"

typedef enum cx_lrp_kind {
    CX_LRP_EPSILON,    /* in proportion to x w; `a` beside the divisor */
    CX_LRP_PLUS,       /* of what is positive alone, x+ w+ and x- w- */
    CX_LRP_ALPHA_BETA, /* a times what is positive, less b times what is negative */
    CX_LRP_GAMMA,      /* with what is positive counted 1 + a times */
    CX_LRP_BOX,        /* of inputs that lie between a and b: x w - a w+ - b w- */
    CX_LRP_FLAT,       /* in equal parts */
    CX_LRP_SQUARE,     /* in proportion to w² */
    CX_LRP_PASS,       /* as it is: to the only input */
    CX_LRP_WINNER,     /* to what a maximum came from */
    CX_LRP_GATE,       /* of a product: all to the signal, none to what opens and shuts it */
    CX_LRP_NONE,
} cx_lrp_kind;

typedef struct cx_lrp_rule {
    cx_lrp_kind kind;
    double a, b;
} cx_lrp_rule;

/* Hand back c->dy, the relevance of what the layer gave before its activation, to c->dx. `norm` is
 * the BatchNormalization behind, which is counted to the layer's weights, or NULL. Rules from
 * CX_LRP_EPSILON to CX_LRP_SQUARE. */
int cx_lrp_apply(const cx_lrp_rule *rule, const cx_layer *l, const cx_affine *norm,
                 const cx_backward_call *c, cvs_error *err);

#endif
