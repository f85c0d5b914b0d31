/* lrp_choice.h - which rule hands relevance back through which layer. */
#ifndef CX_METHODS_LRP_CHOICE_H
#define CX_METHODS_LRP_CHOICE_H

#include "graph/gradient.h"
#include "methods/lrp_rules.h"

typedef struct cx_lrp_choice {
    cx_lrp_rule *rules; /* by node; owned */
    int *norm_of;       /* by node: the BatchNormalization that is counted to its layer, or -1 */
    int is_default;     /* 1: all by the default composite */
} cx_lrp_choice;

/* `text` is NULL, the name of a composite, or PATTERN=RULE with commas between them, where * in a
 * pattern stands for any letters of a layer's name; what no pattern fits follows the default
 * composite. `low` and `high` are what the input's numbers lie between. CVS_E_ARG names the word
 * that is wrong; CVS_E_UNSUPPORTED a layer on the way of `g` that no rule is known for. */
int cx_lrp_choose(cx_lrp_choice *out, const cvs_model *m, const cx_gradient *g, const char *text,
                  double low, double high, cvs_error *err);
void cx_lrp_choice_deinit(cx_lrp_choice *c);

#endif
